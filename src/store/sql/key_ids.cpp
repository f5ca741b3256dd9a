#include "store/sql/key_ids.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "store/sql/schema.hpp"

namespace akr {
namespace {

constexpr const char* kNextId = "next_key_id";

// Also if rows were put in by hand.
long long take_ids(soci::session& session, const Dialect& dialect, std::size_t count) {
  const auto noted = parse_u64(read_meta(session, kNextId, dialect.lock_rows)).value_or(1);
  long long highest = 0;
  run(session, "SELECT coalesce(max(id), 0) FROM api_keys", soci::into(highest));
  const long long first = std::max(highest + 1, static_cast<long long>(noted));
  write_meta(session, kNextId, std::to_string(first + static_cast<long long>(count)));
  return first;
}

}  // namespace

Result<long long> KeyIds::reserve(soci::session& session, const Dialect& dialect, std::size_t count) {
  if (apart_ == nullptr) return take_ids(session, dialect, count);
  return apart_->write([&](soci::session& own) -> Result<long long> { return take_ids(own, dialect, count); });
}

}  // namespace akr
