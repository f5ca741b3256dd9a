#include "proxy/request/authenticate.hpp"

#include <string>
#include <vector>

#include "base/strings.hpp"
#include "core/service/url.hpp"
#include "proxy/request/subprotocols.hpp"

namespace akr {
namespace {

constexpr std::string_view kPlaces =
    "send it as 'X-Proxy-Key: <key>', 'Authorization: Bearer <key>', 'x-api-key', 'api-key', 'x-goog-api-key', "
    "'?key=' or, at /proxy/, where the service's own key stands";

// The credential of a field; "" if the field holds none.
std::string_view credential_of(const net::MessageHead& head, std::size_t index) {
  switch (head.id_of(index)) {
    case net::FieldId::kXProxyKey:
    case net::FieldId::kXApiKey:
    case net::FieldId::kXAnthropicApiKey:
    case net::FieldId::kApiKey:
    case net::FieldId::kXGoogApiKey:
      return head.field(index).value;
    case net::FieldId::kAuthorization: {
      const std::string_view value = head.field(index).value;
      return istarts_with(value, "bearer ") ? trim(value.substr(7)) : std::string_view();
    }
    default:
      return {};
  }
}

// Where a GENERIC service's own key stands: a stock client of that API can change its URL and its key, not the place.
class OwnPlace {
 public:
  explicit OwnPlace(const Service& service)
      : place_(service.type == ServiceType::kGeneric && service.key_placement ? &*service.key_placement : nullptr) {}

  // Cheap, and right most of the time.
  bool may_be(std::size_t name_length) const { return header() && name_length == place_->name.size(); }
  bool is(const net::Field& field) const { return may_be(field.name.size()) && iequals(field.name, place_->name); }
  std::string_view credential_of(const net::Field& field) const {
    const bool behind = istarts_with(field.value, place_->prefix);
    return behind ? trim(field.value.substr(place_->prefix.size())) : field.value;
  }
  std::string_view parameter() const {
    const bool query = place_ != nullptr && place_->location == KeyLocation::kQuery;
    return query ? std::string_view(place_->name) : std::string_view();
  }

 private:
  bool header() const { return place_ != nullptr && place_->location == KeyLocation::kHeader; }
  const KeyPlacement* const place_;
};

// What a request presents.  Each credential is looked up once; one that is nobody's changes nothing.
class Presented {
 public:
  explicit Presented(const AccessKeys& keys) : keys_(keys) {}

  // True: it is an access key.
  bool offer(std::string_view credential) {
    if (credential.empty()) return false;
    any_ = true;
    const std::string_view found = keys_.match(credential);
    if (found.empty()) return false;
    // Told apart by where their fingerprints are stored: two keys may have the same.
    conflict_ = conflict_ || (!found_.empty() && found_.data() != found.data());
    found_ = found;
    return true;
  }
  void offer_subprotocols(std::string_view value);
  bool unclear_subprotocols() const { return unclear_; }
  Result<std::string_view> fingerprint() const;

 private:
  bool holds_key(std::string_view subprotocol) const;

  const AccessKeys& keys_;
  std::string_view found_;
  bool unclear_ = false;  // a subprotocol might carry a key past us
  bool any_ = false;
  bool conflict_ = false;
};

Error missing() { return {ErrorCode::kAccessKeyMissing, "this needs an access key: " + std::string(kPlaces)}; }

Error invalid() { return {ErrorCode::kAccessKeyInvalid, "the access key is not known here; " + std::string(kPlaces)}; }

Error unclear() {
  return {ErrorCode::kBadRequest,
          "Sec-WebSocket-Protocol must be a list of tokens (RFC 6455); an access key stands in it as one of them, "
          "'openai-insecure-api-key.<key>'"};
}

// Whole, or behind some name and a dot.
bool Presented::holds_key(std::string_view subprotocol) const {
  constexpr int kMostNames = 16;
  for (int i = 0; i < kMostNames; ++i) {
    if (!keys_.match(subprotocol).empty()) return true;
    const auto dot = subprotocol.find('.');
    if (dot == std::string_view::npos) return false;
    subprotocol.remove_prefix(dot + 1);
  }
  return true;  // nobody has so many
}

// The key must not leave us, however it is written: what is not surely something else ends the request.
void Presented::offer_subprotocols(std::string_view value) {
  for_each_subprotocol(value, [&](std::string_view one) {
    const std::string_view key = key_in_subprotocol(one);
    offer(key);
    unclear_ = unclear_ || !is_clear_subprotocol(one) || (key.empty() && holds_key(one));
  });
}

Result<std::string_view> Presented::fingerprint() const {
  if (conflict_) {
    return Error{ErrorCode::kAccessKeyConflict, "this request holds two different access keys: send one of them"};
  }
  if (!found_.empty() && unclear_) return unclear();
  if (!found_.empty()) return found_;
  return any_ ? invalid() : missing();
}

void offer_fields(const net::MessageHead& head, const OwnPlace& own, Presented& presented) {
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    const std::string_view usual = credential_of(head, i);
    presented.offer(usual);
    const bool offers = head.id_of(i) == net::FieldId::kSecWebSocketProtocol;
    if (!offers && !own.may_be(head.name_length(i))) continue;
    const net::Field field = head.field(i);
    const bool own_place = own.is(field);
    if (offers && !own_place) presented.offer_subprotocols(field.value);
    if (!own_place) continue;
    if (const std::string_view credential = own.credential_of(field); credential != usual) presented.offer(credential);
  }
}

struct Parameters {
  bool filled = false;  // one of them is not empty
  bool known = false;   // one of them is an access key
};

Parameters offer_parameters(std::string_view query, std::string_view name, Presented& presented) {
  Parameters seen;
  for (const std::string& value : find_parameters(query, name)) {
    seen.filled = seen.filled || !value.empty();
    seen.known = presented.offer(value) || seen.known;
  }
  return seen;
}

}  // namespace

Result<void> authenticate(const net::MessageHead& head, std::string_view query, const Service& service,
                          const AccessKeys& keys, AccessGrant& grant) {
  Presented presented(keys);
  const OwnPlace own(service);
  offer_fields(head, own, presented);
  Parameters key, own_parameter;
  if (!query.empty()) {
    key = offer_parameters(query, "key", presented);
    const std::string_view name = own.parameter();
    if (name == "key") own_parameter = key;
    if (!name.empty() && name != "key") own_parameter = offer_parameters(query, name, presented);
  }
  // A stale one must not travel on either; but a GENERIC service may have a parameter of that name.
  grant.key_in_query = service.type == ServiceType::kLlm ? key.filled : key.known;
  grant.own_in_query = own_parameter.filled;
  grant.drops_subprotocols = presented.unclear_subprotocols();
  const auto who = presented.fingerprint();
  if (!who) return who.error();
  grant.fingerprint = *who;
  return {};
}

Result<std::string_view> authenticate_body_key(std::string_view presented, const AccessKeys& keys) {
  if (presented.empty()) return missing();
  const std::string_view fingerprint = keys.match(presented);
  if (fingerprint.empty()) return invalid();
  return fingerprint;
}

}  // namespace akr
