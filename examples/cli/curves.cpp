// The curves of evaluation.hpp: accuracy against tokens, as JSON and as a drawing.
#include "evaluation.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace tool {

namespace {

// A strategy's name without its numbers: what the members of a curve have in common.
std::string family(const way& how) {
    if (how.labelled) return how.label;
    const std::string& text = how.text;
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find_first_of(",:|", at), text.size());
        const std::string one = text.substr(at, end - at);
        const std::size_t equals = one.find('=');
        const std::string value = equals == std::string::npos ? "" : one.substr(equals + 1);
        const bool number = !value.empty() && value.find_first_not_of("0123456789.-") == std::string::npos;
        if (!number) out.append(out.empty() ? "" : at > 0 && text[at - 1] == '|' ? "|" : out.find(':') == std::string::npos ? ":" : ",").append(one);
        at = end + 1;
    }
    return out;
}

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '<') out += "&lt;";
        else if (c == '>') out += "&gt;";
        else if (c == '&') out += "&amp;";
        else if (c == '"') out += "&quot;";
        else out += c;
    }
    return out;
}

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    return text;
}

std::string short_count(double tokens) {
    char text[32];
    std::snprintf(text, sizeof text, tokens >= 1000 ? "%gk" : "%g", tokens >= 1000 ? tokens / 1000 : tokens);
    return text;
}

// Where things stand in the drawing.
struct frame {
    double left = 60, top = 50, width = 620, height = 400;
    double least = 1, most = 10;  // tokens

    [[nodiscard]] double x(double tokens) const { return left + width * std::log(std::max(tokens, least) / least) / std::log(most / least); }
    [[nodiscard]] double y(double accuracy) const { return top + height * (1 - accuracy); }
};

void grid(std::string& svg, const frame& f) {
    for (int percent = 0; percent <= 100; percent += 20) {
        const double y = f.y(percent / 100.0);
        svg += "<line x1=\"" + number(f.left) + "\" x2=\"" + number(f.left + f.width) + "\" y1=\"" + number(y) + "\" y2=\"" + number(y) + "\" stroke=\"#ddd\"/>";
        svg += "<text x=\"" + number(f.left - 8) + "\" y=\"" + number(y + 4) + "\" text-anchor=\"end\">" + std::to_string(percent) + " %</text>\n";
    }
    for (double decade = 1; decade <= f.most; decade *= 10)
        for (const double factor : {1.0, 2.0, 5.0}) {
            const double tokens = decade * factor;
            if (tokens < f.least || tokens > f.most) continue;
            const double x = f.x(tokens);
            svg += "<line x1=\"" + number(x) + "\" x2=\"" + number(x) + "\" y1=\"" + number(f.top) + "\" y2=\"" + number(f.top + f.height) + "\" stroke=\"#eee\"/>";
            svg += "<text x=\"" + number(x) + "\" y=\"" + number(f.top + f.height + 18) + "\" text-anchor=\"middle\">" + short_count(tokens) + "</text>\n";
        }
    svg += "<text x=\"" + number(f.left + f.width / 2) + "\" y=\"" + number(f.top + f.height + 40) + "\" text-anchor=\"middle\">tokens a question</text>\n";
}

constexpr std::array<const char*, 10> colours{"#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#17becf", "#e377c2", "#7f7f7f", "#bcbd22"};

}  // namespace

std::vector<curve> curves(const std::vector<summary>& all) {
    std::vector<curve> out;
    const auto named = [&](const std::string& name) -> curve& {
        for (curve& c : out)
            if (c.name == name) return c;
        return out.emplace_back(curve{name, {}});
    };
    for (const summary& one : all) {
        named(family(*one.how)).points.push_back(one.total());
        for (const summary::by_count& k : one.by_samples()) {
            const auto questions = static_cast<std::int64_t>(one.outcomes.size());
            const auto place = [&](double share) -> point {
                // The interval of as many questions; that groups of samples were averaged makes it a little too wide.
                const auto [low, high] = hence::statistics::wilson_interval(static_cast<std::int64_t>(std::llround(share * static_cast<double>(questions))), questions);
                return {one.how->text + " (" + std::to_string(k.samples) + ")", k.tokens, share, low, high};
            };
            named(family(*one.how) + ", any of k").points.push_back(place(k.pass));
            named(family(*one.how) + ", majority of k").points.push_back(place(k.majority));
        }
    }
    for (curve& c : out) std::stable_sort(c.points.begin(), c.points.end(), [](const point& a, const point& b) { return a.tokens < b.tokens; });
    return out;
}

nlohmann::json to_json(const std::vector<curve>& curves) {
    nlohmann::json list = nlohmann::json::array();
    for (const curve& c : curves) {
        nlohmann::json points = nlohmann::json::array();
        for (const point& p : c.points)
            points.push_back({{"strategy", p.strategy}, {"tokens_per_question", p.tokens}, {"accuracy", p.accuracy}, {"low", p.low}, {"high", p.high}});
        list.push_back({{"name", c.name}, {"points", std::move(points)}});
    }
    return list;
}

std::string to_svg(const std::vector<curve>& curves, const std::string& title) {
    frame f;
    f.least = 1e18;
    f.most = 1;
    for (const curve& c : curves)
        for (const point& p : c.points) {
            f.least = std::min(f.least, std::max(1.0, p.tokens));
            f.most = std::max(f.most, p.tokens);
        }
    f.least = std::min(f.least, f.most) * 0.8;
    f.most = std::max(f.most * 1.25, f.least * 2);
    const double legend = f.left + f.width + 20;
    const double bottom = std::max(f.top + f.height + 60, f.top + 20 * static_cast<double>(curves.size()) + 20);
    std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1180\" height=\"" + number(bottom) + "\" viewBox=\"0 0 1180 " + number(bottom) +
                      "\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
    svg += "<text x=\"" + number(f.left) + "\" y=\"28\" font-size=\"16\">" + escaped(title) + "</text>\n";
    grid(svg, f);
    for (std::size_t i = 0; i < curves.size(); ++i) {
        const std::string colour = colours[i % colours.size()];
        const std::string dash = i < colours.size() ? "" : " stroke-dasharray=\"5 3\"";
        std::string path;
        std::string marks;
        for (const point& p : curves[i].points) {
            const double x = f.x(p.tokens);
            path += (path.empty() ? "M" : " L") + number(x) + " " + number(f.y(p.accuracy));
            marks += "<line x1=\"" + number(x) + "\" x2=\"" + number(x) + "\" y1=\"" + number(f.y(p.low)) + "\" y2=\"" + number(f.y(p.high)) + "\" stroke=\"" + colour +
                     "\" stroke-opacity=\".25\"/><circle cx=\"" + number(x) + "\" cy=\"" + number(f.y(p.accuracy)) + "\" r=\"3.5\" fill=\"" + colour + "\"><title>" +
                     escaped(p.strategy) + ": " + number(100 * p.accuracy) + " % at " + number(p.tokens) + " tokens</title></circle>\n";
        }
        svg += "<path d=\"" + path + "\" fill=\"none\" stroke=\"" + colour + "\" stroke-width=\"1.8\"" + dash + "/>\n" + marks;
        const double y = f.top + 10 + 20 * static_cast<double>(i);
        svg += "<line x1=\"" + number(legend) + "\" x2=\"" + number(legend + 22) + "\" y1=\"" + number(y) + "\" y2=\"" + number(y) + "\" stroke=\"" + colour +
               "\" stroke-width=\"3\"" + dash + "/><text x=\"" + number(legend + 28) + "\" y=\"" + number(y + 4) + "\">" + escaped(curves[i].name) + "</text>\n";
    }
    return svg + "</svg>\n";
}

}  // namespace tool
