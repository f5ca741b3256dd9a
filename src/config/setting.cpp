#include "config/setting.hpp"

#include "base/strings.hpp"
#include "base/utf8.hpp"

namespace akr {
namespace {

constexpr std::size_t kShownCharacters = 100;

// One line, whatever the value holds.
std::string printable(std::string_view text) {
  const std::string valid = valid_utf8(std::string(text));
  std::string out;
  for (char c : cut_utf8(valid, kShownCharacters)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += "\\x" + to_hex({&c, 1});
    } else {
      out += c;
    }
  }
  if (valid.size() > kShownCharacters) out += "...";
  return out;
}

}  // namespace

Result<void> SettingBase::read(std::string_view text, SettingSource source) {
  const std::string_view value = is_secret() ? text : trim(text);
  if (!accept(value)) return refusal_of(value, allowed().en);
  source_ = source;
  return {};
}

Error SettingBase::refusal_of(std::string_view text, std::string_view reason) const {
  std::string message(name_);
  message += '=';
  message += is_secret() ? "****" : printable(text);
  message += " is not allowed: ";
  message += reason;
  return Error{.code = ErrorCode::kInvalid, .message = std::move(message), .field = std::string(name_)};
}

std::string given_names(std::initializer_list<const SettingBase*> settings) {
  std::string names;
  for (const SettingBase* setting : settings) {
    if (!setting->given()) continue;
    if (!names.empty()) names += ", ";
    names += setting->name();
  }
  return names;
}

SettingBase* SettingList::find(std::string_view name) const {
  for (const SettingEntries& group : groups_) {
    for (SettingBase* setting : group.settings) {
      if (setting->name() == name) return setting;
    }
  }
  return nullptr;
}

}  // namespace akr
