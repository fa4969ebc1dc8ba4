// shrink: structured pruning. Heads, feed-forward channels or whole layers go, and a smaller ordinary model is left, which
// any engine runs faster without knowing how it was made.
#ifndef HENCE_COMPRESS_SHRINK_HPP
#define HENCE_COMPRESS_SHRINK_HPP

#include "../core/result.hpp"
#include "../io/gguf.hpp"
#include "../tensor/dtype.hpp"
#include "compressed_tensor.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

HENCE_NAMESPACE_BEGIN

namespace compress {

/// What goes.
enum class shrink_kind : std::uint8_t {
    heads,  ///< `count` key-value heads of each layer with the query heads that read them: those of the smallest weights
    channels,  ///< `share` of each layer's feed-forward channels, a multiple of 32 staying: those of the smallest weights
    layers,    ///< `count` layers before the last one
};

/// How much of it.
struct shrink_request {
    shrink_kind kind = shrink_kind::channels;
    std::size_t count = 0;
    double share = 0;
};

/// Reads "heads:1", "channels:0.25", "layers:4"; nothing for any other text.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] std::optional<shrink_request> parse_shrink(std::string_view text) noexcept;

/// What shrink() is to do.
struct shrink_options {
    shrink_request what{};
    std::optional<dtype>
        type{};  ///< of matrices that lose columns: what quant/encode.hpp writes; nothing: the source's
};

/// The smaller model: all its tensors, and the metadata that says its sizes.
struct shrunk_model {
    std::vector<compressed_tensor> tensors;
    std::vector<std::pair<std::string, std::uint32_t>> sizes;
    std::size_t parameters_before = 0;
    std::size_t parameters_after = 0;
};

/// @shape none
/// @errors out_of_range (more than there is, or all of it), unsupported (an architecture with fused matrices or a pattern of
///         windowed layers; a format without an encoder), those of models::read_config and of encode_row
/// @source layers: Gromov et al., 2024, 2403.17887 (the similarity-free rule: deep layers but the last); heads and channels by
///         the Frobenius norm of their weights, as Li et al., 2016, 1608.08710 do for filters
[[nodiscard]] result<shrunk_model> shrink(const gguf_file& file, const shrink_options& options);

/// Writes a smaller model with its source's other metadata. The file appears complete or not at all.
/// @shape none
/// @errors as gguf_writer
/// @source none
[[nodiscard]] result<void> write(const shrunk_model& model, const gguf_file& source, const std::string& path);

/// The same in memory, for load(); the bytes must outlive the loaded model.
/// @shape none
/// @errors as gguf_writer
/// @source none
[[nodiscard]] result<std::vector<std::byte>> to_bytes(const shrunk_model& model, const gguf_file& source);

}  // namespace compress

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/shrink.inl.hpp"
#endif

#endif
