#include "llm/answer_urls.hpp"

#include <gtest/gtest.h>

#include "llm/provider/registry.hpp"

namespace akr {
namespace {

bool names_urls(std::string_view api_format, std::string_view path) {
  return find_url_members(find_provider(api_format)->url_members, path) != nullptr;
}

TEST(AnswerUrls, AreLookedForWhereTheProviderHasThem) {
  EXPECT_TRUE(names_urls("anthropic_native", "/v1/messages/batches"));
  EXPECT_TRUE(names_urls("anthropic_native", "/messages/batches/msgbatch_1/cancel"));
  EXPECT_FALSE(names_urls("anthropic_native", "/v1/messages"));
  EXPECT_FALSE(names_urls("anthropic_native", "/v1/messages/count_tokens"));
  EXPECT_TRUE(names_urls("gemini_native", "/v1beta/files/abc"));
  EXPECT_TRUE(names_urls("gemini_native", "/upload/v1beta/files"));
  EXPECT_FALSE(names_urls("gemini_native", "/download/v1beta/files/abc:download"));
  EXPECT_FALSE(names_urls("gemini_native", "/v1beta/models/m:generateContent"));
  EXPECT_FALSE(names_urls("openai_compatible", "/v1/files"));
}

}  // namespace
}  // namespace akr
