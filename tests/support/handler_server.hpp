// handler_server.hpp - a net::Server on a thread of its own whose handler is a function: for tests of the server, and
// of what needs a Downstream.
//
//   HandlerServer server([&](net::Downstream& client) -> net::Task<void> { co_await client.reply(200, "", "hi"); });
//   HttpClient(server.port()).ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
#pragma once

#include <functional>
#include <future>
#include <string>
#include <thread>
#include <utility>

#include "net/loop/worker.hpp"
#include "net/server/server.hpp"

namespace akr::test {

class HandlerServer final : public net::RequestHandler {
 public:
  using Handler = std::function<net::Task<void>(net::Downstream&)>;

  explicit HandlerServer(Handler handler, const net::ServerLimits& limits = {})
      : handler_(std::move(handler)), limits_(limits), worker_(0) {
    const int fd = net::open_listener("127.0.0.1", port_).value();
    thread_ = std::thread([this, fd] {
      net::Server server(worker_, *this, limits_, nullptr);
      server_ = &server;
      worker_.on_shortage([&server] { return server.give_up_connection(); });
      server.listen(fd);
      worker_.run();
    });
  }
  HandlerServer(const HandlerServer&) = delete;
  HandlerServer& operator=(const HandlerServer&) = delete;
  ~HandlerServer() override { stop(); }

  std::uint16_t port() const { return port_; }
  void stop() {
    if (!thread_.joinable()) return;
    worker_.stop();
    thread_.join();
  }
  // Runs `function(server)` on the worker and returns what it does.
  template <class Function>
  auto on_worker(Function function) {
    using Value = decltype(function(*server_));
    std::packaged_task<Value()> task([&] { return function(*server_); });
    auto future = task.get_future();
    worker_.post([&task] { task(); });
    return future.get();
  }

  net::Task<void> handle(net::Downstream& client) override { return handler_(client); }
  void refused(net::Downstream&, net::HeadError error, int& status, std::string&, std::string& body) override {
    if (error != net::HeadError::kNone) status = net::http_status(error);
    body = net::describe(error);
  }
  bool for_operators(const net::MessageHead& head) const override { return head.target() == "/healthz"; }
  void crowded(net::Downstream&, net::NoPlace why, int&, std::string&, std::string& body) override {
    body = why == net::NoPlace::kShare ? "share" : "full";
  }

 private:
  const Handler handler_;
  const net::ServerLimits limits_;
  net::Worker worker_;
  std::uint16_t port_ = 0;
  net::Server* server_ = nullptr;
  std::thread thread_;
};

}  // namespace akr::test
