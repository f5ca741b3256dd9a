#include "net/client/connector.hpp"

#include <optional>

#include <arpa/inet.h>

#include "net/client/dial.hpp"
#include "net/client/egress_proxy.hpp"
#include "net/loop/socket_address.hpp"
#include "net/tls/tls.hpp"

namespace akr::net {
namespace {

using StreamPtr = std::unique_ptr<Stream>;
using Kind = EgressProxy::Kind;

constexpr std::size_t kSocksAddresses = 3;  // of the upstream, asked for one after the other

// A literal in any form that some resolver reads as an address: the one behind a proxy may know "127.1", too.
std::optional<SocketAddress> any_literal(const std::string& host, std::uint16_t port) {
  if (auto address = parse_address(host, port)) return address;
  in_addr short_form = {};
  if (::inet_aton(host.c_str(), &short_form) == 0) return std::nullopt;
  return make_address(std::span(reinterpret_cast<const std::uint8_t*>(&short_form), 4), port);
}

// Through a proxy every failure but time, shutdown, our own policy and our own want is the proxy's: there is no way
// past it.
Error as_proxy_error(Error error, const EgressProxy& proxy) {
  if (error.code == ErrorCode::kOverloaded) return error;
  const bool ours = error.code == ErrorCode::kUpstreamConnectTimeout || error.code == ErrorCode::kShuttingDown ||
                    error.code == ErrorCode::kUpstreamRefused;
  if (!ours) error.code = ErrorCode::kEgressProxy;
  error.message = "egress proxy " + authority(proxy.host, proxy.port) + ": " + error.message;
  return error;
}

}  // namespace

struct Connector::Parts {
  Parts(Worker& loop, ConnectorOptions given)
      : worker(loop), options(std::move(given)), resolver(loop, options.resolver), tls(options.ca_file) {}

  Task<Result<StreamPtr>> connect_to(std::string host, std::uint16_t port, TimePoint deadline);
  Task<Result<StreamPtr>> connect_proxy(const EgressProxy& proxy, TimePoint deadline);
  Task<Result<StreamPtr>> tunnel(const EgressProxy& proxy, TunnelTarget target, TimePoint deadline);
  Task<Result<StreamPtr>> tunnel_resolved(const EgressProxy& proxy, TunnelTarget target, TimePoint deadline);
  Task<Result<StreamPtr>> connect_through(const EgressProxy& proxy, TunnelTarget target, TimePoint deadline);

  Worker& worker;
  const ConnectorOptions options;
  Resolver resolver;
  TlsClient tls;
};

Task<Result<StreamPtr>> Connector::Parts::connect_to(std::string host, std::uint16_t port, TimePoint deadline) {
  Result<std::vector<SocketAddress>> addresses = co_await resolver.resolve(host, port, deadline);
  if (!addresses) co_return addresses.error();
  DialTarget target;
  target.addresses = std::move(*addresses);
  target.host = std::move(host);
  target.port = port;
  co_return co_await dial(worker, options.address_allowed, std::move(target), deadline);
}

Task<Result<StreamPtr>> Connector::Parts::connect_proxy(const EgressProxy& proxy, TimePoint deadline) {
  Result<StreamPtr> stream = co_await connect_to(proxy.host, proxy.port, deadline);
  if (!stream) co_return as_proxy_error(stream.error(), proxy);
  if (proxy.kind != Kind::kHttps) co_return stream;
  Result<StreamPtr> secured = co_await tls.handshake(std::move(*stream), proxy.host, proxy.port, deadline);
  if (!secured) co_return as_proxy_error(secured.error(), proxy);
  co_return secured;
}

Task<Result<StreamPtr>> Connector::Parts::tunnel(const EgressProxy& proxy, TunnelTarget target, TimePoint deadline) {
  Result<StreamPtr> stream = co_await connect_proxy(proxy, deadline);
  if (!stream) co_return stream.error();
  const bool http = proxy.kind == Kind::kHttp || proxy.kind == Kind::kHttps;
  Task<Result<void>> opening =
      http ? open_http_tunnel(**stream, proxy, target, deadline) : open_socks_tunnel(**stream, proxy, target, deadline);
  Result<void> opened = co_await std::move(opening);
  if (!opened) co_return opened.error();
  co_return stream;
}

// socks5: the name is resolved and checked here, and the proxy is asked for the address.
Task<Result<StreamPtr>> Connector::Parts::tunnel_resolved(const EgressProxy& proxy, TunnelTarget target,
                                                          TimePoint deadline) {
  Result<std::vector<SocketAddress>> found = co_await resolver.resolve(target.host, target.port, deadline);
  if (!found) co_return found.error();
  const Result<std::vector<SocketAddress>> allowed = only_allowed(options.address_allowed, *found, target.host);
  if (!allowed) co_return allowed.error();
  const std::vector<SocketAddress> turns = alternate_families(*allowed);
  Error failure;
  for (std::size_t i = 0; i < turns.size() && i < kSocksAddresses; ++i) {
    TunnelTarget literal;
    literal.host = to_text(turns[i]);
    literal.port = target.port;
    Result<StreamPtr> stream = co_await tunnel(proxy, std::move(literal), deadline);
    if (stream) co_return stream;
    failure = stream.error();
    if (failure.code != ErrorCode::kEgressProxy) break;
  }
  co_return failure;
}

Task<Result<StreamPtr>> Connector::Parts::connect_through(const EgressProxy& proxy, TunnelTarget target,
                                                          TimePoint deadline) {
  const auto literal = any_literal(target.host, target.port);
  if (literal) {
    const std::vector<SocketAddress> asked(1, *literal);
    const auto allowed = only_allowed(options.address_allowed, asked, target.host);
    if (!allowed) co_return allowed.error();
  }
  if (!literal && !is_host_name(target.host)) {
    co_return Error{.code = ErrorCode::kUpstreamUnresolved, .message = "'" + target.host + "' is not a host name"};
  }
  if (proxy.kind == Kind::kSocks5 && !parse_address(target.host, target.port)) {
    co_return co_await tunnel_resolved(proxy, std::move(target), deadline);
  }
  co_return co_await tunnel(proxy, std::move(target), deadline);
}

Connector::Connector(Worker& worker, ConnectorOptions options)
    : parts_(std::make_unique<Parts>(worker, std::move(options))) {}

Connector::~Connector() = default;

Task<Result<StreamPtr>> Connector::connect(ConnectTarget target, TimePoint deadline) {
  TunnelTarget end;
  end.host = std::string(target.host);
  end.port = target.port;
  const bool proxied = target.proxy != nullptr && target.proxy->kind != Kind::kNone;
  Task<Result<StreamPtr>> connecting = proxied ? parts_->connect_through(*target.proxy, end, deadline)
                                               : parts_->connect_to(end.host, end.port, deadline);
  Result<StreamPtr> stream = co_await std::move(connecting);
  if (!stream || !target.tls) co_return stream;
  co_return co_await parts_->tls.handshake(std::move(*stream), std::move(end.host), target.port, deadline);
}

}  // namespace akr::net
