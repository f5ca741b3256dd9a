// The access key as a member of an OpenAI JSON body: read with simdjson, cut out by position, so that every other byte
// of the client's body stays as it was.
#include <simdjson.h>

#include "proxy/prepare.hpp"

namespace akr {
namespace {

struct Member {
  std::size_t begin = 0;  // of the opening quote of the name
  std::size_t end = 0;    // past the value
  std::string value;
  int count = 0;
};

bool find_member(const simdjson::padded_string& json, Member& member) {
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  if (parser.iterate(json).get(document) || document.get_object().get(object)) return false;
  for (auto entry : object) {
    simdjson::ondemand::field field;
    if (std::move(entry).get(field)) return false;
    const char* const name = field.key().raw();
    std::string_view plain_name;  // escapes resolved: "api\u005fkey" is the same name to the upstream
    if (field.unescaped_key().get(plain_name)) return false;
    if (plain_name != "api_key") continue;
    simdjson::ondemand::value value = field.value();
    std::string_view token = value.raw_json_token();
    while (!token.empty() &&
           (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' || token.back() == '\t')) {
      token.remove_suffix(1);
    }
    std::string_view text;
    if (value.get_string().get(text)) return false;
    member.begin = static_cast<std::size_t>(name - 1 - json.data());
    member.end = static_cast<std::size_t>(token.data() + token.size() - json.data());
    member.value = text;
    ++member.count;
  }
  return true;
}

std::size_t skip_space(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r')) ++at;
  return at;
}

// Cuts the member with one of the commas around it.
std::string without(std::string_view json, const Member& member) {
  std::size_t begin = member.begin;
  std::size_t end = skip_space(json, member.end);
  if (end < json.size() && json[end] == ',') {
    end = skip_space(json, end + 1);
  } else {
    end = member.end;
    const auto comma = json.find_last_not_of(" \t\r\n", begin == 0 ? 0 : begin - 1);
    if (comma != std::string_view::npos && json[comma] == ',') begin = comma;
  }
  std::string out(json.substr(0, begin));
  out += json.substr(end);
  return out;
}

}  // namespace

std::string take_body_key(PreparedRequest& request) {
  const simdjson::padded_string json(request.body.in_memory());
  Member member;
  // A member that occurs twice could be read differently further on: neither counts.
  if (!find_member(json, member) || member.count != 1) return {};
  request.body.replace(without(std::string_view(json), member));
  return member.value;
}

}  // namespace akr
