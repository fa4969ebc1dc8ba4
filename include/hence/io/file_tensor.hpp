// file_tensor: a named tensor as a model file stores it, whatever the kind of file.
#ifndef HENCE_IO_FILE_TENSOR_HPP
#define HENCE_IO_FILE_TENSOR_HPP

#include "../config.hpp"
#include "../tensor/dtype.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// One tensor of an opened file; valid while that file is open.
struct file_tensor {
    std::string name;
    dtype type = dtype::f32;
    std::vector<std::int64_t> shape;  ///< outermost first: rows, columns
    std::uint64_t file_offset = 0;    ///< from the beginning of its file
    std::uint32_t part = 0;           ///< which file of a split set, from 0
    std::span<const std::byte> data;  ///< rows without gaps; aligned only as far as the file is

    /// The number of elements: the product of the shape (checked to fit when the file was opened).
    /// @shape  none
    /// @errors none
    /// @source none
    [[nodiscard]] std::int64_t elements() const noexcept {
        std::int64_t product = 1;
        for (const std::int64_t extent : shape) product *= extent;
        return product;
    }
};

HENCE_NAMESPACE_END

#endif
