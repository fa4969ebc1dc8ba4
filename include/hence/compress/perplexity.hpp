// perplexity: how well a model predicts a text.
//
// The text is cut into windows of one context each; every window is read from nothing (with the begin token, where the
// vocabulary asks for one) and scored from its second token on, natural logarithms. `hence perplexity` prints the same.
#ifndef HENCE_COMPRESS_PERPLEXITY_HPP
#define HENCE_COMPRESS_PERPLEXITY_HPP

#include "../core/result.hpp"
#include "../models/decoder.hpp"

#include <cstddef>
#include <string_view>

HENCE_NAMESPACE_BEGIN

namespace compress {

/// How a text is read, and in which cache.
struct perplexity_options {
    std::size_t window = 0;      ///< tokens of a window; 0: the model's context
    std::size_t max_tokens = 0;  ///< of the text; 0: all
    int threads = 0;             ///< 0: one per processor
    dtype kv = dtype::f32;       ///< how keys and values are stored
};

/// What perplexity() found.
struct perplexity_score {
    double mean_negative_log_likelihood = 0;  ///< per scored token
    double perplexity = 0;                    ///< its exponential
    std::size_t tokens = 0;                   ///< that were scored
    std::size_t windows = 0;
};

/// @shape none
/// @errors out_of_range (a window longer than the context), invalid_argument (a text of fewer than two tokens),
///         not_a_number (logits that are not finite), those of tokenizer::encode and of the cache's memory
/// @source none
[[nodiscard]] result<perplexity_score> perplexity(const decoder& model, std::string_view text,
                                                  const perplexity_options& options = {});

}  // namespace compress

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/perplexity.inl.hpp"
#endif

#endif
