// The steps of tokenizer.json behind step_runner.hpp.
#ifndef HENCE_TEXT_DETAIL_STEP_RUNNER_INL_HPP
#define HENCE_TEXT_DETAIL_STEP_RUNNER_INL_HPP

#include "../bpe.hpp"
#include "../pipeline.hpp"
#include "step_runner.hpp"
#include "token_text.hpp"

#include <utility>

HENCE_NAMESPACE_BEGIN
namespace text::detail {

inline void replace_all(std::string& text, std::string_view find, std::string_view put) {
    if (!find.empty() && text.find(find) != std::string::npos) text = replaced(text, find, put);
}

/// What a token prints by the printing steps.
inline void append_by_steps(std::string& out, std::string_view token, const std::vector<print_step>& steps) {
    std::string text(token);
    for (const print_step& step : steps) {
        switch (step.what) {
            case print_step::kind::byte_level: {
                std::string bytes;
                if (from_byte_alphabet(text, bytes)) text = std::move(bytes);
                break;
            }
            case print_step::kind::metaspace: replace_all(text, step.find, " "); break;
            case print_step::kind::replace: replace_all(text, step.find, step.put); break;
            case print_step::kind::byte_fallback:
                if (const int byte = byte_of_token(text); byte >= 0) text.assign(1, static_cast<char>(static_cast<unsigned char>(byte)));
                break;
            case print_step::kind::wordpiece:
                if (text.compare(0, step.find.size(), step.find) == 0) {
                    text.erase(0, step.find.size());
                } else {
                    text.insert(0, 1, ' ');
                }
                if (step.cleanup)
                    for (const std::string_view tight : {" .", " ?", " !", " ,", " n't", " 'm", " 's", " 've", " 're"})
                        replace_all(text, tight, tight.substr(1));
                break;
            case print_step::kind::suffix:
                if (text.size() >= step.find.size() && text.compare(text.size() - step.find.size(), step.find.size(), step.find) == 0)
                    text.replace(text.size() - step.find.size(), step.find.size(), " ");
                break;
            case print_step::kind::spaced: text.insert(0, 1, ' '); break;
            case print_step::kind::drop_first: break;
        }
    }
    out += text;
}

class pipeline_runner final : public step_runner {
public:
    explicit pipeline_runner(pipeline steps) : steps_(std::move(steps)) {}

    [[nodiscard]] std::unique_ptr<memory> make_memory() const override { return std::make_unique<scratch>(); }
    [[nodiscard]] bool normalizes(std::string_view text) const override { return steps_.normalizes(text); }
    bool normalize(std::string& text, memory& m) const override { return steps_.normalize(text, static_cast<scratch&>(m).s); }
    [[nodiscard]] const pretokenizer* scanners() const override { return steps_.scanners(); }
    void cut(std::string_view text, bool at_beginning, memory& m) const override { steps_.cut(text, at_beginning, static_cast<scratch&>(m).s); }
    void print(std::string& out, std::string_view token, const std::vector<print_step>& steps) const override { append_by_steps(out, token, steps); }

private:
    class scratch final : public memory {
    public:
        [[nodiscard]] std::string_view part_text(std::size_t i) const override { return std::string_view(s.text).substr(s.parts[i].begin, s.parts[i].length); }
        [[nodiscard]] std::size_t parts() const override { return s.parts.size(); }
        pipeline::scratch s;
    };

    pipeline steps_;
};

HENCE_OPTIONAL result<std::shared_ptr<const step_runner>> make_step_runner(const hence::vocabulary& v) {
    HENCE_TRY_ASSIGN(steps, pipeline::make(v.normalization, v.cuts, v.model == "gpt2"));
    return std::shared_ptr<const step_runner>(std::make_shared<pipeline_runner>(std::move(steps)));
}

}  // namespace text::detail
HENCE_NAMESPACE_END

#endif
