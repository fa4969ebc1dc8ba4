// The thread team: every worker once per run, barriers that order memory, static shares, and no waiting forever when
// there are more workers than processors.
#include <hence/sys/thread_team.hpp>

#include "support/catch.hpp"
#include "support/sanitized.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

using hence::index_range;
using hence::spin_team;
using hence::worker;

namespace {

constexpr int team_sizes[] = {1, 2, 3, 8};

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("worker: shares cover a range exactly once, in order, in whole grains, as evenly as grains allow") {
    for (int count = 1; count <= 9; ++count) {
        for (const std::size_t size : {0u, 1u, 2u, 7u, 8u, 9u, 63u, 64u, 65u, 1000u}) {
            for (const std::size_t grain : {1u, 4u, 16u, 100u}) {
                std::size_t next = 0, smallest = SIZE_MAX, largest = 0;
                for (int index = 0; index < count; ++index) {
                    const index_range share = worker{index, count, nullptr}.share(size, grain);
                    INFO(size << " by " << grain << " among " << count << ", worker " << index);
                    REQUIRE(share.begin == next);
                    REQUIRE(share.end >= share.begin);
                    REQUIRE((share.begin % grain == 0 || share.begin == size));
                    REQUIRE((share.end % grain == 0 || share.end == size));
                    next = share.end;
                    const std::size_t grains = (share.size() + grain - 1) / grain;
                    smallest = std::min(smallest, grains);
                    largest = std::max(largest, grains);
                }
                REQUIRE(next == size);
                REQUIRE(largest - smallest <= 1);
            }
        }
    }
}

TEST_CASE("thread_team: one run calls every worker once, with its index and the team's size") {
    for (const int size : team_sizes) {
        spin_team team(size);
        REQUIRE(team.size() == size);
        std::vector<int> calls(static_cast<std::size_t>(size), 0);
        team.each([&](const worker& self) {
            if (self.count == size) ++calls[static_cast<std::size_t>(self.index)];
        });
        CHECK(calls == std::vector<int>(static_cast<std::size_t>(size), 1));
    }
}

TEST_CASE("thread_team: a team of less than one has one worker, the caller") {
    spin_team team(-3);
    CHECK(team.size() == 1);
    std::thread::id ran;
    team.each([&](const worker& self) {
        ran = std::this_thread::get_id();
        self.wait();
    });
    CHECK(ran == std::this_thread::get_id());
    hence::serial_team serial;
    int calls = 0;
    serial.each([&](const worker& self) {
        self.wait();
        calls += self.count;
    });
    CHECK(calls == 1);
    CHECK(serial.size() == 1);
}

TEST_CASE("thread_team: what a worker writes before a barrier, every worker reads after it") {
    for (const int size : team_sizes) {
        spin_team team(size);
        // Plain memory: a race here is a failure of the thread sanitizer's run.
        std::vector<std::uint64_t> cells(static_cast<std::size_t>(size), 1);
        std::vector<std::uint64_t> next = cells;
        constexpr int steps = 150;
        team.each([&](const worker& self) {
            const auto mine = static_cast<std::size_t>(self.index);
            for (int step = 0; step < steps; ++step) {
                next[mine] = std::accumulate(cells.begin(), cells.end(), std::uint64_t{0}) % 1000003 + mine;
                self.wait();
                cells[mine] = next[mine];
                self.wait();
            }
        });
        std::vector<std::uint64_t> wanted(static_cast<std::size_t>(size), 1);
        for (int step = 0; step < steps; ++step) {
            const std::uint64_t sum = std::accumulate(wanted.begin(), wanted.end(), std::uint64_t{0}) % 1000003;
            for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = sum + i;
        }
        CHECK(cells == wanted);
    }
}

TEST_CASE("thread_team: many runs in a row, each seeing the one before") {
    for (const int size : team_sizes) {
        spin_team team(size);
        std::vector<int> counts(static_cast<std::size_t>(size), 0);
        for (int run = 0; run < 400; ++run) {
            team.each([&](const worker& self) {
                const auto left = static_cast<std::size_t>((self.index + run) % self.count);
                if (counts[left] == run) ++counts[left];  // another worker's cell each time
            });
        }
        CHECK(counts == std::vector<int>(static_cast<std::size_t>(size), 400));
    }
}

TEST_CASE("thread_team: workers that slept wake up for the next run") {
    spin_team team(3);
    for (int run = 0; run < 5; ++run) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        std::array<int, 3> calls{};
        team.each([&](const worker& self) {
            if (self.index == 1)
                std::this_thread::sleep_for(std::chrono::milliseconds(10));  // others go to sleep at the barrier
            self.wait();
            ++calls[static_cast<std::size_t>(self.index)];
        });
        CHECK(calls == std::array<int, 3>{1, 1, 1});
    }
}

TEST_CASE("thread_team: more workers than processors finish promptly") {
    const auto start = std::chrono::steady_clock::now();
    spin_team team(4 * hence::available_processors());
    std::vector<int> passed(static_cast<std::size_t>(team.size()), 0);
    team.each([&](const worker& self) {
        for (int i = 0; i < 500; ++i) {
            self.wait();
            ++passed[static_cast<std::size_t>(self.index)];
        }
    });
    CHECK(passed == std::vector<int>(static_cast<std::size_t>(team.size()), 500));
    CHECK(seconds_since(start) < 60.0);  // a hang or a time slice per barrier and worker, not a speed
}

TEST_CASE("thread_team: destruction of an idle team, of one never used, and of several at once") {
    for (const int size : team_sizes) {
        { const spin_team unused(size); }
        spin_team first(size), second(size);
        int sum = 0;
        first.each([&](const worker& self) {
            if (self.index == 0) ++sum;
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(5));  // asleep by now
        second.each([&](const worker& self) {
            if (self.index == 0) ++sum;
        });
        CHECK(sum == 2);
    }
}

TEST_CASE("thread_team: two teams of one program run side by side") {
    std::array<std::uint64_t, 2> sums{};
    std::thread other([&] {
        spin_team team(2);
        for (int run = 0; run < 200; ++run)
            team.each([&](const worker& self) {
                self.wait();
                if (self.index == 1) ++sums[1];
            });
    });
    spin_team team(2);
    for (int run = 0; run < 200; ++run)
        team.each([&](const worker& self) {
            self.wait();
            if (self.index == 1) ++sums[0];
        });
    other.join();
    CHECK(sums == std::array<std::uint64_t, 2>{200, 200});
}

TEST_CASE("available_processors: at least one, and no more than the machine has") {
    CHECK(hence::available_processors() >= 1);
    const unsigned machine = std::thread::hardware_concurrency();
    if (machine > 0) CHECK(hence::available_processors() <= static_cast<int>(machine));
}

// A sanitizer's own memory does not fit under an address-space limit.
#if defined(__linux__) && HENCE_EXCEPTIONS && !HENCE_TEST_SANITIZED
TEST_CASE("thread_team: where the system refuses threads, the team is those that started, and works") {
    std::fflush(nullptr);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {                                // no Catch in here: the exit status is the answer
        const rlimit limit{256u << 20, 256u << 20};  // room for some thread stacks, not for 200
        if (::setrlimit(RLIMIT_AS, &limit) != 0) ::_exit(2);
        int calls = 0;
        bool ok = true;
        {
            spin_team team(200);
            // An emulator may not apply the limit; then all 200 start.
            std::vector<int> seen(static_cast<std::size_t>(team.size()), 0);
            team.each([&](const worker& self) {
                ok = ok && self.count == team.size();
                seen[static_cast<std::size_t>(self.index)] = 1;
                self.wait();
            });
            calls = std::accumulate(seen.begin(), seen.end(), 0);
            ok = ok && calls == team.size() && team.size() >= 1;
        }
        ::_exit(ok ? 0 : 1);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}
#endif
