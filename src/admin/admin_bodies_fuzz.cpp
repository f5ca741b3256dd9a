// What the admin API reads from a body, without a store: nothing crashes, an import agrees with the tree of the same
// body, and what was read of a service, written and read again, is the same.  The first byte chooses the reader.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "admin/key_import.hpp"
#include "admin/known_formats.hpp"
#include "admin/wire.hpp"
#include "base/member_reader.hpp"
#include "base/pasted_key.hpp"
#include "base/strings.hpp"
#include "core/service/validate.hpp"

namespace {

using namespace akr;
constexpr std::chrono::milliseconds kTotal{30'000};

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "property broken: %s\n", what);
  std::abort();
}

// As the tree of the body tells it.
void check_import(std::string_view body) {
  const auto import = read_key_import(body, 1000);
  const auto tree = parse_json_object(body);
  if (!tree) return require(!import, "no object, and yet read");
  const auto* list = tree->if_contains("keys");
  if (list == nullptr || !list->is_array()) return require(!import, "no list, and yet read");
  if (!import) return require(body.size() > 3000, "a list, and yet refused");  // more than 1,000 keys
  std::vector<std::string> keys;
  std::size_t failed = 0;
  for (const auto& item : list->get_array()) {
    const auto* text = item.if_string();
    const Secret key(text == nullptr ? std::string_view() : trim_pasted(std::string_view(text->data(), text->size())));
    if (text != nullptr && key.empty()) continue;
    if (text == nullptr || !validate_key(key)) {
      ++failed;
    } else {
      keys.emplace_back(key.expose());
    }
  }
  require(import->failed == failed, "as many failures");
  require(import->keys.size() == keys.size(), "as many keys");
  for (std::size_t i = 0; i < keys.size(); ++i) require(import->keys[i].secret.equals(keys[i]), "the same keys");
  boost::json::serialize(import_report(*import, {}));
}

void check_service(std::string_view body) {
  const auto object = parse_json_object(body);
  if (!object) return;
  const auto made = read_new_service(*object, kTotal);
  if (!made || !validate_service(made->service, ValidationPolicy{.formats = known_formats()})) return;
  // As text: a number in the tree that was never written is of another kind than one that was read.
  const auto written = parse_json_object(boost::json::serialize(write_service(made->service, std::nullopt)));
  const auto again = read_service_change(*written, made->service, kTotal);
  require(static_cast<bool>(again), "what was written is read");
  const auto changed = read_service_change(*object, made->service, kTotal);
  require(static_cast<bool>(changed), "what made it changes it");
}

void check_key(std::string_view body) {
  const auto object = parse_json_object(body);
  if (!object) return;
  MemberReader in(*object);
  UpstreamKey key;
  std::string value;
  in.text("key_value", value);
  in.flag("is_active", key.enabled, true);
  read_key_members(in, key);
  if (!in.result()) return;
  key.secret = Secret(trim_pasted(value));
  if (validate_key(key.secret)) boost::json::serialize(write_key(key, std::nullopt, {}));
}

void check_login(std::string_view body) {
  const auto object = parse_json_object(body);
  if (!object) return;
  MemberReader in(*object);
  std::string username, password;
  in.text("username", username);
  in.text("password", password);
  static_cast<void>(in.result());
  in.unknown();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  switch (bytes[0] % 4) {
    case 0:
      check_import(body);
      break;
    case 1:
      check_service(body);
      break;
    case 2:
      check_key(body);
      break;
    case 3:
      check_login(body);
      break;
  }
  return 0;
}
