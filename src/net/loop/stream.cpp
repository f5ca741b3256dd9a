#include "net/loop/stream.hpp"

#include <cerrno>
#include <new>

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop/worker.hpp"

namespace akr::net {
namespace {

class TcpStream final : public Stream {
 public:
  TcpStream(Worker& worker, int fd) : Stream(own_), own_(worker, fd) {}
  IoResult try_read(char* data, std::size_t size) override { return socket_.try_read(data, size); }
  bool may_read() const override { return (socket_.ready() & kRead) != 0; }
  IoResult try_write(const iovec* parts, int count) override { return socket_.try_write(parts, count); }
  void shutdown_write() override { ::shutdown(socket_.fd(), SHUT_WR); }
  bool tls() const override { return false; }

 private:
  Socket own_;
};

IoResult failed_wait(WaitEnd end) {
  return {.status = IoStatus::kError, .error = end == WaitEnd::kTimeout ? ETIMEDOUT : ECANCELED};
}

}  // namespace

std::unique_ptr<Stream> make_tcp_stream(Worker& worker, int fd) {
  auto* const stream = new (std::nothrow) TcpStream(worker, fd);
  if (stream == nullptr) {
    ::close(fd);  // it was given to us; a constructor that throws closes it itself
    throw std::bad_alloc();
  }
  return std::unique_ptr<Stream>(stream);
}

Task<IoResult> read_some(Stream& stream, char* data, std::size_t size, TimePoint deadline) {
  for (;;) {
    const IoResult result = stream.try_read(data, size);
    if (result.status != IoStatus::kWouldBlock) co_return result;
    const WaitEnd end = co_await wait_for(stream.socket(), result.want, deadline);
    if (end != WaitEnd::kReady) co_return failed_wait(end);
  }
}

Task<IoResult> write_all(Stream& stream, std::string_view bytes, TimePoint deadline) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const iovec part = {.iov_base = const_cast<char*>(bytes.data() + done), .iov_len = bytes.size() - done};
    const IoResult result = stream.try_write(&part, 1);
    if (result.status == IoStatus::kWouldBlock) {
      const WaitEnd end = co_await wait_for(stream.socket(), result.want, deadline);
      if (end != WaitEnd::kReady) co_return failed_wait(end);
      continue;
    }
    if (result.status != IoStatus::kOk) co_return result;
    done += result.bytes;
  }
  co_return IoResult{.bytes = done};
}

void ReaderPatience::renew() {
  deadline_ = worker_.now() + silence_ / 4;
  untaken_ = -1;
}

bool ReaderPatience::over(const Socket& socket) {
  int untaken = 0;
  if (::ioctl(socket.fd(), SIOCOUTQ, &untaken) != 0) return true;
  if (untaken_ >= 0 && untaken >= untaken_) return true;
  untaken_ = untaken;
  deadline_ = worker_.now() + silence_;
  return false;
}

Task<IoResult> write_all_to_reader(Stream& stream, std::string_view bytes, std::chrono::milliseconds silence) {
  ReaderPatience patience(stream.worker(), silence);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const iovec part = {.iov_base = const_cast<char*>(bytes.data() + done), .iov_len = bytes.size() - done};
    const IoResult result = stream.try_write(&part, 1);
    if (result.status == IoStatus::kOk) {
      done += result.bytes;
      patience.renew();
      continue;
    }
    if (result.status != IoStatus::kWouldBlock) co_return result;
    const WaitEnd end = co_await wait_for(stream.socket(), result.want, patience.deadline());
    if (end == WaitEnd::kCancelled || (end == WaitEnd::kTimeout && patience.over(stream.socket()))) {
      co_return failed_wait(end);
    }
  }
  co_return IoResult{.bytes = done};
}

}  // namespace akr::net
