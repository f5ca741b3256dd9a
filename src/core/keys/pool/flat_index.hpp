// flat_index.hpp - numbers to places, in one table: a look-up is one cache line, and the place is in it, with a note of
// what will be needed next.
//
// Open addressing with linear probing, at most half full; an erased cell is closed by moving its followers back.
// Keys are hashes already.  Not thread-safe.
#pragma once

#include <bit>
#include <cstdint>

#include "base/large_vector.hpp"

namespace akr {

template <class Note>
class BasicFlatIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffff'ffff;

  std::size_t size() const { return size_; }

  struct alignas(sizeof(Note) <= 4 ? 16 : 32) Cell {  // never across two cache lines
    std::uint64_t key = 0;
    std::uint32_t place = kNone;
    Note note = {};
  };

  // kNone if the key is not there.
  std::uint32_t find(std::uint64_t key) const {
    const Cell* cell = look(key);
    return cell == nullptr ? kNone : cell->place;
  }
  // nullptr if the key is not there; good until the next insert() or erase().
  const Cell* look(std::uint64_t key) const {
    if (cells_.empty()) return nullptr;
    for (std::size_t at = home(key); cells_[at].place != kNone; at = next(at))
      if (cells_[at].key == key) return &cells_[at];
    return nullptr;
  }
  void set_note(const Cell& cell, const Note& note) {
    cells_[static_cast<std::size_t>(&cell - cells_.data())].note = note;
  }

  // REQUIRES: the key is not there; place != kNone.  Allocates when the table is half full.
  void insert(std::uint64_t key, std::uint32_t place, const Note& note = {}) {
    if (2 * (size_ + 1) > cells_.size()) grow();
    put({key, place, note});
    ++size_;
  }

  void erase(std::uint64_t key) {
    if (cells_.empty()) return;
    std::size_t hole = home(key);
    for (; cells_[hole].key != key || cells_[hole].place == kNone; hole = next(hole))
      if (cells_[hole].place == kNone) return;
    for (std::size_t at = next(hole); cells_[at].place != kNone; at = next(at)) {
      // A follower may move into the hole unless its home lies behind the hole.
      if (distance(home(cells_[at].key), at) < distance(hole, at)) continue;
      cells_[hole] = cells_[at];
      hole = at;
    }
    cells_[hole] = {};
    --size_;
  }

 private:
  std::size_t mask() const { return cells_.size() - 1; }
  std::size_t home(std::uint64_t key) const {
    return (key * 0x9e3779b97f4a7c15ULL) >> (64 - std::countr_zero(cells_.size()));
  }
  std::size_t next(std::size_t at) const { return (at + 1) & mask(); }
  std::size_t distance(std::size_t from, std::size_t to) const { return (to - from) & mask(); }

  void put(const Cell& cell) {
    std::size_t at = home(cell.key);
    while (cells_[at].place != kNone) at = next(at);
    cells_[at] = cell;
  }

  void grow() {
    LargeVector<Cell> old(cells_.empty() ? 64 : 2 * cells_.size());
    old.swap(cells_);
    for (const Cell& cell : old)
      if (cell.place != kNone) put(cell);
  }

  LargeVector<Cell> cells_;  // a power of two of them
  std::size_t size_ = 0;
};

using FlatIndex = BasicFlatIndex<std::uint32_t>;

}  // namespace akr
