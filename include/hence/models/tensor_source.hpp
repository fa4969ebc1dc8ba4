// tensor_source: where a decoder's weights come from, whatever the kind of file.
//
// Tensors are asked for by the names that GGUF gives them (blk.0.attn_q.weight); a source of another kind
// translates, and says in its errors what the file itself calls them. A source lives while a decoder is loaded;
// what the decoder keeps reading afterwards is held by owner().
#ifndef HENCE_MODELS_TENSOR_SOURCE_HPP
#define HENCE_MODELS_TENSOR_SOURCE_HPP

#include "../config.hpp"
#include "../io/file_tensor.hpp"

#include <memory>
#include <string>
#include <string_view>

HENCE_NAMESPACE_BEGIN

/// @threads const throughout: workers read tensors side by side
class tensor_source {
public:
    virtual ~tensor_source() = default;

    /// What errors call it: the path of a file or folder.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] virtual const std::string& name() const noexcept = 0;

    /// The tensor with this GGUF name, or nullptr.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] virtual const file_tensor* find_tensor(std::string_view gguf_name) const noexcept = 0;

    /// What the file itself calls the tensor with this GGUF name.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] virtual std::string spelling(std::string_view gguf_name) const { return std::string(gguf_name); }

    /// Whether some weights were left out (set to zero) on purpose: then a loader looks for the zeros.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] virtual bool pruned() const noexcept { return false; }

    /// Tells that this tensor was packed and its pages are not needed for now; they stay readable.
    /// @shape none
    /// @errors none
    /// @source none
    virtual void release_pages(const file_tensor& tensor) const noexcept = 0;

    /// Keeps alive what token_embd.weight and position_embd.weight point into; null where the caller does.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] virtual std::shared_ptr<const void> owner() const = 0;
};

namespace models::detail {

// "NAME.weight" to "NAME.scale": the tensor that stands beside an int8 matrix.
inline std::string beside(std::string_view weight_name, std::string_view suffix) {
    std::string name(weight_name.substr(0, weight_name.size() - std::string_view("weight").size()));
    return name.append(suffix);
}

}  // namespace models::detail

HENCE_NAMESPACE_END

#endif
