// copy_report.hpp - what copy-database prints.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "store/copy_database.hpp"

namespace akr {

// One line for each table that is done, and in between at most one a second.
class CopyProgressLines {
 public:
  explicit CopyProgressLines(std::function<void(const std::string& line)> print) : print_(std::move(print)) {}

  void note(std::string_view table, std::uint64_t done, std::uint64_t all, TimePoint now);

 private:
  std::function<void(const std::string&)> print_;
  std::string finished_;
  TimePoint told_{};
};

// Names and numbers in two columns, and that they were verified.
std::string copy_report(std::span<const CopiedTable> tables);

}  // namespace akr
