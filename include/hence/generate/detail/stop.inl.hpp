// Definitions of generate/stop.hpp.
#ifndef HENCE_GENERATE_DETAIL_STOP_INL_HPP
#define HENCE_GENERATE_DETAIL_STOP_INL_HPP

#include "../../core/text.hpp"
#include "../../text/unicode.hpp"
#include "../stop.hpp"

#include <algorithm>

HENCE_NAMESPACE_BEGIN

HENCE_INLINE result<void> check(const until& rules, std::size_t vocabulary_size) {
    for (const std::string& stop : rules.stop)
        if (stop.empty()) return make_error(errc::invalid_argument, "until.stop", "strings of at least one byte", "an empty one");
    for (const token_id token : rules.stop_tokens) {
        if (token < 0 || static_cast<std::size_t>(token) >= vocabulary_size)
            return make_error(errc::out_of_range, "until.stop_tokens", concat({"tokens below ", vocabulary_size}), decimal(token));
    }
    if (rules.confidence_top_k < 0)
        return make_error(errc::out_of_range, "until.confidence_top_k", "0 (off) or more", decimal(rules.confidence_top_k));
    return {};
}

HENCE_INLINE void stop_matcher::start(std::span<const std::string> stops, std::size_t longest_piece, std::string_view open) {
    stops_ = stops;
    std::size_t longest_stop = 0;
    for (const std::string& stop : stops) longest_stop = std::max(longest_stop, stop.size());
    held_.clear();
    // Held at most: all but one byte of a stop string, three bytes of a character; then one token more.
    held_.reserve(longest_stop + 3 + longest_piece + open.size());
    held_.assign(open);
    let_out_ = 0;
    released_ = 0;
}

HENCE_INLINE stop_matcher::outcome stop_matcher::push(std::string_view bytes) {
    held_.erase(0, let_out_);
    held_.append(bytes);
    const std::string_view held = held_;
    // The one that is complete first, byte by byte, so that how tokens cut the text makes no difference.
    std::size_t found = std::string_view::npos;
    std::size_t end = std::string_view::npos;
    for (const std::string& stop : stops_) {
        const std::size_t at = held.find(stop);
        if (at == std::string_view::npos || at + stop.size() > end || (at + stop.size() == end && at > found)) continue;
        found = at;
        end = at + stop.size();
    }
    if (found != std::string_view::npos) {
        let_out_ = found;
        released_ += found;
        return {held.substr(0, found), true};
    }
    std::size_t back = text::incomplete_utf8_tail(held);
    for (const std::string& stop : stops_) {
        for (std::size_t n = std::min(held.size(), stop.size() - 1); n > back; --n) {
            if (held.ends_with(std::string_view(stop).substr(0, n))) {
                back = n;
                break;
            }
        }
    }
    let_out_ = held.size() - back;
    released_ += let_out_;
    return {held.substr(0, let_out_), false};
}

HENCE_INLINE std::string_view stop_matcher::finish() {
    held_.erase(0, let_out_);
    const std::string_view held = held_;
    let_out_ = held.size() - text::incomplete_utf8_tail(held);
    released_ += let_out_;
    return held.substr(0, let_out_);
}

HENCE_NAMESPACE_END

#endif
