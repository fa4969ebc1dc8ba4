#include "hence/text/bpe.hpp"

#include "hence/core/quote.hpp"
#include "hence/text/detail/merge_queue.hpp"
#include "hence/text/unicode.hpp"
#include "text_support.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

using namespace hence;
using hence_test::byte_vocabulary;

namespace {
// The definition, word for word: join the leftmost pair of lowest rank until no pair has one.
std::vector<std::uint32_t> merged_by_definition(std::vector<std::uint32_t> symbols,
                                                const text::detail::pair_table& pairs) {
    for (;;) {
        std::size_t best = symbols.size();
        text::detail::merge found;
        for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
            const auto m = pairs.find(symbols[i], symbols[i + 1]);
            if (m.rank < found.rank) {
                found = m;
                best = i;
            }
        }
        if (best == symbols.size()) return symbols;
        symbols[best] = found.made;
        symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    }
}

// SentencePiece BPE by its definition over the whole text: the best-scored join of two neighbours, the leftmost of equals, until none is a token.
std::vector<token_id> scored_by_definition(const vocabulary& v, std::string_view text) {
    std::map<std::string, token_id> known;
    std::map<unsigned char, token_id> bytes;
    for (std::size_t id = 0; id < v.tokens.size(); ++id) {
        if (v.types[id] == 1) known[v.tokens[id]] = static_cast<token_id>(id);
        if (v.types[id] == 6)
            bytes[static_cast<unsigned char>(std::stoi(v.tokens[id].substr(3, 2), nullptr, 16))] =
                static_cast<token_id>(id);
    }
    std::vector<std::string> parts;
    if (v.add_space_prefix) parts.push_back("▁");
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = text::decode_utf8(text, i).length;
        parts.push_back(text[i] == ' ' ? "▁" : std::string(text.substr(i, length)));
        i += length;
    }
    for (;;) {
        std::size_t best = parts.size();
        for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
            const auto joined = known.find(parts[i] + parts[i + 1]);
            if (joined == known.end()) continue;
            const float score = v.scores[static_cast<std::size_t>(joined->second)];
            if (best == parts.size() ||
                score > v.scores[static_cast<std::size_t>(known.at(parts[best] + parts[best + 1]))])
                best = i;
        }
        if (best == parts.size()) break;
        parts[best] += parts[best + 1];
        parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    }
    std::vector<token_id> ids;
    for (const std::string& part : parts) {
        if (known.count(part) != 0) {
            ids.push_back(known[part]);
        } else if (!bytes.empty()) {
            for (const char c : part) ids.push_back(bytes.at(static_cast<unsigned char>(c)));
        } else if (ids.empty() || ids.back() != v.unknown) {
            ids.push_back(v.unknown);
        }
    }
    return ids;
}

std::string refusal(vocabulary v) {
    const auto t = tokenizer::make(std::move(v));
    if (t) return "accepted";
    return t.error().message();
}
}  // namespace

TEST_CASE("the byte alphabet maps every byte to a character of its own and back", "[text][bpe]") {
    std::string all;
    for (int b = 0; b < 256; ++b) all.push_back(static_cast<char>(static_cast<unsigned char>(b)));
    const std::string spelled = text::to_byte_alphabet(all);
    std::string back;
    REQUIRE(text::from_byte_alphabet(spelled, back));
    CHECK(back == all);
    CHECK(text::to_byte_alphabet(" \n") == "ĠĊ");
    CHECK_FALSE(text::from_byte_alphabet("a b", back));
    CHECK(back == all);
}

TEST_CASE("both ways of merging give what the definition gives", "[text][bpe]") {
    std::uint32_t state = 3;
    const auto random = [&](std::uint32_t below) {
        state = state * 1664525u + 1013904223u;
        return (state >> 16) % below;
    };
    for (int round = 0; round < 300; ++round) {
        text::detail::pair_table pairs;
        const std::uint32_t letters = 2 + random(3);
        std::uint32_t next = letters;
        for (std::uint32_t rank = 0; rank < 12; ++rank)  // pairs share ranks now and then, as equal scores do
            pairs.insert(random(next), random(next), {rank / (1 + random(2)), next}), ++next;
        std::vector<std::uint32_t> symbols;
        for (std::uint32_t i = random(80) + 2; i > 0; --i) symbols.push_back(random(letters));
        const auto expected = merged_by_definition(symbols, pairs);
        text::detail::merge_scratch heap;
        heap.symbols = symbols;
        text::detail::merge_many(heap, pairs);
        CHECK(heap.symbols == expected);
        if (symbols.size() <= 32) {
            text::detail::merge_scratch few;
            few.symbols = symbols;
            text::detail::merge_few(few, pairs);
            CHECK(few.symbols == expected);
        }
    }
}

TEST_CASE("SentencePiece BPE word by word gives what the definition gives on the whole text", "[text][bpe]") {
    std::mt19937 engine(7);
    const auto random = [&](std::size_t below) { return static_cast<std::size_t>(engine() % below); };
    const std::vector<std::string> alphabet{"▁", "a", "b", "1", "2", ".", "\n", "é", "’", "京", "\xE2", "\x81"};
    for (int round = 0; round < 200; ++round) {
        vocabulary v;
        v.model = "llama";
        v.unknown = 0;
        v.add_space_prefix = random(2) == 0;
        const auto add = [&](std::string token, int type, float score) {
            if (std::find(v.tokens.begin(), v.tokens.end(), token) != v.tokens.end()) return;
            v.tokens.push_back(std::move(token));
            v.types.push_back(type);
            v.scores.push_back(score);
        };
        add("<unk>", 2, 0);
        if (random(2) == 0)
            for (int b = 0; b < 256; ++b) {
                constexpr std::string_view digits = "0123456789ABCDEF";
                add({'<', '0', 'x', digits[static_cast<std::size_t>(b / 16)], digits[static_cast<std::size_t>(b % 16)],
                     '>'},
                    6, 0);
            }
        for (const std::string& one : alphabet)
            if (random(8) != 0) add(one, 1, -100);
        for (std::size_t i = 5 + random(30); i > 0;
             --i) {  // what a text holds is often made of two tokens; scores are equal now and then
            std::string token =
                random(2) == 0 && v.tokens.back()[0] != '<' ? v.tokens.back() : alphabet[random(alphabet.size())];
            for (std::size_t n = 1 + random(2); n > 0; --n) token += alphabet[random(alphabet.size())];
            add(std::move(token), 1, -static_cast<float>(random(12)));
        }
        const tokenizer t = hence_test::make_tokenizer(v);
        for (int n = 0; n < 10; ++n) {
            std::string text;  // long enough, now and then, for words to be remembered
            for (std::size_t i = 1 + random(n % 5 == 0 ? 300 : 40); i > 0; --i) {
                const std::string& next = alphabet[random(alphabet.size())];
                text += next == "▁" && random(4) != 0 ? " " : next;
            }
            INFO(quote(text));
            CHECK(hence_test::encode(t, text) == scored_by_definition(v, text));
        }
    }
}

TEST_CASE("Llama's vocabulary gives what the definition gives", "[text][bpe][data]") {
    HENCE_REQUIRE_DATA(gguf, "tokenizers/ggml-vocab-llama-spm.gguf");
    HENCE_REQUIRE_DATA(questions, "eval/gsm8k/train_1000.jsonl");
    const vocabulary v = hence_test::gguf_vocabulary(gguf);
    const tokenizer t = hence_test::make_tokenizer(v);
    const std::string all = hence_test::read_file(questions);
    std::mt19937 engine(11);
    for (int n = 0; n < 150; ++n) {
        std::string text = all.substr(engine() % (all.size() - 200), 20 + engine() % 180);
        for (std::size_t i = engine() % 6; i > 0; --i)  // ill-formed bytes, marks and spaces in odd places
            text.insert(engine() % text.size(),
                        std::vector<std::string>{"  ", "▁", "\xE2\x96", "’", "\x81", "\n\n"}[engine() % 6]);
        INFO(quote(text));
        CHECK(hence_test::encode(t, text, {.special = false, .add_begin_end = false}) == scored_by_definition(v, text));
    }
}

TEST_CASE("work grows as n log n on a long run of one character", "[text][bpe]") {
    // a a, aa aa, ...: every doubling merges, the worst case for a queue
    std::vector<std::string> merges;
    std::string part = "a";
    for (int i = 0; i < 8; ++i, part += part) merges.push_back(part + " " + part);
    const auto model = text::bpe_model::by_rank(byte_vocabulary(merges));
    REQUIRE(model);
    const auto steps = [&](std::size_t n) {
        text::detail::merge_scratch scratch;
        std::vector<token_id> ids;
        std::string missing;
        REQUIRE(model->encode(std::string(n, 'a'), scratch, ids, missing));
        CHECK(ids.size() == n / 256);
        return static_cast<double>(scratch.steps);
    };
    for (const std::size_t n : {std::size_t{1} << 12, std::size_t{1} << 16, std::size_t{1} << 20})
        CHECK(steps(n) < 8.0 * static_cast<double>(n));  // heap operations and look-ups; each costs log n at most
}

TEST_CASE("a merge may go through a string that is no token", "[text][bpe]") {
    vocabulary v = byte_vocabulary({"a b", "ab c"});
    v.tokens[256] = "zzz";  // "ab" is no token any more
    const auto t = hence_test::make_tokenizer(v);
    CHECK(hence_test::encode(t, "abc") == std::vector<token_id>{257});
    CHECK(hence_test::encode(t, "ab") == std::vector<token_id>{'a', 'b'});
}

TEST_CASE("vocabularies that make no sense are refused with the place and the reason", "[text][bpe]") {
    vocabulary good = byte_vocabulary({"a b"}, {"<s>"});
    CHECK(refusal(good) == "accepted");
    SECTION("no tokens") {
        CHECK(refusal({.model = "gpt2", .pre = "gpt-2"}).find("at least one token") != std::string::npos);
    }
    SECTION("model") {
        good.model = "rwkv";
        CHECK(refusal(good).find("'rwkv'") != std::string::npos);
    }
    SECTION("pre-tokenizer") {
        good.pre = "nobody";
        CHECK(refusal(good).find("'nobody'") != std::string::npos);
    }
    SECTION("a token twice") {
        good.tokens[257] = "ab";
        CHECK(refusal(good).find("token 257: expected a spelling of its own, found 'ab', as token 256") !=
              std::string::npos);
    }
    SECTION("ids outside") {
        good.end = 258;
        CHECK(refusal(good).find("end token: expected an id below 258, found 258") != std::string::npos);
        good.end = no_token;
        good.begin = -7;
        CHECK(refusal(good).find("begin token") != std::string::npos);
        good.begin = no_token;
        good.also_end = {4000};
        CHECK(refusal(good).find("4000") != std::string::npos);
    }
    SECTION("begin asked for but absent") {
        good.add_begin = true;
        CHECK(refusal(good).find("begin token") != std::string::npos);
    }
    SECTION("lengths") {
        good.types.pop_back();
        CHECK(refusal(good).find("token types: expected 258, one a token, found 257") != std::string::npos);
    }
    SECTION("merges") {
        good.merges = {"a"};
        CHECK(refusal(good).find("merge 0: expected two parts") != std::string::npos);
        good.merges = {"a b", "ab xyz"};
        CHECK(refusal(good).find("merge 1: expected parts that are tokens") != std::string::npos);
        good.merges = {"a \xE4\xBD\xA0"};
        CHECK(refusal(good).find("byte alphabet") != std::string::npos);
    }
    SECTION("scores") {
        vocabulary spm;
        spm.model = "llama";
        spm.tokens = {"<unk>", "a", "b"};
        spm.scores = {0, -1};
        CHECK(refusal(spm).find("token scores: expected 3") != std::string::npos);
        spm.scores = {0, NAN, -1};
        CHECK(refusal(spm).find("score of token 1: expected a finite number") != std::string::npos);
        spm.scores.clear();
        CHECK(refusal(spm).find("token scores: expected 3") != std::string::npos);
    }
}

TEST_CASE("a byte without a token is an error that names it, or the unknown token", "[text][bpe]") {
    vocabulary v;
    v.model = "gpt2";
    v.pre = "gpt-2";
    v.tokens = {"a", "b", "<unk>"};
    v.types = {1, 1, 2};
    auto t = hence_test::make_tokenizer(v);
    const auto ids = t.encode("ab\xC3\xA9");
    REQUIRE_FALSE(ids);
    CHECK(ids.error().code == errc::missing);
    CHECK(ids.error().message().find("no token for '\\xc3'") != std::string::npos);
    v.unknown = 2;
    t = hence_test::make_tokenizer(v);
    CHECK(hence_test::encode(t, "a\xC3\xA9") == std::vector<token_id>{0, 2, 2});
}
