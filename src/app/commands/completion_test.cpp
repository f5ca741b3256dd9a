#include "app/commands/completion.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akr {
namespace {

using testing::HasSubstr;

CommandOutline sample() {
  const ArgumentOutline help{.names = {"-h", "--help"}, .meaning = "Prints help"};
  const ArgumentOutline file{.value = "FILE", .meaning = "Isn't there: [yet]", .required = true};
  const ArgumentOutline tongue{.names = {"--lang"}, .value = "TEXT", .choices = {"en", "zh-CN"}, .meaning = "Language"};
  return {.name = "api-key-rotator",
          .meaning = "A gateway",
          .arguments = {help},
          .commands = {{.name = "copy", .meaning = "Copies", .arguments = {help, file}, .commands = {}},
                       {.name = "docs", .meaning = "Prints docs", .arguments = {tongue}, .commands = {}}}};
}

TEST(Completion, BashOffersCommandsOptionsAndChoices) {
  const std::string script = bash_completion(sample());
  EXPECT_THAT(script, HasSubstr("    :*) words='copy docs -h --help' ;;\n"));
  EXPECT_THAT(script, HasSubstr("    docs:--lang) words='en zh-CN' ;;\n"));
  EXPECT_THAT(script, HasSubstr("    copy:*) words='-h --help'; mapfile -t COMPREPLY < <(compgen -f"));
}

TEST(Completion, ZshEscapesWhatItsDescriptionsCannotHold) {
  const std::string script = zsh_completion(sample());
  EXPECT_TRUE(script.starts_with("#compdef api-key-rotator\n"));
  EXPECT_THAT(script, HasSubstr("'--lang[Language]:TEXT:(en zh-CN)'"));
  EXPECT_THAT(script, HasSubstr("':FILE:_files'"));
}

TEST(Completion, FishTakesFilesOnlyWhereOneIsMeant) {
  const std::string script = fish_completion(sample());
  EXPECT_THAT(script, HasSubstr("-n '__fish_seen_subcommand_from copy' -F -d 'Isnt there: [yet]'\n"));
  EXPECT_THAT(script, HasSubstr("-n '__fish_seen_subcommand_from docs' -l lang -f -x -a 'en zh-CN' -d 'Language'\n"));
}

}  // namespace
}  // namespace akr
