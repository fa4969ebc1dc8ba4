// What searches over steps share: leaves that grow by one step at a time, their scores, and the end.
#ifndef HENCE_REASON_DETAIL_STEP_SEARCH_HPP
#define HENCE_REASON_DETAIL_STEP_SEARCH_HPP

#include "../../core/text.hpp"
#include "../aggregator.hpp"
#include "../chain_of_thought.hpp"
#include "../statistics.hpp"
#include "../verifier.hpp"

#include <algorithm>

HENCE_NAMESPACE_BEGIN

/// What a step is, for all searches over steps.
struct step_rules {
    std::string stop = "\n";        ///< ends a step
    std::size_t tokens = 64;        ///< most tokens of one step

    template <class Self, class Visit>
    static void fields(Self& s, Visit&& visit) {
        visit("step_stop", s.stop);
        visit("step_tokens", s.tokens);
    }
};

namespace detail {

template <class Engine>
struct step_leaf {
    typename Engine::branch_type where;
    std::size_t order = 0;        ///< in which it was made: the tie rule
    std::size_t node = 0;         ///< of the trace
    std::size_t text_before = 0;  ///< bytes of its parent's text
    std::optional<double> score = {};
    bool done = false;            ///< its text has ended
    bool cut = false;             ///< the budget or the caller ended it
};

/// The state of one search over steps.
template <reasoning_engine Engine>
class step_search {
public:
    using branch = typename Engine::branch_type;
    using leaf = step_leaf<Engine>;

    step_search(reasoning_context<Engine>& context, const step_rules& rules, const verifier& scorer)
        : context_(context), rules_(rules), scorer_(scorer) {}

    /// `count` children of a branch, as new leaves.
    result<void> grow(branch& parent, std::size_t count, std::size_t parent_node, std::vector<leaf>& into) {
        if (count == 0) return {};
        const std::size_t before = context_.options().trace ? parent.text().size() : 0;
        HENCE_TRY_ASSIGN(children, parent.fork(count));
        for (branch& child : children) into.push_back(leaf{std::move(child), next_order_++, parent_node, before, {}, false, false});
        return {};
    }

    /// One step for every leaf that is not done, or (last) all that is left of its text.
    result<void> advance(std::vector<leaf>& leaves, bool last = false) {
        until limits = context_.limits();
        if (!last) {
            limits.stop.push_back(rules_.stop);
            limits.max_tokens = std::min(limits.max_tokens, rules_.tokens);
        }
        scorer_.prepare(limits);
        std::vector<branch*> open;
        std::vector<leaf*> owners;
        for (leaf& l : leaves)
            if (!l.done && !l.cut) {
                open.push_back(&l.where);
                owners.push_back(&l);
            }
        HENCE_TRY(context_.extend(std::span<branch* const>(open), limits));
        for (leaf* const l : owners) {
            const finish_reason why = l->where.finish();
            l->cut = why == finish_reason::budget || why == finish_reason::cancelled;
            l->score.reset();
            const bool step_ended = why == finish_reason::length ||
                                    (why == finish_reason::stop_string && context_.engine().decode(l->where.generated()).ends_with(rules_.stop));
            l->done = !l->cut && (last || !step_ended || l->where.generated().size() >= context_.options().max_tokens);
            if (context_.options().trace) {
                const std::string text = l->where.text();
                std::size_t from = std::min(l->text_before, text.size());
                if (from < text.size() && text[from] == '\n') ++from;  // the one that ended the step before
                l->node = context_.note(l->node, "step", std::string_view(text).substr(from), static_cast<std::int64_t>(l->where.generated().size()), name(why), {}, l->where.stream());
                l->text_before = text.size();
            }
        }
        return {};
    }

    /// Scores the leaves that have none. A budget that ends here leaves the rest without.
    result<void> judge(std::vector<leaf>& leaves) {
        std::vector<std::string> texts;
        std::vector<leaf*> owners;
        for (leaf& l : leaves)
            if (!l.score && !l.cut) {
                texts.push_back(l.where.text());
                owners.push_back(&l);
            }
        if (owners.empty()) return {};
        std::vector<scored_branch<Engine>> items;
        for (std::size_t i = 0; i < owners.size(); ++i) items.push_back({&owners[i]->where, texts[i]});
        auto scores = scorer_.score(context_, std::span<const scored_branch<Engine>>(items));
        if (!scores && scores.error().code == errc::budget_exhausted) {
            context_.mark_cut();
            return {};
        }
        if (!scores) return std::move(scores).error();
        for (std::size_t i = 0; i < owners.size(); ++i) {
            owners[i]->score = (*scores)[i];
            if (trace_node* const node = context_.traced(owners[i]->node)) node->score = (*scores)[i];
        }
        return {};
    }

    /// Best first: by score, then by order; leaves without a score last.
    static void sort(std::vector<leaf>& leaves) {
        std::sort(leaves.begin(), leaves.end(), [](const leaf& a, const leaf& b) {
            if (a.score.has_value() != b.score.has_value()) return a.score.has_value();
            if (a.score && *a.score != *b.score) return *a.score > *b.score;
            return a.order < b.order;
        });
    }

    /// Moves the leaves that are done (or cut) from one list to another; true when one of them scores enough.
    static bool retire(std::vector<leaf>& open, std::vector<leaf>& done, std::optional<double> enough) {
        bool good = false;
        std::vector<leaf> rest;
        for (leaf& l : open) {
            if (!l.done && !l.cut) {
                rest.push_back(std::move(l));
                continue;
            }
            good = good || (l.done && enough && l.score && *l.score >= *enough);
            done.push_back(std::move(l));
        }
        open = std::move(rest);
        return good;
    }

    /// The answer from what was found; leaves still open are candidates too when nothing was finished.
    answer conclude(std::vector<leaf>& done, std::vector<leaf>& open, vote_rule rule, double parameter) {
        answer out;
        const bool finished = std::any_of(done.begin(), done.end(), [](const leaf& l) { return l.done; });
        std::vector<const leaf*> from;
        for (const leaf& l : done)
            if (l.done || !finished) from.push_back(&l);
        if (!finished)
            for (const leaf& l : open) from.push_back(&l);
        std::sort(from.begin(), from.end(), [](const leaf* a, const leaf* b) { return a->order < b->order; });
        for (const leaf* const l : from) {
            candidate c = context_.collect(l->order, l->where);
            c.score = l->score;
            c.node = l->node;
            out.candidates.push_back(std::move(c));
        }
        verdict decision = decide(rule, parameter, out.candidates);
        // Without a vote the best score still says what to show.
        if (decision.chosen == verdict::none) decision.chosen = aggregate::best{}(out.candidates).chosen;
        out.votes = std::move(decision.votes);
        out.confidence = decision.confidence;
        out.parse_rate = decision.parse_rate;
        if (decision.chosen != verdict::none) {
            context_.choose(out, out.candidates[decision.chosen]);
        }
        out.why = finished ? std::to_string(out.candidates.size()) + " finished paths" : "no path was finished; the best unfinished one is shown";
        return out;
    }

    [[nodiscard]] std::size_t made() const noexcept { return next_order_; }

private:
    reasoning_context<Engine>& context_;
    const step_rules& rules_;
    const verifier& scorer_;
    std::size_t next_order_ = 0;
};

/// Refuses a setting of 0 by name.
inline result<void> require_positive(std::string_view strategy, std::initializer_list<std::pair<const char*, std::size_t>> settings) {
    for (const auto& [field, value] : settings)
        if (value == 0) return make_error(errc::invalid_argument, concat({strategy, ".", field}), "1 or more", "0");
    return {};
}

}  // namespace detail

HENCE_NAMESPACE_END

#endif
