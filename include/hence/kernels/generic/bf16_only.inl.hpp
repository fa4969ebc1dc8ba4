// The loops of a tier that differs from another only in its products of bfloat16: everything else is that tier's
// (hence_base), compiled once. Included in the tier's namespace, after its vectors and `pair`.
#include "ahead.inl.hpp"
#include "matmul.inl.hpp"
#include "matmul_bf16.inl.hpp"

constexpr kernel_table replace_bf16(kernel_table table) {
    table.tier = tier_isa;
    table.matmul[static_cast<std::size_t>(packing::bf16d)] = matmul<bf16_kernel>;
    return table;
}
inline constexpr kernel_table tier_table = replace_bf16(hence_base::tier_table);
