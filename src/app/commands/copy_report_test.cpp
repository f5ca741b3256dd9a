#include "app/commands/copy_report.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace akr {
namespace {

using namespace std::chrono_literals;

TEST(CopyReport, IsATableOfTables) {
  const std::vector<CopiedTable> tables = {{"proxy_configs", 3}, {"api_keys", 100'000}};
  EXPECT_EQ(copy_report(tables),
            "table            rows\n"
            "proxy_configs       3\n"
            "api_keys       100000\n"
            "verified\n");
  EXPECT_EQ(copy_report({}), "table  rows\nverified\n");
}

TEST(CopyReport, ProgressIsALineForEachTableAndOneASecondBetween) {
  std::string lines;
  CopyProgressLines progress([&lines](const std::string& line) { lines += line; });
  const TimePoint start = std::chrono::steady_clock::now();
  progress.note("a", 1, 1, start);
  progress.note("a", 1, 1, start);
  for (int i = 1; i <= 30; ++i) progress.note("b", static_cast<std::uint64_t>(i), 30, start + i * 100ms);
  progress.note("c", 0, 0, start + 3s);
  EXPECT_EQ(lines, "a: 1 of 1\nb: 10 of 30\nb: 20 of 30\nb: 30 of 30\nc: 0 of 0\n");
}

}  // namespace
}  // namespace akr
