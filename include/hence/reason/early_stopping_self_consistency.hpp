// early_stopping_self_consistency: samples in small windows; a window of one mind is the answer.
#ifndef HENCE_REASON_EARLY_STOPPING_SELF_CONSISTENCY_HPP
#define HENCE_REASON_EARLY_STOPPING_SELF_CONSISTENCY_HPP

#include "detail/sample_votes.hpp"
#include "stopper.hpp"

HENCE_NAMESPACE_BEGIN

struct early_stopping_self_consistency {
    static constexpr std::string_view strategy_name = "early_stopping_self_consistency";

    std::size_t samples = 40;  ///< at most; then the majority of all
    std::size_t window = 5;    ///< samples of one batch; expected cost: statistics::early_stopping_samples()
    float temperature = 0.7f;
    chain_of_thought thought = {};

    template <class Self, class Visit>
    static void fields(Self& s, Visit&& visit) {
        visit("samples", s.samples);
        visit("window", s.window);
        visit("temperature", s.temperature);
        chain_of_thought::fields(s.thought, visit);
    }

    /// @shape none
    /// @errors invalid_argument: no samples, no window; those of the engine
    /// @source Li et al., 2401.10480, algorithm 1
    template <reasoning_engine Engine>
    [[nodiscard]] result<answer> run(reasoning_context<Engine>& context) const {
        if (window == 0) return make_error(errc::invalid_argument, "early_stopping_self_consistency.window", "1 or more", "0");
        detail::vote_plan plan;
        plan.samples = samples;
        plan.window = window;
        plan.temperature = temperature;
        plan.thought = &thought;
        plan.stop_on_agreement = true;
        return detail::sample_votes(context, plan, [](const ballot&, std::span<const std::size_t>) { return false; });
    }
};

HENCE_NAMESPACE_END

#endif
