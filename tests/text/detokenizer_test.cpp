#include "hence/text/detokenizer.hpp"

#include "hence/text/unicode.hpp"
#include "text_support.hpp"

using namespace hence;

TEST_CASE("a stream of bytes never shows half a character and ends with the whole text", "[text][detokenizer]") {
    const auto t = hence_test::make_tokenizer(hence_test::byte_vocabulary({}, {"<end>"}));
    const std::string text = "a\u00e9\u4f60\U0001f642 z";
    std::string shown;
    streaming_detokenizer stream(t);
    for (const char c : text) {
        const std::string more = stream.push(static_cast<unsigned char>(c));
        CHECK(text::is_valid_utf8(more));
        shown += more;
    }
    CHECK(shown == text);
    CHECK(stream.push(256).empty());
    CHECK(stream.finish().empty());
}

TEST_CASE("bytes that no character can begin with come out as U+FFFD at once, an open character at the end", "[text][detokenizer]") {
    const auto t = hence_test::make_tokenizer(hence_test::byte_vocabulary({}));
    streaming_detokenizer stream(t);
    CHECK(stream.push(0xFF) == "\uFFFD");
    CHECK(stream.push(0xE4) == "");
    CHECK(stream.push('a') == "\uFFFD" "a");
    CHECK(stream.push(0xF0) == "");
    CHECK(stream.push(0x9F) == "");
    CHECK(stream.finish() == "\uFFFD");
    CHECK(stream.push('b') == "b");  // used again
}

TEST_CASE("any stream of random bytes gives what replacing in the whole text gives", "[text][detokenizer]") {
    const auto t = hence_test::make_tokenizer(hence_test::byte_vocabulary({}));
    std::uint32_t state = 11;
    for (int round = 0; round < 500; ++round) {
        std::string bytes;
        std::string shown;
        streaming_detokenizer stream(t);
        for (int i = 0; i < 30; ++i) {
            state = state * 1664525u + 1013904223u;
            const auto byte = static_cast<unsigned char>(0x60u + (state >> 24) % 0xA0u);
            bytes.push_back(static_cast<char>(byte));
            shown += stream.push(byte);
        }
        shown += stream.finish();
        CHECK(shown == text::to_valid_utf8(bytes));
    }
}
