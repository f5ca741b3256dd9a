#include "llm/anthropic/anthropic.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/json_text.hpp"
#include "llm/anthropic/answers.hpp"
#include "llm/anthropic/errors.hpp"
#include "llm/anthropic/resources.hpp"
#include "llm/rule_format.hpp"

namespace akr {
namespace {

// The version that every model understands and that still knows sampling parameters; a client's own header wins.
constexpr HeaderView kRequired[] = {{"anthropic-version", "2023-06-01"}};
constexpr std::string_view kAccountRequest[] = {"anthropic-workspace-id", "anthropic-user-profile-id"};
constexpr std::string_view kAccountResponse[] = {"anthropic-organization-id", "anthropic-workspace-id"};

std::string_view error_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 402:
      return "billing_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 409:
      return "conflict_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
    case 529:
      return "overloaded_error";
    case 504:
      return "timeout_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

class Anthropic final : public RuleFormat {
 public:
  std::string_view id() const override { return "anthropic"; }
  std::string_view api_format() const override { return "anthropic_native"; }
  UpstreamKeyPlacement upstream_key_placement() const override { return {"x-api-key", ""}; }
  std::span<const HeaderView> required_headers() const override { return kRequired; }
  std::span<const std::string_view> account_request_headers() const override { return kAccountRequest; }
  std::span<const std::string_view> account_response_headers() const override { return kAccountResponse; }
  const ResourceMap& resources() const override { return anthropic_resources(); }

  std::string build_error(const ErrorDetail& detail) const override {
    boost::json::object error{{"type", error_type(detail.status)}, {"message", detail.message}};
    if (!detail.code.empty()) error["details"] = boost::json::object{{"error_code", detail.code}};
    boost::json::object body{{"type", "error"}, {"error", std::move(error)}};
    if (!detail.request_id.empty()) body["request_id"] = detail.request_id;
    return json_text(body);
  }

 private:
  std::span<const ErrorRule> rules() const override { return anthropic_errors::rules(); }
  void add_usage(const boost::json::object& answer, TokenUsage& usage) const override {
    anthropic_answers::read_usage(answer, usage);
  }
  bool is_empty(const boost::json::object& answer) const override { return anthropic_answers::is_empty(answer); }
  void refine(const ErrorAnswer& answer, const ErrorFacts& facts, ErrorDetail& detail) const override {
    anthropic_errors::refine(answer, detail, facts.message);
  }
};

}  // namespace

const Format& anthropic() {
  static const Anthropic kInstance;
  return kInstance;
}

}  // namespace akr
