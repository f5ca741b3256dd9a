#include "options.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace akr::bench {
namespace {

[[noreturn]] void usage(const std::string& what) {
  std::fprintf(stderr, "bench: %s\n", what.c_str());
  std::exit(2);
}

template <typename T>
T parse(std::string_view what, std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    usage("not a number for " + std::string(what) + ": '" + std::string(text) + "'");
  }
  return value;
}

}  // namespace

Options::Options(const std::vector<std::string>& arguments, Defaults defaults,
                 const std::vector<std::string>& repeatable)
    : values_(std::move(defaults)) {
  for (const auto& name : repeatable) lists_[name];
  for (const auto& argument : arguments) take(argument);
}

void Options::take(std::string_view argument) {
  const auto equals = argument.find('=');
  if (!argument.starts_with("--") || equals == std::string_view::npos) {
    usage("expected --name=value, got '" + std::string(argument) + "'");
  }
  const auto name = argument.substr(2, equals - 2);
  const auto value = argument.substr(equals + 1);
  if (const auto list = lists_.find(name); list != lists_.end()) {
    list->second.emplace_back(value);
    return;
  }
  const auto known = values_.find(name);
  if (known == values_.end()) usage("unknown option --" + std::string(name));
  known->second = value;
}

const std::string& Options::text(std::string_view name) const { return values_.find(name)->second; }

std::uint64_t Options::number(std::string_view name) const { return parse<std::uint64_t>(name, text(name)); }

double Options::real(std::string_view name) const { return parse<double>(name, text(name)); }

const std::vector<std::string>& Options::list(std::string_view name) const { return lists_.find(name)->second; }

std::vector<int> parse_pids(std::string_view text) {
  std::vector<int> pids;
  while (!text.empty()) {
    const auto comma = text.find(',');
    pids.push_back(parse<int>("watch", text.substr(0, comma)));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return pids;
}

}  // namespace akr::bench
