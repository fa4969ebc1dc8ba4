// error_report: how far stored numbers are from the ones they stand for.
#ifndef HENCE_QUANT_ERROR_REPORT_HPP
#define HENCE_QUANT_ERROR_REPORT_HPP

#include "../config.hpp"
#include "../core/result.hpp"

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>

HENCE_NAMESPACE_BEGIN

/// Adds up differences, rows at a time, in double precision.
class error_report {
public:
    /// @shape original[n], stored[n]
    /// @errors contract: sizes differ
    /// @source none
    void add(std::span<const float> original, std::span<const float> stored) {
        HENCE_EXPECT(original.size() == stored.size(), "two rows of one size");
        for (std::size_t i = 0; i < original.size(); ++i) {
            const double a = static_cast<double>(original[i]);
            const double b = static_cast<double>(stored[i]);
            const double off = a - b;
            if (std::fabs(off) > max_) max_ = std::fabs(off);
            errors_ += off * off;
            originals_ += a * a;
            stored_ += b * b;
            products_ += a * b;
        }
        count_ += original.size();
    }

    /// Adds another report's sums, for reports made by several workers.
    /// @shape none
    /// @errors none
    /// @source none
    void add(const error_report& other) noexcept {
        if (other.max_ > max_) max_ = other.max_;
        errors_ += other.errors_;
        originals_ += other.originals_;
        stored_ += other.stored_;
        products_ += other.products_;
        count_ += other.count_;
    }

    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    /// The largest difference.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] double max() const noexcept { return max_; }
    /// The sum of the squared differences.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] double sum_squares() const noexcept { return errors_; }
    /// The root of the mean squared difference.
    /// @shape none
    /// @errors none; 0 for nothing
    /// @source none
    [[nodiscard]] double rms() const noexcept { return count_ > 0 ? std::sqrt(errors_ / static_cast<double>(count_)) : 0.0; }
    /// The cosine of the angle between the two.
    /// @shape none
    /// @errors none; 1 if both are zero, 0 if one is
    /// @source none
    [[nodiscard]] double cosine() const noexcept {
        if (originals_ == 0 && stored_ == 0) return 1.0;
        const double both = std::sqrt(originals_) * std::sqrt(stored_);
        return both > 0 ? products_ / both : 0.0;
    }
    /// The ratio of signal to quantization noise.
    /// @shape none
    /// @units decibels
    /// @errors none; infinity where nothing differs
    /// @source none
    [[nodiscard]] double sqnr_db() const noexcept {
        if (errors_ == 0) return std::numeric_limits<double>::infinity();
        return originals_ > 0 ? 10.0 * std::log10(originals_ / errors_) : -std::numeric_limits<double>::infinity();
    }

private:
    std::size_t count_ = 0;
    double max_ = 0;
    double errors_ = 0;
    double originals_ = 0;
    double stored_ = 0;
    double products_ = 0;
};

HENCE_NAMESPACE_END

#endif
