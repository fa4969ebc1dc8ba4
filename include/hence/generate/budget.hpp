// budget: the most that a run may spend. Engines enforce it before every step; strategies split it.
//
// An absent limit means unlimited; a limit of 0 means nothing may be spent: branches then finish at once
// with finish_reason::budget and an empty, valid answer. A negative limit is an error.
#ifndef HENCE_GENERATE_BUDGET_HPP
#define HENCE_GENERATE_BUDGET_HPP

#include "../core/text.hpp"
#include "../core/result.hpp"
#include "account.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

HENCE_NAMESPACE_BEGIN

/// How the children that share a budget run: one after the other, or in the same batch.
enum class children : std::uint8_t { sequential, concurrent };

/// Where a budget ended a branch: the one with this stream has so many tokens, its prompt included. (A strategy also
/// keeps the call at which it learnt that the budget had ended, with a stream that no branch has.)
/// A clock does not strike twice at the same token, so what a deadline did is kept in these.
struct cut_position {
    std::uint64_t stream = 0;
    std::size_t tokens = 0;
    friend constexpr bool operator==(const cut_position&, const cut_position&) = default;
};

struct budget {
    std::optional<std::int64_t> tokens = {};    ///< account::spent_tokens(): generated + forced + scored
    std::optional<std::int64_t> forwards = {};  ///< forward steps
    std::optional<std::int64_t> bytes = {};     ///< bytes of cache pages in use at one time
    std::optional<std::chrono::nanoseconds> deadline = {};  ///< wall time from set_budget() on

    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] constexpr bool unlimited() const noexcept {
        return !tokens && !forwards && !bytes && !deadline;
    }

    /// True when some limit is reached, so that not one more step or token is allowed.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] constexpr bool exhausted() const noexcept {
        return (tokens && *tokens <= 0) || (forwards && *forwards <= 0) || (bytes && *bytes <= 0) ||
               (deadline && deadline->count() <= 0);
    }

    /// Refuses negative limits by name.
    /// @shape none
    /// @errors out_of_range: a limit is negative
    /// @source none
    [[nodiscard]] result<void> check() const {
        const auto refuse = [](const char* field, std::int64_t found) -> result<void> {
            return make_error(errc::out_of_range, concat({"budget.", field}), "0 or more", decimal(found));
        };
        if (tokens && *tokens < 0) return refuse("tokens", *tokens);
        if (forwards && *forwards < 0) return refuse("forwards", *forwards);
        if (bytes && *bytes < 0) return refuse("bytes", *bytes);
        if (deadline && deadline->count() < 0) return refuse("deadline", deadline->count());
        return {};
    }

    /// Child `index` of `count` equal shares; remainders go to the first children, so the shares add up.
    /// Children that run one after the other divide tokens, forwards and time and may each use all bytes;
    /// children of one batch divide tokens and bytes and share forwards and time.
    /// @shape none
    /// @errors none; count must be positive
    /// @source none
    [[nodiscard]] constexpr budget share(std::int64_t index, std::int64_t count,
                                         children how = children::sequential) const noexcept {
        const auto part = [&](std::int64_t whole) { return whole / count + (index < whole % count ? 1 : 0); };
        budget child = *this;
        if (tokens) child.tokens = part(*tokens);
        if (how == children::sequential) {
            if (forwards) child.forwards = part(*forwards);
            if (deadline) child.deadline = std::chrono::nanoseconds(part(deadline->count()));
        } else if (bytes) {
            child.bytes = part(*bytes);
        }
        return child;
    }

    /// What is left after `spent`, never below zero; bytes are a level, not a flow, and stay.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] constexpr budget after(const account& spent) const noexcept {
        budget left = *this;
        const auto less = [](std::int64_t whole, std::int64_t part) { return whole > part ? whole - part : 0; };
        if (left.tokens) left.tokens = less(*tokens, spent.spent_tokens());
        if (left.forwards) left.forwards = less(*forwards, spent.forwards);
        if (left.deadline) {
            left.deadline = std::chrono::nanoseconds(
                less(deadline->count(), static_cast<std::int64_t>(spent.seconds * 1e9)));
        }
        return left;
    }

    /// The tighter of two limits, field by field.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] constexpr budget within(const budget& outer) const noexcept {
        const auto tighter = [](const auto& a, const auto& b) { return !a ? b : !b ? a : (*a < *b ? a : b); };
        budget both;
        both.tokens = tighter(tokens, outer.tokens);
        both.forwards = tighter(forwards, outer.forwards);
        both.bytes = tighter(bytes, outer.bytes);
        both.deadline = tighter(deadline, outer.deadline);
        return both;
    }

    friend constexpr bool operator==(const budget&, const budget&) = default;
};

HENCE_NAMESPACE_END

#endif
