#include "llm/gemini/gemini.hpp"

#include <algorithm>
#include <chrono>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/json_text.hpp"
#include "base/strings.hpp"
#include "llm/gemini/answers.hpp"
#include "llm/gemini/errors.hpp"
#include "llm/gemini/resources.hpp"
#include "llm/rule_format.hpp"

namespace akr {
namespace {

constexpr std::string_view kAccountRequest[] = {"x-goog-user-project"};

std::string_view status_word(int status) {
  switch (status) {
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "PERMISSION_DENIED";
    case 404:
      return "NOT_FOUND";
    case 409:
      return "ABORTED";
    case 429:
      return "RESOURCE_EXHAUSTED";
    case 499:
      return "CANCELLED";
    case 501:
      return "UNIMPLEMENTED";
    case 503:
    case 529:
      return "UNAVAILABLE";
    case 408:
    case 504:
      return "DEADLINE_EXCEEDED";
    default:
      return status >= 500 ? "INTERNAL" : "INVALID_ARGUMENT";
  }
}

boost::json::array error_details(const ErrorDetail& detail) {
  boost::json::array details;
  if (!detail.code.empty()) {
    details.push_back(boost::json::object{{"@type", "type.googleapis.com/google.rpc.ErrorInfo"},
                                          {"reason", to_upper(detail.code)},
                                          {"domain", "gateway"}});
  }
  if (detail.retry_after) {
    const auto whole = std::chrono::ceil<std::chrono::seconds>(*detail.retry_after);
    details.push_back(boost::json::object{{"@type", "type.googleapis.com/google.rpc.RetryInfo"},
                                          {"retryDelay", std::to_string(whole.count()) + "s"}});
  }
  return details;
}

class Gemini final : public RuleFormat {
 public:
  std::string_view id() const override { return "gemini"; }
  std::string_view api_format() const override { return "gemini_native"; }
  UpstreamKeyPlacement upstream_key_placement() const override { return {"x-goog-api-key", ""}; }
  std::span<const HeaderView> required_headers() const override { return {}; }
  std::span<const std::string_view> account_request_headers() const override { return kAccountRequest; }
  std::span<const std::string_view> account_response_headers() const override { return {}; }
  const ResourceMap& resources() const override { return gemini_resources(); }

  std::string build_error(const ErrorDetail& detail) const override {
    boost::json::object error{
        {"code", detail.status}, {"message", detail.message}, {"status", status_word(detail.status)}};
    auto details = error_details(detail);
    if (!details.empty()) error["details"] = std::move(details);
    return json_text(boost::json::object{{"error", std::move(error)}});
  }

 private:
  std::span<const ErrorRule> rules() const override { return gemini_errors::rules(); }
  void add_usage(const boost::json::object& answer, TokenUsage& usage) const override {
    gemini_answers::read_usage(answer, usage);
  }
  bool is_empty(const boost::json::object& answer) const override { return gemini_answers::is_empty(answer); }
  void refine(const ErrorAnswer& answer, const ErrorFacts& facts, ErrorDetail& detail) const override {
    gemini_errors::refine(answer, facts, detail);
  }
};

}  // namespace

const Format& gemini() {
  static const Gemini kInstance;
  return kInstance;
}

}  // namespace akr
