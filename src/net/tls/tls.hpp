// tls.hpp - TLS over a connected stream, both sides, on OpenSSL 3.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "net/loop/stream.hpp"
#include "net/loop/task.hpp"

typedef struct ssl_ctx_st SSL_CTX;

namespace akr::net {

// Client side, one per worker: verification against the system's CAs (and `ca_file`), host name or IP check, SNI, TLS
// 1.2+, ALPN "http/1.1", session resumption per host:port (bounded).
class TlsClient {
 public:
  // "" = the system's CAs only; those are loaded for the first handshake.  Throws std::runtime_error if `ca_file`
  // cannot be used.
  explicit TlsClient(const std::string& ca_file);
  ~TlsClient();
  // TLS over `transport`, after a handshake that verified.  kUpstreamTls; kUpstreamConnectTimeout if the deadline
  // passed; kShuttingDown if the worker stopped; kOverloaded if the CAs could not be read for want of descriptors.
  Task<Result<std::unique_ptr<Stream>>> handshake(std::unique_ptr<Stream> transport, std::string host,
                                                  std::uint16_t port, TimePoint deadline);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Server side, shared by all workers (OpenSSL contexts are thread-safe).
class TlsServer {
 public:
  // PEM files: certificate chain, leaf first; its key.  kInvalid (field "TLS_CERT_FILE" or "TLS_KEY_FILE").
  static Result<std::unique_ptr<TlsServer>> load(const std::string& certificate_file, const std::string& key_file);
  ~TlsServer();
  // kBadRequest (not TLS, or none we accept), kClientGone, kRequestTimeout, kShuttingDown.
  Task<Result<std::unique_ptr<Stream>>> accept(std::unique_ptr<Stream> transport, TimePoint deadline);

 private:
  explicit TlsServer(SSL_CTX* context) : context_(context) {}
  SSL_CTX* context_;
};

}  // namespace akr::net
