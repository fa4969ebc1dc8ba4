// Definitions of evaluation.hpp but the drawing, which is in curves.cpp.
#include "evaluation.hpp"

#include <hence/core/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <cerrno>
#include <filesystem>

namespace tool {

outcome judge(const task& t, const problem& p, const hence::answer& a) {
    outcome out;
    out.right = t.right(p, a.text, a.value);
    out.found = a.found();
    out.cut = a.cut;
    out.tokens = a.account.spent_tokens();
    out.forwards = a.account.forwards;
    out.seconds = a.seconds;
    out.cancelled = a.cancelled_branches;
    out.saved_tokens = a.saved_tokens;
    out.answer = a.value;
    out.replay_hash = hash_text(a.replay_hash);
    out.whole = a.cancelled_branches == 0 && !a.cut;
    std::map<std::string, int> numbers;
    for (const hence::candidate& c : a.candidates) {
        attempt one;
        one.right = t.right(p, c.text, c.value);
        if (c.parsed()) one.answer = numbers.try_emplace(c.canonical, static_cast<int>(numbers.size())).first->second;
        one.tokens = c.tokens;
        out.whole = out.whole && c.finish != hence::finish_reason::cancelled && c.finish != hence::finish_reason::budget;
        if (c.tokens > 0) ++out.samples;
        out.attempts.push_back(one);
    }
    return out;
}

// --- the file ----------------------------------------------------------------------------------------

namespace {

nlohmann::json to_json(const outcome& one) {
    nlohmann::json attempts = nlohmann::json::array();
    for (const attempt& a : one.attempts) attempts.push_back({a.right ? 1 : 0, a.answer, a.tokens});
    return {{"right", one.right}, {"found", one.found}, {"cut", one.cut}, {"samples", one.samples}, {"tokens", one.tokens}, {"forwards", one.forwards},
            {"seconds", one.seconds}, {"cancelled", one.cancelled}, {"saved_tokens", one.saved_tokens}, {"answer", one.answer}, {"replay_hash", one.replay_hash},
            {"whole", one.whole}, {"attempts", std::move(attempts)}};
}

outcome read_outcome(const nlohmann::json& line) {
    outcome one;
    line.at("right").get_to(one.right);
    line.at("found").get_to(one.found);
    line.at("cut").get_to(one.cut);
    line.at("samples").get_to(one.samples);
    line.at("tokens").get_to(one.tokens);
    line.at("forwards").get_to(one.forwards);
    line.at("seconds").get_to(one.seconds);
    line.at("cancelled").get_to(one.cancelled);
    line.at("saved_tokens").get_to(one.saved_tokens);
    line.at("answer").get_to(one.answer);
    line.at("replay_hash").get_to(one.replay_hash);
    line.at("whole").get_to(one.whole);
    for (const nlohmann::json& a : line.at("attempts")) one.attempts.push_back({a.at(0).get<int>() != 0, a.at(1).get<int>(), a.at(2).get<std::int64_t>()});
    return one;
}

}  // namespace

outcome_file::outcome_file(std::string path) : path_(std::move(path)) {
    if (path_.empty()) return;
    std::error_code ignored;
    std::string bytes;
    if (std::filesystem::exists(path_, ignored)) bytes = read_file(path_);
    std::size_t whole = 0;
    std::size_t number = 0;
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t end = bytes.find('\n', at);
        if (end == std::string::npos) break;  // a run that was killed while it wrote
        const std::string place = path_ + ": line " + std::to_string(++number);
        const nlohmann::json line = hence::parse_json(std::string_view(bytes).substr(at, end - at), place).value();
        try {
            known_[{line.at("settings").get<std::string>(), line.at("id").get<std::string>()}] = read_outcome(line);
        } catch (const nlohmann::json::exception& e) {
            throw std::runtime_error(place + ": expected a line that hence eval wrote, found " + hence::quote(line.dump()) + " (" + e.what() + ")");
        }
        at = whole = end + 1;
    }
    if (whole < bytes.size()) std::filesystem::resize_file(path_, whole);
    file_ = std::fopen(path_.c_str(), "ab");
    if (file_ == nullptr) throw std::runtime_error(path_ + ": cannot be written: " + std::strerror(errno));
}

outcome_file::~outcome_file() {
    if (file_ != nullptr) std::fclose(file_);
}

const outcome* outcome_file::find(const std::string& settings, const std::string& id) const {
    const auto found = known_.find({settings, id});
    return found == known_.end() ? nullptr : &found->second;
}

void outcome_file::add(const std::string& settings, const std::string& id, const outcome& one) {
    if (file_ == nullptr) return;
    nlohmann::json line = to_json(one);
    line["settings"] = settings;
    line["id"] = id;
    const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    if (std::fwrite(text.data(), 1, text.size(), file_) != text.size() || std::fflush(file_) != 0)
        throw std::runtime_error(path_ + ": cannot be written: " + std::strerror(errno));
}

// --- summing up --------------------------------------------------------------------------------------

point summary::total() const {
    std::int64_t right = 0;
    std::int64_t tokens = 0;
    for (const outcome& one : outcomes) {
        right += one.right ? 1 : 0;
        tokens += one.tokens;
    }
    const auto count = static_cast<std::int64_t>(outcomes.size());
    const auto [low, high] = hence::statistics::wilson_interval(right, count);
    const double n = static_cast<double>(std::max<std::int64_t>(count, 1));
    return {how->text, static_cast<double>(tokens) / n, static_cast<double>(right) / n, low, high};
}

namespace {

// Whether the answer that most of these attempts give is right; ties go to the first.
bool majority_right(const attempt* attempts, std::size_t count) {
    std::map<int, std::pair<int, std::size_t>> votes;  // answer: votes, first voter
    for (std::size_t i = 0; i < count; ++i)
        if (attempts[i].answer >= 0) ++votes.try_emplace(attempts[i].answer, 0, i).first->second.first;
    const std::pair<int, std::size_t>* best = nullptr;
    for (const auto& [answer, vote] : votes)
        if (best == nullptr || vote.first > best->first || (vote.first == best->first && vote.second < best->second)) best = &vote;
    return best != nullptr && attempts[best->second].right;
}

}  // namespace

std::vector<summary::by_count> summary::by_samples() const {
    std::vector<by_count> out;
    if (!how->draws_independently()) return out;  // leaves of one tree are no samples
    const std::size_t n = outcomes.empty() ? 0 : outcomes[0].attempts.size();
    for (const outcome& one : outcomes)
        if (!one.whole || one.attempts.size() != n) return out;
    if (n < 2) return out;
    std::vector<std::size_t> counts;
    for (std::size_t k = 1; k < n; k *= 2) counts.push_back(k);
    counts.push_back(n);
    const double questions = static_cast<double>(outcomes.size());
    for (const std::size_t k : counts) {
        by_count sum{static_cast<std::int64_t>(k), 0, 0, 0};
        for (const outcome& one : outcomes) {
            std::int64_t right = 0;
            std::int64_t tokens = 0;
            for (const attempt& a : one.attempts) {
                right += a.right ? 1 : 0;
                tokens += a.tokens;
            }
            sum.pass += hence::statistics::pass_at_k(static_cast<std::int64_t>(n), right, static_cast<std::int64_t>(k)) / questions;
            // Groups that share no sample: as many votes of k as there are samples for.
            const std::size_t groups = n / k;
            for (std::size_t g = 0; g < groups; ++g)
                sum.majority += majority_right(one.attempts.data() + g * k, k) ? 1.0 / static_cast<double>(groups) / questions : 0;
            sum.tokens += static_cast<double>(tokens) * static_cast<double>(k) / static_cast<double>(n) / questions;
        }
        out.push_back(sum);
    }
    return out;
}

nlohmann::json summary::json() const {
    const point all = total();
    outcome sum;
    std::int64_t right = 0, found = 0, cut = 0;
    for (const outcome& one : outcomes) {
        right += one.right ? 1 : 0;
        found += one.found ? 1 : 0;
        cut += one.cut ? 1 : 0;
        sum.samples += one.samples;
        sum.tokens += one.tokens;
        sum.forwards += one.forwards;
        sum.seconds += one.seconds;
        sum.cancelled += one.cancelled;
        sum.saved_tokens += one.saved_tokens;
    }
    const double n = static_cast<double>(std::max<std::size_t>(outcomes.size(), 1));
    nlohmann::json samples = nlohmann::json::array();
    for (const by_count& one : by_samples())
        samples.push_back({{"samples", one.samples}, {"pass_at_k", one.pass}, {"majority", one.majority}, {"tokens_per_question", one.tokens}});
    return {{"strategy", how->text},
            {"label", how->label},
            {"settings", how->shared ? how->text : hence::describe(how->strategy)},
            {"exact_checker", how->uses_exact_checker()},
            {"questions", outcomes.size()},
            {"right", right},
            {"accuracy", all.accuracy},
            {"low", all.low},
            {"high", all.high},
            {"found", found},
            {"cut", cut},
            {"samples", sum.samples},
            {"tokens", sum.tokens},
            {"forwards", sum.forwards},
            {"seconds", sum.seconds},
            {"cancelled_branches", sum.cancelled},
            {"saved_tokens", sum.saved_tokens},
            {"per_question", {{"samples", static_cast<double>(sum.samples) / n}, {"tokens", all.tokens}, {"forwards", static_cast<double>(sum.forwards) / n}, {"seconds", sum.seconds / n}}},
            {"by_samples", std::move(samples)}};
}

}  // namespace tool
