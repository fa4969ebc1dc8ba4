// Definitions of core/text.hpp.
#ifndef HENCE_CORE_DETAIL_TEXT_INL_HPP
#define HENCE_CORE_DETAIL_TEXT_INL_HPP

#include "../text.hpp"

#include <cstdio>

HENCE_NAMESPACE_BEGIN

HENCE_NOINLINE HENCE_INLINE void message_piece::append_to(std::string& out) const {
    switch (kind_) {
        case kind::text: out.append(text_, static_cast<std::size_t>(size_)); return;
        case kind::character: out.push_back(static_cast<char>(static_cast<unsigned char>(size_))); return;
        case kind::real: {
            char digits[350];  // the largest double has 309 before the point
            const int written = std::snprintf(digits, sizeof digits, "%f", real_);
            out.append(digits, static_cast<std::size_t>(written));
            return;
        }
        case kind::number:
        case kind::negative: break;
    }
    char digits[20];
    std::size_t at = sizeof digits;
    std::uint64_t rest = kind_ == kind::negative ? 0 - size_ : size_;
    do {
        digits[--at] = static_cast<char>('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (kind_ == kind::negative) out.push_back('-');
    out.append(digits + at, sizeof digits - at);
}

HENCE_NOINLINE HENCE_INLINE void append(std::string& out, std::initializer_list<message_piece> pieces) {
    for (const message_piece& piece : pieces) piece.append_to(out);
}

HENCE_NOINLINE HENCE_INLINE std::string concat(std::initializer_list<message_piece> pieces) {
    std::string out;
    append(out, pieces);
    return out;
}

HENCE_NOINLINE HENCE_INLINE std::string decimal(message_piece number) {
    std::string out;
    number.append_to(out);
    return out;
}

HENCE_NAMESPACE_END

#endif
