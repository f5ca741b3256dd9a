// answers.hpp - what good answers of this dialect say about themselves.  See llm/dialect.hpp.
#pragma once

#include <string_view>

#include <boost/json/object.hpp>

#include "llm/token_usage.hpp"

namespace akr::openai_chat_answers {

void read_usage(const boost::json::object& answer, TokenUsage& usage);
// Of a whole answer or of the data of an event alike: nothing in it is content.
bool is_empty(const boost::json::object& answer);

}  // namespace akr::openai_chat_answers
