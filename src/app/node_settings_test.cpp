#include "app/node_settings.hpp"

#include <gtest/gtest.h>

#include "base/strings.hpp"
#include "config/load.hpp"

namespace akr {
namespace {

Result<void> check(Environment environment) {
  environment.emplace("GLOBAL_PROXY_KEYS", "an-access-key-0001");
  auto settings = load_settings(environment, "");
  return settings ? check_env_proxies(**settings) : settings.error();
}

TEST(EnvProxies, UsableOnesStart) {
  EXPECT_TRUE(check({}));
  EXPECT_TRUE(check({{"USE_ENV_PROXY", "true"}}));
  EXPECT_TRUE(check({{"USE_ENV_PROXY", "true"},
                     {"http_proxy", "proxy.test:3128"},
                     {"HTTPS_PROXY", "socks5h://u:p%40@[::1]:1080/"},
                     {"ALL_PROXY", "https://10.0.0.1:443"}}));
  EXPECT_TRUE(check({{"HTTPS_PROXY", "nonsense"}}));  // not used
}

// Uploads failed in a container whose root file system is read-only: there was no /tmp to keep them in.
TEST(BodyDirectory, IsBesideTheDataWhereNothingElseIsWritable) {
  EXPECT_EQ(body_directory("/srv/spill", "/tmp", "/data"), "/srv/spill");
  EXPECT_EQ(body_directory(nullptr, "/tmp", "/data"), "/tmp");
  EXPECT_EQ(body_directory("", "/tmp", "/data"), "/tmp");
  EXPECT_EQ(body_directory(nullptr, "/no/such/folder", "/data"), "/data");
}

// A proxy of the environment was read in another way than one of a service, and not before the first request.  Stands
// for settings whose URL names another host than the operator reads.
TEST(EnvProxies, OthersStopTheStartWithTheSettingsName) {
  for (const char* url : {"http://127.0.0.1.nip.test:3128", "1.2.3.4.nip.test:3128", "http://[::1]x.test:1",
                          "http://u:hunter2@p@x:1", "http://proxy", "ftp://proxy:1", "http://169.254.169.254:80"}) {
    for (const char* name : {"HTTP_PROXY", "https_proxy", "ALL_PROXY"}) {
      const auto refused = check({{"USE_ENV_PROXY", "true"}, {name, url}});
      ASSERT_FALSE(refused) << name << " " << url;
      EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
      EXPECT_TRUE(iequals(refused.error().field, name)) << refused.error().field;
      EXPECT_EQ(refused.error().message.find("hunter2"), std::string::npos);
    }
  }
  EXPECT_FALSE(check({{"USE_ENV_PROXY", "true"}, {"ALLOW_PRIVATE_UPSTREAMS", "false"}, {"ALL_PROXY", "10.0.0.1:1"}}));
}

BodyLimits limits(Environment environment) {
  environment.emplace("GLOBAL_PROXY_KEYS", "an-access-key-0001");
  return make_node_settings(*load_settings(environment, "").value(), 1, 10).gateway.body;
}

TEST(BodyLimits, ALimitThatWasSetHoldsForAllBodies) {
  const auto text = [](const BodyLimits& made) {
    return std::to_string(made.kept) + " " + std::to_string(made.json) + " " + std::to_string(made.upload);
  };
  EXPECT_EQ(text(limits({})), "33554432 67108864 2147483648");
  EXPECT_EQ(text(limits({{"MAX_BODY_SIZE", "1000"}})), "1000 1000 1000");
  EXPECT_EQ(text(limits({{"MAX_BODY_SIZE", "100M"}})), "104857600 104857600 104857600");
  EXPECT_EQ(text(limits({{"MAX_UPLOAD_SIZE", "5000"}})), "33554432 67108864 5000");
  EXPECT_EQ(text(limits({{"MAX_BODY_SIZE", "1000"}, {"MAX_UPLOAD_SIZE", "5000"}})), "1000 1000 5000");
}

TEST(DatabaseOptions, AServerGetsNoDirectoryAndItsLimits) {
  const auto settings = load_settings({{"DATABASE_URL", "mysql://u:p@db/keys"},
                                       {"DB_POOL_SIZE", "7"},
                                       {"DB_TIMEOUT", "250ms"},
                                       {"DATABASE_PATH", "elsewhere/x.db"},
                                       {"GLOBAL_PROXY_KEYS", "an-access-key-0001"}},
                                      "")
                            .value();
  EXPECT_EQ(first_start_input(*settings).data_directory, "data");
  EXPECT_EQ(first_start_input(*settings).database_directory, "");
  const StoreOptions options = store_options(*settings, FirstStart{});
  EXPECT_EQ(options.at.server.host, "db");
  EXPECT_EQ(options.most_sessions, 7U);
  EXPECT_EQ(options.deadline, std::chrono::milliseconds(250));
}

TEST(DatabaseOptions, AFileHasADirectory) {
  const auto directory = [](const char* path) {
    const Environment environment = {{"DATABASE_PATH", path}, {"GLOBAL_PROXY_KEYS", "an-access-key-0001"}};
    return first_start_input(*load_settings(environment, "").value()).database_directory;
  };
  EXPECT_EQ(directory("/srv/x.db"), "/srv");
  EXPECT_EQ(directory("x.db"), ".");
}

}  // namespace
}  // namespace akr
