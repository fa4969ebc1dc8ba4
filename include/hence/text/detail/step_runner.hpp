// step_runner: how a tokenizer that is described by steps (tokenizer.json) runs them.
//
// An interface, so that a header-only program that only reads GGUF compiles neither the steps nor their patterns.
// step_runner.inl.hpp, which text/tokenizer_json.hpp includes, implements it over text/pipeline.hpp.
#ifndef HENCE_TEXT_DETAIL_STEP_RUNNER_HPP
#define HENCE_TEXT_DETAIL_STEP_RUNNER_HPP

#include "../../core/result.hpp"
#include "../pretokenizer.hpp"
#include "../vocabulary.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN
namespace text::detail {

class step_runner {
public:
    /// What one encode() call uses again and again; after cut(): the parts and what they lie in.
    class memory {
    public:
        memory() = default;
        memory(const memory&) = delete;
        memory& operator=(const memory&) = delete;
        virtual ~memory() = default;
        [[nodiscard]] virtual std::string_view part_text(std::size_t i) const = 0;
        [[nodiscard]] virtual std::size_t parts() const = 0;
    };

    step_runner() = default;
    step_runner(const step_runner&) = delete;
    step_runner& operator=(const step_runner&) = delete;
    virtual ~step_runner() = default;

    [[nodiscard]] virtual std::unique_ptr<memory> make_memory() const = 0;
    /// Whether normalize() may change a text at all.
    [[nodiscard]] virtual bool normalizes(std::string_view text) const = 0;
    /// Whether the text still begins with what its first character became.
    virtual bool normalize(std::string& text, memory& m) const = 0;
    /// Where all cuts are scanners of pretokenizer: those, and cut() is not needed.
    [[nodiscard]] virtual const pretokenizer* scanners() const = 0;
    virtual void cut(std::string_view text, bool at_beginning, memory& m) const = 0;
    /// Appends what a token prints by the printing steps.
    virtual void print(std::string& out, std::string_view token, const std::vector<print_step>& steps) const = 0;
};

/// The runner of a vocabulary's steps; null in a program without text/tokenizer_json.hpp.
HENCE_OPTIONAL result<std::shared_ptr<const step_runner>> make_step_runner(const hence::vocabulary& v);

}  // namespace text::detail
HENCE_NAMESPACE_END

#endif
