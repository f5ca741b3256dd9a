#include "llm/openai_chat/openai_chat.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/json_text.hpp"
#include "llm/openai_chat/answers.hpp"
#include "llm/openai_chat/errors.hpp"
#include "llm/openai_chat/resources.hpp"
#include "llm/rule_format.hpp"

namespace akr {
namespace {

constexpr std::string_view kAccountHeaders[] = {"openai-organization", "openai-project"};

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

class OpenAiChat final : public RuleFormat {
 public:
  std::string_view id() const override { return "openai_chat"; }
  std::string_view api_format() const override { return "openai_compatible"; }
  UpstreamKeyPlacement upstream_key_placement() const override { return {"authorization", "Bearer "}; }
  std::span<const HeaderView> required_headers() const override { return {}; }
  std::span<const std::string_view> account_request_headers() const override { return kAccountHeaders; }
  std::span<const std::string_view> account_response_headers() const override { return kAccountHeaders; }
  const ResourceMap& resources() const override { return openai_chat_resources(); }

  std::string build_error(const ErrorDetail& detail) const override {
    const auto code = detail.code.empty() ? default_code(detail.status) : detail.code;
    boost::json::object error;
    error["message"] = detail.message;
    error["type"] = error_type(detail.status);
    error["param"] = nullptr;
    error["code"] = code.empty() ? boost::json::value(nullptr) : boost::json::value(code);
    return json_text(boost::json::object{{"error", std::move(error)}});
  }

 private:
  std::span<const ErrorRule> rules() const override { return openai_chat_errors::rules(); }
  void refine(const ErrorAnswer& answer, const ErrorFacts& facts, ErrorDetail& detail) const override {
    openai_chat_errors::refine(answer, facts, detail);
  }
  void add_usage(const boost::json::object& answer, TokenUsage& usage) const override {
    openai_chat_answers::read_usage(answer, usage);
  }
  bool is_empty(const boost::json::object& answer) const override { return openai_chat_answers::is_empty(answer); }
};

}  // namespace

const Format& openai_chat() {
  static const OpenAiChat kInstance;
  return kInstance;
}

}  // namespace akr
