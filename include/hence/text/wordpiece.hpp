// wordpiece_model: BERT's words, each the longest tokens from left to right, and BERT's way of cutting words.
#ifndef HENCE_TEXT_WORDPIECE_HPP
#define HENCE_TEXT_WORDPIECE_HPP

#include "../core/result.hpp"
#include "detail/piece_table.hpp"
#include "vocabulary.hpp"

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN
namespace text {

class wordpiece_model {
public:
    /// With continuing_prefix "" (GGUF) tokens that begin a word carry the space mark U+2581; else (published
    /// files: "##") tokens that go on with a word carry that prefix.
    /// @shape none
    /// @errors missing: no unknown token
    /// @source Schuster, Nakajima 2012; Devlin et al. 2019, arXiv:1810.04805 (tokenization.py)
    [[nodiscard]] static result<wordpiece_model> make(const vocabulary& v);

    /// Appends the tokens of one word: the unknown token where it cannot be spelled, or is longer than
    /// max_word_characters.
    /// @shape none
    /// @errors none
    /// @cost O(n * longest token)
    /// @source as make
    void encode(std::string_view word, std::vector<token_id>& ids) const;

private:
    detail::piece_table first_;
    detail::piece_table further_;
    std::size_t longest_ = 0;
    std::size_t max_word_characters_ = std::numeric_limits<std::size_t>::max();
    token_id unknown_ = no_token;
};

/// BERT's normalisation of a text: control characters go, whitespace becomes spaces, Chinese characters stand
/// alone, accents and case are taken off where asked for.
/// @shape none
/// @errors none
/// @source Devlin et al. 2019, tokenization.py (BasicTokenizer)
[[nodiscard]] std::string bert_normalize(std::string_view text, bool clean, bool separate_chinese, bool strip_accents, bool lowercase);

/// Cuts normalised text into words and single punctuation characters; whitespace is dropped.
/// @shape words are views of text
/// @errors none
/// @source Devlin et al. 2019, tokenization.py (BasicTokenizer)
void bert_words(std::string_view text, std::vector<std::string_view>& words);

}  // namespace text
HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/wordpiece.inl.hpp"
#endif

#endif
