#include "app/commands/man_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace akr {
namespace {

using testing::HasSubstr;

TEST(ManPage, TextIsNeverARequestOfRoff) {
  EXPECT_EQ(roff(".so /etc/passwd"), "\\&.so /etc/passwd");
  EXPECT_EQ(roff("'br"), "\\&\\(aqbr");
  EXPECT_EQ(roff("a\\nb\n.ig"), "a\\enb .ig");
}

TEST(ManPage, DashesCanBeCopiedAndCodeIsBold) { EXPECT_EQ(roff("see `--help`"), "see \\fB\\-\\-help\\fR"); }

TEST(ManPage, HoldsCommandsSettingsAndExitCodes) {
  const ArgumentOutline file{.value = "FILE", .meaning = "Must not exist", .required = true};
  const CommandOutline copy{.name = "plain-copy", .meaning = "Copies", .arguments = {file}, .commands = {}};
  const std::string page =
      man_page({.name = "api-key-rotator", .meaning = "Rotates", .arguments = {}, .commands = {copy}});
  EXPECT_THAT(page, HasSubstr(".TP\n\\fBplain\\-copy\\fR \\fIFILE\\fR\nCopies.\n.IP\n\\fBFILE\\fR: Must not exist.\n"));
  EXPECT_THAT(page, HasSubstr(".TP\n\\fBBACKEND_PORT\\fR [8000]\n"));
  EXPECT_THAT(page, HasSubstr(".TP\n\\fB78\\fR\n"));
}

}  // namespace
}  // namespace akr
