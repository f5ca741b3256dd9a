#include "llm/provider/anthropic/anthropic.hpp"

#include "llm/dialect/anthropic/anthropic.hpp"
#include "llm/provider/anthropic/errors.hpp"
#include "llm/provider/anthropic/resources.hpp"

namespace akr {
namespace {

// The version that every model understands and that still knows sampling parameters; a client's own header wins.
constexpr HeaderView kRequired[] = {{"anthropic-version", "2023-06-01"}};
constexpr std::string_view kAccountRequest[] = {"anthropic-workspace-id"};
constexpr std::string_view kAccountResponse[] = {"anthropic-organization-id", "anthropic-workspace-id"};

constexpr std::string_view kVersions[] = {"v1"};
// A batch, and a list of them.
constexpr std::string_view kResults[] = {"/results_url", "/data/*/results_url"};
constexpr UrlMembers kUrlMembers[] = {{"messages/batches", kResults}};
constexpr std::string_view kGenerating[] = {"/messages/count_tokens", "/complete"};

}  // namespace

const Provider& anthropic_provider() {
  static const Dialect* const kDialects[] = {&anthropic_dialect()};
  static const Provider kInstance = {
      .id = "anthropic",
      .api_format = "anthropic_native",
      .dialects = kDialects,
      .credential = {.header = "x-api-key"},
      .required_headers = kRequired,
      .account_request_headers = kAccountRequest,
      .account_response_headers = kAccountResponse,
      .versions = kVersions,
      .model = {},
      .free_call = "/v1/models",
      .url_members = kUrlMembers,
      .generating_paths = kGenerating,
      .resources = &anthropic_resources(),
      .error_rules = anthropic_errors::rules(),
      .refine = anthropic_errors::refine,
  };
  return kInstance;
}

}  // namespace akr
