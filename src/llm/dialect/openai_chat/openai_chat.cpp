#include "llm/dialect/openai_chat/openai_chat.hpp"

#include "llm/api_path.hpp"
#include "llm/dialect/openai_chat/answers.hpp"
#include "llm/openai_error_body.hpp"

namespace akr {
namespace {

class OpenAiChat final : public Dialect {
 public:
  std::string_view id() const override { return "openai_chat"; }
  std::string_view output_format() const override { return "openai"; }

  // At the end of the path: Azure puts the deployment before it.
  Operation operation_of(std::string_view path) const override {
    if (path.ends_with("/completions")) return Operation::kGenerate;
    return has_segment(path, "completions") ? Operation::kOther : Operation::kNone;  // one that was stored
  }

  std::string build_error(const ErrorDetail& detail) const override { return openai_error_body(detail); }

  // One line feed: openai-python takes a comment that an empty line follows for an event, as soon as the stream had an
  // id, and fails on its missing data.
  std::string_view keep_alive() const override { return ": keepalive\n"; }

 private:
  void add_usage(const boost::json::object& answer, TokenUsage& usage) const override {
    openai_chat_answers::read_usage(answer, usage);
  }
  bool is_empty(const boost::json::object& answer) const override { return openai_chat_answers::is_empty(answer); }
};

}  // namespace

const Dialect& openai_chat_dialect() {
  static const OpenAiChat kInstance;
  return kInstance;
}

}  // namespace akr
