// parse_json: JSON from an untrusted file, with limits, as nlohmann's document type.
//
// It refuses what nlohmann's own parser takes silently (a key twice in one object) and what a hostile
// file does to memory (deep nesting, millions of tiny values). Only declarations are included here: a
// file that looks into the document includes <nlohmann/json.hpp> itself.
#ifndef HENCE_CORE_JSON_HPP
#define HENCE_CORE_JSON_HPP

#include "../config.hpp"
#include "result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

HENCE_NAMESPACE_BEGIN

/// What a document may hold at most.
struct json_limits {
    std::size_t depth = 64;          ///< arrays and objects inside each other
    std::size_t values = 4'000'000;  ///< values in all; a parsed value takes 16 to about 120 bytes
};

/// Parses one document; `where` names it in errors.
/// @shape  none
/// @errors bad_format with the byte and nlohmann's reason (also for a key twice); out_of_range past a limit
/// @source RFC 8259
[[nodiscard]] result<nlohmann::json> parse_json(std::string_view text, const std::string& where,
                                                json_limits limits = {});

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/json.inl.hpp"
#endif

#endif
