#include "proxy/attempt/first_event.hpp"

namespace akr {

bool FirstEvent::scan(std::string_view text) {
  if (found_) return true;
  std::string_view fresh = text.substr(seen_);
  found_ = reader_.next(fresh);
  seen_ = text.size() - fresh.size();
  return found_;
}

}  // namespace akr
