// mask: which weights of a matrix stay, as an object of its own: built, combined, counted, checked and saved.
//
// A mask is bits and knows nothing of scores or formats: prune/build.hpp makes one from scores, and a layer or a
// packer applies it. Rows are outputs, columns are inputs, as in every weight matrix of the library.
#ifndef HENCE_PRUNE_MASK_HPP
#define HENCE_PRUNE_MASK_HPP

#include "../core/result.hpp"
#include "../core/scalar.hpp"
#include "../tensor/concepts.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// A bit for each weight of a matrix: set means that the weight stays.
class mask {
public:
    /// A mask of 0 x 0.
    mask() = default;

    /// Every weight stays, or (`kept` = false) none.
    /// @shape [rows, columns]
    /// @errors contract: rows * columns overflows std::size_t
    /// @source none
    mask(std::size_t rows, std::size_t columns, bool kept = true);

    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::size_t columns() const noexcept { return columns_; }

    /// Whether one weight stays; unchecked.
    /// @shape row < rows(), column < columns()
    /// @errors none
    /// @source none
    [[nodiscard]] bool operator()(std::size_t row, std::size_t column) const noexcept {
        return (words_[row * row_words_ + column / 64] >> (column % 64) & 1u) != 0;
    }

    /// Keeps or drops one weight.
    /// @shape row < rows(), column < columns()
    /// @errors contract: a place outside the matrix
    /// @source none
    void set(std::size_t row, std::size_t column, bool kept);

    /// How many weights stay.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::size_t count() const noexcept;

    /// How many weights of one row stay.
    /// @shape none
    /// @errors contract: row < rows()
    /// @source none
    [[nodiscard]] std::size_t count_row(std::size_t row) const;

    /// The share of the weights that stay; 1 for an empty matrix.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] double density() const noexcept;

    /// Drops what stays and the reverse.
    /// @shape that of this mask
    /// @errors none
    /// @source none
    [[nodiscard]] mask operator~() const;

    /// What stays in both masks, or in either.
    /// @shape equal sizes
    /// @errors contract: the sizes differ
    /// @source none
    mask& operator&=(const mask& other);
    mask& operator|=(const mask& other);
    [[nodiscard]] friend mask operator&(mask a, const mask& b) { return a &= b; }
    [[nodiscard]] friend mask operator|(mask a, const mask& b) { return a |= b; }
    friend bool operator==(const mask&, const mask&) = default;

    /// Writes zero over every weight that does not stay. A zero there may have been a NaN before.
    /// @shape weights[rows(), columns()]
    /// @errors contract: the sizes differ
    /// @source none
    template <tensor_element T, class Extents, class Layout>
        requires(Extents::rank() == 2)
    void apply(const tensor_view<T, Extents, Layout>& weights) const {
        HENCE_EXPECT(weights.extent(0) == rows_ && weights.extent(1) == columns_, "weights of the mask's sizes");
        for (std::size_t i = 0; i < rows_; ++i) {
            for (std::size_t j = 0; j < columns_; ++j) {
                if (!(*this)(i, j)) weights(i, j) = T{};
            }
        }
    }

    /// The mask that keeps what is not zero. Minus zero is zero.
    /// @shape weights[rows, columns]
    /// @errors none
    /// @source none
    template <class T, class Extents, class Layout>
        requires(Extents::rank() == 2)
    [[nodiscard]] static mask of_nonzero(const tensor_view<T, Extents, Layout>& weights) {
        mask result(weights.extent(0), weights.extent(1), false);
        for (std::size_t i = 0; i < result.rows_; ++i) {
            for (std::size_t j = 0; j < result.columns_; ++j) {
                if (is_nonzero(weights(i, j))) result.set(i, j, true);
            }
        }
        return result;
    }

    /// The mask as bytes: "henceMSK", version, rows, columns (little-endian 64-bit numbers), then for each row
    /// its bits, lowest first, filled up with zeros to a whole byte.
    /// @shape 32 + rows * ceil(columns / 8) bytes
    /// @errors none
    /// @source none
    [[nodiscard]] std::vector<std::byte> to_bytes() const;

    /// The inverse of to_bytes(). `name` is what errors call the input.
    /// @shape none
    /// @errors bad_format (magic, padding bits), unsupported (version), truncated, mismatch (trailing bytes)
    /// @source none
    [[nodiscard]] static result<mask> from_bytes(std::span<const std::byte> bytes,
                                                 const std::string& name = "<memory>");

    /// Writes to_bytes() to a file, completely or not at all.
    /// @shape none
    /// @errors io
    /// @source none
    [[nodiscard]] result<void> save(const std::string& path) const;

    /// Reads what save() wrote.
    /// @shape none
    /// @errors those of from_bytes(); file_not_found, io
    /// @source none
    [[nodiscard]] static result<mask> load(const std::string& path);

private:
    template <class T>
    static bool is_nonzero(T value) noexcept {
        if constexpr (std::is_arithmetic_v<T>) {
            return value != T{};
        } else {
            return !(to_float(value) == 0.0f);
        }
    }

    // Bits past the last column are always 0, so that words can be compared and counted.
    [[nodiscard]] std::uint64_t last_word_mask() const noexcept {
        return columns_ % 64 == 0 ? ~std::uint64_t{0} : (std::uint64_t{1} << (columns_ % 64)) - 1;
    }

    std::size_t rows_ = 0;
    std::size_t columns_ = 0;
    std::size_t row_words_ = 0;
    std::vector<std::uint64_t> words_;
};

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/mask.inl.hpp"
#endif

#endif
