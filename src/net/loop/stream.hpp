// stream.hpp - a connected byte stream: TCP, or TLS over TCP.  Non-blocking; see socket.hpp for the pattern.
//
// try_read / try_write never block and never throw.  kWouldBlock carries in `want` the readiness to wait for on
// socket() before trying again.  A write that would block is tried again with the same bytes at the front of `parts`
// (more may follow, not fewer): TLS may have encrypted them already.  One worker thread.
#pragma once

#include <chrono>
#include <memory>
#include <string_view>

#include "base/result.hpp"
#include "net/loop/socket.hpp"
#include "net/loop/task.hpp"

namespace akr::net {

class Stream {
 public:
  virtual ~Stream() = default;
  virtual IoResult try_read(char* data, std::size_t size) = 0;
  // False: there is surely nothing, and try_read() would only say so.
  virtual bool may_read() const = 0;
  // Writes from the front of `parts`; bytes < the total is normal.
  virtual IoResult try_write(const iovec* parts, int count) = 0;
  // Ends our sending side (FIN; close_notify first for TLS).  Best effort.
  virtual void shutdown_write() = 0;
  virtual bool tls() const = 0;

  Socket& socket() { return socket_; }
  Worker& worker() { return socket_.worker(); }

 protected:
  // `socket`: the one at the bottom; it outlives this Stream's use of it.
  explicit Stream(Socket& socket) : socket_(socket) {}
  Socket& socket_;
};

// `fd`: connected or connecting, non-blocking.
std::unique_ptr<Stream> make_tcp_stream(Worker& worker, int fd);

// For paths that are not hot: awaits until something was read (kOk), or eof, error (ETIMEDOUT, ECANCELED).
Task<IoResult> read_some(Stream& stream, char* data, std::size_t size, TimePoint deadline);
// Awaits until all is written.
Task<IoResult> write_all(Stream& stream, std::string_view bytes, TimePoint deadline);

// How long a reader may take nothing: each byte it takes gives it the whole time again.  Bytes that the kernel still
// holds for it count as not taken, because a socket is writable again only when many of them are gone.  Costs no system
// call before a wait has lasted a quarter of the time; a silent reader is given up after 1 to 1.25 times `silence`.
class ReaderPatience {
 public:
  ReaderPatience(Worker& worker, std::chrono::milliseconds silence) : worker_(worker), silence_(silence) { renew(); }
  TimePoint deadline() const { return deadline_; }
  void renew();  // the stream took bytes
  // To be asked when a wait timed out: is it enough?  If not, wait again until deadline().
  bool over(const Socket& socket);

 private:
  Worker& worker_;
  const std::chrono::milliseconds silence_;
  TimePoint deadline_;
  int untaken_ = -1;  // in the kernel, at the last look; -1 = not looked yet
};
// The same as write_all() with this patience instead of a deadline.  ETIMEDOUT: the reader was silent.
Task<IoResult> write_all_to_reader(Stream& stream, std::string_view bytes, std::chrono::milliseconds silence);

}  // namespace akr::net
