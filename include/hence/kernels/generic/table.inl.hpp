// The table of one tier. Included inside a tier's namespace after all loops.

constexpr kernel_table with_sparse(kernel_table table) {
    set_sparse_int8(table);
    set_sparse_float(table);
    return table;
}
inline constexpr kernel_table tier_table = with_sparse({
    .tier = tier_isa,
    .matmul = {matmul<float_kernel<element_f32>>, matmul<float_kernel<element_f16>>, matmul<float_kernel<element_bf16>>,
               matmul<blocks_kernel<format_q8>>, matmul<blocks_kernel<format_q4>>, matmul<blocks_kernel<format_q4m>>,
               matmul<i8_kernel>},
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
    .maximum = maximum,
    .sum_exp = sum_exp,
});
