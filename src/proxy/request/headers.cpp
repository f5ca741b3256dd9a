#include "proxy/request/headers.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "base/strings.hpp"
#include "core/mask/key_mask.hpp"
#include "net/http/field_line.hpp"
#include "proxy/answer/own_url.hpp"
#include "proxy/answer/retry_fields.hpp"
#include "proxy/request/cors.hpp"
#include "proxy/request/subprotocols.hpp"
#include "upstream/credential.hpp"

namespace akr {
namespace {

using net::append_field;
using net::FieldId;

// Hop-by-hop fields, the client's credentials, and what says who or where the client is (D08), the page that a browser
// shows included: with Origin or Sec-Fetch-Site, providers take the call for one from a web page and refuse the key.
bool stays_here(FieldId id) {
  switch (id) {
    case FieldId::kConnection:
    case FieldId::kContentLength:
    case FieldId::kHost:
    case FieldId::kKeepAlive:
    case FieldId::kProxyConnection:
    case FieldId::kTe:
    case FieldId::kTrailer:
    case FieldId::kTransferEncoding:
    case FieldId::kUpgrade:
    case FieldId::kExpect:
    case FieldId::kApiKey:
    case FieldId::kAuthorization:
    case FieldId::kCookie:
    case FieldId::kForwarded:
    case FieldId::kXApiKey:
    case FieldId::kXAnthropicApiKey:
    case FieldId::kXGoogApiKey:
    case FieldId::kXProxyKey:
    case FieldId::kXRealIp:
    case FieldId::kProxyOther:
    case FieldId::kXForwardedOther:
    case FieldId::kCfOther:
    case FieldId::kOrigin:
    case FieldId::kReferer:
    case FieldId::kSecFetchOther:
    case FieldId::kAccessControlOther:
    case FieldId::kXRotatorOther:
    case FieldId::kAccountOther:
      return true;
    case FieldId::kOther:
    case FieldId::kSecWebSocketProtocol:
    case FieldId::kAcceptEncoding:
    case FieldId::kContentEncoding:
    case FieldId::kContentType:
    case FieldId::kDate:
    case FieldId::kRetryAfter:
    case FieldId::kSetCookie:
    case FieldId::kUserAgent:
    case FieldId::kXRequestId:
      return false;
  }
  return true;
}

// Of an answer: hop-by-hop and framing (written anew), account names that tell whose key it was, our own names.
bool dropped_from_answer(FieldId id, bool allow_set_cookie) {
  switch (id) {
    case FieldId::kConnection:
    case FieldId::kContentLength:
    case FieldId::kKeepAlive:
    case FieldId::kProxyConnection:
    case FieldId::kTe:
    case FieldId::kTrailer:
    case FieldId::kTransferEncoding:
    case FieldId::kUpgrade:
    case FieldId::kProxyOther:
    case FieldId::kXRotatorOther:
    case FieldId::kAccountOther:
      return true;
    case FieldId::kSetCookie:
      return !allow_set_cookie;
    default:
      return false;
  }
}

void append_number(std::string& out, std::uint64_t value) {
  char digits[24];
  out.append(digits, static_cast<std::size_t>(std::to_chars(digits, digits + 24, value).ptr - digits));
}

// Names, of a provider's accounts and the like, held against the fields that the parser does not know already.
class FieldNames {
 public:
  explicit FieldNames(std::span<const std::string_view> names, std::span<const std::string_view> more = {})
      : lists_{names, more} {
    for (const auto list : lists_) {
      for (const std::string_view name : list) lengths_ |= bit(name.size());
    }
  }
  // For every field of every message: a length nearly always tells a name apart, so only that is looked at inline.
  bool have(const net::Field& field) const { return (lengths_ & bit(field.name.size())) != 0 && named(field); }

 private:
  [[gnu::noinline]] bool named(const net::Field& field) const {
    if (field.id != FieldId::kOther) return false;
    return std::ranges::any_of(lists_, [&](std::span<const std::string_view> list) {
      return std::ranges::any_of(list, [&](std::string_view name) { return iequals(name, field.name); });
    });
  }
  static std::uint64_t bit(std::size_t length) { return std::uint64_t{1} << (length & 63); }
  const std::array<std::span<const std::string_view>, 2> lists_;
  std::uint64_t lengths_ = 0;
};

// What clients say about accounts, and their own credentials.
FieldNames kept_request_names(const UpstreamSpeech& upstream) {
  if (!upstream) return FieldNames({});
  return FieldNames(upstream.provider->account_request_headers, upstream.provider->withheld_headers);
}

FieldNames account_response_names(const UpstreamSpeech& upstream) {
  return FieldNames(upstream ? upstream.provider->account_response_headers : std::span<const std::string_view>());
}

// Copies the fields that `keep` lets through, and in the place of another one the lines that it leaves in `instead`.
// Neighbours that are written canonically leave as one run of bytes.
template <class Keep>
void copy_fields(const net::MessageHead& head, std::string& out, Keep keep, std::string* instead = nullptr) {
  std::string_view run;
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    const net::Field field = head.field(i);
    if (!keep(field, i)) {
      if (instead == nullptr || instead->empty()) continue;
      out += run;
      run = {};
      out += *instead;
      instead->clear();
      continue;
    }
    const std::string_view line = head.canonical_line(i);
    if (!run.empty() && run.data() + run.size() == line.data()) {
      run = {run.data(), run.size() + line.size()};
      continue;
    }
    out += run;
    run = line;
    if (line.empty()) append_field(out, field.name, field.value);
  }
  out += run;
}

// The header in which a service's own key stands, where its operator named one; else "".
std::string_view key_header(const Service& service) {
  const auto& place = service.key_placement;
  return place && place->location == KeyLocation::kHeader ? std::string_view(place->name) : std::string_view();
}

// LLM answers must be readable on their way through (D42), and so must those that ids are read out of (D23); other REST
// bytes are none of our business.  The rules are the asked service's, also when a fallback answers.
bool reads_answers(const RequestContext& ctx, const ServedBy& to) {
  return to.speaks || !ctx.asked().config.affinity_rules.empty();
}

void append_client_fields(const RequestContext& ctx, const ServedBy& to, const Credential& credential,
                          std::string& out) {
  const net::MessageHead& head = ctx.client.head();
  const bool nominates = head.nominates();
  const FieldNames kept = kept_request_names(to.speaks);
  // The client's credential in the asked service's own place is not for a fallback that has another place.
  const std::string_view foreign = to.service != &ctx.asked() ? key_header(ctx.asked().config) : std::string_view();
  bool offers = false;
  copy_fields(head, out, [&](const net::Field& field, std::size_t index) {
    if (stays_here(field.id) || kept.have(field)) return false;
    if (!foreign.empty() && iequals(field.name, foreign)) return false;
    if (field.id == FieldId::kAcceptEncoding && reads_answers(ctx, to)) return false;
    if (nominates && head.nominated(index)) return false;
    if (credential.contradicted_by(field.name)) return false;
    const bool offer = field.id == FieldId::kSecWebSocketProtocol;
    offers = offers || offer;
    return !offer;
  });
  if (offers && !ctx.grant.drops_subprotocols) append_subprotocols(head, out);
}

void append_body_framing(const RequestContext& ctx, const PreparedRequest& request, std::string& out) {
  const net::MessageHead& head = ctx.client.head();
  if (request.streams_upload && request.upload.chunked()) {
    out += "Transfer-Encoding: chunked\r\n";
    return;
  }
  const std::uint64_t length = request.streams_upload ? head.content_length() : request.body.size();
  const std::string_view method = head.method();
  // RFC 9110 section 8.6: methods that expect a body say its length even if it is 0.
  if (length == 0 && method != "POST" && method != "PUT" && method != "PATCH") return;
  out += "Content-Length: ";
  append_number(out, length);
  out += "\r\n";
}

// Of an answer whose body is replaced: what was said of the bytes that do not go down.
bool describes_encoded_body(const net::Field& field) {
  if (field.id == FieldId::kContentEncoding) return true;
  constexpr std::string_view kNames[] = {"etag",        "content-md5",   "digest",       "content-digest",
                                         "repr-digest", "content-range", "accept-ranges"};
  return std::any_of(std::begin(kNames), std::end(kNames), [&](auto name) { return iequals(field.name, name); });
}

// Fields whose URL the client calls next.
constexpr std::string_view kUrlFields[] = {"location", "content-location"};

// Chooses which fields of an answer go down, and remembers what the rest of the head depends on.
class AnswerFields {
 public:
  AnswerFields(const RequestContext& ctx, const net::MessageHead& answer, const PlainBody* plain, std::string_view key)
      : may_hold_key(false),
        filter_(key),
        key_(key),
        ctx_(ctx),
        plain_(plain),
        accounts_(account_response_names(ctx.served.speaks)),
        providers_urls_(ctx.served.speaks ? ctx.served.speaks.provider->url_fields
                                          : std::span<const std::string_view>()),
        allow_set_cookie_(ctx.served.service->config.allow_set_cookie),
        speaks_cors_(speaks_cors(ctx)),
        good_(answer.status() / 100 == 2) {
    may_hold_key = filter_.may_hold(answer.reason());
  }

  bool keep(const net::Field& field) {
    if (field.id == FieldId::kContentLength) length = field.value;
    if (dropped_from_answer(field.id, allow_set_cookie_) || accounts_.have(field)) return false;
    if (plain_ != nullptr && replaced(field)) return false;
    if (field.id == FieldId::kAccessControlOther && speaks_cors_) return false;
    if (field.id == FieldId::kSecWebSocketProtocol && !may_be_chosen(ctx_.client.head(), field.value)) return false;
    has_id |= field.id == FieldId::kXRequestId;
    may_hold_key = may_hold_key || filter_.may_hold(field.value) || filter_.may_hold(field.name);
    if (is_retry_hint(field)) return tells_wait(field);
    return !(names_url(field) && rewritten(field));
  }

  bool may_hold_key;  // the reason, or a name or value that goes down
  std::string_view length;
  std::string instead;  // whole lines, in the place of the field that was seen last
  bool has_id = false;

 private:
  bool names_url(const net::Field& field) const { return urls_.have(field) || providers_urls_.have(field); }
  bool rewritten(const net::Field& field) {
    const std::string own = good_ ? own_url_to_call(ctx_, field.value, key_) : own_url(ctx_, field.value, key_);
    if (!own.empty()) append_field(instead, field.name, own);
    return !own.empty();
  }
  bool tells_wait(const net::Field& field) {
    const std::string told = told_retry(field, system_clock().wall());
    if (!told.empty() && told != field.value) append_field(instead, field.name, told);
    return told == field.value;
  }
  bool replaced(const net::Field& field) const {
    return describes_encoded_body(field) || (field.id == FieldId::kContentType && !plain_->type.empty());
  }

  KeyFilter filter_;
  const std::string_view key_;
  const RequestContext& ctx_;
  const PlainBody* const plain_;
  const FieldNames accounts_;
  const FieldNames urls_{kUrlFields};
  const FieldNames providers_urls_;
  const bool allow_set_cookie_;
  const bool speaks_cors_;
  const bool good_;
};

// Names and values apart, so that no spelling reaches over the structure of the head.
void mask_head(const KeyMask& mask, std::span<char> head) {
  const std::string_view text(head.data(), head.size());
  constexpr std::size_t kReason = std::string_view("HTTP/1.1 200 ").size();
  std::size_t line = text.find("\r\n") + 2;
  mask.mask(head.subspan(kReason, line - 2 - kReason));
  while (line < text.size()) {
    const std::size_t colon = text.find(':', line);
    const std::size_t end = text.find("\r\n", colon);
    mask.mask(head.subspan(line, colon - line));
    mask.mask(head.subspan(colon + 1, end - colon - 1));
    line = end + 2;
  }
}

// The hint in milliseconds, which SDKs prefer, only if the upstream sent one.
void append_retry_hints(const net::MessageHead& answer, std::chrono::milliseconds retry_in, std::string& out) {
  append_field(out, "Retry-After", std::to_string(std::chrono::ceil<std::chrono::seconds>(retry_in).count()));
  if (!answer.find(kRetryAfterMs).empty()) append_field(out, "Retry-After-Ms", std::to_string(retry_in.count()));
}

void append_length(const net::MessageHead& answer, const AnswerShape& shape, std::string_view length,
                   std::string& out) {
  if (shape.plain != nullptr) {
    out += "Content-Length: ";
    append_number(out, shape.plain->length);
    out += "\r\n";
    return;
  }
  if (shape.framing == Framing::kChunked) out += "Transfer-Encoding: chunked\r\n";
  // Also for HEAD and 304, where it says what a GET would bring.
  const bool known = shape.framing == Framing::kLength || shape.framing == Framing::kNone;
  if (known && !length.empty() && answer.status() != 204) append_field(out, "Content-Length", length);
}

}  // namespace

void compose_request_head(const RequestContext& ctx, const PreparedRequest& request, const ServedBy& to,
                          const PooledKey& key, std::string& out) {
  const Credential credential = credential_of(*to.service);
  out += ctx.client.head().method();
  out += ' ';
  append_target(credential, *to.url, request.upstream.target, key, out);
  out += " HTTP/1.1\r\n";
  append_field(out, "Host", to.url->host_header);
  append_client_fields(ctx, to, credential, out);
  if (to.service->config.forward_client_ip) append_field(out, "X-Forwarded-For", ctx.client.client_ip());
  if (reads_answers(ctx, to)) out += "Accept-Encoding: identity\r\n";
  if (to.speaks) {
    for (const HeaderView& required : to.speaks.provider->required_headers) {
      if (ctx.client.head().find(required.name).empty()) append_field(out, required.name, required.value);
    }
  }
  append_credential(credential, key, out);
  if (request.upgrade) out += "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  append_body_framing(ctx, request, out);
  out += "\r\n";
}

void append_own_fields(RequestContext& ctx, bool upstream_has_id, std::string& out) {
  append_field(out, upstream_has_id ? "X-Rotator-Request-Id" : "X-Request-Id", ctx.id);
  if (speaks_cors(ctx)) append_cors_fields(ctx, out);
  if (ctx.status > 299) {
    append_field(out, "X-Rotator-Error-Source", ctx.from_upstream ? "upstream" : "gateway");
  }
  if (ctx.explain && !ctx.trace.empty()) append_field(out, "X-Rotator-Trace", ctx.trace.json());
  if (ctx.answered == TimePoint{}) return;
  const auto upstream = ctx.answered - ctx.first_sent;
  ctx.overhead = std::chrono::steady_clock::now() - ctx.started - upstream;
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(ctx.overhead).count();
  out += "X-Rotator-Overhead-Ms: ";
  append_number(out, static_cast<std::uint64_t>(micros / 1000));
  const auto rest = static_cast<int>(micros % 1000);
  const char digits[] = {'.',
                         static_cast<char>('0' + rest / 100),
                         static_cast<char>('0' + rest / 10 % 10),
                         static_cast<char>('0' + rest % 10),
                         '\r',
                         '\n'};
  out.append(digits, sizeof digits);
}

void compose_answer_head(RequestContext& ctx, const net::MessageHead& answer, const AnswerShape& shape,
                         std::string_view key, std::string& out) {
  const std::size_t begin = out.size();
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(answer.status()));
  out += ' ';
  out += answer.reason();
  out += "\r\n";
  AnswerFields fields(ctx, answer, shape.plain, key);
  const bool nominates = answer.nominates();
  const auto keep = [&](const net::Field& field, std::size_t index) {
    if (shape.retry_in.count() > 0 && is_retry_hint(field)) return false;
    if (nominates && answer.nominated(index)) {
      if (field.id == FieldId::kContentLength) fields.length = field.value;  // it frames the answer all the same
      return false;
    }
    return fields.keep(field);
  };
  copy_fields(answer, out, keep, &fields.instead);
  if (fields.may_hold_key) mask_head(KeyMask(key), std::span(out).subspan(begin));
  if (shape.plain != nullptr && !shape.plain->type.empty()) append_field(out, "Content-Type", shape.plain->type);
  if (shape.retry_in.count() > 0) append_retry_hints(answer, shape.retry_in, out);
  if (ctx.streamed) out += "X-Accel-Buffering: no\r\n";
  if (ctx.streamed && answer.find("cache-control").empty()) out += "Cache-Control: no-cache\r\n";
  append_own_fields(ctx, fields.has_id, out);
  append_length(answer, shape, fields.length, out);
  if (!shape.keep_alive) out += "Connection: close\r\n";
  out += "\r\n";
}

}  // namespace akr
