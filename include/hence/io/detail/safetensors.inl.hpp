// Definitions of io/safetensors.hpp.
#ifndef HENCE_IO_DETAIL_SAFETENSORS_INL_HPP
#define HENCE_IO_DETAIL_SAFETENSORS_INL_HPP

#include "../../core/text.hpp"
#include "../../sys/atomic_file.hpp"
#include "../../sys/mapped_file.hpp"
#include "../safetensors.hpp"
#include "json_fields.hpp"

#include <algorithm>
#include <array>

HENCE_NAMESPACE_BEGIN

namespace detail {

struct safetensors_type {
    std::string_view name;
    bool known;
    dtype type;
};

inline constexpr std::array safetensors_types = {
    safetensors_type{"F32", true, dtype::f32},   safetensors_type{"F16", true, dtype::f16},
    safetensors_type{"BF16", true, dtype::bf16}, safetensors_type{"F64", true, dtype::f64},
    safetensors_type{"I8", true, dtype::i8},     safetensors_type{"I16", true, dtype::i16},
    safetensors_type{"I32", true, dtype::i32},   safetensors_type{"I64", true, dtype::i64},
    safetensors_type{"U8", true, dtype::u8},     safetensors_type{"BOOL", true, dtype::u8},
    safetensors_type{"U16", false, {}},          safetensors_type{"U32", false, {}},
    safetensors_type{"U64", false, {}},          safetensors_type{"F8_E4M3", false, {}},
    safetensors_type{"F8_E5M2", false, {}},      safetensors_type{"F8_E8M0", false, {}},
    safetensors_type{"F4", false, {}},           safetensors_type{"C64", false, {}},
};

struct safetensors_contents {
    std::vector<std::pair<std::string, std::string>> metadata;
    std::vector<file_tensor> tensors;
};

/// Checks one file's bytes and lists what is in it; the trouble goes to the error list.
class safetensors_parser {
public:
    safetensors_parser(std::span<const std::byte> bytes, const std::string& name, std::uint32_t part,
                       error_list& errors)
        : bytes_(bytes), name_(name), part_(part), errors_(errors) {}

    void parse(safetensors_contents& out) {
        std::uint64_t length = 0;
        byte_cursor cursor{bytes_};
        if (!cursor.read(length)) {
            note(errc::truncated, "header length", "8 bytes", decimal(bytes_.size()), 0);
            return;
        }
        if (as_text(bytes_.first(4)) == "GGUF") {
            note(errc::bad_format, "header length", "a safetensors file", "a GGUF file", 0);
            return;
        }
        const std::uint64_t most = std::min<std::uint64_t>(cursor.left(), max_header_bytes);
        if (length > most) {
            note(length > cursor.left() ? errc::truncated : errc::out_of_range, "header length",
                 concat({"at most ", most}), decimal(length), 0);
            return;
        }
        const std::string_view text = as_text(bytes_.subspan(8, static_cast<std::size_t>(length)));
        if (!text.starts_with('{')) {
            note(errc::bad_format, "header", "a JSON object", quote(text, 16), 8);
            return;
        }
        result<nlohmann::json> header = parse_json(text, concat({name_, ": header"}), {.depth = 4, .values = max_header_values});
        if (!header) {
            if (header.error().byte_offset) *header.error().byte_offset += 8;
            errors_.add(std::move(header).error());
            return;
        }
        begin_ = 8 + length;
        for (const auto& [key, value] : header->items()) {
            if (key == "__metadata__")
                metadata(value, out);
            else
                tensor(key, value, out);
        }
        cover(out);
    }

private:
    // The format allows headers of 100 MB. The largest published ones have under 4 MB; these limits keep
    // what a hostile header can make a parser build within a few tens of megabytes.
    static constexpr std::uint64_t max_header_bytes = std::uint64_t{16} << 20;
    static constexpr std::size_t max_header_values = 300'000;

    void note(errc code, std::string field, std::string expected, std::string actual,
              std::optional<std::uint64_t> offset = {}, std::string tensor = {}) {
        errors_.add(make_error(code, concat({name_, ": ", std::move(field)}), std::move(expected), std::move(actual),
                               std::move(tensor), offset));
    }

    void metadata(const nlohmann::json& value, safetensors_contents& out) {
        if (!value.is_object()) {
            note(errc::bad_format, "__metadata__", "an object of texts", json_text(value));
            return;
        }
        for (const auto& [key, text] : value.items()) {
            if (const auto* held = text.get_ptr<const std::string*>())
                out.metadata.emplace_back(key, *held);
            else
                note(errc::bad_format, concat({"__metadata__ ", quote(key)}), "a text", json_text(text));
        }
    }

    void tensor(const std::string& key, const nlohmann::json& value, safetensors_contents& out) {
        const std::string shown = key.size() <= 200 ? key : key.substr(0, 200);
        if (key.empty() || key.size() > 1000) {
            note(errc::bad_format, "tensor name", "1 to 1000 bytes", decimal(key.size()));
            return;
        }
        if (std::any_of(key.begin(), key.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
            note(errc::bad_format, "tensor name", "no control characters", quote(key));
            return;
        }
        if (!value.is_object()) {
            note(errc::bad_format, "header", "an object with dtype, shape and data_offsets", json_text(value), {},
                 shown);
            return;
        }
        for (const auto& [field, unused] : value.items())
            if (field != "dtype" && field != "shape" && field != "data_offsets")
                note(errc::bad_format, "header", "dtype, shape and data_offsets only", quote(field), {}, shown);
        file_tensor made;
        made.name = key;
        made.part = part_;
        std::uint64_t bytes = 1;
        const bool typed = type_of(value, made, shown);
        const bool shaped = shape_of(value, made, bytes, shown);
        if (typed && shaped && __builtin_mul_overflow(bytes, std::uint64_t{traits(made.type).block_bytes}, &bytes)) {
            note(errc::out_of_range, "shape", "fewer than 2^64 bytes", json_text(value["shape"]), {}, shown);
            return;
        }
        if (place(value, made, bytes, typed && shaped, shown)) out.tensors.push_back(std::move(made));
    }

    bool type_of(const nlohmann::json& value, file_tensor& made, const std::string& shown) {
        const auto field = value.find("dtype");
        const auto* text = field == value.end() ? nullptr : field->get_ptr<const std::string*>();
        if (text == nullptr) {
            note(errc::bad_format, "dtype", "a text", field == value.end() ? "nothing" : json_text(*field), {}, shown);
            return false;
        }
        std::string list = "one of";
        for (const safetensors_type& type : safetensors_types) {
            if (type.known && type.name == *text) {
                made.type = type.type;
                return true;
            }
            if (type.known) (list += ' ') += type.name;
        }
        note(errc::unsupported, "dtype", list, quote(*text), {}, shown);
        return false;
    }

    bool shape_of(const nlohmann::json& value, file_tensor& made, std::uint64_t& elements, const std::string& shown) {
        const auto field = value.find("shape");
        if (field == value.end() || !field->is_array() || field->size() > 8) {
            note(errc::bad_format, "shape", "an array of at most 8 extents",
                 field == value.end() ? "nothing" : json_text(*field), {}, shown);
            return false;
        }
        bool zero = false;
        for (const nlohmann::json& extent : *field) {
            const auto natural = json_natural(extent);
            if (!natural || *natural > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
                note(errc::out_of_range, "shape", "natural numbers below 2^63", json_text(extent), {}, shown);
                return false;
            }
            made.shape.push_back(static_cast<std::int64_t>(*natural));
            zero = zero || *natural == 0;
        }
        // The product of the extents that are not 0 must fit too: 0 must not hide an overflow from elements().
        for (const std::int64_t extent : made.shape) {
            if (extent != 0 && (__builtin_mul_overflow(elements, static_cast<std::uint64_t>(extent), &elements) ||
                                elements >> 63 != 0)) {
                note(errc::out_of_range, "shape", "a product below 2^63", json_text(extent), {}, shown);
                return false;
            }
        }
        if (zero) elements = 0;
        return true;
    }

    bool place(const nlohmann::json& value, file_tensor& made, std::uint64_t bytes, bool sized,
               const std::string& shown) {
        const auto field = value.find("data_offsets");
        const bool pair = field != value.end() && field->is_array() && field->size() == 2;
        const auto first = pair ? json_natural((*field)[0]) : std::nullopt;
        const auto last = pair ? json_natural((*field)[1]) : std::nullopt;
        if (!first || !last) {
            note(errc::bad_format, "data_offsets", "two natural numbers",
                 field == value.end() ? "nothing" : json_text(*field), {}, shown);
            return false;
        }
        const std::uint64_t size = bytes_.size() - begin_;
        if (*first > *last || *last > size) {
            note(*last > size && *first <= *last ? errc::truncated : errc::out_of_range, "data_offsets",
                 concat({"a rising pair up to the ", size, " bytes of data"}),
                 concat({*first, " and ", *last}), begin_, shown);
            return false;
        }
        if (!sized) return false;
        if (*last - *first != bytes) {
            note(errc::mismatch, "data_offsets", concat({bytes, " bytes, by dtype and shape"}),
                 decimal(*last - *first), begin_ + *first, shown);
            return false;
        }
        made.file_offset = begin_ + *first;
        made.data = bytes_.subspan(static_cast<std::size_t>(made.file_offset), static_cast<std::size_t>(bytes));
        return true;
    }

    /// The tensors must cover the data without gap or overlap.
    void cover(safetensors_contents& out) {
        if (!errors_.empty()) return;  // a tensor that was refused would look like a gap
        std::vector<const file_tensor*> order;
        for (const file_tensor& tensor : out.tensors) order.push_back(&tensor);
        std::sort(order.begin(), order.end(), [](const file_tensor* a, const file_tensor* b) {
            return a->file_offset != b->file_offset ? a->file_offset < b->file_offset : a->data.size() < b->data.size();
        });
        std::uint64_t end = begin_;
        for (const file_tensor* tensor : order) {
            if (tensor->file_offset != end)
                note(errc::bad_format, "data_offsets", concat({"to begin at byte ", end, " of the file"}),
                     tensor->file_offset < end ? "an overlap" : "a gap", tensor->file_offset, tensor->name);
            end = std::max(end, tensor->file_offset + tensor->data.size());
        }
        if (end != bytes_.size())
            note(errc::bad_format, "data", concat({"to end where the last tensor does, at byte ", end}),
                 concat({bytes_.size(), " bytes"}));
    }

    std::span<const std::byte> bytes_;
    const std::string& name_;
    std::uint32_t part_;
    error_list& errors_;
    std::uint64_t begin_ = 0;
};

/// The folder of a path with its last slash, or nothing.
[[nodiscard]] inline std::string folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
}

/// The shards that an index names and which tensor it expects where.
struct safetensors_index {
    std::vector<std::string> files;
    std::vector<std::pair<std::string, std::uint32_t>> tensors;  // sorted by name
};

inline result<safetensors_index> read_safetensors_index(std::string_view text, const std::string& name) {
    HENCE_TRY_ASSIGN(document, parse_json(text, name, {.depth = 4, .values = 1'000'000}));
    const auto map = document.is_object() ? document.find("weight_map") : document.end();
    if (!document.is_object() || map == document.end() || !map->is_object())
        return make_error(errc::bad_format, concat({name, ": weight_map"}), "an object of tensor and file names",
                          document.is_object() && map != document.end() ? json_text(*map) : "none");
    error_list errors;
    safetensors_index index;
    for (const auto& [tensor, file] : map->items()) {
        const auto* text_of = file.get_ptr<const std::string*>();
        // A shard lies beside its index: a name with a slash would let a file reach anything on the disk.
        if (text_of == nullptr || text_of->find('/') != std::string::npos || text_of->size() > 255 ||
            !text_of->ends_with(".safetensors") || text_of->find('\0') != std::string::npos) {
            errors.add(make_error(errc::bad_format, concat({name, ": weight_map ", quote(tensor)}),
                                  "the name of a .safetensors file beside the index", json_text(file)));
            continue;
        }
        const auto at = std::lower_bound(index.files.begin(), index.files.end(), *text_of);
        if (at == index.files.end() || *at != *text_of) index.files.insert(at, *text_of);
    }
    if (!errors.empty()) return errors.take();
    if (index.files.empty()) return make_error(errc::missing, concat({name, ": weight_map"}), "at least one tensor", "none");
    for (const auto& [tensor, file] : map->items()) {
        const auto at = std::lower_bound(index.files.begin(), index.files.end(), *file.get_ptr<const std::string*>());
        index.tensors.emplace_back(tensor, static_cast<std::uint32_t>(at - index.files.begin()));
    }
    return index;
}

inline bool by_tensor_name(const file_tensor& a, const file_tensor& b) noexcept {
    return a.name < b.name;
}

/// Says where an index and its shards disagree: both lists are sorted by name.
inline void compare_index(const safetensors_index& index, const std::vector<file_tensor>& tensors,
                          const std::string& name, error_list& errors) {
    const auto note = [&](std::string expected, std::string actual, const std::string& tensor) {
        errors.add(make_error(errc::mismatch, concat({name, ": weight_map"}), std::move(expected), std::move(actual), tensor));
    };
    for (std::size_t i = 1; i < tensors.size(); ++i)
        if (tensors[i].name == tensors[i - 1].name) note("each tensor in one shard", "two", tensors[i].name);
    std::size_t at = 0;
    for (const auto& [tensor, part] : index.tensors) {
        for (; at < tensors.size() && tensors[at].name < tensor; ++at)
            note("every tensor of its shards", "no entry", tensors[at].name);
        if (at == tensors.size() || tensors[at].name != tensor) {
            note(concat({"a tensor of ", index.files[part]}), "none of this name", tensor);
            continue;
        }
        if (tensors[at].part != part)
            note(concat({"the tensor in ", index.files[part]}), concat({"it in ", index.files[tensors[at].part]}), tensor);
        while (at < tensors.size() && tensors[at].name == tensor) ++at;
    }
    for (; at < tensors.size(); ++at) note("every tensor of its shards", "no entry", tensors[at].name);
}

}  // namespace detail

struct safetensors_file::state {
    std::string name;
    std::vector<mapped_file> maps;
    std::size_t parts = 1;
    detail::safetensors_contents contents;
};

HENCE_INLINE result<safetensors_file> safetensors_file::open(const std::string& path) {
    std::string file = path;
    result<mapped_file> map = mapped_file::open(file);
    if (!map && map.error().actual == "a folder") {
        const std::string folder = path.ends_with('/') ? path : path + "/";
        map = mapped_file::open(file = folder + "model.safetensors");
        if (!map && map.error().code == errc::file_not_found)
            map = mapped_file::open(file = folder + "model.safetensors.index.json");
        if (!map && map.error().code == errc::file_not_found)
            return make_error(errc::file_not_found, path,
                              "model.safetensors or model.safetensors.index.json in the folder", "neither");
    }
    if (!map) return std::move(map).error();
    auto made = std::make_shared<state>();
    made->name = path;
    detail::error_list errors;
    if (file.ends_with(".json")) {
        HENCE_TRY_ASSIGN(index, detail::read_safetensors_index(detail::as_text(map->bytes()), file));
        for (std::uint32_t part = 0; part < index.files.size(); ++part) {
            const std::string shard = detail::folder_of(file) + index.files[part];
            result<mapped_file> opened = mapped_file::open(shard);
            if (!opened) {
                errors.add(std::move(opened).error());
                continue;
            }
            detail::safetensors_contents more;
            detail::safetensors_parser(opened->bytes(), shard, part, errors).parse(more);
            std::move(more.tensors.begin(), more.tensors.end(), std::back_inserter(made->contents.tensors));
            if (part == 0) made->contents.metadata = std::move(more.metadata);
            made->maps.push_back(std::move(*opened));
        }
        std::sort(made->contents.tensors.begin(), made->contents.tensors.end(), detail::by_tensor_name);
        if (errors.empty()) detail::compare_index(index, made->contents.tensors, file, errors);
    } else {
        detail::safetensors_parser(map->bytes(), file, 0, errors).parse(made->contents);
        made->maps.push_back(std::move(*map));
    }
    if (!errors.empty()) return errors.take();
    std::sort(made->contents.tensors.begin(), made->contents.tensors.end(), detail::by_tensor_name);
    made->parts = made->maps.size();
    return safetensors_file(std::move(made));
}

HENCE_INLINE result<safetensors_file> safetensors_file::from_bytes(std::span<const std::byte> bytes, std::string name) {
    auto made = std::make_shared<state>();
    made->name = std::move(name);
    detail::error_list errors;
    detail::safetensors_parser(bytes, made->name, 0, errors).parse(made->contents);
    if (!errors.empty()) return errors.take();
    std::sort(made->contents.tensors.begin(), made->contents.tensors.end(), detail::by_tensor_name);
    return safetensors_file(std::move(made));
}

HENCE_INLINE const std::string& safetensors_file::name() const noexcept {
    return state_->name;
}
HENCE_INLINE std::size_t safetensors_file::parts() const noexcept {
    return state_->parts;
}
HENCE_INLINE std::span<const std::pair<std::string, std::string>> safetensors_file::metadata() const noexcept {
    return state_->contents.metadata;
}
HENCE_INLINE std::span<const file_tensor> safetensors_file::tensors() const noexcept {
    return state_->contents.tensors;
}

HENCE_INLINE const file_tensor* safetensors_file::find_tensor(std::string_view tensor_name) const noexcept {
    const std::vector<file_tensor>& sorted = state_->contents.tensors;
    const auto at = std::lower_bound(sorted.begin(), sorted.end(), tensor_name,
                                     [](const file_tensor& t, std::string_view n) { return t.name < n; });
    return at != sorted.end() && at->name == tensor_name ? &*at : nullptr;
}

HENCE_INLINE void safetensors_file::release_pages(const file_tensor& tensor) const noexcept {
    if (tensor.part < state_->maps.size())
        state_->maps[tensor.part].release(static_cast<std::size_t>(tensor.file_offset), tensor.data.size());
}

HENCE_INLINE void safetensors_writer::add(std::string key, std::string value) {
    for (auto& [existing, text] : metadata_) {
        if (existing != key) continue;
        text = std::move(value);
        return;
    }
    metadata_.emplace_back(std::move(key), std::move(value));
}

HENCE_INLINE result<void> safetensors_writer::add_tensor(std::string name, dtype type,
                                                         std::span<const std::int64_t> shape,
                                                         std::span<const std::byte> data) {
    const auto refuse = [&](std::string what, std::string expected, std::string actual) {
        return make_error(errc::invalid_argument, concat({"safetensors_writer: ", std::move(what)}), std::move(expected),
                          std::move(actual), name);
    };
    if (name.empty() || name == "__metadata__" || !is_utf8(name))
        return refuse("name", "UTF-8 text that is not __metadata__", quote(name));
    for (const file_tensor& other : tensors_)
        if (other.name == name) return refuse("name", "each name once", "a second tensor of this name");
    if (traits(type).block_elements != 1) return refuse("type", "a plain type", std::string(hence::name(type)));
    std::uint64_t bytes = traits(type).block_bytes;
    for (const std::int64_t extent : shape)
        if (extent < 0 || __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes))
            return refuse("shape", "extents of at least 0 with a product below 2^64", decimal(extent));
    if (bytes != data.size()) return refuse("data", concat({bytes, " bytes"}), decimal(data.size()));
    file_tensor added;
    added.name = std::move(name);
    added.type = type;
    added.shape.assign(shape.begin(), shape.end());
    added.data = data;
    tensors_.push_back(std::move(added));
    return {};
}

HENCE_INLINE result<std::string> safetensors_writer::head() const {
    nlohmann::json header = nlohmann::json::object();
    for (const auto& [key, value] : metadata_) {
        if (!is_utf8(key) || !is_utf8(value))
            return make_error(errc::invalid_argument, concat({"safetensors_writer: metadata ", quote(key)}), "UTF-8",
                              quote(value));
        header["__metadata__"][key] = value;
    }
    std::uint64_t offset = 0;
    for (const file_tensor& tensor : tensors_) {
        nlohmann::json& entry = header[tensor.name];
        for (const detail::safetensors_type& type : detail::safetensors_types) {
            if (!type.known || type.type != tensor.type) continue;
            entry["dtype"] = std::string(type.name);
            break;  // U8 comes before BOOL
        }
        entry["shape"] = tensor.shape;
        entry["data_offsets"] = {offset, offset + tensor.data.size()};
        offset += tensor.data.size();
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');  // data begins at a multiple of 8
    return text;
}

HENCE_INLINE result<void> safetensors_writer::write(const std::string& path) const {
    HENCE_TRY_ASSIGN(header, head());
    HENCE_TRY_ASSIGN(file, atomic_file::create(path));
    const std::uint64_t length = header.size();
    HENCE_TRY(file.write(std::as_bytes(std::span(&length, 1))));
    HENCE_TRY(file.write(std::as_bytes(std::span(header.data(), header.size()))));
    for (const file_tensor& tensor : tensors_) HENCE_TRY(file.write(tensor.data));
    return file.commit();
}

HENCE_INLINE result<std::vector<std::byte>> safetensors_writer::to_bytes() const {
    HENCE_TRY_ASSIGN(header, head());
    const std::uint64_t length = header.size();
    std::vector<std::byte> out;
    const auto append = [&](std::span<const std::byte> bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); };
    append(std::as_bytes(std::span(&length, 1)));
    append(std::as_bytes(std::span(header.data(), header.size())));
    for (const file_tensor& tensor : tensors_) append(tensor.data);
    return out;
}

HENCE_NAMESPACE_END

#endif
