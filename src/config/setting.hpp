// setting.hpp - what a list of settings is made of: each Setting member registers itself, in order of declaration, in
// the SettingList it stands in, under the SettingGroup that stands before it.  So there is no second list.
//
// Lists are neither copied nor moved: members are registered by address.  Filled by one thread, then only read.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/setting_value.hpp"

namespace akr {

enum class SettingSource { kDefault, kDotenv, kEnvironment };

class SettingBase {
 public:
  SettingBase(std::string_view name, Text meaning) : name_(name), meaning_(std::move(meaning)) {}
  virtual ~SettingBase() = default;
  SettingBase(const SettingBase&) = delete;
  SettingBase& operator=(const SettingBase&) = delete;

  std::string_view name() const { return name_; }
  const Text& meaning() const { return meaning_; }
  SettingSource source() const { return source_; }
  bool given() const { return source_ != SettingSource::kDefault; }

  // Takes the value from `text`, without the spaces around it unless it is a secret.  kInvalid with Error::field = name
  // and a line "NAME=value is not allowed: ..." in which a secret value is "****".
  Result<void> read(std::string_view text, SettingSource source);

  virtual bool is_secret() const = 0;
  virtual Text allowed() const = 0;
  virtual std::string initial() const = 0;  // the default as text; "" = none
  virtual std::string shown() const = 0;    // the value as text; secrets masked

  // The error of a value that parsed but cannot be accepted for a reason that only the caller knows.
  Error refusal(std::string_view reason) const { return refusal_of(shown(), reason); }

 protected:
  virtual bool accept(std::string_view text) = 0;

 private:
  Error refusal_of(std::string_view text, std::string_view reason) const;

  std::string_view name_;
  Text meaning_;
  SettingSource source_ = SettingSource::kDefault;
};

// "DB_HOST, DB_USER" of those that were given.
std::string given_names(std::initializer_list<const SettingBase*> settings);

struct SettingEntries {
  Text title;
  std::vector<SettingBase*> settings;
};

class SettingList {
 public:
  SettingList() = default;
  SettingList(const SettingList&) = delete;
  SettingList& operator=(const SettingList&) = delete;

  const std::vector<SettingEntries>& groups() const { return groups_; }
  SettingBase* find(std::string_view name) const;  // nullptr: no such setting

 private:
  friend struct SettingGroup;
  template <class T>
  friend class Setting;
  std::vector<SettingEntries> groups_;
};

// The settings declared after it, up to the next one, belong together.
struct SettingGroup {
  SettingGroup(SettingList& owner, Text title) { owner.groups_.push_back({std::move(title), {}}); }
};

// What is allowed beyond the type.  No rule: everything the type can hold.
template <class T>
struct SettingRule {
  std::function<bool(const T&)> accepts = {};
  Text allowed = ValueText<T>::allowed();
};

template <class T>
SettingRule<T> between(T low, T high) {
  const Text type = ValueText<T>::allowed();
  const std::string from = ValueText<T>::print(low);
  const std::string to = ValueText<T>::print(high);
  return {[low, high](const T& value) { return value >= low && value <= high; },
          {type.en + ", from " + from + " to " + to, type.zh + "，从 " + from + " 到 " + to}};
}

template <class T>
class Setting final : public SettingBase {
 public:
  // REQUIRES: a SettingGroup was declared before it in `owner`.
  Setting(SettingList& owner, std::string_view name, T initial, Text meaning, SettingRule<T> rule = {})
      : SettingBase(name, std::move(meaning)),
        value_(std::move(initial)),
        initial_(ValueText<T>::print(value_)),
        rule_(std::move(rule)) {
    owner.groups_.back().settings.push_back(this);
  }

  const T& operator()() const { return value_; }

  bool is_secret() const override { return std::same_as<T, Secret> || std::same_as<T, std::vector<Secret>>; }
  Text allowed() const override { return rule_.allowed; }
  std::string initial() const override { return initial_; }
  std::string shown() const override { return ValueText<T>::print(value_); }

 protected:
  bool accept(std::string_view text) override {
    auto parsed = ValueText<T>::parse(text);
    if (!parsed || (rule_.accepts && !rule_.accepts(*parsed))) return false;
    value_ = *std::move(parsed);
    return true;
  }

 private:
  T value_;
  std::string initial_;
  SettingRule<T> rule_;
};

}  // namespace akr
