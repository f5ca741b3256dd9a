#include "proxy/answer/body_urls.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

constexpr std::string_view kPointers[] = {"/results_url", "/data/*/results_url"};

std::string replaced(std::string_view json) {
  return replace_urls(json, kPointers, [](std::string_view url) {
    return url.starts_with("https://up/") ? "http://gw/" + std::string(url.substr(11)) : std::string();
  });
}

TEST(ReplaceUrls, ChangesTheUrlAndNoOtherByte) {
  EXPECT_EQ(replaced("{ \"id\" :\"https://up/b\",\r\n\t\"results_url\" : \"https://up/r?a=1\" , \"n\":1.50 }\n"),
            "{ \"id\" :\"https://up/b\",\r\n\t\"results_url\" : \"http://gw/r?a=1\" , \"n\":1.50 }\n");
  EXPECT_EQ(
      replaced(R"({"data":[{"results_url":"https://up/1"},{"results_url":null},{"results_url":"https://up/3"}]})"),
      R"({"data":[{"results_url":"http://gw/1"},{"results_url":null},{"results_url":"http://gw/3"}]})");
  EXPECT_EQ(replaced(R"({"results_url":"https:\/\/up\/r","s":"a\\\"b"})"),
            R"({"results_url":"http://gw/r","s":"a\\\"b"})");
  EXPECT_EQ(replaced(R"({"a":"\\","results_url":"https://up/r"})"), R"({"a":"\\","results_url":"http://gw/r"})");
}

TEST(ReplaceUrls, SaysNothingIfNothingIsChanged) {
  for (const char* json : {"", "{", "[]", "no JSON", R"({"results_url":null})", R"({"results_url":7})",
                           R"({"results_url":"https://other/r"})", R"({"results_url":"https://up/r)",
                           R"({"x":{"results_url":"https://up/r"}})", R"("https://up/r")", R"({"results_url":"a\"b"})",
                           R"({"results_url":"https://up/a\"b"})"}) {
    EXPECT_EQ(replaced(json), "") << json;
  }
}

// 90,000 short URLs in 2 MiB became 26 MB under a long name of ours.  The kind: an answer that makes us hold many times
// its size.
TEST(ReplaceUrls, NeverHoldsMoreThanItMay) {
  std::string json = R"({"data":[)";
  for (int i = 0; i < 90'000; ++i) json += std::string(i == 0 ? "" : ",") + R"({"results_url":"/x"})";
  json += "]}";
  const auto long_name = [](std::string_view url) { return "http://" + std::string(300, 'g') + std::string(url); };
  const std::size_t most = 2 * json.size() + 64 * 1024;
  EXPECT_EQ(replace_urls(json, kPointers, long_name, most), "");
  const auto short_name = [](std::string_view url) { return "http://gateway" + std::string(url); };
  const std::string changed = replace_urls(json, kPointers, short_name, most);
  EXPECT_EQ(changed.size(), json.size() + 90'000 * 14);
  EXPECT_LE(changed.capacity(), 2 * most);
  const std::string one = R"({"results_url":"/x"})";
  EXPECT_EQ(replace_urls(one, kPointers, short_name, one.size() + 14), R"({"results_url":"http://gateway/x"})");
  EXPECT_EQ(replace_urls(one, kPointers, short_name, one.size() + 13), "");
}

}  // namespace
}  // namespace akr
