#include "hence/text/unicode.hpp"

#include "support/catch.hpp"

#include <string>

using namespace hence::text;

namespace {
std::string utf8(char32_t c) {
    std::string s;
    append_utf8(s, c);
    return s;
}
}  // namespace

TEST_CASE("every scalar value survives encoding and decoding", "[text][unicode]") {
    bool same = true;
    for (char32_t c = 0; c <= 0x10FFFF; ++c) {
        if (c == 0xD800) c = 0xE000;
        const std::string s = utf8(c);
        const code_point back = decode_utf8(s, 0);
        same = same && back.valid && back.value == c && back.length == s.size() && is_valid_utf8(s);
    }
    CHECK(same);
}

TEST_CASE("overlong forms, surrogates, stray and missing bytes are ill-formed bytes of length one", "[text][unicode]") {
    for (const std::string bad : {"\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80",
                                  "\xF5\x80\x80\x80", "\xFF", "\x80", "\xC3", "\xE4\xBD", "\xF0\x9F\x99", "\xC3(", "\xE4(\xA0"}) {
        INFO(bad);
        const code_point c = decode_utf8(bad, 0);
        CHECK_FALSE(c.valid);
        CHECK(c.length == 1);
        CHECK_FALSE(is_valid_utf8(bad));
        CHECK(is_valid_utf8(to_valid_utf8(bad)));
    }
    // one replacement for each maximal beginning of a character (Unicode 15, table 3-8)
    CHECK(to_valid_utf8("a\xF1\x80\x80\xE1\x80\xC2"
                        "b\x80"
                        "c\x80\xBF"
                        "d") == "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
                                "b\xEF\xBF\xBD"
                                "c\xEF\xBF\xBD\xEF\xBF\xBD"
                                "d");
}

TEST_CASE("an open character at the end of a text is told from a broken one", "[text][unicode]") {
    CHECK(incomplete_utf8_tail("") == 0);
    CHECK(incomplete_utf8_tail("abc") == 0);
    CHECK(incomplete_utf8_tail("\xC3\xA9") == 0);
    CHECK(incomplete_utf8_tail("a\xC3") == 1);
    CHECK(incomplete_utf8_tail("a\xE4\xBD") == 2);
    CHECK(incomplete_utf8_tail("a\xF0\x9F\x99") == 3);
    CHECK(incomplete_utf8_tail("a\x80\x80") == 0);
    CHECK(incomplete_utf8_tail("a\xE0\x80") == 0);  // no character begins so
    CHECK(incomplete_utf8_tail("a\xED\xA0") == 0);
    CHECK(incomplete_utf8_tail("a\xF4\x90") == 0);
}

TEST_CASE("general categories are those of UnicodeData.txt", "[text][unicode]") {
    CHECK(general_category('A') == category::lu);
    CHECK(general_category('z') == category::ll);
    CHECK(general_category(U'ǅ') == category::lt);
    CHECK(general_category(U'ʰ') == category::lm);
    CHECK(general_category(U'中') == category::lo);
    CHECK(general_category(0x0301) == category::mn);
    CHECK(general_category(0x0903) == category::mc);
    CHECK(general_category(0x0488) == category::me);
    CHECK(general_category(U'٣') == category::nd);
    CHECK(general_category(U'Ⅷ') == category::nl);
    CHECK(general_category(U'½') == category::no);
    CHECK(general_category('_') == category::pc);
    CHECK(general_category('-') == category::pd);
    CHECK(general_category('(') == category::ps);
    CHECK(general_category(')') == category::pe);
    CHECK(general_category(U'«') == category::pi);
    CHECK(general_category(U'»') == category::pf);
    CHECK(general_category('!') == category::po);
    CHECK(general_category('+') == category::sm);
    CHECK(general_category(U'€') == category::sc);
    CHECK(general_category('^') == category::sk);
    CHECK(general_category(U'🙂') == category::so);
    CHECK(general_category(' ') == category::zs);
    CHECK(general_category(0x2028) == category::zl);
    CHECK(general_category(0x2029) == category::zp);
    CHECK(general_category('\n') == category::cc);
    CHECK(general_category(0x200D) == category::cf);
    CHECK(general_category(0xD800) == category::cs);
    CHECK(general_category(0xE000) == category::co);
    CHECK(general_category(0x0378) == category::cn);
    CHECK(general_category(0x110000) == category::cn);
    CHECK(unicode_version() >= "14");
}

TEST_CASE("case mappings follow UnicodeData.txt and SpecialCasing.txt", "[text][unicode]") {
    CHECK(to_lower("ÀÉÎ ΑΩ ДЖ İ ABC \xFF") == "àéî αω дж i\u0307 abc \xFF");
    CHECK(to_upper("àéî αω дж straße ŉ abc") == "ÀÉÎ ΑΩ ДЖ STRASSE ʼN ABC");
}

TEST_CASE("normal forms of known texts", "[text][unicode]") {
    // Unicode Standard Annex 15, figures 3 to 6
    CHECK(normalize("\u212B", normal_form::nfc) == "\u00C5");
    CHECK(normalize("\u2126", normal_form::nfd) == "\u03A9");
    CHECK(normalize("\u1E9B\u0323", normal_form::nfc) == "\u1E9B\u0323");
    CHECK(normalize("\u1E9B\u0323", normal_form::nfd) == "\u017F\u0323\u0307");
    CHECK(normalize("\u1E9B\u0323", normal_form::nfkc) == "\u1E69");
    CHECK(normalize("\u1E9B\u0323", normal_form::nfkd) == "s\u0323\u0307");
    CHECK(normalize("\uFB01 2\u2075", normal_form::nfkc) == "fi 25");
    CHECK(normalize("\uD55C\uAD6D", normal_form::nfd) == "\u1112\u1161\u11AB\u1100\u116E\u11A8");
    CHECK(normalize("\u1112\u1161\u11AB\u1100\u116E\u11A8", normal_form::nfc) == "\uD55C\uAD6D");
    CHECK(normalize("a\xFF\u0301", normal_form::nfc) == "a\xFF\u0301");  // a broken byte stays and starts anew
}

TEST_CASE("composing what was decomposed gives the normal form again, for every character", "[text][unicode]") {
    bool same = true;
    for (char32_t c = 0; c <= 0x10FFFF; ++c) {
        if (c == 0xD800) c = 0xE000;
        const std::string s = "x" + utf8(c) + utf8(c);
        const std::string nfc = normalize(s, normal_form::nfc);
        const std::string nfd = normalize(s, normal_form::nfd);
        same = same && normalize(nfd, normal_form::nfc) == nfc && normalize(nfc, normal_form::nfd) == nfd && normalize(nfc, normal_form::nfc) == nfc;
    }
    CHECK(same);
}
