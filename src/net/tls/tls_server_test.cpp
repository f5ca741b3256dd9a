// tls_server_test.cpp - our side of TLS towards clients.
#include <array>
#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/tls/tls_fixture.hpp"

namespace akr::net {
namespace {

class TlsServerTest : public TlsClientTest {
 protected:
  // Our server with our client on one worker; what `both` returns.
  std::string with_pair(const std::function<Task<std::string>(Stream&, Stream&)>& both) {
    const CertificateFiles files = authority_.issue({.names = "DNS:a.test"});
    const auto body = [&](Worker& worker) -> Task<std::string> {
      Result<std::unique_ptr<TlsServer>> server = TlsServer::load(files.certificate, files.key);
      if (!server) co_return server.error().message;
      std::array<int, 2> ends = {};
      ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data());
      Connected accepted = Error{};
      bool done = false;
      const auto accept = [](TlsServer& s, std::unique_ptr<Stream> transport, Connected& out, bool& end) -> Task<void> {
        out = co_await s.accept(std::move(transport), in(kLong));
        end = true;
      };
      worker.spawn(accept(**server, make_tcp_stream(worker, ends[1]), accepted, done));
      TlsClient client(authority_.file());
      std::unique_ptr<Stream> transport = make_tcp_stream(worker, ends[0]);
      Connected stream = co_await client.handshake(std::move(transport), "a.test", 443, in(kLong));
      while (!done) co_await worker.yield();
      if (!stream || !accepted) co_return "handshake failed";
      std::string result = co_await both(**stream, **accepted);
      co_return result;
    };
    return loop_.run(body);
  }

  // What accept() makes of a client that sends `bytes` and then, if `close`, leaves.
  ErrorCode accept_of(std::string_view bytes, bool close) {
    const CertificateFiles files = authority_.issue();
    const auto body = [&](Worker& worker) -> Task<ErrorCode> {
      Result<std::unique_ptr<TlsServer>> server = TlsServer::load(files.certificate, files.key);
      std::array<int, 2> ends = {};
      ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data());
      test::send_all(ends[0], bytes);
      if (close) ::close(ends[0]);
      std::unique_ptr<Stream> transport = make_tcp_stream(worker, ends[1]);
      Connected stream = co_await (*server)->accept(std::move(transport), in(milliseconds(50)));
      if (!close) ::close(ends[0]);
      co_return stream ? ErrorCode::kInternal : stream.error().code;
    };
    return loop_.run(body);
  }
};

TEST_F(TlsServerTest, TalksToOurClientBothWays) {
  const auto both = [](Stream& client, Stream& server) -> Task<std::string> {
    std::string heard;
    const std::array<Stream*, 2> sides = {&client, &server};
    for (std::size_t i = 0; i < sides.size(); ++i) {
      EXPECT_TRUE(sides[i]->tls());
      const IoResult sent = co_await write_all(*sides[i], "hello", in(kLong));
      EXPECT_EQ(sent.status, IoStatus::kOk);
      std::array<char, 16> chunk = {};
      const IoResult got = co_await read_some(*sides[1 - i], chunk.data(), chunk.size(), in(kLong));
      heard.append(chunk.data(), got.bytes);
    }
    co_return heard;
  };
  EXPECT_EQ(with_pair(both), "hellohello");
}

// Each look at a quiet connection, two for every request, took a buffer of 17 KiB from OpenSSL and gave it back (kind:
// what is done for nothing).  What OpenSSL holds already must be read all the same, though the socket is quiet.
TEST_F(TlsServerTest, AQuietConnectionIsNotReadUnlessSomethingIsHeld) {
  const auto both = [](Stream& client, Stream& server) -> Task<std::string> {
    char byte = 0;
    EXPECT_EQ(client.try_read(&byte, 1).status, IoStatus::kWouldBlock);  // takes the session tickets, if they came
    const IoResult sent = co_await write_all(server, "abcdef", in(kLong));
    EXPECT_EQ(sent.status, IoStatus::kOk);
    const IoResult first = co_await read_some(client, &byte, 1, in(kLong));
    EXPECT_EQ(first.status, IoStatus::kOk);
    std::string heard(1, byte);
    while (client.may_read()) {
      const IoResult got = client.try_read(&byte, 1);
      if (got.status != IoStatus::kOk) break;
      heard += byte;
    }
    EXPECT_FALSE(client.may_read());
    EXPECT_EQ(client.try_read(&byte, 1).status, IoStatus::kWouldBlock);
    co_return heard;
  };
  EXPECT_EQ(with_pair(both), "abcdef");
}

TEST_F(TlsServerTest, ShutdownOfOneDirectionLeavesTheOther) {
  const auto both = [](Stream& client, Stream& server) -> Task<std::string> {
    client.shutdown_write();
    const Received there = co_await receive_all(server);
    EXPECT_EQ(there.end.status, IoStatus::kEof);
    const IoResult sent = co_await write_all(server, "late", in(kLong));
    EXPECT_EQ(sent.status, IoStatus::kOk);
    server.shutdown_write();
    const Received here = co_await receive_all(client);
    EXPECT_EQ(here.end.status, IoStatus::kEof);
    co_return here.bytes;
  };
  EXPECT_EQ(with_pair(both), "late");
}

// The four smallest parts travel as one record: one write of the kernel for head, chunk line, bytes and line end.
TEST_F(TlsServerTest, SmallPartsShareARecord) {
  const auto both = [](Stream& client, Stream& server) -> Task<std::string> {
    std::string parts = "abcd";
    std::array<iovec, 6> list = {};  // with an empty part in the middle and one at the end
    for (std::size_t i = 0; i < 4; ++i) list[i < 2 ? i : i + 1] = {.iov_base = parts.data() + i, .iov_len = 1};
    const IoResult sent = client.try_write(list.data(), static_cast<int>(list.size()));
    EXPECT_EQ(sent.bytes, 4U);
    std::array<char, 16> chunk = {};
    const IoResult got = co_await read_some(server, chunk.data(), chunk.size(), in(kLong));
    co_return std::string(chunk.data(), got.bytes);
  };
  EXPECT_EQ(with_pair(both), "abcd");
}

TEST_F(TlsServerTest, ClientsThatDoNotShakeHands) {
  EXPECT_EQ(accept_of("GET / HTTP/1.1\r\n\r\n", false), ErrorCode::kBadRequest);
  EXPECT_EQ(accept_of("", false), ErrorCode::kRequestTimeout);
  EXPECT_EQ(accept_of("", true), ErrorCode::kClientGone);
}

TEST_F(TlsServerTest, UnusableFilesNameTheirSetting) {
  const CertificateFiles one = authority_.issue();
  const CertificateFiles two = authority_.issue();
  EXPECT_EQ(TlsServer::load("/nonexistent", one.key).error().field, "TLS_CERT_FILE");
  EXPECT_EQ(TlsServer::load(one.certificate, "/nonexistent").error().field, "TLS_KEY_FILE");
  EXPECT_EQ(TlsServer::load(one.certificate, two.key).error().field, "TLS_KEY_FILE");
  EXPECT_TRUE(TlsServer::load(one.certificate, one.key));
}

}  // namespace
}  // namespace akr::net
