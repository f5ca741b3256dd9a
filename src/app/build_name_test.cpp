#include "app/build_name.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/open.hpp"

namespace akr {
namespace {

using testing::HasSubstr;

TEST(BuildName, IsThatOfTheServersItHas) {
  EXPECT_EQ(build_name([](DatabaseKind) { return true; }), "enterprise");
  EXPECT_EQ(build_name([](DatabaseKind kind) { return kind == DatabaseKind::kSqlite; }), "light");
  EXPECT_EQ(build_name([](DatabaseKind kind) { return kind != DatabaseKind::kMysql; }), "custom");
  EXPECT_EQ(build_name(), build_name(&is_built_in));
}

TEST(BuildName, WhatIsLackingIsFoundInTheOtherBuild) {
  const std::string said = not_in_this_build(DatabaseKind::kPostgresql);
  EXPECT_THAT(said, HasSubstr("has no PostgreSQL"));
  EXPECT_THAT(said, HasSubstr("the enterprise build (image api-key-rotator:enterprise, CMake preset enterprise)"));
}

}  // namespace
}  // namespace akr
