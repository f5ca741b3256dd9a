#include "net/loop/buffer.hpp"

#include <cstring>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace akr::net {
namespace {

TEST(Buffer, HasTheNextLargerSize) {
  EXPECT_EQ(Buffer::lease(1).capacity(), Buffer::kSmall);
  EXPECT_EQ(Buffer::lease(Buffer::kSmall).capacity(), Buffer::kSmall);
  EXPECT_EQ(Buffer::lease(Buffer::kSmall + 1).capacity(), Buffer::kMedium);
  EXPECT_EQ(Buffer::lease(Buffer::kMedium + 1).capacity(), Buffer::kLarge);
}

TEST(Buffer, MovesAndReleases) {
  Buffer one = Buffer::lease(Buffer::kSmall);
  one.data()[0] = 'x';
  Buffer two = std::move(one);
  EXPECT_FALSE(one);  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(two.data()[0], 'x');
  two = Buffer::lease(Buffer::kMedium);
  EXPECT_EQ(two.capacity(), Buffer::kMedium);
  two.release();
  EXPECT_FALSE(two);
  two.release();
}

TEST(Buffer, LeasesAreDistinctAndUsableToTheLastByte) {
  std::vector<Buffer> all;
  for (int round = 0; round < 2; ++round) {
    for (const std::size_t size : {Buffer::kSmall, Buffer::kMedium, Buffer::kLarge}) {
      for (int i = 0; i < 100; ++i) {
        all.push_back(Buffer::lease(size));
        std::memset(all.back().data(), i, size);
      }
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(all[i].data()[all[i].capacity() - 1], static_cast<char>(i % 100));
    }
    all.clear();
  }
}

}  // namespace
}  // namespace akr::net
