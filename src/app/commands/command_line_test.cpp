#include "app/commands/command_line.hpp"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/build_name.hpp"
#include "config/describe.hpp"

namespace akr {
namespace {

using testing::HasSubstr;

Command parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "api-key-rotator");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

PrintCommand printed(std::vector<const char*> arguments) {
  const Command command = parse(std::move(arguments));
  const auto* print = std::get_if<PrintCommand>(&command);
  EXPECT_NE(print, nullptr);
  return print == nullptr ? PrintCommand{} : *print;
}

TEST(CommandLine, NothingMeansServe) { EXPECT_TRUE(std::holds_alternative<ServeCommand>(parse({}))); }

TEST(CommandLine, HealthcheckHasTwoSpellings) {
  EXPECT_TRUE(std::holds_alternative<HealthcheckCommand>(parse({"healthcheck"})));
  EXPECT_TRUE(std::holds_alternative<HealthcheckCommand>(parse({"--health-check"})));
}

TEST(CommandLine, PlainCopyNeedsAFile) {
  const Command command = parse({"plain-copy", "old.db"});
  ASSERT_TRUE(std::holds_alternative<PlainCopyCommand>(command));
  EXPECT_EQ(std::get<PlainCopyCommand>(command).path, "old.db");
  EXPECT_EQ(printed({"plain-copy"}).exit_code, kExitUsage);
}

TEST(CommandLine, CopyDatabaseNeedsBothSides) {
  const Command command = parse({"copy-database", "--from", "env:OLD", "--to=sqlite:new.db"});
  ASSERT_TRUE(std::holds_alternative<CopyDatabaseCommand>(command));
  EXPECT_EQ(std::get<CopyDatabaseCommand>(command).from, "env:OLD");
  EXPECT_EQ(std::get<CopyDatabaseCommand>(command).to, "sqlite:new.db");
  EXPECT_EQ(printed({"copy-database", "--from", "env:OLD"}).exit_code, kExitUsage);
  EXPECT_EQ(printed({"copy-database", "a", "b"}).exit_code, kExitUsage);
}

TEST(CommandLine, HelpNamesCommandsSettingsAndExitCodes) {
  const PrintCommand help = printed({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* word : {"healthcheck", "env-example", "BACKEND_PORT [8000]", "Exit codes", "--version"}) {
    EXPECT_THAT(help.text, HasSubstr(word));
  }
}

TEST(CommandLine, VersionIsOneLineWithTheBuild) {
  EXPECT_EQ(printed({"--version"}).text, "api-key-rotator " AKR_VERSION " (" + std::string(build_name()) + ")\n");
}

TEST(CommandLine, GeneratedTextsComeAsTheyAre) {
  EXPECT_EQ(printed({"docs"}).text, configuration_markdown(Language::kEnglish));
  EXPECT_EQ(printed({"docs", "--lang", "en"}).text, configuration_markdown(Language::kEnglish));
  EXPECT_EQ(printed({"docs", "--lang", "zh-CN"}).text, configuration_markdown(Language::kChinese));
  EXPECT_EQ(printed({"env-example"}).text, env_example());
}

TEST(CommandLine, ManPageAndCompletionsKnowWhatIsDefinedHere) {
  const std::string page = printed({"man-page"}).text;
  EXPECT_THAT(page, HasSubstr("\\fBdocs\\fR [\\fBsettings\\fR|\\fBservice\\-fields\\fR|"));
  EXPECT_THAT(page, HasSubstr("\\fB\\-\\-from\\fR \\fIURL\\fR"));
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const PrintCommand script = printed({"completion", shell});
    EXPECT_EQ(script.exit_code, 0);
    for (const char* word : {"copy-database", "health-check", "service-fields", "zh-CN"}) {
      EXPECT_THAT(script.text, HasSubstr(word)) << shell;
    }
  }
  EXPECT_EQ(printed({"completion"}).exit_code, kExitUsage);
}

TEST(CommandLine, WhatIsUnknownIsAnError) {
  for (const std::vector<const char*>& wrong : {std::vector<const char*>{"serve-me"},
                                                {"--port=1"},
                                                {"docs", "--lang", "fr"},
                                                {"docs", "env-example"},
                                                {"completion", "csh"}}) {
    const PrintCommand refused = printed(wrong);
    EXPECT_EQ(refused.exit_code, kExitUsage) << wrong[0];
    EXPECT_FALSE(refused.text.empty());
  }
}

}  // namespace
}  // namespace akr
