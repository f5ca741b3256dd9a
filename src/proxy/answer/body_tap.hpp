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

}  // namespace akr
