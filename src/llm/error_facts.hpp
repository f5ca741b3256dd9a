// error_facts.hpp - the members of an error body that tell what went wrong, read in one pass without a DOM.
//
// Forgiving: whatever was read before the text broke off counts, unknown members are skipped, depth and size are
// bounded.  Serves all dialects, because providers borrow each other's shapes (Google's shim wraps OpenAI's in an
// array).
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "llm/hint_members.hpp"

namespace akr {

struct ErrorFacts {
  bool is_json = false;  // an object or array that began well
  bool has_error =
      false;  // a top-level "error" that says something (null, false, {}, all null: nothing), or type "error"
  bool is_resource = false;  // the object has an id or a name, and a state: an error in it is a part of that state
  std::string message = {};  // error.message, error as a string, top-level message/detail/description, errors[0]
  std::string lower_message = {};           // the same in lower case, to look for phrases
  std::string code = {};                    // error.code if it is a string
  int number = 0;                           // error.code if it is a number
  std::string type = {};                    // error.type
  std::string status = {};                  // error.status (Google)
  std::string event_type = {};              // top-level type ("error", "response.failed")
  std::string error_code = {};              // error.details.error_code (Anthropic)
  std::array<std::string, 4> reasons = {};  // error.details[].reason and error.metadata.reason (Google)
  std::size_t reason_count = 0;
  std::string retry_delay = {};  // RetryInfo.retryDelay
  bool quota_failure = false;    // QuotaFailure is there
  bool quota_per_day = false;    // of its quotaId
  bool quota_per_minute = false;
  bool quota_zero = false;  // a quotaValue of 0: this tier has none of it

  // Members that say when to come back (hint_members.hpp), in the order of the text; what their values are worth is
  // told by read_hint().
  struct Hint {
    HintForm form = HintForm::kWait;
    std::string value = {};
  };
  std::array<Hint, 4> hints = {};
  std::size_t hint_count = 0;
  // The provider's own head, where a front repeats it in the body.
  struct Field {
    std::string name = {};
    std::string value = {};
  };
  std::array<Field, 12> headers = {};
  std::size_t header_count = 0;

  bool has_reason(std::string_view reason) const;
  // Is `phrase` (lower case) in the first 1 KiB of the message, in any letter case?
  bool says(std::string_view phrase) const;
};

inline constexpr std::size_t kErrorBodyLimit = 65'536;

ErrorFacts read_error_facts(std::string_view body);

}  // namespace akr
