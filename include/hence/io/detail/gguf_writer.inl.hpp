// Definitions of io/gguf_writer.hpp.
#ifndef HENCE_IO_DETAIL_GGUF_WRITER_INL_HPP
#define HENCE_IO_DETAIL_GGUF_WRITER_INL_HPP

#include "../../core/text.hpp"
#include "../../sys/atomic_file.hpp"
#include "../gguf_writer.hpp"
#include "gguf_parse.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

HENCE_NAMESPACE_BEGIN

namespace detail {

template <class T>
void append(std::vector<std::byte>& out, const T& value) {
    const std::size_t at = out.size();
    out.resize(at + sizeof(T));
    std::memcpy(out.data() + at, &value, sizeof(T));
}

inline void append_text(std::vector<std::byte>& out, std::string_view text) {
    append(out, std::uint64_t{text.size()});
    const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
    out.insert(out.end(), bytes, bytes + text.size());
}

template <class T>
void append_array(std::vector<std::byte>& out, gguf_type element, std::span<const T> values) {
    append(out, element);
    append(out, std::uint64_t{values.size()});
    const std::size_t at = out.size();
    out.resize(at + values.size_bytes());
    if (!values.empty()) std::memcpy(out.data() + at, values.data(), values.size_bytes());
}

[[nodiscard]] inline std::uint32_t format_id(dtype type) noexcept {
    for (const gguf_format& format : gguf_formats)
        if (format.known && format.type == type) return format.id;
    return ~0u;
}

[[nodiscard]] inline std::uint64_t padding(std::uint64_t at, std::uint32_t alignment) noexcept {
    return (alignment - at % alignment) % alignment;
}

}  // namespace detail

HENCE_INLINE std::vector<std::byte>& gguf_writer::slot(std::string_view key, gguf_type type) {
    for (stored_value& existing : values_) {
        if (existing.key != key) continue;
        existing.type = type;
        existing.bytes.clear();
        return existing.bytes;
    }
    values_.push_back({std::string(key), type, {}});
    return values_.back().bytes;
}

HENCE_INLINE void gguf_writer::add(std::string_view key, bool value) {
    detail::append(slot(key, gguf_type::boolean), static_cast<std::uint8_t>(value ? 1 : 0));
}
HENCE_INLINE void gguf_writer::add(std::string_view key, std::uint8_t value) {
    detail::append(slot(key, gguf_type::u8), value);
}
HENCE_INLINE void gguf_writer::add(std::string_view key, std::int32_t value) {
    detail::append(slot(key, gguf_type::i32), value);
}
HENCE_INLINE void gguf_writer::add(std::string_view key, std::uint32_t value) {
    detail::append(slot(key, gguf_type::u32), value);
}
HENCE_INLINE void gguf_writer::add(std::string_view key, std::int64_t value) {
    detail::append(slot(key, gguf_type::i64), value);
}
HENCE_INLINE void gguf_writer::add(std::string_view key, std::uint64_t value) {
    detail::append(slot(key, gguf_type::u64), value);
}
HENCE_INLINE void gguf_writer::add(std::string_view key, float value) {
    detail::append(slot(key, gguf_type::f32), value);
}
HENCE_INLINE void gguf_writer::add(std::string_view key, double value) {
    detail::append(slot(key, gguf_type::f64), value);
}
HENCE_INLINE void gguf_writer::add(std::string_view key, std::string_view value) {
    detail::append_text(slot(key, gguf_type::string), value);
}
HENCE_INLINE void gguf_writer::add(std::string_view key, std::span<const std::string> values) {
    std::vector<std::byte>& out = slot(key, gguf_type::array);
    detail::append(out, gguf_type::string);
    detail::append(out, std::uint64_t{values.size()});
    for (const std::string& text : values) detail::append_text(out, text);
}
HENCE_INLINE void gguf_writer::add(std::string_view key, std::span<const float> values) {
    detail::append_array(slot(key, gguf_type::array), gguf_type::f32, values);
}
HENCE_INLINE void gguf_writer::add(std::string_view key, std::span<const std::int32_t> values) {
    detail::append_array(slot(key, gguf_type::array), gguf_type::i32, values);
}
HENCE_INLINE void gguf_writer::add(std::string_view key, std::span<const std::uint32_t> values) {
    detail::append_array(slot(key, gguf_type::array), gguf_type::u32, values);
}
HENCE_INLINE void gguf_writer::add(const gguf_entry& entry) {
    std::vector<std::byte>& out = slot(entry.key, entry.type);
    if (entry.type == gguf_type::array) {
        detail::append(out, entry.element);
        detail::append(out, entry.count);
    }
    out.insert(out.end(), entry.data.begin(), entry.data.end());
}

HENCE_INLINE result<void> gguf_writer::add_tensor(std::string name, dtype type, std::span<const std::int64_t> shape,
                                                  std::span<const std::byte> data) {
    const auto refuse = [&](std::string what, std::string expected, std::string actual) {
        return make_error(errc::invalid_argument, concat({"gguf_writer: ", std::move(what)}), std::move(expected),
                          std::move(actual), name);
    };
    if (name.empty() || name.size() > 64) return refuse("name", "1 to 64 bytes", decimal(name.size()));
    if (shape.empty() || shape.size() > 4) return refuse("rank", "1 to 4", decimal(shape.size()));
    for (const stored_tensor& other : tensors_)
        if (other.name == name) return refuse("name", "each name once", "a second tensor of this name");
    if (detail::format_id(type) == ~0u) return refuse("type", "a type that GGUF has", std::string(hence::name(type)));
    std::uint64_t elements = 1;
    for (const std::int64_t extent : shape)
        if (extent < 1 || __builtin_mul_overflow(elements, static_cast<std::uint64_t>(extent), &elements))
            return refuse("shape", "extents of at least 1 with a product below 2^64", decimal(extent));
    const dtype_traits& block = traits(type);
    if (static_cast<std::uint64_t>(shape.back()) % block.block_elements != 0)
        return refuse("row length", concat({"a multiple of ", block.block_elements}),
                      decimal(shape.back()));
    const std::uint64_t blocks = elements / block.block_elements;
    if (data.size() / block.block_bytes != blocks || data.size() % block.block_bytes != 0)
        return refuse("data", concat({blocks, " blocks of ", block.block_bytes, " bytes"}),
                      concat({data.size(), " bytes"}));
    tensors_.push_back({std::move(name), type, {shape.begin(), shape.end()}, data});
    return {};
}

HENCE_INLINE result<std::uint32_t> gguf_writer::alignment() const {
    std::uint32_t alignment = 32;
    for (const stored_value& v : values_) {
        if (v.key.empty() || v.key.size() > 65535)
            return make_error(errc::invalid_argument, concat({"gguf_writer: key ", quote(v.key)}), "1 to 65535 bytes",
                              decimal(v.key.size()));
        if (v.key != "general.alignment") continue;
        if (v.type == gguf_type::u32) alignment = detail::load<std::uint32_t>(v.bytes.data());
        if (v.type != gguf_type::u32 || !std::has_single_bit(alignment) || alignment < 8 || alignment > (1u << 20))
            return make_error(errc::invalid_argument, "gguf_writer: key 'general.alignment'",
                              "a u32: a power of two from 8 to 1048576",
                              v.type == gguf_type::u32 ? std::to_string(alignment) : std::string(hence::name(v.type)));
    }
    return alignment;
}

HENCE_INLINE std::vector<std::byte> gguf_writer::head(std::uint32_t alignment) const {
    std::vector<std::byte> out;
    for (const char c : {'G', 'G', 'U', 'F'}) out.push_back(static_cast<std::byte>(c));
    detail::append(out, std::uint32_t{3});
    detail::append(out, std::uint64_t{tensors_.size()});
    detail::append(out, std::uint64_t{values_.size()});
    for (const stored_value& v : values_) {
        detail::append_text(out, v.key);
        detail::append(out, v.type);
        out.insert(out.end(), v.bytes.begin(), v.bytes.end());
    }
    std::uint64_t offset = 0;
    for (const stored_tensor& t : tensors_) {
        detail::append_text(out, t.name);
        detail::append(out, static_cast<std::uint32_t>(t.shape.size()));
        for (std::size_t i = t.shape.size(); i-- > 0;) detail::append(out, t.shape[i]);
        detail::append(out, detail::format_id(t.type));
        detail::append(out, offset);
        offset += t.data.size() + detail::padding(t.data.size(), alignment);
    }
    if (!tensors_.empty()) out.resize(out.size() + detail::padding(out.size(), alignment));
    return out;
}

HENCE_INLINE result<void> gguf_writer::write(const std::string& path) const {
    HENCE_TRY_ASSIGN(align, alignment());
    HENCE_TRY_ASSIGN(file, atomic_file::create(path));
    HENCE_TRY(file.write(head(align)));
    const std::vector<std::byte> zeros(align);
    for (const stored_tensor& t : tensors_) {
        HENCE_TRY(file.write(t.data));
        HENCE_TRY(file.write(std::span(zeros).first(static_cast<std::size_t>(detail::padding(t.data.size(), align)))));
    }
    return file.commit();
}

HENCE_INLINE result<std::vector<std::byte>> gguf_writer::to_bytes() const {
    HENCE_TRY_ASSIGN(align, alignment());
    std::vector<std::byte> out = head(align);
    for (const stored_tensor& t : tensors_) {
        out.insert(out.end(), t.data.begin(), t.data.end());
        out.resize(out.size() + detail::padding(t.data.size(), align));
    }
    return out;
}

HENCE_NAMESPACE_END

#endif
