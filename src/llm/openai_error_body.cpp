#include "llm/openai_error_body.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/json_text.hpp"

namespace akr {
namespace {

std::string_view error_type(int status) {
  switch (status) {
    case 429:
      return "rate_limit_error";
    case 503:
      return "service_unavailable_error";
    default:
      return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

// SDK users branch on the code, so there always is one where OpenAI has one.
std::string_view default_code(int status) {
  switch (status) {
    case 401:
      return "invalid_api_key";
    case 429:
      return "rate_limit_exceeded";
    default:
      return {};
  }
}

}  // namespace

std::string openai_error_body(const ErrorDetail& detail) {
  const auto code = detail.code.empty() ? default_code(detail.status) : detail.code;
  boost::json::object error;
  error["message"] = detail.message;
  error["type"] = error_type(detail.status);
  error["param"] = nullptr;
  error["code"] = code.empty() ? boost::json::value(nullptr) : boost::json::value(code);
  return json_text(boost::json::object{{"error", std::move(error)}});
}

}  // namespace akr
