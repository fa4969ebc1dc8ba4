// Thread teams: every worker runs once per call, barriers order memory, shares partition. Also run under TSan.
#include <hence/sys/thread_team.hpp>

#include "support/catch.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

TEST_CASE("a team runs its task once on each worker, call after call") {
    for (const int threads : {1, 2, 3, 5}) {
        hence::spin_team team(threads);
        REQUIRE(team.size() == threads);
        std::vector<int> visits(static_cast<std::size_t>(threads), 0);
        for (int call = 0; call < 500; ++call)
            team.each([&](const hence::worker& self) { ++visits[static_cast<std::size_t>(self.index)]; });
        for (const int count : visits) CHECK(count == 500);
    }
}

TEST_CASE("the calling thread sees what every worker wrote") {
    hence::spin_team team(4);
    std::vector<std::size_t> values(1000, 0);
    for (std::size_t round = 1; round <= 100; ++round) {
        team.each([&](const hence::worker& self) {
            const hence::index_range mine = self.share(values.size());
            for (std::size_t i = mine.begin; i < mine.end; ++i) values[i] += i * round;
        });
    }
    for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] == i * 5050);
}

TEST_CASE("a barrier makes what one worker wrote visible to the next phase of all") {
    hence::spin_team team(4);
    std::vector<int> phase(4, 0);
    std::atomic<int> torn{0};
    team.each([&](const hence::worker& self) {
        for (int round = 1; round <= 300; ++round) {
            phase[static_cast<std::size_t>(self.index)] = round;
            self.wait();
            for (const int other : phase) torn += other == round ? 0 : 1;
            self.wait();
        }
    });
    CHECK(torn == 0);
}

TEST_CASE("shares cover the range once, in order, in whole grains") {
    for (const std::size_t size : {0u, 1u, 7u, 64u, 65u, 1000u}) {
        for (const std::size_t grain : {1u, 4u, 64u}) {
            for (int count = 1; count <= 9; ++count) {
                std::size_t expected_begin = 0;
                for (int index = 0; index < count; ++index) {
                    const hence::index_range mine = hence::worker{index, count, nullptr}.share(size, grain);
                    CHECK(mine.begin == expected_begin);
                    CHECK(mine.end >= mine.begin);
                    if (mine.end < size) CHECK(mine.end % grain == 0);
                    expected_begin = mine.end;
                }
                CHECK(expected_begin == size);
            }
        }
    }
}

TEST_CASE("a team that slept wakes again") {
    hence::spin_team team(3);
    std::atomic<int> runs{0};
    for (int round = 0; round < 3; ++round) {
        team.each([&](const hence::worker&) { ++runs; });
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    CHECK(runs == 9);
}

TEST_CASE("teams come and go, used or not") {
    for (int i = 0; i < 50; ++i) {
        hence::spin_team unused(3);
        const auto used = std::make_unique<hence::spin_team>(2);
        int sum = 0;
        used->each([&](const hence::worker& self) {
            if (self.index == 0) sum = self.count;
        });
        CHECK(sum == 2);
    }
}

TEST_CASE("a team of fewer than one thread is a team of one") {
    hence::spin_team team(0);
    CHECK(team.size() == 1);
    hence::serial_team serial;
    int runs = 0;
    serial.each([&](const hence::worker& self) {
        self.wait();
        runs += self.count;
    });
    CHECK(runs == 1);
    CHECK(hence::available_processors() >= 1);
}
