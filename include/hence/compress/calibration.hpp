// calibration: what the matrices of a decoder read while it reads a text.
//
// One layer at a time: the text's residual stream is kept between layers, so that memory is that of the stream and of one
// layer's statistics, and a layer's inputs can be those of a model whose earlier layers are already compressed. How the
// statistics are used is the business of others (quantization, pruning).
#ifndef HENCE_COMPRESS_CALIBRATION_HPP
#define HENCE_COMPRESS_CALIBRATION_HPP

#include "../core/result.hpp"
#include "../models/decoder.hpp"
#include "../models/layer_probe.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN

namespace compress {

/// How a text is read.
struct calibration_options {
    std::size_t window = 0;      ///< tokens read together from nothing; 0: the model's context, at most 512
    std::size_t max_tokens = 0;  ///< of the text; 0: all
    int threads = 0;             ///< 0: one per processor
};

/// The rows x[t, k] that one product read.
struct input_statistics {
    std::size_t rows = 0;                 ///< t
    std::size_t width = 0;                ///< k
    std::vector<double> sum_squares;      ///< [k]: the sum of x^2
    std::vector<float> absolute_maximum;  ///< [k]: the maximum of |x|
    std::vector<double> gram;             ///< [k][k]: X^T X, the Hessian of a squared error; empty unless asked for
};

/// One layer's inputs, by layer_input. Of the head's turn only that one has rows.
struct layer_statistics {
    std::int32_t layer = 0;
    std::array<input_statistics, layer_input_count> inputs;

    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] const input_statistics& of(layer_input input) const noexcept {
        return inputs[static_cast<std::size_t>(input)];
    }
};

/// What a matrix of a decoder reads.
struct matrix_place {
    std::int32_t layer = 0;  ///< -1: the head, after the last layer
    layer_input input = layer_input::attention;
};

/// The input of the matrix with this name in a file ("blk.3.attn_q.weight"), or nothing for what is no matrix of a layer.
/// "output.weight" is the head; "token_embd.weight" is too in a model without one, which the caller knows.
/// @shape none
/// @errors none
/// @source the GGUF naming of tensors
[[nodiscard]] std::optional<matrix_place> place_of(std::string_view tensor_name) noexcept;

/// A text on its way through the layers. Movable; used by one thread at a time.
class calibration {
public:
    /// Cuts the text into windows. The model says how; any model of the same shape and tokenizer may run the layers.
    /// @shape none
    /// @errors out_of_range (a window longer than the context), invalid_argument (a text shorter than one window), those
    ///         of tokenizer::encode and of the cache's memory
    /// @cost memory: tokens x width floats, and the cache of one window
    /// @source none
    [[nodiscard]] static result<calibration> make(const decoder& model, std::string_view text,
                                                  const calibration_options& options = {});
    calibration(calibration&&) noexcept;
    calibration& operator=(calibration&&) noexcept;
    ~calibration();

    [[nodiscard]] std::size_t tokens() const noexcept;
    [[nodiscard]] std::size_t windows() const noexcept;
    /// The layer whose turn it is; after the last one, the number of layers: the head's turn.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::int32_t layer() const noexcept;

    /// Statistics of the current layer's inputs in `model`; the text stays where it is.
    /// @shape gram: k x k of each input where asked for
    /// @errors not_a_number: an input that is not finite
    /// @cost one layer over the text; the gram matrices t k^2 / 2 multiply-adds each
    /// @source none
    [[nodiscard]] result<layer_statistics> capture(const decoder& model, bool gram = false);

    /// Takes the text through the current layer of `model`, on to the next one.
    /// @shape none
    /// @errors contract: it is not the head's turn
    /// @source none
    void advance(const decoder& model);

    /// capture() and advance() in one pass: for statistics of a model as it is.
    /// @shape as capture
    /// @errors as capture; the head's turn does not pass
    /// @source none
    [[nodiscard]] result<layer_statistics> capture_and_advance(const decoder& model, bool gram = false);

private:
    struct state;
    explicit calibration(std::unique_ptr<state> s) noexcept;
    result<layer_statistics> run(const decoder& model, bool see, bool gram, bool advance);
    std::unique_ptr<state> state_;
};

}  // namespace compress

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/calibration.inl.hpp"
#endif

#endif
