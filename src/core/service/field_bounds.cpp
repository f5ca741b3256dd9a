#include "core/service/field_bounds.hpp"

#include <concepts>

#include "base/member_reader.hpp"
#include "core/service/text_rules.hpp"

namespace akr {
namespace {

Result<void> check_number(const std::string& place, std::int64_t value, const Bounds& bounds) {
  if (value >= bounds.least && value <= bounds.most) return {};
  return wrong_json(place, out_of_range(boost::json::value(value), bounds.least, bounds.most));
}

Result<void> check_text(const std::string& place, std::string_view text, const Bounds& bounds) {
  if (bounds.most == 0) return {};
  const auto length = utf8_length(text);
  const bool fits =
      length && *length >= static_cast<std::size_t>(bounds.least) && *length <= static_cast<std::size_t>(bounds.most);
  if (fits && !has_control(text)) return {};
  const std::string many = bounds.least > 0 ? std::to_string(bounds.least) + " to " : "at most ";
  return wrong_json(place, "has " + many + std::to_string(bounds.most) + " characters and no control characters");
}

}  // namespace

template <class Owner>
Result<void> check_bounds(const Field<Owner>& field, const Owner& object) {
  const auto number = [&](std::int64_t value) { return check_number(place_of(field), value, field.bounds); };
  return std::visit(
      Overloaded{
          [](bool& (*)(Owner&)) { return Result<void>(); },
          [&]<std::integral Number>(Number& (*at)(Owner&)) {
            return number(static_cast<std::int64_t>(look(at, object)));
          },
          [&](std::chrono::milliseconds& (*at)(Owner&)) { return number(look(at, object).count()); },
          [&](std::string& (*at)(Owner&)) { return check_text(place_of(field), look(at, object), field.bounds); },
          [](const Worded<Owner>&) { return Result<void>(); },
          [](const Listed<Owner>&) { return Result<void>(); },
      },
      field.member);
}

template Result<void> check_bounds(const Field<Service>& field, const Service& object);
template Result<void> check_bounds(const Field<UpstreamKey>& field, const UpstreamKey& object);
template Result<void> check_bounds(const Field<NewKey>& field, const NewKey& object);

}  // namespace akr
