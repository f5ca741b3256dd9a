#include "base/pointer_set.hpp"

#include <string>

#include <gtest/gtest.h>

namespace akr {
namespace {

PointerSet set_of(std::initializer_list<std::string_view> patterns) {
  PointerSet set;
  for (const std::string_view each : patterns) set.add(each);
  return set;
}

TEST(PointerSet, FitsTokenByToken) {
  const PointerSet set = set_of({"/data/*/id", "/id", "/a/*/c", "/a/b/d", "/x/"});
  for (const char* pointer : {"/data/17/id", "/id", "/a/b/c", "/a/b/d", "/a/z/c", "/x/"})
    EXPECT_TRUE(set.fits(pointer)) << pointer;
  for (const char* pointer : {"/data/17/id/x", "/data/17", "/ids", "/a/z/d", "/x", "/x//", "", "/", "/data//ids"})
    EXPECT_FALSE(set.fits(pointer)) << pointer;
}

TEST(PointerSet, KnowsWhereNothingCanFollow) {
  const PointerSet set = set_of({"/data/*/id", "/id"});
  for (const char* pointer : {"", "/data", "/data/3"}) EXPECT_TRUE(set.reaches_below(pointer)) << pointer;
  for (const char* pointer : {"/id", "/data/3/id", "/other", "/data/3/x"})
    EXPECT_FALSE(set.reaches_below(pointer)) << pointer;
}

TEST(PointerSet, TheEmptyOneFitsNothing) {
  EXPECT_TRUE(PointerSet().empty());
  EXPECT_FALSE(PointerSet().fits("/id"));
  EXPECT_FALSE(PointerSet().fits(""));
  EXPECT_FALSE(PointerSet().reaches_below(""));
  EXPECT_TRUE(set_of({""}).fits(""));  // the whole document
  EXPECT_FALSE(set_of({"/id"}).empty());
}

}  // namespace
}  // namespace akr
