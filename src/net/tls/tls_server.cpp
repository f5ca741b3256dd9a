#include <cerrno>
#include <string_view>

#include <openssl/err.h>

#include "net/tls/tls.hpp"
#include "net/tls/tls_stream.hpp"

namespace akr::net {
namespace {

// "http/1.1" if the client offers it; a client that offers other protocols only is answered without ALPN.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned int size, void*) {
  static constexpr std::string_view kHttp = "http/1.1";
  for (unsigned int at = 0; at < size; at += 1U + offered[at]) {
    const std::string_view name(reinterpret_cast<const char*>(offered + at + 1), offered[at]);
    if (name != kHttp) continue;
    *out = offered + at + 1;
    *out_size = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

Error unusable(const char* setting, const std::string& file, const char* what) {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return Error{.code = ErrorCode::kInvalid,
               .message = "'" + file + "' " + what + (reason != nullptr ? ": " + std::string(reason) : std::string()),
               .field = setting};
}

Error accept_error(const IoResult& result, const std::string& reason) {
  switch (result.error) {
    case ETIMEDOUT:
      return Error{.code = ErrorCode::kRequestTimeout, .message = "no TLS handshake in time"};
    case ECANCELED:
      return Error{.code = ErrorCode::kShuttingDown, .message = "the gateway is stopping"};
    case ECONNRESET:
    case EPIPE:
      return Error{.code = ErrorCode::kClientGone, .message = "the client left during the TLS handshake"};
    default:
      return Error{.code = ErrorCode::kBadRequest, .message = "TLS handshake failed: " + reason};
  }
}

}  // namespace

Result<std::unique_ptr<TlsServer>> TlsServer::load(const std::string& certificate_file, const std::string& key_file) {
  SslContextPtr context = make_tls_context(TLS_server_method());
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1) {
    return unusable("TLS_CERT_FILE", certificate_file, "is not a usable PEM certificate chain");
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return unusable("TLS_KEY_FILE", key_file, "is not the PEM private key of the certificate");
  }
  static constexpr std::string_view kSessionContext = "akr";
  SSL_CTX_set_session_id_context(context.get(), reinterpret_cast<const unsigned char*>(kSessionContext.data()),
                                 static_cast<unsigned int>(kSessionContext.size()));
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);  // tickets need no memory here
  SSL_CTX_set_alpn_select_cb(context.get(), &choose_protocol, nullptr);
  return std::unique_ptr<TlsServer>(new TlsServer(context.release()));
}

TlsServer::~TlsServer() { SSL_CTX_free(context_); }

Task<Result<std::unique_ptr<Stream>>> TlsServer::accept(std::unique_ptr<Stream> transport, TimePoint deadline) {
  auto stream = std::make_unique<TlsStream>(std::move(transport), *context_);
  const IoResult result = co_await shake_hands(*stream, deadline, Haste::kOthersFirst);
  if (result.status != IoStatus::kOk) co_return accept_error(result, stream->failure());
  co_return std::unique_ptr<Stream>(std::move(stream));
}

}  // namespace akr::net
