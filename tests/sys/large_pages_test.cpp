// Advice about pages: it changes nothing that can be seen, wherever the block lies.
#include "support/catch.hpp"

#include <hence/sys/large_pages.hpp>

#include <vector>

TEST_CASE("advice about large pages leaves every byte, in blocks of any size and place") {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, hence::large_page_bytes, 3 * hence::large_page_bytes + 5}) {
        std::vector<unsigned char> block(size + 1, 7);
        hence::prefer_large_pages(block.data() + 1, size);
        for (std::size_t i = 0; i < block.size(); i += 4096) REQUIRE(block[i] == 7);
        REQUIRE(block.back() == 7);
    }
    hence::prefer_large_pages(nullptr, 0);
}
