// One call to one URL: which connection it takes, and when it goes out a second time (D39).
#include "upstream/call.hpp"

#include <atomic>
#include <string>
#include <vector>

#include "tests/support/refusing_port.hpp"
#include "upstream/caller_fixture.hpp"

namespace akr {
namespace {

// A request that counts how often it was written.
class CountedRequest final : public OutgoingRequest {
 public:
  void write_head(std::string& out) override {
    ++written;
    out += "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
  }
  int written = 0;
};

constexpr std::string_view kOk = "HTTP/1.1 204 None\r\n\r\n";

// Reads one request; false: the client is gone.
bool read_request(int fd) { return !test::receive_until(fd, "\r\n\r\n").empty(); }

void answer_all(int fd) {
  while (read_request(fd)) test::send_all(fd, kOk);
}

// Answers once, and ends the connection without having said so when the next request comes.
void answer_one_and_end(int fd) {
  if (!read_request(fd)) return;
  test::send_all(fd, kOk);
  read_request(fd);
}

struct Came {
  std::vector<int> statuses;  // 0: no answer
  std::string not_connected;
  int written = 0;
};

class CallerTest : public CallerFixture {
 protected:
  // Calls `service` some times, one after the other, as `prepare` wants it.
  Came call(
      const RoutedService& service, int times, const std::function<void(Call&)>& prepare = [](Call&) {},
      EnvProxy env_proxy = {}) {
    const auto body = [&](Caller& caller) -> net::Task<Came> {
      Came came;
      CountedRequest request;
      for (int i = 0; i < times; ++i) {
        Call call{.service = service, .url = service.url, .request = request};
        call.connect_until = caller.worker().now() + std::chrono::seconds(10);
        prepare(call);
        net::UpstreamConnection connection;
        net::MessageSlotPtr answer;
        const CallResult result = co_await caller.make(call, connection, answer);
        if (result.not_connected) came.not_connected = to_string(result.not_connected->code);
        const bool answered = !result.not_connected && result.exchange.end == net::ExchangeEnd::kAnswered;
        came.statuses.push_back(answered ? answer->head.status() : 0);
        if (answered) connection.mark_reusable();
      }
      came.written = request.written;
      co_return came;
    };
    return with_caller(body, std::move(env_proxy));
  }
};

TEST_F(CallerTest, AnIdleConnectionIsTakenAgain) {
  test::TcpServer server(answer_all);
  const Came came = call(service_at(server.port()), 3);
  EXPECT_EQ(came.statuses, (std::vector<int>{204, 204, 204}));
  EXPECT_EQ(came.written, 3);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(CallerTest, ADeadIdleConnectionIsReplacedWhereTheWorkMayBeDoneTwice) {
  test::TcpServer server(answer_one_and_end);
  const Came came = call(service_at(server.port()), 2, [](Call& call) { call.limits.may_resend = true; });
  EXPECT_EQ(came.statuses, (std::vector<int>{204, 204}));
  EXPECT_EQ(came.written, 3);  // written anew: the key is in the head
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(CallerTest, WhatTheUpstreamMayHaveSeenIsNotSentTwice) {
  test::TcpServer server(answer_one_and_end);
  const Came came = call(service_at(server.port()), 2);
  EXPECT_EQ(came.statuses, (std::vector<int>{204, 0}));
  EXPECT_EQ(came.written, 2);
}

TEST_F(CallerTest, ABodyThatIsGoneIsNotSentTwice) {
  test::TcpServer server(answer_one_and_end);
  const Came came = call(service_at(server.port()), 2, [](Call& call) {
    call.limits.may_resend = true;
    call.replayable = false;
  });
  EXPECT_EQ(came.statuses, (std::vector<int>{204, 0}));
}

TEST_F(CallerTest, WithoutAConnectionNothingIsWritten) {
  const test::RefusingPort nobody;
  const Came came = call(service_at(nobody.url()), 1);
  EXPECT_EQ(came.not_connected, to_string(ErrorCode::kUpstreamConnect));
  EXPECT_EQ(came.written, 0);
}

TEST_F(CallerTest, TheEnvironmentsProxyIsForServicesWithoutOne) {
  test::TcpServer upstream(answer_all);
  const test::RefusingPort proxy;
  const EnvProxy env_proxy = [&](const UpstreamUrl&) { return proxy.url(); };
  const auto none = [](Call&) {};
  RoutedService service = service_at(upstream.port());
  EXPECT_EQ(call(service, 1, none, env_proxy).not_connected, to_string(ErrorCode::kEgressProxy));
  // A proxy of the service's own counts alone, and none is asked for twice.
  service.config.egress_proxy = "socks5" + proxy.url().substr(4);
  service.egress_proxy =
      std::make_shared<net::EgressProxy>(net::parse_egress_proxy(service.config.egress_proxy).value());
  bool asked = false;
  const EnvProxy watched = [&](const UpstreamUrl&) {
    asked = true;
    return std::string();
  };
  EXPECT_EQ(call(service, 1, none, watched).not_connected, to_string(ErrorCode::kEgressProxy));
  EXPECT_FALSE(asked);
}

TEST_F(CallerTest, AnUnreadableProxyOfTheEnvironmentIsAnErrorAndNeverPassedBy) {
  test::TcpServer upstream(answer_all);
  const EnvProxy env_proxy = [](const UpstreamUrl&) { return std::string("gopher://proxy"); };
  const Came came = call(
      service_at(upstream.port()), 1, [](Call&) {}, env_proxy);
  EXPECT_NE(came.not_connected, "");
  EXPECT_EQ(upstream.connections(), 0);
}

}  // namespace
}  // namespace akr
