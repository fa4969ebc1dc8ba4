// stop_matcher: finds stop strings in text that comes token by token.
//
// It holds back what may still become a stop string or the rest of a character, so that what it has let
// out never has to be taken back. It sees bytes; which tokens end a text is the engine's business.
#ifndef HENCE_GENERATE_STOP_HPP
#define HENCE_GENERATE_STOP_HPP

#include "../core/result.hpp"
#include "events.hpp"

#include <cstddef>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>

HENCE_NAMESPACE_BEGIN

/// Refuses stop rules that have no meaning: an empty stop string, a stop token outside the vocabulary,
/// a negative count.
/// @shape none
/// @errors invalid_argument, out_of_range: naming the field
/// @source none
[[nodiscard]] result<void> check(const until& rules, std::size_t vocabulary_size);

class stop_matcher {
public:
    explicit stop_matcher(std::pmr::memory_resource* memory = std::pmr::get_default_resource()) : held_(memory) {}

    /// Starts a text. `open` is the beginning of a character that the text before ended in. Pushes of up to
    /// `longest_piece` bytes will not allocate.
    /// @shape none
    /// @errors none; the stop strings must outlive their use here
    /// @source none
    void start(std::span<const std::string> stops, std::size_t longest_piece, std::string_view open = {});

    struct outcome {
        std::string_view text;  ///< bytes that are now certain; valid until the next call
        bool stopped = false;   ///< a stop string begins right after them: the first to be complete
    };

    /// Adds the bytes of one token.
    /// @shape none
    /// @errors none
    /// @cost O(held bytes x stop strings); nothing is held without stop strings, but an open character
    /// @source none
    [[nodiscard]] outcome push(std::string_view bytes);

    /// Lets out what was held back for a stop string that never came; an open character stays.
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::string_view finish();

    /// Bytes let out since start().
    /// @shape none
    /// @errors none
    /// @source none
    [[nodiscard]] std::size_t released() const noexcept { return released_; }

private:
    std::span<const std::string> stops_{};
    std::pmr::string held_;
    std::size_t let_out_ = 0;  // bytes at the front of held_ that the last call let out
    std::size_t released_ = 0;
};

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/stop.inl.hpp"
#endif

#endif
