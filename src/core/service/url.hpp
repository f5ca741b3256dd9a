// url.hpp - where a service lives, and how a client's path and query are joined to it.
//
// The URL is built from parts, never by concatenating strings that are parsed again: whatever a client sends, the
// authority stays the configured one and the path stays under the configured base (behaviour.md D16, scenario 54).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace akr {

struct Origin {
  bool tls = false;
  std::string host;  // lower case; IPv6 without brackets
  std::uint16_t port = 0;
  friend bool operator==(const Origin&, const Origin&) = default;
};

struct UpstreamUrl {
  Origin origin;
  std::string host_header;  // as sent: host[:port if not the scheme's default], IPv6 in brackets
  std::string base_path;    // "" or "/v1": percent-encoded as configured, without a trailing slash
  std::string query;        // configured query without '?'; ""
  bool slash_base = false;  // the configured path ended in '/'
  // Where {key} stands in base_path, and so in every target that is joined to it; npos: nowhere.
  std::size_t key_at = std::string::npos;
};

// Stands in the path of a URL, once, where the upstream key goes: "https://host/v3/{key}", "https://host/bot{key}".
inline constexpr std::string_view kKeyMark = "{key}";

// kInvalid (field "target_url") for anything but http(s)://host[:port][/path][?query], {key} in the path included.
Result<UpstreamUrl> parse_upstream_url(std::string_view text);

// How a client's path is joined to a service's URL.
struct JoinRule {
  bool bare_is_base = true;  // nothing is appended for a bare slug, so a service can name one exact resource
  // First segments that a client's path and the service's URL may both have, like "v1": the upstream wants each once.
  // Static storage.
  std::span<const std::string_view> once = {};
  // Parameters of the client that do not travel on, by name, in any case and spelling.  Static storage.
  std::span<const std::string_view> withheld = {};
};
inline constexpr JoinRule kGenericJoin = {};
inline constexpr JoinRule kPlainJoin = {.bare_is_base = false};

// Appends the request target for upstream to `out`: path, then '?' and query if there is one.
// `rest` is what follows "/proxy/{slug}" or "/llm/{slug}" in the client's target, still percent-encoded, "" or
// starting with '/'; `query` is the client's query without '?'.  Bytes, order, repetitions and escapes stay as they
// are (contract 2.4.7 and 2.5 decide the joining slash and the doubled version; the configured query comes first).
// kPathRefused for a path that could climb: a segment that decodes (once or twice, with '\' as '/', ';params' cut) to
// "." or "..", an encoded slash or backslash beside dots, a NUL, CR or LF in any escape, or a bad escape.
Result<void> join_target(const UpstreamUrl& url, const JoinRule& rule, std::string_view rest, std::string_view query,
                         std::string& out);

// Puts `key` where a target that was joined to `url` says {key}, escaped as a path segment wants it, and appends the
// whole.  REQUIRES: url.key_at is somewhere.
void append_with_key(const UpstreamUrl& url, std::string_view target, std::string_view key, std::string& out);

// The query without the parameters called `name` (compared after decoding), bytes of the others unchanged.
std::string remove_parameter(std::string_view query, std::string_view name);

// First value of parameter `name`, decoded; nullopt if absent.
std::optional<std::string> find_parameter(std::string_view query, std::string_view name);
// All values of parameter `name`, decoded, in order.
std::vector<std::string> find_parameters(std::string_view query, std::string_view name);

}  // namespace akr
