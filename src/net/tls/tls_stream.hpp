// tls_stream.hpp - TLS over any Stream (TCP, or TLS to an https proxy), both sides.
//
// OpenSSL reads and writes through the Stream below (a BIO of our own), so readiness, EINTR and SIGPIPE are handled in
// one place, socket.cpp.  End of input without close_notify is kError, never kEof: the data may have been cut.
#pragma once

#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "net/loop/stream.hpp"
#include "net/loop/task.hpp"

namespace akr::net {

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SslPtr = std::unique_ptr<SSL, FreeSsl>;
using SslContextPtr = std::unique_ptr<SSL_CTX, FreeSsl>;
using SslSessionPtr = std::unique_ptr<SSL_SESSION, FreeSsl>;

// What both sides have in common: TLS 1.2+, no renegotiation, small idle memory.  Throws std::bad_alloc.
SslContextPtr make_tls_context(const SSL_METHOD* method);

class TlsStream final : public Stream {
 public:
  // Client or server is decided by the context's method.
  TlsStream(std::unique_ptr<Stream> below, SSL_CTX& context);
  ~TlsStream() override;
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  SSL* ssl() { return ssl_.get(); }
  IoResult try_handshake();
  const std::string& failure() const { return failure_; }  // why kError, in words

  IoResult try_read(char* data, std::size_t size) override;
  bool may_read() const override;
  IoResult try_write(const iovec* parts, int count) override;
  void shutdown_write() override;
  bool tls() const override { return true; }

 private:
  struct Bio;
  IoResult outcome(int returned);
  void note_failure(int error);

  const std::unique_ptr<Stream> below_;
  std::string failure_;
  IoResult broken_;        // the first kEof or kError of the stream below
  std::uint8_t want_ = 0;  // of the stream below, when it would block
  bool established_ = false;
  bool failed_ = false;
  SslPtr ssl_;  // last: it uses the rest
};

// kOthersFirst: a step may cost a signature, so each waits for the others' events (a crowd that shakes hands at one
// time).
enum class Haste : std::uint8_t { kAtOnce, kOthersFirst };

// Awaits the end of the handshake: kOk, or kError (ETIMEDOUT, ECANCELED, else see failure()).
Task<IoResult> shake_hands(TlsStream& stream, TimePoint deadline, Haste haste = Haste::kAtOnce);

}  // namespace akr::net
