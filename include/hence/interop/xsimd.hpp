// xsimd over tensor views: an element-wise function of a reader's own, in whole vectors.
//
// The vectors are those of the flags that the reader's own file is built with; the library's kernels choose
// theirs at run time and do not use this header.
#ifndef HENCE_INTEROP_XSIMD_HPP
#define HENCE_INTEROP_XSIMD_HPP

#include "../tensor/tensor_view.hpp"

#include <xsimd/xsimd.hpp>

HENCE_NAMESPACE_BEGIN

/// out[i] = f(in[i]...) for every element, where f takes and returns xsimd::batch<T>. The last elements, fewer
/// than a batch, go through f in a batch filled up with zeros, so that a result never depends on where in
/// memory its element lies. `out` may be one of the inputs.
/// @shape all views have equal sizes and no gaps
/// @errors contract: sizes differ, or a view has gaps
/// @source none
template <class F, class T, class Extents, class Layout, class... InExtents, class... InLayouts>
    requires(!std::is_const_v<T>)
void transform_batches(F f, const tensor_view<T, Extents, Layout>& out,
                       const tensor_view<const T, InExtents, InLayouts>&... in) {
    static_assert((... && std::is_same_v<Layout, InLayouts>), "the views need one layout");
    using batch = xsimd::batch<T>;
    HENCE_EXPECT((... && (in.extents() == out.extents())), "views of equal sizes");
    T* const target = out.span().data();
    const std::size_t count = out.size();
    [&](const auto*... source) {
        std::size_t i = 0;
        for (; i + batch::size <= count; i += batch::size) {
            f(batch::load_unaligned(source + i)...).store_unaligned(target + i);
        }
        if (i == count) return;
        const auto tail = [&](const T* from) {
            T padded[batch::size] = {};
            for (std::size_t j = i; j < count; ++j) padded[j - i] = from[j];
            return batch::load_unaligned(padded);
        };
        T results[batch::size];
        f(tail(source)...).store_unaligned(results);
        for (std::size_t j = i; j < count; ++j) target[j] = results[j - i];
    }(in.span().data()...);
}

HENCE_NAMESPACE_END

#endif
