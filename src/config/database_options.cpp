#include "config/database_options.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/strings.hpp"

namespace akr {
namespace {

enum class Means {
  kHost,
  kPort,
  kUser,
  kPassword,
  kDatabase,
  kMode,
  kGoMode,
  kSwitch,
  kVerify,
  kCa,
  kCert,
  kKey,
  kNothing
};

struct OptionRow {
  std::string_view name;  // in small letters, without '-' and '_'
  Means means;
};

// All that begin with "ssl" or "tls" and do not stand here are refused.
constexpr OptionRow kOptions[] = {
    {"host", Means::kHost},
    {"socket", Means::kHost},
    {"unixsocket", Means::kHost},
    {"port", Means::kPort},
    {"user", Means::kUser},
    {"password", Means::kPassword},
    {"dbname", Means::kDatabase},
    {"sslmode", Means::kMode},
    {"tls", Means::kGoMode},
    {"ssl", Means::kSwitch},
    {"usessl", Means::kSwitch},
    {"requiressl", Means::kSwitch},
    {"verifyservercertificate", Means::kVerify},
    {"sslrootcert", Means::kCa},
    {"sslca", Means::kCa},
    {"sslcert", Means::kCert},
    {"sslkey", Means::kKey},
    {"sslcompression", Means::kNothing},  // nobody has it any more
    {"sslsni", Means::kNothing},
    {"sslnegotiation", Means::kNothing},
};

struct TlsWord {
  std::string_view word;  // '-' for '_'
  DatabaseTls tls;
};

// libpq's words, MySQL's, and MariaDB's "trust".
constexpr TlsWord kModes[] = {{"disable", DatabaseTls::kDisable},
                              {"disabled", DatabaseTls::kDisable},
                              {"allow", DatabaseTls::kPrefer},
                              {"prefer", DatabaseTls::kPrefer},
                              {"preferred", DatabaseTls::kPrefer},
                              {"require", DatabaseTls::kRequire},
                              {"required", DatabaseTls::kRequire},
                              {"trust", DatabaseTls::kRequire},
                              {"verify-ca", DatabaseTls::kVerifyCa},
                              {"verify-full", DatabaseTls::kVerifyFull},
                              {"verify-identity", DatabaseTls::kVerifyFull}};
constexpr TlsWord kGoModes[] = {{"false", DatabaseTls::kDisable},       {"0", DatabaseTls::kDisable},
                                {"true", DatabaseTls::kVerifyFull},     {"1", DatabaseTls::kVerifyFull},
                                {"skip-verify", DatabaseTls::kRequire}, {"preferred", DatabaseTls::kPrefer}};

template <class... Parts>
Error wrong(const Parts&... parts) {
  std::string message;
  (message.append(parts), ...);
  return {.code = ErrorCode::kInvalid, .message = std::move(message)};
}

std::string spelled_plainly(std::string_view name) {
  std::string plain = to_lower(name);
  std::erase_if(plain, [](char c) { return c == '-' || c == '_'; });
  return plain;
}

std::optional<DatabaseTls> find_word(std::span<const TlsWord> words, std::string_view text) {
  std::string plain = to_lower(text);
  std::ranges::replace(plain, '_', '-');
  for (const TlsWord& row : words) {
    if (row.word == plain) return row.tls;
  }
  return std::nullopt;
}

std::optional<bool> truth_of(std::string_view text) {
  if (iequals(text, "true") || text == "1") return true;
  if (iequals(text, "false") || text == "0") return false;
  return std::nullopt;
}

class Reader {
 public:
  explicit Reader(DatabaseKind kind) : words_(row_of(kind).server) {}

  Result<void> read(std::string_view option) {
    const std::string_view name = take_part(option, '=');
    const std::string plain = spelled_plainly(name);
    const auto row = std::ranges::find(kOptions, plain, &OptionRow::name);
    if (row == std::end(kOptions)) {
      if (plain.starts_with("ssl") || plain.starts_with("tls")) return unknown_name();
      return {};
    }
    auto value = percent_decode(option);
    if (!value || value->find('\0') != std::string::npos) return wrong("the option ", name, " is not percent-encoded");
    auto taken = take(row->means, name, *value);
    wipe(*value);
    return taken;
  }

  DatabaseOptions finish() && {
    made_.tls = mode_ ? mode_ : switched_;
    // As libpq has it: the system's certificate authorities, who sign for anybody, are only good together with a name.
    if (made_.ca_file == "system") {
      made_.ca_file.clear();
      made_.tls = DatabaseTls::kVerifyFull;
    }
    return std::move(made_);
  }

 private:
  Error unknown_name() const {
    return wrong("it has a TLS option that the gateway does not know; known are ", words_.tls_options);
  }

  static Error unknown_value(std::string_view name, std::string_view allowed) {
    return wrong("the value of its option ", name, " is not known; allowed is ", allowed);
  }

  Result<void> take(Means means, std::string_view name, const std::string& value) {
    switch (means) {
      case Means::kHost:
        made_.host = value;
        return {};
      case Means::kPort:
        made_.port = value;
        return {};
      case Means::kUser:
        made_.user = value;
        return {};
      case Means::kPassword:
        made_.password = Secret(value);
        return {};
      case Means::kDatabase:
        made_.database = value;
        return {};
      case Means::kCa:
        made_.ca_file = value;
        return {};
      case Means::kCert:
        made_.cert_file = value;
        return {};
      case Means::kKey:
        made_.key_file = value;
        return {};
      case Means::kNothing:
        return {};
      case Means::kMode:
        return take_mode(name, find_word(kModes, value), words_.tls_modes);
      case Means::kGoMode:
        return take_mode(name, find_word(kGoModes, value), "true, false, skip-verify or preferred");
      case Means::kSwitch:
      case Means::kVerify:
        return take_switch(means, name, value);
    }
    return {};
  }

  Result<void> take_mode(std::string_view name, std::optional<DatabaseTls> mode, std::string_view allowed) {
    if (!mode) return unknown_value(name, allowed);
    if (mode_ && *mode_ != *mode) return wrong("its option ", name, " contradicts what it says about TLS before");
    mode_ = mode;
    return {};
  }

  // Of several the strictest counts, and all of them less than a mode: as in JDBC, where they come from.
  Result<void> take_switch(Means means, std::string_view name, const std::string& value) {
    const auto on = truth_of(value);
    if (!on) {
      const auto mode = means == Means::kSwitch ? find_word(kModes, value) : std::nullopt;
      return take_mode(name, mode, "true or false");  // SQLAlchemy writes ssl=require
    }
    if (means == Means::kVerify && !*on) return {};
    DatabaseTls tls = DatabaseTls::kDisable;
    if (*on) tls = means == Means::kVerify ? DatabaseTls::kVerifyCa : words_.ssl_true;
    switched_ = std::max(switched_.value_or(tls), tls);
    return {};
  }

  const DatabaseServerWords& words_;
  DatabaseOptions made_;
  std::optional<DatabaseTls> mode_, switched_;
};

}  // namespace

Result<DatabaseOptions> read_database_options(DatabaseKind kind, std::string_view text) {
  Reader reader(kind);
  while (!text.empty()) {
    if (auto read = reader.read(take_part(text, '&')); !read) return read.error();
  }
  return std::move(reader).finish();
}

}  // namespace akr
