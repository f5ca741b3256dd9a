#include "net/tls/tls_stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <span>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

namespace akr::net {
namespace {

constexpr std::size_t kRecord = SSL3_RT_MAX_PLAIN_LENGTH;

// Walks over the parts of a gathered write.
struct Cursor {
  const iovec* part;
  const iovec* end;
  std::size_t offset = 0;

  // The bytes of the next record: always as many as there are, up to kRecord, however they are split into parts.  A
  // retried write then has the length that OpenSSL expects.  Copies into `gather` only what spans parts.
  std::span<const char> next_record(std::span<char, kRecord> gather) const {
    const iovec* at = part;
    std::size_t skip = offset;
    std::size_t filled = 0;
    for (; at != end && filled < kRecord; ++at, skip = 0) {
      const char* bytes = static_cast<const char*>(at->iov_base) + skip;
      const std::size_t size = std::min(at->iov_len - skip, kRecord - filled);
      if (filled == 0 && (size == kRecord || at + 1 == end)) return {bytes, size};
      if (size > 0) std::memcpy(gather.data() + filled, bytes, size);
      filled += size;
    }
    return {gather.data(), filled};
  }

  void advance(std::size_t bytes) {
    while (bytes > 0) {
      const std::size_t step = std::min(bytes, part->iov_len - offset);
      offset += step;
      bytes -= step;
      if (offset == part->iov_len) {
        ++part;
        offset = 0;
      }
    }
  }
};

}  // namespace

SslContextPtr make_tls_context(const SSL_METHOD* method) {
  SslContextPtr context(SSL_CTX_new(method));
  if (!context) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context.get(), 1);  // one recv per record, not one for its head and one for its body
  return context;
}

// The BIO between OpenSSL and the stream below.
struct TlsStream::Bio {
  static TlsStream& owner(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }

  static int finish(BIO* bio, const IoResult& result, std::size_t* bytes, int retry_flag) {
    BIO_clear_retry_flags(bio);
    *bytes = result.bytes;
    if (result.status == IoStatus::kOk) return 1;
    if (result.status == IoStatus::kWouldBlock) {
      owner(bio).want_ = result.want;
      BIO_set_flags(bio, retry_flag | BIO_FLAGS_SHOULD_RETRY);
    } else if (owner(bio).broken_.status == IoStatus::kOk) {
      owner(bio).broken_ = result;  // the first counts: the alert that OpenSSL sends then fails as well
    }
    return 0;
  }

  static int read(BIO* bio, char* data, std::size_t size, std::size_t* bytes) {
    return finish(bio, owner(bio).below_->try_read(data, size), bytes, BIO_FLAGS_READ);
  }

  static int write(BIO* bio, const char* data, std::size_t size, std::size_t* bytes) {
    const iovec part = {.iov_base = const_cast<char*>(data), .iov_len = size};  // NOLINT: not written to
    return finish(bio, owner(bio).below_->try_write(&part, 1), bytes, BIO_FLAGS_WRITE);
  }

  static long control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_EOF) return owner(bio).broken_.status == IoStatus::kEof ? 1 : 0;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }

  static BIO_METHOD* method() {
    static BIO_METHOD* const kMethod = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
      if (made == nullptr) throw std::bad_alloc();
      BIO_meth_set_read_ex(made, &Bio::read);
      BIO_meth_set_write_ex(made, &Bio::write);
      BIO_meth_set_ctrl(made, &Bio::control);
      return made;
    }();
    return kMethod;
  }
};

TlsStream::TlsStream(std::unique_ptr<Stream> below, SSL_CTX& context)
    : Stream(below->socket()), below_(std::move(below)), ssl_(SSL_new(&context)) {
  BIO* bio = BIO_new(Bio::method());
  if (bio == nullptr || !ssl_) {
    BIO_free(bio);
    throw std::bad_alloc();
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  if (SSL_is_server(ssl_.get()) != 0) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
  }
}

TlsStream::~TlsStream() {
  // Without this OpenSSL takes a connection that was just dropped for a broken session, which is not resumed then.
  if (!failed_ && established_) {
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }
}

IoResult TlsStream::try_handshake() {
  ERR_clear_error();
  const IoResult result = outcome(SSL_do_handshake(ssl_.get()));
  established_ = result.status == IoStatus::kOk;
  return result;
}

IoResult TlsStream::try_read(char* data, std::size_t size) {
  if (failed_) return {.status = IoStatus::kError, .error = -1};
  // Records that were read together with others need no read of the socket.
  if (!socket_.may_work(kRead)) return {.status = IoStatus::kWouldBlock, .want = kRead};
  // Every exchange looks before it waits: OpenSSL would take a buffer to find nothing, and give it back.
  if (!may_read()) return {.status = IoStatus::kWouldBlock, .want = kRead};
  socket_.charge(cost::kOperation);
  ERR_clear_error();  // SSL_get_error looks at the thread's queue, where another connection's errors may lie
  std::size_t bytes = 0;
  const int returned = SSL_read_ex(ssl_.get(), data, size, &bytes);
  if (returned == 1) return {.bytes = bytes};
  return outcome(returned);
}

bool TlsStream::may_read() const {
  return SSL_has_pending(ssl_.get()) != 0 || SSL_want_write(ssl_.get()) || below_->may_read();
}

IoResult TlsStream::try_write(const iovec* parts, int count) {
  if (failed_) return {.status = IoStatus::kError, .error = -1};
  std::array<char, kRecord> gather;  // NOLINT: filled before it is read
  Cursor cursor{.part = parts, .end = parts + count};
  std::size_t done = 0;
  for (;;) {
    const std::span<const char> record = cursor.next_record(gather);
    if (record.empty()) return {.bytes = done};
    ERR_clear_error();
    std::size_t bytes = 0;
    const int returned = SSL_write_ex(ssl_.get(), record.data(), record.size(), &bytes);
    if (returned != 1) {
      const IoResult end = outcome(returned);
      if (end.status == IoStatus::kWouldBlock && done > 0) return {.bytes = done};
      return end;
    }
    done += bytes;
    cursor.advance(bytes);
  }
}

void TlsStream::shutdown_write() {
  socket_.allow_last_words();
  ERR_clear_error();
  if (!failed_ && established_) SSL_shutdown(ssl_.get());
  below_->shutdown_write();
}

IoResult TlsStream::outcome(int returned) {
  const int error = SSL_get_error(ssl_.get(), returned);
  switch (error) {
    case SSL_ERROR_NONE:
      return {};
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return {.status = IoStatus::kWouldBlock, .want = want_};
    case SSL_ERROR_ZERO_RETURN:
      return {.status = IoStatus::kEof};
    default:
      break;
  }
  failed_ = true;
  note_failure(error);
  if (error == SSL_ERROR_SYSCALL && broken_.status == IoStatus::kError) return broken_;
  // Before the handshake's end no data can have been cut: it is a peer that left, as with a reset.
  const bool left = broken_.status == IoStatus::kEof && !established_;
  return {.status = IoStatus::kError, .error = left ? ECONNRESET : -1};
}

void TlsStream::note_failure(int error) {
  const unsigned long code = ERR_peek_error();
  const long verdict = SSL_get_verify_result(ssl_.get());
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  if (verdict != X509_V_OK) {
    failure_ = X509_verify_cert_error_string(verdict);
  } else if (broken_.status == IoStatus::kEof) {
    failure_ = "connection closed without a TLS close";
  } else if (error == SSL_ERROR_SYSCALL && broken_.status == IoStatus::kError) {
    failure_ = broken_.error > 0 ? std::strerror(broken_.error) : "the TLS connection below failed";
  } else if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER || ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST) {
    failure_ = "the other side does not speak TLS";
  } else {
    failure_ = reason != nullptr ? reason : "TLS failed";
  }
}

Task<IoResult> shake_hands(TlsStream& stream, TimePoint deadline, Haste haste) {
  for (bool rested = haste == Haste::kAtOnce;; rested = true) {
    IoResult result = {.status = IoStatus::kWouldBlock, .want = kRead};
    if (rested) result = stream.try_handshake();
    if (result.status == IoStatus::kOk || result.status == IoStatus::kError) co_return result;
    if (result.status == IoStatus::kEof) co_return IoResult{.status = IoStatus::kError, .error = -1};
    WaitEnd end = co_await wait_for(stream.socket(), result.want, deadline);
    if (end == WaitEnd::kReady && haste == Haste::kOthersFirst) {
      stream.socket().stand_back(result.want);
      end = co_await wait_for(stream.socket(), result.want, deadline);
    }
    if (end == WaitEnd::kTimeout) co_return IoResult{.status = IoStatus::kError, .error = ETIMEDOUT};
    if (end == WaitEnd::kCancelled) co_return IoResult{.status = IoStatus::kError, .error = ECANCELED};
  }
}

}  // namespace akr::net
