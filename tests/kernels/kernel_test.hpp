// What the kernel tests share: the tiers that this machine runs, aligned memory, random values and exact comparisons.
#ifndef HENCE_TESTS_KERNELS_KERNEL_TEST_HPP
#define HENCE_TESTS_KERNELS_KERNEL_TEST_HPP

#include <hence/core/rng.hpp>
#include <hence/core/scalar.hpp>
#include <hence/kernels/dispatch.hpp>
#include <hence/kernels/pack.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <vector>

namespace hence_test {

inline constexpr double half_ulp = 0x1.0p-24;  // of a float near 1: the relative error of one rounding
inline constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
inline constexpr float infinite = std::numeric_limits<float>::infinity();

/// Every tier that this build has and this machine runs; scalar, the reference, first.
inline std::vector<const hence::kernel_table*> tiers() {
    std::vector<const hence::kernel_table*> all;
    for (std::size_t i = 0; i < hence::isa_count; ++i)
        if (auto found = hence::kernels::table(static_cast<hence::isa>(i)); found) all.push_back(*found);
    return all;
}

/// Tiers whose multiply-adds are fused are bit for bit alike. The portable tier has what the compiler's flags give it,
/// without which a product is rounded before it is added; only bounds hold for it.
inline bool fused(const hence::kernel_table& table) {
    return table.tier != hence::isa::portable;
}

inline std::string label(const hence::kernel_table& table) {
    return "tier " + std::string(hence::name(table.tier));
}

/// Memory that starts on 64 bytes and ends where it says, so that a sanitizer sees a read past the end.
template <class T>
class aligned_array {
public:
    explicit aligned_array(std::size_t size)
        : data_(static_cast<T*>(::operator new (size * sizeof(T), std::align_val_t{64}))), size_(size) {
        std::memset(static_cast<void*>(data_), 0, size * sizeof(T));
    }
    aligned_array(const aligned_array&) = delete;
    aligned_array& operator=(const aligned_array&) = delete;
    ~aligned_array() { ::operator delete (data_, std::align_val_t{64}); }
    T* data() noexcept { return data_; }
    const T* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    T& operator[](std::size_t i) noexcept { return data_[i]; }

private:
    T* data_;
    std::size_t size_;
};

/// Random values that are the same in every run.
class random_values {
public:
    explicit random_values(std::uint64_t seed) : rng_{seed} {}
    double uniform(double low, double high) { return low + (high - low) * rng_.uniform(0, position_++, 0); }
    float normal() {  // the sum of six has the shape that matters
        double sum = 0;
        for (int i = 0; i < 6; ++i) sum += uniform(-1, 1);
        return static_cast<float>(sum * 0.70710678);
    }
    int integer(int low, int high) { return low + static_cast<int>(uniform(0, high - low + 1 - 1e-9)); }
    std::vector<float> normals(std::size_t n, float scale = 1.0f) {
        std::vector<float> values(n);
        for (float& value : values) value = normal() * scale;
        return values;
    }

private:
    hence::counter_rng rng_;
    std::uint32_t position_ = 0;
};

/// The distance of floats around `reference`; subnormals count as the smallest normal.
inline double ulp(double reference) {
    const double magnitude = std::max(std::fabs(reference), double{std::numeric_limits<float>::min()});
    return std::ldexp(1.0, std::ilogb(magnitude) - 23);
}

/// The first index at which two arrays differ in bits, or n.
inline std::size_t first_difference(const float* a, const float* b, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i)
        if (std::memcmp(a + i, b + i, sizeof(float)) != 0) return i;
    return n;
}

/// The first index at which a value is farther from its reference than its bound, or is NaN; or n.
inline std::size_t first_outside(const float* values, const double* reference, const double* bound, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i)
        if (!(std::fabs(double{values[i]} - reference[i]) <= bound[i])) return i;
    return n;
}

}  // namespace hence_test

#endif
