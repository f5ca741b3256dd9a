#include "core/keys/key_state.hpp"

namespace akr {

std::string_view to_string(KeyState state) {
  switch (state) {
    case KeyState::kActive:
      return "active";
    case KeyState::kCooling:
      return "cooling";
    case KeyState::kExhausted:
      return "exhausted";
    case KeyState::kInvalid:
      return "invalid";
  }
  return "unknown";
}

std::string_view to_string(KeyStanding standing) {
  switch (standing) {
    case KeyStanding::kUsable:
      return "usable";
    case KeyStanding::kTrial:
      return "trial";
    case KeyStanding::kOnTrial:
      return "on_trial";
    case KeyStanding::kDisabled:
      return "disabled";
    case KeyStanding::kUnreadable:
      return "unreadable";
    case KeyStanding::kDraining:
      return "draining";
    case KeyStanding::kCooling:
      return "cooling";
    case KeyStanding::kExhausted:
      return "exhausted";
    case KeyStanding::kInvalid:
      return "invalid";
    case KeyStanding::kLimited:
      return "limited";
    case KeyStanding::kPaced:
      return "paced";
    case KeyStanding::kBusy:
      return "busy";
  }
  return "unknown";
}

}  // namespace akr
