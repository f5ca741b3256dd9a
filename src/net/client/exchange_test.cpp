// exchange_test.cpp - what goes out and what comes back: heads, interim answers, bodies.
#include "net/client/exchange_fixture.hpp"

namespace akr::net {
namespace {

TEST_F(Exchange, GivesTheHeadAndWhatCameBehindIt) {
  const Seen seen = run([](int fd) { answer_once(fd, kOk); });
  EXPECT_EQ(seen.result.end, ExchangeEnd::kAnswered);
  EXPECT_TRUE(seen.result.complete);
  EXPECT_EQ(seen.result.sent, kHead.size());
  EXPECT_EQ(seen.status, 200);
  EXPECT_EQ(seen.reason, "Fine");
  EXPECT_EQ(seen.rest, "ok");
}

TEST_F(Exchange, AHeadInSingleBytes) {
  const Seen seen = run([](int fd) {
    test::receive_until(fd, "\r\n\r\n");
    for (char c : kOk) test::send_all(fd, {&c, 1});
    test::wait_for_close(fd);
  });
  EXPECT_EQ(seen.status, 200);
}

TEST_F(Exchange, DropsInterimAnswersHoweverMany) {
  const Seen seen = run([](int fd) {
    test::receive_until(fd, "\r\n\r\n");
    std::string interim;
    for (int i = 0; i < 5000; ++i) interim += "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n";
    test::send_all(fd, interim + kOk);
    test::wait_for_close(fd);
  });
  EXPECT_EQ(seen.status, 200);
  EXPECT_EQ(seen.rest, "ok");
}

// An upstream that sent 1xx answers without an end kept the worker for 4 to 29 s: the loop did not return to the event
// loop, and the first-byte timer was looked at only when the upstream was silent.  (Kind: a peer that is always ready.)
TEST_F(Exchange, InterimAnswersWithoutAnEndMeetTheFirstByteTimer) {
  const auto serve = [](int fd) {
    test::receive_until(fd, "\r\n\r\n");
    std::string interim;
    for (int i = 0; i < 10'000; ++i) interim += "HTTP/1.1 102 Processing\r\n\r\n";
    while (::send(fd, interim.data(), interim.size(), MSG_NOSIGNAL) > 0) {
    }
  };
  ExchangeRequest request = {.head = kHead};
  request.limits.first_byte = milliseconds(100);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(run(serve, request).result.end, ExchangeEnd::kFirstByte);
  EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(5));
}

TEST_F(Exchange, MoreInterimAnswersThanAllowedAreAnError) {
  const auto serve = [](int interim) {
    return [interim](int fd) {
      test::receive_until(fd, "\r\n\r\n");
      for (int i = 0; i < interim; ++i) test::send_all(fd, "HTTP/1.1 102 Processing\r\n\r\n");
      test::send_all(fd, kOk);
      test::wait_for_close(fd);
    };
  };
  ExchangeRequest request = {.head = kHead};
  request.limits.most_interim = 20;
  EXPECT_EQ(run(serve(20), request).status, 200);
  const Seen seen = run(serve(21), request);
  EXPECT_EQ(seen.result.end, ExchangeEnd::kProtocol);
  EXPECT_EQ(seen.result.error, E2BIG);
}

TEST_F(Exchange, SendsBodiesPlainOrInChunks) {
  std::string received;
  const auto serve = [&](int fd) {
    received = test::receive_until(fd, "END");
    test::send_all(fd, kOk);
    test::wait_for_close(fd);
  };
  const std::string body = std::string(200'000, 'b') + "END";
  TextSource plain(body, 7'777);
  EXPECT_EQ(run(serve, {.head = kHead, .body = &plain}).status, 200);
  EXPECT_TRUE(received == kHead + body);
}

TEST_F(Exchange, SendsChunks) {
  std::string received;
  TextSource chunks("abcdef", 4, true);
  const Seen seen = run(
      [&](int fd) {
        received = test::receive_until(fd, "0\r\n\r\n");
        test::send_all(fd, kOk);
        test::wait_for_close(fd);
      },
      {.head = kHead, .body = &chunks});
  EXPECT_EQ(seen.status, 200);
  EXPECT_EQ(received, kHead + "4\r\nabcd\r\n2\r\nef\r\n0\r\n\r\n");
}

TEST_F(Exchange, AnEarlyAnswerEndsTheSending) {
  TextSource endless(std::string(64 << 20, 'x'), 65'536);
  const Seen seen = run(
      [](int fd) {
        test::receive_exactly(fd, 1000);
        test::send_all(fd, "HTTP/1.1 413 Enough\r\nContent-Length: 0\r\n\r\n");
        test::wait_for_close(fd);
      },
      {.head = kHead, .body = &endless});
  EXPECT_EQ(seen.result.end, ExchangeEnd::kAnswered);
  EXPECT_FALSE(seen.result.complete);
  EXPECT_EQ(seen.status, 413);
}

}  // namespace
}  // namespace akr::net
