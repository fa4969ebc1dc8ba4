// Definitions of prune/mask.hpp.
#ifndef HENCE_PRUNE_DETAIL_MASK_INL_HPP
#define HENCE_PRUNE_DETAIL_MASK_INL_HPP

#include "../../core/text.hpp"
#include "../../sys/atomic_file.hpp"
#include "../../sys/mapped_file.hpp"
#include "../mask.hpp"

#include <bit>
#include <cstring>

HENCE_NAMESPACE_BEGIN

namespace detail {

inline constexpr char mask_magic[] = {'h', 'e', 'n', 'c', 'e', 'M', 'S', 'K'};
inline constexpr std::uint64_t mask_version = 1;
inline constexpr std::size_t mask_header_bytes = 32;

inline void put_u64(std::byte* place, std::uint64_t value) noexcept {
    for (int i = 0; i < 8; ++i) place[i] = static_cast<std::byte>(value >> (8 * i) & 0xffu);
}
inline std::uint64_t get_u64(const std::byte* place) noexcept {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value |= std::to_integer<std::uint64_t>(place[i]) << (8 * i);
    return value;
}

}  // namespace detail

HENCE_INLINE mask::mask(std::size_t rows, std::size_t columns, bool kept)
    : rows_(rows), columns_(columns), row_words_(columns / 64 + (columns % 64 != 0 ? 1 : 0)) {
    std::size_t words = 0;
    [[maybe_unused]] const bool overflows = __builtin_mul_overflow(rows_, row_words_ * 64, &words);
    HENCE_EXPECT(!overflows, "a matrix whose size fits in std::size_t");
    words_.assign(rows_ * row_words_, kept ? ~std::uint64_t{0} : 0);
    if (kept && row_words_ != 0) {
        for (std::size_t i = 0; i < rows_; ++i) words_[(i + 1) * row_words_ - 1] = last_word_mask();
    }
}

HENCE_INLINE void mask::set(std::size_t row, std::size_t column, bool kept) {
    HENCE_EXPECT(row < rows_ && column < columns_, "a place inside the mask");
    std::uint64_t& word = words_[row * row_words_ + column / 64];
    const std::uint64_t bit = std::uint64_t{1} << (column % 64);
    word = kept ? word | bit : word & ~bit;
}

HENCE_INLINE std::size_t mask::count() const noexcept {
    std::size_t sum = 0;
    for (std::uint64_t word : words_) sum += static_cast<std::size_t>(std::popcount(word));
    return sum;
}

HENCE_INLINE std::size_t mask::count_row(std::size_t row) const {
    HENCE_EXPECT(row < rows_, "a row of the mask");
    std::size_t sum = 0;
    for (std::size_t i = 0; i < row_words_; ++i)
        sum += static_cast<std::size_t>(std::popcount(words_[row * row_words_ + i]));
    return sum;
}

HENCE_INLINE double mask::density() const noexcept {
    const std::size_t all_weights = rows_ * columns_;
    return all_weights == 0 ? 1.0 : static_cast<double>(count()) / static_cast<double>(all_weights);
}

HENCE_INLINE mask mask::operator~() const {
    mask result = *this;
    for (std::uint64_t& word : result.words_) word = ~word;
    if (row_words_ != 0) {
        for (std::size_t i = 0; i < rows_; ++i) result.words_[(i + 1) * row_words_ - 1] &= last_word_mask();
    }
    return result;
}

HENCE_INLINE mask& mask::operator&=(const mask& other) {
    HENCE_EXPECT(rows_ == other.rows_ && columns_ == other.columns_, "masks of equal sizes");
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
    return *this;
}

HENCE_INLINE mask& mask::operator|=(const mask& other) {
    HENCE_EXPECT(rows_ == other.rows_ && columns_ == other.columns_, "masks of equal sizes");
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
    return *this;
}

HENCE_INLINE std::vector<std::byte> mask::to_bytes() const {
    const std::size_t row_bytes = (columns_ + 7) / 8;
    std::vector<std::byte> bytes(detail::mask_header_bytes + rows_ * row_bytes);
    std::memcpy(bytes.data(), detail::mask_magic, sizeof detail::mask_magic);
    detail::put_u64(bytes.data() + 8, detail::mask_version);
    detail::put_u64(bytes.data() + 16, rows_);
    detail::put_u64(bytes.data() + 24, columns_);
    std::byte* place = bytes.data() + detail::mask_header_bytes;
    for (std::size_t i = 0; i < rows_; ++i) {
        for (std::size_t j = 0; j < row_bytes; ++j)
            *place++ = static_cast<std::byte>(words_[i * row_words_ + j / 8] >> (j % 8 * 8) & 0xffu);
    }
    return bytes;
}

HENCE_INLINE result<mask> mask::from_bytes(std::span<const std::byte> bytes, const std::string& name) {
    if (bytes.size() < detail::mask_header_bytes) {
        return make_error(errc::truncated, concat({name, ": mask header"}), concat({detail::mask_header_bytes, " bytes"}),
                          decimal(bytes.size()));
    }
    if (std::memcmp(bytes.data(), detail::mask_magic, sizeof detail::mask_magic) != 0)
        return make_error(errc::bad_format, name, "a mask file beginning with 'henceMSK'", "other bytes", {}, 0);
    const std::uint64_t version = detail::get_u64(bytes.data() + 8);
    if (version != detail::mask_version) {
        return make_error(errc::unsupported, concat({name, ": version"}), decimal(detail::mask_version),
                          decimal(version), {}, 8);
    }
    const std::uint64_t rows = detail::get_u64(bytes.data() + 16);
    const std::uint64_t columns = detail::get_u64(bytes.data() + 24);
    // The sizes are checked against the bytes that are there before anything of that size is made; a row of no
    // bytes would let any number of rows pass.
    const std::uint64_t row_bytes = columns / 8 + (columns % 8 != 0 ? 1 : 0);
    std::uint64_t expected = 0;
    if ((columns == 0 && rows != 0) || __builtin_mul_overflow(rows, row_bytes, &expected) ||
        expected != bytes.size() - detail::mask_header_bytes) {
        return make_error(
            bytes.size() - detail::mask_header_bytes < expected ? errc::truncated : errc::mismatch, concat({name, ": bits"}),
            concat({rows, " rows of ", columns, " bits (", row_bytes, " bytes each)"}),
            concat({bytes.size() - detail::mask_header_bytes, " bytes"}), {}, detail::mask_header_bytes);
    }
    mask result(static_cast<std::size_t>(rows), static_cast<std::size_t>(columns), false);
    const std::byte* place = bytes.data() + detail::mask_header_bytes;
    for (std::size_t i = 0; i < result.rows_; ++i) {
        for (std::size_t j = 0; j < row_bytes; ++j, ++place)
            result.words_[i * result.row_words_ + j / 8] |= std::to_integer<std::uint64_t>(*place) << (j % 8 * 8);
        if ((result.words_[(i + 1) * result.row_words_ - 1] & ~result.last_word_mask()) != 0) {
            return make_error(errc::bad_format, concat({name, ": row ", i}), "zero bits after the last column",
                              "a bit that is set", {}, static_cast<std::uint64_t>(place - bytes.data() - 1));
        }
    }
    return result;
}

HENCE_INLINE result<void> mask::save(const std::string& path) const {
    HENCE_TRY_ASSIGN(file, atomic_file::create(path));
    HENCE_TRY(file.write(to_bytes()));
    return file.commit();
}

HENCE_INLINE result<mask> mask::load(const std::string& path) {
    HENCE_TRY_ASSIGN(file, mapped_file::open(path));
    return from_bytes(file.bytes(), path);
}

HENCE_NAMESPACE_END

#endif
