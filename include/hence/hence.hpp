// The whole of hence with one include.
//
// Not here, because they cost a dependency or compile time that most programs do without: the rooms
// compress, interop and distributed. Include those by name. Written by ./run format.
#ifndef HENCE_HENCE_HPP
#define HENCE_HENCE_HPP

#include "config.hpp"

#include "core/json.hpp"
#include "core/quote.hpp"
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
#include "kernels/pack.hpp"

#include "io/gguf.hpp"
#include "io/gguf_writer.hpp"

#include "text/bpe.hpp"
#include "text/chat.hpp"
#include "text/detokenizer.hpp"
#include "text/pretokenizer.hpp"
#include "text/tokenizer.hpp"
#include "text/unicode.hpp"
#include "text/vocabulary.hpp"

#include "quant/decode.hpp"

#include "prune/mask.hpp"
#include "prune/pattern.hpp"

#include "cache/page_pool.hpp"
#include "cache/sequence.hpp"
#include "cache/step.hpp"

#include "models/architectures.hpp"
#include "models/decoder.hpp"
#include "models/decoder_config.hpp"
#include "models/vocabulary_from_gguf.hpp"

#include "generate/account.hpp"
#include "generate/branch.hpp"
#include "generate/budget.hpp"
#include "generate/causal_lm.hpp"
#include "generate/engine.hpp"
#include "generate/events.hpp"
#include "generate/reasoning_engine.hpp"
#include "generate/sampler.hpp"
#include "generate/sampling.hpp"
#include "generate/stop.hpp"

#include "reason/aggregator.hpp"
#include "reason/answer.hpp"
#include "reason/canonical.hpp"
#include "reason/chain_of_thought.hpp"
#include "reason/concepts.hpp"
#include "reason/context.hpp"
#include "reason/direct.hpp"
#include "reason/expression.hpp"
#include "reason/extractor.hpp"
#include "reason/options.hpp"
#include "reason/rational.hpp"
#include "reason/reason.hpp"
#include "reason/regex.hpp"
#include "reason/scripted_engine.hpp"
#include "reason/search_tree.hpp"
#include "reason/self_consistency.hpp"
#include "reason/statistics.hpp"
#include "reason/stopper.hpp"
#include "reason/verifier.hpp"
#include "reason/votes.hpp"

#endif
