// unigram_model: SentencePiece's unigram segmentation: the split of a text whose tokens' scores add up highest.
//
// It sees normalised text. SentencePiece's own normalisation rules (precompiled_charsmap) are read here too,
// by charsmap.
#ifndef HENCE_TEXT_UNIGRAM_HPP
#define HENCE_TEXT_UNIGRAM_HPP

#include "../core/result.hpp"
#include "detail/piece_table.hpp"
#include "vocabulary.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN
namespace text {

class unigram_model {
public:
    /// @shape none
    /// @errors mismatch: scores and tokens differ in number; not_a_number; missing: no unknown token;
    /// out_of_range: a token of over 1,024 bytes
    /// @source Kudo 2018, arXiv:1804.10959
    [[nodiscard]] static result<unigram_model> make(const vocabulary& v);

    /// Memory that one encode() call uses again and again.
    struct scratch {
        struct best {
            double score = 0;
            std::uint32_t from = 0;
            std::uint32_t token = 0;
        };
        std::vector<best> ends;
        std::vector<std::uint32_t> path;
    };

    /// Appends the tokens of one piece.
    /// @shape none
    /// @errors none
    /// @cost O(n * longest token)
    /// @threads re-entrant; one scratch a thread
    /// @source Viterbi over the lattice of Kudo 2018; unknown characters score 10 below the lowest token
    void encode(std::string_view piece, scratch& s, std::vector<token_id>& ids) const;

    /// Whether no token has a space mark (U+2581) after another character: then words can be encoded one by one.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] bool words_are_separate() const noexcept { return words_are_separate_; }

private:
    static constexpr std::uint32_t none = 0xFFFFFFFFu;
    detail::pair_table children_;        // (node, byte) -> node
    std::vector<std::uint32_t> ending_;  // by node: the token that ends there
    std::array<std::uint32_t, 256> roots_{};
    std::vector<double> scores_;
    std::array<token_id, 256> byte_token_{};
    double unknown_score_ = 0;
    token_id unknown_ = no_token;
    bool byte_fallback_ = false;
    bool words_are_separate_ = true;
};

/// SentencePiece's normalisation rules: what stands at the beginning of a text becomes something else, the
/// longest rule first.
class charsmap {
public:
    /// @shape none
    /// @errors truncated, bad_format: the sizes do not fit together
    /// @source Yata, darts-clone; SentencePiece's normalizer.cc describes the block
    [[nodiscard]] static result<charsmap> make(std::string_view block);

    /// Appends the normal form of a text; ill-formed bytes become U+FFFD.
    /// @shape none
    /// @errors none
    /// @cost O(n * longest rule)
    /// @source as make
    void normalize(std::string_view text, std::string& out) const;

private:
    std::vector<std::uint32_t> units_;
    std::string replacements_;  // each ends with NUL
};

}  // namespace text
HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/unigram.inl.hpp"
#endif

#endif
