// The forward pass: one step of many rows through all layers.
//
// All workers run the same code and meet at barriers. Work on rows (norms, quantizing, rope, attention) is split by
// rows, products by panels of output rows; both splits are static, and no sum ever crosses a split, so the number of
// workers changes nothing in the result.
//
// Barriers cost most where there is least to do, a step of one row. So whoever computed some columns of a block's inside
// also activates and quantizes them, attention quantizes the heads it has just mixed, and a step of one row is normalised
// by every worker for itself: six barriers a layer, eight with more rows.
#ifndef HENCE_MODELS_DETAIL_DECODER_FORWARD_INL_HPP
#define HENCE_MODELS_DETAIL_DECODER_FORWARD_INL_HPP

#include "../../core/scalar.hpp"
#include "../../quant/decode.hpp"
#include "../../quant/zero_points.hpp"
#include "decoder_weights.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

HENCE_NAMESPACE_BEGIN

// Rows of activations in the formats that matrices take, each row in those that its matrices want.
struct decoder::workspace::operands {
    std::size_t stride = 0;               // columns, padded to whole blocks
    std::int8_t* block_quants = nullptr;  // [rows][stride]
    float* block_scales = nullptr;        // [rows][stride / 32]
    block_sum* block_sums = nullptr;      // [rows][stride / 32]
    std::uint16_t* halves = nullptr;      // [rows][stride] bf16
    std::int8_t* row_quants = nullptr;    // [rows][stride]
    float* row_scales = nullptr;          // [rows]
    std::int32_t* row_sums = nullptr;     // [rows]
};

struct decoder::workspace::buffers {
    models::detail::byte_buffer block;
    std::size_t max_rows = 0;
    std::size_t max_logits = 0;
    int threads = 1;               // rows of own and own_hidden
    float* x = nullptr;            // [rows][width] the residual stream
    float* hidden = nullptr;       // [rows][width] normalised
    float* own_hidden = nullptr;   // [threads][width] one row of each worker's own
    operands outer;                // [rows] of what has the width of the residual stream or of attention
    operands own;                  // [threads] one row of each worker's own
    operands inner;                // [rows] of the feed-forward block's inside
    float* query = nullptr;        // [rows][heads * key]
    float* key = nullptr;          // [rows][kv heads * key]
    float* value = nullptr;        // [rows][kv heads * value]
    float* mixed = nullptr;        // [rows][heads * value] attention's output
    float* gate = nullptr;         // [rows][feed forward]
    float* up = nullptr;           // [rows][feed forward]
    float* cosines[2] = {};        // [rows][rotary / 2]: global, local
    float* sines[2] = {};
    attention_row* attention = nullptr;  // [rows]
    float* softmax = nullptr;            // [rows][heads][2] running maximum and sum
    float* page = nullptr;               // [threads][page_floats] a page of one head, opened
    std::size_t page_floats = 0;
    std::int32_t* logit_rows = nullptr;  // [logits] the step's row for each row of logits
    const layer_probe* probe = nullptr;
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

    static constexpr std::size_t few_rows = 8;  // the steps that ask for memory ahead

    using weight = models::detail::weight;
    using norm_weight = models::detail::norm_weight;
    using layer_weights = models::detail::layer_weights;
    using operands = workspace::operands;

    struct product {
        const weight* matrix;
        float* out;
    };

    void normalise(const norm_weight& norm, const float* x, std::size_t n, float* out) const noexcept {
        if (c.norm == norm_kind::rms) k.rms_norm(x, norm.scale_or_null(), c.norm_epsilon, n, out);
        else k.layer_norm(x, norm.scale_or_null(), norm.bias_or_null(), c.norm_epsilon, n, out);
    }

    // Puts a row of floats into the formats that the given matrices take.
    void quantize(const operands& to, std::size_t row, const float* x, std::size_t n,
                  std::initializer_list<const weight*> for_matrices) const noexcept {
        bool blocks = false;
        bool whole = false;
        bool halves = false;
        for (const weight* matrix : for_matrices) {
            if (!matrix->present()) continue;
            blocks = blocks || activations_of(matrix->matrix.format) == activation_format::q8_blocks;
            whole = whole || activations_of(matrix->matrix.format) == activation_format::q8_row;
            halves = halves || activations_of(matrix->matrix.format) == activation_format::bf16;
        }
        if (halves) {
            std::uint16_t* const out = to.halves + row * to.stride;
            for (std::size_t i = 0; i < n; ++i) out[i] = to_bf16(x[i]).bits;
            if (n % 2 != 0) out[n] = 0;
        }
        if (blocks) quantize_columns(to, row, x, 0, n);
        if (!whole) return;
        std::int8_t* quants = to.row_quants + row * to.stride;
        if (const float fixed = fixed_scale(for_matrices); fixed > 0.0f)
            quantize_fixed(x, n, fixed, quants, to.row_scales + row, to.row_sums + row);
        else k.quantize_row(x, n, quants, to.row_scales + row, to.row_sums + row);
    }

    // Matrices that read one input agree on its scale, or each row has its own.
    static float fixed_scale(std::initializer_list<const weight*> matrices) noexcept {
        float scale = 0.0f;
        for (const weight* matrix : matrices) {
            if (!matrix->present() || activations_of(matrix->matrix.format) != activation_format::q8_row) continue;
            if (matrix->input_scale == 0.0f || (scale != 0.0f && scale != matrix->input_scale)) return 0.0f;
            scale = matrix->input_scale;
        }
        return scale;
    }

    // Calibrated activations: x / scale, rounded to the nearest even and clipped to [-127, 127]. What is not finite makes
    // the row's scale not finite, as in the kernels.
    static void quantize_fixed(const float* x, std::size_t n, float scale, std::int8_t* quants, float* scale_out,
                               std::int32_t* sum_out) noexcept {
        constexpr float round = 12582912.0f;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
        const float inverse = 1.0f / scale;
        float finite = 0.0f;
        std::int32_t sum = 0;
        for (std::size_t i = 0; i < n; ++i) {
            finite += x[i] * 0.0f;
            const float clipped = std::min(127.0f, std::max(-127.0f, x[i] * inverse));  // NaN becomes -127
            const std::int32_t quant = std::bit_cast<std::int32_t>(clipped + round) - std::bit_cast<std::int32_t>(round);
            quants[i] = static_cast<std::int8_t>(quant);
            sum += quant;
        }
        for (std::size_t i = n; i < (n + block_columns - 1) / block_columns * block_columns; ++i) quants[i] = 0;
        *scale_out = scale + finite;
        *sum_out = sum;
    }

    void show(const worker& self, std::int32_t index, layer_input input, const float* x, std::size_t stride,
              std::size_t count) const noexcept {
        if (w.probe != nullptr && w.probe->see != nullptr) w.probe->see(w.probe->context, self, {index, input, x, stride, count, stride});
    }

    // Columns [first, last) of a row, in blocks; `first` begins one.
    void quantize_columns(const operands& to, std::size_t row, const float* x, std::size_t first, std::size_t last) const noexcept {
        const std::size_t at = row * (to.stride / block_columns) + first / block_columns;
        k.quantize_blocks(x + first, last - first, to.block_quants + row * to.stride + first, to.block_scales + at, to.block_sums + at);
    }

    // Whether columns of the matrix's input can be made ready by whoever has them: not where one scale spans the row.
    [[nodiscard]] static bool by_columns(const weight& matrix) noexcept {
        const activation_format wanted = activations_of(matrix.matrix.format);
        return wanted == activation_format::f32 || wanted == activation_format::q8_blocks;
    }
    [[nodiscard]] static bool wants_blocks(const weight& matrix) noexcept {
        return activations_of(matrix.matrix.format) == activation_format::q8_blocks;
    }

    [[nodiscard]] activations inputs(packing format, const operands& from, const float* x, std::size_t stride) const noexcept {
        switch (activations_of(format)) {
            case activation_format::f32: return {.values = x, .value_stride = stride};
            case activation_format::bf16: return {.halves = from.halves, .half_stride = from.stride};
            case activation_format::q8_blocks:
                return {.quants = from.block_quants, .quant_stride = from.stride, .scales = from.block_scales,
                        .block_sums = from.block_sums, .block_stride = from.stride / block_columns};
            case activation_format::q8_row:
                return {.quants = from.row_quants, .quant_stride = from.stride, .scales = from.row_scales, .sums = from.row_sums,
                        .block_stride = 1};
        }
        return {};
    }

    // Normalised rows of the residual stream: all of them, or where the step is one row, the worker's own copy of it.
    struct normalised {
        float* values;
        operands quants;
    };
    [[nodiscard]] bool alone(const worker& self) const noexcept { return rows == 1 && self.count > 1 && self.count <= w.threads; }
    [[nodiscard]] normalised normalised_of(const worker& self) const noexcept {
        if (!alone(self)) return {w.hidden, w.outer};
        const auto index = static_cast<std::size_t>(self.index);
        const std::size_t blocks = w.own.stride / block_columns;
        return {w.own_hidden + index * width,
                {.stride = w.own.stride,
                 .block_quants = w.own.block_quants + index * w.own.stride,
                 .block_scales = w.own.block_scales + index * blocks,
                 .block_sums = w.own.block_sums + index * blocks,
                 .halves = model.bf16_activations ? w.own.halves + index * w.own.stride : nullptr,
                 .row_quants = w.own.row_quants + index * w.own.stride,
                 .row_scales = w.own.row_scales + index,
                 .row_sums = w.own.row_sums + index}};
    }

    // Makes them ready for the matrices to come; ends with a barrier where others read them.
    void normalise_rows(const worker& self, const index_range& mine, const norm_weight& norm, const normalised& to,
                        std::initializer_list<const weight*> for_matrices) const noexcept {
        const bool own = alone(self);
        const index_range range = own ? index_range{0, 1} : mine;
        for (std::size_t row = range.begin; row < range.end; ++row) {
            float* h = to.values + row * width;
            normalise(norm, w.x + row * width, width, h);
            quantize(to.quants, row, h, width, for_matrices);
        }
        if (!own) self.wait();
    }

    // Panels [first, last) of one product.
    void multiply_panels(const weight& by, float* out, const operands& from, const float* x, std::size_t stride, std::size_t count,
                         bool accumulate, std::size_t first, std::size_t last) const noexcept {
        if (first >= last) return;
        const packed_matrix& matrix = by.matrix;
        const matmul_args args{.weights = matrix, .in = inputs(matrix.format, from, x, stride), .rows = count, .out = out,
                               .out_stride = matrix.rows, .bias = by.bias_or_null(), .accumulate = accumulate};
        multiply_panels(by, args, first, last);
    }
    void multiply_panels(const weight& by, const matmul_args& args, std::size_t first, std::size_t last) const noexcept {
        k.matmul[static_cast<std::size_t>(args.weights.format)](args, first, last);
        if (!by.zero_terms.empty()) subtract_zero_points(k, args, by.zero_terms.data(), first, last);
    }

    // While others are still at work: the beginning of this worker's share of the next matrix, so that its stream does not
    // start cold. `others`: the panels that are shared out behind it in the same product. In large steps weights are not
    // what is waited for.
    void prefetch(const worker& self, const weight& next, std::size_t others = 0) const noexcept {
        if (rows > few_rows || !next.present()) return;
        const packed_matrix& matrix = next.matrix;
        const std::size_t first = self.share(matrix.panels() + others).begin;
        if (first >= matrix.panels()) return;
        const std::size_t panel_bytes = matrix.layout().bytes();
        const std::byte* at = matrix.data + first * panel_bytes;
        const std::size_t bytes = std::min<std::size_t>(4096, panel_bytes);
        for (std::size_t i = 0; i < bytes; i += 64) __builtin_prefetch(at + i, 0, 2);
    }

    // Before the product that makes them: the lines that this worker's keys will be written to, one for each of their numbers
    // and seldom in a cache.
    void prefetch_keys(const worker& self, std::int32_t index) const noexcept {
        if (rows > few_rows) return;
        const auto kv_heads = static_cast<std::size_t>(c.kv_heads);
        const std::size_t element = what.layout.element_bytes();
        const std::size_t step = std::max<std::size_t>(64, static_cast<std::size_t>(page_tokens) * element);
        const std::size_t bytes = static_cast<std::size_t>(c.key_size) * static_cast<std::size_t>(page_tokens) * element;
        const index_range mine = self.share(rows * kv_heads);
        for (std::size_t item = mine.begin; item < mine.end; ++item) {
            const step_row& at = what.rows[item / kv_heads];
            const std::byte* keys = page_of(at) + what.layout.key_offset(index, static_cast<std::int32_t>(item % kv_heads)) +
                                    static_cast<std::size_t>(at.position % page_tokens) * element;
            for (std::size_t i = 0; i < bytes; i += step) __builtin_prefetch(keys + i, 1, 2);
        }
    }
    [[nodiscard]] std::byte* page_of(const step_row& at) const noexcept {
        return what.sequences[static_cast<std::size_t>(at.sequence)].pages[at.position / page_tokens];
    }

    // This worker's share of the panels of all the products together.
    void multiply(const worker& self, std::initializer_list<product> products, const operands& from, const float* x,
                  std::size_t stride, std::size_t count, bool accumulate) const noexcept {
        std::size_t total = 0;
        for (const product& p : products) total += p.matrix->matrix.panels();
        const index_range share = self.share(total);
        std::size_t before = 0;
        for (const product& p : products) {
            const std::size_t panels = p.matrix->matrix.panels();
            const std::size_t first = std::clamp(share.begin, before, before + panels) - before;
            const std::size_t last = std::clamp(share.end, before, before + panels) - before;
            before += panels;
            multiply_panels(*p.matrix, p.out, from, x, stride, count, accumulate, first, last);
        }
    }

    void begin(std::size_t row) const noexcept {
        if (w.probe != nullptr && w.probe->stream_in != nullptr)
            std::copy_n(w.probe->stream_in + row * width, width, w.x + row * width);
        else embed(row);
        find_angles(row);
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
    }

    void find_angles(std::size_t row) const noexcept {
        const step_row& at = what.rows[row];
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

    // Norms, rotates and files queries and keys. Keys, which take longest, are shared out by themselves.
    void place(const worker& self, const layer_weights& layer, std::int32_t index) const noexcept {
        const int kind = c.windowed(index) ? 1 : 0;
        const auto key_size = static_cast<std::size_t>(c.key_size);
        const auto heads = static_cast<std::size_t>(c.heads);
        const auto kv_heads = static_cast<std::size_t>(c.kv_heads);
        const auto turn = [&](float* x, const norm_weight& norm, std::size_t row) {
            if (norm.present()) normalise(norm, x, key_size, x);
            if (c.rotary)
                k.rope(x, w.cosines[kind] + row * pairs, w.sines[kind] + row * pairs, static_cast<std::size_t>(c.rotary_size), c.rotary_style);
        };
        const index_range keys = self.share(rows * kv_heads);
        for (std::size_t item = keys.begin; item < keys.end; ++item) {
            const std::size_t row = item / kv_heads;
            const std::size_t head = item % kv_heads;
            float* x = w.key + row * key_width + head * key_size;
            turn(x, layer.key_norm, row);
            const step_row& at = what.rows[row];
            k.store_kv(what.layout, page_of(at), index, static_cast<std::int32_t>(head), at.position % page_tokens, x,
                       w.value + row * value_width + head * static_cast<std::size_t>(c.value_size));
        }
        const index_range queries = self.share(rows * heads);
        for (std::size_t item = queries.begin; item < queries.end; ++item)
            turn(w.query + item / heads * query_width + item % heads * key_size, layer.query_norm, item / heads);
    }

    // Attention is dealt in blocks of rows of one kv head, which read a page once for all their queries, in turns, so that the
    // workers' shares stay even although later rows see more. Where such blocks would leave workers idle, each has its share of
    // the query heads in one piece, so that a page is read by as few workers as can be. With `quantize_too`, the heads'
    // outputs go into blocks of the output matrix's input at once.
    void attend(const worker& self, std::int32_t index, bool quantize_too) const noexcept {
        constexpr std::size_t rows_together = 16;
        const std::size_t row_blocks = (rows + rows_together - 1) / rows_together;
        const auto kv_heads = static_cast<std::size_t>(c.kv_heads);
        const auto workers = static_cast<std::size_t>(self.count);
        const std::size_t group = static_cast<std::size_t>(c.heads) / kv_heads;
        const std::size_t blocks = row_blocks * kv_heads;
        // How long the busiest worker is at it, in query heads of a block of rows.
        const std::size_t whole = (blocks + workers - 1) / workers * group;
        const std::size_t apart = (blocks * group + workers - 1) / workers;
        if (8 * whole <= 9 * apart) {
            for (auto item = static_cast<std::size_t>(self.index); item < blocks; item += workers) {
                const std::size_t first = item / kv_heads * rows_together;
                const std::size_t head = item % kv_heads * group;
                attend_heads(self, index, {first, std::min(rows, first + rows_together)}, {head, head + group}, quantize_too);
            }
            return;
        }
        for (std::size_t block = 0; block < row_blocks; ++block) {
            const std::size_t first = block * rows_together;
            const index_range of{first, std::min(rows, first + rows_together)};
            const auto turn = (static_cast<std::size_t>(self.index) + block) % workers;  // so that nobody has all the larger shares
            const index_range heads = worker{static_cast<int>(turn), self.count}.share(kv_heads * group);
            for (std::size_t head = heads.begin, end = 0; head < heads.end; head = end) {
                end = std::min(heads.end, (head / group + 1) * group);
                attend_heads(self, index, of, {head, end}, quantize_too);
            }
        }
    }

    // Query heads of one kv head, of some rows.
    void attend_heads(const worker& self, std::int32_t index, index_range of, index_range heads, bool quantize_too) const noexcept {
        const std::int32_t group = c.heads / c.kv_heads;
        const auto value_size = static_cast<std::size_t>(c.value_size);
        const auto first_head = static_cast<std::int32_t>(heads.begin);
        const std::size_t state_stride = 2 * static_cast<std::size_t>(c.heads);
        k.attention({.layout = what.layout, .layer = index, .rows = w.attention + of.begin, .row_count = of.size(),
                     .queries = w.query + of.begin * query_width, .query_stride = query_width, .out = w.mixed + of.begin * mixed_width,
                     .out_stride = mixed_width, .heads_per_kv = group, .kv_head = first_head / group, .first_head = first_head % group,
                     .last_head = first_head % group + static_cast<std::int32_t>(heads.size()),
                     .state = w.softmax + of.begin * state_stride, .state_stride = state_stride,
                     .page = w.page + static_cast<std::size_t>(self.index) * w.page_floats, .scale = c.attention_scale,
                     .softcap = c.attention_softcap, .window = c.windowed(index) ? c.window : 0});
        if (!quantize_too) return;
        for (std::size_t row = of.begin; row < of.end; ++row)
            quantize_columns(w.outer, row, w.mixed + row * mixed_width, heads.begin * value_size, heads.end * value_size);
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
                  const operands& from, const float* x, std::size_t stride, const weight& next, std::size_t others = 0) const noexcept {
        if (!post.present()) {
            multiply(self, {{&matrix, w.x}}, from, x, stride, rows, true);
            prefetch(self, next, others);
            self.wait();
            return;
        }
        multiply(self, {{&matrix, w.hidden}}, from, x, stride, rows, false);
        prefetch(self, next, others);
        self.wait();
        add_normalised(mine, post);
        if (alone(self)) self.wait();  // every worker reads the row next
    }

    void run(const worker& self) const noexcept {
        const index_range mine = self.share(rows);
        for (std::size_t row = mine.begin; row < mine.end; ++row) {
            begin(row);
            const step_row& at = what.rows[row];
            w.attention[row] = {what.sequences[static_cast<std::size_t>(at.sequence)].pages, at.position};
            if (at.logits >= 0) w.logit_rows[at.logits] = static_cast<std::int32_t>(row);
        }
        if (alone(self)) self.wait();  // every worker reads the row next
        const normalised from = normalised_of(self);
        const std::int32_t first_layer = w.probe != nullptr ? w.probe->first_layer : 0;
        const std::int32_t last_layer = w.probe != nullptr && w.probe->last_layer >= 0 ? w.probe->last_layer : c.layers;
        for (std::int32_t index = first_layer; index < last_layer; ++index) {
            const layer_weights& layer = model.layers[static_cast<std::size_t>(index)];
            const bool last = index + 1 == c.layers;
            normalise_rows(self, mine, layer.attention_norm, from, {&layer.query, &layer.key, &layer.value});
            show(self, index, layer_input::attention, from.values, width, rows);
            prefetch_keys(self, index);
            multiply(self, {{&layer.query, w.query}, {&layer.key, w.key}, {&layer.value, w.value}}, from.quants, from.values, width, rows, false);
            prefetch(self, layer.output);
            self.wait();
            place(self, layer, index);
            self.wait();
            mix(self, mine, layer, index);
            show(self, index, layer_input::attention_output, w.mixed, mixed_width, rows);
            residual(self, mine, layer.output, layer.post_attention_norm, w.outer, w.mixed, mixed_width, c.gated ? layer.gate : layer.up);
            normalise_rows(self, mine, layer.feed_forward_norm, from, {&layer.gate, &layer.up});
            show(self, index, layer_input::feed_forward, from.values, width, rows);
            feed_forward(self, mine, layer, from);
            show(self, index, layer_input::feed_forward_down, w.up, inner_width, rows);
            const layer_weights* next = last ? nullptr : &layer + 1;
            residual(self, mine, layer.down, layer.post_feed_forward_norm, w.inner, w.up, inner_width, last ? model.head : next->query,
                     last ? 0 : next->key.matrix.panels() + next->value.matrix.panels());
        }
        if (w.probe == nullptr || w.probe->last_layer < 0) return predict(self);
        for (std::size_t row = mine.begin; row < mine.end && w.probe->stream_out != nullptr; ++row)
            std::copy_n(w.x + row * width, width, w.probe->stream_out + row * width);
    }

    // Attention, and its output in the format of the output matrix.
    void mix(const worker& self, const index_range& mine, const layer_weights& layer, std::int32_t index) const noexcept {
        const bool at_once = by_columns(layer.output) && c.value_size % static_cast<std::int32_t>(block_columns) == 0;
        attend(self, index, at_once && wants_blocks(layer.output));
        self.wait();
        if (at_once) return;
        for (std::size_t row = mine.begin; row < mine.end; ++row)
            quantize(w.outer, row, w.mixed + row * mixed_width, mixed_width, {&layer.output});
        self.wait();
    }

    // The products into the block's inside and its activation. Each worker has the same columns of gate and up, in whole
    // blocks, and goes on with what it has: the rows are the outer share only where a scale spans the row.
    void feed_forward(const worker& self, const index_range& mine, const layer_weights& layer, const normalised& from) const noexcept {
        constexpr std::size_t panels_per_block = block_columns / panel_rows;
        const index_range panels = self.share(layer.up.matrix.panels(), panels_per_block);
        if (c.gated) multiply_panels(layer.gate, w.gate, from.quants, from.values, width, rows, false, panels.begin, panels.end);
        multiply_panels(layer.up, w.up, from.quants, from.values, width, rows, false, panels.begin, panels.end);
        const std::size_t first = panels.begin * panel_rows;
        const std::size_t end = std::min(panels.end * panel_rows, inner_width);
        const bool at_once = by_columns(layer.down);
        for (std::size_t row = 0; row < rows && first < end; ++row) {
            float* const up = w.up + row * inner_width;
            if (c.gated) k.activate_gated(c.feed_forward_activation, w.gate + row * inner_width + first, up + first, end - first, up + first);
            else k.activate(c.feed_forward_activation, up + first, end - first, up + first);
            if (at_once && wants_blocks(layer.down)) quantize_columns(w.inner, row, up, first, end);
        }
        prefetch(self, layer.down);
        self.wait();
        if (at_once) return;
        for (std::size_t row = mine.begin; row < mine.end; ++row)
            quantize(w.inner, row, w.up + row * inner_width, inner_width, {&layer.down});
        self.wait();
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
            quantize(w.outer, i, h, width, {&model.head});
        }
        self.wait();
        show(self, c.layers, layer_input::head, w.hidden, width, asked);
        const packed_matrix& matrix = model.head.matrix;
        const matmul_args args{.weights = matrix, .in = inputs(matrix.format, w.outer, w.hidden, width), .rows = asked,
                               .out = what.logits, .out_stride = what.logits_stride, .bias = model.head.bias_or_null(),
                               .accumulate = false};
        // A piece of all rows is finished while it is in the cache: the cap, and what samplers need to know of each block.
        constexpr std::size_t panels_per_block = logit_block / panel_rows;
        constexpr std::size_t piece_floats = 32768;
        const std::size_t piece = std::max<std::size_t>(1, piece_floats / (asked * logit_block)) * panels_per_block;
        const index_range panels = self.share(matrix.panels(), panels_per_block);
        for (std::size_t panel = panels.begin, end = 0; panel < panels.end; panel = end) {
            end = std::min(panels.end, panel + piece);
            multiply_panels(model.head, args, panel, end);
            const std::size_t first = panel * panel_rows;
            const std::size_t count = std::min(end * panel_rows, matrix.rows) - first;
            for (std::size_t i = 0; i < asked; ++i) {
                float* const logits = what.logits + i * what.logits_stride + first;
                if (c.final_softcap > 0.0f) k.softcap(logits, c.final_softcap, count);
                if (what.block_tops != nullptr)
                    k.block_tops(logits, count, what.block_tops + i * what.block_tops_stride + first / logit_block);
            }
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
HENCE_INLINE void decoder::workspace::attach(const layer_probe* probe) noexcept { buffers_->probe = probe; }
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
    const auto threads = static_cast<std::size_t>(std::max(1, options.threads));

    auto made = std::make_unique<workspace::buffers>();
    workspace::buffers& w = *made;
    w.max_rows = options.max_rows;
    w.max_logits = options.max_logits;
    w.threads = options.threads;
    w.page_floats = cache_layout(dtype::i8).open_floats();
    // Twice through the same list: first to add up the sizes, then to hand out addresses.
    std::byte* base = nullptr;
    std::size_t used = 0;
    const auto take = [&](auto*& pointer, std::size_t count) {
        using element = std::remove_reference_t<decltype(*pointer)>;
        if (base != nullptr) pointer = reinterpret_cast<element*>(base + used);
        used += (count * sizeof(element) + HENCE_ALIGNMENT - 1) / HENCE_ALIGNMENT * HENCE_ALIGNMENT;
    };
    const auto padded = [](std::size_t columns) { return (columns + block_columns - 1) / block_columns * block_columns; };
    const auto take_operands = [&](workspace::operands& o, std::size_t count, std::size_t columns) {
        o.stride = columns;
        take(o.block_quants, count * columns);
        take(o.block_scales, count * columns / block_columns);
        take(o.block_sums, count * columns / block_columns);
        take(o.halves, state_->bf16_activations ? count * columns : 0);
        take(o.row_quants, count * columns);
        take(o.row_scales, count);
        take(o.row_sums, count);
    };
    const auto lay_out = [&] {
        used = 0;
        take(w.x, rows * width);
        take(w.hidden, rows * width);
        take(w.own_hidden, threads * width);
        take_operands(w.outer, rows, padded(std::max(width, mixed)));
        take_operands(w.own, threads, padded(width));
        take_operands(w.inner, rows, padded(inner));
        take(w.query, rows * heads * static_cast<std::size_t>(c.key_size));
        take(w.key, rows * kv_heads * static_cast<std::size_t>(c.key_size));
        take(w.value, rows * kv_heads * static_cast<std::size_t>(c.value_size));
        take(w.mixed, rows * mixed);
        take(w.gate, c.gated ? rows * inner : 0);
        take(w.up, rows * inner);
        for (int kind = 0; kind < 2; ++kind) {
            take(w.cosines[kind], rows * pairs);
            take(w.sines[kind], rows * pairs);
        }
        take(w.attention, rows);
        take(w.softmax, rows * heads * 2);
        take(w.page, threads * w.page_floats);
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
