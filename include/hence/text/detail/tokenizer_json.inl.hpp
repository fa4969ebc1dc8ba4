// Definitions of text/tokenizer_json.hpp.
#ifndef HENCE_TEXT_DETAIL_TOKENIZER_JSON_INL_HPP
#define HENCE_TEXT_DETAIL_TOKENIZER_JSON_INL_HPP

#include "../../core/text.hpp"
#include "../../core/json.hpp"
#include "../../core/quote.hpp"
#include "../bpe.hpp"
#include "../tokenizer_json.hpp"
#include "../unicode.hpp"
#include "token_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

HENCE_NAMESPACE_BEGIN
namespace text::detail {

/// Reads one tokenizer.json; the first failure stops everything that follows from doing harm.
class json_reader {
public:
    using json = nlohmann::json;

    explicit json_reader(const tokenizer_files& files) : files_(files) {}

    result<vocabulary> read() {
        v_.by_steps = true;
        const json root = parse(files_.tokenizer_json, files_.name);
        if (!failure_ && !root.is_object()) fail(errc::bad_format, "", "an object", root.type_name());
        if (!failure_) model(field(root, "model"));
        if (!failure_) added_tokens(field(root, "added_tokens"));
        if (!failure_) normalizer(field(root, "normalizer"), "normalizer");
        if (!failure_) pre_tokenizer(field(root, "pre_tokenizer"), "pre_tokenizer");
        if (!failure_) choose_bytes();
        if (!failure_) post_processor(field(root, "post_processor"), "post_processor");
        if (!failure_) decoder(field(root, "decoder"), "decoder");
        if (!failure_) config(parse_optional(files_.tokenizer_config_json, "tokenizer_config.json"));
        if (!failure_) generation(parse_optional(files_.generation_config_json, "generation_config.json"));
        if (failure_) return *failure_;
        if (!files_.chat_template_jinja.empty()) v_.chat_template = files_.chat_template_jinja;
        v_.add_space_prefix = false;
        return std::move(v_);
    }

private:
    void fail(errc code, const std::string& path, std::string expected, std::string actual) {
        if (!failure_) failure_ = make_error(code, files_.name + (path.empty() ? "" : ": " + path), std::move(expected), std::move(actual));
    }
    json parse(std::string_view text, const std::string& name) {
        auto held = parse_json(text, name);
        if (held) return std::move(*held);
        if (!failure_) failure_ = held.error();
        return {};
    }
    json parse_optional(std::string_view text, const char* name) {
        if (text.empty()) return {};
        json held = parse(text, name);
        if (!failure_ && !held.is_object()) failure_ = make_error(errc::bad_format, name, "a JSON object", held.type_name());
        return held;
    }

    /// A member, or null where it is absent or the value is no object.
    static const json& field(const json& object, const char* key) {
        static const json null;
        if (!object.is_object()) return null;
        const auto found = object.find(key);
        return found == object.end() ? null : *found;
    }
    std::string string_of(const json& object, const char* key, const std::string& path, std::optional<std::string> otherwise = std::nullopt) {
        const json& held = field(object, key);
        if (held.is_string()) return held.get_ref<const std::string&>();
        if (held.is_null() && otherwise) return *otherwise;
        fail(held.is_null() ? errc::missing : errc::bad_format, concat({path, ".", key}), "a string", held.is_null() ? "none" : held.type_name());
        return {};
    }
    bool bool_of(const json& object, const char* key, const std::string& path, bool otherwise) {
        const json& held = field(object, key);
        if (held.is_boolean()) return held.get<bool>();
        if (!held.is_null()) fail(errc::bad_format, concat({path, ".", key}), "true or false", held.type_name());
        return otherwise;
    }
    std::optional<std::uint64_t> number_of(const json& object, const char* key, const std::string& path, std::uint64_t most) {
        const json& held = field(object, key);
        if (held.is_null()) return std::nullopt;
        if (held.is_number_integer() && (held.is_number_unsigned() || held.get<std::int64_t>() >= 0) && held.get<std::uint64_t>() <= most)
            return held.get<std::uint64_t>();
        fail(errc::bad_format, concat({path, ".", key}), concat({"a whole number of at most ", most}), held.dump().substr(0, 40));
        return std::nullopt;
    }
    const json& array_of(const json& object, const char* key, const std::string& path) {
        static const json empty = json::array();
        const json& held = field(object, key);
        if (held.is_array()) return held;
        fail(held.is_null() ? errc::missing : errc::bad_format, concat({path, ".", key}), "an array", held.is_null() ? "none" : held.type_name());
        return empty;
    }
    std::string type_of_component(const json& object, const std::string& path) {
        if (!object.is_object()) {
            fail(errc::bad_format, path, "an object", object.type_name());
            return {};
        }
        return string_of(object, "type", path);
    }
    void refuse(const std::string& path, const char* known, const std::string& type) {
        fail(errc::unsupported, path, concat({"one of ", known}), quote(type));
    }
    std::optional<token_id> find(std::string_view token) const {
        const std::uint32_t id = names_.find(token);
        if (id == piece_table::none) return std::nullopt;
        return static_cast<token_id>(id);
    }

    // --- model ---------------------------------------------------------------------------------------

    void put_token(const std::string& token, std::uint64_t id, const std::string& path) {
        // Ids have no gaps worth speaking of in any published file; this bounds what a hostile one can ask for.
        if (id >= most_tokens_) return fail(errc::out_of_range, path, concat({"an id below ", most_tokens_}), decimal(id));
        if (id >= v_.tokens.size()) {
            v_.tokens.resize(static_cast<std::size_t>(id) + 1);
            v_.types.resize(v_.tokens.size(), static_cast<std::int32_t>(token_type::unused));
        }
        std::string& place = v_.tokens[static_cast<std::size_t>(id)];
        if (!place.empty() && place != token) return fail(errc::bad_format, path, "ids of their own", concat({"id ", id, " for two tokens"}));
        place = token;
        v_.types[static_cast<std::size_t>(id)] = static_cast<std::int32_t>(token_type::normal);
        if (const auto first = names_.insert(token, static_cast<std::uint32_t>(id)); first != id)
            fail(errc::bad_format, path, "tokens of their own", concat({"'", token.substr(0, 80), "' with ids ", first, " and ", id}));
    }

    void vocabulary_object(const json& vocab) {
        if (!vocab.is_object()) return fail(errc::bad_format, "model.vocab", "an object", vocab.type_name());
        most_tokens_ = vocab.size() * 2 + 65536;
        for (const auto& [token, id] : vocab.items()) {
            if (!id.is_number_unsigned()) return fail(errc::bad_format, "model.vocab", "whole numbers as ids", concat({"'", token.substr(0, 80), "': ", id.dump().substr(0, 40)}));
            put_token(token, id.get<std::uint64_t>(), "model.vocab");
            if (failure_) return;
        }
    }

    void model(const json& m) {
        std::string type = string_of(m, "type", "model", "");
        if (type.empty() && !failure_) type = field(m, "merges").is_array() ? "BPE" : field(m, "vocab").is_array() ? "Unigram" : "WordPiece";  // old files
        if (failure_) return;
        if (type == "BPE") {
            v_.model = "bpe";
            vocabulary_object(field(m, "vocab"));
            merges(array_of(m, "merges", "model"));
            v_.byte_fallback = bool_of(m, "byte_fallback", "model", false);
            v_.fuse_unknown = bool_of(m, "fuse_unk", "model", false);
            v_.whole_piece_first = bool_of(m, "ignore_merges", "model", false);
            v_.continuing_prefix = string_of(m, "continuing_subword_prefix", "model", "");
            v_.word_suffix = string_of(m, "end_of_word_suffix", "model", "");
            unknown(string_of(m, "unk_token", "model", ""));
        } else if (type == "Unigram") {
            v_.model = "unigram";
            v_.fuse_unknown = true;
            const json& vocab = array_of(m, "vocab", "model");
            most_tokens_ = vocab.size() * 2 + 65536;
            for (std::size_t id = 0; id < vocab.size() && !failure_; ++id) {
                const json& entry = vocab[id];
                if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number())
                    return fail(errc::bad_format, concat({"model.vocab[", id, "]"}), "a token and its score", entry.dump().substr(0, 60));
                put_token(entry[0].get_ref<const std::string&>(), id, "model.vocab");
                v_.scores.push_back(entry[1].get<float>());
                v_.exact_scores.push_back(entry[1].get<double>());
            }
            v_.byte_fallback = bool_of(m, "byte_fallback", "model", false);
            if (const auto id = number_of(m, "unk_id", "model", v_.tokens.empty() ? 0 : v_.tokens.size() - 1)) {
                v_.unknown = static_cast<token_id>(*id);
                if (!v_.tokens.empty()) v_.types[static_cast<std::size_t>(*id)] = static_cast<std::int32_t>(token_type::unknown);
            }
        } else if (type == "WordPiece" || type == "WordLevel") {
            v_.model = type == "WordPiece" ? "wordpiece" : "wordlevel";
            vocabulary_object(field(m, "vocab"));
            if (type == "WordPiece") {
                v_.continuing_prefix = string_of(m, "continuing_subword_prefix", "model", "##");
                v_.max_word_characters = static_cast<std::uint32_t>(number_of(m, "max_input_chars_per_word", "model", 1000000000).value_or(100));
            }
            unknown(string_of(m, "unk_token", "model", "[UNK]"));
        } else {
            refuse("model.type", "BPE, Unigram, WordPiece, WordLevel", type);
        }
        if (const json& dropout = field(m, "dropout"); dropout.is_number() && dropout.get<double>() != 0.0)
            fail(errc::unsupported, "model.dropout", "none: encoding is deterministic", dropout.dump());
        if (v_.byte_fallback)
            for (std::size_t id = 0; id < v_.tokens.size(); ++id)
                if (byte_of_token(v_.tokens[id]) >= 0) v_.types[id] = static_cast<std::int32_t>(token_type::byte);
    }

    void unknown(const std::string& token) {
        if (token.empty()) return;
        if (const auto id = find(token)) v_.unknown = *id;
    }

    void merges(const json& list) {
        for (std::size_t i = 0; i < list.size() && !failure_; ++i) {
            const json& entry = list[i];
            if (entry.is_string()) {
                v_.merges.push_back(entry.get_ref<const std::string&>());
            } else if (entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string()) {
                const std::string& left = entry[0].get_ref<const std::string&>();
                const bool spaces = left.find(' ') != std::string::npos;
                v_.merges.push_back(left + (spaces ? '\0' : ' ') + entry[1].get_ref<const std::string&>());
            } else {
                fail(errc::bad_format, concat({"model.merges[", i, "]"}), "\"left right\" or [left, right]", entry.dump().substr(0, 60));
            }
        }
    }

    void added_tokens(const json& list) {
        if (list.is_null()) return;
        if (!list.is_array()) return fail(errc::bad_format, "added_tokens", "an array", list.type_name());
        most_tokens_ = v_.tokens.size() + list.size() * 2 + 65536;
        for (std::size_t i = 0; i < list.size() && !failure_; ++i) {
            const std::string path = concat({"added_tokens[", i, "]"});
            const std::string content = string_of(list[i], "content", path);
            const auto id = number_of(list[i], "id", path, 0x3FFFFFFF);
            if (!id) fail(errc::missing, concat({path, ".id"}), "a whole number", "none");
            if (failure_) return;
            added_token added;
            added.id = static_cast<token_id>(*id);
            added.special = bool_of(list[i], "special", path, false);
            added.strip_left = bool_of(list[i], "lstrip", path, false);
            added.strip_right = bool_of(list[i], "rstrip", path, false);
            added.single_word = bool_of(list[i], "single_word", path, false);
            added.normalized = bool_of(list[i], "normalized", path, !added.special);
            if (content.empty()) continue;  // can never be found in a text
            const bool in_model = find(content).has_value();
            put_token(content, *id, path);
            if (failure_) return;
            const token_type type = added.id == v_.unknown ? token_type::unknown : added.special ? token_type::control : token_type::user_defined;
            if (!in_model || added.special) v_.types[static_cast<std::size_t>(*id)] = static_cast<std::int32_t>(type);
            v_.added.push_back(added);
        }
        if (!v_.scores.empty()) {
            v_.scores.resize(v_.tokens.size());
            v_.exact_scores.resize(v_.tokens.size());
        }
    }

    // --- normaliser ----------------------------------------------------------------------------------

    void normalizer(const json& n, const std::string& path) {
        using kind = normalize_step::kind;
        if (n.is_null() || failure_) return;
        const std::string type = type_of_component(n, path);
        if (failure_) return;
        normalize_step step;
        if (type == "Sequence") {
            const json& list = array_of(n, "normalizers", path);
            if (++depth_ > 20) return fail(errc::out_of_range, path, "sequences nested at most 20 deep", "more");
            for (std::size_t i = 0; i < list.size(); ++i) normalizer(list[i], concat({path, ".normalizers[", i, "]"}));
            --depth_;
            return;
        }
        if (type == "NFC") {
            step.what = kind::nfc;
        } else if (type == "NFD") {
            step.what = kind::nfd;
        } else if (type == "NFKC") {
            step.what = kind::nfkc;
        } else if (type == "NFKD") {
            step.what = kind::nfkd;
        } else if (type == "Lowercase") {
            step.what = kind::lowercase;
        } else if (type == "StripAccents") {
            step.what = kind::strip_accents;
        } else if (type == "Nmt") {
            step.what = kind::nmt;
        } else if (type == "ByteLevel") {
            step.what = kind::byte_alphabet;
        } else if (type == "Strip") {
            step.what = kind::strip;
            step.left = bool_of(n, "strip_left", path, true);
            step.right = bool_of(n, "strip_right", path, true);
        } else if (type == "Prepend") {
            step.what = kind::prepend;
            step.put = string_of(n, "prepend", path);
        } else if (type == "Replace") {
            step.what = kind::replace;
            step.put = string_of(n, "content", path);
            found_text(n, path, step.find, step.is_pattern);
        } else if (type == "BertNormalizer") {
            step.what = kind::bert;
            step.clean = bool_of(n, "clean_text", path, true);
            step.separate_chinese = bool_of(n, "handle_chinese_chars", path, true);
            step.lower = bool_of(n, "lowercase", path, true);
            step.accents = bool_of(n, "strip_accents", path, step.lower);
        } else if (type == "Precompiled") {
            step.what = kind::charsmap;
            step.put = base64(string_of(n, "precompiled_charsmap", path, ""), concat({path, ".precompiled_charsmap"}));
        } else {
            refuse(concat({path, ".type"}), "Sequence, NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents, Nmt, ByteLevel, Prepend, Replace, BertNormalizer, Precompiled", type);
        }
        v_.normalization.push_back(std::move(step));
    }

    std::string base64(std::string_view text, const std::string& path) {
        std::string out;
        std::uint32_t bits = 0;
        int count = 0;
        for (const char c : text) {
            const int held = c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52 : c == '+' ? 62 : c == '/' ? 63 : -1;
            if (c == '=') break;
            if (held < 0) {
                fail(errc::bad_format, path, "base64", concat({"the character '", std::string(1, c), "'"}));
                return {};
            }
            bits = bits << 6 | static_cast<std::uint32_t>(held);
            count += 6;
            if (count < 8) continue;
            count -= 8;
            out.push_back(static_cast<char>(static_cast<unsigned char>(bits >> count & 0xFFu)));
        }
        return out;
    }

    /// {"pattern": {"String": ".."}} or {"pattern": {"Regex": ".."}}
    void found_text(const json& object, const std::string& path, std::string& find, bool& is_pattern) {
        const json& pattern = field(object, "pattern");
        if (field(pattern, "Regex").is_string()) {
            find = field(pattern, "Regex").get<std::string>();
            is_pattern = true;
        } else if (field(pattern, "String").is_string()) {
            find = field(pattern, "String").get<std::string>();
        } else {
            fail(errc::bad_format, concat({path, ".pattern"}), "{\"String\": ..} or {\"Regex\": ..}", pattern.dump().substr(0, 60));
        }
    }

    // --- pre-tokenizer -------------------------------------------------------------------------------

    split_behavior behavior(const json& object, const std::string& path, const char* otherwise) {
        std::string name = string_of(object, "behavior", path, otherwise);
        constexpr std::pair<std::string_view, split_behavior> names[] = {{"Removed", split_behavior::removed},
                                                                         {"Isolated", split_behavior::isolated},
                                                                         {"Contiguous", split_behavior::contiguous},
                                                                         {"MergedWithPrevious", split_behavior::merged_with_previous},
                                                                         {"MergedWithNext", split_behavior::merged_with_next}};
        for (const auto& [known, held] : names)
            if (known == name) return held;
        refuse(concat({path, ".behavior"}), "Removed, Isolated, Contiguous, MergedWithPrevious, MergedWithNext", name);
        return split_behavior::isolated;
    }

    void pre_tokenizer(const json& p, const std::string& path) {
        using kind = cut_step::kind;
        if (p.is_null() || failure_) return;
        const std::string type = type_of_component(p, path);
        if (failure_) return;
        cut_step step;
        if (type == "Sequence") {
            const json& list = array_of(p, "pretokenizers", path);
            if (++depth_ > 20) return fail(errc::out_of_range, path, "sequences nested at most 20 deep", "more");
            for (std::size_t i = 0; i < list.size(); ++i) pre_tokenizer(list[i], concat({path, ".pretokenizers[", i, "]"}));
            --depth_;
            return;
        }
        if (type == "Split") {
            found_text(p, path, step.find, step.is_pattern);
            step.behavior = behavior(p, path, "Isolated");
            step.invert = bool_of(p, "invert", path, false);
        } else if (type == "ByteLevel") {
            step.what = kind::byte_level;
            step.prefix_space = bool_of(p, "add_prefix_space", path, true);
            step.use_pattern = bool_of(p, "use_regex", path, true);
        } else if (type == "Metaspace") {
            step.what = kind::metaspace;
            step.put = string_of(p, "replacement", path, "\xE2\x96\x81");
            step.cut_words = bool_of(p, "split", path, true);
            step.prepend = place(p, path);
        } else if (type == "Whitespace") {
            step.what = kind::whitespace;
        } else if (type == "WhitespaceSplit") {
            step.what = kind::whitespace_split;
        } else if (type == "Digits") {
            step.what = kind::digits;
            step.individual = bool_of(p, "individual_digits", path, false);
        } else if (type == "Punctuation") {
            step.what = kind::punctuation;
            step.behavior = behavior(p, path, "Isolated");
        } else if (type == "BertPreTokenizer") {
            step.what = kind::bert;
        } else if (type == "CharDelimiterSplit") {
            step.find = string_of(p, "delimiter", path);
            step.behavior = split_behavior::removed;
        } else {
            refuse(concat({path, ".type"}), "Sequence, Split, ByteLevel, Metaspace, Whitespace, WhitespaceSplit, Digits, Punctuation, BertPreTokenizer, CharDelimiterSplit", type);
        }
        v_.cuts.push_back(std::move(step));
    }

    /// Where Metaspace puts its mark; older files say add_prefix_space.
    cut_step::place place(const json& p, const std::string& path) {
        const std::string scheme = string_of(p, "prepend_scheme", path, bool_of(p, "add_prefix_space", path, true) ? "always" : "never");
        if (scheme == "always") return cut_step::place::always;
        if (scheme == "first") return cut_step::place::first;
        if (scheme != "never" && !failure_) refuse(concat({path, ".prepend_scheme"}), "always, first, never", scheme);
        return cut_step::place::never;
    }

    /// A BPE model whose last cut writes GPT-2's alphabet can read the bytes instead. Cuts at ASCII digits that
    /// stand after that (Falcon) find the same before it.
    void choose_bytes() {
        if (v_.model != "bpe" || !v_.continuing_prefix.empty() || !v_.word_suffix.empty() || v_.byte_fallback) return;
        auto& cuts = v_.cuts;
        while (cuts.size() >= 2 && cuts.back().what == cut_step::kind::split && cuts.back().find == "[0-9][0-9][0-9]" &&
               cuts[cuts.size() - 2].what == cut_step::kind::byte_level) {
            cut_step bytes = cuts[cuts.size() - 2];
            const cut_step digits = cuts.back();
            cuts.resize(cuts.size() - 2);
            cut_step pattern = bytes;  // GPT-2's cut first, the alphabet last
            pattern.use_pattern = false;
            pattern.prefix_space = false;
            if (bytes.prefix_space || !bytes.use_pattern) {
                cuts.push_back(bytes);
                cuts.push_back(digits);
                return;
            }
            cut_step gpt2;
            gpt2.find = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
            gpt2.is_pattern = true;
            cuts.push_back(gpt2);
            cuts.push_back(digits);
            cuts.push_back(pattern);
        }
        if (cuts.empty() || cuts.back().what != cut_step::kind::byte_level) return;
        for (std::size_t i = 0; i + 1 < cuts.size(); ++i)
            if (cuts[i].what == cut_step::kind::byte_level) return;
        v_.model = "gpt2";
    }

    // --- post-processor ------------------------------------------------------------------------------

    void post_processor(const json& p, const std::string& path) {
        if (p.is_null() || failure_) return;
        const std::string type = type_of_component(p, path);
        if (failure_) return;
        if (type == "Sequence") {
            const json& list = array_of(p, "processors", path);
            if (++depth_ > 20) return fail(errc::out_of_range, path, "sequences nested at most 20 deep", "more");
            for (std::size_t i = 0; i < list.size(); ++i) post_processor(list[i], concat({path, ".processors[", i, "]"}));
            --depth_;
        } else if (type == "ByteLevel") {
            // adjusts offsets only
        } else if (type == "TemplateProcessing") {
            template_processing(p, path);
        } else if (type == "BertProcessing" || type == "RobertaProcessing") {
            pair_id(p, "cls", path, v_.before);
            pair_id(p, "sep", path, v_.after);
        } else {
            refuse(concat({path, ".type"}), "Sequence, ByteLevel, TemplateProcessing, BertProcessing, RobertaProcessing", type);
        }
    }

    void pair_id(const json& p, const char* key, const std::string& path, std::vector<token_id>& ids) {
        const json& pair = field(p, key);
        if (!pair.is_array() || pair.size() != 2 || !pair[1].is_number_unsigned() || pair[1].get<std::uint64_t>() >= v_.tokens.size())
            return fail(errc::bad_format, concat({path, ".", key}), "a token and its id", pair.dump().substr(0, 60));
        ids.push_back(pair[1].get<token_id>());
    }

    void template_processing(const json& p, const std::string& path) {
        const json& single = array_of(p, "single", path);
        const json& special = field(p, "special_tokens");
        bool after = false;
        for (std::size_t i = 0; i < single.size() && !failure_; ++i) {
            const std::string here = concat({path, ".single[", i, "]"});
            if (field(single[i], "Sequence").is_object()) {
                if (after) return fail(errc::unsupported, here, "one sequence", "a second one");
                after = true;
                continue;
            }
            const std::string name = string_of(field(single[i], "SpecialToken"), "id", concat({here, ".SpecialToken"}));
            if (failure_) return;
            const json& ids = field(field(special, name.c_str()), "ids");
            if (!ids.is_array()) return fail(errc::missing, concat({path, ".special_tokens"}), concat({"the ids of '", name.substr(0, 80), "'"}), "none");
            for (const json& id : ids) {
                if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= v_.tokens.size())
                    return fail(errc::out_of_range, concat({path, ".special_tokens['", name.substr(0, 80), "']"}), concat({"ids below ", v_.tokens.size()}), id.dump().substr(0, 40));
                (after ? v_.after : v_.before).push_back(id.get<token_id>());
            }
        }
    }

    // --- decoder -------------------------------------------------------------------------------------

    void decoder(const json& d, const std::string& path) {
        using kind = print_step::kind;
        if (failure_) return;
        if (d.is_null()) {
            if (depth_ == 0) v_.printing.push_back({.what = kind::spaced});
            return;
        }
        const std::string type = type_of_component(d, path);
        if (failure_) return;
        print_step step;
        if (type == "Sequence") {
            const json& list = array_of(d, "decoders", path);
            if (++depth_ > 20) return fail(errc::out_of_range, path, "sequences nested at most 20 deep", "more");
            for (std::size_t i = 0; i < list.size(); ++i) decoder(list[i], concat({path, ".decoders[", i, "]"}));
            --depth_;
            return;
        }
        if (type == "Fuse") return;  // tokens are joined anyway
        if (type == "ByteLevel") {
            step.what = kind::byte_level;
        } else if (type == "ByteFallback") {
            step.what = kind::byte_fallback;
        } else if (type == "Metaspace") {
            step.what = kind::metaspace;
            step.find = string_of(d, "replacement", path, "\xE2\x96\x81");
            step.drop_first = place(d, path) != cut_step::place::never;
        } else if (type == "Replace") {
            step.what = kind::replace;
            step.put = string_of(d, "content", path);
            bool is_pattern = false;
            found_text(d, path, step.find, is_pattern);
            if (is_pattern) return fail(errc::unsupported, concat({path, ".pattern"}), "a String", "a Regex");
        } else if (type == "WordPiece") {
            step.what = kind::wordpiece;
            step.find = string_of(d, "prefix", path, "##");
            step.cleanup = bool_of(d, "cleanup", path, true);
        } else if (type == "BPEDecoder") {
            step.what = kind::suffix;
            step.find = string_of(d, "suffix", path, "</w>");
        } else if (type == "Strip") {
            const std::string content = string_of(d, "content", path, " ");
            const auto start = number_of(d, "start", path, 1000000).value_or(0);
            const auto stop = number_of(d, "stop", path, 1000000).value_or(0);
            if (failure_) return;
            if (content != " " || start > 1 || stop != 0)
                return fail(errc::unsupported, path, "one space stripped at the start", concat({"'", content.substr(0, 40), "', ", start, ", ", stop}));
            if (start == 0) return;
            step.what = kind::drop_first;
        } else {
            refuse(concat({path, ".type"}), "Sequence, Fuse, ByteLevel, ByteFallback, Metaspace, Replace, WordPiece, BPEDecoder, Strip", type);
        }
        v_.printing.push_back(std::move(step));
    }

    // --- the files beside it ---------------------------------------------------------------------------

    /// "bos_token": "<s>" or {"content": "<s>", ..}
    void named_token(const json& c, const char* key, token_id& id) {
        const json& held = field(c, key);
        const json& name = held.is_object() ? field(held, "content") : held;
        if (!name.is_string()) return;
        if (const auto found = find(name.get_ref<const std::string&>())) id = *found;
    }

    void config(const json& c) {
        if (c.is_null()) return;
        named_token(c, "bos_token", v_.begin);
        named_token(c, "eos_token", v_.end);
        named_token(c, "unk_token", v_.unknown);
        named_token(c, "pad_token", v_.padding);
        named_token(c, "sep_token", v_.separator);
        named_token(c, "mask_token", v_.mask);
        const json& source = field(c, "chat_template");
        if (source.is_string()) {
            v_.chat_template = source.get<std::string>();
        } else if (source.is_array()) {  // named templates
            for (const json& entry : source)
                if (field(entry, "template").is_string() && (v_.chat_template.empty() || field(entry, "name") == "default"))
                    v_.chat_template = field(entry, "template").get<std::string>();
        }
        // Llama's and Gemma's classes put begin and end by these fields, whatever tokenizer.json says.
        const json& name = field(c, "tokenizer_class");
        const bool obeyed = name.is_string() && (name.get_ref<const std::string&>().find("Llama") != std::string::npos ||
                                                 name.get_ref<const std::string&>().find("Gemma") != std::string::npos);
        if (!obeyed) return;
        const auto obey = [&](const char* key, token_id id, std::vector<token_id>& ids) {
            if (!field(c, key).is_boolean() || id == no_token) return;
            const auto found = std::find(ids.begin(), ids.end(), id);
            if (field(c, key).get<bool>()) {
                if (found == ids.end()) ids.push_back(id);
            } else if (found != ids.end()) {
                ids.erase(found);
            }
        };
        obey("add_bos_token", v_.begin, v_.before);
        obey("add_eos_token", v_.end, v_.after);
    }

    void generation(const json& g) {
        if (g.is_null()) return;
        const auto id_of = [&](const json& held) {
            return held.is_number_unsigned() && held.get<std::uint64_t>() < v_.tokens.size() ? held.get<token_id>() : no_token;
        };
        if (const token_id begin = id_of(field(g, "bos_token_id")); begin != no_token && v_.begin == no_token) v_.begin = begin;
        const json& ends = field(g, "eos_token_id");
        for (const json& held : ends.is_array() ? ends : json::array({ends})) {
            const token_id end = id_of(held);
            if (end == no_token) continue;
            if (v_.end == no_token) v_.end = end;
            v_.also_end.push_back(end);
        }
    }

    const tokenizer_files& files_;
    vocabulary v_;
    piece_table names_;
    std::size_t most_tokens_ = 0;
    int depth_ = 0;
    std::optional<error> failure_;
};

}  // namespace text::detail

HENCE_INLINE result<vocabulary> vocabulary_from_json(const tokenizer_files& files) { return text::detail::json_reader(files).read(); }

HENCE_NAMESPACE_END

#endif
