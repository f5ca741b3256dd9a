// admin_fixture.hpp - for tests: a whole control plane over a SQLite database in a directory of its own.
#pragma once

#include <memory>
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "admin/admin_api.hpp"
#include "admin/known_formats.hpp"
#include "admin/publisher.hpp"
#include "cluster/open.hpp"
#include "store/open.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/temp_dir.hpp"

namespace akr {

class AdminFixture : public testing::Test {
 protected:
  static constexpr const char* kPassword = "correct horse battery";

  AdminFixture() { start(); }

  // The same database, opened by a new process.
  void restart() {
    api_.reset();
    publisher_.reset();
    database_.reset();
    token_.clear();
    start();
  }
  void start() {
    database_ = open_database({.at = sqlite_file(directory_.file("test.db")),
                               .encryption_key = Secret(std::string(32, 'k')),
                               .clock = &clock_})
                    .value();
    publisher_ = std::make_unique<Publisher>(
        database_->config(), *cluster_, ValidationPolicy{.formats = known_formats()},
        [this](auto table) { table_ = std::move(table); }, clock_);
    publisher_->refresh().value();
    AdminSettings settings{.username = "admin",
                           .password = PasswordVerifier::plain(Secret(kPassword)),
                           .session_secret = Secret(std::string(32, 's')),
                           .public_base_url = "https://gw.example/base",
                           .validation = {.formats = known_formats()},
                           .data_plane = {.status_of = [](ErrorCode code) { return 1000 + static_cast<int>(code); },
                                          .hash_affinity =
                                              [](std::string_view key, std::string_view session) {
                                                return std::hash<std::string>()(std::string(key).append(session)) | 1;
                                              }}};
    api_ = std::make_unique<AdminApi>(settings, database_->config(), *publisher_, clock_);
  }

  AdminRequest request(const std::string& method, const std::string& path, const std::string& body = "") {
    AdminRequest made{.method = method, .path = path, .body = body, .client_ip = "10.0.0.1", .request_id = "req_1"};
    made.headers.emplace_back("host", "gw.example");
    if (!body.empty()) made.headers.emplace_back("content-type", "application/json");
    return made;
  }
  AdminResponse send(const AdminRequest& made) { return api_->handle(made); }

  std::string token() {
    if (token_.empty()) {
      const auto answer =
          send(request("POST", "/admin/login", std::string(R"({"username":"admin","password":")") + kPassword + "\"}"));
      token_ = json(answer).at("access_token").as_string();
    }
    return token_;
  }
  // As a logged-in script.
  AdminResponse call(const std::string& method, const std::string& path, const std::string& body = "",
                     const HeaderList& more = {}) {
    AdminRequest made = request(method, path, body);
    made.headers.emplace_back("authorization", "Bearer " + token());
    made.headers.insert(made.headers.end(), more.begin(), more.end());
    return send(made);
  }

  static boost::json::object json(const AdminResponse& answer) { return boost::json::parse(answer.body).as_object(); }
  static boost::json::array array(const AdminResponse& answer) { return boost::json::parse(answer.body).as_array(); }
  static std::string header(const AdminResponse& answer, const std::string& name) {
    for (const auto& [key, value] : answer.headers) {
      if (key == name) return value;
    }
    return "";
  }
  // A service that exists; its id.
  std::int64_t make_service(const std::string& slug) {
    const auto answer = call("POST", "/admin/proxy-configs",
                             R"({"name":")" + slug + R"(","slug":")" + slug +
                                 R"(","config_type":"GENERIC","method":"GET","target_url":"https://a.example"})");
    EXPECT_EQ(answer.status, 201) << answer.body;
    return json(answer).at("id").as_int64();
  }
  std::string keys_path(std::int64_t id) { return "/admin/proxy-configs/" + std::to_string(id) + "/keys"; }

  ManualClock clock_;
  TempDir directory_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<ClusterState> cluster_ = open_cluster_state(ClusterKind::kLocal).value();
  std::shared_ptr<const RoutingTable> table_;
  std::unique_ptr<Publisher> publisher_;
  std::unique_ptr<AdminApi> api_;
  std::string token_;
};

}  // namespace akr
