#include "llm/dialect/anthropic/anthropic.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/json_text.hpp"
#include "llm/api_path.hpp"
#include "llm/dialect/anthropic/answers.hpp"

namespace akr {
namespace {

constexpr std::string_view kTelltales[] = {"anthropic-version"};

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

class Anthropic final : public Dialect {
 public:
  std::string_view id() const override { return "anthropic"; }

  Operation operation_of(std::string_view path) const override {
    const std::string_view rest = behind_version(path);
    if (rest == "messages") return Operation::kGenerate;
    return rest.starts_with("messages/") ? Operation::kOther : Operation::kNone;  // batches, count_tokens
  }
  std::span<const std::string_view> telltale_fields() const override { return kTelltales; }

  std::string build_error(const ErrorDetail& detail) const override {
    boost::json::object error{{"type", error_type(detail.status)}, {"message", detail.message}};
    if (!detail.code.empty()) error["details"] = boost::json::object{{"error_code", detail.code}};
    boost::json::object body{{"type", "error"}, {"error", std::move(error)}};
    if (!detail.request_id.empty()) body["request_id"] = detail.request_id;
    return json_text(body);
  }

  // Its own event, which providers of this dialect send too and all of its clients know.
  std::string_view keep_alive() const override { return "event: ping\ndata: {\"type\": \"ping\"}\n\n"; }

 private:
  void add_usage(const boost::json::object& answer, TokenUsage& usage) const override {
    anthropic_answers::read_usage(answer, usage);
  }
  bool is_empty(const boost::json::object& answer) const override { return anthropic_answers::is_empty(answer); }
};

}  // namespace

const Dialect& anthropic_dialect() {
  static const Anthropic kInstance;
  return kInstance;
}

}  // namespace akr
