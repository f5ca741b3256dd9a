// A flood of logins left 248 MiB and one import 1.9 GB with the process for good.  Stands for: what a peak took is
// given back when it has passed, once, and not while it grows.
#include "app/memory_return.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20;

class MemoryReturnTest : public testing::Test {
 protected:
  void look(std::uint64_t resident, std::uint64_t in_use) {
    use_ = {resident * kMiB, in_use * kMiB};
    return_.look();
  }

  MemoryUse use_;
  std::uint64_t floor_ = 0;  // MiB that no trimming gives back
  int trimmed_ = 0;
  MemoryReturn return_{[this] { return use_; },
                       [this] {
                         ++trimmed_;
                         use_.resident = use_.in_use + floor_ * kMiB;
                       }};
};

TEST_F(MemoryReturnTest, GivesBackWhatAPeakLeft) {
  look(20, 10);
  EXPECT_EQ(trimmed_, 0);
  look(400, 380);  // it grows
  EXPECT_EQ(trimmed_, 0);
  look(400, 12);
  EXPECT_EQ(trimmed_, 1);
  look(23, 12);
  look(24, 12);
  EXPECT_EQ(trimmed_, 1);
}

TEST_F(MemoryReturnTest, DoesNotTryAgainWhatItCannotGiveBack) {
  floor_ = 50;
  look(20, 10);
  look(400, 12);
  EXPECT_EQ(trimmed_, 1);
  for (int i = 0; i < 10; ++i) look(62, 12);
  EXPECT_EQ(trimmed_, 1);
  look(90, 12);
  EXPECT_EQ(trimmed_, 2);
  look(30, 12);  // the last blocks between are gone: less is normal now
  floor_ = 0;
  look(50, 12);
  EXPECT_EQ(trimmed_, 3);
}

}  // namespace
}  // namespace akr
