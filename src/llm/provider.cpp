#include "llm/provider.hpp"

#include <algorithm>
#include <utility>

#include "llm/common_errors.hpp"
#include "llm/error_hints.hpp"

namespace akr {

bool Provider::speaks(const Dialect& dialect) const {
  return std::find(dialects.begin(), dialects.end(), &dialect) != dialects.end();
}

const Dialect& Provider::dialect_of(std::string_view path) const {
  if (dialects.size() == 1) return *dialects.front();
  for (const Dialect* dialect : dialects) {
    if (dialect->operation_of(path) != Operation::kNone) return *dialect;
  }
  return *dialects.front();
}

bool Provider::generates(std::string_view method, std::string_view path) const {
  if (method != "POST") return false;
  return std::any_of(dialects.begin(), dialects.end(),
                     [&](const Dialect* dialect) { return dialect->operation_of(path) == Operation::kGenerate; }) ||
         std::any_of(generating_paths.begin(), generating_paths.end(),
                     [&](std::string_view end) { return path.ends_with(end); });
}

std::string_view Provider::model_in(std::string_view target) const {
  if (model.behind.empty()) return {};
  std::string_view path = target.substr(0, target.find('?'));
  for (const std::string_view collection : model.behind) {
    const auto at = path.find(collection);
    if (at == std::string_view::npos) continue;
    path.remove_prefix(at + collection.size());
    return path.substr(0, path.find_first_of(":/"));
  }
  return {};
}

ErrorDetail Provider::explain(const ErrorAnswer& answer, ErrorFacts facts) const {
  if (is_front_page(answer)) return explain_front_page();
  ErrorDetail detail{.status = answer.status, .retry_after = hint_of(answer, facts)};
  apply_rule(find_rule(error_rules, answer.status, facts), detail);
  if (refine != nullptr) refine(answer, facts, detail);
  explain_in_common(answer, facts, detail);
  detail.message = std::move(facts.message);
  return detail;
}

ErrorDetail UpstreamSpeech::parse_error(const ErrorAnswer& answer) const {
  return provider->explain(answer, dialect->read_error(answer.body));
}

std::optional<ErrorDetail> UpstreamSpeech::error_in_success(const ErrorAnswer& answer) const {
  ErrorFacts facts = dialect->read_error(answer.body);
  if (!facts.has_error || facts.is_resource) return std::nullopt;
  ErrorAnswer meant = answer;
  meant.status = meant_status(facts);
  return provider->explain(meant, std::move(facts));
}

std::optional<ErrorDetail> UpstreamSpeech::error_in_event(const SseEventView& event, WallTime now) const {
  ErrorFacts facts = dialect->read_error(event.data);
  if (!facts.has_error && event.event != "error") return std::nullopt;
  const ErrorAnswer meant{.status = meant_status(facts), .body = event.data, .now = now};
  return provider->explain(meant, std::move(facts));
}

}  // namespace akr
