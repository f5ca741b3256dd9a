// request_fixture.hpp - a RequestContext as the gateway makes it, around a request that really came over a socket.
//
//   RequestFixture fixture(service);
//   fixture.run("GET /proxy/s/a HTTP/1.1\r\n...", [&](RequestContext& ctx) { ... });
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "llm/provider/registry.hpp"
#include "proxy/request_context.hpp"
#include "tests/support/handler_server.hpp"
#include "tests/support/http_client.hpp"
#include "upstream/routing_table.hpp"

namespace akr::test {

class RequestFixture {
 public:
  explicit RequestFixture(Service service) {
    RoutedService routed;
    routed.url = parse_upstream_url(service.target_url).value();
    if (service.type == ServiceType::kLlm) routed.provider = find_provider(service.api_format);
    routed.config = std::move(service);
    routed.keys = std::make_shared<KeyPool>(1);
    std::vector<RoutedService> services;
    services.push_back(std::move(routed));
    table_ = std::make_shared<const RoutingTable>(std::move(services));
  }

  // Runs `look` on the server's thread, with route, dialects and method filled in; `request` matches the service.
  void run(const std::string& request, const std::function<void(RequestContext&)>& look) {
    const auto handle = [&](RequestContext& ctx) -> net::Task<void> {
      look(ctx);
      co_await ctx.client.reply(200, "", "");
    };
    ask(request, handle);
  }
  // The same with a `handle` that answers.
  HttpAnswer ask(const std::string& request, const std::function<net::Task<void>(RequestContext&)>& handle) {
    HandlerServer server([&](net::Downstream& client) -> net::Task<void> {
      RequestContext ctx(client, table_, client.worker().now());
      ctx.id = "id-1";
      ctx.method = client.head().method();
      ctx.path = client.head().target();
      ctx.head_method = ctx.method == "HEAD";
      ctx.route = table_->match(client.head().target()).value();
      ctx.listen();
      co_await handle(ctx);
    });
    return HttpClient(server.port()).ask(request);
  }

 private:
  std::shared_ptr<const RoutingTable> table_;
};

}  // namespace akr::test
