// sequential: layers one after another, checked at compile time where their types know their sizes.
//
// Intermediate rows live in two buffers of the caller's scratch, used in turn. For a list of layers that is only
// known at run time see layers/layer_list.hpp.
#ifndef HENCE_LAYERS_SEQUENTIAL_HPP
#define HENCE_LAYERS_SEQUENTIAL_HPP

#include "layer.hpp"

#include <algorithm>
#include <span>
#include <tuple>
#include <utility>

HENCE_NAMESPACE_BEGIN

namespace layers {

namespace detail {

// The static width after the first `count` of the layers, or nothing (chain_broken) where two do not fit.
inline constexpr std::size_t chain_broken = dynamic_extent - 1;

template <class... L>
constexpr std::size_t chain(std::size_t width) noexcept {
    const auto next = [&]<class One>(std::type_identity<One>) {
        if (width == chain_broken) return;
        width = hence::detail::compatible(width, One::in_features) ? One::static_output(known<One::in_features>(width))
                                                                   : chain_broken;
    };
    (next(std::type_identity<L>{}), ...);
    return width;
}

}  // namespace detail

/// Layers whose widths fit where both are known. Requires each to be a layer (see there) and no static width to
/// contradict its neighbour's, because that network could never run.
template <class... L>
concept layer_chain = sizeof...(L) > 0 &&
                      (... && layer<L>)&&detail::chain<L...>(dynamic_extent) != detail::chain_broken;

/// Layers one after another.
template <class... L>
    requires layer_chain<L...>
class sequential {
    using first_layer = std::tuple_element_t<0, std::tuple<L...>>;

public:
    static constexpr std::size_t in_features = first_layer::in_features;
    [[nodiscard]] static constexpr std::size_t static_output(std::size_t width) noexcept {
        return detail::chain<L...>(width);
    }

    explicit sequential(L... layers) : layers_(std::move(layers)...) {}

    /// One of the layers.
    /// @shape none
    /// @errors none
    /// @source none
    template <std::size_t I>
    [[nodiscard]] const auto& get() const noexcept {
        return std::get<I>(layers_);
    }

    /// @shape width: that of the rows to read
    /// @errors contract: a layer cannot read what the one before it writes
    /// @source none
    [[nodiscard]] std::size_t output_size(std::size_t width) const {
        std::apply([&](const L&... one) { ((width = one.output_size(width)), ...); }, layers_);
        return width;
    }

    /// @shape rows of `width` values
    /// @units bytes
    /// @errors as output_size()
    /// @source none
    [[nodiscard]] std::size_t workspace_bytes(std::size_t rows, std::size_t width = in_features) const {
        std::size_t largest = 0;
        const std::size_t buffer = arena_bytes<float>(rows * widest_between(width));
        std::apply(
            [&](const L&... one) {
                ((largest = std::max(largest, one.workspace_bytes(rows, width)), width = one.output_size(width)), ...);
            },
            layers_);
        return largest + buffers * buffer;
    }

    /// @shape in[rows, size], out[rows, output_size(size)]
    /// @errors as the layers
    /// @threads all workers of a team call it together
    /// @source none
    void forward(const worker& self, const rows_in<in_features>& in, const rows_out<static_output(in_features)>& out,
                 scratch temporary) const {
        const std::size_t count = in.extent(0) * widest_between(in.extent(1));
        std::span<float> front;
        std::span<float> back;
        if constexpr (buffers > 0) front = temporary.take<float>(count);
        if constexpr (buffers > 1) back = temporary.take<float>(count);
        run<0>(self, in, out, front, back, temporary);
    }

private:
    static constexpr std::size_t buffers = std::min<std::size_t>(sizeof...(L) - 1, 2);

    // The widest rows that pass from one layer to the next.
    [[nodiscard]] std::size_t widest_between(std::size_t width) const {
        std::size_t widest = 0;
        std::size_t index = 0;
        std::apply(
            [&](const L&... one) {
                ((width = one.output_size(width), widest = ++index < sizeof...(L) ? std::max(widest, width) : widest),
                 ...);
            },
            layers_);
        return widest;
    }

    template <std::size_t I, class In, class Out>
    void run(const worker& self, const In& in, const Out& out, std::span<float> front, std::span<float> back,
             scratch temporary) const {
        using one = std::tuple_element_t<I, std::tuple<L...>>;
        using one_out = rows_out<one::static_output(one::in_features)>;
        const one& here = std::get<I>(layers_);
        const rows_in<one::in_features> source(in);
        if constexpr (I + 1 == sizeof...(L)) {
            here.forward(self, source, one_out(out), temporary);
        } else {
            constexpr std::size_t width = one::static_output(detail::known<one::in_features>(In::static_extent(1)));
            using between = extents<dynamic_extent, width>;
            const tensor_view<float, between> target(front.data(),
                                                     between(in.extent(0), here.output_size(in.extent(1))));
            here.forward(self, source, one_out(target), temporary);
            run<I + 1>(self, tensor_view<const float, between>(target), out, back, front, temporary);
        }
    }

    std::tuple<L...> layers_;
};

}  // namespace layers

HENCE_NAMESPACE_END

#endif
