// join_table: which characters stand side by side in a vocabulary's tokens, and so where a text may be cut.
//
// A merge makes a token, so two neighbours that no token holds side by side are never joined: what stands before them
// and what stands after them can be encoded apart, with the same ids. "$<<80000*1.5=120000>>" falls into its digits and
// signs that way, and short words are what a cache knows. Kept by bytes, which may cut less than characters would, never more.
#ifndef HENCE_TEXT_DETAIL_JOIN_TABLE_HPP
#define HENCE_TEXT_DETAIL_JOIN_TABLE_HPP

#include "../../config.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

HENCE_NAMESPACE_BEGIN
namespace text::detail {

class join_table {
public:
    /// Tells of a token, or of a string that merges make on the way to one.
    void note(std::string_view token) noexcept {
        for (std::size_t at = 0; at < token.size();) {
            const character left = at_place(token, at);
            at += left.length;
            if (at == token.size()) break;
            const character right = at_place(token, at);
            rows_[left.last][right.first / 64] |= std::uint64_t{1} << right.first % 64;
        }
    }

    /// Where the word that begins at `begin` (inside the text) ends: nothing joins what stands on both sides of it.
    [[nodiscard]] std::size_t word_end(std::string_view text, std::size_t begin) const noexcept {
        character left = at_place(text, begin);
        for (std::size_t at = begin + left.length; at < text.size(); at += left.length) {
            const character right = at_place(text, at);
            if ((rows_[left.last][right.first / 64] >> right.first % 64 & 1u) == 0) return at;
            left = right;
        }
        return text.size();
    }

private:
    struct character {
        unsigned char first;
        unsigned char last;
        std::size_t length;
    };

    /// A byte and those that continue it. A space mark (U+2581) counts as the space that it stands for.
    [[nodiscard]] static character at_place(std::string_view text, std::size_t at) noexcept {
        const auto first = static_cast<unsigned char>(text[at]);
        if (first < 0x80 && (at + 1 == text.size() || !continues(text[at + 1]))) return {first, first, 1};
        std::size_t end = at + 1;
        while (end < text.size() && continues(text[end])) ++end;
        const auto last = static_cast<unsigned char>(text[end - 1]);
        if (text.substr(at, 3) != "\xE2\x96\x81") return {first, last, end - at};
        return {' ', end - at == 3 ? static_cast<unsigned char>(' ') : last, end - at};  // bytes may follow that continue nothing
    }
    [[nodiscard]] static bool continues(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u; }

    std::array<std::array<std::uint64_t, 4>, 256> rows_{};  // rows_[a] has bit b: a token has byte a before byte b
};

}  // namespace text::detail
HENCE_NAMESPACE_END

#endif
