// The loops of a tier that differs from another only in its integer dot product: everything else is that tier's
// (hence_base), compiled once. Included in the tier's namespace, after its vectors.
#include "ahead.inl.hpp"
#include "matmul.inl.hpp"
#include "matmul_int8.inl.hpp"
#include "matmul_blocks.inl.hpp"
#include "matmul_sparse.inl.hpp"

constexpr kernel_table replace_int8(kernel_table table) {
    table.tier = tier_isa;
    table.matmul[static_cast<std::size_t>(packing::i8)] = matmul<i8_kernel>;
    set_block_kernels(table);
    set_sparse_int8(table);
    return table;
}
inline constexpr kernel_table tier_table = replace_int8(hence_base::tier_table);
