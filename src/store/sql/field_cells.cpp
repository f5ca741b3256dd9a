#include "store/sql/field_cells.hpp"

#include <algorithm>
#include <concepts>

#include <boost/json/serialize.hpp>

#include "base/member_reader.hpp"

namespace akr {
namespace {

// ---- into a cell

Cell number_cell(long long number, bool null) { return {number, "", null ? soci::i_null : soci::i_ok}; }

template <class Owner>
Cell text_cell(const Field<Owner>& field, std::string text) {
  const bool kept = !text.empty() || (field.required && field.applies == AppliesTo::kAllServices);
  return {0, std::move(text), kept ? soci::i_ok : soci::i_null};
}

template <class Owner>
struct CellWriter {
  const Field<Owner>& field;
  const Owner& object;
  const Owner& fresh;

  template <class Number>
  Cell operator()(Number& (*at)(Owner&)) const {  // a flag too
    const auto number = [at](const Owner& from) { return static_cast<long long>(look(at, from)); };
    // Whoever sets the default's own value by hand follows the default from then on.
    return number_cell(number(object), field.follows_default && number(object) == number(fresh));
  }
  Cell operator()(std::chrono::milliseconds& (*at)(Owner&)) const {
    return number_cell(look(at, object).count(), field.follows_default && look(at, object) == look(at, fresh));
  }
  Cell operator()(std::string& (*at)(Owner&)) const { return text_cell(field, look(at, object)); }
  Cell operator()(const Worded<Owner>& worded) const { return text_cell(field, worded.write(object).value_or("")); }
  Cell operator()(const Listed<Owner>& listed) const {
    const boost::json::array list = listed.write(object);
    return text_cell(field, list.empty() ? "" : boost::json::serialize(list));
  }
};

// ---- out of it

template <class Owner>
struct CellReader {
  const Field<Owner>& field;
  Cell& cell;
  Owner& object;
  const Owner& fresh;

  template <class Number>
  Result<void> operator()(Number& (*at)(Owner&)) const {
    at(object) = is_null() ? (field.follows_default ? look(at, fresh) : Number{}) : static_cast<Number>(cell.number);
    return {};
  }
  Result<void> operator()(bool& (*at)(Owner&)) const {
    at(object) = is_null() ? field.follows_default && look(at, fresh) : cell.number != 0;
    return {};
  }
  Result<void> operator()(std::string& (*at)(Owner&)) const {
    at(object) = is_null() ? (field.follows_default ? look(at, fresh) : "") : std::move(cell.text);
    return {};
  }
  // What is wrong with it is said when the whole service is checked, before it is published.
  Result<void> operator()(const Worded<Owner>& worded) const {
    static_cast<void>(worded.read(is_null() ? "" : std::string_view(cell.text), object));
    return {};
  }
  Result<void> operator()(const Listed<Owner>& listed) const {
    if (is_null() || cell.text.empty()) return {};
    const auto value = parse_json_text(cell.text, field.name);
    if (!value) return value.error();
    return listed.read(*value, object);
  }

 private:
  bool is_null() const { return cell.state == soci::i_null; }
};

}  // namespace

template <class Owner>
bool is_number(const Field<Owner>& field) {
  return !std::holds_alternative<std::string& (*)(Owner&)>(field.member) &&
         !std::holds_alternative<Worded<Owner>>(field.member) && !std::holds_alternative<Listed<Owner>>(field.member);
}

template <class Owner>
Result<void> take_cell(const Field<Owner>& field, Cell& cell, Owner& object, const Owner& fresh) {
  return std::visit(CellReader<Owner>{field, cell, object, fresh}, field.member);
}

template <class Owner>
void FieldCells<Owner>::define(soci::statement& statement) {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    Cell& cell = cells_[i];
    if (is_number(fields_[i])) {
      statement.exchange(soci::into(cell.number, cell.state));
    } else {
      statement.exchange(soci::into(cell.text, cell.state));
    }
  }
}

template <class Owner>
void FieldCells<Owner>::bind(soci::statement& statement) {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    Cell& cell = cells_[i];
    const std::string name(fields_[i].name);
    if (is_number(fields_[i])) {
      statement.exchange(soci::use(cell.number, cell.state, name));
    } else {
      statement.exchange(soci::use(cell.text, cell.state, name));
    }
  }
}

template <class Owner>
Cell& FieldCells<Owner>::operator[](std::string_view name) {
  const auto* field = std::find_if(fields_.data(), fields_.data() + fields_.size(),
                                   [name](const Field<Owner>& each) { return each.name == name; });
  return cells_.at(static_cast<std::size_t>(field - fields_.data()));
}

template <class Owner>
void FieldCells<Owner>::fill(const Owner& object, const Owner& fresh) {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    cells_[i] = std::visit(CellWriter<Owner>{fields_[i], object, fresh}, fields_[i].member);
  }
}

template <class Owner>
std::vector<Unreadable> FieldCells<Owner>::take(Owner& object, const Owner& fresh) {
  std::vector<Unreadable> unreadable;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    auto taken = take_cell(fields_[i], cells_[i], object, fresh);
    if (!taken) unreadable.push_back({fields_[i].name, taken.error()});
  }
  return unreadable;
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += between;
    text += word;
  }
  return text;
}

template class FieldCells<Service>;
template class FieldCells<UpstreamKey>;
template class FieldCells<NewKey>;
template bool is_number(const Field<UpstreamKey>&);
template bool is_number(const Field<NewKey>&);
template bool is_number(const Field<Service>&);
template Result<void> take_cell(const Field<Service>&, Cell&, Service&, const Service&);
template Result<void> take_cell(const Field<UpstreamKey>&, Cell&, UpstreamKey&, const UpstreamKey&);

}  // namespace akr
