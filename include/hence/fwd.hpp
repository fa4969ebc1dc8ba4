// Declares hence's public types, for headers that only name them.
//
// Templates whose parameters are constrained by a concept are left out: a declaration would need the
// concept, so include their own header. Written by ./run format.
#ifndef HENCE_FWD_HPP
#define HENCE_FWD_HPP

#include "config.hpp"

#include <cstddef>
#include <cstdint>

HENCE_NAMESPACE_BEGIN

// core/json.hpp
struct json_limits;

// core/result.hpp
enum class errc : std::uint8_t;
struct error;
#if HENCE_EXCEPTIONS
class exception;
#endif
template <class T>
class result;

// core/rng.hpp
struct counter_rng;

// core/scalar.hpp
struct f16;
struct bf16;

// tensor/arena.hpp
class scratch;
class arena;

// tensor/dtype.hpp
enum class dtype : std::uint8_t;
struct dtype_traits;

// tensor/extents.hpp
template <std::size_t... Sizes>
class extents;

// tensor/layout.hpp
struct row_major;
struct column_major;
struct padded_row_major;
struct strided;

// tensor/packed.hpp
enum class packing : std::uint8_t;
enum class activation_format : std::uint8_t;
struct panel_layout;
struct packed_matrix;

// tensor/tensor.hpp
struct uninitialized_t;

// tensor/tensor_view.hpp
struct all_indices;
struct slice;
template <std::size_t Count>
struct fixed_slice;

// sys/atomic_file.hpp
class atomic_file;

// sys/cpu.hpp
enum class isa : std::uint8_t;

// sys/mapped_file.hpp
class mapped_file;

// sys/thread_team.hpp
struct index_range;
class spin_barrier;
struct worker;
class thread_team;
class serial_team;
class spin_team;

// kernels/attention.hpp
struct attention_row;
struct attention_args;

// kernels/dispatch.hpp
enum class rope_style : std::uint8_t;
enum class activation : std::uint8_t;
struct kernel_table;

// kernels/kv_layout.hpp
struct kv_layout;

// kernels/matmul.hpp
struct activations;
struct matmul_args;

// io/gguf.hpp
enum class gguf_type : std::uint32_t;
struct gguf_entry;
struct gguf_tensor;
class gguf_file;

// io/gguf_writer.hpp
class gguf_writer;

// text/bpe.hpp
namespace text {
class bpe_model;
}  // namespace text

// text/chat.hpp
struct chat_message;

// text/detokenizer.hpp
class streaming_detokenizer;

// text/pretokenizer.hpp
namespace text {
enum class scanner : std::uint8_t;
class pretokenizer;
}  // namespace text

// text/tokenizer.hpp
struct encode_options;
struct decode_options;
class tokenizer;

// text/unicode.hpp
namespace text {
enum class category : std::uint8_t;
struct code_point;
enum class normal_form : std::uint8_t;
}  // namespace text

// text/vocabulary.hpp
enum class token_type : std::int32_t;
struct added_token;
struct vocabulary;

// prune/mask.hpp
class mask;

// prune/pattern.hpp
enum class pattern_kind : std::uint8_t;
enum class pattern_scope : std::uint8_t;
struct mask_pattern;

// cache/page_pool.hpp
struct page_pool_options;
class page_pool;

// cache/sequence.hpp
class kv_sequence;

// cache/step.hpp
struct step_row;
struct page_table;
struct step;
struct workspace_options;

// models/architectures.hpp
struct architecture;

// models/decoder.hpp
enum class math : std::uint8_t;
struct load_options;
class decoder;

// models/decoder_config.hpp
enum class norm_kind : std::uint8_t;
struct rope_config;
struct decoder_config;

// generate/account.hpp
struct account;

// generate/branch.hpp
class branch;

// generate/budget.hpp
enum class children : std::uint8_t;
struct budget;

// generate/engine.hpp
struct engine_options;
class engine_base;

// generate/events.hpp
enum class finish_reason : std::uint8_t;
struct until;
struct token_statistics;
enum class event_kind : std::uint8_t;
template <class Branch>
struct branch_event;
enum class encode_as : std::uint8_t;

// generate/reasoning_engine.hpp
template <class Engine>
class budget_scope;

// generate/sampler.hpp
struct draw_request;
enum class draw_status : std::uint8_t;
struct drawn;
class sampler;

// generate/sampling.hpp
struct sampling;

// generate/stop.hpp
class stop_matcher;

// reason/aggregator.hpp
namespace aggregate {
struct majority;
struct weighted;
struct confidence_informed;
struct borda;
struct best;
}  // namespace aggregate
enum class vote_rule : std::uint8_t;

// reason/answer.hpp
struct candidate;
struct trace_node;
struct answer;

// reason/canonical.hpp
struct canonical_form;

// reason/chain_of_thought.hpp
struct worked_example;
struct chain_of_thought;

// reason/concepts.hpp
template <class Engine>
struct scored_branch;

// reason/context.hpp
struct prompt_parts;

// reason/direct.hpp
struct direct;

// reason/expression.hpp
struct expression_value;

// reason/extractor.hpp
namespace extract {
struct last_number;
struct after_marker;
struct choice;
struct boxed;
struct matching;
struct last_line;
struct whole_text;
struct automatic;
}  // namespace extract
class any_extractor;

// reason/options.hpp
enum class prompt_format : std::uint8_t;
struct text_piece;
struct reason_options;

// reason/rational.hpp
struct rational;

// reason/regex.hpp
struct regex_match;
class regex;

// reason/scripted_engine.hpp
struct completion;
struct script_reply;
struct scripted_options;
class scripted_branch;
class scripted_engine;

// reason/search_tree.hpp
class search_tree;

// reason/self_consistency.hpp
struct self_consistency;

// reason/stopper.hpp
namespace stop_when {
struct all_voted;
struct decided;
struct beta;
struct dirichlet;
}  // namespace stop_when

// reason/verifier.hpp
namespace verify {
struct log_probability;
struct self_certainty;
struct group_confidence;
struct probe;
struct prompt;
struct check;
}  // namespace verify
class verifier;

// reason/votes.hpp
struct vote;
class ballot;

HENCE_NAMESPACE_END

#endif
