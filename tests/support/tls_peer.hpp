// tls_peer.hpp - the server's end of TLS for a test: blocking, on a connected descriptor.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <openssl/ssl.h>
#include <sys/socket.h>

#include "tests/support/certificates.hpp"

namespace akr::test {

class TlsAcceptor {
 public:
  explicit TlsAcceptor(const CertificateFiles& files) : context_(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free) {
    if (SSL_CTX_use_certificate_chain_file(context(), files.certificate.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(context(), files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
      throw std::runtime_error("unusable test certificate");
    }
  }
  SSL_CTX* context() { return context_.get(); }
  // Speaks no newer version than `version`, with the weak algorithms that the old ones need.
  void limit_version(int version) {
    SSL_CTX_set_min_proto_version(context(), 0);
    SSL_CTX_set_max_proto_version(context(), version);
    SSL_CTX_set_cipher_list(context(), "DEFAULT:@SECLEVEL=0");
  }

 private:
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
};

class TlsPeer {
 public:
  // Shakes hands.  The descriptor is not closed by this.
  TlsPeer(TlsAcceptor& acceptor, int fd) : ssl_(SSL_new(acceptor.context()), &SSL_free) {
    SSL_set_fd(ssl_.get(), fd);
    accepted_ = SSL_accept(ssl_.get()) == 1;
  }
  bool accepted() const { return accepted_; }
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  std::string server_name() const {
    const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
    return name == nullptr ? "" : name;
  }
  std::string version() const { return SSL_get_version(ssl_.get()); }
  // At least one byte; "" at the end or after an error.
  std::string read() {
    std::string bytes(16384, '\0');
    const int got = SSL_read(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }
  void write(std::string_view bytes) { SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())); }
  void close_notify() { SSL_shutdown(ssl_.get()); }
  SSL* ssl() { return ssl_.get(); }

 private:
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
  bool accepted_ = false;
};

}  // namespace akr::test
