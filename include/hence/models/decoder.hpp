// decoder: a frozen causal language model. The one forward kernel that everything else calls.
//
// A decoder is a cheap handle: copies share the same constant weights, and any number of engines and threads may use
// them at once. It reads its shape from a decoder_config and knows no architecture by name. It satisfies causal_lm.
#ifndef HENCE_MODELS_DECODER_HPP
#define HENCE_MODELS_DECODER_HPP

#include "../cache/step.hpp"
#include "../core/log.hpp"
#include "../core/result.hpp"
#include "../io/gguf.hpp"
#include "../sys/cpu.hpp"
#include "../sys/thread_team.hpp"
#include "../text/tokenizer.hpp"
#include "decoder_config.hpp"
#include "layer_probe.hpp"
#include "tensor_source.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>

HENCE_NAMESPACE_BEGIN

/// In which arithmetic a model runs.
enum class math : std::uint8_t {
    f32,          ///< f32, f16 and bf16 weights with float activations; quantized weights with 8-bit activations
    bf16,         ///< as f32, but the activations that meet bf16 weights are rounded to bf16 too (f16 weights keep floats:
                  ///< bf16 would be eight times less exact than they are)
    dequantized,  ///< every weight expanded to float32 at load: the slow reference
};

/// How to load a model.
struct load_options {
    std::optional<isa> tier;  ///< kernels to use; nothing: HENCE_ISA, else the fastest the machine has
    hence::math math = hence::math::f32;
    int threads = 0;  ///< workers that pack weights; 0: one per processor
    std::pmr::memory_resource* memory = nullptr;  ///< for the packed weights; null: the default resource
    log_sink log = {};   ///< hears what was loaded and which formats have no kernel
};

/// A causal decoder with its tokenizer.
/// @threads const throughout: share one among any number of engines and threads
class decoder {
public:
    /// Buffers for the steps of one engine; see make_workspace.
    class workspace;

    /// Loads the weights, packs them for the kernels of this machine and checks every tensor's shape. The file's
    /// mapping (or, for a file in memory, the caller's bytes) must stay alive as long as any copy: the mapping is
    /// shared automatically.
    /// @shape none
    /// @errors unsupported architecture, missing or misshapen tensors (all of them), a tokenizer that cannot be built
    /// @source none
    [[nodiscard]] static result<decoder> from_gguf(const gguf_file& file, const load_options& options = {});

    /// The same from any source of tensors: `config` as read from it (its vocabulary is the embedding's number of
    /// rows), `words` its tokenizer.
    /// @shape none
    /// @errors as from_gguf, without those of the configuration
    /// @source none
    [[nodiscard]] static result<decoder> from_tensors(const tensor_source& source, decoder_config config,
                                                      hence::vocabulary words, const load_options& options = {});

    /// A model with some tensors replaced; everything else is shared with this one. Names are those of
    /// GGUF ("blk.0.attn_q.weight"), formats may differ, shapes may not. An i8 matrix comes with its NAME.scale.
    /// @shape each as in the file
    /// @errors invalid_argument (a name that the model does not have), mismatch (another shape), missing (a scale)
    /// @cost packs what is replaced
    /// @lifetime the data of a replaced embedding must outlive every copy of the result; other data is packed
    /// @source none
    [[nodiscard]] result<decoder> with_tensors(std::span<const file_tensor> tensors) const;

    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] const decoder_config& config() const noexcept;
    [[nodiscard]] const hence::tokenizer& tokenizer() const noexcept;
    [[nodiscard]] std::size_t vocabulary_size() const noexcept;
    [[nodiscard]] std::size_t context_length() const noexcept;
    [[nodiscard]] isa tier() const noexcept;        ///< the kernels it runs
    [[nodiscard]] std::size_t weight_bytes() const noexcept;  ///< packed weights in memory
    [[nodiscard]] std::size_t parameters() const noexcept;    ///< values in all weight tensors of the file

    /// The cache that this model needs, with keys and values stored as `type` (f32, f16, bf16 or i8).
    /// @shape none
    /// @errors contract: type is one of these
    /// @source none
    [[nodiscard]] kv_layout cache_layout(dtype type = dtype::f32) const noexcept;

    /// Reserves everything that steps up to the given size will use.
    /// @shape none
    /// @errors contract: sizes are positive
    /// @source none
    [[nodiscard]] workspace make_workspace(const workspace_options& options) const;

    /// Runs one step: reads and writes the pages of its sequences and writes the logits asked for. A row's result
    /// never depends on the other rows, the threads or the size of the step.
    /// @shape as step says; at most the workspace's rows and logits
    /// @errors none (noexcept): the engine has checked tokens, positions and pages
    /// @threads one step at a time per workspace; allocates nothing
    /// @source none
    void forward(const step& what, workspace& buffers, thread_team& team) const noexcept;

private:
    struct state;
    struct pass;
    explicit decoder(std::shared_ptr<const state> s) noexcept : state_(std::move(s)) {}
    std::shared_ptr<const state> state_;
};

/// Movable; belongs to one engine.
class decoder::workspace {
public:
    workspace(workspace&&) noexcept;
    workspace& operator=(workspace&&) noexcept;
    ~workspace();

    /// @shape none
    /// @units bytes
    /// @errors none
    /// @source none
    [[nodiscard]] std::size_t bytes() const noexcept;

    /// Lets a probe look into the steps that follow; null ends that. The probe must outlive those steps.
    /// @shape none
    /// @errors none
    /// @source none
    void attach(const layer_probe* probe) noexcept;

private:
    friend class decoder;
    struct operands;
    struct buffers;
    explicit workspace(std::unique_ptr<buffers> b) noexcept;
    std::unique_ptr<buffers> buffers_;
};

/// Opens a model and loads it: a GGUF file, the first file of a split set, or a folder as training frameworks write
/// it (config.json, safetensors, tokenizer.json; also a folder that holds one GGUF model). Header-only programs that
/// open folders include models/huggingface.hpp too; with hence::compiled there is nothing to include.
/// @shape none
/// @errors as gguf_file::open and decoder::from_gguf; for folders as load_folder
/// @source none
[[nodiscard]] result<decoder> load(const std::string& path, const load_options& options = {});

/// Loads a folder, or the folder of a .safetensors or .json file; see models/huggingface.hpp. Header-only it is
/// there only where a file of the program includes that header, which is why load() can find it absent: reading JSON
/// costs seconds of compile time that a program which opens GGUF files alone need not spend.
/// @shape none
/// @errors see models/huggingface.hpp
/// @source none
HENCE_OPTIONAL result<decoder> load_folder(const std::string& path, const load_options& options);

/// Loads a model from memory, for example a file embedded in the program.
/// @shape none
/// @errors as above
/// @lifetime the bytes must outlive every copy of the decoder
/// @source none
[[nodiscard]] result<decoder> load(std::span<const std::byte> bytes, const load_options& options = {});

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/decoder.inl.hpp"
#endif

#endif
