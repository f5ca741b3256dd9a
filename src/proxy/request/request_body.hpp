// request_body.hpp - a request body kept for as long as another attempt may need it.
//
// Small bodies stay where they were read (a view); larger ones are collected: 1 MiB in memory, the rest in an unlinked
// temporary file.  Freed when the answer starts.  One request, one worker.
//
// A disk that cannot keep up makes its writer wait, and the end of a large file takes its time, too: with a pool of
// threads for that (`disk`) neither happens on the worker.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "net/client/exchange.hpp"
#include "net/loop/blocking_pool.hpp"
#include "net/loop/buffer.hpp"

namespace akr {

class RequestBody final : public net::BodySource {
 public:
  static constexpr std::size_t kInMemory = 1 << 20;

  // `directory` (for the temporary file) and `disk` (nullptr: the worker does it) live as long as the process.
  explicit RequestBody(std::string_view directory, net::BlockingPool* disk = nullptr)
      : directory_(directory), disk_(disk) {}
  RequestBody(const RequestBody&) = delete;
  RequestBody& operator=(const RequestBody&) = delete;
  ~RequestBody() override { release(); }

  // The whole body, in memory that outlives this object's use.
  void set_view(std::string_view bytes) { view_ = bytes; }
  // Reserves for a body of known length.
  void expect(std::uint64_t length);
  // Appends; kInternal if the temporary file cannot be written (the message names the directory).
  Result<void> append(std::string_view bytes);
  // Do so many more bytes stay in memory?
  bool fits_in_memory(std::size_t more) const { return spilled_ == 0 && memory_.size() + more <= kInMemory; }
  // append() on a thread of `disk`.  `bytes` live until it ends.
  net::Task<Result<void>> append_on_disk(net::Worker& worker, std::string_view bytes);
  // Replaces the bytes of a body that is in memory (a member was cut out).
  void replace(std::string bytes);

  std::uint64_t size() const { return view_.size() + memory_.size() + spilled_; }
  // The whole body if it is in memory; "" if some of it is in the file.
  std::string_view in_memory() const { return spilled_ > 0 ? std::string_view() : view_.empty() ? memory_ : view_; }
  // As much of it from its beginning as is in memory: all of it, or 1 MiB.
  std::string_view beginning() const { return view_.empty() ? memory_ : view_; }

  // Starts the next attempt at the first byte.
  void rewind();
  net::IoResult next(std::string_view& run) override;
  void release();

 private:
  void close_file();

  std::string_view directory_;
  net::BlockingPool* disk_;
  std::string_view view_;
  std::string memory_;
  std::uint64_t spilled_ = 0;
  int file_ = -1;
  std::uint64_t offset_ = 0;  // of the next byte to send
  net::Buffer buffer_;        // for reading the file back
};

}  // namespace akr
