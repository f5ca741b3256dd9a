#include "net/server/forwarded.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "net/http/http1.hpp"

namespace akr::net {
namespace {

// Reads one field line from left to right.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void skip_space() {
    while (!at_end() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  // Up to a delimiter; empty if there is none of the token's characters.
  std::string_view token() {
    const std::size_t from = at_;
    while (!at_end() && is_token(text_.substr(at_, 1))) ++at_;
    return text_.substr(from, at_ - from);
  }
  // After the opening quote.  False: no closing one.
  bool quoted(std::string& out) {
    while (!at_end()) {
      char c = text_[at_++];
      if (c == '"') return true;
      if (c == '\\') {
        if (at_end()) return false;
        c = text_[at_++];
      }
      out += c;
    }
    return false;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

bool read_pair(Reader& in, ForwardedElement& element) {
  const std::string_view name = in.token();
  if (name.empty() || !in.take('=')) return false;
  std::string value;
  if (in.take('"')) {
    if (!in.quoted(value)) return false;
  } else {
    value = in.token();
  }
  if (value.empty()) return false;
  std::string* const wanted = iequals(name, "for") ? &element.node : iequals(name, "proto") ? &element.proto : nullptr;
  if (wanted == nullptr) return true;
  if (!wanted->empty()) return false;
  *wanted = std::move(value);
  return true;
}

bool is_port(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.starts_with('_')) return text.size() > 1;  // obfuscated
  return !text.empty() && text.size() <= 5 && std::ranges::all_of(text, is_digit);
}

bool is_hidden(std::string_view text) {
  if (iequals(text, "unknown")) return true;
  const auto allowed = [](char c) {
    const char lower = ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  return text.size() > 1 && text.front() == '_' && std::ranges::all_of(text, allowed);
}

}  // namespace

bool parse_forwarded(std::string_view value, std::vector<ForwardedElement>& elements) {
  Reader in(value);
  for (;;) {
    ForwardedElement element;
    bool any = false;
    do {
      in.skip_space();
      Reader ahead = in;
      if (ahead.at_end() || ahead.take(';') || ahead.take(',')) continue;
      if (!read_pair(in, element)) return false;
      any = true;
      in.skip_space();
    } while (in.take(';'));
    if (any) elements.push_back(std::move(element));
    if (in.at_end()) return true;
    if (!in.take(',')) return false;
  }
}

ForwardedNode parse_node(std::string_view text) {
  using Kind = ForwardedNode::Kind;
  std::string_view literal = text;
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return {};
    literal = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    has_port = !rest.empty();
    if (literal.find(':') == std::string_view::npos || (has_port && rest.front() != ':')) return {};
    if (has_port) port = rest.substr(1);
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos && colon == text.rfind(':')) {
    literal = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  if (has_port && !is_port(port)) return {};
  if (const auto address = parse_ip(literal)) return {Kind::kAddress, *address};
  return {is_hidden(literal) ? Kind::kHidden : Kind::kMalformed, {}};
}

}  // namespace akr::net
