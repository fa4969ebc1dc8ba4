// Definitions of sys/thread_team.hpp.
#ifndef HENCE_SYS_DETAIL_THREAD_TEAM_INL_HPP
#define HENCE_SYS_DETAIL_THREAD_TEAM_INL_HPP

#include "../thread_team.hpp"

#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

HENCE_NAMESPACE_BEGIN

namespace detail {

HENCE_ALWAYS_INLINE void pause_cpu() noexcept {
#if HENCE_X86
    __builtin_ia32_pause();
#elif HENCE_ARM
    __asm__ __volatile__("yield");
#endif
}

// Waits until `value` differs from `old`: a few microseconds of spinning (a barrier between two small
// operations), then yielding (another process has the core), then a futex (the engine is idle).
inline void await_change(const std::atomic<unsigned>& value, unsigned old) noexcept {
    for (int spin = 0; spin < 4000; ++spin) {
        if (value.load(std::memory_order_acquire) != old) return;
        pause_cpu();
    }
    for (int turn = 0; turn < 64; ++turn) {
        if (value.load(std::memory_order_acquire) != old) return;
        std::this_thread::yield();
    }
    value.wait(old, std::memory_order_acquire);
}

}  // namespace detail

HENCE_INLINE void spin_barrier::wait() noexcept {
    const unsigned phase = phase_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == count_) {
        arrived_.store(0, std::memory_order_relaxed);
        phase_.fetch_add(1, std::memory_order_release);
        phase_.notify_all();
        return;
    }
    detail::await_change(phase_, phase);
}

struct spin_team::state {
    // Set once the threads are there, before the first task tells them so.
    std::optional<spin_barrier> barrier;
    int count = 1;
    alignas(HENCE_ALIGNMENT) std::atomic<unsigned> generation{0};
    alignas(HENCE_ALIGNMENT) std::atomic<unsigned> running{0};
    task function = nullptr;
    void* context = nullptr;
    std::atomic<bool> stopping{false};
    std::vector<std::thread> threads;
};

HENCE_INLINE spin_team::spin_team(int threads) : state_(std::make_unique<state>()) {
    state& s = *state_;
    const int wanted = std::max(1, threads);
    s.threads.reserve(static_cast<std::size_t>(wanted) - 1);
#if HENCE_EXCEPTIONS
    try {
#endif
        for (int index = 1; index < wanted; ++index) {
            s.threads.emplace_back([&s, index] {
                unsigned seen = 0;
                for (;;) {
                    detail::await_change(s.generation, seen);
                    seen = s.generation.load(std::memory_order_acquire);
                    if (s.stopping.load(std::memory_order_acquire)) return;
                    s.function(s.context, worker{index, s.count, &*s.barrier});
                    if (s.running.fetch_sub(1, std::memory_order_acq_rel) == 1) s.running.notify_one();
                }
            });
        }
#if HENCE_EXCEPTIONS
    } catch (const std::system_error&) {  // the system has no more threads: the team is what has started
    }
#endif
    s.count = static_cast<int>(s.threads.size()) + 1;
    s.barrier.emplace(s.count);
}

HENCE_INLINE spin_team::~spin_team() {
    state& s = *state_;
    s.stopping.store(true, std::memory_order_release);
    s.generation.fetch_add(1, std::memory_order_release);
    s.generation.notify_all();
    for (std::thread& thread : s.threads) thread.join();
}

HENCE_INLINE int spin_team::size() const noexcept { return state_->count; }

HENCE_INLINE void spin_team::run(task function, void* context) noexcept {
    state& s = *state_;
    s.function = function;
    s.context = context;
    if (s.count > 1) {
        s.running.store(static_cast<unsigned>(s.count - 1), std::memory_order_relaxed);
        s.generation.fetch_add(1, std::memory_order_release);
        s.generation.notify_all();
    }
    function(context, worker{0, s.count, &*s.barrier});
    for (unsigned left = s.running.load(std::memory_order_acquire); left != 0;
         left = s.running.load(std::memory_order_acquire)) {
        detail::await_change(s.running, left);
    }
}

HENCE_INLINE int available_processors() noexcept {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

HENCE_NAMESPACE_END

#endif
