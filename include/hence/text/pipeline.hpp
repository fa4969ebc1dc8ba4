// pipeline: runs the normalisation and cutting steps of a tokenizer that is described part by part.
#ifndef HENCE_TEXT_PIPELINE_HPP
#define HENCE_TEXT_PIPELINE_HPP

#include "../core/result.hpp"
#include "pattern.hpp"
#include "pretokenizer.hpp"
#include "steps.hpp"
#include "unigram.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN
namespace text {

class pipeline {
public:
    /// @shape none
    /// @errors those of pattern::compile and charsmap::make, with the step they belong to
    /// @source Hugging Face tokenizers describes what each step does
    [[nodiscard]] static result<pipeline> make(const std::vector<normalize_step>& normalization,
                                               const std::vector<cut_step>& cuts, bool bytes_last);

    /// Memory that one encode() call uses again and again.
    struct scratch {
        struct part {
            std::uint32_t begin = 0;
            std::uint32_t length = 0;
        };
        std::string text;  ///< what the parts lie in, once a step has written
        std::string other;
        bool begins = true;  ///< whether that text begins where the text that was given began
        std::vector<part> parts;
        std::vector<part> finer;
        std::vector<pattern::scratch> patterns;
        std::vector<pattern::span> matches;
        std::vector<std::uint32_t> lengths;
        std::vector<std::string_view> words;
    };

    /// Whether normalize() may change a text at all.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] bool normalizes(std::string_view text) const noexcept;

    /// Returns whether the text still begins with what its first character became: false where that one was removed. A mark that
    /// only the beginning gets is not put before what came after it.
    /// @shape none
    /// @errors none
    /// @cost O(n log n)
    /// @source as make
    bool normalize(std::string& text, scratch& s) const;

    /// Whether all cuts are scanners of pretokenizer: then cut() is not needed.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] const pretokenizer* scanners() const noexcept { return scanners_only_ ? &scanners_ : nullptr; }

    /// Cuts a text into s.parts of s.text. `at_beginning`: the text begins the input.
    /// @shape none
    /// @errors none
    /// @cost O(n) times what the patterns cost
    /// @source as make
    void cut(std::string_view text, bool at_beginning, scratch& s) const;

private:
    void split(const cut_step& step, const pattern* compiled, pattern::scratch* memory, scratch& s) const;
    void metaspace(const cut_step& step, bool at_beginning, scratch& s) const;

    std::vector<normalize_step> normalization_;
    std::vector<cut_step> cuts_;
    std::vector<pattern> patterns_;            // those of the steps
    std::vector<std::uint32_t> of_normalize_;  // by step: index in patterns_ or none
    std::vector<std::uint32_t> of_cut_;
    std::vector<charsmap> charsmaps_;  // by normalisation step
    pretokenizer scanners_;
    bool scanners_only_ = false;
    bool bytes_last_ = false;  // the model reads bytes: the last step need not write GPT-2's alphabet
    bool ascii_unchanged_ = true;
};

}  // namespace text
HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/pipeline.inl.hpp"
#endif

#endif
