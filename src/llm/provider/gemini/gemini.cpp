#include "llm/provider/gemini/gemini.hpp"

#include "llm/dialect/gemini/gemini.hpp"
#include "llm/provider/gemini/errors.hpp"
#include "llm/provider/gemini/resources.hpp"

namespace akr {
namespace {

constexpr std::string_view kAccountRequest[] = {"x-goog-user-project"};
// cloud.google.com/apis/docs/system-parameters, and those that Google's own JavaScript client sends.  All of Google's
// services read them, and take a token before a key.
constexpr std::string_view kWithheldHeaders[] = {"x-http-method-override",
                                                 "x-http-method",
                                                 "x-method-override",
                                                 "x-goog-authuser",
                                                 "x-goog-upload-header-authorization",
                                                 "x-goog-iam-authorization-token",
                                                 "x-goog-iam-authority-selector"};
constexpr std::string_view kWithheldParameters[] = {
    "access_token", "oauth_token",  "bearer_token", "key", "$key",    "$userProject", "userProject",
    "$httpMethod",  "$httpHeaders", "$req",         "$ct", "_method", "$method"};
constexpr std::string_view kVersions[] = {"v1beta", "v1", "v1alpha"};
// The colon may be escaped.
constexpr std::string_view kGenerating[] = {"mbedContent",       "mbedContents",   "mbedText",
                                            "countTokens",       "generateAnswer", "predict",
                                            "/chat/completions", "/embeddings",    "/images/generations"};
constexpr std::string_view kModels[] = {"/models/", "/tunedModels/"};

// Resumable uploads.
constexpr std::string_view kUrlFields[] = {"x-goog-upload-url", "x-goog-upload-control-url"};
constexpr HeaderView kBeginsUpload[] = {
    {"x-goog-upload-command", "start"}, {"x-goog-upload-protocol", "raw"}, {"x-goog-upload-protocol", "multipart"}};
// Where a file is fetched; its `uri` is what requests call it by, so that one stays.
constexpr std::string_view kDownloads[] = {"/downloadUri", "/file/downloadUri", "/files/*/downloadUri"};
// What is downloaded is the client's own, whatever it looks like.
constexpr UrlMembers kUrlMembers[] = {{"files/*:download", {}}, {"files", kDownloads}};

}  // namespace

const Provider& gemini_provider() {
  static const Dialect* const kDialects[] = {&gemini_dialect()};
  static const Provider kInstance = {
      .id = "gemini",
      .api_format = "gemini_native",
      .dialects = kDialects,
      .credential = {.header = "x-goog-api-key"},
      .account_request_headers = kAccountRequest,
      .withheld_headers = kWithheldHeaders,
      .withheld_parameters = kWithheldParameters,
      .versions = kVersions,
      .model = {.behind = kModels, .in_body = false},
      .free_call = "/v1beta/models",
      .url_fields = kUrlFields,
      .url_members = kUrlMembers,
      .begins_upload = kBeginsUpload,
      .generating_paths = kGenerating,
      .resources = &gemini_resources(),
      .error_rules = gemini_errors::rules(),
      .refine = gemini_errors::refine,
  };
  return kInstance;
}

}  // namespace akr
