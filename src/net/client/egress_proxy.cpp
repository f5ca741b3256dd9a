#include "net/client/egress_proxy.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include <openssl/evp.h>

#include "base/strings.hpp"

namespace akr::net {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

constexpr std::size_t kMaxHead = 16'384;

Error proxy_error(const EgressProxy& proxy, const std::string& what) {
  return Error{.code = ErrorCode::kEgressProxy,
               .message = "egress proxy " + authority(proxy.host, proxy.port) + " " + what};
}

Error io_error(const EgressProxy& proxy, const IoResult& result) {
  if (result.status == IoStatus::kEof) return proxy_error(proxy, "closed the connection");
  if (result.error == ECANCELED) return Error{.code = ErrorCode::kShuttingDown, .message = "the gateway is stopping"};
  if (result.error == ETIMEDOUT) {
    Error error = proxy_error(proxy, "did not answer within the connect timeout");
    error.code = ErrorCode::kUpstreamConnectTimeout;
    return error;
  }
  return proxy_error(proxy, result.error > 0 ? "failed: "s + std::strerror(result.error) : "failed");
}

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '\0');
  // Writes a NUL behind the text, which is where std::string has its own.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  return text;
}

std::string connect_request(const EgressProxy& proxy, const TunnelTarget& target) {
  const std::string where = authority(target.host, target.port);
  std::string request = "CONNECT " + where + " HTTP/1.1\r\nHost: " + where + "\r\n";
  if (!proxy.user.empty() || !proxy.password.empty()) {
    std::string pair = proxy.user + ":";
    pair += proxy.password.expose();
    std::string encoded = base64(pair);
    request.append("Proxy-Authorization: Basic ").append(encoded).append("\r\n");
    wipe(pair);
    wipe(encoded);
  }
  request += "\r\n";
  return request;
}

// `head` ends with the blank line.
Result<void> judge_connect(const EgressProxy& proxy, std::string_view head) {
  const bool http = head.starts_with("HTTP/1.1 ") || head.starts_with("HTTP/1.0 ");
  const std::string_view status = head.size() >= 12 ? head.substr(9, 3) : ""sv;
  if (!http || !parse_u64(status)) return proxy_error(proxy, "did not answer CONNECT with HTTP");
  if (status.front() == '2') return {};
  if (status == "407") return proxy_error(proxy, "refused our credentials (407)");
  return proxy_error(proxy, "refused the tunnel (" + std::string(status) + ")");
}

// Reads exactly `bytes` more; a byte beyond them belongs to the upstream.
Task<Result<std::string>> read_exactly(Stream& stream, const EgressProxy& proxy, std::size_t bytes,
                                       TimePoint deadline) {
  std::string data(bytes, '\0');
  std::size_t filled = 0;
  while (filled < bytes) {
    const IoResult got = co_await read_some(stream, data.data() + filled, bytes - filled, deadline);
    if (got.status != IoStatus::kOk) co_return io_error(proxy, got);
    filled += got.bytes;
  }
  co_return data;
}

Task<Result<void>> send(Stream& stream, const EgressProxy& proxy, std::string bytes, TimePoint deadline) {
  const IoResult sent = co_await write_all(stream, bytes, deadline);
  wipe(bytes);  // may hold the password
  if (sent.status != IoStatus::kOk) co_return io_error(proxy, sent);
  co_return Result<void>();
}

Task<Result<void>> socks_login(Stream& stream, const EgressProxy& proxy, TimePoint deadline) {
  std::string request = "\x01";
  request += static_cast<char>(proxy.user.size());
  request += proxy.user;
  request += static_cast<char>(proxy.password.size());
  request += proxy.password.expose();
  Result<void> sent = co_await send(stream, proxy, std::move(request), deadline);
  if (!sent) co_return sent.error();
  const Result<std::string> answer = co_await read_exactly(stream, proxy, 2, deadline);
  if (!answer) co_return answer.error();
  if ((*answer)[1] != 0) co_return proxy_error(proxy, "refused our credentials");
  co_return Result<void>();
}

// Greeting and authentication.
Task<Result<void>> socks_hello(Stream& stream, const EgressProxy& proxy, TimePoint deadline) {
  const bool login = !proxy.user.empty() || !proxy.password.empty();
  std::string hello(login ? "\x05\x02\x00\x02"sv : "\x05\x01\x00"sv);
  Result<void> sent = co_await send(stream, proxy, std::move(hello), deadline);
  if (!sent) co_return sent.error();
  const Result<std::string> answer = co_await read_exactly(stream, proxy, 2, deadline);
  if (!answer) co_return answer.error();
  if ((*answer)[0] != 5) co_return proxy_error(proxy, "does not speak SOCKS5");
  if ((*answer)[1] == 0) co_return Result<void>();
  if ((*answer)[1] != 2 || !login) co_return proxy_error(proxy, "wants an authentication that we do not have");
  Result<void> accepted = co_await socks_login(stream, proxy, deadline);
  co_return accepted;
}

std::string socks_request(const TunnelTarget& target) {
  std::string request("\x05\x01\x00"sv);
  if (const auto literal = parse_address(target.host, target.port)) {
    const auto bytes = address_bytes(*literal);
    request += literal->ipv6() ? '\x04' : '\x01';
    request.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  } else {
    request += '\x03';
    request += static_cast<char>(target.host.size());
    request += target.host;
  }
  request += static_cast<char>(target.port >> 8);
  request += static_cast<char>(target.port & 0xff);
  return request;
}

std::string socks_refusal(char code) {
  static constexpr std::array<std::string_view, 8> kReasons = {"failed",
                                                               "does not allow the upstream",
                                                               "has no route to the upstream's network",
                                                               "cannot reach the upstream",
                                                               "was refused by the upstream",
                                                               "lost the connection to the upstream",
                                                               "does not support CONNECT",
                                                               "does not support this kind of address"};
  const auto index = static_cast<std::size_t>(static_cast<unsigned char>(code)) - 1;
  return std::string(index < kReasons.size() ? kReasons[index] : "refused the tunnel"sv);
}

// The answer ends with an address of the proxy's, which is of no use to us but has to be read.
Task<Result<void>> socks_answer(Stream& stream, const EgressProxy& proxy, TimePoint deadline) {
  const Result<std::string> head = co_await read_exactly(stream, proxy, 5, deadline);
  if (!head) co_return head.error();
  if ((*head)[0] != 5) co_return proxy_error(proxy, "does not speak SOCKS5");
  if ((*head)[1] != 0) co_return proxy_error(proxy, socks_refusal((*head)[1]));
  std::size_t left = 2;  // the port
  switch ((*head)[3]) {
    case 1:
      left += 3;
      break;  // one byte of the address is in the head
    case 3:
      left += static_cast<unsigned char>((*head)[4]);
      break;
    case 4:
      left += 15;
      break;
    default:
      co_return proxy_error(proxy, "answered with an unknown kind of address");
  }
  const Result<std::string> rest = co_await read_exactly(stream, proxy, left, deadline);
  if (!rest) co_return rest.error();
  co_return Result<void>();
}

}  // namespace

Task<Result<void>> open_http_tunnel(Stream& stream, const EgressProxy& proxy, TunnelTarget target, TimePoint deadline) {
  std::string request = connect_request(proxy, target);
  Result<void> sent = co_await send(stream, proxy, std::move(request), deadline);
  if (!sent) co_return sent.error();
  std::string head;
  for (;;) {
    std::array<char, 2048> chunk = {};
    const IoResult got = co_await read_some(stream, chunk.data(), chunk.size(), deadline);
    if (got.status != IoStatus::kOk) co_return io_error(proxy, got);
    head.append(chunk.data(), got.bytes);
    const std::size_t end = head.find("\r\n\r\n");
    if (end == std::string::npos) {
      if (head.size() > kMaxHead) co_return proxy_error(proxy, "answered CONNECT with an endless head");
      continue;
    }
    Result<void> judged = judge_connect(proxy, head);
    // The upstream speaks second, in TLS and in HTTP: bytes that are here already are forged.
    if (judged && end + 4 != head.size()) co_return proxy_error(proxy, "sent data before the tunnel was used");
    co_return judged;
  }
}

Task<Result<void>> open_socks_tunnel(Stream& stream, const EgressProxy& proxy, TunnelTarget target,
                                     TimePoint deadline) {
  if (target.host.size() > 255) co_return proxy_error(proxy, "cannot be asked for a name of over 255 bytes");
  Result<void> hello = co_await socks_hello(stream, proxy, deadline);
  if (!hello) co_return hello.error();
  std::string request = socks_request(target);
  Result<void> sent = co_await send(stream, proxy, std::move(request), deadline);
  if (!sent) co_return sent.error();
  Result<void> answered = co_await socks_answer(stream, proxy, deadline);
  co_return answered;
}

}  // namespace akr::net
