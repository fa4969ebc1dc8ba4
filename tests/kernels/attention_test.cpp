// Attention over pages: every tier against float64, and against itself however rows, heads and groups are divided.
#include "kernels/kernel_test.hpp"

#include <utility>

using namespace hence_test;

namespace {

struct shape {
    std::int32_t kv_heads = 1;
    std::int32_t group = 1;
    std::int32_t key_size = 16;
    std::int32_t value_size = 16;
    hence::dtype type = hence::dtype::f32;
    float softcap = 0.0f;
    std::int32_t window = 0;
};

constexpr hence::dtype cache_types[] = {hence::dtype::f32, hence::dtype::f16, hence::dtype::bf16, hence::dtype::i8};
constexpr std::int32_t layers = 2;
constexpr std::int32_t layer = 1;

// What an i8 cache keeps of a head's key or value.
std::vector<float> eight_bits(const float* x, std::int32_t size) {
    float largest = 0.0f;
    for (std::int32_t i = 0; i < size; ++i) largest = std::max(largest, std::fabs(x[i]));
    std::vector<float> kept;
    for (std::int32_t i = 0; i < size; ++i) kept.push_back(std::nearbyint(x[i] * (127.0f / largest)) * (largest / 127.0f));
    return kept;
}

// Where rows of one sequence look: each at its own copy; all at the same pages, as the rows of a prompt do; or at the
// same full pages and their own last one, as forked branches do.
enum class sharing { none, all, full_pages };

// One sequence's keys and values as a model wrote them, its pages, and one query row per position asked for. Whatever
// no row may look at is NaN: slots past a row's position in its last page, the other layer, pages before its window
// (absent).
struct problem {
    shape form;
    std::vector<std::int32_t> positions;
    std::int32_t length;
    std::vector<float> keys, values;  // [position][head][size]
    std::vector<float> queries;       // [row][stride]
    hence::kv_layout layout;
    std::vector<std::vector<std::byte>> storage;  // per row, its own copy of the pages
    std::vector<std::vector<std::byte*>> pages;
    std::vector<hence::attention_row> rows;

    problem(const hence::kernel_table& table, const shape& s, std::vector<std::int32_t> at, float size = 1.0f,
            sharing share = sharing::none)
        : form(s),
          positions(std::move(at)),
          length(*std::max_element(positions.begin(), positions.end()) + 1),
          layout{layers, s.kv_heads, s.key_size, s.value_size, s.type} {
        random_values random(static_cast<std::uint64_t>(s.key_size * 100 + s.group));
        keys = random.normals(static_cast<std::size_t>(length * s.kv_heads * s.key_size), size);
        values = random.normals(static_cast<std::size_t>(length * s.kv_heads * s.value_size), size);
        queries = random.normals(positions.size() * query_stride(), size);
        for (const std::int32_t position : positions) add_row(table, position);
        if (share != sharing::none) share_pages(table, share);
        for (std::size_t r = 0; r < positions.size(); ++r) rows.push_back({pages[r].data(), positions[r]});
    }

    std::size_t query_stride() const {
        return static_cast<std::size_t>(form.kv_heads * form.group * form.key_size) + 5;
    }
    std::size_t out_stride() const {
        return static_cast<std::size_t>(form.kv_heads * form.group * form.value_size) + 3;
    }
    std::int32_t begin(std::int32_t position) const {
        return form.window > 0 ? std::max(0, position + 1 - form.window) : 0;
    }
    float scale() const { return 1.0f / std::sqrt(static_cast<float>(form.key_size)); }

    hence::attention_args args(float* out, std::size_t first_row, std::size_t count) const {
        hence::attention_args a;
        a.layout = layout;
        a.layer = layer;
        a.rows = rows.data() + first_row;
        a.row_count = count;
        a.queries = queries.data() + first_row * query_stride();
        a.query_stride = query_stride();
        a.out = out + first_row * out_stride();
        a.out_stride = out_stride();
        a.heads_per_kv = form.group;
        a.last_head = form.group;
        a.scale = scale();
        a.softcap = form.softcap;
        a.window = form.window;
        return a;
    }

    // Query heads [first, last) of every kv head. What was in `out` and in the scratch memory does not matter.
    void run(const hence::kernel_table& table, hence::attention_args a, std::int32_t first, std::int32_t last) const {
        a.state_stride = static_cast<std::size_t>(2 * form.kv_heads * form.group) + 1;
        std::vector<float> state(a.row_count * a.state_stride, not_a_number);
        a.state = state.data();
        std::vector<float> opened(layout.open_floats(), not_a_number);
        a.page = opened.data();
        a.first_head = first;
        a.last_head = last;
        for (a.kv_head = 0; a.kv_head < form.kv_heads; ++a.kv_head) table.attention(a);
    }

    std::vector<float> run(const hence::kernel_table& table) const {
        std::vector<float> out(positions.size() * out_stride(), not_a_number);
        run(table, args(out.data(), 0, positions.size()), 0, form.group);
        return out;
    }

    // The exact result of one head of one row, and how far rounding may take a tier from it.
    void exact(std::size_t row, std::int32_t head, std::vector<double>& wanted, std::vector<double>& bounds) const {
        const std::int32_t kv = head / form.group;
        const std::int32_t end = positions[row] + 1;
        const float* q = queries.data() + row * query_stride() + static_cast<std::size_t>(head * form.key_size);
        std::vector<double> scores;
        double largest = -1e300, score_error = 0;
        for (std::int32_t p = begin(positions[row]); p < end; ++p) {
            double dot = 0, size = 0;
            for (std::int32_t d = 0; d < form.key_size; ++d) {
                const double term = stored(keys, p, kv, form.key_size, d) * double{q[d]};
                dot += term;
                size += std::fabs(term);
            }
            dot *= double{scale()};
            if (form.softcap > 0) dot = double{form.softcap} * std::tanh(dot / double{form.softcap});
            score_error = std::max(score_error, half_ulp * (form.key_size + 8) * size * double{scale()});
            scores.push_back(dot);
            largest = std::max(largest, dot);
        }
        double total = 0;
        for (double& s : scores) total += s = std::exp(s - largest);
        wanted.assign(static_cast<std::size_t>(form.value_size), 0.0);
        bounds.assign(wanted.size(), 1e-37);
        for (std::size_t i = 0; i < scores.size(); ++i) {
            const double weight = scores[i] / total;
            // A score that far below the largest carries the rounding of the difference into exp.
            const double error =
                2 * score_error + half_ulp * (static_cast<double>(end) + 24 - 2 * std::log(scores[i] + 1e-30));
            for (std::size_t d = 0; d < wanted.size(); ++d) {
                const double term = weight * stored(values, begin(positions[row]) + static_cast<std::int32_t>(i), kv,
                                                    form.value_size, static_cast<std::int32_t>(d));
                wanted[d] += term;
                bounds[d] += std::fabs(term) * error;
            }
        }
    }

private:
    double stored(const std::vector<float>& from, std::int32_t position, std::int32_t kv, std::int32_t size,
                  std::int32_t d) const {
        const float* const head = from.data() + (position * form.kv_heads + kv) * size;
        if (form.type == hence::dtype::f16) return double{hence::to_float(hence::to_f16(head[d]))};
        if (form.type == hence::dtype::bf16) return double{hence::to_float(hence::to_bf16(head[d]))};
        if (form.type == hence::dtype::i8) return double{eight_bits(head, size)[static_cast<std::size_t>(d)]};
        return double{head[d]};
    }

    // Adds one more row, at the last position of all, for its pages.
    void share_pages(const hence::kernel_table& table, sharing how) {
        const std::int32_t window = std::exchange(form.window, 0);
        add_row(table, length - 1);
        form.window = window;
        for (std::size_t row = 0; row < positions.size(); ++row)
            for (std::size_t page = 0; page < pages[row].size(); ++page)
                if (how == sharing::all || page + 1 < pages[row].size()) pages[row][page] = pages.back()[page];
    }

    void add_row(const hence::kernel_table& table, std::int32_t position) {
        const auto page_count = static_cast<std::size_t>(position / hence::page_tokens + 1);
        storage.emplace_back(page_count * layout.page_bytes(), std::byte{0xff});  // NaN in either format
        pages.emplace_back(page_count, nullptr);
        for (std::int32_t p = begin(position); p <= position; ++p) {
            const auto page = static_cast<std::size_t>(p / hence::page_tokens);
            pages.back()[page] = storage.back().data() + page * layout.page_bytes();
            for (std::int32_t h = 0; h < form.kv_heads; ++h)
                table.store_kv(layout, pages.back()[page], layer, h, p % hence::page_tokens,
                               &keys[static_cast<std::size_t>((p * form.kv_heads + h) * form.key_size)],
                               &values[static_cast<std::size_t>((p * form.kv_heads + h) * form.value_size)]);
        }
    }
};

void check(const shape& form, const std::vector<std::int32_t>& positions, float size = 1.0f) {
    std::vector<float> scalar;
    for (const hence::kernel_table* table : tiers()) {
        INFO(label(*table) << ", keys " << form.key_size << ", values " << form.value_size << ", group " << form.group
                           << ", cache " << hence::name(form.type) << ", softcap " << form.softcap << ", window "
                           << form.window);
        const problem p(*table, form, positions, size);
        const std::vector<float> out = p.run(*table);
        for (std::size_t row = 0; row < positions.size(); ++row) {
            for (std::int32_t head = 0; head < form.kv_heads * form.group; ++head) {
                std::vector<double> wanted, bounds;
                p.exact(row, head, wanted, bounds);
                const float* found = &out[row * p.out_stride() + static_cast<std::size_t>(head * form.value_size)];
                const std::size_t outside = first_outside(found, wanted.data(), bounds.data(), wanted.size());
                if (outside != wanted.size()) {
                    INFO("position " << positions[row] << ", head " << head << ", value " << outside << ": "
                                     << found[outside] << ", exact " << wanted[outside] << ", bound "
                                     << bounds[outside]);
                    CHECK(outside == wanted.size());
                }
            }
            for (std::size_t gap = (row + 1) * p.out_stride() - 3; gap < (row + 1) * p.out_stride(); ++gap)
                CHECK(std::isnan(out[gap]));
        }
        if (scalar.empty()) scalar = out;
        if (!fused(*table)) continue;
        for (std::size_t row = 0; row < positions.size(); ++row)
            CHECK(first_difference(&out[row * p.out_stride()], &scalar[row * p.out_stride()], p.out_stride() - 3) ==
                  p.out_stride() - 3);
    }
}

}  // namespace

TEST_CASE("attention: key and value sizes with and without tails, all cache types") {
    for (const hence::dtype type : cache_types) {
        for (const std::int32_t size : {8, 16, 24, 64, 80, 128, 256})
            check({.kv_heads = 2, .group = 2, .key_size = size, .value_size = size, .type = type}, {0, 40, 31});
        check({.key_size = 24, .value_size = 72, .type = type}, {33});
        check({.key_size = 192, .value_size = 128, .type = type}, {33});
        check({.key_size = 16, .value_size = 1, .type = type}, {33});
    }
}

TEST_CASE("attention: positions at and across page borders; what a row may not see may hold NaN") {
    const std::vector<std::int32_t> positions = {0, 1, 15, 16, 17, 30, 31, 32, 33, 47, 48, 63, 64, 65, 95, 96, 100};
    for (const hence::dtype type : cache_types)
        check({.kv_heads = 1, .group = 3, .key_size = 16, .value_size = 16, .type = type}, positions);
}

TEST_CASE("attention: sliding windows of every relation to a page; pages before the window may be absent") {
    for (const std::int32_t window : {1, 2, 5, 16, 31, 32, 33, 63, 64, 65, 200})
        check({.kv_heads = 1, .group = 2, .key_size = 16, .value_size = 24, .window = window},
              {0, 4, 31, 32, 40, 63, 64, 95, 96, 110});
}

TEST_CASE("attention: groups of 1 to 9 query heads share a key-value head") {
    for (std::int32_t group = 1; group <= 9; ++group)
        check({.kv_heads = 2, .group = group, .key_size = 16, .value_size = 16}, {5, 50});
}

TEST_CASE("attention: the softcap bends scores before the softmax; large scores stay finite") {
    for (const float softcap : {0.0f, 5.0f, 50.0f}) {
        check({.kv_heads = 1, .group = 2, .key_size = 64, .value_size = 64, .softcap = softcap}, {3, 70});
        check({.kv_heads = 1, .group = 2, .key_size = 64, .value_size = 64, .softcap = softcap}, {3, 70}, 30.0f);
    }
}

TEST_CASE("attention: the same bits for rows together and alone, and for query heads together and in any parts") {
    for (const hence::dtype type : cache_types) {
        for (const std::int32_t group : {1, 2, 3, 4, 5, 7, 9}) {
            const shape form{
                .kv_heads = 2, .group = group, .key_size = 24, .value_size = 80, .type = type, .softcap = 20.0f};
            for (const hence::kernel_table* table : tiers()) {
                INFO(label(*table) << ", group " << group);
                const problem p(*table, form, {70, 3, 31, 32, 64, 90});
                const std::vector<float> together = p.run(*table);
                const auto same = [&](const std::vector<float>& apart) {
                    return std::memcmp(together.data(), apart.data(), together.size() * sizeof(float)) == 0;
                };
                std::vector<float> rows(together.size(), not_a_number);
                for (std::size_t row = 0; row < p.positions.size(); ++row)
                    p.run(*table, p.args(rows.data(), row, 1), 0, group);
                CHECK(same(rows));
                for (std::int32_t split = 0; split <= group; ++split) {
                    std::vector<float> heads(together.size(), not_a_number);
                    p.run(*table, p.args(heads.data(), 0, 4), split, group);
                    p.run(*table, p.args(heads.data(), 0, 3), 0, split);
                    p.run(*table, p.args(heads.data(), 3, 3), 0, split);
                    p.run(*table, p.args(heads.data(), 4, 2), split, group);
                    CHECK(same(heads));
                }
            }
        }
    }
}

TEST_CASE("attention: the same bits whether rows share pages or have their own copies") {
    // As a prompt's rows, as branches of one prompt at the same place, and as mixes; with the narrow window some rows
    // of a page see no position in common.
    const std::vector<std::vector<std::int32_t>> steps = {{60, 61, 62, 63, 64, 65, 66, 67},
                                                          {100, 100, 100, 100, 100, 100, 100, 100, 100},
                                                          {3, 99, 40, 64, 40, 63, 99, 31, 32, 0},
                                                          {65, 94, 70, 80, 91}};
    for (const hence::dtype type : cache_types) {
        for (const std::int32_t group : {1, 3, 4}) {
            for (const std::int32_t window : {0, 5, 37}) {
                for (const auto& positions : steps) {
                    const shape form{.kv_heads = 2,
                                     .group = group,
                                     .key_size = 16,
                                     .value_size = 72,
                                     .type = type,
                                     .window = window};
                    for (const hence::kernel_table* table : tiers()) {
                        INFO(label(*table) << ", group " << group << ", window " << window << ", " << positions.size()
                                           << " rows from " << positions.front());
                        const std::vector<float> own = problem(*table, form, positions).run(*table);
                        for (const sharing how : {sharing::all, sharing::full_pages}) {
                            const std::vector<float> shared = problem(*table, form, positions, 1.0f, how).run(*table);
                            CHECK(std::memcmp(own.data(), shared.data(), own.size() * sizeof(float)) == 0);
                        }
                    }
                }
            }
        }
    }
}

TEST_CASE("attention: NaN in a key or value that a row does see shows in its result") {
    for (const hence::kernel_table* table : tiers()) {
        for (int i = 0; i < 8; ++i) {
            const bool in_key = i % 2 == 0;
            const shape form{.kv_heads = 1, .group = 1, .key_size = 16, .value_size = 16, .type = cache_types[i / 2]};
            problem p(*table, form, {40, 40});
            std::vector<float> bad(16, not_a_number);
            const std::vector<float> fine(16, 1.0f);
            table->store_kv(p.layout, p.pages[0][1], layer, 0, 5, in_key ? bad.data() : fine.data(),
                            in_key ? fine.data() : bad.data());
            const std::vector<float> out = p.run(*table);
            INFO(label(*table) << ", cache " << hence::name(form.type) << ", NaN in a " << (in_key ? "key" : "value"));
            for (std::size_t d = 0; d < 16; ++d) {
                CHECK(std::isnan(out[d]));
                CHECK(std::isfinite(out[p.out_stride() + d]));
            }
        }
    }
}

TEST_CASE("store_kv: touches one slot of one head and layer, rounding to f16 as the scalar conversion does") {
    for (const hence::dtype type : {hence::dtype::f32, hence::dtype::f16}) {
        const hence::kv_layout layout{2, 3, 24, 16, type};
        const std::vector<float> key = random_values(1).normals(24, 1e-5f), value = random_values(2).normals(16, 1e4f);
        for (const hence::kernel_table* table : tiers()) {
            INFO(label(*table) << ", cache " << hence::name(type));
            std::vector<std::byte> page(layout.page_bytes(), std::byte{0x5a}), wanted = page;
            table->store_kv(layout, page.data(), 1, 2, 7, key.data(), value.data());
            const auto put = [&](std::size_t offset, std::size_t index, float x) {
                const hence::f16 h = hence::to_f16(x);
                const void* from = type == hence::dtype::f16 ? static_cast<const void*>(&h) : &x;
                std::memcpy(wanted.data() + offset + index * layout.element_bytes(), from, layout.element_bytes());
            };
            for (std::size_t d = 0; d < 24; ++d) put(layout.key_offset(1, 2), d * hence::page_tokens + 7, key[d]);
            for (std::size_t d = 0; d < 16; ++d) put(layout.value_offset(1, 2), 7 * 16 + d, value[d]);
            CHECK(page == wanted);
        }
    }
}

TEST_CASE("store_kv: signed bytes with a scale per head and position, at most half a step from what was written") {
    const hence::kv_layout layout{2, 3, 24, 20, hence::dtype::i8};
    for (const float size : {1e-30f, 1.0f, 1e30f}) {
        const std::vector<float> key = random_values(1).normals(24, size), value = random_values(2).normals(20, size);
        for (const hence::kernel_table* table : tiers()) {
            INFO(label(*table) << ", size " << size);
            std::vector<std::byte> page(layout.page_bytes(), std::byte{0x5a}), wanted = page;
            table->store_kv(layout, page.data(), 1, 2, 7, key.data(), value.data());
            const auto put = [&](const std::vector<float>& x, std::size_t at, std::size_t step, std::size_t scale_at) {
                float largest = 0.0f;
                for (const float v : x) largest = std::max(largest, std::fabs(v));
                const float scale = largest / 127.0f;
                std::memcpy(wanted.data() + scale_at, &scale, sizeof scale);
                float found;
                std::memcpy(&found, page.data() + scale_at, sizeof found);
                CHECK(found == scale);
                for (std::size_t d = 0; d < x.size(); ++d) {
                    const auto quant = static_cast<std::int8_t>(page[at + d * step]);
                    CHECK(std::fabs(double{scale} * quant - double{x[d]}) <= 0.50001 * double{scale});
                    wanted[at + d * step] = page[at + d * step];
                }
            };
            const std::size_t scales = layout.scale_offset(1, 2) + 7 * sizeof(float);
            put(key, layout.key_offset(1, 2) + 7, hence::page_tokens, scales);
            put(value, layout.value_offset(1, 2) + 7 * 20, 1, scales + hence::page_tokens * sizeof(float));
            CHECK(page == wanted);
        }
    }
}

TEST_CASE("attention: an i8 cache gives the bits of a float cache that holds what it keeps") {
    for (const hence::kernel_table* table : tiers()) {
        problem p(*table, {.kv_heads = 2, .group = 3, .key_size = 24, .value_size = 40, .type = hence::dtype::i8}, {0, 40, 70});
        const std::vector<float> eight = p.run(*table);
        problem f(*table, {.kv_heads = 2, .group = 3, .key_size = 24, .value_size = 40}, {0, 40, 70});
        for (std::int32_t position = 0; position < f.length; ++position) {
            for (std::int32_t head = 0; head < 2; ++head) {
                const std::vector<float> key = eight_bits(&f.keys[static_cast<std::size_t>((position * 2 + head) * 24)], 24);
                const std::vector<float> value = eight_bits(&f.values[static_cast<std::size_t>((position * 2 + head) * 40)], 40);
                for (std::size_t row = 0; row < f.pages.size(); ++row) {
                    const auto page = static_cast<std::size_t>(position / hence::page_tokens);
                    if (page >= f.pages[row].size()) continue;
                    table->store_kv(f.layout, f.pages[row][page], layer, head, position % hence::page_tokens, key.data(),
                                    value.data());
                }
            }
        }
        INFO(label(*table));
        const std::vector<float> floats = f.run(*table);
        CHECK(std::memcmp(eight.data(), floats.data(), eight.size() * sizeof(float)) == 0);
    }
}
