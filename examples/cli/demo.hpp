// The two parts of hence demo.
#ifndef HENCE_EXAMPLES_CLI_DEMO_HPP
#define HENCE_EXAMPLES_CLI_DEMO_HPP

#include "common.hpp"

namespace tool {

struct demo_options : model_options {
    std::uint64_t seed = 1;
    std::size_t samples = 16;
    std::size_t puzzles = 25;
    double seconds = 90;
};

/// "right" or "wrong", coloured on a terminal.
[[nodiscard]] std::string verdict(bool good);

/// The Game of 24 on puzzles of the published test split, by every kind of search; demo_puzzles.cpp.
void show_puzzles(hence::engine<hence::decoder>& engine, const demo_options& o);

}  // namespace tool

#endif
