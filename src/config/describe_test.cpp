#include "config/describe.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.hpp"

namespace akr {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Describe, EveryTextNamesEverySetting) {
  const std::string help = settings_help();
  const std::string example = env_example();
  const std::string english = configuration_markdown(Language::kEnglish);
  const std::string chinese = configuration_markdown(Language::kChinese);
  std::set<std::string_view> names;
  const Settings settings;
  for (const SettingEntries& group : settings.groups()) {
    EXPECT_FALSE(group.settings.empty()) << group.title.en;
    for (const SettingBase* setting : group.settings) {
      const std::string name(setting->name());
      EXPECT_TRUE(names.insert(setting->name()).second) << name << " is declared twice";
      EXPECT_THAT(help, HasSubstr("  " + name));
      EXPECT_THAT(example, HasSubstr("\n#" + name + "="));
      EXPECT_THAT(english, HasSubstr("| `" + name + "` |"));
      EXPECT_THAT(chinese, HasSubstr("| `" + name + "` |"));
      EXPECT_FALSE(setting->meaning().en.empty() || setting->meaning().zh.empty()) << name;
      EXPECT_NE(setting->meaning().en, setting->meaning().zh) << name;
    }
  }
}

TEST(Describe, TheExampleFileWithEveryLineUncommentedLoads) {
  std::string text;
  for (std::string line; const char c : env_example()) {
    line += c;
    if (c != '\n') continue;
    const bool is_setting = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    text += is_setting ? line.substr(1) : line;
    line.clear();
  }
  EXPECT_THAT(text, HasSubstr("\nBACKEND_PORT=8000\n"));
  const auto settings = load_settings({}, text);
  EXPECT_TRUE(settings) << settings.error().message;
}

TEST(Describe, TheDumpMasksSecretsAndNamesTheSource) {
  const auto settings = load_settings({{"ADMIN_PASSWORD", "canary-password"}, {"GLOBAL_PROXY_KEYS", "canary-key-0001"}},
                                      "BACKEND_PORT=9000\n");
  ASSERT_TRUE(settings);
  for (const ShownSetting& shown : masked_dump(**settings)) {
    EXPECT_THAT(shown.value, Not(HasSubstr("canary"))) << shown.name;
    if (shown.name == "ADMIN_PASSWORD") {
      EXPECT_EQ(shown.value, "****");
      EXPECT_EQ(shown.source, "environment");
    }
    if (shown.name == "BACKEND_PORT") {
      EXPECT_EQ(shown.value, "9000");
      EXPECT_EQ(shown.source, ".env");
    }
    if (shown.name == "JWT_SECRET") EXPECT_EQ(shown.value, "");
  }
}

}  // namespace
}  // namespace akr
