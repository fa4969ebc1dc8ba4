// Caches of one encode() call: texts repeat their words, and the tables of a vocabulary are larger than a processor's cache.
//
// recent_words holds short words with few tokens, each in the one place its hash gives: a hit costs one line of memory.
// word_cache holds all others for as long as the call runs. Both are only right where a word's tokens depend on nothing else.
#ifndef HENCE_TEXT_DETAIL_WORD_CACHE_HPP
#define HENCE_TEXT_DETAIL_WORD_CACHE_HPP

#include "../vocabulary.hpp"
#include "piece_table.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

HENCE_NAMESPACE_BEGIN
namespace text::detail {

class recent_words {
public:
    explicit recent_words(std::size_t text_bytes) {
        constexpr std::size_t most = 4096;
        const std::size_t places = std::bit_floor(std::min(text_bytes / 8, most));
        if (places < 16) return;  // short texts do not repeat themselves enough
        places_.resize(places);
        shift_ = 64 - std::countr_zero(places);
    }

    /// Appends the tokens of a word that is known.
    [[nodiscard]] bool append(std::string_view word, std::vector<token_id>& ids) const {
        if (places_.empty() || word.size() > longest || word.empty()) return false;
        const auto [low, high] = key(word);
        const place& p = places_[index(low, high)];
        if (p.length != word.size() || p.low != low || p.high != high) return false;
        for (std::uint16_t i = 0; i < p.count; ++i) ids.push_back(p.ids[i]);
        return true;
    }

    /// Keeps what a word gave: the ids from `from` on.
    void keep(std::string_view word, const std::vector<token_id>& ids, std::size_t from) {
        const std::size_t count = ids.size() - from;
        if (places_.empty() || word.size() > longest || word.empty() || count > most_tokens) return;
        const auto [low, high] = key(word);
        place& p = places_[index(low, high)];
        p.low = low;
        p.high = high;
        for (std::size_t i = 0; i < count; ++i) p.ids[i] = ids[from + i];
        p.length = static_cast<std::uint16_t>(word.size());
        p.count = static_cast<std::uint16_t>(count);
    }

private:
    static constexpr std::size_t longest = 16;
    static constexpr std::size_t most_tokens = 3;

    struct place {
        std::uint64_t low = 0;
        std::uint64_t high = 0;
        std::array<token_id, most_tokens> ids{};
        std::uint16_t length = 0;  // 0: nobody's
        std::uint16_t count = 0;
    };

    /// With the length, two numbers that no other word has: the first and the last eight bytes, which may overlap.
    [[nodiscard]] static std::pair<std::uint64_t, std::uint64_t> key(std::string_view word) noexcept {
        const std::size_t n = word.size();
        const char* const data = word.data();
        if (n >= 8) {
            std::uint64_t first;
            std::uint64_t last;
            std::memcpy(&first, data, 8);
            std::memcpy(&last, data + n - 8, 8);
            return {first, last};
        }
        if (n >= 4) {
            std::uint32_t first;
            std::uint32_t last;
            std::memcpy(&first, data, 4);
            std::memcpy(&last, data + n - 4, 4);
            return {first, last};
        }
        const auto byte = [&](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(data[i])}; };
        return {byte(0) | byte(n / 2) << 8 | byte(n - 1) << 16, n};
    }

    [[nodiscard]] std::size_t index(std::uint64_t low, std::uint64_t high) const noexcept {
        constexpr std::uint64_t multiplier = 0x9E3779B97F4A7C15u;
        const std::uint64_t mixed = (low ^ (high << 31 | high >> 33) * multiplier) * multiplier;
        return static_cast<std::size_t>(mixed >> shift_);
    }

    std::vector<place> places_;
    int shift_ = 0;
};

class word_cache {
public:
    /// False, and nothing kept, where encode_word() says so.
    template <class Encode>
    [[nodiscard]] bool append(std::string_view word, std::vector<token_id>& ids, Encode&& encode_word) {
        constexpr std::size_t longest = 64;
        constexpr std::size_t most = 1 << 16;
        if (word.size() > longest) return encode_word();
        if (const std::uint32_t known = words_.find(word); known != piece_table::none) {
            const auto [begin, count] = spans_[known];
            ids.insert(ids.end(), tokens_.begin() + begin, tokens_.begin() + begin + count);
            return true;
        }
        const std::size_t before = ids.size();
        if (!encode_word()) return false;
        if (spans_.size() >= most) return true;
        words_.insert(word, static_cast<std::uint32_t>(spans_.size()));
        spans_.emplace_back(static_cast<std::ptrdiff_t>(tokens_.size()),
                            static_cast<std::ptrdiff_t>(ids.size() - before));
        tokens_.insert(tokens_.end(), ids.begin() + static_cast<std::ptrdiff_t>(before), ids.end());
        return true;
    }

private:
    piece_table words_;
    std::vector<std::pair<std::ptrdiff_t, std::ptrdiff_t>> spans_;
    std::vector<token_id> tokens_;
};

}  // namespace text::detail
HENCE_NAMESPACE_END

#endif
