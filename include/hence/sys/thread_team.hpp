// thread_team: the workers that share one forward step.
//
// A team runs one function on all its workers at the same time; inside, workers split ranges statically
// and meet at barriers. It is not a task queue: nothing is stolen, so which worker computes what never
// depends on timing. A host program may inject its own team by deriving from thread_team.
#ifndef HENCE_SYS_THREAD_TEAM_HPP
#define HENCE_SYS_THREAD_TEAM_HPP

#include "../config.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <type_traits>

HENCE_NAMESPACE_BEGIN

/// A half-open range of indices.
struct index_range {
    std::size_t begin = 0;
    std::size_t end = 0;
    [[nodiscard]] std::size_t size() const noexcept { return end - begin; }
};

namespace detail {

// A word that one thread changes and others wait for: see thread_team.inl.hpp.
class waitable_word {
public:
    [[nodiscard]] unsigned load() const noexcept { return value_.load(std::memory_order_acquire); }
    void wait_while(unsigned old) noexcept;
    unsigned add(unsigned amount) noexcept;  // returns the value before

private:
    alignas(HENCE_ALIGNMENT) std::atomic<unsigned> value_{0};
    std::atomic<int> sleepers_{0};
};

}  // namespace detail

/// Where the workers of one team wait for each other: spins first, then sleeps.
class spin_barrier {
public:
    explicit spin_barrier(int count) noexcept : count_(count) {}
    spin_barrier(const spin_barrier&) = delete;
    spin_barrier& operator=(const spin_barrier&) = delete;

    /// Returns when all `count` workers have arrived; memory written before is visible after.
    /// @shape none
    /// @errors none
    /// @threads each worker calls it the same number of times
    /// @source none
    void wait() noexcept;

private:
    int count_;
    alignas(HENCE_ALIGNMENT) std::atomic<int> arrived_{0};
    detail::waitable_word phase_;
};

/// One worker's view of its team inside thread_team::run.
struct worker {
    int index = 0;
    int count = 1;
    spin_barrier* barrier = nullptr;

    /// Waits for the other workers of the team.
    /// @shape none
    /// @errors none
    /// @source none
    void wait() const noexcept {
        if (count > 1) barrier->wait();
    }

    /// This worker's share of [0, size), in whole multiples of `grain`: contiguous, static, in worker order.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] index_range share(std::size_t size, std::size_t grain = 1) const noexcept {
        const std::size_t grains = (size + grain - 1) / grain;
        const auto parts = static_cast<std::size_t>(count);
        const auto part = static_cast<std::size_t>(index);
        return {std::min(size, grains * part / parts * grain), std::min(size, grains * (part + 1) / parts * grain)};
    }
};

/// Runs a function on a fixed number of workers at once.
class thread_team {
public:
    using task = void (*)(void* context, const worker& self);

    virtual ~thread_team() = default;

    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] virtual int size() const noexcept = 0;

    /// Calls task(context, worker) once on each of size() workers, concurrently, and returns when all have
    /// returned. The workers of one call share a barrier. The task must not throw.
    /// @shape none
    /// @errors none
    /// @threads one caller at a time; the calling thread may be one of the workers
    /// @source none
    virtual void run(task function, void* context) noexcept = 0;

    /// run() for any callable taking (const worker&).
    /// @shape none
    /// @errors none
    /// @source none
    template <class F>
    void each(F&& function) noexcept {
        run([](void* context, const worker& self) { (*static_cast<std::remove_reference_t<F>*>(context))(self); },
            &function);
    }
};

/// A team of one: runs on the calling thread.
class serial_team final : public thread_team {
public:
    [[nodiscard]] int size() const noexcept override { return 1; }
    void run(task function, void* context) noexcept override { function(context, worker{}); }
};

/// The library's own team: `threads` workers, of which the caller is one; the others spin briefly between
/// calls and then sleep, so that an idle engine costs nothing.
class spin_team final : public thread_team {
public:
    /// @shape none
    /// @errors none: fewer threads than asked for are started where the system refuses one; see size()
    /// @source none
    explicit spin_team(int threads);
    ~spin_team() override;
    spin_team(const spin_team&) = delete;
    spin_team& operator=(const spin_team&) = delete;

    [[nodiscard]] int size() const noexcept override;
    void run(task function, void* context) noexcept override;

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// The number of processors this process may run on; at least 1.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] int available_processors() noexcept;

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/thread_team.inl.hpp"
#endif

#endif
