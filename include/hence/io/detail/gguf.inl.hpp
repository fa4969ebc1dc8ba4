// Definitions of io/gguf.hpp.
#ifndef HENCE_IO_DETAIL_GGUF_INL_HPP
#define HENCE_IO_DETAIL_GGUF_INL_HPP

#include "../../core/text.hpp"
#include "../../sys/mapped_file.hpp"
#include "../gguf.hpp"
#include "gguf_parse.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

HENCE_NAMESPACE_BEGIN

struct gguf_file::state {
    std::string name;
    std::vector<mapped_file> maps;  // empty for a file in memory
    std::size_t parts = 1;
    detail::gguf_contents contents;
    std::vector<std::uint32_t> by_key;   // indices into metadata, sorted by key
    std::vector<std::uint32_t> by_name;  // indices into tensors, sorted by name
};

namespace detail {

template <class Item, class Name>
void index_by(const std::vector<Item>& items, std::vector<std::uint32_t>& order, Name name_of) {
    order.resize(items.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(),
              [&](std::uint32_t a, std::uint32_t b) { return name_of(items[a]) < name_of(items[b]); });
}

template <class Item, class Name>
const Item* find_by(const std::vector<Item>& items, const std::vector<std::uint32_t>& order, std::string_view name,
                    Name name_of) noexcept {
    const auto at = std::lower_bound(order.begin(), order.end(), name, [&](std::uint32_t i, std::string_view n) {
        return std::string_view(name_of(items[i])) < n;
    });
    return at != order.end() && name_of(items[*at]) == name ? &items[*at] : nullptr;
}

inline const std::string& key_of(const gguf_entry& entry) noexcept {
    return entry.key;
}
inline const std::string& name_of(const gguf_tensor& tensor) noexcept {
    return tensor.name;
}

/// One number of a metadata value, whatever its type: exactly one of the two members says it.
struct gguf_number {
    enum class kind { none, integer, unsigned_integer, real } what = kind::none;
    std::int64_t integer = 0;
    std::uint64_t natural = 0;
    double real = 0;
};

inline gguf_number number_at(gguf_type type, const std::byte* at) noexcept {
    using kind = gguf_number::kind;
    const auto integer = [](std::int64_t v) { return gguf_number{kind::integer, v, 0, 0}; };
    switch (type) {
        case gguf_type::u8: return integer(load<std::uint8_t>(at));
        case gguf_type::i8: return integer(load<std::int8_t>(at));
        case gguf_type::u16: return integer(load<std::uint16_t>(at));
        case gguf_type::i16: return integer(load<std::int16_t>(at));
        case gguf_type::u32: return integer(load<std::uint32_t>(at));
        case gguf_type::i32: return integer(load<std::int32_t>(at));
        case gguf_type::boolean: return integer(load<std::uint8_t>(at));
        case gguf_type::i64: return integer(load<std::int64_t>(at));
        case gguf_type::u64: return gguf_number{kind::unsigned_integer, 0, load<std::uint64_t>(at), 0};
        case gguf_type::f32: return gguf_number{kind::real, 0, 0, static_cast<double>(load<float>(at))};
        case gguf_type::f64: return gguf_number{kind::real, 0, 0, load<double>(at)};
        case gguf_type::string:
        case gguf_type::array: break;
    }
    return {};
}

inline std::string to_text(const gguf_number& number) {
    char buffer[32];
    std::to_chars_result end{buffer, {}};
    switch (number.what) {
        case gguf_number::kind::integer: end = std::to_chars(buffer, buffer + sizeof buffer, number.integer); break;
        case gguf_number::kind::unsigned_integer:
            end = std::to_chars(buffer, buffer + sizeof buffer, number.natural);
            break;
        case gguf_number::kind::real: end = std::to_chars(buffer, buffer + sizeof buffer, number.real); break;
        case gguf_number::kind::none: break;
    }
    return {buffer, end.ptr};
}

inline std::string type_text(const gguf_entry& entry) {
    std::string text(name(entry.type));
    if (entry.type == gguf_type::array) text += concat({" of ", name(entry.element)});
    return text;
}

/// Converts entries for gguf_file::get; knows the file's name for messages.
struct gguf_reader {
    const std::string& file;
    const gguf_entry& entry;

    [[nodiscard]] error wrong_type(std::string_view wanted) const {
        return make_error(errc::mismatch, concat({file, ": key ", quote(entry.key)}), std::string(wanted), type_text(entry), {},
                          entry.file_offset);
    }
    [[nodiscard]] error unfit(std::string_view wanted, const gguf_number& number) const {
        return make_error(errc::out_of_range, concat({file, ": key ", quote(entry.key)}),
                          concat({"a value that fits ", wanted}), detail::to_text(number), {}, entry.file_offset);
    }

    template <class T>
    result<void> convert(const gguf_number& number, T& out, std::string_view wanted) const {
        using kind = gguf_number::kind;
        if constexpr (std::is_floating_point_v<T>) {
            if (number.what == kind::none) return wrong_type(wanted);
            if (number.what == kind::real) {
                out = static_cast<T>(number.real);
                if (std::isfinite(number.real) && !std::isfinite(out)) return unfit(wanted, number);
            } else {
                out = number.what == kind::integer ? static_cast<T>(number.integer) : static_cast<T>(number.natural);
            }
        } else {
            if (number.what == kind::none || number.what == kind::real) return wrong_type(wanted);
            const bool fits =
                number.what == kind::integer ? std::in_range<T>(number.integer) : std::in_range<T>(number.natural);
            if (!fits) return unfit(wanted, number);
            out = number.what == kind::integer ? static_cast<T>(number.integer) : static_cast<T>(number.natural);
        }
        return {};
    }

    template <class T>
    result<void> number(T& out, std::string_view wanted) const {
        if (entry.type == gguf_type::array || entry.type == gguf_type::boolean) return wrong_type(wanted);
        return convert(number_at(entry.type, entry.data.data()), out, wanted);
    }

    template <class T>
    result<void> numbers(std::vector<T>& out, std::string_view wanted) const {
        const std::size_t size = value_bytes(entry.element);
        if (entry.type != gguf_type::array || size == 0) return wrong_type(wanted);
        out.resize(static_cast<std::size_t>(entry.count));
        for (std::size_t i = 0; i < out.size(); ++i)
            HENCE_TRY(convert(number_at(entry.element, entry.data.data() + i * size), out[i], wanted));
        return {};
    }

    template <class T>
    result<void> strings(std::vector<T>& out) const {
        if (entry.type != gguf_type::array || entry.element != gguf_type::string) return wrong_type("array of string");
        out.reserve(static_cast<std::size_t>(entry.count));
        byte_cursor cursor{entry.data};
        std::uint64_t length = 0;
        // Lengths were checked when the file was opened; the cursor checks them again for free.
        while (out.size() < entry.count && cursor.read(length) && length <= cursor.left()) {
            out.emplace_back(as_text(cursor.bytes.subspan(cursor.at, static_cast<std::size_t>(length))));
            cursor.at += static_cast<std::size_t>(length);
        }
        return {};
    }

    result<void> text(std::string_view& out) const {
        if (entry.type != gguf_type::string) return wrong_type("string");
        out = as_text(entry.data.subspan(8));
        return {};
    }
};

/// "model-00001-of-00003.gguf" -> the name of another file of the set, or empty for another kind of name.
inline std::string split_name(const std::string& path, std::uint64_t part, std::uint64_t count) {
    const auto five = [](std::uint64_t n) {
        std::string digits = decimal(n);
        return concat({std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0'), digits});
    };
    const std::string ending = concat({"-", five(1), "-of-", five(count), ".gguf"});
    if (!path.ends_with(ending)) return {};
    return concat({path.substr(0, path.size() - ending.size()), "-", five(part + 1), "-of-", five(count), ".gguf"});
}

/// The value of an integer key of one file's contents, or `otherwise`.
inline std::uint64_t small_number(const gguf_contents& contents, std::string_view key, std::uint64_t otherwise) {
    for (const gguf_entry& entry : contents.metadata) {
        if (entry.key != key || entry.type == gguf_type::array || entry.type == gguf_type::string) continue;
        const gguf_number number = number_at(entry.type, entry.data.data());
        if (number.what == gguf_number::kind::unsigned_integer) return number.natural;
        if (number.what == gguf_number::kind::integer && number.integer >= 0)
            return static_cast<std::uint64_t>(number.integer);
    }
    return otherwise;
}

/// Opens the second to last files of a split set and appends their tensors.
inline void open_rest_of_set(const std::string& path, std::uint64_t count, gguf_contents& contents,
                             std::vector<mapped_file>& maps, error_list& errors) {
    const std::uint64_t first = small_number(contents, "split.no", 0);
    if (first != 0) {
        errors.add(make_error(errc::invalid_argument, concat({path, ": key 'split.no'"}), "the first file of the set (0)",
                              decimal(first)));
        return;
    }
    if (split_name(path, 0, count).empty()) {
        errors.add(make_error(
            errc::mismatch, path,
            concat({"a name that ends as the first of ", count, " files of a set: NAME-00001-of-0000N.gguf"}),
            "another name"));
        return;
    }
    for (std::uint64_t part = 1; part < count; ++part) {
        const std::string name = split_name(path, part, count);
        auto opened = mapped_file::open(name);
        if (!opened) {
            errors.add(std::move(opened).error());
            // A set of thousands of absent files is one mistake, not thousands.
            if (part > 8) return;
            continue;
        }
        gguf_contents more;
        gguf_parser(opened->bytes(), name, static_cast<std::uint32_t>(part), errors).parse(more);
        const std::uint64_t number = small_number(more, "split.no", count);
        if (errors.empty() && number != part)
            errors.add(make_error(errc::mismatch, concat({name, ": key 'split.no'"}), decimal(part),
                                  number == count ? "no such key" : std::to_string(number)));
        std::move(more.tensors.begin(), more.tensors.end(), std::back_inserter(contents.tensors));
        maps.push_back(std::move(*opened));
    }
    const std::uint64_t announced = small_number(contents, "split.tensors.count", contents.tensors.size());
    if (errors.empty() && announced != contents.tensors.size())
        errors.add(make_error(errc::mismatch, concat({path, ": key 'split.tensors.count'"}),
                              concat({contents.tensors.size(), ", as the files of the set hold"}),
                              decimal(announced)));
}

}  // namespace detail

HENCE_INLINE result<gguf_file> gguf_file::open(const std::string& path) {
    HENCE_TRY_ASSIGN(map, mapped_file::open(path));
    auto made = std::make_shared<state>();
    made->name = path;
    detail::error_list errors;
    detail::gguf_parser(map.bytes(), path, 0, errors).parse(made->contents);
    made->maps.push_back(std::move(map));
    if (errors.empty()) {
        const std::uint64_t count = detail::small_number(made->contents, "split.count", 1);
        if (count > 65535)
            errors.add(
                make_error(errc::out_of_range, concat({path, ": key 'split.count'"}), "at most 65535", decimal(count)));
        else if (count > 1)
            detail::open_rest_of_set(path, count, made->contents, made->maps, errors);
    }
    if (!errors.empty()) return errors.take();
    made->parts = made->maps.size();
    detail::index_by(made->contents.metadata, made->by_key, detail::key_of);
    detail::index_by(made->contents.tensors, made->by_name, detail::name_of);
    for (std::size_t i = 1; made->parts > 1 && i < made->by_name.size(); ++i) {
        const gguf_tensor& tensor = made->contents.tensors[made->by_name[i]];
        if (tensor.name == made->contents.tensors[made->by_name[i - 1]].name)
            errors.add(make_error(errc::bad_format, concat({path, ": split set"}), "each tensor once", "two", tensor.name));
    }
    if (!errors.empty()) return errors.take();
    return gguf_file(std::move(made));
}

HENCE_INLINE result<gguf_file> gguf_file::from_bytes(std::span<const std::byte> bytes, std::string name) {
    auto made = std::make_shared<state>();
    made->name = std::move(name);
    detail::error_list errors;
    detail::gguf_parser(bytes, made->name, 0, errors).parse(made->contents);
    if (errors.empty() && detail::small_number(made->contents, "split.count", 1) > 1)
        errors.add(make_error(errc::unsupported, concat({made->name, ": key 'split.count'"}),
                              "one file: a split set is opened by the path of its first file", "a part of a set"));
    if (!errors.empty()) return errors.take();
    detail::index_by(made->contents.metadata, made->by_key, detail::key_of);
    detail::index_by(made->contents.tensors, made->by_name, detail::name_of);
    return gguf_file(std::move(made));
}

HENCE_INLINE std::uint32_t gguf_file::version() const noexcept {
    return state_->contents.version;
}
HENCE_INLINE const std::string& gguf_file::name() const noexcept {
    return state_->name;
}
HENCE_INLINE std::uint32_t gguf_file::alignment() const noexcept {
    return state_->contents.alignment;
}
HENCE_INLINE std::size_t gguf_file::parts() const noexcept {
    return state_->parts;
}
HENCE_INLINE std::span<const gguf_entry> gguf_file::metadata() const noexcept {
    return state_->contents.metadata;
}
HENCE_INLINE std::span<const gguf_tensor> gguf_file::tensors() const noexcept {
    return state_->contents.tensors;
}

HENCE_INLINE const gguf_entry* gguf_file::find(std::string_view key) const noexcept {
    return detail::find_by(state_->contents.metadata, state_->by_key, key, detail::key_of);
}

HENCE_INLINE const gguf_tensor* gguf_file::find_tensor(std::string_view tensor_name) const noexcept {
    return detail::find_by(state_->contents.tensors, state_->by_name, tensor_name, detail::name_of);
}

HENCE_INLINE void gguf_file::release_pages(const gguf_tensor& tensor) const noexcept {
    if (tensor.part < state_->maps.size())
        state_->maps[tensor.part].release(static_cast<std::size_t>(tensor.file_offset), tensor.data.size());
}

HENCE_INLINE error gguf_file::missing(std::string_view key) const {
    return make_error(errc::missing, state_->name, concat({"key ", quote(key)}), "no such key");
}

// One body per result type; the reader does the work.
#define HENCE_GGUF_READ_(type, call)                                                                  \
    HENCE_INLINE result<void> gguf_file::read(std::string_view key, type& out, bool& present) const { \
        const gguf_entry* entry = find(key);                                                          \
        present = entry != nullptr;                                                                   \
        if (!present) return {};                                                                      \
        const detail::gguf_reader reader{state_->name, *entry};                                       \
        return call;                                                                                  \
    }
HENCE_GGUF_READ_(std::int32_t, reader.number(out, "i32"))
HENCE_GGUF_READ_(std::uint32_t, reader.number(out, "u32"))
HENCE_GGUF_READ_(std::int64_t, reader.number(out, "i64"))
HENCE_GGUF_READ_(std::uint64_t, reader.number(out, "u64"))
HENCE_GGUF_READ_(float, reader.number(out, "f32"))
HENCE_GGUF_READ_(double, reader.number(out, "f64"))
HENCE_GGUF_READ_(std::string_view, reader.text(out))
HENCE_GGUF_READ_(std::vector<std::string>, reader.strings(out))
HENCE_GGUF_READ_(std::vector<std::string_view>, reader.strings(out))
HENCE_GGUF_READ_(std::vector<float>, reader.numbers(out, "array of f32"))
HENCE_GGUF_READ_(std::vector<std::int32_t>, reader.numbers(out, "array of i32"))
HENCE_GGUF_READ_(std::vector<std::uint32_t>, reader.numbers(out, "array of u32"))
#undef HENCE_GGUF_READ_

HENCE_INLINE result<void> gguf_file::read(std::string_view key, bool& out, bool& present) const {
    const gguf_entry* entry = find(key);
    present = entry != nullptr;
    if (!present) return {};
    if (entry->type != gguf_type::boolean) return detail::gguf_reader{state_->name, *entry}.wrong_type("bool");
    out = entry->data[0] != std::byte{0};
    return {};
}

HENCE_INLINE result<void> gguf_file::read(std::string_view key, std::string& out, bool& present) const {
    std::string_view view;
    HENCE_TRY(read(key, view, present));
    out = view;
    return {};
}

HENCE_INLINE std::string to_text(const gguf_entry& entry, std::size_t max_elements) {
    const auto one = [](gguf_type type, detail::byte_cursor& cursor) -> std::string {
        if (type == gguf_type::string) {
            std::uint64_t length = 0;
            if (!cursor.read(length) || length > cursor.left()) return {};
            const auto text = detail::as_text(cursor.bytes.subspan(cursor.at, static_cast<std::size_t>(length)));
            cursor.at += static_cast<std::size_t>(length);
            return quote(text);
        }
        const std::byte* at = cursor.bytes.data() + cursor.at;
        if (!cursor.skip(detail::value_bytes(type))) return {};
        if (type == gguf_type::boolean) return *at != std::byte{0} ? "true" : "false";
        return detail::to_text(detail::number_at(type, at));
    };
    detail::byte_cursor cursor{entry.data};
    if (entry.type != gguf_type::array) return one(entry.type, cursor);
    if (entry.element == gguf_type::array) return concat({"[", entry.count, " arrays]"});
    std::string text = "[";
    for (std::uint64_t i = 0; i < entry.count && i < max_elements; ++i) {
        if (i != 0) text += ", ";
        text += one(entry.element, cursor);
    }
    if (entry.count > max_elements) text += ", ... " + std::to_string(entry.count) + " in all";
    return concat({text, "]"});
}

HENCE_NAMESPACE_END

#endif
