// certificates.hpp - a certificate authority for one test: PEM files in a temporary directory that is removed again.
#pragma once

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace akr::test {

struct CertificateFiles {
  std::string certificate;  // PEM file: leaf, then its issuer
  std::string key;          // PEM file
};

struct LeafOptions {
  std::string names = "DNS:localhost";  // subjectAltName as OpenSSL writes it: "DNS:a.test,IP:127.0.0.1"
  long from = -3600;                    // validity, seconds from now
  long until = 3600;
  bool self_signed = false;
};

class CertificateAuthority {
 public:
  CertificateAuthority() : key_(EVP_EC_gen("P-256")) {
    char path[] = "/tmp/akr-certificates-XXXXXX";
    if (::mkdtemp(path) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = path;
    LeafOptions validity;
    static std::atomic<int> number{0};  // two authorities of one name would be taken for each other
    const std::string name = "Test CA " + std::to_string(++number);
    authority_ = make(name.c_str(), key_.get(), validity);
    extend(authority_.get(), authority_.get(), NID_basic_constraints, "critical,CA:TRUE");
    extend(authority_.get(), authority_.get(), NID_key_usage, "critical,keyCertSign");
    extend(authority_.get(), authority_.get(), NID_subject_key_identifier, "hash");
    X509_set_issuer_name(authority_.get(), X509_get_subject_name(authority_.get()));
    X509_sign(authority_.get(), key_.get(), EVP_sha256());
    write(file(), authority_.get(), nullptr);
  }
  CertificateAuthority(const CertificateAuthority&) = delete;
  CertificateAuthority& operator=(const CertificateAuthority&) = delete;
  ~CertificateAuthority() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  std::string file() const { return directory_ + "/ca.pem"; }

  CertificateFiles issue(const LeafOptions& options = {}) {
    const KeyPtr key(EVP_EC_gen("P-256"));
    const CertificatePtr leaf = make("leaf", key.get(), options);
    extend(leaf.get(), authority_.get(), NID_subject_alt_name, options.names.c_str());
    X509* issuer = options.self_signed ? leaf.get() : authority_.get();
    X509_set_issuer_name(leaf.get(), X509_get_subject_name(issuer));
    X509_sign(leaf.get(), options.self_signed ? key.get() : key_.get(), EVP_sha256());
    const std::string stem = directory_ + "/leaf" + std::to_string(++issued_);
    CertificateFiles files{.certificate = stem + ".pem", .key = stem + ".key"};
    write(files.certificate, leaf.get(), options.self_signed ? nullptr : authority_.get());
    std::FILE* out = std::fopen(files.key.c_str(), "w");
    PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(out);
    return files;
  }

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
  };
  using KeyPtr = std::unique_ptr<EVP_PKEY, Free>;
  using CertificatePtr = std::unique_ptr<X509, Free>;

  CertificatePtr make(const char* name, EVP_PKEY* key, const LeafOptions& options) {
    CertificatePtr certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), options.from);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), options.until);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_pubkey(certificate.get(), key);
    return certificate;
  }

  static void extend(X509* certificate, X509* issuer, int kind, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
    if (extension == nullptr) throw std::runtime_error(std::string("bad certificate extension ") + value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  static void write(const std::string& path, X509* first, X509* second) {
    std::FILE* out = std::fopen(path.c_str(), "w");
    if (out == nullptr) throw std::runtime_error("cannot write " + path);
    PEM_write_X509(out, first);
    if (second != nullptr) PEM_write_X509(out, second);
    std::fclose(out);
  }

  std::string directory_;
  KeyPtr key_;
  CertificatePtr authority_;
  int issued_ = 0;
  long serial_ = 0;
};

}  // namespace akr::test
