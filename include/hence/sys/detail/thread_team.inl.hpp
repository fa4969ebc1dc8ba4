// Definitions of sys/thread_team.hpp.
#ifndef HENCE_SYS_DETAIL_THREAD_TEAM_INL_HPP
#define HENCE_SYS_DETAIL_THREAD_TEAM_INL_HPP

#include "../thread_team.hpp"

#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
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

// A word that one thread changes and others wait for. Waiting spins for some tens of microseconds (a barrier between
// two small operations), then sleeps. It never yields: where another process wants the processor a yield gives away a
// whole time slice, while a sleeper that is woken goes to the front of the queue.
inline void sleep_until_changed(std::atomic<unsigned>& value, unsigned old) noexcept {
#if defined(__linux__)
    static_assert(sizeof(std::atomic<unsigned>) == 4 && std::atomic<unsigned>::is_always_lock_free);
    syscall(SYS_futex, &value, FUTEX_WAIT_PRIVATE, old, nullptr, nullptr, 0);
#else
    value.wait(old, std::memory_order_acquire);
#endif
}

inline void wake_sleepers(std::atomic<unsigned>& value) noexcept {
#if defined(__linux__)
    syscall(SYS_futex, &value, FUTEX_WAKE_PRIVATE, 0x7fffffff, nullptr, nullptr, 0);
#else
    value.notify_all();
#endif
}

HENCE_INLINE void waitable_word::wait_while(unsigned old) noexcept {
    for (int spin = 0; spin < 4000; ++spin) {
        if (value_.load(std::memory_order_acquire) != old) return;
        pause_cpu();
    }
    sleepers_.fetch_add(1);
    while (value_.load() == old) sleep_until_changed(value_, old);
    sleepers_.fetch_sub(1);
}

HENCE_INLINE unsigned waitable_word::add(unsigned amount) noexcept {
    // Sequentially consistent, as the sleeper's count and check are: either it sees the new value or this sees it.
    const unsigned before = value_.fetch_add(amount);
    if (sleepers_.load() > 0) wake_sleepers(value_);
    return before;
}

}  // namespace detail

HENCE_INLINE void spin_barrier::wait() noexcept {
    const unsigned phase = phase_.load();
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == count_) {
        arrived_.store(0, std::memory_order_relaxed);
        phase_.add(1);
        return;
    }
    phase_.wait_while(phase);
}

struct spin_team::state {
    // Set once the threads are there, before the first task tells them so.
    std::optional<spin_barrier> barrier;
    int count = 1;
    detail::waitable_word generation;
    detail::waitable_word finished;  // workers that have returned, over all runs
    unsigned expected = 0;           // what it will be when the present run is over
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
                    s.generation.wait_while(seen);
                    seen = s.generation.load();
                    if (s.stopping.load(std::memory_order_acquire)) return;
                    s.function(s.context, worker{index, s.count, &*s.barrier});
                    s.finished.add(1);
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
    s.generation.add(1);
    for (std::thread& thread : s.threads) thread.join();
}

HENCE_INLINE int spin_team::size() const noexcept { return state_->count; }

HENCE_INLINE void spin_team::run(task function, void* context) noexcept {
    state& s = *state_;
    s.function = function;
    s.context = context;
    if (s.count > 1) {
        s.expected += static_cast<unsigned>(s.count - 1);
        s.generation.add(1);
    }
    function(context, worker{0, s.count, &*s.barrier});
    for (unsigned now = s.finished.load(); now != s.expected; now = s.finished.load()) s.finished.wait_while(now);
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
