#include "llm/dialect/openai_responses/openai_responses.hpp"

#include "llm/api_path.hpp"
#include "llm/dialect/openai_responses/answers.hpp"
#include "llm/openai_error_body.hpp"

namespace akr {
namespace {

class OpenAiResponses final : public Dialect {
 public:
  std::string_view id() const override { return "openai_responses"; }

  // At the end of the path, or with the id of one that was stored behind it.
  Operation operation_of(std::string_view path) const override {
    if (path.ends_with("/responses")) return Operation::kGenerate;
    return has_segment(path, "responses") ? Operation::kOther : Operation::kNone;
  }

  std::string build_error(const ErrorDetail& detail) const override { return openai_error_body(detail); }

  // As for Chat Completions: the same SDKs read it.
  std::string_view keep_alive() const override { return ": keepalive\n"; }

 private:
  void add_usage(const boost::json::object& answer, TokenUsage& usage) const override {
    openai_responses_answers::read_usage(answer, usage);
  }
  bool is_empty(const boost::json::object& answer) const override { return openai_responses_answers::is_empty(answer); }
};

}  // namespace

const Dialect& openai_responses_dialect() {
  static const OpenAiResponses kInstance;
  return kInstance;
}

}  // namespace akr
