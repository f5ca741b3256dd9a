// Sources: learn.microsoft.com/azure/foundry/openai (REST reference, API version lifecycle); openrouter.ai/docs
// (API keys, "Get current API key"); api-docs.deepseek.com (error codes, "List models"); docs.ollama.com/api
// (OpenAI and Anthropic compatibility); docs.vllm.ai (online serving).
#include "llm/provider/openai/compatible.hpp"

#include "llm/dialect/anthropic/anthropic.hpp"
#include "llm/dialect/openai_chat/openai_chat.hpp"
#include "llm/dialect/openai_responses/openai_responses.hpp"
#include "llm/provider/openai/openai.hpp"

namespace akr {
namespace {

Provider like_openai(std::string_view id) {
  Provider provider = openai_provider();
  provider.id = provider.api_format = id;
  provider.account_request_headers = provider.account_response_headers = {};
  return provider;
}

std::span<const Dialect* const> chat_only() {
  static const Dialect* const kDialects[] = {&openai_chat_dialect()};
  return kDialects;
}

std::span<const Dialect* const> with_anthropic() {
  static const Dialect* const kDialects[] = {&openai_chat_dialect(), &openai_responses_dialect(), &anthropic_dialect()};
  return kDialects;
}

}  // namespace

// Keys go into `api-key`.  A path of the dated API names the deployment and the body none; v1 is as OpenAI's.
const Provider& azure_provider() {
  static constexpr std::string_view kDeployments[] = {"/deployments/"};
  // Of the platform below it; browsers' websockets send the key as a parameter.
  static constexpr std::string_view kWithheldHeaders[] = {"x-http-method-override", "x-http-method",
                                                          "x-method-override", "ocp-apim-subscription-key",
                                                          "ocp-apim-subscription-region"};
  static constexpr std::string_view kWithheldParameters[] = {"api-key", "subscription-key", "_method", "$method"};
  static constexpr std::string_view kUrlFields[] = {"operation-location"};  // of work that goes on: images, imports
  static const Provider kInstance = [] {
    Provider provider = like_openai("azure");
    provider.credential = {.header = "api-key"};
    provider.model.behind = kDeployments;
    provider.withheld_headers = kWithheldHeaders;
    provider.withheld_parameters = kWithheldParameters;
    provider.url_fields = kUrlFields;
    return provider;
  }();
  return kInstance;
}

// Anybody may read its list of models; /key tells about the key that asks.  It keeps nothing that a request could name
// again.
const Provider& openrouter_provider() {
  static const Provider kInstance = [] {
    Provider provider = like_openai("openrouter");
    provider.dialects = with_anthropic();
    provider.free_call = "/v1/key";
    provider.resources = nullptr;
    return provider;
  }();
  return kInstance;
}

// Its base URL has no version; it takes /v1 as well.
const Provider& deepseek_provider() {
  static const Provider kInstance = [] {
    Provider provider = like_openai("deepseek");
    provider.dialects = chat_only();
    provider.free_call = "/models";
    provider.resources = nullptr;
    return provider;
  }();
  return kInstance;
}

// Answers are not kept, and keys (of a front before it) have no accounts.
const Provider& ollama_provider() {
  static const Provider kInstance = [] {
    Provider provider = like_openai("ollama");
    provider.dialects = with_anthropic();
    provider.resources = nullptr;
    return provider;
  }();
  return kInstance;
}

// What it keeps belongs to the server, whoever asks.
const Provider& vllm_provider() {
  static const Provider kInstance = [] {
    Provider provider = like_openai("vllm");
    provider.dialects = with_anthropic();
    provider.resources = nullptr;
    return provider;
  }();
  return kInstance;
}

}  // namespace akr
