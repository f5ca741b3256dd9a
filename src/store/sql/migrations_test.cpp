// A migration that was released is never edited: its checksum stands in people's databases.
#include "store/sql/migrations.hpp"

#include <array>
#include <string_view>

#include <gtest/gtest.h>

#include "store/sql/schema.hpp"

namespace akr {
namespace {

// Only ever added to.
constexpr std::array<std::string_view, 4> kReleased = {
    "b88daafcaa7b8f5bf4084650b6e808e8",
    "cab382ea043e1324af8f3fd0ca72a854",
    "c616709309a7f6904ea9c6739429fa96",
    "8f503490fd49717a4e1313cf28bf899b",
};

TEST(Migrations, AreThoseThatWereReleased) {
  ASSERT_EQ(migrations().size(), kReleased.size());
  for (std::size_t i = 0; i < kReleased.size(); ++i) EXPECT_EQ(checksum_of(migrations()[i]), kReleased[i]) << i + 1;
}

TEST(Migrations, AreNumberedFromOneWithoutAGap) {
  for (std::size_t i = 0; i < migrations().size(); ++i) {
    EXPECT_EQ(migrations()[i].number, static_cast<int>(i) + 1);
    EXPECT_FALSE(migrations()[i].name.empty());
  }
  EXPECT_EQ(migrations().back().number, kSchemaVersion);
}

}  // namespace
}  // namespace akr
