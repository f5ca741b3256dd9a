#include "core/service/service.hpp"

namespace akr {

Service new_service(ServiceType type, std::chrono::milliseconds rest_total) {
  Service service;
  service.type = type;
  service.api_format = kDefaultApiFormat;
  service.output_format = "none";
  service.timeouts = default_timeouts(type, rest_total);
  service.retry = default_retry(type);
  return service;
}

Timeouts default_timeouts(ServiceType type, std::chrono::milliseconds rest_total) {
  using std::chrono::milliseconds;
  switch (type) {
    case ServiceType::kGeneric:
      return {.first_byte = rest_total, .total = rest_total};
    case ServiceType::kLlm:
      // Answers in one piece may come after 10 minutes, and who gives up pays for them again.
      return {.first_byte = milliseconds(900'000), .total = milliseconds(0)};
  }
  return {};
}

RetrySettings default_retry(ServiceType type) {
  RetrySettings settings;
  settings.retry_non_idempotent = type == ServiceType::kLlm;
  return settings;
}

}  // namespace akr
