#include "core/service/cors_origins.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "core/service/validate.hpp"
#include "tests/support/example_config.hpp"

namespace akr {
namespace {

Error refused(std::vector<std::string> origins) {
  Service service = example_service("s");
  service.cors_origins = std::move(origins);
  const auto valid = validate_service(service, {.formats = {.upstreams = {{"openai_compatible", "openai"}}}});
  return valid ? Error{} : valid.error();
}

TEST(CorsOrigins, AreThoseThatBrowsersWrite) {
  for (const char* origin : {"https://app.example", "http://localhost:5173", "app://obsidian.md", "http://[::1]:8080",
                             "chrome-extension://abcdefghijklmnop", "capacitor://localhost", "https://192.0.2.1"}) {
    EXPECT_EQ(refused({origin}).message, "") << origin;
  }
  EXPECT_EQ(refused({"*"}).message, "");
  EXPECT_EQ(refused({"https://a.example", "https://b.example"}).message, "");
}

// A slash at the end, or a capital, and a browser's origin never matches: nobody sees why.  So the remedy is told.
TEST(CorsOrigins, TheBadOneIsNamedAndTheRemedyTold) {
  const struct {
    const char* origin;
    const char* told;
  } rows[] = {
      {"https://app.example/", "'https://app.example/' is not how browsers write an origin: use 'https://app.example'"},
      {"https://app.example/chat?x=1", "use 'https://app.example'"},
      {"HTTPS://App.Example:443", "use 'https://app.example'"},
      {"http://app.example:80", "use 'http://app.example'"},
      {"app.example", "'app.example' is no origin: write scheme://host[:port]"},
      {"https://", "write scheme://host[:port]"},
      {"", "write scheme://host[:port]"},
      {"https://*.app.example", "list each host, or use \"*\" alone"},
      {"null", "use \"*\" to allow all"},
      {"*", "leave the others out, or '*'"},
      {"https://good.example", "'https://good.example' is listed twice"},
  };
  for (const auto& row : rows) {
    const Error error = refused({"https://good.example", row.origin});
    EXPECT_EQ(error.code, ErrorCode::kInvalid);
    EXPECT_EQ(error.field, "cors_origins[1]") << row.origin;
    EXPECT_NE(error.message.find(row.told), std::string::npos) << row.origin << ": " << error.message;
  }
  const Error password = refused({"https://user:secret@app.example"});
  EXPECT_EQ(password.message.find("secret"), std::string::npos);
  EXPECT_NE(password.message.find("no origin"), std::string::npos);
  EXPECT_EQ(refused(std::vector<std::string>(101, "https://a.example")).field, "cors_origins");
  EXPECT_EQ(refused({"https://" + std::string(300, 'a')}).field, "cors_origins[0]");
}

TEST(CorsOrigins, AreComparedByteByByte) {
  const std::vector<std::string> listed = {"https://a.example", "app://obsidian.md"};
  EXPECT_TRUE(allows_origin(listed, "app://obsidian.md"));
  for (const char* other : {"https://a.example.evil", "http://a.example", "https://A.example", "null", ""}) {
    EXPECT_FALSE(allows_origin(listed, other)) << other;
  }
  EXPECT_FALSE(allows_origin({}, "https://a.example"));
  EXPECT_TRUE(allows_origin(std::vector<std::string>{"*"}, "null"));
}

TEST(CorsOrigins, AsJson) {
  const auto read = [](const char* json) { return read_cors_origins(boost::json::parse(json)); };
  EXPECT_EQ(read(R"("*")").value(), std::vector<std::string>{"*"});
  EXPECT_EQ(read(R"(["https://a.example","*"])").value().size(), 2U);
  EXPECT_EQ(read(R"([])").value().size(), 0U);
  EXPECT_EQ(read(R"(["https://a.example",7])").error().field, "cors_origins[1]");
  for (const char* wrong : {R"("https://a.example")", "true", "{}"})
    EXPECT_EQ(read(wrong).error().field, "cors_origins");
  EXPECT_EQ(cors_origins_to_json(read(R"("*")").value()), boost::json::parse(R"(["*"])"));
}

}  // namespace
}  // namespace akr
