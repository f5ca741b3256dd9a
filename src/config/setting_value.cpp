#include "config/setting_value.hpp"

#include <algorithm>
#include <limits>

#include "base/pasted_key.hpp"
#include "base/strict_url.hpp"
#include "base/strings.hpp"

namespace akr {
namespace {

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

// The number before the longest matching suffix, times its factor; nullopt on overflow.
std::optional<std::uint64_t> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (!text.ends_with(unit.suffix)) continue;
    const auto number = parse_u64(text.substr(0, text.size() - unit.suffix.size()));
    if (!number) continue;  // "5ms" also ends with "s"
    if (*number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / unit.factor)
      return std::nullopt;
    return *number * unit.factor;
  }
  return std::nullopt;
}

constexpr Unit kTimeUnits[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"", 1000}};
constexpr Unit kByteUnits[] = {{"K", 1ULL << 10}, {"M", 1ULL << 20}, {"G", 1ULL << 30}, {"", 1}};

}  // namespace

std::optional<bool> ValueText<bool>::parse(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::optional<std::uint32_t> ValueText<std::uint32_t>::parse(std::string_view text) {
  const auto number = parse_u64(text);
  if (!number || *number > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

std::optional<ByteCount> ValueText<ByteCount>::parse(std::string_view text) {
  const auto bytes = parse_with_unit(text, kByteUnits);
  if (!bytes) return std::nullopt;
  return ByteCount{*bytes};
}

std::optional<std::chrono::milliseconds> ValueText<std::chrono::milliseconds>::parse(std::string_view text) {
  const auto milliseconds = parse_with_unit(text, kTimeUnits);
  if (!milliseconds) return std::nullopt;
  return std::chrono::milliseconds(*milliseconds);
}

std::string ValueText<std::chrono::milliseconds>::print(std::chrono::milliseconds value) {
  if (value.count() % 1000 != 0) return std::to_string(value.count()) + "ms";
  return std::to_string(value.count() / 1000);
}

std::optional<HttpUrl> ValueText<HttpUrl>::parse(std::string_view text) {
  const auto url = parse_strict_url(text);
  if (!url || (!iequals(url->scheme, "https") && !iequals(url->scheme, "http"))) return std::nullopt;
  if (url->has_userinfo || url->has_query || url->has_fragment) return std::nullopt;
  if (url->has_port && !parse_port(url->port)) return std::nullopt;
  while (text.ends_with('/')) text.remove_suffix(1);
  return HttpUrl{std::string(text)};
}

std::optional<std::vector<Secret>> ValueText<std::vector<Secret>>::parse(std::string_view text) {
  std::vector<Secret> values;
  for (std::string_view part : split(text, ',')) {
    part = trim_pasted(part);
    if (!part.empty()) values.emplace_back(part);
  }
  return values;
}

std::string ValueText<std::vector<Secret>>::print(const std::vector<Secret>& values) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) out += i == 0 ? "****" : ",****";
  return out;
}

std::string join_words(const std::vector<std::string_view>& words, std::string_view last_separator) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? last_separator : std::string_view(", ");
    out += words[i];
  }
  return out;
}

bool same_word(std::string_view a, std::string_view b) { return iequals(a, b); }

}  // namespace akr
