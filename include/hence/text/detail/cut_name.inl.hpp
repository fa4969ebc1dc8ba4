// Definitions of text/cut_name.hpp. In the compiled form it follows pretokenizer.inl.hpp, whose tables it reads.
#ifndef HENCE_TEXT_DETAIL_CUT_NAME_INL_HPP
#define HENCE_TEXT_DETAIL_CUT_NAME_INL_HPP

#include "../cut_name.hpp"

#include <algorithm>
#include <vector>

HENCE_NAMESPACE_BEGIN
namespace text {

HENCE_INLINE std::string_view cut_name(std::span<const cut_step> cuts, bool whole_piece_first) {
    std::vector<scanner> stages;
    const auto add = [&](scanner next) {
        if (!stages.empty() && stages.back() == scanner::digits_1 && next == scanner::gpt2)
            stages.back() = scanner::gpt2_digits;
        else
            stages.push_back(next);
    };
    for (const cut_step& step : cuts) {
        if (step.what == cut_step::kind::digits) {
            add(step.individual ? scanner::digits_1 : scanner::digits_run);
        } else if (step.what == cut_step::kind::byte_level && !step.prefix_space) {
            if (step.use_pattern) add(scanner::gpt2);
        } else {
            const bool isolates = step.what == cut_step::kind::split && step.is_pattern && !step.invert &&
                                  step.behavior == split_behavior::isolated;
            const auto found =
                std::find_if(std::begin(detail::published_patterns), std::end(detail::published_patterns),
                             [&](const detail::published_pattern& p) { return isolates && p.pattern == step.find; });
            if (found == std::end(detail::published_patterns)) return {};
            add(found->stage);
        }
    }
    for (const detail::named_cut& cut : detail::named_cuts)
        if (cut.whole_piece_first == whole_piece_first &&
            std::equal(stages.begin(), stages.end(), cut.stages.begin(), cut.stages.begin() + cut.count))
            return cut.name;
    return {};
}

}  // namespace text
HENCE_NAMESPACE_END

#endif
