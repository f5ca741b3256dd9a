#include "base/secret.hpp"

#include <array>

#include <sodium.h>

namespace akr {
namespace {

// Public vendor prefixes: they name the vendor and carry no entropy.  Longest first.
constexpr std::array<std::string_view, 14> kVendorPrefixes = {
    "sk-svcacct-", "sk-admin-", "sk-proj-", "sk-ant-", "sk-or-", "AIza", "tvly-",
    "gsk_",        "xai-",      "pplx-",    "hf_",     "csk-",   "r8_",  "sk-"};

}  // namespace

Secret::Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { other.wipe(); }

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    wipe();
    bytes_ = other.bytes_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = std::move(other.bytes_);
    other.wipe();
  }
  return *this;
}

Secret::~Secret() { wipe(); }

void Secret::wipe() { akr::wipe(bytes_); }

void wipe(std::string& text) {
  // Short strings live inside the object and leave their bytes behind on a move, so wipe the capacity, not the size.
  text.resize(text.capacity());
  sodium_memzero(text.data(), text.size());
  text.clear();
}

std::string Secret::masked() const {
  if (bytes_.size() < 16) return "****";
  std::string_view prefix = std::string_view(bytes_).substr(0, 4);
  for (std::string_view vendor : kVendorPrefixes) {
    if (bytes_.starts_with(vendor)) {
      prefix = vendor;
      break;
    }
  }
  std::string out(prefix);
  out += "…";
  out.append(bytes_, bytes_.size() - 4, 4);
  return out;
}

bool Secret::equals(std::string_view other) const {
  return bytes_.size() == other.size() && sodium_memcmp(bytes_.data(), other.data(), other.size()) == 0;
}

}  // namespace akr
