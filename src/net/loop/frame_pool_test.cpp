#include "net/loop/frame_pool.hpp"

#include <cstring>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace akr::net {
namespace {

TEST(FramePool, GivesDistinctMemoryOfAnySize) {
  for (int round = 0; round < 3; ++round) {
    std::vector<std::pair<void*, std::size_t>> frames;
    for (const std::size_t size : {1U, 127U, 128U, 129U, 3072U, 3073U, 100'000U}) {
      for (int i = 0; i < 80; ++i) {
        frames.emplace_back(allocate_frame(size), size);
        std::memset(frames.back().first, i, size);
      }
    }
    for (std::size_t i = 0; i < frames.size(); ++i) {
      EXPECT_EQ(static_cast<char*>(frames[i].first)[frames[i].second - 1], static_cast<char>(i % 80));
      free_frame(frames[i].first, frames[i].second);
    }
  }
}

}  // namespace
}  // namespace akr::net
