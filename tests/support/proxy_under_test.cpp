#include "tests/support/proxy_under_test.hpp"

#include <cstdio>
#include <fstream>
#include <sstream>

#include <fcntl.h>

#include "llm/provider/registry.hpp"
#include "net/client/connector.hpp"
#include "net/client/upstream_pool.hpp"

namespace akr::test {

// What lives on the worker; made by the first request, so that it is made on the worker's thread.
struct ProxyUnderTest::Node {
  Node(net::Worker& worker, const ProxyUnderTest& test, MetricsShard& metrics, const GatewaySettings& settings)
      : connector(worker, {.address_allowed = [](auto) { return true; }}),
        pool(worker, connector, {}),
        page(test.journal_.get()),
        log(page, metrics),
        caller(worker, pool),
        attempts(caller, {}),
        gateway(worker, *test.access_keys_, attempts, log, settings) {}
  net::Connector connector;
  net::UpstreamPool pool;
  JournalPage page;
  AccessLog log;
  Caller caller;
  Attempts attempts;
  Gateway gateway;
};

namespace {

std::vector<UpstreamKey> make_keys(const ProxySpec& spec, int place) {
  std::vector<UpstreamKey> keys;
  for (int i = 100 * place + 1; i <= 100 * place + spec.keys; ++i) {
    UpstreamKey key{.id = KeyId{i}, .service = ServiceId{1 + place}, .secret = Secret(ProxyUnderTest::key(i))};
    key.enabled = !spec.all_disabled;
    key.limits = spec.limits;
    if (keys.size() < spec.accounts.size()) key.account = spec.accounts[keys.size()];
    keys.push_back(std::move(key));
  }
  return keys;
}

std::shared_ptr<KeyPool> make_pool(const ProxySpec& spec, int place) {
  auto pool = std::make_shared<KeyPool>(7);
  if (!pool->configure({.policy = spec.policy})) std::abort();
  pool->replace_keys(make_keys(spec, place));
  return pool;
}

RoutedService make_service(const ProxySpec& spec, int place, std::shared_ptr<KeyPool> pool) {
  RoutedService routed;
  Service& service = routed.config;
  service.id = ServiceId{1 + place};
  service.name = service.slug = place == 0 ? "s" : "f" + std::to_string(place);
  service.type = spec.llm ? ServiceType::kLlm : ServiceType::kGeneric;
  service.target_url = spec.target_url;
  if (spec.llm) service.api_format = spec.api_format;
  service.key_placement = KeyPlacement{KeyLocation::kHeader, "Authorization", "Bearer "};
  service.timeouts = default_timeouts(service.type, std::chrono::seconds(30));
  service.timeouts.first_byte = spec.first_byte;
  service.retry = spec.retry;
  if (spec.llm) service.retry.retry_non_idempotent = true;
  service.selection_policy = spec.policy;
  service.wait_for_key = spec.wait_for_key;
  service.retry_on_empty = spec.retry_on_empty;
  service.affinity_rules = spec.affinity_rules;
  service.pinning = spec.pinning;
  service.upstreams = spec.upstreams;
  if (!service.upstreams.empty()) service.target_url = service.upstreams.front().url;
  for (std::size_t i = 0; i < spec.fallbacks.size(); ++i) {
    service.fallbacks.push_back(ServiceId{static_cast<std::int64_t>(i) + 2});
  }
  if (spec.adjust) spec.adjust(service);
  if (service.type == ServiceType::kLlm) {
    routed.provider = spec.provider != nullptr ? spec.provider : find_provider(service.api_format);
    routed.join = join_rule(routed.provider);
    routed.client_format = routed.provider->dialects.front()->output_format();
  }
  routed.url = parse_upstream_url(service.target_url).value();
  if (service.upstreams.size() > 1) {
    routed.upstreams = UpstreamSet::make(service.upstreams, nullptr, spec.ejection).value();
  }
  routed.policy = find_selection_policy(service.selection_policy);
  routed.keys = std::move(pool);
  if (!spec.rules.empty()) {
    routed.rules = std::make_shared<const FailureRules>(FailureRules::compile(spec.rules).value());
  }
  return routed;
}

}  // namespace

ProxyUnderTest::ProxyUnderTest(const ProxySpec& spec) : spec_(spec) {
  log_ = ::open(directory_.file("access.log").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  journal_ = std::make_unique<Journal>(log_);
  std::vector<Secret> clients;
  clients.emplace_back(kAccessKey);
  clients.emplace_back(kOtherAccessKey);
  access_keys_ = std::make_unique<AccessKeys>(std::move(clients));
  uploads_ =
      std::make_unique<UploadCredentials>(Secret("a key for uploads of this test"), *access_keys_, *spec.upload_clock);
  std::vector<RoutedService> routed;
  for (int place = 0; place <= static_cast<int>(spec.fallbacks.size()); ++place) {
    const ProxySpec& each = place == 0 ? spec : spec.fallbacks[static_cast<std::size_t>(place) - 1];
    pools_.push_back(make_pool(each, place));
    routed.push_back(make_service(each, place, pools_.back()));
  }
  table_ = std::make_shared<const RoutingTable>(std::move(routed));
  GatewaySettings settings;
  settings.relay.sse_keepalive = spec.sse_keepalive;
  settings.is_admin = spec.is_admin;
  settings.pins.table = &pins_;
  settings.uploads = uploads_.get();
  server_ = std::make_unique<HandlerServer>([this, settings](net::Downstream& client) -> net::Task<void> {
    if (!node_) {
      node_ = std::make_unique<Node>(client.worker(), *this, metrics_.shard(0), settings);
      node_->gateway.set_routing(table_);
    }
    return node_->gateway.handle(client);
  });
}

ProxyUnderTest::~ProxyUnderTest() {
  server_->stop();
  node_.reset();
  server_.reset();
  journal_.reset();
  ::close(log_);
}

std::string ProxyUnderTest::key(int number) {
  char text[32];
  std::snprintf(text, sizeof text, "upstream-key-%03d", number);
  return text;
}

std::string ProxyUnderTest::request(std::string_view method, std::string_view path, std::string_view body,
                                    std::string_view fields, std::string_view access_key) const {
  std::string text(method);
  text += spec_.llm ? " /llm/s" : " /proxy/s";
  text += path;
  text += " HTTP/1.1\r\nHost: gateway.test\r\nX-Proxy-Key: ";
  text += access_key;
  text += "\r\n";
  text += fields;
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  text += "\r\n";
  return text += body;
}

HttpAnswer ProxyUnderTest::ask(std::string_view method, std::string_view path, std::string_view body,
                               std::string_view fields, std::string_view access_key) {
  return client().ask(request(method, path, body, fields, access_key));
}

KeyStatus ProxyUnderTest::status(int number) {
  return pool(number / 100).status(KeyId{number}, std::chrono::steady_clock::now()).value();
}

double ProxyUnderTest::wait_of(int number) {
  const auto now = std::chrono::steady_clock::now();
  const auto status = pool(number / 100).status(KeyId{number}, now).value();
  return status.until ? std::chrono::duration<double>(*status.until - now).count() : 0;
}

void ProxyUnderTest::blame(int number, const Verdict& verdict) {
  const auto now = std::chrono::steady_clock::now();
  pool(number / 100).lease_for_validation(KeyId{number}, now).value().report(verdict, now);
}

std::string ProxyUnderTest::log() {
  server_->on_worker([this](net::Server&) {
    if (node_) node_->page.flush();
    return 0;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  std::ifstream in(directory_.file("access.log"));
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

}  // namespace akr::test
