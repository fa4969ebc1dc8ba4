// Definitions of compress/calibration.hpp.
#ifndef HENCE_COMPRESS_DETAIL_CALIBRATION_INL_HPP
#define HENCE_COMPRESS_DETAIL_CALIBRATION_INL_HPP

#include "../calibration.hpp"
#include "text_runner.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

HENCE_NAMESPACE_BEGIN

namespace compress {

namespace detail {

// Adds rows to statistics. Each worker keeps some channels, and some rows of the gram matrix: nobody's sums depend on the
// number of workers.
struct statistics_collector {
    layer_statistics* into = nullptr;
    bool gram = false;

    // Before the team runs: see() may not allocate while others read.
    void reserve(layer_input input, std::size_t width) const {
        input_statistics& s = into->inputs[static_cast<std::size_t>(input)];
        s.width = width;
        s.sum_squares.assign(width, 0.0);
        s.absolute_maximum.assign(width, 0.0f);
        if (gram) s.gram.assign(width * width, 0.0);
    }

    static void see(void* context, const worker& self, const probed_rows& in) noexcept {
        const auto& collector = *static_cast<const statistics_collector*>(context);
        input_statistics& s = collector.into->inputs[static_cast<std::size_t>(in.input)];
        if (self.index == 0) s.rows += in.rows;
        const index_range mine = self.share(in.width);
        for (std::size_t r = 0; r < in.rows; ++r) {
            const float* x = in.values + r * in.stride;
            for (std::size_t k = mine.begin; k < mine.end; ++k) {
                s.sum_squares[k] += static_cast<double>(x[k]) * static_cast<double>(x[k]);
                const float magnitude = std::fabs(x[k]);
                if (!(magnitude <= s.absolute_maximum[k])) s.absolute_maximum[k] = magnitude;  // NaN stays
            }
        }
        if (collector.gram) add_products(self, in, s.gram.data());
    }

    // The upper triangle, eight rows of x in one pass over it; rows of it are dealt in turn, for they differ in length.
    static void add_products(const worker& self, const probed_rows& in, double* gram) noexcept {
        const std::size_t n = in.width;
        for (std::size_t row = 0; row < in.rows; row += 8) {
            const std::size_t together = std::min<std::size_t>(8, in.rows - row);
            const float* x = in.values + row * in.stride;
            for (std::size_t i = static_cast<std::size_t>(self.index); i < n; i += static_cast<std::size_t>(self.count)) {
                double* HENCE_RESTRICT out = gram + i * n;
                for (std::size_t r = 0; r < together; r += 2) {
                    const float* a = x + r * in.stride;
                    const float* b = r + 1 < together ? a + in.stride : a;
                    const double at_a = static_cast<double>(a[i]);
                    const double at_b = r + 1 < together ? static_cast<double>(b[i]) : 0.0;
                    if (at_a == 0.0 && at_b == 0.0) continue;
                    for (std::size_t j = i; j < n; ++j)
                        out[j] += at_a * static_cast<double>(a[j]) + at_b * static_cast<double>(b[j]);
                }
            }
        }
    }

    void finish() const {
        if (!gram) return;
        for (input_statistics& s : into->inputs)
            for (std::size_t i = 0; i < s.width && s.rows > 0; ++i)
                for (std::size_t j = 0; j < i; ++j) s.gram[i * s.width + j] = s.gram[j * s.width + i];
    }
};

}  // namespace detail

HENCE_INLINE std::optional<matrix_place> place_of(std::string_view name) noexcept {
    if (name == "output.weight") return matrix_place{-1, layer_input::head};
    if (!name.starts_with("blk.") || !name.ends_with(".weight")) return std::nullopt;
    matrix_place place;
    const char* const end = name.data() + name.size();
    const auto [rest, problem] = std::from_chars(name.data() + 4, end, place.layer);
    if (problem != std::errc() || rest == end || *rest != '.') return std::nullopt;
    const std::string_view part(rest + 1, name.size() - static_cast<std::size_t>(rest + 1 - name.data()) - 7);
    if (part == "attn_q" || part == "attn_k" || part == "attn_v" || part == "attn_qkv") place.input = layer_input::attention;
    else if (part == "attn_output") place.input = layer_input::attention_output;
    else if (part == "ffn_gate" || part == "ffn_up") place.input = layer_input::feed_forward;
    else if (part == "ffn_down") place.input = layer_input::feed_forward_down;
    else return std::nullopt;
    return place;
}

struct calibration::state {
    std::size_t window = 0;
    std::size_t tokens = 0;
    std::size_t width = 0;
    std::int32_t layers = 0;
    std::int32_t layer = 0;
    std::vector<std::vector<token_id>> windows;
    std::vector<float> stream;  // [tokens of all windows][width], before `layer`; not yet filled at layer 0
    std::vector<float> logits;  // of the head's turn, which nobody reads
    std::unique_ptr<detail::text_runner> runner;
};

HENCE_INLINE calibration::calibration(std::unique_ptr<state> s) noexcept : state_(std::move(s)) {}
HENCE_INLINE calibration::calibration(calibration&&) noexcept = default;
HENCE_INLINE calibration& calibration::operator=(calibration&&) noexcept = default;
HENCE_INLINE calibration::~calibration() = default;
HENCE_INLINE std::size_t calibration::tokens() const noexcept { return state_->tokens; }
HENCE_INLINE std::size_t calibration::windows() const noexcept { return state_->windows.size(); }
HENCE_INLINE std::int32_t calibration::layer() const noexcept { return state_->layer; }

HENCE_INLINE result<calibration> calibration::make(const decoder& model, std::string_view text, const calibration_options& options) {
    const std::size_t window = options.window > 0 ? options.window : std::min<std::size_t>(model.context_length(), 512);
    HENCE_TRY_ASSIGN(prepared, detail::prepare(model, text, window, options.max_tokens));
    if (prepared.windows.empty() || prepared.windows.front().size() < window)
        return make_error(errc::invalid_argument, "the calibration text", "at least one window of " + std::to_string(window) + " tokens",
                          std::to_string(prepared.tokens) + " tokens");
    auto made = std::make_unique<state>();
    made->window = window;
    made->windows = std::move(prepared.windows);
    for (const auto& ids : made->windows) made->tokens += ids.size();
    made->width = static_cast<std::size_t>(model.config().width);
    made->layers = model.config().layers;
    made->stream.resize(made->tokens * made->width);
    const int threads = options.threads > 0 ? options.threads : available_processors();
    HENCE_TRY_ASSIGN(runner, detail::text_runner::make(model, window, window, 64, threads, dtype::f32));
    made->runner = std::move(runner);
    return calibration(std::move(made));
}

HENCE_INLINE result<layer_statistics> calibration::run(const decoder& model, bool see, bool gram, bool advance) {
    state& s = *state_;
    const decoder_config& c = model.config();
    HENCE_EXPECT(c.layers == s.layers && static_cast<std::size_t>(c.width) == s.width, "a model of the calibration's shape");
    layer_statistics found;
    found.layer = s.layer;
    const bool head = s.layer == s.layers;
    detail::statistics_collector collector{&found, gram};
    if (see && head) collector.reserve(layer_input::head, s.width);
    if (see && !head) {
        collector.reserve(layer_input::attention, s.width);
        collector.reserve(layer_input::attention_output, static_cast<std::size_t>(c.heads) * static_cast<std::size_t>(c.value_size));
        collector.reserve(layer_input::feed_forward, s.width);
        collector.reserve(layer_input::feed_forward_down, static_cast<std::size_t>(c.feed_forward));
    }
    if (head) s.logits.resize(64 * model.vocabulary_size());
    float* stream = s.stream.data();
    for (const std::vector<token_id>& ids : s.windows) {
        const std::size_t together = head ? 64 : ids.size();
        for (std::size_t first = 0; first < ids.size(); first += together) {
            const std::size_t last = std::min(first + together, ids.size());
            float* rows = stream + first * s.width;
            const layer_probe probe{.see = see ? &detail::statistics_collector::see : nullptr, .context = &collector,
                                    .first_layer = s.layer, .last_layer = head ? -1 : s.layer + 1,
                                    .stream_in = s.layer > 0 ? rows : nullptr, .stream_out = advance && !head ? rows : nullptr};
            s.runner->run(model, ids, first, last, &probe, head ? s.logits.data() : nullptr);
        }
        stream += ids.size() * s.width;
    }
    collector.finish();
    for (const input_statistics& in : found.inputs)
        for (const double sum : in.sum_squares)
            if (!std::isfinite(sum))
                return make_error(errc::not_a_number, "calibration: the inputs of layer " + std::to_string(s.layer), "finite numbers",
                                  "NaN or infinity");
    if (advance && !head) ++s.layer;
    return found;
}

HENCE_INLINE result<layer_statistics> calibration::capture(const decoder& model, bool gram) { return run(model, true, gram, false); }

HENCE_INLINE void calibration::advance(const decoder& model) {
    HENCE_EXPECT(state_->layer < state_->layers, "a layer that is left to run");
    (void)run(model, false, false, true).has_value();
}

HENCE_INLINE result<layer_statistics> calibration::capture_and_advance(const decoder& model, bool gram) {
    return run(model, true, gram, true);
}

}  // namespace compress

HENCE_NAMESPACE_END

#endif
