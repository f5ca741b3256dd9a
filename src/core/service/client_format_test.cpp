#include "core/service/client_format.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

// As llm/ gives them to core.
KnownFormats known_formats() {
  return {
      .upstreams = {{"openai_compatible", "openai"}, {"anthropic_native", "anthropic"}, {"gemini_native", "gemini"}},
      .clients = {"openai", "openai_responses", "anthropic", "gemini"}};
}

Service llm(const char* api_format, const char* output_format) {
  Service service;
  service.type = ServiceType::kLlm;
  service.api_format = api_format;
  service.output_format = output_format;
  return service;
}

TEST(ClientFormat, IsTheServicesOwnOrThatOfItsUpstream) {
  for (const char* own : {"", "none", "openai", "openai_compatible"}) {
    EXPECT_EQ(client_format(llm("openai_compatible", own), known_formats()), "openai") << own;
  }
  EXPECT_EQ(client_format(llm("anthropic_native", "none"), known_formats()), "anthropic");
  EXPECT_EQ(client_format(llm("gemini_native", ""), known_formats()), "gemini");
  EXPECT_EQ(client_format(llm("gemini_native", "openai_responses"), known_formats()), "openai_responses");
  EXPECT_EQ(client_format(llm("morse", "none"), known_formats()), "");
}

TEST(ClientFormat, OfGenericServicesIsNoneWhateverTheirRowsSay) {
  Service rest = llm("openai_compatible", "none");
  rest.type = ServiceType::kGeneric;
  EXPECT_EQ(client_format(rest, known_formats()), "");
  EXPECT_TRUE(same_client_format(rest, Service{}, known_formats()));
  EXPECT_FALSE(same_client_format(rest, llm("openai_compatible", "none"), known_formats()));
}

TEST(ClientFormat, IsWhatMakesServicesExchangeable) {
  EXPECT_TRUE(same_client_format(llm("openai_compatible", "none"), llm("anthropic_native", "openai"), known_formats()));
  EXPECT_FALSE(same_client_format(llm("openai_compatible", "none"), llm("openai_compatible", "openai_responses"),
                                  known_formats()));
}

}  // namespace
}  // namespace akr
