// pretokenizer: cuts a text into the pieces that byte-pair merges never cross.
//
// Each published family of tokenizers has its own cut, written by its makers as a regular expression. Here
// they are hand-written scanners, linear in the text whatever it holds; a name that is not known is an error,
// never a similar cut. Reading arbitrary patterns is the job of text/pattern.hpp.
#ifndef HENCE_TEXT_PRETOKENIZER_HPP
#define HENCE_TEXT_PRETOKENIZER_HPP

#include "../core/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN
namespace text {

/// The scanners. A cut is one or more of them, each applied to the pieces of the one before.
enum class scanner : std::uint8_t {
    gpt2,              ///< 's|'t|... | ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
    gpt2_digits,       ///< each \p{N} alone, then gpt2
    cl100k_1,          ///< Qwen 2: contractions, [^\r\n\p{L}\p{N}]?\p{L}+, \p{N}, ...
    cl100k_3,          ///< Llama 3: the same with \p{N}{1,3}
    cl100k_any,        ///< the same with \p{N}+
    cl100k_marks,      ///< Qwen 3.5: \p{N}, and combining marks count as letters
    o200k,             ///< GPT-4o: words cut where lower case meets upper case, contractions stay, \p{N}{1,3}
    tekken,            ///< Mistral: as o200k without contractions, \p{N}
    deepseek,          ///< DeepSeek 3: [!-/...][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|...
    cjk_runs,          ///< runs of [U+4E00-U+9FA5 U+3040-U+30FF] alone
    digits_1,          ///< each \p{N} alone
    digits_3,          ///< \p{N}{1,3} alone
    digits_run,        ///< \p{N}+ alone
    ascii_digits_3,    ///< [0-9][0-9][0-9] alone
    punctuated,        ///< no name in the file: runs of [\p{P}$+<=>^~|] alone, then gpt2, digits_run and ascii_digits_3
    punctuated_tick,   ///< Falcon: runs of [\p{P}$+<=>^~|`] alone, then gpt2 and ascii_digits_3
    lines,             ///< [^\n]+|[\n]+
};

/// A named cut.
class pretokenizer {
public:
    pretokenizer() = default;

    /// The cut of a family, by the name that GGUF files use (tokenizer.ggml.pre).
    /// @shape none
    /// @errors unsupported: the name is not known; the error lists those that are
    /// @source the published tokenizer.json of each family
    [[nodiscard]] static result<pretokenizer> named(std::string_view name);

    /// The cut that a published pattern describes, if a scanner does exactly the same.
    /// @shape none
    /// @errors unsupported: no scanner for this pattern
    /// @source the published tokenizer.json of each family
    [[nodiscard]] static result<pretokenizer> for_pattern(std::string_view pattern);

    /// Adds another cut's scanners after these. False, and nothing added, where there are too many.
    /// @shape none
    /// @errors false, see above
    /// @source none
    [[nodiscard]] bool then(const pretokenizer& next) noexcept;

    /// The names named() knows, in one line.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] static std::string known_names();

    /// Appends the lengths of the pieces, in order; they add up to the text's.
    /// @shape lengths grows by at most text.size() elements
    /// @errors none; ill-formed UTF-8 counts as symbols of one byte
    /// @cost O(n)
    /// @source none
    void split(std::string_view text, std::vector<std::uint32_t>& lengths) const;

    /// Whether a whole piece that is a token is taken without merging (Llama 3 and what follows it).
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] bool whole_piece_first() const noexcept { return whole_piece_first_; }

private:
    std::array<scanner, 4> stages_{};
    std::uint8_t count_ = 0;
    bool whole_piece_first_ = false;
};

}  // namespace text
HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/pretokenizer.inl.hpp"
#endif

#endif
