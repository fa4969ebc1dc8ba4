// The table of one tier. Included inside a tier's namespace after all loops.

constexpr kernel_table with_products(kernel_table table) {
    table.matmul[static_cast<std::size_t>(packing::f32)] = matmul<float_kernel<element_f32>>;
    table.matmul[static_cast<std::size_t>(packing::f16)] = matmul<float_kernel<element_f16>>;
    table.matmul[static_cast<std::size_t>(packing::bf16)] = matmul<float_kernel<element_bf16>>;
    table.matmul[static_cast<std::size_t>(packing::bf16d)] = matmul<bf16_kernel>;
    table.matmul[static_cast<std::size_t>(packing::i8)] = matmul<i8_kernel>;
    set_block_kernels(table);
    set_sparse_int8(table);
    set_sparse_float(table);
    return table;
}
inline constexpr kernel_table tier_table = with_products({
    .tier = tier_isa,
    .quantize_blocks = quantize_blocks,
    .quantize_row = quantize_row,
    .attention = attention,
    .store_kv = store_kv,
    .rms_norm = rms_norm,
    .layer_norm = layer_norm,
    .rope = rope,
    .activate = activate,
    .activate_gated = activate_gated,
    .scale_add = scale_add,
    .softcap = softcap,
    .softmax = softmax,
    .block_tops = block_tops,
    .maximum = maximum,
    .sum_exp = sum_exp,
});
