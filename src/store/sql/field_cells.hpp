// field_cells.hpp - the listed fields (core/service/fields.hpp) as cells of a row, and as words of statements.
//
// A column has its field's name.  Flags and numbers are kept as numbers, everything else as text.  "" and the default
// of a field that follows_default are kept as NULL.
#pragma once

#include <string>
#include <vector>

#include <soci/soci.h>

#include "core/service/fields.hpp"

namespace akr {

struct Cell {
  long long number = 0;
  std::string text;
  soci::indicator state = soci::i_null;
};

// A list that is no list any more, because somebody edited the table by hand: the object works on without it rather
// than not at all.
struct Unreadable {
  std::string_view field;
  Error error;
};

// One row, a cell for each field in the order of the list.  Both throw soci::soci_error.
template <class Owner>
class FieldCells {
 public:
  explicit FieldCells(std::span<const Field<Owner>> fields) : fields_(fields), cells_(fields.size()) {}

  void define(soci::statement& statement);  // what field_names() select comes into the cells
  void bind(soci::statement& statement);    // the cells are the parameters of field_parameters()

  std::span<const Cell> cells() const { return cells_; }
  // REQUIRES: the list has such a field.
  Cell& operator[](std::string_view name);

  // `fresh`: a new object, whose values stand for NULL where a field follows its default.
  void fill(const Owner& object, const Owner& fresh);
  std::vector<Unreadable> take(Owner& object, const Owner& fresh);

 private:
  std::span<const Field<Owner>> fields_;
  std::vector<Cell> cells_;
};

template <class Owner>
bool is_number(const Field<Owner>& field);

// Moves the cell's text.  An error: the value stays.
template <class Owner>
Result<void> take_cell(const Field<Owner>& field, Cell& cell, Owner& object, const Owner& fresh);

std::string joined(const std::vector<std::string>& words, std::string_view between);

template <class Owner>
std::vector<std::string> field_names(std::span<const Field<Owner>> fields) {
  std::vector<std::string> names;
  for (const Field<Owner>& field : fields) names.emplace_back(field.name);
  return names;
}

template <class Owner>
std::string columns_of(std::span<const Field<Owner>> fields) {  // "note, weight"
  return joined(field_names(fields), ", ");
}

template <class Owner>
std::string parameters_of(std::span<const Field<Owner>> fields) {  // ":note, :weight"
  return ":" + joined(field_names(fields), ", :");
}

template <class Owner>
std::string assignments_of(std::span<const Field<Owner>> fields) {  // "note = :note, weight = :weight"
  std::vector<std::string> words = field_names(fields);
  for (std::string& word : words) word += " = :" + word;
  return joined(words, ", ");
}

}  // namespace akr
