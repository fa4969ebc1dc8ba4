// Definitions of compress/shrink.hpp.
#ifndef HENCE_COMPRESS_DETAIL_SHRINK_INL_HPP
#define HENCE_COMPRESS_DETAIL_SHRINK_INL_HPP

#include "../../models/architectures.hpp"
#include "../../quant/encode.hpp"
#include "../shrink.hpp"
#include "whole_model.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

HENCE_NAMESPACE_BEGIN

namespace compress {

namespace detail {

class shrinker {
public:
    shrinker(const gguf_file& file, const shrink_options& options, decoder_config config)
        : file_(file), options_(options), c_(std::move(config)) {}

    result<shrunk_model> run() {
        for (const file_tensor& t : file_.tensors()) made_.parameters_before += static_cast<std::size_t>(t.elements());
        switch (options_.what.kind) {
            case shrink_kind::heads: HENCE_TRY(heads()); break;
            case shrink_kind::channels: HENCE_TRY(channels()); break;
            case shrink_kind::layers: HENCE_TRY(layers()); break;
        }
        for (const compressed_tensor& t : made_.tensors) {
            std::size_t elements = 1;
            for (const std::int64_t extent : t.shape) elements *= static_cast<std::size_t>(extent);
            made_.parameters_after += elements;
        }
        return std::move(made_);
    }

private:
    using indices = std::vector<std::size_t>;

    static indices all(std::size_t n) {
        indices list(n);
        std::iota(list.begin(), list.end(), std::size_t{0});
        return list;
    }

    // Each of `units` as `size` neighbours.
    static indices spread(const indices& units, std::size_t size) {
        indices list;
        for (const std::size_t unit : units)
            for (std::size_t i = 0; i < size; ++i) list.push_back(unit * size + i);
        return list;
    }

    // The `count` units of the highest scores, in their old order.
    static indices highest(const std::vector<double>& scores, std::size_t count) {
        indices order = all(scores.size());
        std::stable_sort(order.begin(), order.end(),
                         [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
        order.resize(count);
        std::sort(order.begin(), order.end());
        return order;
    }

    [[nodiscard]] error out_of_range(const char* what, const std::string& allowed, const std::string& asked) const {
        return make_error(errc::out_of_range, file_.name() + ": " + what, allowed, asked);
    }

    result<const file_tensor*> tensor(const std::string& name) const {
        const file_tensor* found = file_.find_tensor(name);
        if (found == nullptr || found->shape.size() > 2)
            return make_error(errc::unsupported, file_.name(),
                              "a matrix of its own for each of queries, keys, values, gate and up", "none", name);
        return found;
    }

    // Adds the squares of a matrix's weights to the unit that their row or column belongs to.
    result<void> add_squares(const std::string& name, bool by_row, std::size_t unit,
                             std::vector<double>& scores) const {
        HENCE_TRY_ASSIGN(t, tensor(name));
        HENCE_TRY_ASSIGN(values, finite_floats(file_, *t));
        const auto columns = static_cast<std::size_t>(t->shape.back());
        const std::size_t extent = by_row ? static_cast<std::size_t>(t->shape.front()) : columns;
        if (extent != unit * scores.size())
            return make_error(errc::mismatch, file_.name(),
                              std::to_string(unit * scores.size()) + (by_row ? " rows" : " columns"),
                              std::to_string(extent), name);
        for (std::size_t i = 0; i < values.size(); ++i)
            scores[(by_row ? i / columns : i % columns) / unit] +=
                static_cast<double>(values[i]) * static_cast<double>(values[i]);
        return {};
    }

    void copy(const file_tensor& t, std::string name) {
        made_.tensors.push_back({std::move(name), t.type, t.shape, {t.data.begin(), t.data.end()}});
    }

    // Rows (or elements of a vector) keep their bytes.
    void take_rows(const file_tensor& t, const indices& rows) {
        const bool vector = t.shape.size() == 1;
        const std::size_t stride =
            vector ? traits(t.type).block_bytes : row_bytes(t.type, static_cast<std::size_t>(t.shape[1]));
        compressed_tensor out{t.name, t.type, t.shape, {}};
        out.shape[0] = static_cast<std::int64_t>(rows.size());
        for (const std::size_t row : rows) {
            const auto from = t.data.subspan(row * stride, stride);
            out.data.insert(out.data.end(), from.begin(), from.end());
        }
        made_.tensors.push_back(std::move(out));
    }

    // Columns lie in blocks that have to be made anew.
    result<void> take_columns(const file_tensor& t, const indices& columns) {
        const dtype type = options_.type.value_or(t.type);
        if (!can_encode(type))
            return make_error(errc::unsupported, file_.name(),
                              "a format that columns can be taken out of; or another type for the result (--type)",
                              std::string(name(type)), t.name);
        HENCE_TRY_ASSIGN(values, finite_floats(file_, t));
        const auto rows = static_cast<std::size_t>(t.shape[0]);
        const auto before = static_cast<std::size_t>(t.shape[1]);
        if (columns.size() % traits(type).block_elements != 0)
            return make_error(errc::mismatch, file_.name() + ": type " + std::string(name(type)),
                              "columns in multiples of " + std::to_string(traits(type).block_elements),
                              std::to_string(columns.size()), t.name);
        compressed_tensor out{t.name, type, {t.shape[0], static_cast<std::int64_t>(columns.size())}, {}};
        const std::size_t stride = row_bytes(type, columns.size());
        out.data.resize(rows * stride);
        std::vector<float> row(columns.size());
        for (std::size_t r = 0; r < rows; ++r) {
            for (std::size_t i = 0; i < columns.size(); ++i) row[i] = values[r * before + columns[i]];
            HENCE_TRY(encode_row(type, row, std::span(out.data).subspan(r * stride, stride)));
        }
        made_.tensors.push_back(std::move(out));
        return {};
    }

    struct cut {
        std::string name;  // with or without .weight and .bias
        const indices* rows = nullptr;
        const indices* columns = nullptr;
    };

    // The file's tensors in their order, some of them cut.
    result<void> apply(const std::vector<cut>& cuts) {
        for (const file_tensor& t : file_.tensors()) {
            const auto found = std::find_if(cuts.begin(), cuts.end(), [&](const cut& one) {
                return t.name == one.name + ".weight" || (t.name == one.name + ".bias" && one.rows != nullptr);
            });
            if (found == cuts.end())
                copy(t, t.name);
            else if (found->rows != nullptr)
                take_rows(t, *found->rows);
            else
                HENCE_TRY(take_columns(t, *found->columns));
        }
        return {};
    }

    static std::string block(std::int32_t layer) { return "blk." + std::to_string(layer) + "."; }
    void size(const std::string& key, std::size_t value) {
        made_.sizes.emplace_back(c_.architecture + "." + key, static_cast<std::uint32_t>(value));
    }

    result<void> heads() {
        const auto groups = static_cast<std::size_t>(c_.kv_heads);
        const std::size_t count = options_.what.count;
        if (groups < 2) return out_of_range("heads", "a model with two key-value heads or more", "one");
        if (count == 0 || count >= groups)
            return out_of_range("heads", "1 to " + std::to_string(groups - 1) + " key-value heads to go",
                                std::to_string(count));
        if (c_.fused_qkv)
            return make_error(errc::unsupported, file_.name(), "queries, keys and values in matrices of their own",
                              "fused ones");
        const auto each = static_cast<std::size_t>(c_.heads / c_.kv_heads);
        const auto key = static_cast<std::size_t>(c_.key_size);
        const auto value = static_cast<std::size_t>(c_.value_size);
        std::vector<std::vector<indices>> lists(static_cast<std::size_t>(c_.layers));
        std::vector<cut> cuts;
        for (std::int32_t layer = 0; layer < c_.layers; ++layer) {
            std::vector<double> scores(groups, 0.0);
            HENCE_TRY(add_squares(block(layer) + "attn_q.weight", true, each * key, scores));
            HENCE_TRY(add_squares(block(layer) + "attn_k.weight", true, key, scores));
            HENCE_TRY(add_squares(block(layer) + "attn_v.weight", true, value, scores));
            HENCE_TRY(add_squares(block(layer) + "attn_output.weight", false, each * value, scores));
            const indices stay = highest(scores, groups - count);
            auto& own = lists[static_cast<std::size_t>(layer)];
            own = {spread(stay, each * key), spread(stay, key), spread(stay, value), spread(stay, each * value)};
            cuts.push_back({block(layer) + "attn_q", &own[0], nullptr});
            cuts.push_back({block(layer) + "attn_k", &own[1], nullptr});
            cuts.push_back({block(layer) + "attn_v", &own[2], nullptr});
            cuts.push_back({block(layer) + "attn_output", nullptr, &own[3]});
        }
        HENCE_TRY(apply(cuts));
        size("attention.head_count", (groups - count) * each);
        size("attention.head_count_kv", groups - count);
        size("attention.key_length", key);  // no longer width / heads
        size("attention.value_length", value);
        if (c_.rotary) size("rope.dimension_count", static_cast<std::size_t>(c_.rotary_size));
        return {};
    }

    result<void> channels() {
        const auto inner = static_cast<std::size_t>(c_.feed_forward);
        const double share = options_.what.share;
        const auto stay_count =
            static_cast<std::size_t>(std::llround((1.0 - share) * static_cast<double>(inner) / 32.0)) * 32;
        if (!(share > 0.0 && share < 1.0) || stay_count == 0 || stay_count >= inner)
            return out_of_range("channels",
                                "a share that leaves a multiple of 32 from 32 to " + std::to_string(inner - 1),
                                std::to_string(share));
        if (c_.fused_gate)
            return make_error(errc::unsupported, file_.name(), "gate and up in matrices of their own", "fused ones");
        std::vector<indices> lists(static_cast<std::size_t>(c_.layers));
        std::vector<cut> cuts;
        for (std::int32_t layer = 0; layer < c_.layers; ++layer) {
            std::vector<double> scores(inner, 0.0);
            if (c_.gated) HENCE_TRY(add_squares(block(layer) + "ffn_gate.weight", true, 1, scores));
            HENCE_TRY(add_squares(block(layer) + "ffn_up.weight", true, 1, scores));
            HENCE_TRY(add_squares(block(layer) + "ffn_down.weight", false, 1, scores));
            indices& stay = lists[static_cast<std::size_t>(layer)];
            stay = highest(scores, stay_count);
            cuts.push_back({block(layer) + "ffn_gate", &stay, nullptr});
            cuts.push_back({block(layer) + "ffn_up", &stay, nullptr});
            cuts.push_back({block(layer) + "ffn_down", nullptr, &stay});
        }
        HENCE_TRY(apply(cuts));
        size("feed_forward_length", stay_count);
        return {};
    }

    result<void> layers() {
        const auto count = static_cast<std::int64_t>(options_.what.count);
        if (count == 0 || count >= c_.layers)
            return out_of_range("layers", "1 to " + std::to_string(c_.layers - 1) + " layers to go",
                                std::to_string(count));
        if (c_.window > 0 && c_.window_period > 0)
            return make_error(errc::unsupported, file_.name(), "layers that are all alike",
                              "every " + std::to_string(c_.window_period) + "th without a window");
        const std::int64_t first = c_.layers - 1 - count;  // the last one stays
        for (const file_tensor& t : file_.tensors()) {
            std::int64_t layer = -1;
            const char* rest = nullptr;
            if (t.name.starts_with("blk."))
                rest = std::from_chars(t.name.data() + 4, t.name.data() + t.name.size(), layer).ptr;
            if (layer >= first && layer < c_.layers - 1) continue;
            if (layer < first)
                copy(t, t.name);
            else
                copy(t, block(static_cast<std::int32_t>(first)) + std::string(rest + 1, t.name.data() + t.name.size()));
        }
        size("block_count", static_cast<std::size_t>(c_.layers - count));
        return {};
    }

    const gguf_file& file_;
    const shrink_options& options_;
    decoder_config c_;
    shrunk_model made_;
};

inline result<gguf_writer> shrunk_writer(const shrunk_model& model, const gguf_file& source) {
    gguf_writer writer = writer_like(source);
    for (const auto& [key, value] : model.sizes) writer.add(key, value);
    for (const compressed_tensor& t : model.tensors) HENCE_TRY(writer.add_tensor(t.name, t.type, t.shape, t.data));
    return writer;
}

}  // namespace detail

HENCE_INLINE std::optional<shrink_request> parse_shrink(std::string_view text) noexcept {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string_view word = text.substr(0, colon);
    const char* const begin = text.data() + colon + 1;
    const char* const end = text.data() + text.size();
    shrink_request request;
    if (word == "channels") {
        request.kind = shrink_kind::channels;
        const auto [stop, problem] = std::from_chars(begin, end, request.share);
        if (problem != std::errc() || stop != end) return std::nullopt;
        return request;
    }
    if (word != "heads" && word != "layers") return std::nullopt;
    request.kind = word == "heads" ? shrink_kind::heads : shrink_kind::layers;
    const auto [stop, problem] = std::from_chars(begin, end, request.count);
    if (problem != std::errc() || stop != end) return std::nullopt;
    return request;
}

HENCE_INLINE result<shrunk_model> shrink(const gguf_file& file, const shrink_options& options) {
    HENCE_TRY_ASSIGN(config, models::read_config(file));
    return detail::shrinker(file, options, std::move(config)).run();
}

HENCE_INLINE result<void> write(const shrunk_model& model, const gguf_file& source, const std::string& path) {
    HENCE_TRY_ASSIGN(writer, detail::shrunk_writer(model, source));
    return writer.write(path);
}

HENCE_INLINE result<std::vector<std::byte>> to_bytes(const shrunk_model& model, const gguf_file& source) {
    HENCE_TRY_ASSIGN(writer, detail::shrunk_writer(model, source));
    return writer.to_bytes();
}

}  // namespace compress

HENCE_NAMESPACE_END

#endif
