#include "config/load.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/backend_choice.hpp"

namespace akr {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr char kKey[] = "an-access-key-0001";

std::unique_ptr<Settings> load(Environment environment, std::string_view dotenv = "") {
  environment.try_emplace("GLOBAL_PROXY_KEYS", kKey);
  auto settings = load_settings(environment, dotenv);
  EXPECT_TRUE(settings) << settings.error().message;
  return settings ? *std::move(settings) : std::make_unique<Settings>();
}

Error refused(const Environment& environment, std::string_view dotenv = "") {
  const auto settings = load_settings(environment, dotenv);
  EXPECT_FALSE(settings);
  return settings ? Error{} : settings.error();
}

TEST(Load, DefaultsAreThoseOfTheContract) {
  const auto settings = load({});
  EXPECT_EQ(settings->port(), 8000U);
  EXPECT_EQ(settings->listen_address(), "::");
  EXPECT_EQ(settings->proxy_timeout(), 30s);
  EXPECT_EQ(settings->max_body_size().bytes, 33554432U);
  EXPECT_EQ(settings->keepalive_timeout(), 75s);
  EXPECT_EQ(settings->admin_username(), "admin");
  EXPECT_TRUE(settings->admin_password().empty());
  EXPECT_EQ(settings->public_base_url().text, "http://localhost:8000");
  EXPECT_EQ(database_at(*settings).file, "data/api_key_rotator.db");
  EXPECT_EQ(data_directory(*settings), "data");
  EXPECT_THAT(settings->warnings, testing::IsEmpty());
}

TEST(Load, EnvironmentWinsOverDotenvAndEmptyCountsAsUnset) {
  const auto settings = load({{"BACKEND_PORT", "1"}, {"WORKERS", ""}}, "BACKEND_PORT=2\nWORKERS=3\nLOG_LEVEL=\n");
  EXPECT_EQ(settings->port(), 1U);
  EXPECT_EQ(settings->port.source(), SettingSource::kEnvironment);
  EXPECT_EQ(settings->workers(), 3U);
  EXPECT_EQ(settings->workers.source(), SettingSource::kDotenv);
  EXPECT_EQ(settings->log_level.source(), SettingSource::kDefault);
}

TEST(Load, ErrorsNameTheSettingTheValueAndWhatIsAllowed) {
  const Error error = refused({{"BACKEND_PORT", "70000"}});
  EXPECT_EQ(error.code, ErrorCode::kInvalid);
  EXPECT_EQ(error.field, "BACKEND_PORT");
  EXPECT_EQ(error.message, "BACKEND_PORT=70000 is not allowed: a whole number, from 0 to 65535");
  EXPECT_THAT(refused({{"PROXY_TIMEOUT", "0"}}).message, HasSubstr("from 1 to 3600"));
  EXPECT_THAT(refused({{"LISTEN_ADDRESS", "localhost"}}).message, HasSubstr("IPv4 or IPv6 address"));
  EXPECT_THAT(refused({{"LOG_LEVEL", "a\nb"}}).message, HasSubstr("LOG_LEVEL=a\\x0ab is not"));
  EXPECT_THAT(refused({{"RESET_DB_TABLES", "1"}}).message, HasSubstr("true or false"));
}

// Every numeric setting: the ends of its range are accepted, what lies beyond them and other words are not.
TEST(Load, EverySettingRefusesNonsenseExceptText) {
  const Settings settings;
  for (const SettingEntries& group : settings.groups()) {
    for (const SettingBase* setting : group.settings) {
      if (setting->allowed().en == "text" || setting->is_secret() || setting->name() == "DB_TYPE") continue;
      const Error error = refused({{std::string(setting->name()), "~nonsense~"}});
      EXPECT_EQ(error.field, setting->name());
      EXPECT_THAT(error.message, HasSubstr(setting->allowed().en));
    }
  }
}

TEST(Load, SecretsAreMaskedInErrors) {
  for (const auto& [name, value] : Environment{{"ENCRYPTION_KEY", "canary-value"},
                                               {"ADMIN_PASSWORD", "canary-pw"},
                                               {"JWT_SECRET", "canary-secret"},
                                               {"DATABASE_URL", "oracle://canary"},
                                               {"REDIS_URL", "canary"},
                                               {"GLOBAL_PROXY_KEYS", "canary-\x01-key-0001"}}) {
    const Error error = refused({{name, value}});
    EXPECT_EQ(error.field, name);
    EXPECT_THAT(error.message, HasSubstr(name + "=**** is not allowed: "));
    EXPECT_THAT(error.message, Not(HasSubstr("canary")));
    EXPECT_THAT(error.message, Not(HasSubstr("\n")));
  }
}

TEST(Load, AccessKeysAreACommaListWithPositionsInErrors) {
  const auto settings = load({{"GLOBAL_PROXY_KEYS", " first-key-000001 ,,second-key-00001"}});
  ASSERT_EQ(settings->global_proxy_keys().size(), 2U);
  EXPECT_EQ(settings->global_proxy_keys()[1].expose(), "second-key-00001");
  EXPECT_THAT(refused({{"GLOBAL_PROXY_KEYS", "first-key-000001,ab\xc3\xa9"}}).message,
              HasSubstr("entry 2 has a control or non-ASCII character at position 3"));
}

TEST(Load, ShortOrMissingAccessKeysAreAWarning) {
  EXPECT_THAT(load({{"GLOBAL_PROXY_KEYS", "short"}})->warnings, Contains(HasSubstr("shorter than 12")));
  EXPECT_THAT(load({{"GLOBAL_PROXY_KEYS", ","}})->warnings, Contains(HasSubstr("GLOBAL_PROXY_KEYS is empty")));
}

TEST(Load, AnUnusableAccessKeyIsRefusedEvenWithInsecureDefaults) {
  EXPECT_EQ(refused({{"GLOBAL_PROXY_KEYS", "a\tb"}, {"ALLOW_INSECURE_DEFAULTS", "true"}}).field, "GLOBAL_PROXY_KEYS");
}

TEST(Load, ABadTrustedProxyIsNamedWithItsEntry) {
  const Error error = refused({{"TRUSTED_PROXIES", "10.0.0.0/8, 10.0.0.300"}});
  EXPECT_EQ(error.field, "TRUSTED_PROXIES");
  EXPECT_THAT(error.message, HasSubstr("'10.0.0.300'"));
  EXPECT_EQ(load({{"TRUSTED_PROXIES", "10.0.0.0/8, ::1"}})->trusted_proxies(), "10.0.0.0/8, ::1");
}

TEST(Load, ProxyHeadersNeedSomebodyToTrust) {
  const Error error = refused({{"PROXY_PROTOCOL", "true"}});
  EXPECT_EQ(error.field, "PROXY_PROTOCOL");
  EXPECT_THAT(error.message, HasSubstr("TRUSTED_PROXIES"));
}

TEST(Load, TlsNeedsBothFiles) {
  EXPECT_EQ(refused({{"TLS_CERT_FILE", "/c.pem"}}).field, "TLS_KEY_FILE");
  EXPECT_EQ(refused({{"TLS_KEY_FILE", "/k.pem"}}).field, "TLS_CERT_FILE");
  EXPECT_EQ(load({{"TLS_CERT_FILE", "/c.pem"}, {"TLS_KEY_FILE", "/k.pem"}})->tls_key_file(), "/k.pem");
}

TEST(Load, AMisspeltNameInDotenvStopsTheStart) {
  EXPECT_THAT(refused({}, "GLOBAL_PROXY_KEY=x").message, HasSubstr("GLOBAL_PROXY_KEYS is meant"));
  EXPECT_THAT(refused({}, "BACKEDN_PORT=1").message, HasSubstr("BACKEND_PORT is meant"));
  EXPECT_THAT(refused({}, "backend_port=1").message, HasSubstr("BACKEND_PORT is meant"));
  EXPECT_THAT(load({}, "TZ=UTC")->warnings, Contains(HasSubstr("TZ in .env")));
  EXPECT_THAT(load({}, "NGINX_PORT=80\nMYSQL_ROOT_PASSWORD=x\nhttp_proxy=http://p")->warnings, testing::IsEmpty());
}

TEST(Load, ProxyVariablesAreReadInSmallLettersToo) {
  EXPECT_EQ(load({{"https_proxy", "http://p:3128"}})->https_proxy().expose(), "http://p:3128");
  EXPECT_EQ(load({{"https_proxy", "b"}, {"HTTPS_PROXY", "a"}})->https_proxy().expose(), "a");
}

TEST(Load, DataDirectoryFollowsTheDatabase) {
  EXPECT_EQ(data_directory(*load({{"DATABASE_PATH", "/srv/akr/keys.db"}})), "/srv/akr");
  EXPECT_EQ(data_directory(*load({{"DATABASE_PATH", "keys.db"}})), ".");
  EXPECT_EQ(data_directory(*load({{"DATABASE_URL", "sqlite:///srv/x.db"}})), "/srv");
  EXPECT_EQ(data_directory(*load({{"DATABASE_PATH", "/srv/keys.db"}, {"DATA_DIR", "/d"}})), "/d");
  EXPECT_EQ(data_directory(*load({{"DATABASE_PATH", "/srv/keys.db"}, {"DB_TYPE", "mysql"}})), "data");
}

class DotenvFile : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/akr-dotenv-XXXXXX";
    directory_ = mkdtemp(pattern);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string directory_;
};

TEST_F(DotenvFile, MissingIsEmptyAndADirectoryIsAnError) {
  EXPECT_EQ(read_dotenv_file(directory_ + "/.env").value(), "");
  EXPECT_FALSE(read_dotenv_file(directory_));
  std::ofstream(directory_ + "/.env") << "A=1\n";
  EXPECT_EQ(read_dotenv_file(directory_ + "/.env").value(), "A=1\n");
}

TEST(ProcessEnvironment, HoldsWhatTheProcessHas) {
  ASSERT_EQ(setenv("AKR_LOAD_TEST", "a=b", 1), 0);
  EXPECT_EQ(process_environment()["AKR_LOAD_TEST"], "a=b");
  unsetenv("AKR_LOAD_TEST");
}

}  // namespace
}  // namespace akr
