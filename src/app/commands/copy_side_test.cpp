#include "app/commands/copy_side.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/build_name.hpp"
#include "store/open.hpp"

namespace akr {
namespace {

using testing::HasSubstr;
using testing::Not;

const Environment kVariables = {{"OLD", "sqlite:/srv/old.db"}, {"BAD", "mysql://u:canary@db:x/keys"}, {"EMPTY", ""}};

TEST(CopySide, IsAnAddressOrAVariableThatHoldsOne) {
  EXPECT_EQ(read_copy_side("from", "sqlite:x.db", {}).value().file, "x.db");
  EXPECT_EQ(read_copy_side("from", "env:OLD", kVariables).value().file, "/srv/old.db");
}

TEST(CopySide, WhatIsWrongIsSaidWithTheSideAndWithoutTheAddress) {
  const std::pair<const char*, const char*> cases[] = {{"env:NONE", "--to: there is no variable NONE"},
                                                       {"env:EMPTY", "--to: there is no variable EMPTY"},
                                                       {"env:BAD", "--to: this address cannot be used: its port"},
                                                       {"mysql://u:canary@db", "it names no database"},
                                                       {"canary", "begin with one of sqlite:"}};
  for (const auto& [written, reason] : cases) {
    const auto side = read_copy_side(kToSide, written, kVariables);
    ASSERT_FALSE(side) << written;
    EXPECT_EQ(side.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(side.error().message, HasSubstr(reason));
    EXPECT_THAT(side.error().message, Not(HasSubstr("canary")));
  }
}

TEST(CopySide, ADatabaseThatThisBuildLacksIsRefused) {
  for (const DatabaseKindRow& row : kDatabaseKinds) {
    if (is_built_in(row.kind)) continue;
    const auto side = read_copy_side(kFromSide, std::string(row.words[0]) + "://db/keys", {});
    ASSERT_FALSE(side) << row.title;
    EXPECT_EQ(side.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(side.error().message, HasSubstr("--from: " + not_in_this_build(row.kind)));
  }
}

TEST(CopySide, ErrorsAreNamedAndEndAsTheirSideDoes) {
  const DatabaseAddress file{.kind = DatabaseKind::kSqlite, .file = "x.db"};
  const DatabaseAddress server{.kind = DatabaseKind::kMysql};
  const Error away{ErrorCode::kStoreUnavailable, "There is no answer.", "from"};
  EXPECT_EQ(with_side(away).message, "--from: there is no answer");
  EXPECT_EQ(with_side({ErrorCode::kInternal, "x"}).message, "x");
  EXPECT_EQ(copy_exit_status(away, server, file), 75);
  EXPECT_EQ(copy_exit_status(away, file, server), 73);
  EXPECT_EQ(copy_exit_status({ErrorCode::kStoreUnavailable, "DATA_DIR"}, server, server), 73);
  EXPECT_EQ(copy_exit_status({ErrorCode::kConflict, "x", "to"}, file, server), 1);
  EXPECT_EQ(copy_exit_status({ErrorCode::kStoreRefused, "x", "to"}, file, server), 78);
}

}  // namespace
}  // namespace akr
