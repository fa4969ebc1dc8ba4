// What several text tests share: vocabularies from files, small vocabularies written by hand, JSON lines.
#ifndef HENCE_TESTS_TEXT_TEXT_SUPPORT_HPP
#define HENCE_TESTS_TEXT_TEXT_SUPPORT_HPP

#include "hence/io/gguf.hpp"
#include "hence/models/vocabulary_from_gguf.hpp"
#include "hence/text/bpe.hpp"
#include "hence/text/tokenizer.hpp"
#include "support/catch.hpp"
#include "support/test_data.hpp"

#include <nlohmann/json.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace hence_test {

/// The vocabulary of a GGUF file of the test data.
inline hence::vocabulary gguf_vocabulary(const std::filesystem::path& path) {
    const auto file = hence::gguf_file::open(path.string());
    if (!file) FAIL(file.error().message());
    auto vocabulary = hence::vocabulary_from_gguf(*file);
    if (!vocabulary) FAIL(vocabulary.error().message());
    return std::move(*vocabulary);
}

inline hence::tokenizer make_tokenizer(hence::vocabulary v) {
    auto t = hence::tokenizer::make(std::move(v));
    if (!t) FAIL(t.error().message());
    return std::move(*t);
}

inline std::vector<hence::token_id> encode(const hence::tokenizer& t, std::string_view text, hence::encode_options options = {}) {
    auto ids = t.encode(text, options);
    if (!ids) FAIL(ids.error().message());
    return std::move(*ids);
}

/// A byte-level vocabulary of the 256 bytes (id = byte), the merges' results, then the special tokens.
inline hence::vocabulary byte_vocabulary(const std::vector<std::string>& merges, const std::vector<std::string>& special = {}) {
    hence::vocabulary v;
    v.model = "gpt2";
    v.pre = "gpt-2";
    for (int b = 0; b < 256; ++b) {
        const char byte = static_cast<char>(static_cast<unsigned char>(b));
        v.tokens.push_back(hence::text::to_byte_alphabet({&byte, 1}));
    }
    for (const std::string& merge : merges) {
        v.merges.push_back(merge);
        const std::size_t space = merge.find(' ', 1);
        v.tokens.push_back(merge.substr(0, space) + merge.substr(space + 1));
    }
    v.types.assign(v.tokens.size(), 1);
    for (const std::string& token : special) {
        v.tokens.push_back(token);
        v.types.push_back(3);
    }
    return v;
}

/// One parsed JSON value a line.
inline std::vector<nlohmann::json> json_lines(const std::filesystem::path& path) {
    std::vector<nlohmann::json> values;
    std::istringstream lines(read_file(path));
    for (std::string line; std::getline(lines, line);)
        if (!line.empty()) values.push_back(nlohmann::json::parse(line));
    return values;
}

}  // namespace hence_test

#endif
