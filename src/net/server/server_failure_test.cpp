// A handler that ended with an exception left its client without an answer.  The kind: a request whose end depends on
// the good behaviour of whoever serves it.
#include <new>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "net/loop/stream.hpp"
#include "tests/support/handler_server.hpp"
#include "tests/support/http_client.hpp"

namespace akr::net {
namespace {

using test::HandlerServer;
using test::HttpAnswer;
using test::HttpClient;

Task<void> fail_as_asked(Downstream& client) {
  const std::string target(client.head().target());
  if (target == "/memory") throw std::bad_alloc();
  if (target == "/bug") throw std::logic_error("a bug");
  if (target == "/late") {
    client.mark_answered();
    const std::string begun = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun";
    co_await write_all(client.stream(), begun, client.send_deadline());
    throw std::bad_alloc();
  }
  co_await client.reply(200, "", "fine");
}

std::string get(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n"; }

TEST(ServerFailure, NoMemoryIs503AndABugIs500AndTheNextRequestWorks) {
  HandlerServer server(fail_as_asked);
  for (const auto& [target, status] : {std::pair{"/memory", 503}, {"/bug", 500}, {"/fine", 200}}) {
    HttpClient client(server.port());
    const HttpAnswer answer = client.ask(get(target));
    EXPECT_EQ(answer.status, status) << target;
    EXPECT_TRUE(answer.complete) << target;
    EXPECT_EQ(answer.field("connection"), status == 200 ? "" : "close") << target;
    EXPECT_EQ(answer.field("x-rotator-error-source"), status == 200 ? "" : "gateway") << target;
  }
}

TEST(ServerFailure, AnAnswerThatWasBegunIsCutAndNotFollowedByAnother) {
  HandlerServer server(fail_as_asked);
  HttpClient client(server.port());
  const HttpAnswer answer = client.ask(get("/late"));
  EXPECT_FALSE(answer.complete);
  EXPECT_EQ(answer.body.find("HTTP/1.1"), std::string::npos);
  EXPECT_EQ(HttpClient(server.port()).ask(get("/fine")).status, 200);
}

}  // namespace
}  // namespace akr::net
