// key_import.hpp - the body of POST /admin/proxy-configs/{id}/keys/batch: {"keys": ["...", ...]}.
//
// Read as a stream: besides the keys themselves nothing of it is built up, whatever stands in it.  What cannot be a key
// is counted, and the first kMostListed of them are told one by one.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "base/result.hpp"
#include "core/service/key_in_path.hpp"
#include "core/service/service.hpp"
#include "store/config_store.hpp"

namespace akr {

struct KeyImport {
  static constexpr std::size_t kMostListed = 1000;
  struct Failure {
    std::size_t index = 0;  // in the list
    const char* code = "";  // "invalid_value" or "not_a_string"
    std::string masked;
  };
  std::vector<NewKey> keys;  // blank ones are none
  std::size_t failed = 0;
  std::vector<Failure> listed;
};

// kBadRequest: not one JSON object.  kInvalid (field "keys"): no list there, or more than `most` keys in it; the
// message names IMPORT_MAX_KEYS.  A key that `place` does not take is none.
Result<KeyImport> read_key_import(std::string_view body, std::size_t most, const KeyInPath& place = KeyInPath());

// {"success_count", "failed_count", "skipped_count", "failed_keys"?, "failed"?: [{"index", "code"}],
//  "failed_truncated"?: true}
boost::json::object import_report(const KeyImport& import, std::span<const AddedKey> added);

}  // namespace akr
