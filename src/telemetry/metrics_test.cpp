#include "telemetry/metrics.hpp"

#include <chrono>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "base/strings.hpp"

namespace akr {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// `service` outlives it.
RequestRecord record(std::string_view service, int status) {
  RequestRecord made;
  made.service_id = 1;
  for (char c : service) made.service_id = made.service_id * 131 + c;
  made.service = service;
  made.status = status;
  made.source = AnswerSource::kUpstream;
  made.attempts = 1;
  made.total = milliseconds(7);
  made.overhead = microseconds(60);
  return made;
}

bool has_line(const std::string& text, std::string_view line) {
  for (std::string_view each : split(text, '\n')) {
    if (each == line) return true;
  }
  return false;
}

TEST(Metrics, CountsByServiceAndStatusOverAllWorkers) {
  Metrics metrics(2);
  metrics.shard(0).record(record("a", 200));
  metrics.shard(1).record(record("a", 200));
  metrics.shard(1).record(record("a", 429));
  metrics.shard(1).record(record("b", 200));
  const std::string text = metrics.expose({});
  EXPECT_TRUE(has_line(text, R"(rotator_requests_total{service="a",status="200"} 2)")) << text;
  EXPECT_TRUE(has_line(text, R"(rotator_requests_total{service="a",status="429"} 1)"));
  EXPECT_TRUE(has_line(text, R"(rotator_requests_total{service="b",status="200"} 1)"));
  EXPECT_TRUE(has_line(text, R"(rotator_upstream_attempts_total{service="a"} 3)"));
  EXPECT_TRUE(has_line(text, "# TYPE rotator_requests_total counter"));
}

TEST(Metrics, CountsBytesCutsAndOwnErrors) {
  Metrics metrics(1);
  RequestRecord made = record("a", 502);
  made.source = AnswerSource::kGateway;
  made.error = "upstream_timeout";
  made.cut = true;
  made.bytes_in = 10;
  made.bytes_out = 20;
  metrics.shard(0).record(made);
  const std::string text = metrics.expose({});
  for (const char* line :
       {R"(rotator_gateway_errors_total{service="a"} 1)", R"(rotator_cut_answers_total{service="a"} 1)",
        R"(rotator_errors_total{code="upstream_timeout"} 1)", R"(rotator_request_body_bytes_total{service="a"} 10)",
        R"(rotator_answer_body_bytes_total{service="a"} 20)"}) {
    EXPECT_TRUE(has_line(text, line)) << line << "\n" << text;
  }
}

TEST(Metrics, HistogramsAreCumulative) {
  Metrics metrics(1);
  metrics.shard(0).record(record("a", 200));  // 7 ms, 60 us of them ours
  const std::string text = metrics.expose({});
  for (const char* line :
       {R"(rotator_request_duration_seconds_bucket{service="a",le="0.005"} 0)",
        R"(rotator_request_duration_seconds_bucket{service="a",le="0.01"} 1)",
        R"(rotator_request_duration_seconds_bucket{service="a",le="+Inf"} 1)",
        R"(rotator_request_duration_seconds_count{service="a"} 1)",
        R"(rotator_request_duration_seconds_sum{service="a"} 0.007)", "rotator_added_latency_seconds_count 1"}) {
    EXPECT_TRUE(has_line(text, line)) << line << "\n" << text;
  }
}

TEST(Metrics, RequestsWithoutAnAttemptAddNoLatency) {
  Metrics metrics(1);
  RequestRecord made = record("a", 404);
  made.attempts = 0;
  metrics.shard(0).record(made);
  EXPECT_TRUE(has_line(metrics.expose({}), "rotator_added_latency_seconds_count 0"));
}

TEST(Metrics, RequestsOfNoServiceCountToo) {
  Metrics metrics(1);
  metrics.shard(0).record(RequestRecord{.status = 400});
  EXPECT_TRUE(has_line(metrics.expose({}), R"(rotator_requests_total{service="",status="400"} 1)"));
}

TEST(Metrics, GaugesOfOneNameAreOneFamily) {
  Metrics metrics(1);
  const std::string text = metrics.expose({{"rotator_keys", "Keys.", {{"service", "a"}, {"state", "active"}}, 3},
                                           {"rotator_other", "Other.", {}, 1},
                                           {"rotator_keys", "Keys.", {{"service", "b"}, {"state", "active"}}, 4}});
  EXPECT_TRUE(has_line(text, R"(rotator_keys{service="a",state="active"} 3)"));
  EXPECT_TRUE(has_line(text, R"(rotator_keys{service="b",state="active"} 4)"));
  const auto first = text.find("# TYPE rotator_keys gauge");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(text.find("# TYPE rotator_keys gauge", first + 1), std::string::npos);
}

TEST(Metrics, StatusesWithoutARowShareTheirClass) {
  EXPECT_EQ(status_label(status_slot(200)), "200");
  EXPECT_EQ(status_label(status_slot(429)), "429");
  EXPECT_EQ(status_label(status_slot(418)), "4xx");
  EXPECT_EQ(status_label(status_slot(599)), "5xx");
  EXPECT_EQ(status_label(status_slot(103)), "1xx");
  for (int odd : {0, -1, 600, 10'000}) EXPECT_EQ(status_label(status_slot(odd)), "other") << odd;
}

TEST(Metrics, MayBeReadWhileAWorkerWrites) {
  Metrics metrics(1);
  std::thread writer([&] {
    for (int i = 0; i < 2000; ++i) {
      const std::string service = "s" + std::to_string(i % 20);
      metrics.shard(0).record(record(service, 200));
    }
  });
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(metrics.expose({}).empty());
  writer.join();
  EXPECT_TRUE(has_line(metrics.expose({}), R"(rotator_requests_total{service="s7",status="200"} 100)"));
}

}  // namespace
}  // namespace akr
