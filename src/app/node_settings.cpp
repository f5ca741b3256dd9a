#include "app/node_settings.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <thread>

#include <unistd.h>

#include "admin/known_formats.hpp"
#include "base/ip_address.hpp"
#include "config/backend_choice.hpp"
#include "core/service/address_policy.hpp"
#include "core/service/egress_proxy_url.hpp"
#include "proxy/answer/error_reply.hpp"
#include "proxy/request/request_facts.hpp"

namespace akr {
namespace {

// The proxies of the environment, as env_proxy_for() asks for them.
EnvProxy env_proxy(const Settings& settings) {
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

}  // namespace

std::string body_directory(const char* tmpdir, const char* usual, const std::string& data_directory) {
  if (tmpdir != nullptr && *tmpdir != '\0') return tmpdir;
  // In a container whose root file system is read-only nothing but the data may be writable.
  return ::access(usual, W_OK | X_OK) == 0 ? usual : data_directory;
}

namespace {

// The kernel spreads connections over the workers evenly enough.
net::PlaceLimits places_of_worker(const Settings& settings, std::size_t workers, std::size_t connections) {
  const auto share_of_worker = [workers](std::size_t total) { return (total + workers - 1) / workers; };
  const std::size_t per_address = settings.max_connections_per_address.given()
                                      ? settings.max_connections_per_address()
                                      : std::max<std::size_t>(1, connections * 3 / 4);
  net::PlaceLimits places;
  places.ordinary = std::max<std::size_t>(1, connections / workers);
  places.reserved = share_of_worker(settings.reserved_connections());
  places.per_address = share_of_worker(per_address);
  return places;
}

// What the operator said of bodies holds for all of them, until something is said of uploads.
BodyLimits body_limits(const Settings& settings) {
  BodyLimits limits;
  limits.kept = settings.max_body_size().bytes;
  limits.upload = settings.max_upload_size().bytes;
  if (!settings.max_body_size.given()) return limits;
  limits.json = limits.kept;
  if (!settings.max_upload_size.given()) limits.upload = limits.kept;
  return limits;
}

}  // namespace

std::size_t worker_count(const Settings& settings) {
  if (settings.workers() > 0) return settings.workers();
  return std::max(1U, std::thread::hardware_concurrency());
}

FirstStartInput first_start_input(const Settings& settings) {
  const DatabaseAddress at = database_at(settings);
  FirstStartInput input;
  input.data_directory = data_directory(settings);
  if (!is_server(at.kind)) {
    const std::filesystem::path directory = std::filesystem::path(at.file).parent_path();
    input.database_directory = directory.empty() ? "." : directory;
  }
  input.jwt_secret = settings.jwt_secret();
  input.encryption_key = settings.encryption_key();
  input.admin_password = settings.admin_password();
  return input;
}

StoreOptions store_options(const Settings& settings, const FirstStart& secrets) {
  StoreOptions options;
  options.at = database_at(settings);
  options.encryption_key = secrets.encryption_key;
  options.rest_total = settings.proxy_timeout();
  options.most_sessions = settings.db_pool_size();
  options.deadline = settings.db_timeout();
  return options;
}

NodeSettings make_node_settings(const Settings& settings, std::size_t workers, std::size_t connections) {
  NodeSettings made;
  made.server.head_timeout = settings.head_timeout();
  made.server.body_timeout = settings.body_timeout();
  made.server.body_min_rate = settings.body_min_rate();
  made.server.body_total = settings.body_total_timeout();
  made.server.framing.per_byte = settings.max_chunk_framing();
  made.server.send_timeout = settings.send_timeout();
  made.server.keepalive_timeout = settings.keepalive_timeout();
  made.server.new_connection_timeout = settings.new_connection_timeout();
  made.server.places = places_of_worker(settings, workers, connections);
  made.server.trusted = net::TrustedProxies(parse_networks(settings.trusted_proxies()).value());
  made.server.proxy_protocol = settings.proxy_protocol();
  const bool allow_private = settings.allow_private_upstreams();
  made.connector.address_allowed = [allow_private](std::span<const std::uint8_t> address) {
    return address_allowed(classify_address(address), allow_private);
  };
  made.connector.ca_file = settings.upstream_ca_file();
  made.upstream.idle_timeout = settings.upstream_idle_timeout();
  made.attempts.send_timeout = settings.send_timeout();
  made.attempts.most_interim = static_cast<int>(settings.upstream_max_interim());
  made.env_proxy = env_proxy(settings);
  made.gateway.body = body_limits(settings);
  if (settings.public_base_url.given()) made.gateway.public_base_url = settings.public_base_url().text;
  made.gateway.packed_error = settings.compressed_error_limit().bytes;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): before the workers start
  made.gateway.body_directory = body_directory(std::getenv("TMPDIR"), "/tmp", data_directory(settings));
  made.gateway.relay.sse_keepalive = settings.sse_keepalive();
  return made;
}

ValidationPolicy validation_policy(const Settings& settings) {
  return {.allow_private_upstreams = settings.allow_private_upstreams(),
          .failure_rules = {.work = settings.failure_rules_work()},
          .formats = known_formats()};
}

Result<void> check_env_proxies(const Settings& settings) {
  if (!settings.use_env_proxy()) return {};
  const ValidationPolicy policy = validation_policy(settings);
  for (const auto* setting : {&settings.http_proxy, &settings.https_proxy, &settings.all_proxy}) {
    const std::string url = net::env_proxy_url((*setting)().expose());
    if (auto usable = check_egress_proxy_url(url, policy); !usable) return setting->refusal(usable.error().message);
    if (auto usable = net::parse_egress_proxy(url); !usable) return setting->refusal(usable.error().message);
  }
  return {};
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
          .validation = validation_policy(settings),
          .data_plane = {.status_of = status_of, .hash_affinity = hash_affinity}};
}

}  // namespace akr
