#include "proxy/request/subprotocols.hpp"

#include <algorithm>

#include "core/service/text_rules.hpp"

namespace akr {
namespace {

// As OpenAI's SDKs write them.  Account names stay here like the fields of that name do: ours are the key's own.
constexpr std::string_view kKey = "openai-insecure-api-key.";
constexpr std::string_view kAccounts[] = {"openai-organization.", "openai-project."};

bool is_for_us(std::string_view subprotocol) {
  return istarts_with(subprotocol, kKey) ||
         std::any_of(std::begin(kAccounts), std::end(kAccounts),
                     [&](std::string_view prefix) { return istarts_with(subprotocol, prefix); });
}

// "OpenAI_Insecure_Api_Key.K": whoever writes it so means the key.
bool means_key(std::string_view subprotocol) {
  constexpr std::string_view kMeaning = "insecure-api-key";
  std::string folded = to_lower(subprotocol);
  std::ranges::replace_if(
      folded, [](char c) { return c == '_' || c == '.'; }, '-');
  return folded.find(kMeaning) != std::string::npos;
}

template <class Visit>
void for_each_that_travels(const net::MessageHead& head, Visit visit) {
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    const net::Field field = head.field(i);
    if (field.id != net::FieldId::kSecWebSocketProtocol) continue;
    for_each_subprotocol(field.value, [&](std::string_view one) {
      if (!is_for_us(one) && is_clear_subprotocol(one)) visit(one);
    });
  }
}

}  // namespace

std::string_view key_in_subprotocol(std::string_view subprotocol) {
  return istarts_with(subprotocol, kKey) ? subprotocol.substr(kKey.size()) : std::string_view();
}

bool is_clear_subprotocol(std::string_view subprotocol) {
  if (!is_token(subprotocol)) return false;
  return !key_in_subprotocol(subprotocol).empty() || !means_key(subprotocol);
}

void append_subprotocols(const net::MessageHead& head, std::string& out) {
  std::string_view before = "Sec-WebSocket-Protocol: ";
  for_each_that_travels(head, [&](std::string_view one) {
    out += before;
    out += one;
    before = ", ";
  });
  if (before == ", ") out += "\r\n";
}

bool may_be_chosen(const net::MessageHead& head, std::string_view subprotocol) {
  bool offered = false;
  for_each_that_travels(head, [&](std::string_view one) { offered = offered || one == subprotocol; });
  return offered;
}

}  // namespace akr
