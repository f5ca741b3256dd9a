#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <unordered_map>

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "net/loop/shortage.hpp"
#include "net/loop/socket_address.hpp"
#include "net/tls/tls.hpp"
#include "net/tls/tls_stream.hpp"

namespace akr::net {
namespace {

constexpr std::size_t kMaxSessions = 256;

// The latest session of each host:port.  A session was verified for that name, so it is good for that name only.
class SessionCache {
 public:
  SSL_SESSION* find(const std::string& peer) const {
    const auto it = sessions_.find(peer);
    return it == sessions_.end() ? nullptr : it->second.get();
  }
  void store(const std::string& peer, SslSessionPtr session) {
    if (sessions_.size() >= kMaxSessions && !sessions_.contains(peer)) sessions_.erase(sessions_.begin());
    sessions_[peer] = std::move(session);
  }

 private:
  std::unordered_map<std::string, SslSessionPtr> sessions_;
};

// What a connection needs to file its sessions: tickets come after the handshake, when TlsClient may be gone.
struct SessionFile {
  std::shared_ptr<SessionCache> cache;
  std::string peer;
};

int session_file_index() {
  const auto release = [](void*, void* file, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<SessionFile*>(file);
  };
  static const int kIndex = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, release);
  return kIndex;
}

int on_new_session(SSL* ssl, SSL_SESSION* session) {
  auto* file = static_cast<SessionFile*>(SSL_get_ex_data(ssl, session_file_index()));
  if (file == nullptr) return 0;
  file->cache->store(file->peer, SslSessionPtr(session));
  return 1;  // the reference is ours now
}

bool readable_file(const char* environment, const char* built_in) {
  const char* path = std::getenv(environment);
  return ::access(path != nullptr ? path : built_in, R_OK) == 0;
}

bool readable_directory(const char* environment, const char* built_in) {
  const char* path = std::getenv(environment);
  DIR* directory = ::opendir(path != nullptr ? path : built_in);
  if (directory == nullptr) return false;
  int entries = 0;
  while (entries < 3 && ::readdir(directory) != nullptr) ++entries;  // "." and ".." are always there
  ::closedir(directory);
  return entries >= 3;
}

void load_system_cas(SSL_CTX* context) {
  SSL_CTX_set_default_verify_paths(context);  // honours SSL_CERT_FILE and SSL_CERT_DIR
  if (readable_file(X509_get_default_cert_file_env(), X509_get_default_cert_file()) ||
      readable_directory(X509_get_default_cert_dir_env(), X509_get_default_cert_dir())) {
    return;
  }
  // A binary on another distribution than the one its OpenSSL was built for.
  for (const char* path : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                           "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}) {
    if (::access(path, R_OK) == 0 && SSL_CTX_load_verify_file(context, path) == 1) return;
  }
}

SslContextPtr make_client_context(const std::string& ca_file) {
  SslContextPtr context = make_tls_context(TLS_client_method());
  load_system_cas(context.get());
  if (!ca_file.empty() && SSL_CTX_load_verify_file(context.get(), ca_file.c_str()) != 1) {
    ERR_clear_error();
    throw std::runtime_error("'" + ca_file + "' is not a readable file of PEM certificates");
  }
  ERR_clear_error();
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  static constexpr std::array<unsigned char, 9> kAlpn = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(context.get(), kAlpn.data(), kAlpn.size());
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context.get(), &on_new_session);
  return context;
}

// Who must be at the other end: a name (also sent as SNI) or an address.  False: not a name that TLS can carry.
bool expect_peer(SSL* ssl, std::string host) {
  if (parse_address(host, 0)) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  if (host.ends_with('.')) host.pop_back();  // RFC 6066 section 3: SNI has no trailing dot
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

Error handshake_error(const std::string& peer, const IoResult& result, const std::string& reason) {
  if (result.error == ETIMEDOUT) {
    return Error{.code = ErrorCode::kUpstreamConnectTimeout,
                 .message = "no TLS handshake with " + peer + " within the connect timeout"};
  }
  if (result.error == ECANCELED) return Error{.code = ErrorCode::kShuttingDown, .message = "the gateway is stopping"};
  return Error{.code = ErrorCode::kUpstreamTls, .message = "TLS handshake with " + peer + " failed: " + reason};
}

}  // namespace

struct TlsClient::Parts {
  std::string ca_file;
  SslContextPtr context;  // made for the first handshake: plain upstreams need no CAs in memory
  std::shared_ptr<SessionCache> sessions = std::make_shared<SessionCache>();

  std::unique_ptr<TlsStream> start(std::unique_ptr<Stream> transport, const std::string& peer) {
    if (!context) context = make_client_context(ca_file);
    auto stream = std::make_unique<TlsStream>(std::move(transport), *context);
    auto file = std::make_unique<SessionFile>();
    file->cache = sessions;
    file->peer = peer;
    if (SSL_set_ex_data(stream->ssl(), session_file_index(), file.get()) == 1) static_cast<void>(file.release());
    if (SSL_SESSION* session = sessions->find(peer)) SSL_set_session(stream->ssl(), session);
    return stream;
  }
};

TlsClient::TlsClient(const std::string& ca_file) : parts_(new Parts{.ca_file = ca_file}) {
  if (!ca_file.empty()) parts_->context = make_client_context(ca_file);
}

TlsClient::~TlsClient() = default;

Task<Result<std::unique_ptr<Stream>>> TlsClient::handshake(std::unique_ptr<Stream> transport, std::string host,
                                                           std::uint16_t port, TimePoint deadline) {
  const std::string peer = authority(host, port);
  // OpenSSL takes a file of CAs that it cannot open for an empty one, and we would keep that for good.
  if (!parts_->context && !descriptor_left(transport->worker())) {
    co_return shortage_error("the CA certificates could not be read", EMFILE);
  }
  std::unique_ptr<TlsStream> stream = parts_->start(std::move(transport), peer);
  if (!expect_peer(stream->ssl(), host)) co_return handshake_error(peer, {}, "not a name that TLS can carry");
  const IoResult result = co_await shake_hands(*stream, deadline);
  if (result.status != IoStatus::kOk) co_return handshake_error(peer, result, stream->failure());
  co_return std::unique_ptr<Stream>(std::move(stream));
}

}  // namespace akr::net
