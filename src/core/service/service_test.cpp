#include "core/service/service.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

using namespace std::chrono_literals;

// LLM calls that answer in one piece after five minutes got 504 and were paid again.  Stands for defaults that end what
// providers allow to take longer: their SDKs wait for 10 minutes, reasoning takes more.
TEST(ServiceDefaults, AnLlmMayThinkForAQuarterOfAnHour) {
  EXPECT_EQ(default_timeouts(ServiceType::kLlm, 30s).first_byte, 900s);
  EXPECT_EQ(default_timeouts(ServiceType::kLlm, 30s).total, 0s) << "streams have no end";
  EXPECT_EQ(default_timeouts(ServiceType::kGeneric, 30s).first_byte, 30s);
}

}  // namespace
}  // namespace akr
