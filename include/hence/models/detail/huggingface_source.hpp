// The tensors of a folder under the names that the decoder asks for.
//
// The list of tensors that a configuration calls for is made first: what is not in the files is missing, and
// what is in the files and not on the list is refused, for a weight that nobody reads would change the model silently.
#ifndef HENCE_MODELS_DETAIL_HUGGINGFACE_SOURCE_HPP
#define HENCE_MODELS_DETAIL_HUGGINGFACE_SOURCE_HPP

#include "../../core/quote.hpp"
#include "../../io/safetensors.hpp"
#include "../../quant/decode.hpp"
#include "../tensor_source.hpp"
#include "huggingface_families.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <utility>
#include <vector>

HENCE_NAMESPACE_BEGIN

namespace models::detail {

class hf_source final : public tensor_source {
public:
    hf_source(safetensors_file file, const hf_config& config, const hf_family& family)
        : file_(std::move(file)), config_(config), family_(family) {}

    /// Finds every tensor; call it before the rest.
    result<void> open() {
        choose_root();
        module("token_embd", family_.embedding, false, hf_change::none);
        if (!family_.positions.empty()) module("position_embd", family_.positions, false, hf_change::none);
        for (std::int64_t i = 0; i < config_.num_hidden_layers; ++i) {
            if (first_ && first_->also.size() >= most_complaints) return std::move(*first_);  // no more would be heard
            for (const hf_module& m : family_.layer)
                module("blk." + std::to_string(i) + "." + std::string(m.ours),
                       std::string(family_.layers) + std::to_string(i) + "." + std::string(m.theirs),
                       has_bias(m.bias, config_), m.change);
        }
        module("output_norm", family_.output_norm, has_bias(family_.output_norm_bias, config_), family_.norm_change);
        head();
        refuse_the_rest();
        if (first_) return std::move(*first_);
        return {};
    }

    [[nodiscard]] const std::string& name() const noexcept override { return file_.name(); }
    [[nodiscard]] const file_tensor* find_tensor(std::string_view gguf_name) const noexcept override {
        const auto at = entries_.find(gguf_name);
        return at == entries_.end() ? nullptr : at->second.tensor;
    }
    [[nodiscard]] std::string spelling(std::string_view gguf_name) const override {
        const auto at = entries_.find(gguf_name);
        return at == entries_.end() ? std::string(gguf_name) : at->second.theirs;
    }
    void release_pages(const file_tensor& tensor) const noexcept override {
        if (file_.find_tensor(tensor.name) == &tensor) file_.release_pages(tensor);  // not a changed copy
    }
    [[nodiscard]] std::shared_ptr<const void> owner() const override { return std::make_shared<safetensors_file>(file_); }

    /// Every tensor, by its GGUF name.
    [[nodiscard]] std::vector<std::pair<std::string, const file_tensor*>> all() const {
        std::vector<std::pair<std::string, const file_tensor*>> list;
        for (const auto& [ours, found] : entries_) list.emplace_back(ours, found.tensor);
        return list;
    }

private:
    static constexpr std::size_t most_complaints = 64;
    struct entry {
        std::string theirs;
        const file_tensor* tensor = nullptr;
    };
    struct changed_tensor {
        file_tensor tensor;
        std::vector<std::byte> bytes;
    };

    void complain(error e) {
        if (!first_) first_ = std::move(e);
        else if (first_->also.size() < most_complaints) first_->also.push_back(std::move(e));
    }

    // Whole models, models without their head, and language models inside models of more kinds of input.
    void choose_root() {
        root_ = family_.root;
        for (const std::string& root : {root_, "language_model." + root_, root_ + "language_model.", std::string()})
            if (file_.find_tensor(root + std::string(family_.embedding) + ".weight") != nullptr) {
                root_ = root;
                return;
            }
    }

    void module(const std::string& ours, std::string_view theirs, bool bias, hf_change change) {
        take(ours + ".weight", root_ + std::string(theirs) + ".weight", change);
        if (bias) take(ours + ".bias", root_ + std::string(theirs) + ".bias", hf_change::none);
    }

    void take(const std::string& ours, std::string theirs, hf_change change) {
        entry& made = entries_[ours];
        made.theirs = std::move(theirs);
        const file_tensor* const tensor = file_.find_tensor(made.theirs);
        if (tensor == nullptr)
            return complain(make_error(errc::missing, file_.name(), "this tensor, by config.json", "no such tensor", made.theirs));
        used_.push_back(tensor);
        made.tensor = tensor;
        if (change == hf_change::add_one) made.tensor = add_one(*tensor);
        else if (change == hf_change::transpose) made.tensor = transpose(*tensor);
    }

    // The output matrix is the embedding's, or its own.
    void head() {
        const bool inside = root_.starts_with("language_model.");
        std::string theirs = inside ? "language_model.lm_head.weight" : "lm_head.weight";
        const file_tensor* const tensor = file_.find_tensor(theirs);
        if (!config_.tie_word_embeddings.value_or(false)) return take("output.weight", std::move(theirs), hf_change::none);
        if (tensor != nullptr) used_.push_back(tensor);  // some writers store the shared matrix twice
    }

    // A dimension of 0 or values that are not numbers are left for the loader, which checks shapes and types.
    const file_tensor* add_one(const file_tensor& tensor) {
        const auto count = static_cast<std::size_t>(tensor.elements());
        std::vector<float> values(count);
        if (!decode_row(tensor.type, tensor.data, values)) return &tensor;
        for (float& value : values) value += 1.0f;
        changed_tensor made{tensor, std::vector<std::byte>(count * sizeof(float))};
        std::memcpy(made.bytes.data(), values.data(), made.bytes.size());
        made.tensor.type = dtype::f32;
        return keep(std::move(made));
    }

    const file_tensor* transpose(const file_tensor& tensor) {
        const std::size_t unit = traits(tensor.type).block_bytes;
        if (tensor.shape.size() != 2 || traits(tensor.type).block_elements != 1) return &tensor;
        const auto rows = static_cast<std::size_t>(tensor.shape[0]);
        const auto columns = static_cast<std::size_t>(tensor.shape[1]);
        changed_tensor made{tensor, std::vector<std::byte>(tensor.data.size())};
        constexpr std::size_t tile = 32;
        for (std::size_t r0 = 0; r0 < rows; r0 += tile)
            for (std::size_t c0 = 0; c0 < columns; c0 += tile)
                for (std::size_t r = r0; r < std::min(rows, r0 + tile); ++r)
                    for (std::size_t c = c0; c < std::min(columns, c0 + tile); ++c)
                        std::memcpy(made.bytes.data() + (c * rows + r) * unit, tensor.data.data() + (r * columns + c) * unit, unit);
        std::swap(made.tensor.shape[0], made.tensor.shape[1]);
        return keep(std::move(made));
    }

    const file_tensor* keep(changed_tensor made) {
        auto held = std::make_unique<changed_tensor>(std::move(made));
        held->tensor.data = held->bytes;
        changed_.push_back(std::move(held));
        return &changed_.back()->tensor;
    }

    // Tables that follow from the configuration, and the parts of a model that see pictures.
    [[nodiscard]] static bool ignorable(std::string_view name) {
        return name.ends_with(".rotary_emb.inv_freq") || name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias") ||
               name.starts_with("vision_tower.") || name.starts_with("multi_modal_projector.") ||
               name.starts_with("model.vision_tower.") || name.starts_with("model.multi_modal_projector.");
    }

    void refuse_the_rest() {
        std::sort(used_.begin(), used_.end());
        for (const file_tensor& tensor : file_.tensors())
            if (!ignorable(tensor.name) && !std::binary_search(used_.begin(), used_.end(), &tensor))
                complain(make_error(errc::unsupported, file_.name(), "only tensors that config.json calls for",
                                    "one that nothing would read", tensor.name, tensor.file_offset));
    }

    safetensors_file file_;
    const hf_config& config_;
    const hf_family& family_;
    std::string root_;
    std::map<std::string, entry, std::less<>> entries_;
    std::vector<const file_tensor*> used_;
    std::vector<std::unique_ptr<changed_tensor>> changed_;
    std::optional<error> first_;
};

}  // namespace models::detail

HENCE_NAMESPACE_END

#endif
