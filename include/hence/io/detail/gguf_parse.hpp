// Checks the bytes of one GGUF file and lists what is in it. Used by gguf_file only.
//
// Two kinds of trouble: after a broken structure (a length that passes the end, an unknown value type)
// nothing behind it has a known place, so parsing stops there; a broken meaning (a shape, a type, an
// offset, a duplicate) is noted and parsing goes on, so that one run reports all of them.
#ifndef HENCE_IO_DETAIL_GGUF_PARSE_HPP
#define HENCE_IO_DETAIL_GGUF_PARSE_HPP

#include "../../core/text.hpp"
#include "../gguf.hpp"
#include "bytes.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

HENCE_NAMESPACE_BEGIN

namespace detail {

/// How GGUF numbers tensor formats. `known` is false for formats hence has no arithmetic for.
struct gguf_format {
    std::uint32_t id;
    std::string_view name;
    bool known;
    dtype type;
};

inline constexpr std::array gguf_formats = {
    gguf_format{0, "f32", true, dtype::f32},
    gguf_format{1, "f16", true, dtype::f16},
    gguf_format{2, "q4_0", true, dtype::q4_0},
    gguf_format{3, "q4_1", true, dtype::q4_1},
    gguf_format{4, "q4_2", false, {}},
    gguf_format{5, "q4_3", false, {}},
    gguf_format{6, "q5_0", true, dtype::q5_0},
    gguf_format{7, "q5_1", true, dtype::q5_1},
    gguf_format{8, "q8_0", true, dtype::q8_0},
    gguf_format{9, "q8_1", false, {}},
    gguf_format{10, "q2_k", true, dtype::q2_k},
    gguf_format{11, "q3_k", true, dtype::q3_k},
    gguf_format{12, "q4_k", true, dtype::q4_k},
    gguf_format{13, "q5_k", true, dtype::q5_k},
    gguf_format{14, "q6_k", true, dtype::q6_k},
    gguf_format{15, "q8_k", true, dtype::q8_k},
    gguf_format{16, "iq2_xxs", false, {}},
    gguf_format{17, "iq2_xs", false, {}},
    gguf_format{18, "iq3_xxs", false, {}},
    gguf_format{19, "iq1_s", false, {}},
    gguf_format{20, "iq4_nl", true, dtype::iq4_nl},
    gguf_format{21, "iq3_s", false, {}},
    gguf_format{22, "iq2_s", false, {}},
    gguf_format{23, "iq4_xs", true, dtype::iq4_xs},
    gguf_format{24, "i8", true, dtype::i8},
    gguf_format{25, "i16", true, dtype::i16},
    gguf_format{26, "i32", true, dtype::i32},
    gguf_format{27, "i64", true, dtype::i64},
    gguf_format{28, "f64", true, dtype::f64},
    gguf_format{29, "iq1_m", false, {}},
    gguf_format{30, "bf16", true, dtype::bf16},
    gguf_format{31, "q4_0_4_4", false, {}},
    gguf_format{32, "q4_0_4_8", false, {}},
    gguf_format{33, "q4_0_8_8", false, {}},
    gguf_format{34, "tq1_0", false, {}},
    gguf_format{35, "tq2_0", false, {}},
    gguf_format{36, "iq4_nl_4_4", false, {}},
    gguf_format{37, "iq4_nl_4_8", false, {}},
    gguf_format{38, "iq4_nl_8_8", false, {}},
    gguf_format{39, "mxfp4", false, {}},
    gguf_format{40, "nvfp4", false, {}},
    // hence's own, far from numbers that others may give out (docs/reference/gguf.md)
    gguf_format{10824, "q8_24", true, dtype::q8_24},
    gguf_format{10848, "q8_48", true, dtype::q8_48},
    gguf_format{10424, "q4_24", true, dtype::q4_24},
};

/// Bytes of one value of a metadata type; 0 for strings and arrays, whose size is in the file.
[[nodiscard]] constexpr std::size_t value_bytes(gguf_type type) noexcept {
    constexpr std::uint8_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return sizes[static_cast<std::uint32_t>(type)];
}

/// What one file contributes to a gguf_file.
struct gguf_contents {
    std::uint32_t version = 0;
    std::uint32_t alignment = 32;
    std::vector<gguf_entry> metadata;
    std::vector<gguf_tensor> tensors;
};

class gguf_parser {
public:
    gguf_parser(std::span<const std::byte> bytes, const std::string& name, std::uint32_t part, error_list& errors)
        : name_(name), part_(part), errors_(errors) {
        cursor_.bytes = bytes;
    }

    /// Fills `out`; what is wrong is in the error list, and `out` may be used only when that is empty.
    void parse(gguf_contents& out) {
        std::uint64_t tensor_count = 0;
        std::uint64_t entry_count = 0;
        if (!header(out.version, tensor_count, entry_count)) return;
        if (!entries(out.metadata, entry_count)) return;
        read_alignment(out);
        if (!tensor_infos(out.tensors, tensor_count)) return;
        place_tensors(out);
        unique(out.metadata, "metadata key", [](const gguf_entry& e) -> const std::string& { return e.key; });
        unique(out.tensors, "tensor", [](const gguf_tensor& t) -> const std::string& { return t.name; });
    }

private:
    // Limits of the format and of sense. A file within them still has to contain what it announces.
    static constexpr std::uint64_t max_items = std::uint64_t{1} << 24;
    static constexpr std::uint64_t max_key_bytes = 65535;  // GGUF specification
    static constexpr std::uint64_t max_name_bytes = 64;    // GGUF specification
    static constexpr std::uint32_t max_alignment = 1u << 20;
    static constexpr int max_array_depth = 4;

    void note(errc code, std::string field, std::string expected, std::string actual, std::size_t offset,
              std::string tensor = {}) {
        errors_.add(make_error(code, concat({name_, ": ", std::move(field)}), std::move(expected), std::move(actual),
                               std::move(tensor), offset));
    }

    [[nodiscard]] std::string left_text() const {
        return concat({cursor_.left(), (cursor_.left() == 1 ? " byte left" : " bytes left"), " in the file"});
    }

    bool cut(const std::string& field, std::uint64_t needed) {
        note(errc::truncated, field, concat({needed, (needed == 1 ? " byte" : " bytes")}), left_text(),
             cursor_.at);
        return false;
    }

    template <class T>
    bool read(T& out, const std::string& field) {
        return cursor_.read(out) || cut(field, sizeof(T));
    }

    bool header(std::uint32_t& version, std::uint64_t& tensor_count, std::uint64_t& entry_count) {
        if (cursor_.bytes.empty()) {
            note(errc::truncated, "magic", "a GGUF file", "an empty file", 0);
            return false;
        }
        std::uint32_t magic = 0;
        const std::string_view start = as_text(cursor_.bytes.first(std::min<std::size_t>(cursor_.left(), 8)));
        if (!cursor_.read(magic)) {
            if (std::string_view("GGUF").starts_with(start)) return cut("magic", 4);
            note(errc::bad_format, "magic", "'GGUF'", quote(start), 0);
            return false;
        }
        if (start.substr(0, 4) != "GGUF") {
            note(errc::bad_format, "magic", "'GGUF'", foreign_file(start), 0);
            return false;
        }
        if (!read(version, "version")) return false;
        if (version != 0 && (version & 0xffffu) == 0) {
            note(errc::unsupported, "version", "a little-endian file",
                 concat({"a big-endian file of version ", __builtin_bswap32(version)}), 4);
            return false;
        }
        if (version < 2 || version > 3) {
            note(errc::unsupported, "version", "2 or 3", decimal(version), 4);
            return false;
        }
        if (!read(tensor_count, "tensor count") || !read(entry_count, "metadata count")) return false;
        // The smallest tensor entry: a name of one byte, one dimension. The smallest key and value: one byte each.
        const bool tensors_fit = count_fits(tensor_count, 8 + 1 + 4 + 8 + 4 + 8, "tensor count", 8);
        return count_fits(entry_count, 8 + 1 + 4 + 1, "metadata count", 16) && tensors_fit;
    }

    bool count_fits(std::uint64_t count, std::uint64_t least_bytes, const char* field, std::size_t offset) {
        const std::uint64_t most = std::min<std::uint64_t>(cursor_.left() / least_bytes, max_items);
        if (count <= most) return true;
        note(errc::out_of_range, field, concat({"at most ", most, ", as the file's size allows"}),
             decimal(count), offset);
        return false;
    }

    [[nodiscard]] static std::string foreign_file(std::string_view start) {
        const auto begins = [&](std::string_view prefix) { return start.starts_with(prefix); };
        if (begins("FUGG")) return "'FUGG': a big-endian file";
        if (begins("lmgg") || begins("tjgg") || begins("fmgg") || begins("algg"))
            return concat({quote(start.substr(0, 4)), ": a GGML file from before GGUF; convert it"});
        if (begins("PK\x03\x04")) return "a zip archive (a PyTorch checkpoint?)";
        if (begins("version ")) return "a Git LFS pointer: the file itself was not downloaded";
        if (begins("<!") || begins("<html")) return "an HTML page";
        if (start.size() == 8 && start[7] == '\0' && start[4] == '\0') return concat({quote(start), " (safetensors?)"});
        return quote(start.substr(0, 4));
    }

    /// A length-prefixed string of at most `most` bytes.
    bool string(std::string_view& out, const std::string& field, std::uint64_t most) {
        const std::size_t at = cursor_.at;
        std::uint64_t length = 0;
        if (!read(length, concat({field, " length"}))) return false;
        if (length > cursor_.left()) {
            note(errc::truncated, concat({field, " length"}), concat({"at most the ", left_text()}), decimal(length), at);
            return false;
        }
        if (length > most) {
            note(errc::out_of_range, concat({field, " length"}), concat({"at most ", most}), decimal(length), at);
            return false;
        }
        out = as_text(cursor_.bytes.subspan(cursor_.at, static_cast<std::size_t>(length)));
        cursor_.at += static_cast<std::size_t>(length);
        return true;
    }

    /// Keys and tensor names are compared, printed and made into paths: text without control characters.
    void check_name(std::string_view text, const char* what, std::size_t at) {
        if (text.empty()) note(errc::bad_format, what, "a name", "an empty string", at);
        const bool control = std::any_of(text.begin(), text.end(),
                                         [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
        if (control || !is_utf8(text))
            note(errc::bad_format, what, control ? "no control characters" : "UTF-8", quote(text), at);
    }

    bool entries(std::vector<gguf_entry>& out, std::uint64_t count) {
        out.reserve(static_cast<std::size_t>(count));
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::size_t at = cursor_.at;
            std::string_view key;
            if (!string(key, concat({"key ", i}), max_key_bytes)) return false;
            check_name(key, "metadata key", at);
            gguf_entry entry;
            entry.key = key;
            const std::string field = concat({"key ", quote(key)});
            if (!value_type(entry.type, field)) return false;
            entry.element = entry.type;
            if (entry.type == gguf_type::array && !array_header(entry.element, entry.count, field)) return false;
            entry.file_offset = cursor_.at;
            if (!values(entry.element, entry.count, field, 1)) return false;
            entry.data = cursor_.bytes.subspan(static_cast<std::size_t>(entry.file_offset),
                                               cursor_.at - static_cast<std::size_t>(entry.file_offset));
            out.push_back(std::move(entry));
        }
        return true;
    }

    bool value_type(gguf_type& out, const std::string& field) {
        std::uint32_t id = 0;
        if (!read(id, concat({field, " type"}))) return false;
        if (id > static_cast<std::uint32_t>(gguf_type::f64)) {
            note(errc::bad_format, concat({field, " type"}), "0 to 12", decimal(id), cursor_.at - 4);
            return false;
        }
        out = static_cast<gguf_type>(id);
        return true;
    }

    bool array_header(gguf_type& element, std::uint64_t& count, const std::string& field) {
        if (!value_type(element, concat({field, " element"}))) return false;
        if (!read(count, concat({field, " count"}))) return false;
        // Least bytes of an element: an empty string is its length, an empty array its type and count.
        const std::size_t size = value_bytes(element);
        const std::uint64_t least = size != 0 ? size : element == gguf_type::string ? 8 : 12;
        if (count > cursor_.left() / least) {
            note(errc::truncated, concat({field, " count"}),
                 concat({"at most ", cursor_.left() / least, " elements in the ", left_text()}),
                 decimal(count), cursor_.at - 8);
            return false;
        }
        return true;
    }

    /// Steps over `count` values of one type.
    bool values(gguf_type type, std::uint64_t count, const std::string& field, int depth) {
        const std::size_t size = value_bytes(type);
        if (size != 0) {  // array_header has checked an array; a single value is checked here
            if (count * size > cursor_.left()) return cut(field, count * size);
            if (type == gguf_type::boolean) booleans(count, field);
            cursor_.at += static_cast<std::size_t>(count * size);
            return true;
        }
        if (type == gguf_type::string) {
            std::string_view text;
            for (std::uint64_t i = 0; i < count; ++i) {
                // The field's name is made only for a message: a vocabulary has 10^5 strings.
                const std::size_t at = cursor_.at;
                std::uint64_t length = 0;
                if (cursor_.read(length) && cursor_.skip(length)) continue;
                cursor_.at = at;
                return string(text, concat({field, " string ", i}), cursor_.bytes.size());
            }
            return true;
        }
        if (depth > max_array_depth) {
            note(errc::unsupported, field, concat({"arrays nested at most ", max_array_depth, " deep"}),
                 "deeper ones", cursor_.at);
            return false;
        }
        for (std::uint64_t i = 0; i < count; ++i) {
            gguf_type element{};
            std::uint64_t elements = 0;
            if (!array_header(element, elements, field) || !values(element, elements, field, depth + 1)) return false;
        }
        return true;
    }

    void booleans(std::uint64_t count, const std::string& field) {
        for (std::size_t i = 0; i < count; ++i) {
            const auto value = std::to_integer<unsigned>(cursor_.bytes[cursor_.at + i]);
            if (value <= 1) continue;
            note(errc::bad_format, field, "a bool: 0 or 1", decimal(value), cursor_.at + i);
            return;
        }
    }

    void read_alignment(gguf_contents& out) {
        for (const gguf_entry& entry : out.metadata) {
            if (entry.key != "general.alignment") continue;
            const auto at = static_cast<std::size_t>(entry.file_offset);
            if (entry.type != gguf_type::u32) {
                note(errc::mismatch, "key 'general.alignment'", "type u32", std::string(hence::name(entry.type)), at);
                return;
            }
            const auto value = load<std::uint32_t>(entry.data.data());
            if (!std::has_single_bit(value) || value < 8 || value > max_alignment)
                note(errc::out_of_range, "key 'general.alignment'",
                     concat({"a power of two from 8 to ", max_alignment}), decimal(value), at);
            else
                out.alignment = value;
            return;
        }
    }

    bool tensor_infos(std::vector<gguf_tensor>& out, std::uint64_t count) {
        out.reserve(static_cast<std::size_t>(count));
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::size_t at = cursor_.at;
            std::string_view text;
            if (!string(text, concat({"tensor ", i, " name"}), max_name_bytes)) return false;
            check_name(text, "tensor name", at);
            gguf_tensor tensor;
            tensor.name = text;
            tensor.part = part_;
            std::uint64_t bytes = 0;
            if (!tensor_info(tensor, bytes)) return false;
            sizes_.push_back(bytes);
            out.push_back(std::move(tensor));
        }
        return true;
    }

    /// Reads one tensor's shape, format and offset. `bytes` stays 0 when they make no sense.
    bool tensor_info(gguf_tensor& tensor, std::uint64_t& bytes) {
        const std::string field = concat({"tensor ", quote(tensor.name, 80)});
        std::uint32_t rank = 0;
        const std::size_t rank_at = cursor_.at;
        if (!read(rank, concat({field, " dimension count"}))) return false;
        if (rank < 1 || rank > 4) {
            note(errc::out_of_range, "dimension count", "1 to 4", decimal(rank), rank_at, tensor.name);
            return false;  // a wrong count makes everything behind it unreadable
        }
        std::array<std::uint64_t, 4> extents{};
        const std::size_t extents_at = cursor_.at;
        for (std::uint32_t i = 0; i < rank; ++i)
            if (!read(extents[i], concat({field, " dimensions"}))) return false;
        std::uint32_t id = 0;
        if (!read(id, concat({field, " format"})) || !read(tensor.file_offset, concat({field, " offset"}))) return false;

        bool good = true;
        std::int64_t elements = 1;
        for (std::uint32_t i = rank; i-- > 0;) {
            const std::uint64_t extent = extents[i];
            if (extent == 0 || extent > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) ||
                __builtin_mul_overflow(elements, static_cast<std::int64_t>(extent), &elements)) {
                note(errc::out_of_range, concat({"dimension ", i}),
                     extent == 0 ? "at least 1" : "a product of dimensions below 2^63", decimal(extent),
                     extents_at + 8 * i, tensor.name);
                good = false;
                break;
            }
            tensor.shape.push_back(static_cast<std::int64_t>(extent));
        }
        const gguf_format* format = find_format(id);
        if (format == nullptr || !format->known) {
            note(errc::unsupported, "tensor format", supported_formats(),
                 concat({(format == nullptr ? "number " : std::string(format->name) + ", number "), id}),
                 cursor_.at - 12, tensor.name);
            return true;
        }
        tensor.type = format->type;
        const dtype_traits& block = traits(tensor.type);
        if (good && extents[0] % block.block_elements != 0) {
            note(errc::mismatch, "row length",
                 concat({"a multiple of ", block.block_elements, " for ", block.name}),
                 decimal(extents[0]), extents_at, tensor.name);
            good = false;
        }
        if (good && __builtin_mul_overflow(static_cast<std::uint64_t>(elements) / block.block_elements,
                                           std::uint64_t{block.block_bytes}, &bytes)) {
            note(errc::out_of_range, "dimensions", "fewer than 2^64 bytes", concat({elements, " elements"}),
                 extents_at, tensor.name);
            bytes = 0;
        }
        return true;
    }

    [[nodiscard]] static const gguf_format* find_format(std::uint32_t id) noexcept {
        for (const gguf_format& format : gguf_formats)
            if (format.id == id) return &format;
        return nullptr;
    }

    [[nodiscard]] static std::string supported_formats() {
        std::string list = "one of";
        for (const gguf_format& format : gguf_formats)
            if (format.known) (list += ' ') += format.name;
        return list;
    }

    /// Turns offsets into spans and checks that they are aligned, inside the file and apart.
    void place_tensors(gguf_contents& out) {
        if (out.tensors.empty()) return;
        const std::uint64_t mask = out.alignment - 1;
        const std::uint64_t begin = (cursor_.at + mask) & ~mask;
        const std::uint64_t size = cursor_.bytes.size();
        std::vector<std::uint32_t> order;
        for (std::uint32_t i = 0; i < out.tensors.size(); ++i) {
            gguf_tensor& tensor = out.tensors[i];
            const std::uint64_t bytes = sizes_[i];
            if (bytes == 0) continue;  // already reported
            const std::uint64_t offset = tensor.file_offset;
            if ((offset & mask) != 0) {
                note(errc::bad_format, "offset", concat({"a multiple of ", out.alignment}),
                     decimal(offset), begin, tensor.name);
            } else if (begin > size || offset > size - begin || bytes > size - begin - offset) {
                note(errc::truncated, "data",
                     concat({bytes, " bytes from offset ", offset, " of the data section"}),
                     concat({"a file of ", size, " bytes"}), static_cast<std::size_t>(begin), tensor.name);
            } else {
                tensor.file_offset = begin + offset;
                tensor.data =
                    cursor_.bytes.subspan(static_cast<std::size_t>(begin + offset), static_cast<std::size_t>(bytes));
                order.push_back(i);
            }
        }
        std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
            return out.tensors[a].file_offset < out.tensors[b].file_offset;
        });
        for (std::size_t i = 1; i < order.size(); ++i) {
            const gguf_tensor& before = out.tensors[order[i - 1]];
            const gguf_tensor& after = out.tensors[order[i]];
            if (before.file_offset + before.data.size() > after.file_offset)
                note(errc::bad_format, "data",
                     concat({"to begin after tensor ", quote(before.name, 80), " ends at byte ", before.file_offset + before.data.size()}),
                     "an overlap", static_cast<std::size_t>(after.file_offset), after.name);
        }
    }

    template <class Item, class Name>
    void unique(const std::vector<Item>& items, const char* what, Name name_of) {
        std::vector<std::uint32_t> order(items.size());
        for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
        std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
            const int compared = name_of(items[a]).compare(name_of(items[b]));
            return compared != 0 ? compared < 0 : a < b;
        });
        for (std::size_t i = 1; i < order.size(); ++i)
            if (name_of(items[order[i]]) == name_of(items[order[i - 1]]))
                note(errc::bad_format, what, "each name once", concat({quote(name_of(items[order[i]])), " again"}),
                     static_cast<std::size_t>(items[order[i]].file_offset));
    }

    const std::string& name_;
    std::uint32_t part_;
    error_list& errors_;
    byte_cursor cursor_;
    std::vector<std::uint64_t> sizes_;
};

}  // namespace detail

HENCE_NAMESPACE_END

#endif
