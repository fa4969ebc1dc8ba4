// quote: nothing that a terminal obeys passes, and text stays text.
#include <hence/core/quote.hpp>

#include <hence/core/result.hpp>

#include "support/catch.hpp"

TEST_CASE("text is quoted as it is, controls and broken bytes are escaped") {
    CHECK(hence::quote("plain") == "'plain'");
    CHECK(hence::quote("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80") == "'\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80'");
    CHECK(hence::quote("a\nb\tc\x1b[0m\x7f") == "'a\\nb\\x09c\\x1b[0m\\x7f'");
    CHECK(hence::quote("\xff\xc3") == "'\\xff\\xc3'");
    CHECK(hence::quote("\xc2\x9b") == "'\\xc2\\x9b'");
    CHECK(hence::quote(std::string_view("\0", 1)) == "'\\x00'");
    CHECK(hence::quote("") == "''");
}

TEST_CASE("long text is cut at a character and its length stated") {
    CHECK(hence::quote(std::string(100, 'x'), 4) == "'xxxx... (100 bytes)'");
    CHECK(hence::quote("abc\xe2\x82\xac"
                       "def",
                       4) == "'abc\xe2\x82\xac... (9 bytes)'");
}

TEST_CASE("UTF-8 is told from what resembles it") {
    for (const char* good : {"a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                             "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
        CHECK(hence::is_utf8(good));
    for (const char* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                            "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xff", "\xc2\x41"})
        CHECK_FALSE(hence::is_utf8(bad));
    CHECK(hence::utf8_length("\xe2\x82\xac!") == 3);
    CHECK(hence::utf8_length("") == 0);
}

TEST_CASE("an error's message is printable whatever its fields hold, and what was found is cut") {
    const auto e =
        hence::make_error(hence::errc::bad_format, "a\x1b[2J", "b\n", std::string(1000, 'x') + "\xff", "t\x07", 5);
    CHECK(e.message() == "a\\x1b[2J: tensor 't\\x07' at byte 5: expected b\\n, found " + std::string(400, 'x') +
                             "... (1001 bytes) [bad_format]");
}
