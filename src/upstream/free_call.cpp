#include "upstream/free_call.hpp"

#include "base/strings.hpp"
#include "llm/provider/registry.hpp"
#include "net/http/body_decoder.hpp"
#include "net/http/field_line.hpp"
#include "net/loop/worker.hpp"
#include "upstream/credential.hpp"
#include "upstream/judge.hpp"

namespace akr {
namespace {

using net::append_field;

constexpr std::size_t kMostBody = 64 * 1024;
constexpr std::chrono::seconds kConnectLimit{10};
constexpr std::chrono::seconds kAnswerLimit{30};
constexpr std::chrono::seconds kBodyLimit{10};

// As much of the body as is looked at.
net::Task<std::string> read_body(net::UpstreamConnection& connection, net::MessageSlot& answer, TimePoint deadline) {
  net::BodyDecoder decoder;
  decoder.start(answer.head);
  std::string body;
  std::string_view input = answer.unread();
  net::Buffer more = net::Buffer::lease(net::Buffer::kMedium);
  for (;;) {
    std::string_view data;
    while (decoder.next(input, data) == net::BodyDecoder::Event::kData) body += data;
    if (decoder.finished() || body.size() >= kMostBody || !input.empty()) co_return body;
    const net::IoResult read = co_await net::read_some(connection.stream(), more.data(), more.capacity(), deadline);
    if (read.status != net::IoStatus::kOk) co_return body;
    input = {more.data(), read.bytes};
  }
}

}  // namespace

bool has_free_call(const Service& service) {
  if (service.type == ServiceType::kGeneric) return !service.validation_path.empty() && service.key_placement;
  const Provider* const provider = find_provider(service.api_format);
  return provider != nullptr && !provider->free_call.empty();
}

Result<FreeCall> FreeCall::make(const RoutedService& service, const UpstreamUrl& url, const PooledKey& key) {
  const Provider* const provider = service.provider;
  std::string_view path = provider == nullptr ? std::string_view(service.config.validation_path) : provider->free_call;
  std::string_view query = path;
  path = take_part(query, '?');
  FreeCall call(service, url, key);
  if (auto joined = join_target(url, service.join, path, query, call.target_); !joined) return joined.error();
  return call;
}

void FreeCall::write_head(std::string& out) {
  const Provider* const provider = service_.provider;
  const Credential credential = credential_of(service_);
  out += "GET ";
  append_target(credential, url_, target_, key_, out);
  out += " HTTP/1.1\r\n";
  append_field(out, "Host", url_.host_header);
  append_field(out, "Accept", provider == nullptr ? "*/*" : "application/json");
  append_field(out, "Accept-Encoding", "identity");
  append_field(out, "User-Agent", "api-key-rotator");
  if (provider != nullptr) {
    for (const HeaderView& required : provider->required_headers) append_field(out, required.name, required.value);
  }
  append_credential(credential, key_, out);
  out += "\r\n";
}

net::Task<FreeCallAnswer> make_free_call(Caller& caller, const RoutedService& service, const PooledKey& key) {
  FreeCallAnswer told;
  const UpstreamUrl& url = service.upstreams ? service.upstreams->steady() : service.url;
  auto request = FreeCall::make(service, url, key);
  if (!request) {
    told.reason = to_string(request.error().code);
    co_return told;
  }
  const TimePoint now = caller.worker().now();
  Call call{.service = service, .url = url, .request = *request, .connect_until = now + kConnectLimit};
  call.limits.first_byte = call.limits.send = kAnswerLimit;
  call.limits.total = now + kConnectLimit + kAnswerLimit;
  call.limits.may_resend = true;
  net::UpstreamConnection connection;
  net::MessageSlotPtr answer;
  const CallResult ended = co_await caller.make(call, connection, answer);
  if (ended.not_connected || ended.exchange.end != net::ExchangeEnd::kAnswered) {
    told.reason = to_string(ended.not_connected ? ended.not_connected->code : error_of(ended.exchange.end));
    co_return told;
  }
  const std::string body = co_await read_body(connection, *answer, caller.worker().now() + kBodyLimit);
  UpstreamSpeech speech;
  if (service.provider != nullptr) speech = {service.provider, service.provider->dialects.front()};
  const Judgement judgement = Judge(service, speech, {.at_once = true}).answer(answer->head, body);
  told.status = answer->head.status();
  told.verdict = judgement.verdict;
  told.reason = judgement.verdict.reason;
  co_return told;
}

}  // namespace akr
