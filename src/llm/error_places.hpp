// error_places.hpp - where in an error body its reader is; private to error_facts.cpp.
#pragma once

#include <string_view>

namespace akr {

enum class ErrorPlace : unsigned char {
  kRoot,        // before the first value
  kTopArray,    // [{"error": ...}] as Google's OpenAI-compatible endpoint wraps it
  kTop,         // the object that holds "error"
  kResponse,    // top.response: the Responses API's failed event
  kError,       // the error object
  kDetails,     // error.details[]
  kDetail,      // one element of it, or error.details itself (Anthropic)
  kMetadata,    // metadata or data of the error or of a detail; top.parameters (Telegram)
  kHeaders,     // the provider's own head, repeated in the body (OpenRouter)
  kViolations,  // QuotaFailure.violations[]
  kViolation,
  kList,    // errors[], of the top or of the error
  kListed,  // one element of it
  kOther,
};

// The place of an object, or of an array, that is the member `key` of something at `parent`.
inline ErrorPlace object_place(ErrorPlace parent, std::string_view key) {
  using P = ErrorPlace;
  switch (parent) {
    case P::kRoot:
    case P::kTopArray:
      return P::kTop;
    case P::kTop:
      if (key == "error") return P::kError;
      if (key == "response") return P::kResponse;
      return key == "parameters" ? P::kMetadata : P::kOther;
    case P::kResponse:
      return key == "error" ? P::kError : P::kOther;
    case P::kError:
      if (key == "details") return P::kDetail;
      if (key == "headers") return P::kHeaders;
      return key == "metadata" || key == "data" ? P::kMetadata : P::kOther;
    case P::kDetails:
      return P::kDetail;
    case P::kDetail:
      return key == "metadata" ? P::kMetadata : P::kOther;
    case P::kMetadata:
      if (key == "headers") return P::kHeaders;
      return key == "rate" ? P::kMetadata : P::kOther;
    case P::kViolations:
      return P::kViolation;
    case P::kList:
      return P::kListed;
    case P::kListed:
      return key == "metadata" || key == "extensions" ? P::kMetadata : P::kOther;
    case P::kHeaders:
    case P::kViolation:
    case P::kOther:
      break;
  }
  return P::kOther;
}

inline ErrorPlace array_place(ErrorPlace parent, std::string_view key) {
  using P = ErrorPlace;
  if (parent == P::kRoot) return P::kTopArray;
  if (parent == P::kError && key == "details") return P::kDetails;
  if (parent == P::kDetail && key == "violations") return P::kViolations;
  if ((parent == P::kTop || parent == P::kError) && key == "errors") return P::kList;
  return P::kOther;
}

}  // namespace akr
