// An allocation that failed ended the process (in the admin API's own handler), stopped a worker's listener for good,
// or left a request without an answer.  The kind: paths that only no memory reaches.  Here each allocation of a request
// fails in its turn: every request ends, and the next one works.
#include <string>

#include <gtest/gtest.h>

#include "failing_allocator.hpp"
#include "support/run_gateway.hpp"
#include "support/tcp_server.hpp"

namespace akr::test {
namespace {

// Answers every request of a connection; bodies are swallowed.
void serve_upstream(int fd) {
  exempt_this_thread();
  for (;;) {
    const std::string head = receive_until(fd, "\r\n\r\n");
    if (!head.ends_with("\r\n\r\n")) return;
    const auto at = head.find("Content-Length: ");
    if (at != std::string::npos) receive_exactly(fd, std::stoul(head.substr(at + 16)));
    send_all(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello");
  }
}

class OutOfMemory : public testing::Test {
 protected:
  OutOfMemory() {
    exempt_this_thread();
    id_ = gateway_.add_service({.slug = "s", .target_url = "http://127.0.0.1:" + std::to_string(upstream_.port())});
    gateway_.admin("POST", "/admin/keys/1/validate");  // answered by the last thread to come up: a start may fail
  }
  ~OutOfMemory() override { stop_failing(); }

  // One request per failing place, until a request comes through without meeting it.  `ask` returns a status; 0:
  // closed.
  template <class Ask>
  int sweep(long burst, Ask ask) {
    int refused = 0;
    int calm = 0;  // in a row; background threads allocate too, so that one is not enough
    for (long after = 0; after < 3000 && calm < 3; after += 1 + after / 24) {
      fail_allocations(after, burst);
      const auto began = std::chrono::steady_clock::now();
      const int status = ask();
      EXPECT_LT(std::chrono::steady_clock::now() - began, HttpClient::kPatience / 2) << "left hanging at " << after;
      calm = stop_failing() == 0 ? calm + 1 : 0;
      refused += status >= 500 ? 1 : 0;
      const int next = ask();
      EXPECT_TRUE(next >= 200 && next < 500) << "after failure at " << after << " the next request got " << next;
    }
    return refused;
  }

  TcpServer upstream_{serve_upstream};
  TestGateway gateway_{{{"WORKERS", "1"}}};
  std::int64_t id_ = 0;
};

TEST_F(OutOfMemory, ProxiedRequestsEndAndTheNextOnesWork) {
  for (const long burst : {1L, 40L}) sweep(burst, [&] { return gateway_.get("/proxy/s/a").status; });
}

TEST_F(OutOfMemory, LargeBodiesToo) {
  const std::string body(2 << 20, 'x');
  EXPECT_GT(sweep(1, [&] { return gateway_.post("/proxy/s/a", body).status; }), 0);
}

// A statement that failed half-way in its constructor stayed behind and kept its connection, and with it the write
// transaction that nobody could end any more: every later write was refused as locked.
TEST_F(OutOfMemory, AdminRequestsEndAndTheNextOnesWork) {
  const std::string path = "/admin/proxy-configs/" + std::to_string(id_) + "/keys";
  int number = 0;
  for (const long burst : {1L, 40L}) {
    const int refused = sweep(burst, [&] {
      const std::string body = R"({"key_value":"another-key-)" + std::to_string(++number) + "\"}";
      return gateway_.admin("POST", path, body).status;
    });
    if (burst == 1) EXPECT_GT(refused, 0);
    sweep(burst, [&] { return gateway_.admin("GET", "/admin/proxy-configs").status; });
  }
}

TEST_F(OutOfMemory, WhatANewServiceNeedsIsPublishedLaterAtTheLatest) {
  for (long after = 0; after < 600; after += 1 + after / 24) {
    const std::string slug = "n" + std::to_string(after);
    const std::string body = R"({"name":")" + slug + R"(","slug":")" + slug +
                             R"(","config_type":"GENERIC","method":"ANY","target_url":"http://127.0.0.1:)" +
                             std::to_string(upstream_.port()) + "\"}";
    fail_allocations(after, 1);
    gateway_.admin("POST", "/admin/proxy-configs", body);
    stop_failing();
    const bool stored = gateway_.admin("GET", "/admin/proxy-configs").body.find('"' + slug + '"') != std::string::npos;
    int status = 0;
    for (int tries = 0; stored && tries < 60; ++tries) {
      status = gateway_.get("/proxy/" + slug + "/a").status;
      if (status != 404) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_TRUE(!stored || status != 404) << "failure at " << after;
  }
}

}  // namespace
}  // namespace akr::test
