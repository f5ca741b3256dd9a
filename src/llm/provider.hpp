// provider.hpp - how one LLM provider behaves as an upstream, whatever dialect it is spoken to in: where it wants its
// key, what its errors mean, what belongs to a key, which call costs nothing.
//
// Plain data of static storage (llm/provider/registry.hpp): a compiled service holds a pointer to it, any thread may
// read it.  Knows nothing of services, keys and sockets.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "llm/answer_urls.hpp"
#include "llm/dialect.hpp"
#include "llm/error_detail.hpp"
#include "llm/error_rules.hpp"
#include "llm/resources.hpp"

namespace akr {

// The header in which a provider wants its key.
struct CredentialPlace {
  std::string_view header = {};  // lower case
  std::string_view prefix = {};  // "Bearer " or ""
};

// Where a request names its model.
struct ModelPlace {
  // In the path, behind the first of these that occurs ("/models/"), up to the next '/' or ':'.
  std::span<const std::string_view> behind = {};
  bool in_body = true;  // as the member `model`, if the path names none
};

// Read by many frameworks, whoever the provider is: what a request does is what its request line says.
inline constexpr std::string_view kMethodOverrides[] = {"x-http-method-override", "x-http-method", "x-method-override"};
inline constexpr std::string_view kMethodParameters[] = {"_method", "$method"};

struct Provider {
  std::string_view id;          // "openai"; shown, never changes
  std::string_view api_format;  // what services call it, on the admin wire and in the store: "openai_compatible"
  // Spoken natively, not empty.  The first one is meant where a path tells none.
  std::span<const Dialect* const> dialects;

  // ---- the head of a request and of its answer (all names lower case)
  CredentialPlace credential;
  std::span<const HeaderView> required_headers = {};  // added when the client sent none of that name
  // Name the account of whoever holds the key: from the client they would contradict our key, towards the client they
  // would tell whose key it was.
  std::span<const std::string_view> account_request_headers = {};
  std::span<const std::string_view> account_response_headers = {};
  // What a client may not say: further places of a credential, which would be judged instead of our key; and what would
  // make another request of it than the one that we read.  Parameters are told by name, in any case and spelling.
  std::span<const std::string_view> withheld_headers = kMethodOverrides;
  std::span<const std::string_view> withheld_parameters = kMethodParameters;

  // ---- URLs
  // Versions of its API, as first segments of a path: clients and operators both put them into "the base URL", and the
  // upstream wants each once.
  std::span<const std::string_view> versions = {};
  ModelPlace model;
  // Path of a GET that is refused without a valid key and costs nothing.
  std::string_view free_call;

  // Fields of answers, beside Location and Content-Location, and members of JSON answers whose URL the client calls
  // next: it must lead to us.
  std::span<const std::string_view> url_fields = {};
  std::span<const UrlMembers> url_members = {};
  // Fields by which a request begins an upload, and words in their lists.  The answer tells the URL of it (one with an
  // upload_id), to which SDKs send the rest without a key.  Empty: there are no such uploads.
  std::span<const HeaderView> begins_upload = {};

  // ---- what is made at once
  // Ends of the paths to which a POST is answered with what was asked for, beside those of the dialects' kGenerate
  // ("/embeddings").  Other calls make or tell of things that live on, whose state may be "failed".
  std::span<const std::string_view> generating_paths = {};

  // ---- things that belong to the key that made them; nullptr: nothing does
  const ResourceMap* resources = nullptr;

  // ---- errors
  std::span<const ErrorRule> error_rules = {};  // the first one that fits decides
  // What a table cannot say: dates, headers of its own.  Called after the rules; the answer's status is never 2xx.
  void (*refine)(const ErrorAnswer& answer, const ErrorFacts& facts, ErrorDetail& detail) = nullptr;

  bool speaks(const Dialect& dialect) const;
  // The dialect of a request to `path` (as Dialect::operation_of wants it).
  const Dialect& dialect_of(std::string_view path) const;
  // Does a request ask for something to be made at once?  `path` as above.
  bool generates(std::string_view method, std::string_view path) const;
  // The model that the request target names by its path; "" if it names none.
  std::string_view model_in(std::string_view target) const;
  // What an error answer means, whose body was read as `facts`.
  ErrorDetail explain(const ErrorAnswer& answer, ErrorFacts facts) const;
};

// An upstream as it is spoken to: a provider, and one of the dialects that it speaks.  Both are set or neither.
struct UpstreamSpeech {
  const Provider* provider = nullptr;  // nullptr: no LLM; nothing is known about its answers
  const Dialect* dialect = nullptr;

  explicit operator bool() const { return provider != nullptr; }

  // The following REQUIRE *this.
  // What an error answer says.  Never fails: HTML, an empty or a broken body give kUnknown, and the hint of the
  // headers.
  ErrorDetail parse_error(const ErrorAnswer& answer) const;
  // Is this 2xx JSON body an error in disguise (a top-level "error")?  The detail's status is the one it means.
  std::optional<ErrorDetail> error_in_success(const ErrorAnswer& answer) const;
  // Is this event of a stream an error?  Asked for the first event, while the request can still be tried again.
  std::optional<ErrorDetail> error_in_event(const SseEventView& event, WallTime now) const;
};

}  // namespace akr
