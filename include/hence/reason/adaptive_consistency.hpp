// adaptive_consistency: self-consistency that stops as soon as the leader is likely enough to stay ahead.
#ifndef HENCE_REASON_ADAPTIVE_CONSISTENCY_HPP
#define HENCE_REASON_ADAPTIVE_CONSISTENCY_HPP

#include "detail/sample_votes.hpp"
#include "stopper.hpp"

HENCE_NAMESPACE_BEGIN

struct adaptive_consistency {
    static constexpr std::string_view strategy_name = "adaptive_consistency";

    std::size_t samples = 40;    ///< at most
    /// Samples that run side by side; the rule is tested after each one, and the rest of the window is cancelled.
    /// 1 is the paper's sequential form; more is faster and spends a little more.
    std::size_t window = 4;
    double threshold = 0.95;     ///< stop when P(the leader is ahead) reaches this
    bool dirichlet = false;      ///< over all answers instead of the two most frequent
    float temperature = 0.7f;
    chain_of_thought thought = {};

    template <class Self, class Visit>
    static void fields(Self& s, Visit&& visit) {
        visit("samples", s.samples);
        visit("window", s.window);
        visit("threshold", s.threshold);
        visit("dirichlet", s.dirichlet);
        visit("temperature", s.temperature);
        chain_of_thought::fields(s.thought, visit);
    }

    /// @shape none
    /// @errors invalid_argument: no samples, no window; those of the engine
    /// @source Aggarwal et al., 2305.11860; the closed form of its integral is in statistics.hpp
    template <reasoning_engine Engine>
    [[nodiscard]] result<answer> run(reasoning_context<Engine>& context) const {
        if (window == 0) return make_error(errc::invalid_argument, "adaptive_consistency.window", "1 or more", "0");
        detail::vote_plan plan;
        plan.samples = samples;
        plan.window = window;
        plan.temperature = temperature;
        plan.thought = &thought;
        if (dirichlet) return detail::sample_votes(context, plan, stop_when::dirichlet{threshold, context.options().seed});
        return detail::sample_votes(context, plan, stop_when::beta{threshold});
    }
};

HENCE_NAMESPACE_END

#endif
