#include "llm/provider/openai/openai.hpp"

#include "llm/dialect/openai_chat/openai_chat.hpp"
#include "llm/dialect/openai_responses/openai_responses.hpp"
#include "llm/provider/openai/errors.hpp"
#include "llm/provider/openai/resources.hpp"

namespace akr {
namespace {

constexpr std::string_view kAccountHeaders[] = {"openai-organization", "openai-project"};
constexpr std::string_view kVersions[] = {"v1"};
constexpr std::string_view kGenerating[] = {"/embeddings",         "/images/generations",    "/images/edits",
                                            "/images/variations",  "/audio/speech",          "/audio/transcriptions",
                                            "/audio/translations", "/moderations",           "/rerank",
                                            "/responses/compact",  "/responses/input_tokens"};

}  // namespace

const Provider& openai_provider() {
  static const Dialect* const kDialects[] = {&openai_chat_dialect(), &openai_responses_dialect()};
  static const Provider kInstance = {
      .id = "openai",
      .api_format = "openai_compatible",
      .dialects = kDialects,
      .credential = {.header = "authorization", .prefix = "Bearer "},
      .account_request_headers = kAccountHeaders,
      .account_response_headers = kAccountHeaders,
      .versions = kVersions,
      .model = {},
      .free_call = "/v1/models",
      .generating_paths = kGenerating,
      .resources = &openai_resources(),
      .error_rules = openai_errors::rules(),
      .refine = openai_errors::refine,
  };
  return kInstance;
}

}  // namespace akr
