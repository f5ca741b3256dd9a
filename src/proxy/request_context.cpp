#include "proxy/request_context.hpp"

namespace akr {

void RequestContext::listen() {
  served = {.service = &asked(), .url = &asked().url};
  const Provider* const provider = asked().provider;
  if (provider == nullptr) return;
  // Nothing is converted: the client speaks what it asks the upstream for.
  client_speaks = &provider->dialect_of(route.rest);
  served.speaks = {provider, client_speaks};
  generates = provider->generates(client.head().method(), route.rest);
}

void RequestContext::limit_total(const Service& service, TimePoint from) {
  const auto limit = service.timeouts.total;
  if (limit.count() <= 0 || from + limit >= deadline) return;
  deadline = from + limit;
  total = limit;
}

void RequestContext::note_head() {
  if (!kept.empty()) return;
  method = client.head().method();
  path = client.head().target();
  path = path.substr(0, path.find('?'));
}

std::string_view RequestContext::path_behind_slug() const {
  std::string_view rest = client.head().target();
  rest = rest.substr(0, rest.find('?'));
  for (int slashes = 0; slashes < 2; ++slashes) {  // "/llm" and "/slug"
    const auto next = rest.find('/', 1);
    if (next == std::string_view::npos) return {};
    rest.remove_prefix(next);
  }
  return rest;
}

void RequestContext::keep_for_log() {
  note_head();
  constexpr std::size_t kLongestPath = 512;
  const std::string_view short_path = path.substr(0, kLongestPath);
  std::string copy;
  copy.reserve(method.size() + short_path.size());
  copy += method;
  copy += short_path;
  const std::size_t method_size = method.size();
  kept = std::move(copy);
  method = std::string_view(kept).substr(0, method_size);
  path = std::string_view(kept).substr(method_size);
}

}  // namespace akr
