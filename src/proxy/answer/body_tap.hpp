// body_tap.hpp - sees the bytes of an answer's body on their way to the client; changes and delays nothing.
#pragma once

#include <string_view>

namespace akr {

class BodyTap {
 public:
  virtual ~BodyTap() = default;
  // The next bytes of the body, without its framing; called before they are sent.
  virtual void take(std::string_view data) = 0;
  // Nothing more is of interest: bytes may go down unseen.
  virtual bool done() const = 0;
};

// Up to two taps on one body.  The taps outlive it.
class TapPair final : public BodyTap {
 public:
  TapPair(BodyTap* first, BodyTap* second) : first_(first), second_(second) {}
  // Itself if there are two, else the only one; nullptr if there is none.
  BodyTap* one() {
    if (first_ != nullptr && second_ != nullptr) return this;
    return first_ != nullptr ? first_ : second_;
  }

  void take(std::string_view data) override {
    for (BodyTap* tap : {first_, second_}) {
      if (!tap->done()) tap->take(data);
    }
  }
  bool done() const override { return first_->done() && second_->done(); }

 private:
  BodyTap* first_;
  BodyTap* second_;
};

}  // namespace akr
