// prune: a whole model with weights left out by a pattern: by their size, by what they meet (Wanda) or with the others
// taking up what is lost (SparseGPT).
//
// The result keeps names and shapes. Dense formats hold zeros and load in any engine; the formats that leave zeros out
// (q8_24, q8_48, q4_24) and int8 pairs, which hold them, are hence's own (docs/reference/gguf.md). With a calibration text
// layers are done in order, each measured behind the layers that are already pruned. Needs Eigen; header-only in every form
// of the library.
#ifndef HENCE_COMPRESS_PRUNE_HPP
#define HENCE_COMPRESS_PRUNE_HPP

#include "../core/result.hpp"
#include "../io/gguf.hpp"
#include "../prune/pattern.hpp"
#include "../tensor/dtype.hpp"
#include "calibration.hpp"
#include "compressed_tensor.hpp"
#include "sparsegpt.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN

namespace compress {

/// What says how much a weight matters.
enum class prune_score : std::uint8_t {
    magnitude,  ///< |w|, compared over the whole matrix (N:M: over a group)
    wanda,      ///< |w| times the norm of its input, compared within a row; needs a calibration text
    sparsegpt,  ///< what its row loses, the other weights taking up what they can; needs a calibration text
};

/// What prune() is to do.
struct prune_options {
    mask_pattern pattern{};
    prune_score score = prune_score::magnitude;
    std::optional<dtype>
        type{};  ///< of the pruned matrices: f32, f16, bf16, q8_0, q8_24, q8_48, q4_24 or i8; nothing: the source's
    std::string_view calibration{};  ///< a text of the kind that the model will meet; empty: none
    calibration_options reading{};   ///< how the text is read
    sparsegpt_options compensation{};
    std::vector<std::string> keep{};  ///< names of tensors that stay as they are
    std::map<std::string, double>
        ratios{};     ///< block, unstructured: the share that goes, by tensor, instead of the pattern's
    int threads = 0;  ///< 0: one per processor
    /// Called after each tensor, or null.
    void (*progress)(void* context, std::string_view tensor, std::size_t done, std::size_t total) = nullptr;
    void* context = nullptr;
};

/// What became of one matrix.
struct pruned_tensor : compressed_tensor {
    std::vector<float> scales;  ///< of i8, one for each row: the tensor NAME.scale beside it; else empty
    dtype from = dtype::f32;
    std::size_t bytes_before = 0;
    double sparsity = 0;      ///< the share of zeros in what was written
    double weight_error = 0;  ///< |W - W'| / |W|, Frobenius
    double output_error =
        -1;  ///< |X (W - W')^T| / |X W^T| over the calibration text; below 0: not measured (sparsegpt only)
};

/// The pruned matrices; every other tensor is the source's.
struct pruned_model {
    std::vector<pruned_tensor> tensors;
    std::string pattern;
};

/// Prunes the matrices of a model's layers; the embedding, the output matrix and vectors stay.
/// @shape none
/// @errors mismatch (the pattern does not divide a matrix, or a format its pattern; all of them named), unsupported (a source
///         format that cannot hold zeros, with `type` nothing; matrices of int8), invalid_argument (a score without a
///         calibration text; a name to keep that there is none of), not_a_number (the tensor), those of decoder::from_gguf and calibration
/// @cost memory: the result, and one layer in floats with its statistics
/// @source as prune_score and sparsegpt say
[[nodiscard]] result<pruned_model> prune(const gguf_file& file, const prune_options& options);

/// Writes a pruned model with its source's metadata and "hence.prune.pattern". The file appears complete or not at all.
/// @shape none
/// @errors as gguf_writer
/// @source none
[[nodiscard]] result<void> write(const pruned_model& model, const gguf_file& source, const std::string& path);

/// The same in memory, for load(); the bytes must outlive the loaded model.
/// @shape none
/// @errors as gguf_writer
/// @source none
[[nodiscard]] result<std::vector<std::byte>> to_bytes(const pruned_model& model, const gguf_file& source);

}  // namespace compress

HENCE_NAMESPACE_END

#include "detail/prune.inl.hpp"

#endif
