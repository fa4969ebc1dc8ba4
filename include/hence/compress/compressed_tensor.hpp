// compressed_tensor: one tensor of a compressed model, with its own bytes, ready to be written.
#ifndef HENCE_COMPRESS_COMPRESSED_TENSOR_HPP
#define HENCE_COMPRESS_COMPRESSED_TENSOR_HPP

#include "../config.hpp"
#include "../tensor/dtype.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

HENCE_NAMESPACE_BEGIN

namespace compress {

/// A named tensor: rows of `type` without gaps between them.
struct compressed_tensor {
    std::string name;
    dtype type = dtype::f32;
    std::vector<std::int64_t> shape;  ///< outermost first
    std::vector<std::byte> data;
};

}  // namespace compress

HENCE_NAMESPACE_END

#endif
