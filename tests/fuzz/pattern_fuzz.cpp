// Any bytes as a tokenizer's regular expression (the first line) and a text (the rest): matches are in order, inside the
// text, and found in time that does not explode.
#include <hence/text/pattern.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view all = hence_fuzz::text(data, size);
    const std::size_t line = std::min(all.find('\n'), all.size());
    const auto compiled = hence::text::pattern::compile(all.substr(0, line));
    if (!compiled) {
        hence_fuzz::check(compiled.error());
        return 0;
    }
    const std::string text(all.substr(std::min(line + 1, all.size())).substr(0, 4096));
    hence::text::pattern::scratch memory;
    std::vector<hence::text::pattern::span> matches;
    compiled->find_all(text, memory, matches);
    std::size_t at = 0;
    for (std::size_t i = 0; i < matches.size(); ++i) {
        HENCE_FUZZ_REQUIRE(matches[i].begin >= at && matches[i].begin <= matches[i].end &&
                           matches[i].end <= text.size());
        HENCE_FUZZ_REQUIRE(i == 0 || matches[i].end > matches[i - 1].end || matches[i].begin > matches[i - 1].begin);
        at = matches[i].end;
    }
    std::vector<hence::text::pattern::span> again;  // what the scratch has learnt changes nothing
    compiled->find_all(text, memory, again);
    HENCE_FUZZ_REQUIRE(again.size() == matches.size());
    return 0;
}
