// Definitions of kernels/sparse.hpp.
#ifndef HENCE_KERNELS_DETAIL_SPARSE_INL_HPP
#define HENCE_KERNELS_DETAIL_SPARSE_INL_HPP

#include "../../core/scalar.hpp"
#include "../pack.hpp"
#include "../sparse.hpp"
#include "unpack_sparse.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

HENCE_NAMESPACE_BEGIN

namespace kernels {

namespace detail {

// Sixteen rows as numbers: bytes and scales of q8_0, or the bits of floats; columns filled up to whole blocks.
struct sparse_panel {
    dtype type;
    std::size_t columns, blocks;
    std::vector<std::uint32_t> values;  // [16][blocks * 32]; 0: not there
    std::vector<std::uint16_t> scales;  // [16][blocks]

    sparse_panel(dtype t, std::size_t c) : type(t), columns(c), blocks((c + block_columns - 1) / block_columns) {
        values.resize(panel_rows * blocks * block_columns);
        if (type == dtype::q8_0) scales.resize(panel_rows * blocks);
    }

    [[nodiscard]] std::uint32_t at(std::size_t row, std::size_t column) const noexcept {
        return values[row * blocks * block_columns + column];
    }

    void read(const std::byte* source, std::size_t rows, std::size_t panel) noexcept {
        std::fill(values.begin(), values.end(), 0u);
        std::fill(scales.begin(), scales.end(), std::uint16_t{0});
        const std::size_t stride = row_bytes(type, columns);
        for (std::size_t r = 0; r < panel_rows && panel * panel_rows + r < rows; ++r) {
            const std::byte* in = source + (panel * panel_rows + r) * stride;
            std::uint32_t* out = values.data() + r * blocks * block_columns;
            if (type == dtype::q8_0) {
                for (std::size_t b = 0; b < blocks; ++b, in += 34) {
                    std::memcpy(&scales[r * blocks + b], in, 2);
                    for (std::size_t k = 0; k < block_columns; ++k)
                        out[b * block_columns + k] = std::to_integer<std::uint8_t>(in[2 + k]);
                }
            } else if (type == dtype::f32) {
                for (std::size_t k = 0; k < columns; ++k) {
                    std::memcpy(&out[k], in + 4 * k, 4);
                    if (out[k] << 1 == 0) out[k] = 0;  // minus zero adds nothing either
                }
            } else {
                for (std::size_t k = 0; k < columns; ++k) {
                    std::uint16_t half;
                    std::memcpy(&half, in + 2 * k, 2);
                    out[k] = (half & 0x7fffu) == 0 ? 0 : half;
                }
            }
        }
    }

    [[nodiscard]] std::size_t element_bytes() const noexcept {
        return type == dtype::q8_0 ? 1 : type == dtype::f32 ? 4 : 2;
    }
    void write(std::byte* out, std::uint32_t value) const noexcept { std::memcpy(out, &value, element_bytes()); }

    // Bit g: one of the sixteen rows has a value in columns 4 g to 4 g + 3 of a block.
    [[nodiscard]] unsigned groups(std::size_t block) const noexcept {
        unsigned bits = 0;
        for (std::size_t r = 0; r < panel_rows; ++r)
            for (std::size_t k = 0; k < block_columns; ++k)
                if (at(r, block * block_columns + k) != 0) bits |= 1u << k / 4;
        return bits;
    }
    // The most values that a row has in some columns.
    [[nodiscard]] std::size_t fullest(std::size_t first, std::size_t last) const noexcept {
        std::size_t most = 0;
        for (std::size_t r = 0; r < panel_rows; ++r) {
            std::size_t count = 0;
            for (std::size_t k = first; k < last; ++k) count += at(r, k) != 0 ? 1 : 0;
            most = std::max(most, count);
        }
        return most;
    }
    // Slots of the packings f32_rows and bf16_rows: bfloat16 goes in pairs.
    [[nodiscard]] std::size_t slots() const noexcept {
        const std::size_t most = fullest(0, blocks * block_columns);
        return type == dtype::bf16 ? (most + 1) / 2 * 2 : most;
    }
    [[nodiscard]] std::size_t head_bytes() const noexcept {
        return to_line(blocks) + (type == dtype::q8_0 ? to_line(blocks * 32) : 0);
    }
};

inline std::size_t sparse_panel_bytes(packing format, const sparse_panel& panel) noexcept {
    std::size_t bytes = 0;
    if (is_block_packing(format)) {
        for (std::size_t b = 0; b < panel.blocks; ++b) {
            for (unsigned left = panel.groups(b); left != 0; left &= left - 1) bytes += 64 * panel.element_bytes();
        }
        return panel.head_bytes() + bytes;
    }
    if (format == packing::q8_rows) {
        for (std::size_t b = 0; b < panel.blocks; ++b)
            bytes += 128 * ((panel.fullest(b * block_columns, (b + 1) * block_columns) + 3) / 4);
        return panel.head_bytes() + bytes;
    }
    const std::size_t slots = panel.slots();
    return 64 + to_line(slots * 32) + to_line(slots * panel_rows * panel.element_bytes());
}

inline void write_groups(const sparse_panel& panel, std::byte* out) noexcept {
    std::byte* values = out + panel.head_bytes();
    const std::size_t size = panel.element_bytes();
    for (std::size_t b = 0; b < panel.blocks; ++b) {
        const unsigned present = panel.groups(b);
        out[b] = static_cast<std::byte>(present);
        for (std::size_t g = 0; g < 8; ++g) {
            if ((present >> g & 1u) == 0) continue;
            for (std::size_t r = 0; r < panel_rows; ++r) {
                for (std::size_t k = 0; k < 4; ++k) {
                    const std::size_t place = size == 4   ? k * panel_rows + r
                                              : size == 2 ? (k / 2 * panel_rows + r) * 2 + k % 2
                                                          : r * 4 + k;
                    panel.write(values + place * size, panel.at(r, b * block_columns + 4 * g + k));
                }
            }
            values += 64 * size;
        }
    }
}

inline void write_row_fours(const sparse_panel& panel, std::byte* out) noexcept {
    std::byte* values = out + panel.head_bytes();
    for (std::size_t b = 0; b < panel.blocks; ++b) {
        const std::size_t fours = (panel.fullest(b * block_columns, (b + 1) * block_columns) + 3) / 4;
        out[b] = static_cast<std::byte>(fours);
        for (std::size_t r = 0; r < panel_rows; ++r) {
            std::size_t slot = 0;
            for (std::size_t k = 0; k < block_columns; ++k) {
                const std::uint32_t value = panel.at(r, b * block_columns + k);
                if (value == 0) continue;
                std::byte* four = values + slot / 4 * 128 + r * 4 + slot % 4;
                four[0] = static_cast<std::byte>(value);
                four[64] = static_cast<std::byte>(k);
                ++slot;
            }
        }
        values += 128 * fours;
    }
}

inline void write_row_slots(const sparse_panel& panel, std::byte* out) noexcept {
    const auto slots = static_cast<std::uint32_t>(panel.slots());
    std::memcpy(out, &slots, sizeof slots);
    std::byte* columns = out + 64;
    std::byte* values = columns + to_line(slots * 32);
    const std::size_t pair = panel.type == dtype::bf16 ? 2 : 1;
    for (std::size_t r = 0; r < panel_rows; ++r) {
        std::size_t slot = 0;
        for (std::size_t k = 0; k < panel.columns; ++k) {
            const std::uint32_t value = panel.at(r, k);
            if (value == 0) continue;
            const auto column = static_cast<std::uint16_t>(k);
            std::memcpy(columns + (slot * panel_rows + r) * 2, &column, 2);
            panel.write(values + ((slot / pair * panel_rows + r) * pair + slot % pair) * panel.element_bytes(), value);
            ++slot;
        }
    }
}

inline void write_sparse_panel(packing format, const sparse_panel& panel, std::byte* out) noexcept {
    std::memset(out, 0, sparse_panel_bytes(format, panel));
    if (panel.type == dtype::q8_0) {
        std::byte* scales = out + to_line(panel.blocks);
        for (std::size_t b = 0; b < panel.blocks; ++b)
            for (std::size_t r = 0; r < panel_rows; ++r)
                std::memcpy(scales + (b * panel_rows + r) * 2, &panel.scales[r * panel.blocks + b], 2);
    }
    if (is_block_packing(format))
        write_groups(panel, out);
    else if (format == packing::q8_rows)
        write_row_fours(panel, out);
    else
        write_row_slots(panel, out);
}

// The file format with the same blocks, for the packings whose panels are all of one size.
constexpr std::optional<dtype> stored_form(packing format) noexcept {
    switch (format) {
        case packing::q8_24: return dtype::q8_24;
        case packing::q8_48: return dtype::q8_48;
        case packing::q4_24: return dtype::q4_24;
        default: return std::nullopt;
    }
}

constexpr bool goes_with(packing format, dtype type, std::size_t columns) noexcept {
    switch (format) {
        case packing::q8_24:
        case packing::q8_48: return type == dtype::q8_0 && columns % block_columns == 0;
        case packing::q4_24: return type == dtype::q4_0 && columns % block_columns == 0;
        case packing::i8_24: return type == dtype::i8 && columns % block_columns == 0;
        case packing::f32_24: return type == dtype::f32 && columns % block_columns == 0;
        case packing::bf16_24: return type == dtype::bf16 && columns % block_columns == 0;
        case packing::q8_block:
        case packing::q8_rows: return type == dtype::q8_0 && columns % block_columns == 0;
        case packing::f32_block: return type == dtype::f32 && columns % 4 == 0;
        case packing::bf16_block: return type == dtype::bf16 && columns % 4 == 0;
        case packing::f32_rows: return type == dtype::f32 && columns <= 65536;
        case packing::bf16_rows: return type == dtype::bf16 && columns <= 65536;
        default: return false;
    }
}

// Of four bytes, the top bit of those that are not zero.
inline std::uint32_t bytes_there(std::uint32_t four) noexcept {
    return (((four & 0x7f7f7f7fu) + 0x7f7f7f7fu) | four) & 0x80808080u;
}

// Whether at most two of every four bytes are there.
inline bool two_of_four(const std::byte* bytes, std::size_t count) noexcept {
    for (std::size_t k = 0; k < count; k += 4) {
        std::uint32_t four;
        std::memcpy(&four, bytes + k, 4);
        if (((bytes_there(four) >> 7) * 0x01010101u) >> 24 > 2) return false;
    }
    return true;
}

// The same of numbers.
inline bool two_of_four(const sparse_panel& panel) noexcept {
    for (std::size_t r = 0; r < panel_rows; ++r)
        for (std::size_t k = 0; k < panel.columns; k += 4) {
            int there = 0;
            for (std::size_t j = k; j < k + 4; ++j) there += panel.at(r, j) != 0 ? 1 : 0;
            if (there > 2) return false;
        }
    return true;
}

// A panel of f32_24 or bf16_24. Where less than two of four are there, a value is 0 and its place, too.
inline void write_number_24(const sparse_panel& panel, std::byte* out) noexcept {
    const std::size_t size = panel.element_bytes();
    const std::size_t pair = 4 / size;
    for (std::size_t b = 0; b < panel.blocks; ++b, out += 64 + 16 * panel_rows * size) {
        for (std::size_t r = 0; r < panel_rows; ++r) {
            std::uint32_t places = 0;
            for (std::size_t group = 0; group < 8; ++group) {
                std::size_t slot = 2 * group;
                for (std::size_t k = 0; k < 4; ++k) {
                    const std::uint32_t value = panel.at(r, b * block_columns + 4 * group + k);
                    if (value == 0) continue;
                    places |= static_cast<std::uint32_t>(k) << (2 * slot);
                    panel.write(out + 64 + ((slot / pair * panel_rows + r) * pair + slot % pair) * size, value);
                    ++slot;
                }
            }
            std::memcpy(out + 4 * r, &places, 4);
        }
    }
}

constexpr bool is_number_24(packing format) noexcept {
    return format == packing::f32_24 || format == packing::bf16_24;
}

// A row's 32 columns of a block of i8_24. Without branches, which nothing could predict: where less than two bytes are
// there, places say 3 and the values are 0.
inline void write_two_of_four(const std::int8_t* columns, std::byte* out) noexcept {
    std::uint32_t places = 0;
    for (std::uint32_t v = 0; v < 4; ++v) {
        std::uint32_t values = 0;
        for (std::uint32_t half = 0; half < 2; ++half) {
            std::uint32_t four;
            std::memcpy(&four, columns + 8 * v + 4 * half, 4);
            const std::uint32_t there = bytes_there(four);
            const std::uint32_t rest = there & (there - 1);
            const auto first = static_cast<std::uint32_t>(__builtin_ctz(there | 0x80000000u)) / 8;
            const auto second = static_cast<std::uint32_t>(__builtin_ctz(rest | 0x80000000u)) / 8;
            const std::uint32_t second_value = rest != 0 ? four >> (8 * second) & 255u : 0u;
            values |= ((four >> (8 * first) & 255u) | second_value << 8) << (16 * half);
            places |= (first | second << 8) << (16 * half + 2 * v);
        }
        std::memcpy(out + v * 64, &values, 4);
    }
    std::memcpy(out + 256, &places, 4);
}

}  // namespace detail

HENCE_INLINE bool leave_out_zeros(dtype to, const std::byte* dense, std::size_t columns, std::byte* out) noexcept {
    const bool nibbles = to == dtype::q4_24;
    const bool eights = to == dtype::q8_48;
    const std::size_t width = eights ? 8 : 4;  // of a group
    const std::size_t room = width / 2;        // in it
    const std::size_t bytes = traits(to).block_bytes;
    const std::size_t places = nibbles ? 10 : 18;
    const std::byte zero = nibbles ? std::byte{8} : std::byte{0};
    for (std::size_t b = 0; b < columns / block_columns; ++b, dense += nibbles ? 18 : 34, out += bytes) {
        std::memcpy(out, dense, 2);
        std::memset(out + 2, 0, bytes - 2);
        for (std::size_t first = 0; first < block_columns; first += width) {
            std::size_t used = 0;
            for (std::size_t k = first; k < first + width; ++k) {
                std::byte value = dense[2 + (nibbles ? k % 16 : k)];
                if (nibbles) value = k < 16 ? value & std::byte{15} : value >> 4;
                // What is left at the end of a group is filled with zeros, which have to be written as nibbles too.
                const bool fill = first + width - k <= room - std::min(room, used);
                if (value == zero && !fill) continue;
                if (used == room) return false;
                const std::size_t v = first / 8;
                const std::size_t i = (eights ? 0 : first % 8 / 4 * 2) + used;
                ++used;
                if (nibbles)
                    out[2 + v / 2 * 4 + i] |= value << (v % 2 * 4);
                else
                    out[2 + v * 4 + i] = value;
                if (eights)
                    out[places + v / 2 * 4 + i] |= static_cast<std::byte>((k - first) << (v % 2 * 4));
                else
                    out[places + i] |= static_cast<std::byte>((k - first) << (2 * v));
            }
        }
    }
    return true;
}

HENCE_INLINE std::size_t sparse_bytes(packing format, dtype type, const std::byte* source, std::size_t rows,
                                      std::size_t columns) {
    if (!detail::goes_with(format, type, columns)) return 0;
    const std::size_t panels = (rows + panel_rows - 1) / panel_rows;
    if (const std::optional<dtype> stored = detail::stored_form(format)) {
        std::vector<std::byte> row(row_bytes(*stored, columns));
        for (std::size_t i = 0; i < rows; ++i)
            if (!leave_out_zeros(*stored, source + i * row_bytes(type, columns), columns, row.data())) return 0;
        return panels * layout_of(format, columns).bytes();
    }
    if (format == packing::i8_24)
        return detail::two_of_four(source, rows * columns) ? panels * layout_of(format, columns).bytes() : 0;
    detail::sparse_panel panel(type, columns);
    if (detail::is_number_24(format)) {
        for (std::size_t i = 0; i < panels; ++i) {
            panel.read(source, rows, i);
            if (!detail::two_of_four(panel)) return 0;
        }
        return panels * layout_of(format, columns).bytes();
    }
    std::size_t bytes = detail::to_line(panels * 8);
    for (std::size_t i = 0; i < panels; ++i) {
        panel.read(source, rows, i);
        bytes += detail::sparse_panel_bytes(format, panel);
    }
    return bytes;
}

HENCE_INLINE void pack_sparse(packing format, dtype type, const std::byte* source, std::size_t rows,
                              std::size_t columns, std::byte* out) {
    const std::size_t panels = (rows + panel_rows - 1) / panel_rows;
    if (const std::optional<dtype> stored = detail::stored_form(format)) {
        const std::size_t stride = row_bytes(*stored, columns);
        std::vector<std::byte> some(panel_rows * stride);
        for (std::size_t i = 0; i < panels; ++i, out += layout_of(format, columns).bytes()) {
            const std::size_t count = std::min(panel_rows, rows - i * panel_rows);
            for (std::size_t r = 0; r < count; ++r)
                (void)leave_out_zeros(*stored, source + (i * panel_rows + r) * row_bytes(type, columns), columns,
                                      some.data() + r * stride);
            pack_panels(*stored, some.data(), count, columns, 0, 1, out);
        }
        return;
    }
    detail::sparse_panel panel(type, columns);
    if (detail::is_number_24(format)) {
        const std::size_t bytes = layout_of(format, columns).bytes();
        std::memset(out, 0, panels * bytes);
        for (std::size_t i = 0; i < panels; ++i) {
            panel.read(source, rows, i);
            detail::write_number_24(panel, out + i * bytes);
        }
        return;
    }
    std::uint64_t offset = detail::to_line(panels * 8);
    std::memset(out, 0, offset);
    for (std::size_t i = 0; i < panels; ++i) {
        panel.read(source, rows, i);
        std::memcpy(out + 8 * i, &offset, 8);
        detail::write_sparse_panel(format, panel, out + offset);
        offset += detail::sparse_panel_bytes(format, panel);
    }
}

HENCE_INLINE void pack_panels_i8_24(const std::int8_t* quants, const float* scales, std::size_t rows,
                                    std::size_t columns, std::size_t first, std::size_t last, std::byte* out) noexcept {
    const panel_layout layout = layout_of(packing::i8_24, columns);
    for (std::size_t panel = first; panel < last; ++panel, out += layout.bytes()) {
        const std::size_t count = std::min(panel_rows, rows - panel * panel_rows);
        if (count < panel_rows) std::memset(out, 0, layout.bytes());
        const std::int8_t* const panel_quants = quants + panel * panel_rows * columns;
        for (std::size_t k = 0; k < columns; k += block_columns)
            for (std::size_t r = 0; r < count; ++r)
                detail::write_two_of_four(panel_quants + r * columns + k, out + k * 10 + r * 4);
        std::memcpy(out + layout.value_bytes, scales + panel * panel_rows, count * 4);
    }
}

HENCE_INLINE std::optional<sparse_choice> sparse_packing(dtype type, const std::byte* source, std::size_t rows,
                                                         std::size_t columns) {
    const std::optional<packing> dense = type == dtype::i8 ? packing::i8 : exact_packing(type);
    if (!dense) return std::nullopt;
    const std::size_t limit = (rows + panel_rows - 1) / panel_rows * layout_of(*dense, columns).bytes() / 10 * 9;
    std::optional<sparse_choice> best;
    for (std::size_t i = static_cast<std::size_t>(packing::q8_24); i <= static_cast<std::size_t>(packing::bf16_rows);
         ++i) {
        const auto format = static_cast<packing>(i);
        const std::size_t bytes = sparse_bytes(format, type, source, rows, columns);
        if (bytes != 0 && bytes < (best ? best->bytes : limit)) best = sparse_choice{format, bytes};
    }
    return best;
}

}  // namespace kernels

HENCE_NAMESPACE_END

#endif
