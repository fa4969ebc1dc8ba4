// text_runner: a text cut into windows, and what it takes to run a decoder over one of them. Private to compress.
#ifndef HENCE_COMPRESS_DETAIL_TEXT_RUNNER_HPP
#define HENCE_COMPRESS_DETAIL_TEXT_RUNNER_HPP

#include "../../cache/page_pool.hpp"
#include "../../cache/sequence.hpp"
#include "../../core/result.hpp"
#include "../../models/decoder.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN

namespace compress::detail {

inline std::vector<std::vector<token_id>> cut(const tokenizer& text, std::span<const token_id> ids, std::size_t window) {
    const bool begins = text.vocabulary().add_begin && text.begin() != no_token;
    const std::size_t step = window - (begins ? 1 : 0);
    std::vector<std::vector<token_id>> windows;
    for (std::size_t first = 0; first < ids.size(); first += step) {
        const std::span<const token_id> these = ids.subspan(first, std::min(step, ids.size() - first));
        std::vector<token_id> part(these.size() + (begins ? 1 : 0), text.begin());
        std::copy(these.begin(), these.end(), part.end() - static_cast<std::ptrdiff_t>(these.size()));
        if (part.size() < 2) break;  // a single token at the end predicts nothing
        windows.push_back(std::move(part));
    }
    return windows;
}

// The workspace is that of the model it was made for; other models of the same shape may use it.
class text_runner {
public:
    static result<std::unique_ptr<text_runner>> make(const decoder& model, std::size_t window, std::size_t rows,
                                                     std::size_t logit_rows, int threads, dtype kv) {
        const kv_layout layout = model.cache_layout(kv);
        auto made = std::unique_ptr<text_runner>(new text_runner(
            layout, threads, model.make_workspace({.max_rows = rows, .max_logits = logit_rows, .threads = threads})));
        const std::size_t pages = (window + static_cast<std::size_t>(page_tokens) - 1) / static_cast<std::size_t>(page_tokens);
        HENCE_TRY(made->pool_.ensure(pages));
        made->sequence_.emplace(made->pool_);
        made->sequence_->prepare(window);
        made->rows_.reserve(rows);
        return made;
    }

    // Rows [first, last) of a window; with logits, every row asks. The rows before must have been run in this cache.
    void run(const decoder& model, std::span<const token_id> window, std::size_t first, std::size_t last,
             const layer_probe* probe, float* logits) {
        rows_.clear();
        for (std::size_t i = first; i < last; ++i)
            rows_.push_back({.token = window[i], .position = static_cast<std::int32_t>(i), .sequence = 0,
                             .logits = logits != nullptr ? static_cast<std::int32_t>(i - first) : -1});
        const page_table table = sequence_->table();
        step what{.rows = rows_, .sequences = {&table, 1}, .layout = layout_, .logits = logits,
                  .logits_stride = model.vocabulary_size(),
                  .logits_count = logits != nullptr ? static_cast<std::int32_t>(rows_.size()) : 0};
        workspace_.attach(probe);
        model.forward(what, workspace_, team_);
    }

private:
    text_runner(const kv_layout& layout, int threads, decoder::workspace&& workspace)
        : layout_(layout), pool_({.page_bytes = layout.page_bytes()}), workspace_(std::move(workspace)), team_(threads) {}

    kv_layout layout_;
    page_pool pool_;
    std::optional<kv_sequence> sequence_;
    decoder::workspace workspace_;
    spin_team team_;
    std::vector<step_row> rows_;
};

struct prepared_text {
    std::size_t window = 0;
    std::size_t tokens = 0;
    std::vector<std::vector<token_id>> windows;
};

inline result<prepared_text> prepare(const decoder& model, std::string_view text, std::size_t window, std::size_t max_tokens) {
    if (window > model.context_length())
        return make_error(errc::out_of_range, "window", "at most " + std::to_string(model.context_length()) + " tokens, the model's context",
                          std::to_string(window));
    if (window == 1) return make_error(errc::out_of_range, "window", "at least 2 tokens", "1");
    HENCE_TRY_ASSIGN(ids, model.tokenizer().encode(text, {.special = true, .add_begin_end = false}));
    if (max_tokens > 0 && ids.size() > max_tokens) ids.resize(max_tokens);
    prepared_text made;
    made.window = window;
    made.tokens = ids.size();
    made.windows = cut(model.tokenizer(), ids, window);
    return made;
}

}  // namespace compress::detail

HENCE_NAMESPACE_END

#endif
