// secret.hpp - bytes that must not be seen: upstream keys, access keys, passwords, signing keys.
//
// There is no implicit way out: no formatting, no streaming, no comparison that leaks time.  expose() is the one
// door, and grep finds every use of it.  The memory is wiped when the Secret dies.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace akr {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view bytes) : bytes_(bytes) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  // The plain bytes, valid while this Secret lives.  Only for sending, hashing and encrypting.
  std::string_view expose() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  std::size_t size() const { return bytes_.size(); }

  // For people: a recognised vendor prefix (or the first 4 characters), "…", and the last 4; "****" under 16
  // characters.  At least 10 characters otherwise, so that the original's own mask (6 + 4) still prints.
  std::string masked() const;

  // Same bytes?  Takes the same time whatever the bytes are (the length may show).
  bool equals(std::string_view other) const;

 private:
  void wipe();
  std::string bytes_;
};

// Wipes `text` in place and leaves it empty.
void wipe(std::string& text);

}  // namespace akr
