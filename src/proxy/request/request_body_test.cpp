#include "proxy/request/request_body.hpp"

#include <filesystem>
#include <future>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/run_on_worker.hpp"
#include "tests/support/temp_dir.hpp"

namespace akr {
namespace {

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 7;
  for (char& c : bytes) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

std::string read_all(RequestBody& body) {
  std::string all;
  std::string_view run;
  for (;;) {
    const net::IoResult got = body.next(run);
    if (got.status != net::IoStatus::kOk) {
      EXPECT_EQ(got.status, net::IoStatus::kEof);
      return all;
    }
    EXPECT_EQ(got.bytes, run.size());
    all += run;
  }
}

int open_descriptors() {
  int count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

class RequestBodyTest : public testing::Test {
 protected:
  TempDir directory_;
  const std::string path_ = directory_.path().string();
};

TEST_F(RequestBodyTest, AViewIsNotCopied) {
  const std::string bytes = "hello";
  RequestBody body(path_);
  body.set_view(bytes);
  std::string_view run;
  EXPECT_EQ(body.next(run).status, net::IoStatus::kOk);
  EXPECT_EQ(run.data(), bytes.data());
  EXPECT_EQ(body.size(), 5U);
  EXPECT_EQ(body.next(run).status, net::IoStatus::kEof);
}

// Sizes around the limit, in pieces that cross it.
TEST_F(RequestBodyTest, EveryAttemptReadsTheSameBytes) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, RequestBody::kInMemory - 1, RequestBody::kInMemory,
                                 RequestBody::kInMemory + 1, 3 * RequestBody::kInMemory + 12345}) {
    const std::string bytes = pattern(size);
    RequestBody body(path_);
    body.expect(size);
    for (std::size_t at = 0; at < size; at += 60'001)
      ASSERT_TRUE(body.append(std::string_view(bytes).substr(at, 60'001)));
    EXPECT_EQ(body.size(), size);
    for (int attempt = 0; attempt < 3; ++attempt) {
      body.rewind();
      EXPECT_TRUE(read_all(body) == bytes) << size;
    }
    EXPECT_EQ(body.in_memory().size(), size <= RequestBody::kInMemory ? size : 0U);
  }
}

TEST_F(RequestBodyTest, AnAttemptThatStoppedHalfWayIsRewound) {
  const std::string bytes = pattern(RequestBody::kInMemory + 300'000);
  RequestBody body(path_);
  ASSERT_TRUE(body.append(bytes));
  std::string_view run;
  body.next(run);
  body.next(run);
  body.rewind();
  EXPECT_TRUE(read_all(body) == bytes);
}

TEST_F(RequestBodyTest, TheFileHasNoNameAndIsFreed) {
  const int before = open_descriptors();
  RequestBody body(path_);
  ASSERT_TRUE(body.append(pattern(RequestBody::kInMemory)));
  EXPECT_EQ(open_descriptors(), before);
  ASSERT_TRUE(body.append("x"));
  EXPECT_EQ(open_descriptors(), before + 1);
  EXPECT_TRUE(std::filesystem::is_empty(path_));
  body.release();
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(body.size(), 0U);
  EXPECT_EQ(read_all(body), "");
}

TEST_F(RequestBodyTest, AnUnusableDirectoryIsAnErrorThatNamesIt) {
  const std::string missing = path_ + "/missing";
  RequestBody body(missing);
  ASSERT_TRUE(body.append(pattern(RequestBody::kInMemory)));
  const auto appended = body.append("x");
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code, ErrorCode::kOverloaded);
  EXPECT_NE(appended.error().message.find(missing), std::string::npos);
}

// An upload of 1 GiB let the others wait for 1.3 s and more: the worker itself wrote it to a disk that could not keep
// up. (Kind: work that blocks on a worker.)
TEST_F(RequestBodyTest, ADiskThatStandsStillStopsNobodyElse) {
  net::BlockingPool disk(1);
  std::promise<void> moves;
  disk.submit([standing = moves.get_future().share()] { standing.wait(); });
  test::WorkerThread loop;
  const std::string bytes = pattern(20 * RequestBody::kInMemory);
  const auto upload = [&](net::Worker& worker) -> net::Task<void> {
    RequestBody body(path_, &disk);
    bool done = false;
    const auto write = [](RequestBody& to, net::Worker& on, std::string_view from, bool& ended) -> net::Task<void> {
      const auto kept = co_await to.append_on_disk(on, from);
      EXPECT_TRUE(kept);
      ended = true;
    };
    worker.spawn(write(body, worker, bytes, done));
    for (int turn = 0; turn < 10; ++turn) co_await worker.yield();  // the loop goes on
    EXPECT_FALSE(done);
    moves.set_value();
    while (!done) co_await worker.yield();
    EXPECT_TRUE(read_all(body) == bytes);
  };
  loop.run(upload);
  disk.stop();
}

TEST_F(RequestBodyTest, ReplaceTakesTheViewsPlace) {
  RequestBody body(path_);
  body.set_view("long original");
  body.replace("short");
  EXPECT_EQ(body.size(), 5U);
  EXPECT_EQ(read_all(body), "short");
}

}  // namespace
}  // namespace akr
