// error_table.hpp - THE table of errors: what each code is called, which status it becomes, who tells it, whether to
// try again.  Replies of the proxy and of the admin API, GET /admin/meta, logs, labels and the documentation come from
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/language.hpp"

namespace akr {

inline constexpr std::size_t kErrorCodes = static_cast<std::size_t>(ErrorCode::kStoreRefused) + 1;

// Who tells it to a client.
enum class ToldBy : std::uint8_t { kProxy, kAdmin, kBoth };
std::string_view to_string(ToldBy by);  // "proxy", "admin", "both"

struct ErrorRow {
  ErrorCode code;
  std::string_view name;  // stable: in bodies, logs and labels
  int status;
  ToldBy by;
  bool retryable;  // the same request may do better without anybody doing something first
  Phrase title;
  Phrase meaning;                    // one sentence
  std::string_view admin_name = {};  // on the admin wire, if it differs there
};

// In the order of ErrorCode.
std::span<const ErrorRow> error_table();
const ErrorRow& row_of(ErrorCode code);
std::size_t row_named(std::string_view name);  // index of the first; kInternal's for an unknown name

// Error::message is a sentence without a capital and a full stop, as logs have it; people are told a whole one.  Names
// (`max_attempts`, "TLS") stay as they are, and what was written the other way is changed.
std::string for_people(std::string_view message);
std::string for_logs(std::string_view message);
Error for_people(Error error);  // with its message as people are told it

// The table as Markdown, for docs/*/admin-api.md.
std::string errors_markdown(Language language);

}  // namespace akr
