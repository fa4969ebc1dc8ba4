// The compiled form's definitions of text: chat templates. See src/hence.cpp.
#include "declarations.hpp"

#include "hence/text/chat.hpp"
#include "hence/text/chat_message.hpp"
#include "hence/text/jinja.hpp"
#include "hence/text/thinking.hpp"

#include "definitions.hpp"

#include "hence/text/detail/chat.inl.hpp"
#include "hence/text/detail/chat_message.inl.hpp"
#include "hence/text/detail/jinja.inl.hpp"
#include "hence/text/detail/thinking.inl.hpp"
