#include "proxy/answer/own_url.hpp"

#include <algorithm>
#include <optional>

#include "base/strict_url.hpp"
#include "base/strings.hpp"
#include "core/service/path_check.hpp"
#include "proxy/request/upload_credential.hpp"
#include "upstream/credential.hpp"

namespace akr {
namespace {

// A URL as far as it matters here; views into the text, with their '?' and '#'.
struct Target {
  std::string_view path, query, fragment;
};

Target split(std::string_view text) {
  Target target;
  const auto fragment = std::min(text.find('#'), text.size());
  target.fragment = text.substr(fragment);
  text = text.substr(0, fragment);
  const auto query = std::min(text.find('?'), text.size());
  target.query = text.substr(query);
  target.path = text.substr(0, query);
  return target;
}

bool same_origin(const Origin& origin, const StrictUrl& url) {
  if (!iequals(url.scheme, origin.tls ? "https" : "http") || url.has_userinfo) return false;
  std::string_view host = url.host;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (!iequals(host, origin.host)) return false;
  if (!url.has_port || url.port.empty()) return origin.port == (origin.tls ? 443 : 80);
  const auto port = parse_port(url.port);
  return port && *port == origin.port;
}

// What stands behind the base in a path; nullopt: it is not below it.
std::optional<std::string_view> behind(const UpstreamUrl& url, std::string_view path, std::string_view key) {
  std::string base = url.base_path;
  if (url.key_at != std::string::npos) {
    base.clear();
    append_with_key(url, url.base_path, key, base);
  }
  if (!path.starts_with(base)) return std::nullopt;
  const std::string_view rest = path.substr(base.size());
  if (!(rest.empty() || rest.starts_with('/')) || !path_stays_put(rest)) return std::nullopt;
  return rest;
}

std::string own_base(const RequestContext& ctx) {
  std::string base(ctx.public_base);
  const std::string_view host = ctx.client.head().host();
  // A client of HTTP/1.0 may name none: the path alone is meant at where it asked.
  if (base.empty() && !host.empty()) {
    base = ctx.client.client_https() ? "https://" : "http://";
    base += host;
  }
  base += ctx.asked().config.type == ServiceType::kLlm ? "/llm/" : "/proxy/";
  return base += ctx.asked().config.slug;
}

// Its operator's own parameters are added to every request, and the key's is no client's business.
std::string own_query(const RoutedService& service, const UpstreamUrl& url, std::string_view query) {
  if (query.empty()) return {};
  query.remove_prefix(1);
  if (!url.query.empty() && query.starts_with(url.query)) {
    const std::string_view more = query.substr(url.query.size());
    if (more.empty() || more.starts_with('&')) query = more.substr(more.empty() ? 0 : 1);
  }
  const Credential credential = credential_of(service);
  std::string own(query);
  if (credential.in_query) own = remove_parameter(own, credential.name);
  return own.empty() ? own : '?' + own;
}

// What lies below the base of the service that answers, as the client reaches it.
struct OwnUrl {
  std::string_view rest;
  std::string query;  // with its '?'
  std::string_view fragment;
};

std::optional<OwnUrl> at(const RequestContext& ctx, const UpstreamUrl& url, const Target& target,
                         std::string_view key) {
  const auto rest = behind(url, target.path, key);
  if (!rest) return std::nullopt;
  return OwnUrl{*rest, own_query(*ctx.served.service, url, target.query), target.fragment};
}

std::string written(const RequestContext& ctx, const OwnUrl& own) {
  std::string out = own_base(ctx);
  out += own.rest;
  out += own.query;
  return out += own.fragment;
}

bool has_uploads(const Provider* provider) { return provider != nullptr && !provider->begins_upload.empty(); }

void append_credential(const RequestContext& ctx, OwnUrl& own) {
  if (ctx.uploads == nullptr || !has_uploads(ctx.asked().provider) || !has_uploads(ctx.served.speaks.provider)) return;
  if (own.query.empty() || upload_in_query(std::string_view(own.query).substr(1)).empty()) return;
  const UploadUrl url = {ctx.asked().config.slug, own.rest, std::string_view(own.query).substr(1)};
  const std::string credential = ctx.uploads->issue(url, ctx.grant);
  if (!credential.empty()) own.query += '&' + credential;
}

std::optional<OwnUrl> find(const RequestContext& ctx, std::string_view url, std::string& with_scheme,
                           std::string_view key) {
  const bool relative = url.starts_with('/') && !url.starts_with("//");
  if (relative) return at(ctx, *ctx.served.url, split(url), key);
  if (url.starts_with("//")) {
    with_scheme = (ctx.served.url->origin.tls ? "https:" : "http:") + std::string(url);
    url = with_scheme;
  }
  const auto read = parse_strict_url(url);
  if (!read) return std::nullopt;
  const Target target = split(url.substr(static_cast<std::size_t>(read->path.data() - url.data())));
  const RoutedService& service = *ctx.served.service;
  if (service.upstreams == nullptr)
    return same_origin(service.url.origin, *read) ? at(ctx, service.url, target, key) : std::nullopt;
  for (std::uint32_t i = 0; i < service.upstreams->list().size(); ++i) {
    const UpstreamUrl& base = service.upstreams->url(i);
    if (!same_origin(base.origin, *read)) continue;
    if (auto own = at(ctx, base, target, key)) return own;
  }
  return std::nullopt;
}

}  // namespace

std::string own_url(const RequestContext& ctx, std::string_view url, std::string_view key) {
  std::string with_scheme;
  const auto own = find(ctx, url, with_scheme, key);
  return own ? written(ctx, *own) : std::string();
}

std::string own_url_to_call(const RequestContext& ctx, std::string_view url, std::string_view key) {
  std::string with_scheme;
  auto own = find(ctx, url, with_scheme, key);
  if (!own) return {};
  append_credential(ctx, *own);
  return written(ctx, *own);
}

}  // namespace akr
