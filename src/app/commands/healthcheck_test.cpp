#include "app/commands/healthcheck.hpp"

#include <string>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace akr {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Answers one connection on 127.0.0.1 with `answer` and remembers what it was asked.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : listener_(::socket(AF_INET, SOCK_STREAM, 0)), answer_(std::move(answer)) {
    sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    socklen_t size = sizeof(address);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~OneAnswer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::uint16_t port() const { return port_; }
  const std::string& asked() {
    if (thread_.joinable()) thread_.join();
    thread_ = std::thread([] {});
    return asked_;
  }

 private:
  void serve() {
    const int client = ::accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    // Whatever pieces it comes in: the PROXY line and the request may be two.
    char block[512];
    while (asked_.find("\r\n\r\n") == std::string::npos) {
      const ssize_t count = ::recv(client, block, sizeof(block), 0);
      if (count <= 0) break;
      asked_.append(block, static_cast<std::size_t>(count));
    }
    ::send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL);
    ::close(client);
  }

  int listener_;
  std::uint16_t port_ = 0;
  std::string answer_;
  std::string asked_;
  std::thread thread_;
};

TEST(Healthcheck, Status200IsHealthy) {
  for (const char* address : {"::", "0.0.0.0", "127.0.0.1"}) {
    OneAnswer server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(check_health({.address = address, .port = server.port()})) << address;
    EXPECT_THAT(server.asked(), HasSubstr("GET /healthz HTTP/1.1\r\n"));
  }
}

TEST(Healthcheck, SaysWhoItIsWhereAHeaderIsDue) {
  OneAnswer server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  HealthcheckTarget target{.address = "127.0.0.1", .port = server.port()};
  target.headers_from = parse_networks("10.0.0.0/8, 127.0.0.0/8").value();
  EXPECT_TRUE(check_health(target));
  EXPECT_TRUE(server.asked().starts_with("PROXY UNKNOWN\r\nGET /healthz")) << server.asked();
}

TEST(Healthcheck, EverythingElseIsNot) {
  for (const char* answer : {"HTTP/1.1 503 Service Unavailable\r\n\r\n", "", "HTTP/1.1 2", "SSH-2.0-x\r\n\r\n\r\n"}) {
    OneAnswer server(answer);
    const auto health = check_health({.address = "127.0.0.1", .port = server.port()});
    ASSERT_FALSE(health) << answer;
    EXPECT_THAT(health.error().message, HasSubstr("healthcheck: "));
  }
}

TEST(Healthcheck, NobodyListeningAndAnUnknownPortAreNamed) {
  std::uint16_t port = 0;
  { port = OneAnswer("").port(); }
  const auto refused = check_health({.port = port});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("port " + std::to_string(port)));
  EXPECT_THAT(check_health({.port = 0}).error().message, HasSubstr("BACKEND_PORT is 0"));
}

TEST(Healthcheck, ASilentServerTimesOut) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  socklen_t size = sizeof(address);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  EXPECT_FALSE(check_health({.address = "127.0.0.1", .port = ntohs(address.sin_port), .timeout = 50ms}));
  ::close(listener);
}

TEST(Healthcheck, TlsAgainstAPlainServerFails) {
  OneAnswer server("HTTP/1.1 200 OK\r\n\r\n");
  const auto health = check_health({.address = "127.0.0.1", .port = server.port(), .tls = true});
  ASSERT_FALSE(health);
  EXPECT_THAT(health.error().message, HasSubstr("TLS handshake"));
}

}  // namespace
}  // namespace akr
