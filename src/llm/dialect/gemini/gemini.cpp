#include "llm/dialect/gemini/gemini.hpp"

#include <algorithm>
#include <chrono>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/json_text.hpp"
#include "base/strings.hpp"
#include "llm/api_path.hpp"
#include "llm/dialect/gemini/answers.hpp"

namespace akr {
namespace {

constexpr std::string_view kTelltales[] = {"x-goog-api-key"};

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

class Gemini final : public Dialect {
 public:
  std::string_view id() const override { return "gemini"; }

  // The colon of a verb may be escaped.
  Operation operation_of(std::string_view path) const override {
    if (path.ends_with("enerateContent")) return Operation::kGenerate;  // generate and streamGenerate
    const bool own_version = has_segment(path, "v1beta") || has_segment(path, "v1alpha");
    return own_version && !has_segment(path, "openai") ? Operation::kOther : Operation::kNone;
  }
  std::span<const std::string_view> telltale_fields() const override { return kTelltales; }

  std::string build_error(const ErrorDetail& detail) const override {
    boost::json::object error{
        {"code", detail.status}, {"message", detail.message}, {"status", status_word(detail.status)}};
    auto details = error_details(detail);
    if (!details.empty()) error["details"] = std::move(details);
    return json_text(boost::json::object{{"error", std::move(error)}});
  }

  // Its SDKs pass over blocks that do not begin with "data:" (llm-formats.md 1.1).
  std::string build_error_event(const ErrorDetail& detail) const override {
    return "data: " + build_error(detail) + "\n\n";
  }

  // Nothing: the SDKs for Python and Go fail on a comment, that for Go on an empty line too, and any "data:" is an
  // answer to their users.
  std::string_view keep_alive() const override { return {}; }

 private:
  void add_usage(const boost::json::object& answer, TokenUsage& usage) const override {
    gemini_answers::read_usage(answer, usage);
  }
  bool is_empty(const boost::json::object& answer) const override { return gemini_answers::is_empty(answer); }
};

}  // namespace

const Dialect& gemini_dialect() {
  static const Gemini kInstance;
  return kInstance;
}

}  // namespace akr
