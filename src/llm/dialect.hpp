// dialect.hpp - one LLM wire format: which paths are its own, and what its answers and streams say, whoever speaks it.
// Stateless and shared: every method is const and may be called from any thread.
//
// How a provider behaves is llm/provider.hpp's business; what an error means for a key is decided in core/outcome.
// Reading and writing requests, for conversion between dialects, will be further methods of this class.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

#include "llm/error_detail.hpp"
#include "llm/error_facts.hpp"
#include "llm/sse_reader.hpp"
#include "llm/token_usage.hpp"

namespace akr {

// What a request asks for, by its path.
enum class Operation : std::uint8_t {
  kNone,      // the path is not one of this dialect's own; another one may have it
  kGenerate,  // a model's answer
  kOther,     // something that belongs to this dialect: counting tokens, answers that were stored
};

class Dialect {
 public:
  virtual ~Dialect() = default;

  virtual std::string_view id() const = 0;  // "openai_chat"; shown, never changes
  // The same as output_format of a service, on the admin wire and in the store.
  virtual std::string_view output_format() const { return id(); }

  // ---- requests
  // `path` as the client sent it, behind the slug, without query.
  virtual Operation operation_of(std::string_view path) const = 0;
  // Fields (lower case) that only clients of this dialect send: they tell it where the path does not.
  virtual std::span<const std::string_view> telltale_fields() const { return {}; }

  // ---- good answers
  // Adds what a 2xx JSON body, or the data of an event of a stream, says about its cost; nothing if it is no JSON.
  void read_usage(std::string_view json, TokenUsage& usage) const;
  // Where there is a usage there is this text: how the name of its member begins, quote included.
  virtual std::string_view usage_clue() const { return "\"usage"; }
  // Is there nothing in this whole 2xx JSON body although nothing says why?  False for calls that generate nothing.
  bool is_empty_answer(std::string_view json) const;
  // Is this event of a stream no content: a role, a ping, a count?  False for what we do not know.
  bool is_empty_event(const SseEventView& event) const;

  // ---- errors
  // Where a good status hides an error there is this text; nearly all good answers are told from errors by its absence.
  virtual std::string_view error_clue() const { return "error"; }
  // What an error body, or the data of an event, holds; what it means is told by Provider::explain().
  virtual ErrorFacts read_error(std::string_view body) const { return read_error_facts(body); }
  // A JSON body of our own for status `detail.status`, as this dialect's SDKs expect it.
  virtual std::string build_error(const ErrorDetail& detail) const = 0;
  // The same as the last event of a stream that cannot go on.
  virtual std::string build_error_event(const ErrorDetail& detail) const;

  // ---- streams
  // What keeps a client waiting between two events while the upstream is silent; "" if there is nothing that all
  // clients of this dialect pass over.
  virtual std::string_view keep_alive() const = 0;

 private:
  // Of one object: an answer, or the data of an event.
  virtual void add_usage(const boost::json::object& answer, TokenUsage& usage) const = 0;
  virtual bool is_empty(const boost::json::object& answer) const = 0;
};

}  // namespace akr
