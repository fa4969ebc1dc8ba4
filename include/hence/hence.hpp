// hence with one include: everything, or in a header-only program everything but the optional headers.
//
// Those are in everything.hpp: chat templates, Hugging Face folders, pruning masks and others whose definitions
// most programs need not compile. Outside both are the rooms compress, interop and distributed. Written by
// ./run format.
#ifndef HENCE_HENCE_HPP
#define HENCE_HENCE_HPP

#include "config.hpp"

#include "core/quote.hpp"
#include "core/result.hpp"
#include "core/rng.hpp"
#include "core/scalar.hpp"
#include "core/text.hpp"
#include "core/types.hpp"

#include "tensor/arena.hpp"
#include "tensor/concepts.hpp"
#include "tensor/dtype.hpp"
#include "tensor/extents.hpp"
#include "tensor/layout.hpp"
#include "tensor/packed.hpp"
#include "tensor/tensor.hpp"
#include "tensor/tensor_view.hpp"

#include "sys/cpu.hpp"
#include "sys/mapped_file.hpp"
#include "sys/thread_team.hpp"

#include "kernels/attention.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/kv_layout.hpp"
#include "kernels/matmul.hpp"
#include "kernels/pack.hpp"
#include "kernels/sparse.hpp"

#include "io/file_tensor.hpp"
#include "io/gguf.hpp"

#include "text/bpe.hpp"
#include "text/chat_message.hpp"
#include "text/detokenizer.hpp"
#include "text/pretokenizer.hpp"
#include "text/steps.hpp"
#include "text/thinking.hpp"
#include "text/tokenizer.hpp"
#include "text/unicode.hpp"
#include "text/unigram.hpp"
#include "text/vocabulary.hpp"
#include "text/wordpiece.hpp"

#include "quant/decode.hpp"

#include "cache/page_pool.hpp"
#include "cache/sequence.hpp"
#include "cache/step.hpp"

#include "layers/elementwise.hpp"
#include "layers/embedding.hpp"
#include "layers/evaluator.hpp"
#include "layers/feed_forward.hpp"
#include "layers/layer.hpp"
#include "layers/layer_list.hpp"
#include "layers/layer_norm.hpp"
#include "layers/linear.hpp"
#include "layers/residual.hpp"
#include "layers/rms_norm.hpp"
#include "layers/self_attention.hpp"
#include "layers/sequential.hpp"
#include "layers/transformer_block.hpp"

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
#include "generate/generate.hpp"
#include "generate/reasoning_engine.hpp"
#include "generate/sampler.hpp"
#include "generate/sampling.hpp"
#include "generate/stop.hpp"

#include "reason/adaptive.hpp"
#include "reason/adaptive_consistency.hpp"
#include "reason/aggregator.hpp"
#include "reason/answer.hpp"
#include "reason/best_of_n.hpp"
#include "reason/budget_forcing.hpp"
#include "reason/canonical.hpp"
#include "reason/chain_of_thought.hpp"
#include "reason/concepts.hpp"
#include "reason/context.hpp"
#include "reason/deep_confidence.hpp"
#include "reason/direct.hpp"
#include "reason/diverse_verifier_tree_search.hpp"
#include "reason/early_stopping_self_consistency.hpp"
#include "reason/expression.hpp"
#include "reason/extractor.hpp"
#include "reason/mixture.hpp"
#include "reason/monte_carlo_tree_search.hpp"
#include "reason/options.hpp"
#include "reason/rational.hpp"
#include "reason/reason.hpp"
#include "reason/rebase.hpp"
#include "reason/regex.hpp"
#include "reason/search_tree.hpp"
#include "reason/self_consistency.hpp"
#include "reason/self_refine.hpp"
#include "reason/statistics.hpp"
#include "reason/step_beam.hpp"
#include "reason/stopper.hpp"
#include "reason/strategies.hpp"
#include "reason/tree_of_thoughts.hpp"
#include "reason/verifier.hpp"
#include "reason/votes.hpp"

#if defined(HENCE_COMPILED)
#include "everything.hpp"
#endif

#endif
