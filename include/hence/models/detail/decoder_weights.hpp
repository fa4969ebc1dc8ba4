// The weights of a decoder in memory: packed matrices, small vectors, and the table that embeds tokens.
#ifndef HENCE_MODELS_DETAIL_DECODER_WEIGHTS_HPP
#define HENCE_MODELS_DETAIL_DECODER_WEIGHTS_HPP

#include "../../core/result.hpp"
#include "../../core/types.hpp"
#include "../../kernels/dispatch.hpp"
#include "../../tensor/packed.hpp"
#include "../../text/tokenizer.hpp"
#include "../decoder.hpp"
#include "../decoder_config.hpp"

#include <cstddef>
#include <memory>
#include <memory_resource>
#include <optional>
#include <utility>
#include <vector>

HENCE_NAMESPACE_BEGIN

namespace models::detail {

// 64-byte aligned bytes from a memory resource, uninitialised: packing writes every byte once.
class byte_buffer {
public:
    byte_buffer() = default;
    byte_buffer(std::size_t size, std::pmr::memory_resource* memory)
        : memory_(memory), data_(static_cast<std::byte*>(memory->allocate(size, HENCE_ALIGNMENT))), size_(size) {}
    byte_buffer(byte_buffer&& other) noexcept
        : memory_(other.memory_), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    byte_buffer& operator=(byte_buffer&& other) noexcept {
        std::swap(memory_, other.memory_);
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~byte_buffer() {
        if (data_ != nullptr) memory_->deallocate(data_, size_, HENCE_ALIGNMENT);
    }
    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    std::pmr::memory_resource* memory_ = nullptr;
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

// A matrix with its bias; empty where an architecture has none. Copies share the packed bytes, so that a model with one
// tensor replaced costs one tensor.
struct weight {
    packed_matrix matrix;
    std::vector<float> bias;
    std::shared_ptr<const byte_buffer> storage;  // the block of memory that the matrix lies in, with others
    std::size_t bytes = 0;                       // of that block, for this matrix
    float input_scale = 0.0f;  // of packings i8 and i8_24 with calibrated activations; 0: each row has its own
    std::vector<float> zero_terms;  // of packing::i8 with zero points: zero * scale of each row; else empty
    [[nodiscard]] bool present() const noexcept { return matrix.data != nullptr; }
    [[nodiscard]] const float* bias_or_null() const noexcept { return bias.empty() ? nullptr : bias.data(); }
};

struct norm_weight {
    std::vector<float> scale;
    std::vector<float> bias;
    [[nodiscard]] bool present() const noexcept { return !scale.empty(); }
    [[nodiscard]] const float* scale_or_null() const noexcept { return scale.empty() ? nullptr : scale.data(); }
    [[nodiscard]] const float* bias_or_null() const noexcept { return bias.empty() ? nullptr : bias.data(); }
};

struct layer_weights {
    norm_weight attention_norm, post_attention_norm, feed_forward_norm, post_feed_forward_norm;
    norm_weight query_norm, key_norm;  // per head
    weight query, key, value, output;
    weight gate, up, down;
};

// Rows of a file's tensor, decoded when a token is embedded.
struct row_table {
    dtype type = dtype::f32;
    const std::byte* rows = nullptr;
    std::size_t row_stride_bytes = 0;
    std::size_t columns = 0;
};

}  // namespace models::detail

struct decoder::state {
    state(const kernel_table* table, std::shared_ptr<const void> owner) : kernels(table), file(std::move(owner)) {}

    decoder_config config;
    std::optional<hence::tokenizer> tokenizer;  // there once the model is loaded
    const kernel_table* kernels = nullptr;
    std::shared_ptr<const void> file;  // keeps the mapping that the row tables point into
    models::detail::row_table tokens;
    models::detail::row_table positions;  // learned positions
    models::detail::norm_weight output_norm;
    models::detail::weight head;
    std::vector<models::detail::layer_weights> layers;
    std::vector<float> frequencies;        // of rope: radians per position, one per rotated pair
    std::vector<float> local_frequencies;  // of windowed layers
    bool bf16_activations = false;         // some products take them
    load_options options;                  // as it was loaded, for with_tensors
    bool pruned = false;                   // the same
    bool tied = false;                     // the output matrix is the embedding
    std::size_t weight_bytes = 0;
    std::size_t parameters = 0;
};

HENCE_NAMESPACE_END

#endif
