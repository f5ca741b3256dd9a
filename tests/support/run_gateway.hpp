// run_gateway.hpp - the whole gateway in this process, on a free port, with a data directory of its own.
//
//   TestGateway gateway;
//   gateway.add_service({.slug = "s", .target_url = upstream.url(), .keys = 3});
//   gateway.get("/proxy/s/a").status
//
// Configured as a user would: settings from an environment, services and keys through the admin API.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/app.hpp"
#include "config/load.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/temp_dir.hpp"

namespace akr::test {

// What this process writes to its standard output and error, for as long as it lives.
class CapturedOutput {
 public:
  CapturedOutput();
  CapturedOutput(const CapturedOutput&) = delete;
  CapturedOutput& operator=(const CapturedOutput&) = delete;
  ~CapturedOutput();
  std::string text() const;

 private:
  TempDir directory_;
  int saved_[2] = {-1, -1};
};

struct ServiceSpec {
  std::string slug = "s";
  std::string target_url;
  int keys = 1;
  bool llm = false;
  std::string api_format = "openai_compatible";
  std::string method = "ANY";
  // More members of the admin API's JSON, each with a leading comma: R"(,"max_attempts":1)".  Generic services send
  // their key as "Authorization: Bearer ..." unless this places it.
  std::string more;
};

class TestGateway {
 public:
  static constexpr std::string_view kAccessKey = "client-access-key-0123456789";
  static constexpr std::string_view kPassword = "integration-Passw0rd-41";

  // `environment` wins over the defaults made for tests: two workers, no access log, no drain delay.  One gateway at a
  // time: the application log belongs to the process.
  explicit TestGateway(const Environment& environment = {});
  TestGateway(const TestGateway&) = delete;
  TestGateway& operator=(const TestGateway&) = delete;
  ~TestGateway();

  std::uint16_t port() const { return app_->port(); }
  App& app() { return *app_; }
  const TempDir& directory() const { return directory_; }
  void stop();

  // Adds it with its keys and returns its id.  Throws std::runtime_error with the answer if that fails.
  std::int64_t add_service(const ServiceSpec& spec);
  // The keys that add_service() makes: "upstream-key-SLUG-001" and so on.
  static std::string key(std::string_view slug, int number);
  void switch_key(std::int64_t service, int number, bool enabled);
  // As the administrator.
  HttpAnswer admin(std::string_view method, std::string_view path, std::string_view body = {});

  // One request over a connection of its own.  `fields` are whole lines; the access key and Host are added.
  HttpAnswer get(std::string_view target, std::string_view fields = {});
  HttpAnswer post(std::string_view target, std::string_view body, std::string_view fields = {});
  HttpClient client() const { return HttpClient(port()); }
  // The text of a request.
  static std::string request(std::string_view method, std::string_view target, std::string_view fields = {},
                             std::string_view body = {});

 private:
  std::string login();

  TempDir directory_;
  std::unique_ptr<Settings> settings_;
  std::unique_ptr<App> app_;
  std::string token_;
};

// The access key as a line of a head.
inline const std::string kKeyField = "X-Proxy-Key: " + std::string(TestGateway::kAccessKey) + "\r\n";

}  // namespace akr::test
