// answer_json.hpp - reads good answers and the data of stream events, whatever their dialect.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "llm/token_usage.hpp"

namespace akr {

// The object, or the objects of an array of them (Gemini's streams without SSE).  Empty: it is neither.
std::vector<boost::json::object> answer_objects(std::string_view json);

// nullptr if there is no such member, or it is of another kind.
const boost::json::object* object_member(const boost::json::object& object, std::string_view name);
const boost::json::array* array_member(const boost::json::object& object, std::string_view name);
std::string_view text_member(const boost::json::object& object, std::string_view name);  // "" if there is none

// More than null, false, "", [] and {}.
bool says_something(const boost::json::value& value);

// Keeps the larger one of `count` and the member, if that is a number: counts of a stream only grow.
void count_member(const boost::json::object& object, std::string_view name, std::optional<std::uint64_t>& count);

}  // namespace akr
