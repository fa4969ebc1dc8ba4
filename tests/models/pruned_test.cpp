// A pruned model gives the same logits, bit for bit, whether its zeros are stored, packed away at load or left out of the
// file; and an ordinary model is not touched.
#include "support/catch.hpp"
#include "support/test_data.hpp"

#include <hence/cache/page_pool.hpp>
#include <hence/cache/sequence.hpp>
#include <hence/io/gguf_writer.hpp>
#include <hence/kernels/sparse.hpp>
#include <hence/models/decoder.hpp>

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

using namespace hence;

namespace {

// Of each `width` neighbours in a block the smallest half becomes zero; or the columns 4 g to 4 g + 3 of every other
// strip of sixteen rows.
std::vector<std::byte> with_zeros(const gguf_tensor& t, std::size_t width) {
    std::vector<std::byte> data(t.data.begin(), t.data.end());
    const auto columns = static_cast<std::size_t>(t.shape[1]);
    const std::size_t stride = row_bytes(t.type, columns);
    for (std::size_t r = 0; r < data.size() / stride; ++r) {
        for (std::size_t c = 0; c < columns; c += width) {
            std::vector<std::byte*> group;
            for (std::size_t i = 0; i < width; ++i)
                group.push_back(&data[r * stride + (c + i) / 32 * 34 + 2 + (c + i) % 32]);
            if (width > 8) {
                for (std::size_t i = 0; i < width; ++i)
                    if ((r / 16 + (c + i) / 4) % 2 == 0) *group[i] = std::byte{0};
                continue;
            }
            std::sort(group.begin(), group.end(), [](const std::byte* a, const std::byte* b) {
                return std::abs(std::to_integer<std::int8_t>(*a)) < std::abs(std::to_integer<std::int8_t>(*b));
            });
            for (std::size_t i = 0; i < width / 2; ++i) *group[i] = std::byte{0};
        }
    }
    return data;
}

bool is_layer_matrix(const gguf_tensor& t) {
    return t.name.starts_with("blk.") && t.shape.size() == 2 && t.type == dtype::q8_0;
}

std::vector<std::byte> written(const gguf_file& file, std::size_t width, dtype type, bool key) {
    gguf_writer writer;
    std::deque<std::vector<std::byte>> own;
    for (const gguf_entry& entry : file.metadata()) writer.add(entry);
    if (key) writer.add("hence.prune.pattern", "2:4");
    for (const gguf_tensor& t : file.tensors()) {
        if (!is_layer_matrix(t)) {
            writer.add_tensor(t.name, t.type, t.shape, t.data).value();
            continue;
        }
        own.push_back(with_zeros(t, width));
        if (type != dtype::q8_0) {
            const auto columns = static_cast<std::size_t>(t.shape[1]);
            std::vector<std::byte> smaller(own.back().size() / 34 * traits(type).block_bytes);
            for (std::size_t r = 0; r < static_cast<std::size_t>(t.shape[0]); ++r)
                REQUIRE(kernels::leave_out_zeros(type, own.back().data() + r * row_bytes(dtype::q8_0, columns), columns,
                                                 smaller.data() + r * row_bytes(type, columns)));
            own.back() = std::move(smaller);
        }
        writer.add_tensor(t.name, type, t.shape, own.back()).value();
    }
    return writer.to_bytes().value();
}

struct outcome {
    std::vector<float> logits;
    std::size_t bytes = 0;
};

outcome run(const std::vector<std::byte>& bytes, math arithmetic = math::f32) {
    load_options options;
    options.math = arithmetic;
    const decoder model = load(std::span(bytes), options).value();
    std::vector<step_row> rows;
    for (std::int32_t i = 0; i < 5; ++i) rows.push_back({i * 3 + 1, i, 0, i});
    page_pool pool({.page_bytes = model.cache_layout().page_bytes()});
    pool.ensure(1).value();
    kv_sequence sequence(pool);
    sequence.prepare(rows.size());
    auto buffers = model.make_workspace({.max_rows = rows.size(), .max_logits = rows.size()});
    outcome found{std::vector<float>(rows.size() * model.vocabulary_size()), model.weight_bytes()};
    const page_table table = sequence.table();
    serial_team team;
    model.forward({.rows = rows,
                   .sequences = {&table, 1},
                   .layout = model.cache_layout(),
                   .logits = found.logits.data(),
                   .logits_stride = model.vocabulary_size(),
                   .logits_count = static_cast<std::int32_t>(rows.size())},
                  buffers, team);
    return found;
}

bool same(const outcome& a, const outcome& b) {
    return a.logits.size() == b.logits.size() &&
           std::memcmp(a.logits.data(), b.logits.data(), a.logits.size() * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("a pruned model's logits do not depend on where its zeros went") {
    HENCE_REQUIRE_DATA(path, "golden/tiny/format-q8_0.gguf");
    const gguf_file file = gguf_file::open(path.string()).value();
    REQUIRE(std::any_of(file.tensors().begin(), file.tensors().end(), is_layer_matrix));
    const struct {
        std::size_t width;
        dtype type;
    } cases[] = {{4, dtype::q8_24}, {8, dtype::q8_48}, {32, dtype::q8_0}};
    for (const auto& c : cases) {
        INFO(c.width << ", " << name(c.type));
        const outcome dense = run(written(file, c.width, dtype::q8_0, false));
        const outcome packed = run(written(file, c.width, dtype::q8_0, true));
        CHECK(same(packed, dense));
        CHECK(packed.bytes < dense.bytes);
        if (c.type == dtype::q8_0) continue;
        const outcome stored = run(written(file, c.width, c.type, false));
        CHECK(same(stored, dense));
        CHECK(stored.bytes <= packed.bytes);
        const outcome floats = run(written(file, c.width, c.type, true), math::dequantized);
        CHECK(same(floats, run(written(file, c.width, dtype::q8_0, false), math::dequantized)));
    }
}
