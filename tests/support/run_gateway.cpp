#include "tests/support/run_gateway.hpp"

#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <boost/json.hpp>
#include <fcntl.h>
#include <sodium.h>

#include "base/log.hpp"

namespace akr::test {
namespace {

namespace json = boost::json;

Environment test_environment(const TempDir& directory) {
  return {{"LISTEN_ADDRESS", "127.0.0.1"},
          {"BACKEND_PORT", "0"},
          {"WORKERS", "2"},
          {"ADMIN_PASSWORD", std::string(TestGateway::kPassword)},
          {"GLOBAL_PROXY_KEYS", std::string(TestGateway::kAccessKey)},
          {"DATABASE_PATH", directory.file("gateway.db")},
          {"DATA_DIR", directory.path().string()},
          {"ACCESS_LOG", "false"},
          {"LOG_LEVEL", "error"},
          {"SHUTDOWN_DELAY", "0"},
          {"SHUTDOWN_GRACE", "10"}};
}

std::string key_path(std::int64_t service) { return "/admin/proxy-configs/" + std::to_string(service) + "/keys"; }

bool never_stop(std::chrono::milliseconds patience) {
  std::this_thread::sleep_for(patience);
  return false;
}

void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

}  // namespace

// ---- CapturedOutput

CapturedOutput::CapturedOutput() {
  std::fflush(nullptr);
  const int file = ::open(directory_.file("output").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  for (int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    saved_[fd - 1] = ::dup(fd);
    ::dup2(file, fd);
  }
  ::close(file);
}

CapturedOutput::~CapturedOutput() {
  std::fflush(nullptr);
  for (int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    ::dup2(saved_[fd - 1], fd);
    ::close(saved_[fd - 1]);
  }
}

std::string CapturedOutput::text() const {
  std::fflush(nullptr);
  std::ifstream in(directory_.file("output"));
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

// ---- TestGateway

TestGateway::TestGateway(const Environment& environment) {
  require(sodium_init() >= 0, "libsodium");
  std::signal(SIGPIPE, SIG_IGN);  // as the program does
  std::signal(SIGXFSZ, SIG_IGN);
  Environment whole = environment;
  for (const auto& entry : test_environment(directory_)) whole.insert(entry);
  auto settings = load_settings(whole, "");
  if (!settings) throw std::runtime_error(settings.error().message);
  settings_ = *std::move(settings);
  start_log(settings_->log_level());
  auto app = App::start(*settings_, never_stop);
  if (!app) throw std::runtime_error(app.error().message);
  app_ = *std::move(app);
}

TestGateway::~TestGateway() { stop(); }

void TestGateway::stop() {
  app_.reset();
  stop_log();
}

std::string TestGateway::login() {
  const std::string body = R"({"username":"admin","password":")" + std::string(kPassword) + "\"}";
  const std::string fields = "Content-Type: application/json\r\n";
  const HttpAnswer answer = client().ask(request("POST", "/admin/login", fields, body));
  require(answer.status == 200, "login: " + answer.body);
  return std::string(json::parse(answer.body).as_object().at("access_token").as_string());
}

HttpAnswer TestGateway::admin(std::string_view method, std::string_view path, std::string_view body) {
  if (token_.empty()) token_ = login();
  const std::string fields = "Authorization: Bearer " + token_ + "\r\nContent-Type: application/json\r\n";
  return client().ask(request(method, path, fields, body));
}

std::string TestGateway::key(std::string_view slug, int number) {
  char digits[16];
  std::snprintf(digits, sizeof digits, "-%03d", number);
  return "upstream-key-" + std::string(slug) + digits;
}

std::int64_t TestGateway::add_service(const ServiceSpec& spec) {
  std::string body = R"({"name":")" + spec.slug + R"(","slug":")" + spec.slug + "\"";
  if (spec.llm) {
    body += R"(,"config_type":"LLM","api_format":")" + spec.api_format + R"(","target_base_url":")" + spec.target_url +
            "\"";
  } else {
    body += R"(,"config_type":"GENERIC","method":")" + spec.method + R"(","target_url":")" + spec.target_url + "\"";
    const bool placed = spec.more.find("api_key_name") != std::string::npos;
    if (!placed) body += R"(,"api_key_location":"header","api_key_name":"Authorization","api_key_prefix":"Bearer ")";
  }
  const HttpAnswer made = admin("POST", "/admin/proxy-configs", body + spec.more + "}");
  require(made.status == 201, "service: " + made.body);
  const std::int64_t id = json::parse(made.body).as_object().at("id").as_int64();
  if (spec.keys == 0) return id;
  json::array keys;
  for (int i = 1; i <= spec.keys; ++i) keys.emplace_back(key(spec.slug, i));
  const HttpAnswer added =
      admin("POST", key_path(id) + "/batch", json::serialize(json::object{{"keys", std::move(keys)}}));
  require(added.status == 200, "keys: " + added.body);
  return id;
}

void TestGateway::switch_key(std::int64_t service, int number, bool enabled) {
  const HttpAnswer listed = admin("GET", key_path(service));
  const auto keys = json::parse(listed.body).as_array();
  const auto id = keys.at(static_cast<std::size_t>(number - 1)).as_object().at("id").as_int64();
  const HttpAnswer switched = admin("PATCH", "/admin/keys/" + std::to_string(id),
                                    std::string(R"({"is_active":)") + (enabled ? "true" : "false") + "}");
  require(switched.status == 200, "key: " + switched.body);
}

std::string TestGateway::request(std::string_view method, std::string_view target, std::string_view fields,
                                 std::string_view body) {
  std::string text = std::string(method) + ' ' + std::string(target) + " HTTP/1.1\r\nHost: gateway.test\r\n";
  text += fields;
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + std::string(body);
}

HttpAnswer TestGateway::get(std::string_view target, std::string_view fields) {
  return client().ask(request("GET", target, "X-Proxy-Key: " + std::string(kAccessKey) + "\r\n" + std::string(fields)));
}

HttpAnswer TestGateway::post(std::string_view target, std::string_view body, std::string_view fields) {
  return client().ask(
      request("POST", target, "X-Proxy-Key: " + std::string(kAccessKey) + "\r\n" + std::string(fields), body));
}

}  // namespace akr::test
