// The forward pass: one step of many rows through all layers.
//
// All workers run the same code and meet at barriers. Work on rows (norms, quantizing, rope, attention) is split by
// rows, products by panels of output rows; both splits are static, and no sum ever crosses a split, so the number of
// workers changes nothing in the result.
#ifndef HENCE_MODELS_DETAIL_DECODER_FORWARD_INL_HPP
#define HENCE_MODELS_DETAIL_DECODER_FORWARD_INL_HPP

#include "../../quant/decode.hpp"
#include "decoder_weights.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

HENCE_NAMESPACE_BEGIN

struct decoder::workspace::buffers {
    models::detail::byte_buffer block;
    std::size_t max_rows = 0;
    std::size_t max_logits = 0;
    std::size_t input_width = 0;   // the widest input of any product, padded to 32
    float* x = nullptr;            // [rows][width] the residual stream
    float* hidden = nullptr;       // [rows][width] normalised
    float* query = nullptr;        // [rows][heads * key]
    float* key = nullptr;          // [rows][kv heads * key]
    float* value = nullptr;        // [rows][kv heads * value]
    float* mixed = nullptr;        // [rows][heads * value] attention's output
    float* gate = nullptr;         // [rows][feed forward]
    float* up = nullptr;           // [rows][feed forward]
    std::int8_t* block_quants = nullptr;  // [rows][input_width]
    float* block_scales = nullptr;        // [rows][input_width / 32]
    std::int32_t* block_sums = nullptr;   // [rows][input_width / 32]
    std::int8_t* row_quants = nullptr;    // [rows][input_width]
    float* row_scales = nullptr;          // [rows]
    std::int32_t* row_sums = nullptr;     // [rows]
    float* cosines[2] = {};        // [rows][rotary / 2]: global, local
    float* sines[2] = {};
    attention_row* attention = nullptr;  // [rows]
    float* softmax = nullptr;            // [rows][heads][2] running maximum and sum
    std::int32_t* logit_rows = nullptr;  // [logits] the step's row for each row of logits
};

// One step in progress. Every worker calls run() once.
struct decoder::pass {
    const state& model;
    const step& what;
    workspace::buffers& w;
    const decoder_config& c = model.config;
    const kernel_table& k = *model.kernels;
    std::size_t rows = what.rows.size();
    std::size_t width = static_cast<std::size_t>(c.width);
    std::size_t query_width = static_cast<std::size_t>(c.heads) * static_cast<std::size_t>(c.key_size);
    std::size_t key_width = static_cast<std::size_t>(c.kv_heads) * static_cast<std::size_t>(c.key_size);
    std::size_t value_width = static_cast<std::size_t>(c.kv_heads) * static_cast<std::size_t>(c.value_size);
    std::size_t mixed_width = static_cast<std::size_t>(c.heads) * static_cast<std::size_t>(c.value_size);
    std::size_t inner_width = static_cast<std::size_t>(c.feed_forward);
    std::size_t pairs = static_cast<std::size_t>(c.rotary_size / 2);

    using weight = models::detail::weight;
    using norm_weight = models::detail::norm_weight;
    using layer_weights = models::detail::layer_weights;

    struct product {
        const weight* matrix;
        float* out;
    };

    void normalise(const norm_weight& norm, const float* x, std::size_t n, float* out) const noexcept {
        if (c.norm == norm_kind::rms) k.rms_norm(x, norm.scale_or_null(), c.norm_epsilon, n, out);
        else k.layer_norm(x, norm.scale_or_null(), norm.bias_or_null(), c.norm_epsilon, n, out);
    }

    // Puts a row of floats into the formats that the given matrices take.
    void quantize(std::size_t row, const float* x, std::size_t n, std::initializer_list<const weight*> for_matrices) const noexcept {
        bool blocks = false;
        bool whole = false;
        for (const weight* matrix : for_matrices) {
            if (!matrix->present()) continue;
            blocks = blocks || activations_of(matrix->matrix.format) == activation_format::q8_blocks;
            whole = whole || activations_of(matrix->matrix.format) == activation_format::q8_row;
        }
        const std::size_t stride = w.input_width / block_columns;
        if (blocks)
            k.quantize_blocks(x, n, w.block_quants + row * w.input_width, w.block_scales + row * stride, w.block_sums + row * stride);
        if (whole) k.quantize_row(x, n, w.row_quants + row * w.input_width, w.row_scales + row, w.row_sums + row);
    }

    [[nodiscard]] activations inputs(packing format, const float* x, std::size_t stride) const noexcept {
        switch (activations_of(format)) {
            case activation_format::f32: return {.values = x, .value_stride = stride};
            case activation_format::q8_blocks:
                return {.quants = w.block_quants, .quant_stride = w.input_width, .scales = w.block_scales,
                        .sums = w.block_sums, .block_stride = w.input_width / block_columns};
            case activation_format::q8_row:
                return {.quants = w.row_quants, .quant_stride = w.input_width, .scales = w.row_scales, .sums = w.row_sums, .block_stride = 1};
        }
        return {};
    }

    // This worker's share of the panels of all the products together.
    void multiply(const worker& self, std::initializer_list<product> products, const float* x, std::size_t stride,
                  std::size_t count, bool accumulate) const noexcept {
        std::size_t total = 0;
        for (const product& p : products) total += p.matrix->matrix.panels();
        const index_range share = self.share(total);
        std::size_t before = 0;
        for (const product& p : products) {
            const std::size_t panels = p.matrix->matrix.panels();
            const std::size_t first = std::clamp(share.begin, before, before + panels) - before;
            const std::size_t last = std::clamp(share.end, before, before + panels) - before;
            before += panels;
            if (first >= last) continue;
            const packed_matrix& matrix = p.matrix->matrix;
            const matmul_args args{.weights = matrix, .in = inputs(matrix.format, x, stride), .rows = count, .out = p.out,
                                   .out_stride = matrix.rows, .bias = p.matrix->bias_or_null(), .accumulate = accumulate};
            k.matmul[static_cast<std::size_t>(matrix.format)](args, first, last);
        }
    }

    void embed(std::size_t row) const noexcept {
        const step_row& at = what.rows[row];
        float* x = w.x + row * width;
        const auto decode = [&](const models::detail::row_table& table, std::size_t index, float* out) {
            (void)decode_row(table.type, {table.rows + index * table.row_stride_bytes, table.row_stride_bytes}, {out, width}).has_value();
        };
        decode(model.tokens, static_cast<std::size_t>(at.token), x);
        if (c.embedding_scale != 1.0f) k.scale_add(x, c.embedding_scale, nullptr, width, x);
        if (!c.rotary) {
            float* learned = w.hidden + row * width;
            decode(model.positions, static_cast<std::size_t>(at.position), learned);
            k.scale_add(learned, 1.0f, x, width, x);
        }
        for (int kind = 0; kind < 2 && c.rotary; ++kind) {
            if (kind == 1 && c.window == 0) break;
            const float* frequencies = kind == 0 ? model.frequencies.data() : model.local_frequencies.data();
            const float magnitude = kind == 0 ? c.rope.magnitude : c.local_rope.magnitude;
            for (std::size_t i = 0; i < pairs; ++i) {
                const double angle = static_cast<double>(at.position) * static_cast<double>(frequencies[i]);
                w.cosines[kind][row * pairs + i] = static_cast<float>(std::cos(angle)) * magnitude;
                w.sines[kind][row * pairs + i] = static_cast<float>(std::sin(angle)) * magnitude;
            }
        }
    }

    // Norms, rotates and files one row's queries and keys.
    void place(std::size_t row, const layer_weights& layer, std::int32_t index) const noexcept {
        const int kind = c.windowed(index) ? 1 : 0;
        const auto key_size = static_cast<std::size_t>(c.key_size);
        const float* cosines = c.rotary ? w.cosines[kind] + row * pairs : nullptr;
        const float* sines = c.rotary ? w.sines[kind] + row * pairs : nullptr;
        const auto turn = [&](float* head, const norm_weight& norm) {
            if (norm.present()) normalise(norm, head, key_size, head);
            if (c.rotary) k.rope(head, cosines, sines, static_cast<std::size_t>(c.rotary_size), c.rotary_style);
        };
        for (std::size_t h = 0; h < static_cast<std::size_t>(c.heads); ++h)
            turn(w.query + row * query_width + h * key_size, layer.query_norm);
        const step_row& at = what.rows[row];
        std::byte* page = what.sequences[static_cast<std::size_t>(at.sequence)].pages[at.position / page_tokens];
        for (std::size_t g = 0; g < static_cast<std::size_t>(c.kv_heads); ++g) {
            float* key = w.key + row * key_width + g * key_size;
            turn(key, layer.key_norm);
            k.store_kv(what.layout, page, index, static_cast<std::int32_t>(g), at.position % page_tokens, key,
                       w.value + row * value_width + g * static_cast<std::size_t>(c.value_size));
        }
    }

    // Attention is dealt in small items, so that the workers' shares stay even although later rows see more: blocks of
    // rows of one kv head, and where there are few of those, single query heads.
    void attend(const worker& self, std::int32_t index) const noexcept {
        attention_args args{.layout = what.layout, .layer = index, .rows = nullptr, .row_count = 0, .queries = nullptr,
                            .query_stride = query_width, .out = nullptr, .out_stride = mixed_width,
                            .heads_per_kv = c.heads / c.kv_heads, .kv_head = 0, .first_head = 0, .last_head = 0,
                            .state = nullptr, .state_stride = 2 * static_cast<std::size_t>(c.heads),
                            .scale = c.attention_scale, .softcap = c.attention_softcap,
                            .window = c.windowed(index) ? c.window : 0};
        constexpr std::size_t rows_together = 16;
        const std::size_t row_blocks = (rows + rows_together - 1) / rows_together;
        const auto kv_heads = static_cast<std::size_t>(c.kv_heads);
        const auto workers = static_cast<std::size_t>(self.count);
        const std::size_t parts = row_blocks * kv_heads < 4 * workers && workers > 1
                                      ? static_cast<std::size_t>(args.heads_per_kv) : 1;
        const auto heads = static_cast<std::size_t>(args.heads_per_kv) / parts;
        for (std::size_t item = static_cast<std::size_t>(self.index); item < row_blocks * kv_heads * parts; item += workers) {
            const std::size_t first = item / (kv_heads * parts) * rows_together;
            const std::size_t part = item % parts;
            args.kv_head = static_cast<std::int32_t>(item / parts % kv_heads);
            args.first_head = static_cast<std::int32_t>(part * heads);
            args.last_head = static_cast<std::int32_t>((part + 1) * heads);
            args.rows = w.attention + first;
            args.row_count = std::min(rows - first, rows_together);
            args.queries = w.query + first * query_width;
            args.out = w.mixed + first * mixed_width;
            args.state = w.softmax + first * args.state_stride;
            k.attention(args);
        }
    }

    // x += norm(h), for architectures that normalise a block's output too.
    void add_normalised(const index_range& mine, const norm_weight& norm) const noexcept {
        for (std::size_t row = mine.begin; row < mine.end; ++row) {
            float* h = w.hidden + row * width;
            normalise(norm, h, width, h);
            k.scale_add(h, 1.0f, w.x + row * width, width, w.x + row * width);
        }
    }

    // A block's last product: straight into the residual stream, or through its own norm first.
    void residual(const worker& self, const index_range& mine, const weight& matrix, const norm_weight& post,
                  const float* x, std::size_t stride) const noexcept {
        if (!post.present()) {
            multiply(self, {{&matrix, w.x}}, x, stride, rows, true);
            self.wait();
            return;
        }
        multiply(self, {{&matrix, w.hidden}}, x, stride, rows, false);
        self.wait();
        add_normalised(mine, post);
    }

    void run(const worker& self) const noexcept {
        const index_range mine = self.share(rows);
        for (std::size_t row = mine.begin; row < mine.end; ++row) {
            embed(row);
            const step_row& at = what.rows[row];
            w.attention[row] = {what.sequences[static_cast<std::size_t>(at.sequence)].pages, at.position};
            if (at.logits >= 0) w.logit_rows[at.logits] = static_cast<std::int32_t>(row);
        }
        for (std::int32_t index = 0; index < c.layers; ++index) {
            const layer_weights& layer = model.layers[static_cast<std::size_t>(index)];
            for (std::size_t row = mine.begin; row < mine.end; ++row) {
                float* h = w.hidden + row * width;
                normalise(layer.attention_norm, w.x + row * width, width, h);
                quantize(row, h, width, {&layer.query, &layer.key, &layer.value});
            }
            self.wait();
            multiply(self, {{&layer.query, w.query}, {&layer.key, w.key}, {&layer.value, w.value}}, w.hidden, width, rows, false);
            self.wait();
            for (std::size_t row = mine.begin; row < mine.end; ++row) place(row, layer, index);
            self.wait();
            attend(self, index);
            self.wait();
            for (std::size_t row = mine.begin; row < mine.end; ++row)
                quantize(row, w.mixed + row * mixed_width, mixed_width, {&layer.output});
            self.wait();
            residual(self, mine, layer.output, layer.post_attention_norm, w.mixed, mixed_width);

            for (std::size_t row = mine.begin; row < mine.end; ++row) {
                float* h = w.hidden + row * width;
                normalise(layer.feed_forward_norm, w.x + row * width, width, h);
                quantize(row, h, width, {&layer.gate, &layer.up});
            }
            self.wait();
            if (c.gated) multiply(self, {{&layer.gate, w.gate}, {&layer.up, w.up}}, w.hidden, width, rows, false);
            else multiply(self, {{&layer.up, w.up}}, w.hidden, width, rows, false);
            self.wait();
            for (std::size_t row = mine.begin; row < mine.end; ++row) {
                float* up = w.up + row * inner_width;
                if (c.gated) k.activate_gated(c.feed_forward_activation, w.gate + row * inner_width, up, inner_width, up);
                else k.activate(c.feed_forward_activation, up, inner_width, up);
                quantize(row, up, inner_width, {&layer.down});
            }
            self.wait();
            residual(self, mine, layer.down, layer.post_feed_forward_norm, w.up, inner_width);
        }
        predict(self);
    }

    // Logits of the rows that ask.
    void predict(const worker& self) const noexcept {
        const auto asked = static_cast<std::size_t>(what.logits_count);
        if (asked == 0) return;
        const index_range mine = self.share(asked);
        self.wait();  // logit_rows is complete, and nobody reads hidden any more
        for (std::size_t i = mine.begin; i < mine.end; ++i) {
            float* h = w.hidden + i * width;
            normalise(model.output_norm, w.x + static_cast<std::size_t>(w.logit_rows[i]) * width, width, h);
            quantize(i, h, width, {&model.head});
        }
        self.wait();
        const packed_matrix& matrix = model.head.matrix;
        const index_range panels = self.share(matrix.panels());
        const matmul_args args{.weights = matrix, .in = inputs(matrix.format, w.hidden, width), .rows = asked,
                               .out = what.logits, .out_stride = what.logits_stride, .bias = model.head.bias_or_null(),
                               .accumulate = false};
        k.matmul[static_cast<std::size_t>(matrix.format)](args, panels.begin, panels.end);
        if (c.final_softcap > 0.0f) {
            const std::size_t first = panels.begin * panel_rows;
            const std::size_t last = std::min(panels.end * panel_rows, matrix.rows);
            for (std::size_t i = 0; i < asked && first < last; ++i)
                k.softcap(what.logits + i * what.logits_stride + first, c.final_softcap, last - first);
        }
    }
};

HENCE_INLINE void decoder::forward(const step& what, workspace& buffers, thread_team& team) const noexcept {
    const pass work{*state_, what, *buffers.buffers_};
    team.each([&work](const worker& self) { work.run(self); });
}

HENCE_INLINE decoder::workspace::workspace(std::unique_ptr<buffers> b) noexcept : buffers_(std::move(b)) {}
HENCE_INLINE decoder::workspace::workspace(workspace&&) noexcept = default;
HENCE_INLINE decoder::workspace& decoder::workspace::operator=(workspace&&) noexcept = default;
HENCE_INLINE decoder::workspace::~workspace() = default;
HENCE_INLINE std::size_t decoder::workspace::bytes() const noexcept { return buffers_->block.size(); }

HENCE_INLINE decoder::workspace decoder::make_workspace(const workspace_options& options) const {
    HENCE_EXPECT(options.max_rows > 0 && options.max_logits > 0, "a workspace for at least one row and one row of logits");
    const decoder_config& c = state_->config;
    const auto rows = std::max(options.max_rows, options.max_logits);
    const auto width = static_cast<std::size_t>(c.width);
    const auto heads = static_cast<std::size_t>(c.heads);
    const auto kv_heads = static_cast<std::size_t>(c.kv_heads);
    const auto mixed = heads * static_cast<std::size_t>(c.value_size);
    const auto inner = static_cast<std::size_t>(c.feed_forward);
    const auto pairs = static_cast<std::size_t>(c.rotary ? c.rotary_size / 2 : 0);
    const std::size_t input = (std::max({width, mixed, inner}) + block_columns - 1) / block_columns * block_columns;

    auto made = std::make_unique<workspace::buffers>();
    workspace::buffers& w = *made;
    w.max_rows = options.max_rows;
    w.max_logits = options.max_logits;
    w.input_width = input;
    // Twice through the same list: first to add up the sizes, then to hand out addresses.
    std::byte* base = nullptr;
    std::size_t used = 0;
    const auto take = [&](auto*& pointer, std::size_t count) {
        using element = std::remove_reference_t<decltype(*pointer)>;
        if (base != nullptr) pointer = reinterpret_cast<element*>(base + used);
        used += (count * sizeof(element) + HENCE_ALIGNMENT - 1) / HENCE_ALIGNMENT * HENCE_ALIGNMENT;
    };
    const auto lay_out = [&] {
        used = 0;
        take(w.x, rows * width);
        take(w.hidden, rows * width);
        take(w.query, rows * heads * static_cast<std::size_t>(c.key_size));
        take(w.key, rows * kv_heads * static_cast<std::size_t>(c.key_size));
        take(w.value, rows * kv_heads * static_cast<std::size_t>(c.value_size));
        take(w.mixed, rows * mixed);
        take(w.gate, c.gated ? rows * inner : 0);
        take(w.up, rows * inner);
        take(w.block_quants, rows * input);
        take(w.block_scales, rows * input / block_columns);
        take(w.block_sums, rows * input / block_columns);
        take(w.row_quants, rows * input);
        take(w.row_scales, rows);
        take(w.row_sums, rows);
        for (int kind = 0; kind < 2; ++kind) {
            take(w.cosines[kind], rows * pairs);
            take(w.sines[kind], rows * pairs);
        }
        take(w.attention, rows);
        take(w.softmax, rows * heads * 2);
        take(w.logit_rows, options.max_logits);
    };
    lay_out();
    w.block = models::detail::byte_buffer(
        used, options.memory != nullptr ? options.memory : std::pmr::get_default_resource());
    base = w.block.data();
    lay_out();
    return workspace(std::move(made));
}

HENCE_NAMESPACE_END

#endif
