#include "core/keys/pool/flat_index.hpp"

#include <unordered_map>

#include <gtest/gtest.h>

#include "core/keys/selection/random_source.hpp"

namespace akr {
namespace {

TEST(FlatIndexTest, DoesWhatAnOrdinaryMapDoes) {
  FlatIndex index;
  std::unordered_map<std::uint64_t, std::uint32_t> model;
  Random random(5);
  EXPECT_EQ(index.find(0), FlatIndex::kNone);
  index.erase(0);
  for (std::uint32_t step = 0; step < 200'000; ++step) {
    // Few different keys, so that runs form and are torn open again; 0 is a key like any other.
    const std::uint64_t key = random.below(600) * (step % 2 == 0 ? 1ULL : 0x1000000000ULL);
    if (model.contains(key)) {
      ASSERT_EQ(index.find(key), model[key]);
      index.erase(key);
      model.erase(key);
    } else {
      ASSERT_EQ(index.find(key), FlatIndex::kNone);
      index.insert(key, step);
      model[key] = step;
    }
    ASSERT_EQ(index.size(), model.size());
  }
  for (const auto& [key, place] : model) EXPECT_EQ(index.find(key), place);
}

TEST(FlatIndexTest, ANoteStaysWithItsKeyWhateverMoves) {
  FlatIndex index;
  for (std::uint32_t key = 0; key < 500; ++key) index.insert(key, key, key);
  for (std::uint32_t key = 0; key < 500; key += 3) index.set_note(*index.look(key), key + 1000);
  for (std::uint32_t key = 0; key < 500; key += 2) index.erase(key);
  for (std::uint32_t key = 1; key < 500; key += 2) EXPECT_EQ(index.look(key)->note, key % 3 == 0 ? key + 1000 : key);
  EXPECT_EQ(index.look(2), nullptr);
}

}  // namespace
}  // namespace akr
