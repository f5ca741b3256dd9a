#include "app/node_settings.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <thread>

#include "core/address_policy.hpp"
#include "proxy/error_reply.hpp"
#include "proxy/request_facts.hpp"

namespace akr {
namespace {

// The proxies of the environment, as env_proxy_for() asks for them.
std::function<std::string(const UpstreamUrl&)> env_proxy(const Settings& settings) {
  if (!settings.use_env_proxy()) return {};
  auto values = std::make_shared<std::map<std::string, std::string, std::less<>>>();
  const auto keep = [&values](const char* name, std::string_view value) {
    if (!value.empty()) values->emplace(name, value);
  };
  keep("http_proxy", settings.http_proxy().expose());
  keep("https_proxy", settings.https_proxy().expose());
  keep("all_proxy", settings.all_proxy().expose());
  keep("no_proxy", settings.no_proxy());
  return [values](const UpstreamUrl& url) {
    const auto lookup = [&values](const char* name) -> const char* {
      const auto found = values->find(std::string_view(name));
      return found == values->end() ? nullptr : found->second.c_str();
    };
    return net::env_proxy_for(url.origin.tls, url.origin.host, url.origin.port, lookup);
  };
}

const char* temporary_directory() {
  const char* named = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe): before the workers start
  return named != nullptr && *named != '\0' ? named : "/tmp";
}

}  // namespace

std::size_t worker_count(const Settings& settings) {
  if (settings.workers() > 0) return settings.workers();
  return std::max(1U, std::thread::hardware_concurrency());
}

NodeSettings make_node_settings(const Settings& settings, std::size_t workers) {
  NodeSettings made;
  made.server.head_timeout = settings.head_timeout();
  made.server.body_timeout = settings.body_timeout();
  made.server.send_timeout = settings.send_timeout();
  made.server.keepalive_timeout = settings.keepalive_timeout();
  made.server.max_connections = std::max<std::size_t>(1, settings.max_connections() / workers);
  const bool allow_private = settings.allow_private_upstreams();
  made.connector.address_allowed = [allow_private](std::span<const std::uint8_t> address) {
    return address_allowed(classify_address(address), allow_private);
  };
  made.connector.ca_file = settings.upstream_ca_file();
  made.upstream.idle_timeout = settings.upstream_idle_timeout();
  made.attempts.send_timeout = settings.send_timeout();
  made.attempts.env_proxy = env_proxy(settings);
  made.gateway.max_body = settings.max_body_size().bytes;
  made.gateway.body_directory = temporary_directory();
  made.gateway.relay.sse_keepalive = settings.sse_keepalive();
  return made;
}

AdminSettings admin_settings(const Settings& settings, const FirstStart& secrets) {
  const bool plain = !secrets.admin_password.empty();
  return {.username = settings.admin_username(),
          .password = plain ? PasswordVerifier::plain(secrets.admin_password)
                            : PasswordVerifier::argon2id(secrets.admin_password_hash),
          .session_secret = secrets.jwt_secret,
          .public_base_url = settings.public_base_url().text,
          .rest_total = settings.proxy_timeout(),
          .most_import_keys = settings.import_max_keys(),
          .validations_at_once = settings.validations_at_once(),
          .validation = {settings.allow_private_upstreams()},
          .data_plane = {.status_of = status_of, .hash_affinity = hash_affinity}};
}

}  // namespace akr
