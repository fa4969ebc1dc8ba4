// concat and decimal: short texts, most of them parts of error messages, put together by code that is compiled once.
//
// The standard's operator+ and to_string are inline: an error of four parts costs every program that includes hence
// a kilobyte of code and the time to compile it.
#ifndef HENCE_CORE_TEXT_HPP
#define HENCE_CORE_TEXT_HPP

#include "../config.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

HENCE_NAMESPACE_BEGIN

/// A text or a number, as concat() takes it; refers to the text that it was made from.
class message_piece {
public:
    constexpr message_piece(const char* text) noexcept : message_piece(std::string_view(text)) {}
    constexpr message_piece(std::string_view text) noexcept : text_(text.data()), size_(text.size()), kind_(kind::text) {}
    message_piece(const std::string& text) noexcept : text_(text.data()), size_(text.size()), kind_(kind::text) {}
    constexpr message_piece(char c) noexcept : size_(static_cast<unsigned char>(c)), kind_(kind::character) {}
    template <class T>
        requires(std::is_integral_v<T> && !std::is_same_v<T, char>)
    constexpr message_piece(T number) noexcept
        : size_(static_cast<std::uint64_t>(number)),
          kind_(std::is_signed_v<T> && number < T{} ? kind::negative : kind::number) {}

    message_piece(double number) noexcept : real_(number), size_(0), kind_(kind::real) {}
    message_piece(float number) noexcept : message_piece(static_cast<double>(number)) {}

    /// Appends the piece.
    /// @shape none
    /// @errors none
    /// @source none
    void append_to(std::string& out) const;

private:
    enum class kind : std::uint8_t { text, character, number, negative, real };

    union {
        const char* text_ = nullptr;
        double real_;
    };
    std::uint64_t size_;  // of the text, or the character or the whole number itself
    kind kind_;
};

/// The pieces one after another: concat({"at least ", n, " bytes"}).
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] std::string concat(std::initializer_list<message_piece> pieces);

/// The same, appended.
/// @shape none
/// @errors none
/// @source none
void append(std::string& out, std::initializer_list<message_piece> pieces);

/// A number in decimal: whole ones exactly, others with six digits after the point.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] std::string decimal(message_piece number);

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/text.inl.hpp"
#endif

#endif
