#include "config/setting_value.hpp"

#include <gtest/gtest.h>

#include "config/settings.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;
using Milliseconds = std::chrono::milliseconds;

TEST(SettingValue, DurationsAreSecondsOrHaveAUnit) {
  EXPECT_EQ(ValueText<Milliseconds>::parse("30"), 30s);
  EXPECT_EQ(ValueText<Milliseconds>::parse("500ms"), 500ms);
  EXPECT_EQ(ValueText<Milliseconds>::parse("2m"), 2min);
  EXPECT_EQ(ValueText<Milliseconds>::parse("1h"), 1h);
  EXPECT_EQ(ValueText<Milliseconds>::parse("7s"), 7s);
  for (const char* wrong : {"", "s", "-1", "1.5", "3 s", "5d", "99999999999999999999", "9223372036854775807h"}) {
    EXPECT_EQ(ValueText<Milliseconds>::parse(wrong), std::nullopt) << wrong;
  }
}

TEST(SettingValue, DurationsPrintWhatTheyRead) {
  for (const Milliseconds value : {Milliseconds(0), Milliseconds(1), Milliseconds(1500), Milliseconds(30'000)}) {
    EXPECT_EQ(ValueText<Milliseconds>::parse(ValueText<Milliseconds>::print(value)), value);
  }
}

TEST(SettingValue, ByteCountsMayHaveABinarySuffix) {
  EXPECT_EQ(ValueText<ByteCount>::parse("33554432")->bytes, 33554432U);
  EXPECT_EQ(ValueText<ByteCount>::parse("32M")->bytes, 33554432U);
  EXPECT_EQ(ValueText<ByteCount>::parse("2G")->bytes, 1ULL << 31);
  for (const char* wrong : {"", "M", "1MB", "-1", "1e6", "9999999999999G"}) {
    EXPECT_EQ(ValueText<ByteCount>::parse(wrong), std::nullopt) << wrong;
  }
}

TEST(SettingValue, BooleansAreExact) {
  EXPECT_EQ(ValueText<bool>::parse("true"), true);
  EXPECT_EQ(ValueText<bool>::parse("false"), false);
  for (const char* wrong : {"True", "1", "yes", "on", ""}) EXPECT_EQ(ValueText<bool>::parse(wrong), std::nullopt);
}

TEST(SettingValue, ListsTrimAndDropEmptyParts) {
  const auto keys = ValueText<std::vector<Secret>>::parse(" a , ,b,, c d ,");
  ASSERT_EQ(keys->size(), 3U);
  EXPECT_EQ((*keys)[0].expose(), "a");
  EXPECT_EQ((*keys)[1].expose(), "b");
  EXPECT_EQ((*keys)[2].expose(), "c d");
  EXPECT_TRUE(ValueText<std::vector<Secret>>::parse(",")->empty());
}

TEST(SettingValue, UrlsLoseTheirTrailingSlash) {
  EXPECT_EQ(ValueText<HttpUrl>::parse("https://gate.example/base//")->text, "https://gate.example/base");
  for (const char* wrong :
       {"gate.example", "ftp://x", "http://", "http:///x", "http://a b", "http://a?b", "http://a#b",
        "http://127.0.0.1.nip.test", "http://[::1]x", "http://u:p@a", "http://a:0", "http://a:80x"}) {
    EXPECT_FALSE(ValueText<HttpUrl>::parse(wrong)) << wrong;
  }
}

TEST(SettingValue, ChoicesIgnoreCaseAndPrintTheirFirstWord) {
  EXPECT_EQ(ValueText<LogLevel>::parse("WARNING"), LogLevel::kWarn);
  EXPECT_EQ(ValueText<LogLevel>::print(LogLevel::kWarn), "warn");
  EXPECT_EQ(ValueText<LogLevel>::parse("verbose"), std::nullopt);
  EXPECT_EQ(ValueText<CacheKind>::allowed().en, "memory or redis");
}

TEST(SettingValue, SecretsNeverPrint) {
  EXPECT_EQ(ValueText<Secret>::print(Secret("sk-verysecretverysecret")), "****");
  EXPECT_EQ(ValueText<Secret>::print(Secret()), "");
  EXPECT_EQ(ValueText<std::vector<Secret>>::print({Secret("a"), Secret("b")}), "****,****");
}

}  // namespace
}  // namespace akr
