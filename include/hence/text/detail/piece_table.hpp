// piece_table: bytes -> number, for vocabularies. Built once, then only read.
//
// Open addressing over one block of bytes: a lookup touches one slot and, on a hit, the piece itself.
// pair_table does the same for pairs of symbols (the merges of byte-pair encoding).
#ifndef HENCE_TEXT_DETAIL_PIECE_TABLE_HPP
#define HENCE_TEXT_DETAIL_PIECE_TABLE_HPP

#include "../../config.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN
namespace text::detail {

inline std::uint64_t hash_bytes(std::string_view bytes) noexcept {
    constexpr std::uint64_t multiplier = 0x9E3779B97F4A7C15u;
    std::uint64_t hash = bytes.size() * multiplier;
    const char* data = bytes.data();
    std::size_t left = bytes.size();
    const auto mix = [&](std::uint64_t word) {
        hash = (hash ^ word) * multiplier;
        hash ^= hash >> 29;
    };
    for (; left >= 8; left -= 8, data += 8) {
        std::uint64_t word;
        std::memcpy(&word, data, 8);
        mix(word);
    }
    if (left >= 4) {  // two overlapping halves
        std::uint32_t first;
        std::uint32_t second;
        std::memcpy(&first, data, 4);
        std::memcpy(&second, data + left - 4, 4);
        mix(std::uint64_t{first} << 32 | second);
    } else if (left > 0) {
        mix(static_cast<unsigned char>(data[0]) | std::uint64_t{static_cast<unsigned char>(data[left / 2])} << 8 |
            std::uint64_t{static_cast<unsigned char>(data[left - 1])} << 16);
    }
    return hash ^ hash >> 32;
}

/// Of four slots three may be taken: vocabularies are long, and what is left empty costs memory and time at every start.
constexpr bool is_full(std::size_t taken, std::size_t slots) noexcept { return taken > slots / 4 * 3; }

/// Holds less than 4 GiB of pieces.
class piece_table {
public:
    static constexpr std::uint32_t none = 0xFFFFFFFFu;
    static constexpr std::size_t most_bytes = 0xFFFFFFFFu;

    void reserve(std::size_t pieces) {
        std::size_t size = 16;
        while (is_full(pieces, size)) size *= 2;
        if (size > slots_.size()) rehash(size);
    }

    /// The number of the piece; `value` becomes it if the piece is new.
    std::uint32_t insert(std::string_view piece, std::uint32_t value) {
        if (is_full(count_ + 1, slots_.size())) rehash(slots_.empty() ? 16 : slots_.size() * 2);
        const std::uint64_t hash = hash_bytes(piece);
        std::size_t i = static_cast<std::size_t>(hash) & mask_;
        const auto tag = static_cast<std::uint32_t>(hash >> 32);
        for (; slots_[i].value != none; i = (i + 1) & mask_)
            if (slots_[i].tag == tag && slots_[i].length == piece.size() && same(slots_[i], piece)) return slots_[i].value;
        HENCE_EXPECT(piece.size() <= most_bytes - bytes_.size(), "less than 4 GiB of pieces");
        slots_[i] = slot{tag, value, static_cast<std::uint32_t>(piece.size()), static_cast<std::uint32_t>(bytes_.size())};
        bytes_.append(piece);
        ++count_;
        return value;
    }

    [[nodiscard]] std::uint32_t find(std::string_view piece) const noexcept {
        if (count_ == 0) return none;
        const std::uint64_t hash = hash_bytes(piece);
        const auto tag = static_cast<std::uint32_t>(hash >> 32);
        for (std::size_t i = static_cast<std::size_t>(hash) & mask_; slots_[i].value != none; i = (i + 1) & mask_)
            if (slots_[i].tag == tag && slots_[i].length == piece.size() && same(slots_[i], piece)) return slots_[i].value;
        return none;
    }

    [[nodiscard]] std::size_t size() const noexcept { return count_; }

private:
    struct slot {
        std::uint32_t tag = 0;
        std::uint32_t value = none;
        std::uint32_t length = 0;
        std::uint32_t offset = 0;
    };

    [[nodiscard]] bool same(const slot& s, std::string_view piece) const noexcept {
        return piece.empty() || std::memcmp(bytes_.data() + s.offset, piece.data(), piece.size()) == 0;
    }

    void rehash(std::size_t size) {
        std::vector<slot> old(size);
        old.swap(slots_);
        mask_ = size - 1;
        for (const slot& s : old) {
            if (s.value == none) continue;
            std::size_t i = static_cast<std::size_t>(hash_bytes({bytes_.data() + s.offset, s.length})) & mask_;
            while (slots_[i].value != none) i = (i + 1) & mask_;
            slots_[i] = s;
        }
    }

    std::vector<slot> slots_;
    std::string bytes_;
    std::size_t mask_ = 0;
    std::size_t count_ = 0;
};

/// What a merge gives: how early it is (lower first) and the symbol it makes.
struct merge {
    std::uint32_t rank = 0xFFFFFFFFu;
    std::uint32_t made = 0;
    static constexpr std::uint32_t never = 0xFFFFFFFFu;
};

class pair_table {
public:
    void reserve(std::size_t pairs) {
        std::size_t size = 16;
        while (is_full(pairs, size)) size *= 2;
        if (size > slots_.size()) rehash(size);
    }

    /// Adds a pair; the first rank of a pair stays.
    void insert(std::uint32_t left, std::uint32_t right, merge m) {
        if (is_full(count_ + 1, slots_.size())) rehash(slots_.empty() ? 16 : slots_.size() * 2);
        const std::uint64_t key = std::uint64_t{left} << 32 | right;
        std::size_t i = place(key);
        for (; slots_[i].value.rank != merge::never; i = (i + 1) & mask_)
            if (slots_[i].key == key) return;
        slots_[i] = slot{key, m};
        ++count_;
    }

    [[nodiscard]] merge find(std::uint32_t left, std::uint32_t right) const noexcept {
        if (count_ == 0) return {};
        const std::uint64_t key = std::uint64_t{left} << 32 | right;
        for (std::size_t i = place(key); slots_[i].value.rank != merge::never; i = (i + 1) & mask_)
            if (slots_[i].key == key) return slots_[i].value;
        return {};
    }

    [[nodiscard]] std::size_t size() const noexcept { return count_; }

private:
    struct slot {
        std::uint64_t key = 0;
        merge value;
    };

    [[nodiscard]] std::size_t place(std::uint64_t key) const noexcept {
        key *= 0x9E3779B97F4A7C15u;
        key ^= key >> 32;
        return static_cast<std::size_t>(key) & mask_;
    }

    void rehash(std::size_t size) {
        std::vector<slot> old(size);
        old.swap(slots_);
        mask_ = size - 1;
        for (const slot& s : old) {
            if (s.value.rank == merge::never) continue;
            std::size_t i = place(s.key);
            while (slots_[i].value.rank != merge::never) i = (i + 1) & mask_;
            slots_[i] = s;
        }
    }

    std::vector<slot> slots_;
    std::size_t mask_ = 0;
    std::size_t count_ = 0;
};

}  // namespace text::detail
HENCE_NAMESPACE_END

#endif
