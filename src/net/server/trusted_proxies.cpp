#include "net/server/trusted_proxies.hpp"

#include <algorithm>
#include <optional>

#include "base/strings.hpp"
#include "net/server/forwarded.hpp"

namespace akr::net {
namespace {

constexpr std::string_view kForField = "X-Forwarded-For";
constexpr std::string_view kProtoField = "X-Forwarded-Proto";

// The walk from the peer to the client, hop by hop.
class Walk {
 public:
  Walk(const IpAddress& peer, const TrustedProxies& trusted) : trusted_(trusted), peer_(peer), here_(peer) {}

  // The next node to the left.  False: the walk is over.
  bool step(std::string_view text) {
    const ForwardedNode node = parse_node(text);
    if (node.kind == ForwardedNode::Kind::kHidden) return false;
    if (node.kind == ForwardedNode::Kind::kMalformed) {
      here_ = peer_;
      return false;
    }
    here_ = node.address;
    return trusted_.contains(here_);
  }
  const IpAddress& here() const { return here_; }

 private:
  const TrustedProxies& trusted_;
  const IpAddress& peer_;
  IpAddress here_;
};

// nullopt: no such field.
std::optional<IpAddress> by_x_forwarded_for(const MessageHead& head, const IpAddress& peer,
                                            const TrustedProxies& trusted) {
  Walk walk(peer, trusted);
  bool found = false;
  for (std::size_t i = head.field_count(); i-- > 0;) {
    const Field field = head.field(i);
    if (field.id != FieldId::kXForwardedOther || !iequals(field.name, kForField)) continue;
    found = true;
    std::string_view left = field.value;
    for (;;) {
      const auto comma = left.rfind(',');
      if (!walk.step(trim(comma == std::string_view::npos ? left : left.substr(comma + 1)))) return walk.here();
      if (comma == std::string_view::npos) break;
      left = left.substr(0, comma);
    }
  }
  if (!found) return std::nullopt;
  return walk.here();
}

struct ForwardedField {
  bool present = false;
  bool malformed = false;
  std::vector<ForwardedElement> elements;
};

ForwardedField read_forwarded(const MessageHead& head) {
  ForwardedField read;
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    const Field field = head.field(i);
    if (field.id != FieldId::kForwarded) continue;
    read.present = true;
    if (!parse_forwarded(field.value, read.elements)) read.malformed = true;
  }
  return read;
}

std::optional<IpAddress> by_forwarded(const ForwardedField& field, const IpAddress& peer,
                                      const TrustedProxies& trusted) {
  if (!field.present) return std::nullopt;
  if (field.malformed) return peer;
  const bool says_who = std::ranges::any_of(field.elements, [](const auto& element) { return !element.node.empty(); });
  if (!says_who) return std::nullopt;
  Walk walk(peer, trusted);
  for (std::size_t i = field.elements.size(); i-- > 0;) {
    const std::string& node = field.elements[i].node;
    if (node.empty() || !walk.step(node)) break;  // a hop that does not say whom it serves hides it
  }
  return walk.here();
}

using Scheme = ForwardedClient::Scheme;

void note_scheme(Scheme& scheme, std::string_view claim) {
  if (!iequals(claim, "https")) {
    scheme = Scheme::kHttp;
  } else if (scheme == Scheme::kUnsaid) {
    scheme = Scheme::kHttps;
  }
}

Scheme scheme_of(const MessageHead& head, const ForwardedField& forwarded) {
  Scheme scheme = forwarded.malformed ? Scheme::kHttp : Scheme::kUnsaid;
  for (const ForwardedElement& element : forwarded.elements) {
    if (!element.proto.empty()) note_scheme(scheme, element.proto);
  }
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    const Field field = head.field(i);
    if (field.id != FieldId::kXForwardedOther || !iequals(field.name, kProtoField)) continue;
    for (const std::string_view claim : split(field.value, ',')) note_scheme(scheme, trim(claim));
  }
  return scheme;
}

}  // namespace

bool TrustedProxies::contains(const IpAddress& address) const {
  return std::ranges::any_of(networks_, [&](const IpNetwork& network) { return network.contains(address); });
}

ForwardedClient forwarded_client(const MessageHead& head, const IpAddress& peer, const TrustedProxies& trusted) {
  const ForwardedField forwarded = read_forwarded(head);
  const auto one = by_x_forwarded_for(head, peer, trusted);
  const auto other = by_forwarded(forwarded, peer, trusted);
  ForwardedClient client{.address = peer};
  if (one && other) {
    if (*one == *other) client.address = *one;
  } else if (one || other) {
    client.address = one ? *one : *other;
  }
  client.scheme = scheme_of(head, forwarded);
  return client;
}

}  // namespace akr::net
