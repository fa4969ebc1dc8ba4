// What hence eval measures: one outcome for each strategy and question, kept in a file so that nothing is computed twice,
// and summed up with intervals and curves.
#ifndef HENCE_EXAMPLES_CLI_EVALUATION_HPP
#define HENCE_EXAMPLES_CLI_EVALUATION_HPP

#include "asking.hpp"
#include "tasks.hpp"

#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace tool {

/// One sample, leaf or attempt of an answer, as far as curves need it.
struct attempt {
    bool right = false;
    int answer = -1;  ///< equal for equal answers of one question; -1: none was found
    std::int64_t tokens = 0;
};

/// What one strategy made of one question.
struct outcome {
    bool right = false;
    bool found = false;
    bool cut = false;
    std::int64_t samples = 0;  ///< samples, leaves or attempts that were looked at
    std::int64_t tokens = 0;   ///< generated, forced and scored
    std::int64_t forwards = 0;
    double seconds = 0;
    std::int64_t cancelled = 0;
    std::int64_t saved_tokens = 0;
    std::string answer;
    std::string replay_hash;
    std::vector<attempt> attempts;
    bool whole = true;  ///< every sample was drawn to its end, so that pass@k has no bias
};

[[nodiscard]] outcome judge(const task& t, const problem& p, const hence::answer& a);

/// Outcomes in a file of JSON lines: a killed run goes on where it was. Lines of other settings are left alone.
class outcome_file {
public:
    /// Reads what is there, if a path is given. A last line without an end (a killed run's) is dropped.
    explicit outcome_file(std::string path);
    outcome_file(const outcome_file&) = delete;
    outcome_file& operator=(const outcome_file&) = delete;
    ~outcome_file();

    [[nodiscard]] const outcome* find(const std::string& settings, const std::string& id) const;
    void add(const std::string& settings, const std::string& id, const outcome& one);
    [[nodiscard]] std::size_t known() const noexcept { return known_.size(); }

private:
    std::string path_;
    std::FILE* file_ = nullptr;
    std::map<std::pair<std::string, std::string>, outcome> known_;
};

/// A place on a curve.
struct point {
    std::string strategy;
    double tokens = 0;  ///< a question
    double accuracy = 0;
    double low = 0;
    double high = 1;
};

struct curve {
    std::string name;
    std::vector<point> points;  ///< by tokens
};

/// All outcomes of one strategy.
struct summary {
    const way* how = nullptr;
    std::vector<outcome> outcomes;

    [[nodiscard]] point total() const;
    /// k, the unbiased chance that one of k samples is right, and the share of votes of k that are; empty where samples were
    /// cancelled or cut, depend on each other (a search), or are not the same number for every question.
    struct by_count {
        std::int64_t samples;
        double pass;
        double majority;
        double tokens;  ///< of k samples
    };
    [[nodiscard]] std::vector<by_count> by_samples() const;
    [[nodiscard]] nlohmann::json json() const;
};

/// One curve for each label, or for strategies that differ in numbers only; and those of by_samples().
[[nodiscard]] std::vector<curve> curves(const std::vector<summary>& all);
[[nodiscard]] nlohmann::json to_json(const std::vector<curve>& curves);
/// A drawing of them: accuracy against tokens, which grow by factors.
[[nodiscard]] std::string to_svg(const std::vector<curve>& curves, const std::string& title);

}  // namespace tool

#endif
