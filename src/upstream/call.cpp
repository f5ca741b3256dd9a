#include "upstream/call.hpp"

#include "net/client/connector.hpp"

namespace akr {
namespace {

// The head of the call in flight.  Holds a key for as long as it takes to hand it to the socket; one per thread, so
// that no request allocates for it.
std::string& head_text() {
  thread_local std::string text;
  text.clear();
  return text;
}

// May the request go out again on a fresh connection after a reused one turned out dead (D39)?  Yes if the upstream
// cannot have seen it, or if doing it twice is harmless or allowed.
bool stale_retry_allowed(const Call& call, const net::ExchangeResult& result) {
  if (result.end != net::ExchangeEnd::kClosed || result.any_answer || !call.replayable) return false;
  return result.never_arrived || call.limits.may_resend;
}

// The exchange copies what it cannot send at once, so the text is free again when it first waits.
net::Task<net::ExchangeResult> send(const Call& call, net::UpstreamConnection& connection,
                                    net::MessageSlotPtr& answer) {
  answer.reset();
  net::BodySource* const body = call.request.start_body();
  std::string& head = head_text();
  call.request.write_head(head);
  return net::exchange(connection, {head, body, call.head_method, call.limits}, call.client, answer);
}

}  // namespace

net::Task<CallResult> Caller::make(const Call& call, net::UpstreamConnection& connection, net::MessageSlotPtr& answer) {
  const bool ask_environment = env_proxy_ && call.service.config.egress_proxy.empty();
  const std::string from_env = ask_environment ? env_proxy_(call.url) : std::string();
  const Origin& to = call.url.origin;
  net::UpstreamOrigin origin = {.tls = to.tls, .host = to.host, .port = to.port};
  origin.proxy_key = ask_environment ? std::string_view(from_env) : call.service.config.egress_proxy;
  CallResult result;
  if (pool_.take_idle(origin, connection)) {
    result.exchange = co_await send(call, connection, answer);
    if (!stale_retry_allowed(call, result.exchange)) co_return result;
  }
  const auto connected = co_await connect(call, origin, connection);
  if (!connected) {
    result.not_connected = connected.error();
    co_return result;
  }
  result.exchange = co_await send(call, connection, answer);
  co_return result;
}

net::Task<Result<void>> Caller::connect(const Call& call, net::UpstreamOrigin origin,
                                        net::UpstreamConnection& connection) {
  net::EgressProxy from_env;
  origin.proxy = call.service.egress_proxy.get();
  if (origin.proxy == nullptr && !origin.proxy_key.empty()) {
    auto parsed = net::parse_egress_proxy(origin.proxy_key);
    if (!parsed) co_return parsed.error();
    from_env = *std::move(parsed);
    origin.proxy = &from_env;
  }
  auto opened = co_await pool_.open(origin, call.connect_until);
  if (!opened) co_return opened.error();
  connection = *std::move(opened);
  co_return Result<void>();
}

}  // namespace akr
