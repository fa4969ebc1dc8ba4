// The few plain names that every room shares.
#ifndef HENCE_CORE_TYPES_HPP
#define HENCE_CORE_TYPES_HPP

#include "../config.hpp"

#include <cstddef>
#include <cstdint>

HENCE_NAMESPACE_BEGIN

/// The number of a token in a model's vocabulary.
using token_id = std::int32_t;

/// No token: what an absent begin, end or unknown token is.
inline constexpr token_id no_token = -1;

HENCE_NAMESPACE_END

#endif
