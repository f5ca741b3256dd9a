#include "core/service/client_format.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

Service llm(const char* api_format, const char* output_format) {
  Service service;
  service.type = ServiceType::kLlm;
  service.api_format = api_format;
  service.output_format = output_format;
  return service;
}

TEST(ClientFormat, IsTheServicesOwnOrThatOfItsUpstream) {
  for (const char* own : {"", "none", "openai", "openai_compatible"}) {
    EXPECT_EQ(client_format(llm("openai_compatible", own)), "openai") << own;
  }
  EXPECT_EQ(client_format(llm("anthropic_native", "none")), "anthropic");
  EXPECT_EQ(client_format(llm("gemini_native", "")), "gemini");
  EXPECT_EQ(client_format(llm("gemini_native", "openai_responses")), "openai_responses");
  EXPECT_EQ(client_format(llm("morse", "none")), "");
}

TEST(ClientFormat, OfGenericServicesIsNoneWhateverTheirRowsSay) {
  Service rest = llm("openai_compatible", "none");
  rest.type = ServiceType::kGeneric;
  EXPECT_EQ(client_format(rest), "");
  EXPECT_TRUE(same_client_format(rest, Service{}));
  EXPECT_FALSE(same_client_format(rest, llm("openai_compatible", "none")));
}

TEST(ClientFormat, IsWhatMakesServicesExchangeable) {
  EXPECT_TRUE(same_client_format(llm("openai_compatible", "none"), llm("anthropic_native", "openai")));
  EXPECT_FALSE(same_client_format(llm("openai_compatible", "none"), llm("openai_compatible", "openai_responses")));
}

}  // namespace
}  // namespace akr
