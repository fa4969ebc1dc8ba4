// tensor: elements that it owns, aligned for vector instructions, in row-major order.
//
// Move-only: a copy is spelled copy(). Memory comes from a std::pmr resource, 64-byte aligned. For the
// temporaries of a forward pass see tensor/arena.hpp.
#ifndef HENCE_TENSOR_TENSOR_HPP
#define HENCE_TENSOR_TENSOR_HPP

#include "concepts.hpp"
#include "tensor_view.hpp"

#include <cstring>
#include <memory_resource>

HENCE_NAMESPACE_BEGIN

struct uninitialized_t {};
/// Asks for elements without a defined value, for memory that is about to be written.
inline constexpr uninitialized_t uninitialized{};

/// An owning, row-major tensor.
template <tensor_element T, tensor_extents Extents>
class tensor {
public:
    using value_type = T;
    using element_type = T;
    using extents_type = Extents;
    using layout_type = row_major;
    using view_type = tensor_view<T, Extents>;
    using const_view_type = tensor_view<const T, Extents>;

    /// No memory, dynamic sizes 0.
    tensor() noexcept requires(Extents::rank_dynamic() > 0) = default;

    /// Elements without a defined value.
    /// @shape sizes
    /// @errors contract: the sizes overflow std::size_t; what the memory resource throws
    /// @source none
    tensor(uninitialized_t, const Extents& sizes, std::pmr::memory_resource* memory = nullptr)
        : sizes_(sizes), memory_(memory != nullptr ? memory : std::pmr::get_default_resource()) {
        const std::size_t bytes = checked_bytes(sizes);
        if (bytes != 0) data_ = static_cast<T*>(memory_->allocate(bytes, HENCE_ALIGNMENT));
    }

    /// Elements of value 0.
    /// @shape sizes
    /// @errors contract: the sizes overflow std::size_t; what the memory resource throws
    /// @source none
    explicit tensor(const Extents& sizes, std::pmr::memory_resource* memory = nullptr)
        : tensor(uninitialized, sizes, memory) {
        if (data_ != nullptr) std::memset(static_cast<void*>(data_), 0, sizes_.size() * sizeof(T));
    }

    /// Elements of value 0; the sizes are every one or the dynamic ones.
    /// @shape rank() or rank_dynamic() integers
    /// @errors contract: a size differs from the static one, or they overflow std::size_t
    /// @source none
    template <std::integral... Sizes>
        requires(std::is_constructible_v<Extents, Sizes...>)
    explicit tensor(Sizes... sizes) : tensor(Extents(sizes...)) {}

    tensor(const tensor&) = delete;
    tensor& operator=(const tensor&) = delete;

    // The source has no memory afterwards, and dynamic sizes of 0.
    tensor(tensor&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)),
          sizes_(std::exchange(other.sizes_, Extents())),
          memory_(other.memory_) {}
    tensor& operator=(tensor&& other) noexcept {
        if (this != &other) {
            release();
            data_ = std::exchange(other.data_, nullptr);
            sizes_ = std::exchange(other.sizes_, Extents());
            memory_ = other.memory_;
        }
        return *this;
    }
    ~tensor() { release(); }

    /// A tensor of equal elements in memory of its own.
    /// @shape that of this tensor
    /// @errors contract: a tensor of static size that was moved from; what the memory resource throws
    /// @source none
    [[nodiscard]] tensor copy(std::pmr::memory_resource* memory = nullptr) const {
        HENCE_EXPECT(data_ != nullptr || empty(), "a tensor that was not moved from");
        tensor result(uninitialized, sizes_, memory);
        if (data_ != nullptr) std::memcpy(static_cast<void*>(result.data_), data_, sizes_.size() * sizeof(T));
        return result;
    }

    [[nodiscard]] static constexpr std::size_t rank() noexcept { return Extents::rank(); }
    [[nodiscard]] static constexpr std::size_t static_extent(std::size_t dimension) noexcept {
        return Extents::static_extent(dimension);
    }
    [[nodiscard]] T* data() noexcept { return data_; }
    [[nodiscard]] const T* data() const noexcept { return data_; }
    [[nodiscard]] const Extents& extents() const noexcept { return sizes_; }
    [[nodiscard]] std::size_t extent(std::size_t dimension) const noexcept { return sizes_.extent(dimension); }
    [[nodiscard]] std::size_t size() const noexcept { return sizes_.size(); }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }

    /// Views of the elements, valid as long as this tensor and its memory; moving the tensor keeps them valid.
    /// @shape that of this tensor
    /// @errors none
    /// @source none
    [[nodiscard]] view_type view() noexcept { return {data_, sizes_}; }
    [[nodiscard]] const_view_type view() const noexcept { return {data_, sizes_}; }

    /// Any view that those of this tensor convert to, so that a tensor can be given where a view is asked for.
    /// @shape that of this tensor
    /// @errors none
    /// @source none
    template <any_tensor_view View>
        requires std::is_convertible_v<view_type, View>
    operator View() noexcept { return view(); }
    template <any_tensor_view View>
        requires std::is_convertible_v<const_view_type, View>
    operator View() const noexcept { return view(); }

    [[nodiscard]] std::span<T> span() noexcept { return {data_, size()}; }
    [[nodiscard]] std::span<const T> span() const noexcept { return {data_, size()}; }

    /// One element, unchecked; see tensor_view.
    /// @shape rank() indices
    /// @errors none; each index is below its extent
    /// @source none
    template <std::integral... Index>
        requires(sizeof...(Index) == Extents::rank())
    [[nodiscard]] T& operator()(Index... index) noexcept { return view()(index...); }
    template <std::integral... Index>
        requires(sizeof...(Index) == Extents::rank())
    [[nodiscard]] const T& operator()(Index... index) const noexcept { return view()(index...); }

private:
    static std::size_t checked_bytes(const Extents& sizes) {
        std::size_t bytes = sizeof(T);
        for (std::size_t i = 0; i < Extents::rank(); ++i) {
            [[maybe_unused]] const bool overflows = __builtin_mul_overflow(bytes, sizes.extent(i), &bytes);
            HENCE_EXPECT(!overflows, "sizes whose product fits in std::size_t");
        }
        return bytes;
    }

    void release() noexcept {
        if (data_ != nullptr) memory_->deallocate(data_, sizes_.size() * sizeof(T), HENCE_ALIGNMENT);
        data_ = nullptr;
    }

    T* data_ = nullptr;
    [[no_unique_address]] Extents sizes_;
    std::pmr::memory_resource* memory_ = std::pmr::get_default_resource();
};

/// An owning vector.
template <tensor_element T, std::size_t Size = dynamic_extent>
using owned_vector = tensor<T, extents<Size>>;

/// An owning row-major matrix.
template <tensor_element T, std::size_t Rows = dynamic_extent, std::size_t Columns = dynamic_extent>
using matrix = tensor<T, extents<Rows, Columns>>;

/// A tensor of the elements of a view, in memory of its own.
/// @shape that of the view
/// @errors what the memory resource throws
/// @source none
template <class T, class Extents, class Layout>
[[nodiscard]] tensor<std::remove_cv_t<T>, Extents> copy(const tensor_view<T, Extents, Layout>& from,
                                                        std::pmr::memory_resource* memory = nullptr) {
    tensor<std::remove_cv_t<T>, Extents> result(uninitialized, from.extents(), memory);
    copy_elements(from, result.view());
    return result;
}

HENCE_NAMESPACE_END

#endif
