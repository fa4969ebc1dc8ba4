// bpe_model: byte-pair encoding of one piece of text, over bytes or over characters.
//
// One machine for three kinds of vocabulary: merges by rank over bytes (GPT-2 and its descendants), merges by
// rank over characters (tokenizer.json), and merges by score (SentencePiece BPE, GGUF's `llama`). Cutting the
// text into pieces, special tokens and normalisation belong to tokenizer.
#ifndef HENCE_TEXT_BPE_HPP
#define HENCE_TEXT_BPE_HPP

#include "../core/result.hpp"
#include "detail/join_table.hpp"
#include "detail/piece_table.hpp"
#include "vocabulary.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN
namespace text {

namespace detail {
struct merge_scratch;
}

/// GPT-2's alphabet: each byte as a printable character, in UTF-8.
/// @shape none
/// @errors none
/// @source Radford et al. 2019, gpt-2 encoder.py, bytes_to_unicode
[[nodiscard]] std::string to_byte_alphabet(std::string_view bytes);

/// The bytes that a token of GPT-2's alphabet spells; appended to `bytes`.
/// @shape none
/// @errors false, and nothing appended, where a character is not of that alphabet
/// @source Radford et al. 2019, gpt-2 encoder.py, bytes_to_unicode
bool from_byte_alphabet(std::string_view token, std::string& bytes);

class bpe_model {
public:
    /// Merges by rank: over bytes for vocabulary.model "gpt2", else over characters.
    /// @shape none
    /// @errors bad_format: a merge that is not two parts; mismatch: a merge whose parts no merge and no token makes
    /// @source Sennrich, Haddow, Birch 2016, arXiv:1508.07909; Radford et al. 2019
    [[nodiscard]] static result<bpe_model> by_rank(const vocabulary& v);

    /// Merges by score: any two neighbours whose join is a token, the best score first.
    /// @shape none
    /// @errors mismatch: scores and tokens differ in number; not_a_number; out_of_range: a token of over 1,024 bytes
    /// @source Kudo, Richardson 2018, arXiv:1808.06226 (the BPE model of SentencePiece)
    [[nodiscard]] static result<bpe_model> by_score(const vocabulary& v);

    /// Appends the tokens of one piece. Returns false where a byte or character has no token and the vocabulary
    /// has no unknown token either; `missing` is then that text.
    /// @shape none
    /// @errors false, see above
    /// @cost O(n log n)
    /// @threads re-entrant; one scratch a thread
    /// @source none
    [[nodiscard]] bool encode(std::string_view piece, detail::merge_scratch& scratch, std::vector<token_id>& ids,
                              std::string& missing) const;

    /// Whether a piece may be cut with word_end() and its words encoded one by one: not where a piece's end counts, nor over bytes,
    /// which the pre-tokenizer has cut.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] bool words_are_separate() const noexcept { return words_are_separate_; }

    /// Where the word that begins at `begin` ends: no merge joins what stands on both sides. Spaces count as space marks (U+2581).
    /// @shape none
    /// @errors none; `begin` must be inside the text
    /// @cost linear in the word
    /// @source none
    [[nodiscard]] std::size_t word_end(std::string_view text, std::size_t begin) const noexcept { return joins_.word_end(text, begin); }

private:
    static constexpr std::uint32_t raw_byte = 0xFFFF0000u;  // + byte, + 256 where it continues a character

    void add_tokens(const vocabulary& v);
    [[nodiscard]] std::uint32_t add_between(std::string_view bytes);
    void start_symbols(std::string_view piece, detail::merge_scratch& scratch) const;
    [[nodiscard]] bool put_bytes(std::string_view bytes, std::vector<token_id>& ids, std::string& missing) const;

    // Symbols are numbered: tokens; then strings that are no token, such as those that merges make on the way
    // to one; and, from raw_byte on, the bytes of characters that no token and no merge knows.
    detail::piece_table pieces_;
    detail::pair_table pairs_;
    detail::join_table joins_;
    std::vector<std::string> between_;  // the strings that are no token
    std::array<std::uint32_t, 256> byte_symbol_{};
    std::array<token_id, 256> byte_token_{};
    std::uint32_t tokens_ = 0;
    std::size_t longest_ = 0;
    std::string continuing_prefix_;
    std::string word_suffix_;
    token_id unknown_ = no_token;
    bool over_bytes_ = true;
    bool whole_piece_first_ = false;
    bool fuse_unknown_ = false;
    bool words_are_separate_ = false;
    // Whether merging a token's own text gives that token: 0 not known yet, 1 yes, 2 no. A cache that any
    // thread may fill: all would write the same.
    std::unique_ptr<std::atomic<std::uint8_t>[]> whole_;
};

}  // namespace text
HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/bpe.inl.hpp"
#endif

#endif
