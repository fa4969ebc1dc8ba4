// cut_name: what GGUF files call the cuts that a tokenizer.json describes. For writers of such files.
#ifndef HENCE_TEXT_CUT_NAME_HPP
#define HENCE_TEXT_CUT_NAME_HPP

#include "pretokenizer.hpp"
#include "steps.hpp"

#include <span>
#include <string_view>

HENCE_NAMESPACE_BEGIN
namespace text {

/// The first of pretokenizer::named's names whose cut is this one; empty where none is.
/// @shape none
/// @errors none
/// @source none
[[nodiscard]] std::string_view cut_name(std::span<const cut_step> cuts, bool whole_piece_first);

}  // namespace text
HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/cut_name.inl.hpp"
#endif

#endif
