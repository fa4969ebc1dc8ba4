// quantize: a whole model from floats to block formats or int8, with or without a calibration text.
//
// The result keeps names and shapes, so that it is written beside the source's metadata as an ordinary GGUF file: block
// formats load in other engines, int8 is hence's own pair of tensors (docs/reference/gguf.md). With a calibration text
// layers are done in order, each measured behind the layers that are already quantized. Needs Eigen; header-only in every
// form of the library.
#ifndef HENCE_COMPRESS_QUANTIZE_HPP
#define HENCE_COMPRESS_QUANTIZE_HPP

#include "../core/result.hpp"
#include "../io/gguf.hpp"
#include "../quant/encode.hpp"
#include "../quant/error_report.hpp"
#include "../tensor/dtype.hpp"
#include "calibration.hpp"
#include "compressed_tensor.hpp"
#include "gptq.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN

namespace compress {

/// How weights are rounded.
enum class quantize_method : std::uint8_t {
    nearest,   ///< each format's reference rounding: the bytes that other engines write
    search,    ///< scales for the smallest squared error; with a calibration text, weighted by the inputs
    awq,       ///< search after rescaling channels (compress/rescale.hpp); needs a calibration text
    gptq,      ///< columns take up each other's errors (compress/gptq.hpp); needs a calibration text
    awq_gptq,  ///< both
};

/// What quantize() is to do.
struct quantize_options {
    dtype type = dtype::q8_0;        ///< of the layers' matrices: a block format, f32, f16, bf16; i8: int8 pairs
    dtype embedding = dtype::q8_0;   ///< of the embedding and the output matrix; f32, f16 and bf16 too
    quantize_method method = quantize_method::nearest;
    std::string_view calibration{};  ///< a text of the kind that the model will meet; empty: none
    calibration_options reading{};   ///< how the text is read
    gptq_options compensation{};
    float smooth = 0.0f;             ///< i8: SmoothQuant's strength, 0.5 is usual; 0: none
    bool fixed_activations = false;  ///< i8: activations' scales from the calibration text instead of from each row
    bool asymmetric = false;         ///< i8: each row has a zero point too, for weights that lie to one side of zero
    bool requantize = false;         ///< take tensors that are already in a block format
    std::vector<std::string> keep{}; ///< names of tensors that stay as they are
    int threads = 0;                 ///< 0: one per processor
    /// Called after each tensor, or null.
    void (*progress)(void* context, std::string_view tensor, std::size_t done, std::size_t total) = nullptr;
    void* context = nullptr;
};

/// What became of one tensor of the source.
struct tensor_report {
    std::string name;
    dtype from = dtype::f32;
    dtype to = dtype::f32;
    std::size_t elements = 0;
    std::size_t bytes_before = 0;
    std::size_t bytes_after = 0;
    error_report error;  ///< of the rounding; rescaling comes before it
    std::string note;    ///< why it was not made what was asked for; empty where it was
};

/// A model that can be written or loaded.
struct quantized_model {
    std::vector<compressed_tensor> tensors;
    std::vector<tensor_report> reports;
    bool extended = false;     ///< it has int8 pairs, which only hence reads
    std::uint32_t file_type = 0;  ///< general.file_type, as other engines number them; 0 (mostly f32) too for int8
};

/// Quantizes the matrices of a model; vectors (norms, biases) stay. A matrix whose rows are no whole blocks of the format
/// gets the nearest format that divides them, or stays, and its report says so.
/// @shape none
/// @errors unsupported (a type without an encoder; tensors already in a block format, all of them named), invalid_argument
///         (a method without a calibration text), not_a_number (the tensor), those of decoder::from_gguf and calibration
/// @cost memory: the result, and one layer in floats with its statistics
/// @source none; methods as their headers say
[[nodiscard]] result<quantized_model> quantize(const gguf_file& file, const quantize_options& options);

/// Writes a quantized model with its source's metadata. The file appears complete or not at all.
/// @shape none
/// @errors as gguf_writer
/// @source none
[[nodiscard]] result<void> write(const quantized_model& model, const gguf_file& source, const std::string& path);

/// The same in memory, for load(); the bytes must outlive the loaded model.
/// @shape none
/// @errors as gguf_writer
/// @source none
[[nodiscard]] result<std::vector<std::byte>> to_bytes(const quantized_model& model, const gguf_file& source);

}  // namespace compress

HENCE_NAMESPACE_END

#include "detail/quantize.inl.hpp"

#endif
