// The whole of hence with one include.
//
// Not here, because they cost a dependency or compile time that most programs do without: the rooms
// compress, interop and distributed. Include those by name. Written by ./run format.
#ifndef HENCE_HENCE_HPP
#define HENCE_HENCE_HPP

#include "config.hpp"

#include "core/result.hpp"
#include "core/rng.hpp"
#include "core/scalar.hpp"
#include "core/types.hpp"

#include "tensor/arena.hpp"
#include "tensor/concepts.hpp"
#include "tensor/dtype.hpp"
#include "tensor/extents.hpp"
#include "tensor/layout.hpp"
#include "tensor/packed.hpp"
#include "tensor/tensor.hpp"
#include "tensor/tensor_view.hpp"

#include "sys/atomic_file.hpp"
#include "sys/cpu.hpp"
#include "sys/mapped_file.hpp"
#include "sys/thread_team.hpp"

#include "kernels/attention.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/kv_layout.hpp"
#include "kernels/matmul.hpp"

#include "io/gguf.hpp"
#include "io/gguf_writer.hpp"

#include "text/pretokenizer.hpp"
#include "text/unicode.hpp"

#include "quant/decode.hpp"

#include "cache/page_pool.hpp"
#include "cache/sequence.hpp"
#include "cache/step.hpp"

#include "generate/account.hpp"
#include "generate/budget.hpp"
#include "generate/events.hpp"
#include "generate/reasoning_engine.hpp"
#include "generate/sampling.hpp"

#include "reason/canonical.hpp"
#include "reason/expression.hpp"
#include "reason/rational.hpp"
#include "reason/regex.hpp"

#endif
