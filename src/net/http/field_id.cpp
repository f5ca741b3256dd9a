// The names behind FieldId, sorted by length so that one comparison usually decides.
#include <algorithm>

#include "net/http/http1.hpp"
#include "net/http/http1_scan.hpp"

namespace akr::net {
namespace {

struct Known {
  std::string_view name;  // lower case
  FieldId id;
};

constexpr Known kKnown[] = {
    {"te", FieldId::kTe},
    {"host", FieldId::kHost},
    {"date", FieldId::kDate},
    {"expect", FieldId::kExpect},
    {"cookie", FieldId::kCookie},
    {"origin", FieldId::kOrigin},
    {"upgrade", FieldId::kUpgrade},
    {"trailer", FieldId::kTrailer},
    {"referer", FieldId::kReferer},
    {"api-key", FieldId::kApiKey},
    {"trailers", FieldId::kTrailer},
    {"forwarded", FieldId::kForwarded},
    {"x-api-key", FieldId::kXApiKey},
    {"x-real-ip", FieldId::kXRealIp},
    {"connection", FieldId::kConnection},
    {"keep-alive", FieldId::kKeepAlive},
    {"set-cookie", FieldId::kSetCookie},
    {"user-agent", FieldId::kUserAgent},
    {"retry-after", FieldId::kRetryAfter},
    {"x-proxy-key", FieldId::kXProxyKey},
    {"set-cookie2", FieldId::kSetCookie},
    {"content-type", FieldId::kContentType},
    {"x-request-id", FieldId::kXRequestId},
    {"authorization", FieldId::kAuthorization},
    {"content-length", FieldId::kContentLength},
    {"x-goog-api-key", FieldId::kXGoogApiKey},
    {"openai-project", FieldId::kAccountOther},
    {"accept-encoding", FieldId::kAcceptEncoding},
    {"content-encoding", FieldId::kContentEncoding},
    {"proxy-connection", FieldId::kProxyConnection},
    {"transfer-encoding", FieldId::kTransferEncoding},
    {"x-anthropic-api-key", FieldId::kXAnthropicApiKey},
    {"x-goog-user-project", FieldId::kAccountOther},
    {"openai-organization", FieldId::kAccountOther},
    {"sec-websocket-protocol", FieldId::kSecWebSocketProtocol},
    {"anthropic-workspace-id", FieldId::kAccountOther},
    {"anthropic-organization-id", FieldId::kAccountOther},
};
constexpr std::size_t kLongest = 25;

struct Index {
  std::array<std::uint8_t, kLongest + 2> first = {};  // first[n]..first[n+1] are the names of length n
};

constexpr Index make_index() {
  Index index;
  std::size_t at = 0;
  for (std::size_t length = 0; length <= kLongest; ++length) {
    index.first[length] = static_cast<std::uint8_t>(at);
    while (at < std::size(kKnown) && kKnown[at].name.size() == length) ++at;
  }
  index.first[kLongest + 1] = static_cast<std::uint8_t>(at);
  return index;
}
constexpr Index kIndex = make_index();
static_assert(kIndex.first[kLongest + 1] == std::size(kKnown), "kKnown must be sorted by length");

// `lower` holds no character that |0x20 would merge with another token character.
bool same(std::string_view name, std::string_view lower) {
  constexpr std::uint64_t kCase = 0x2020202020202020ULL;
  std::size_t at = 0;
  for (; at + 8 <= lower.size(); at += 8) {
    if ((scan::load8(name.data() + at) | kCase) != scan::load8(lower.data() + at)) return false;
  }
  // The last eight bytes again, overlapping, instead of one by one.
  if (at > 0)
    return (scan::load8(name.data() + lower.size() - 8) | kCase) == scan::load8(lower.data() + lower.size() - 8);
  for (; at < lower.size(); ++at) {
    if ((name[at] | 0x20) != lower[at]) return false;
  }
  return true;
}

bool has_prefix(std::string_view name, std::string_view lower) {
  return name.size() > lower.size() && same(name.substr(0, lower.size()), lower);
}

}  // namespace

FieldId identify_field(std::string_view name) {
  if (!name.empty() && name.size() <= kLongest) {
    for (std::size_t i = kIndex.first[name.size()]; i < kIndex.first[name.size() + 1]; ++i) {
      if ((name.front() | 0x20) == kKnown[i].name.front() && same(name, kKnown[i].name)) return kKnown[i].id;
    }
  }
  switch (name.empty() ? 0 : name.front() | 0x20) {
    case 'a':
      return has_prefix(name, "access-control-") ? FieldId::kAccessControlOther : FieldId::kOther;
    case 's':
      return has_prefix(name, "sec-fetch-") ? FieldId::kSecFetchOther : FieldId::kOther;
    case 'p':
      return has_prefix(name, "proxy-") ? FieldId::kProxyOther : FieldId::kOther;
    case 'c':
      return has_prefix(name, "cf-") ? FieldId::kCfOther : FieldId::kOther;
    case 'x':
      if (has_prefix(name, "x-forwarded-")) return FieldId::kXForwardedOther;
      return has_prefix(name, "x-rotator-") ? FieldId::kXRotatorOther : FieldId::kOther;
    default:
      return FieldId::kOther;
  }
}

bool is_token(std::string_view text) { return !text.empty() && scan::skip_token(text, 0) == text.size(); }

}  // namespace akr::net
