#include "proxy/request/body_plan.hpp"

#include <string>

#include <gtest/gtest.h>

#include "llm/provider/registry.hpp"
#include "tests/support/request_fixture.hpp"

namespace akr {
namespace {

constexpr BodyLimits kLimits = {.kept = 100, .json = 200, .upload = 1000};
constexpr std::uint64_t kAny = std::numeric_limits<std::uint64_t>::max();

Service llm() {
  Service service;
  service.slug = "s";
  service.type = ServiceType::kLlm;
  service.api_format = "openai_compatible";
  service.target_url = "https://up.example";
  return service;
}

Service generic() {
  Service service = llm();
  service.type = ServiceType::kGeneric;
  service.api_format.clear();
  return service;
}

// "kept 100", "streams 1000", and "streams any!" for what streams even if it is here.
std::string plan(const Service& service, const std::string& type, std::size_t length = 9,
                 const std::string& path = "/v1/files") {
  const std::string prefix = service.type == ServiceType::kLlm ? "/llm/s" : "/proxy/s";
  std::string out;
  const std::string field = type.empty() ? "" : "Content-Type: " + type + "\r\n";
  test::RequestFixture(service).run(
      "POST " + prefix + path + " HTTP/1.1\r\nHost: g\r\n" + field + "Content-Length: " + std::to_string(length) +
          "\r\n\r\n" + std::string(length, 'b'),
      [&](RequestContext& ctx) {
        const BodyPlan made = plan_body(ctx, kLimits);
        out = (made.streams ? "streams " : "kept ") + (made.limit == kAny ? "any" : std::to_string(made.limit)) +
              (made.even_if_here ? "!" : "");
      });
  return out;
}

TEST(BodyPlan, FilesOfLlmServicesPassThroughAndJsonIsRead) {
  for (const char* type : {"multipart/form-data; boundary=x", "multipart/related", "application/octet-stream",
                           "audio/mpeg", "application/pdf", "application/x-ndjson", "text/csv"}) {
    EXPECT_EQ(plan(llm(), type), "streams 1000") << type;
  }
  for (const char* type : {"application/json", "Application/JSON ; charset=utf-8", "application/problem+json", "",
                           "text/plain", "application/x-www-form-urlencoded", "application/sdp"}) {
    EXPECT_EQ(plan(llm(), type), "kept 200") << type;
  }
}

// What was no JSON by its type passed through unread, wherever it went, and named things on its way (kind: what was not
// looked at gives nothing).
TEST(BodyPlan, OnlyWhatGoesToAPlaceForFilesPassesThrough) {
  Service streaming = llm();
  streaming.stream_uploads = true;
  for (const Service& service : {llm(), streaming}) {
    for (const char* type : {"multipart/form-data; boundary=x", "application/octet-stream", "*/*", "text/html"}) {
      for (const char* path : {"/v1/containers/c/files", "/v1/vector_stores/v/files", "/v1/videos/edits", "/v1/videos",
                               "/v1/images/edits", "/v1/responses", "/v1/audio/voices", "/v1/files/f/content"})
        EXPECT_EQ(plan(service, type, 150, path), "kept 200") << type << path;
    }
  }
  for (const char* path : {"/v1/files", "/v1/uploads/u/parts", "/v1/audio/translations", "/openai/v1/files",
                           "/openai/deployments/d/audio/transcriptions"})
    EXPECT_EQ(plan(llm(), "multipart/form-data; boundary=x", 150, path), "streams 1000") << path;
}

TEST(BodyPlan, GenericServicesKeepEverythingUntilTheyAreToldOtherwise) {
  EXPECT_EQ(plan(generic(), "multipart/form-data; boundary=x"), "kept 100");
  EXPECT_EQ(plan(generic(), "application/json"), "kept 100");
  Service streaming = generic();
  streaming.stream_uploads = true;
  EXPECT_EQ(plan(streaming, "application/json"), "streams any!");
  streaming.affinity_rules = {{.method = "POST", .path = "/jobs", .created = {"/id"}, .used = {"/after"}}};
  EXPECT_EQ(plan(streaming, "application/json"), "kept 100");
  EXPECT_EQ(plan(streaming, "application/octet-stream"), "streams any!");
}

// `stream_uploads` lost the pins of JSON bodies.  Stands for requests that nobody reads although they say whose they
// are.
TEST(BodyPlan, StreamUploadsIsAboutFiles) {
  Service streaming = llm();
  streaming.stream_uploads = true;
  EXPECT_EQ(plan(streaming, "application/json"), "kept 200");
  EXPECT_EQ(plan(streaming, "multipart/form-data; boundary=x"), "streams any!");
  EXPECT_EQ(plan(streaming, ""), "streams any!");
}

TEST(BodyPlan, AFileThatIsCalledJsonIsAFile) {
  Service gemini = llm();
  gemini.api_format = "gemini_native";
  const std::string path = "/upload/v1beta/files?upload_id=abc&upload_protocol=resumable";
  EXPECT_EQ(plan(gemini, "application/json", 9, path), "streams 1000");
  EXPECT_EQ(plan(gemini, "", 9, path), "streams 1000");
  EXPECT_EQ(plan(gemini, "application/json", 9, "/upload/v1beta/files"), "kept 200");
}

TEST(BodyPlan, GenerationCallsOfOrdinaryLengthAreKeptForAnotherKey) {
  const std::string path = "/v1/audio/transcriptions";
  EXPECT_EQ(plan(llm(), "multipart/form-data; boundary=x", 100, path), "kept 100");
  EXPECT_EQ(plan(llm(), "multipart/form-data; boundary=x", 101, path), "streams 1000");
}

}  // namespace
}  // namespace akr
