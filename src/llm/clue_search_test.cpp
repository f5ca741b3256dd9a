#include "llm/clue_search.hpp"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace akr {
namespace {

constexpr std::string_view kClues[] = {R"("store":)", R"("modalities":)"};
constexpr std::string_view kThree[] = {R"("store":)", R"("modalities":)", R"("third")"};

TEST(ClueSearch, FindsAClueAtAnyPlace) {
  for (std::size_t before = 0; before < 100; ++before) {
    for (std::size_t after = 0; after < 70; ++after) {
      const std::string head(before, '"'), tail(after, 'r');
      EXPECT_TRUE(has_clue(head + R"("store":)" + tail, kClues)) << before << ' ' << after;
      EXPECT_TRUE(has_clue(head + R"("modalities":)" + tail, kClues)) << before << ' ' << after;
      EXPECT_TRUE(has_clue(head + R"("third")" + tail, kThree)) << before << ' ' << after;
      EXPECT_FALSE(has_clue(head + R"("stor":)" + tail, kClues)) << before << ' ' << after;
      EXPECT_FALSE(has_clue(head + R"("modalities")" + tail, kClues)) << before << ' ' << after;
    }
  }
  EXPECT_FALSE(has_clue("", kClues));
  EXPECT_FALSE(has_clue(R"("store":)", {}));
}

TEST(ClueSearch, SaysTheSameAsAPlainSearch) {
  std::mt19937 random(3);
  constexpr std::string_view kAlphabet = R"(":storemdali)";
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto length = random() % 120; length > 0; --length) text += kAlphabet[random() % kAlphabet.size()];
    if (random() % 2 == 0) text.insert(random() % (text.size() + 1), R"("store":)");
    const bool plain = text.find(kClues[0]) != std::string::npos || text.find(kClues[1]) != std::string::npos;
    EXPECT_EQ(has_clue(text, kClues), plain) << text;
  }
}

}  // namespace
}  // namespace akr
