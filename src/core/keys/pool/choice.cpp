#include "core/keys/pool/choice.hpp"

namespace akr {

void SetAside::add(std::uint32_t slot) {
  const Each each{.slot = slot, .position = tables_.roster.slots[slot].ready};
  if (size_ < kRoom) {
    first_[size_] = each;
  } else {
    more_.push_back(each);
  }
  ++size_;
  tables_.leave(slot);
}

void SetAside::join_all() {
  for (std::size_t i = 0; i < size_; ++i) tables_.join(at(i).slot);
  size_ = 0;
  more_.clear();
}

void SetAside::undo() {
  for (; size_ > 0; --size_) tables_.undo_leave(at(size_ - 1).slot, at(size_ - 1).position);
  more_.clear();
}

}  // namespace akr
