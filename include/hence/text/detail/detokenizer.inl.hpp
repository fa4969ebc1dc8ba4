// Definitions of text/detokenizer.hpp.
#ifndef HENCE_TEXT_DETAIL_DETOKENIZER_INL_HPP
#define HENCE_TEXT_DETAIL_DETOKENIZER_INL_HPP

#include "../detokenizer.hpp"
#include "../unicode.hpp"

HENCE_NAMESPACE_BEGIN

HENCE_INLINE std::string streaming_detokenizer::push(token_id id) {
    const std::string_view printed = options_.special ? tokenizer_.bytes_or_name(id) : tokenizer_.bytes(id);
    if (!begun_ && options_.beginning && !tokenizer_.is_special(id)) {
        open_ += tokenizer_.decode({&id, 1}, options_);
        begun_ = true;
    } else {
        open_ += printed;
    }
    const std::size_t whole = open_.size() - text::incomplete_utf8_tail(open_);
    std::string out = text::to_valid_utf8(std::string_view(open_).substr(0, whole));
    open_.erase(0, whole);
    return out;
}

HENCE_INLINE std::string streaming_detokenizer::finish() {
    begun_ = false;
    const bool open = !open_.empty();
    open_.clear();
    return open ? "\xEF\xBF\xBD" : "";
}

HENCE_NAMESPACE_END

#endif
