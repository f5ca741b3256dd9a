#include "upstream/routing_table.hpp"

namespace akr {
namespace {

struct TypedPath {
  ServiceType type = ServiceType::kGeneric;
  std::string_view slug_and_rest;
};

Error not_found(std::string message) { return {.code = ErrorCode::kServiceNotFound, .message = std::move(message)}; }

bool split_route(std::string_view path, TypedPath& out) {
  constexpr std::string_view kGenericRoute = "/proxy/";
  constexpr std::string_view kLlmRoute = "/llm/";
  if (path.starts_with(kLlmRoute)) {
    out = {ServiceType::kLlm, path.substr(kLlmRoute.size())};
    return true;
  }
  if (path.starts_with(kGenericRoute)) {
    out = {ServiceType::kGeneric, path.substr(kGenericRoute.size())};
    return true;
  }
  return false;
}

// A slug from outside is quoted only when it could be one of ours: no megabyte of it, nothing that needs escaping.
std::string unknown_slug_message(std::string_view slug) {
  constexpr std::string_view kSlugChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  if (slug.empty()) return "the path names no service; expected /proxy/{slug} or /llm/{slug}";
  if (slug.size() > 100 || slug.find_first_not_of(kSlugChars) != std::string_view::npos) return "no such service";
  return "no service '" + std::string(slug) + "' here";
}

// So that an answer of one is an answer of the other.
bool same_client_format(const RoutedService& a, const RoutedService& b) {
  if (a.config.type != b.config.type) return false;
  if (a.config.type == ServiceType::kGeneric || a.config.api_format == b.config.api_format) return true;
  return !a.client_format.empty() && a.client_format == b.client_format;
}

// "" if `fallback` can stand in for `service`.
std::string_view why_not(const RoutedService& service, const RoutedService* fallback) {
  if (fallback == nullptr) return "there is no such service";
  if (fallback->config.id == service.config.id) return "a service is no fallback of its own";
  if (!fallback->config.active) return "it is switched off";
  if (!same_client_format(service, *fallback)) return "its clients speak another format";
  return {};
}

}  // namespace

RoutingTable::RoutingTable(std::vector<RoutedService> services) : services_(std::move(services)) {
  by_slug_.reserve(services_.size());
  for (std::size_t i = 0; i < services_.size(); ++i) {
    if (services_[i].config.active) by_slug_.emplace(services_[i].config.slug, i);
  }
  find_fallbacks();
}

void RoutingTable::find_fallbacks() {
  std::unordered_map<ServiceId, const RoutedService*> by_id;
  for (const RoutedService& service : services_) by_id.emplace(service.config.id, &service);
  for (RoutedService& service : services_) {
    service.fallbacks.clear();
    for (const ServiceId id : service.config.fallbacks) {
      const auto found = by_id.find(id);
      const RoutedService* const fallback = found == by_id.end() ? nullptr : found->second;
      const std::string_view why = why_not(service, fallback);
      if (why.empty()) service.fallbacks.push_back(fallback);
      if (!why.empty()) left_out_fallbacks_.push_back({service.config.slug, id, why});
    }
  }
}

Result<RouteMatch> RoutingTable::match(std::string_view target) const {
  const auto question = target.find('?');
  const auto path = target.substr(0, question);
  TypedPath typed;
  if (!split_route(path, typed)) return not_found("no service answers here; expected /proxy/{slug} or /llm/{slug}");

  const auto slash = typed.slug_and_rest.find('/');
  const auto slug = typed.slug_and_rest.substr(0, slash);
  const auto found = by_slug_.find(slug);
  if (found == by_slug_.end()) return not_found(unknown_slug_message(slug));
  const RoutedService& service = services_[found->second];
  if (service.config.type != typed.type) return not_found(unknown_slug_message(slug));

  return RouteMatch{
      .service = &service,
      .rest = slash == std::string_view::npos ? std::string_view() : typed.slug_and_rest.substr(slash),
      .query = question == std::string_view::npos ? std::string_view() : target.substr(question + 1),
  };
}

}  // namespace akr
