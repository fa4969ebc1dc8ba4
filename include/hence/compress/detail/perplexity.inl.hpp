// Definitions of compress/perplexity.hpp.
#ifndef HENCE_COMPRESS_DETAIL_PERPLEXITY_INL_HPP
#define HENCE_COMPRESS_DETAIL_PERPLEXITY_INL_HPP

#include "../perplexity.hpp"
#include "text_runner.hpp"

#include <algorithm>
#include <cmath>

HENCE_NAMESPACE_BEGIN

namespace compress {

namespace detail {

inline double log_sum_exp(std::span<const float> logits) noexcept {
    const double most = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
    double sum = 0;
    for (const float value : logits) sum += std::exp(static_cast<double>(value) - most);
    return most + std::log(sum);
}

}  // namespace detail

HENCE_INLINE result<perplexity_score> perplexity(const decoder& model, std::string_view text, const perplexity_options& options) {
    const std::size_t window = options.window > 0 ? options.window : model.context_length();
    HENCE_TRY_ASSIGN(prepared, detail::prepare(model, text, window, options.max_tokens));
    if (prepared.windows.empty())
        return make_error(errc::invalid_argument, "perplexity", "a text of at least two tokens", std::to_string(prepared.tokens));
    constexpr std::size_t rows_together = 64;
    const int threads = options.threads > 0 ? options.threads : available_processors();
    HENCE_TRY_ASSIGN(runner, detail::text_runner::make(model, window, rows_together, rows_together, threads, options.kv));
    const std::size_t vocabulary = model.vocabulary_size();
    std::vector<float> logits(rows_together * vocabulary);
    perplexity_score score;
    double sum = 0;
    for (const std::vector<token_id>& ids : prepared.windows) {
        for (std::size_t first = 0; first + 1 < ids.size(); first += rows_together) {
            const std::size_t last = std::min(first + rows_together, ids.size() - 1);
            runner->run(model, ids, first, last, nullptr, logits.data());
            for (std::size_t i = first; i < last; ++i) {
                const std::span<const float> row = std::span<const float>(logits).subspan((i - first) * vocabulary, vocabulary);
                const double all = detail::log_sum_exp(row);
                if (!std::isfinite(all))
                    return make_error(errc::not_a_number, "perplexity: logits at position " + std::to_string(i), "finite numbers",
                                      "NaN or infinity");
                sum += all - static_cast<double>(row[static_cast<std::size_t>(ids[i + 1])]);
            }
        }
        score.tokens += ids.size() - 1;
        ++score.windows;
    }
    score.mean_negative_log_likelihood = sum / static_cast<double>(score.tokens);
    score.perplexity = std::exp(score.mean_negative_log_likelihood);
    return score;
}

}  // namespace compress

HENCE_NAMESPACE_END

#endif
