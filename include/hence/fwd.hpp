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
struct strided;

// tensor/packed.hpp
enum class packing : std::uint8_t;
enum class activation_format : std::uint8_t;
struct panel_layout;
struct packed_matrix;

// tensor/tensor_view.hpp
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

// text/pretokenizer.hpp
namespace text {
enum class scanner : std::uint8_t;
class pretokenizer;
}  // namespace text

// text/unicode.hpp
namespace text {
enum class category : std::uint8_t;
struct code_point;
}  // namespace text

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

// generate/account.hpp
struct account;

// generate/budget.hpp
struct budget;

// generate/events.hpp
enum class finish_reason : std::uint8_t;
struct until;
struct token_statistics;
enum class event_kind : std::uint8_t;
template <class Branch>
struct branch_event;

// generate/reasoning_engine.hpp
template <class Engine>
class budget_scope;

// generate/sampling.hpp
struct sampling;

// reason/canonical.hpp
struct canonical_form;

// reason/expression.hpp
struct expression_value;

// reason/rational.hpp
struct rational;

// reason/regex.hpp
struct regex_match;
class regex;

HENCE_NAMESPACE_END

#endif
