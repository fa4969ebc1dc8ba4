// Reading typed fields out of a JSON document of unknown origin: every mistake goes into one list.
#ifndef HENCE_IO_DETAIL_JSON_FIELDS_HPP
#define HENCE_IO_DETAIL_JSON_FIELDS_HPP

#include "../../core/text.hpp"
#include "../../core/json.hpp"
#include "bytes.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

HENCE_NAMESPACE_BEGIN

namespace detail {

/// A value in a few words, for "found ...".
[[nodiscard]] inline std::string json_text(const nlohmann::json& value) {
    using type = nlohmann::json::value_t;
    switch (value.type()) {
        case type::null: return "null";
        case type::boolean: return value.get<bool>() ? "true" : "false";
        case type::string: return quote(*value.get_ptr<const std::string*>());
        case type::number_integer:
        case type::number_unsigned:
        case type::number_float: return value.dump();
        case type::object: return "an object";
        case type::array: return concat({"an array of ", value.size()});
        case type::binary:
        case type::discarded: break;
    }
    return "something else";
}

/// A non-negative integer, or nothing.
[[nodiscard]] inline std::optional<std::uint64_t> json_natural(const nlohmann::json& value) {
    if (!value.is_number_unsigned()) return std::nullopt;
    return value.get<std::uint64_t>();
}

}  // namespace detail

HENCE_NAMESPACE_END

#endif
