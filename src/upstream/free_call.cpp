#include "upstream/free_call.hpp"

#include "base/strings.hpp"
#include "llm/provider/registry.hpp"
#include "net/http/body_decoder.hpp"
#include "net/loop/worker.hpp"
#include "upstream/credential.hpp"
#include "upstream/judge.hpp"

namespace akr {
namespace {

constexpr std::size_t kMostBody = 64 * 1024;
constexpr std::chrono::seconds kConnectLimit{10};
constexpr std::chrono::seconds kAnswerLimit{30};
constexpr std::chrono::seconds kBodyLimit{10};

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

std::string_view describe(net::ExchangeEnd end) {
  switch (end) {
    case net::ExchangeEnd::kAnswered:
      return "answered";
    case net::ExchangeEnd::kClosed:
      return "upstream_closed";
    case net::ExchangeEnd::kFirstByte:
    case net::ExchangeEnd::kTotal:
    case net::ExchangeEnd::kSend:
      return "upstream_timeout";
    case net::ExchangeEnd::kProtocol:
      return "upstream_protocol";
    case net::ExchangeEnd::kClientGone:
    case net::ExchangeEnd::kClientBody:
    case net::ExchangeEnd::kCancelled:
      return "shutting_down";
  }
  return "";
}

// A head that was made beforehand; it holds a key.
class WholeHead final : public OutgoingRequest {
 public:
  explicit WholeHead(std::string head) : head_(std::move(head)) {}
  WholeHead(const WholeHead&) = delete;
  WholeHead& operator=(const WholeHead&) = delete;
  ~WholeHead() override { wipe(head_); }
  void write_head(std::string& out) override { out += head_; }

 private:
  std::string head_;
};

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

Result<std::string> free_call_head(const RoutedService& service, const UpstreamUrl& url, const PooledKey& key) {
  const Provider* const provider = service.provider;
  std::string_view path = provider == nullptr ? std::string_view(service.config.validation_path) : provider->free_call;
  std::string_view query;
  if (const auto mark = path.find('?'); mark != std::string_view::npos) {
    query = path.substr(mark + 1);
    path = path.substr(0, mark);
  }
  std::string target;
  if (auto joined = join_target(url, service.join, path, query, target); !joined) return joined.error();
  const Credential credential = credential_of(service);
  std::string head = "GET ";
  append_target(credential, url, target, key, head);
  head += " HTTP/1.1\r\n";
  append_field(head, "Host", url.host_header);
  append_field(head, "Accept", provider == nullptr ? "*/*" : "application/json");
  append_field(head, "Accept-Encoding", "identity");
  append_field(head, "User-Agent", "api-key-rotator");
  if (provider != nullptr) {
    for (const HeaderView& required : provider->required_headers) append_field(head, required.name, required.value);
  }
  append_credential(credential, key, head);
  return head += "\r\n";
}

net::Task<FreeCallAnswer> make_free_call(Caller& caller, const RoutedService& service, const PooledKey& key) {
  FreeCallAnswer told;
  const UpstreamUrl& url = service.upstreams ? service.upstreams->steady() : service.url;
  auto head = free_call_head(service, url, key);
  if (!head) {
    told.reason = to_string(head.error().code);
    co_return told;
  }
  WholeHead request(*std::move(head));
  const TimePoint now = caller.worker().now();
  Call call{.service = service, .url = url, .request = request, .connect_until = now + kConnectLimit};
  call.limits.first_byte = call.limits.send = kAnswerLimit;
  call.limits.total = now + kConnectLimit + kAnswerLimit;
  call.limits.may_resend = true;
  net::UpstreamConnection connection;
  net::MessageSlotPtr answer;
  const CallResult ended = co_await caller.make(call, connection, answer);
  if (ended.not_connected || ended.exchange.end != net::ExchangeEnd::kAnswered) {
    told.reason = ended.not_connected ? to_string(ended.not_connected->code) : describe(ended.exchange.end);
    co_return told;
  }
  const std::string body = co_await read_body(connection, *answer, caller.worker().now() + kBodyLimit);
  UpstreamSpeech speech;
  if (service.provider != nullptr) speech = {service.provider, service.provider->dialects.front()};
  const Judgement judgement = Judge(service, speech, Asked::kFreeCall).answer(answer->head, body);
  told.status = answer->head.status();
  told.verdict = judgement.verdict;
  told.reason = judgement.verdict.reason;
  co_return told;
}

}  // namespace akr
