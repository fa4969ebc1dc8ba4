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

// core/log.hpp
enum class log_level : std::uint8_t;
struct log_sink;

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

// core/text.hpp
class message_piece;

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
enum class scale_kind : std::uint8_t;
struct block_form;
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
struct block_sum;
struct activations;
struct matmul_args;

// kernels/sparse.hpp
namespace kernels {
struct sparse_choice;
}  // namespace kernels

// io/file_tensor.hpp
struct file_tensor;

// io/gguf.hpp
enum class gguf_type : std::uint32_t;
struct gguf_entry;
class gguf_file;

// io/gguf_writer.hpp
class gguf_writer;

// io/hf_config.hpp
struct hf_rope_scaling;
struct hf_generation_config;
struct hf_config;

// io/safetensors.hpp
class safetensors_file;
class safetensors_writer;

// text/bpe.hpp
namespace text {
class bpe_model;
}  // namespace text

// text/chat.hpp
struct chat_options;

// text/chat_message.hpp
struct chat_message;

// text/detokenizer.hpp
class streaming_detokenizer;

// text/jinja.hpp
class jinja_value;
struct jinja_time;
struct jinja_options;
class jinja_template;

// text/pattern.hpp
namespace text {
class pattern;
}  // namespace text

// text/pipeline.hpp
namespace text {
class pipeline;
}  // namespace text

// text/pretokenizer.hpp
namespace text {
enum class scanner : std::uint8_t;
class pretokenizer;
}  // namespace text

// text/steps.hpp
namespace text {
struct normalize_step;
enum class split_behavior : std::uint8_t;
struct cut_step;
struct print_step;
}  // namespace text

// text/thinking.hpp
struct thinking_tags;
struct thinking_split;

// text/tokenizer.hpp
struct encode_options;
struct decode_options;
class tokenizer;

// text/tokenizer_json.hpp
struct tokenizer_files;

// text/unicode.hpp
namespace text {
enum class category : std::uint8_t;
struct code_point;
enum class normal_form : std::uint8_t;
}  // namespace text

// text/unigram.hpp
namespace text {
class unigram_model;
class charsmap;
}  // namespace text

// text/vocabulary.hpp
enum class token_type : std::int32_t;
struct added_token;
struct vocabulary;

// text/wordpiece.hpp
namespace text {
class wordpiece_model;
}  // namespace text

// quant/block_grid.hpp
struct block_grid;

// quant/encode.hpp
enum class rounding : std::uint8_t;
struct rounding_options;

// quant/error_report.hpp
class error_report;

// quant/int8_rows.hpp
enum class int8_range : std::uint8_t;
struct int8_scale;

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

// layers/elementwise.hpp
namespace layers {
template <class Row, std::size_t Size>
class row_function;
}  // namespace layers

// layers/evaluator.hpp
namespace layers {
struct evaluator_options;
}  // namespace layers

// layers/feed_forward.hpp
namespace layers {
template <std::size_t Width, std::size_t Inner>
class feed_forward;
template <std::size_t Width, std::size_t Inner>
class gated_feed_forward;
}  // namespace layers

// layers/layer.hpp
namespace layers {
struct layer_options;
}  // namespace layers

// layers/layer_list.hpp
namespace layers {
class any_layer;
class layer_list;
}  // namespace layers

// layers/layer_norm.hpp
namespace layers {
template <std::size_t Size>
class layer_norm;
}  // namespace layers

// layers/linear.hpp
namespace layers {
struct linear_options;
struct stored_weights;
template <std::size_t In, std::size_t Out>
class linear;
}  // namespace layers

// layers/rms_norm.hpp
namespace layers {
template <std::size_t Size>
class rms_norm;
}  // namespace layers

// layers/self_attention.hpp
namespace layers {
struct attention_options;
class attention_cache;
}  // namespace layers

// layers/transformer_block.hpp
namespace layers {
enum class norm_place : std::uint8_t;
}  // namespace layers

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

// models/layer_probe.hpp
enum class layer_input : std::uint8_t;
struct probed_rows;
struct layer_probe;

// models/tensor_source.hpp
class tensor_source;

// generate/account.hpp
struct account;

// generate/branch.hpp
class branch;

// generate/budget.hpp
enum class children : std::uint8_t;
struct cut_position;
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

// generate/generate.hpp
struct generate_options;
struct completion;

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

// reason/adaptive.hpp
struct adaptive;
struct shared_voting;

// reason/adaptive_consistency.hpp
struct adaptive_consistency;

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

// reason/best_of_n.hpp
struct best_of_n;

// reason/budget_forcing.hpp
struct budget_forcing;

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

// reason/deep_confidence.hpp
struct deep_confidence;

// reason/direct.hpp
struct direct;

// reason/diverse_verifier_tree_search.hpp
struct diverse_verifier_tree_search;

// reason/early_stopping_self_consistency.hpp
struct early_stopping_self_consistency;

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

// reason/mixture.hpp
struct acceptance;
template <class... Strategies>
struct fallback_chain;
template <class... Strategies>
struct strategy_mixture;

// reason/monte_carlo_tree_search.hpp
struct monte_carlo_tree_search;

// reason/options.hpp
enum class prompt_format : std::uint8_t;
struct text_piece;
struct reason_options;

// reason/rational.hpp
struct rational;

// reason/rebase.hpp
struct rebase;

// reason/regex.hpp
struct regex_match;
class regex;

// reason/registry.hpp
struct strategy_list;
class any_strategy;

// reason/scripted_engine.hpp
struct scripted_completion;
struct script_reply;
struct scripted_options;
class scripted_branch;
class scripted_engine;

// reason/search_tree.hpp
class search_tree;

// reason/self_consistency.hpp
struct self_consistency;

// reason/self_refine.hpp
struct self_refine;

// reason/step_beam.hpp
struct step_beam;

// reason/stopper.hpp
namespace stop_when {
struct all_voted;
struct decided;
struct beta;
struct dirichlet;
}  // namespace stop_when

// reason/trace.hpp
struct trace;
struct replay_result;

// reason/tree_of_thoughts.hpp
struct tree_of_thoughts;

// reason/verifier.hpp
namespace verify {
struct log_probability;
struct self_certainty;
struct group_confidence;
struct probe;
struct prompt;
struct judge;
struct forced_answer;
struct check;
}  // namespace verify
class verifier;
struct stated_answer;

// reason/votes.hpp
struct vote;
class ballot;

HENCE_NAMESPACE_END

#endif
