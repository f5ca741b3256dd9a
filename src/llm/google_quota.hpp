// google_quota.hpp - Google's QuotaFailure, on its own API and through its OpenAI-compatible endpoint alike.
#pragma once

#include "llm/error_detail.hpp"
#include "llm/error_facts.hpp"

namespace akr {

// A 429 that says which limit it was.  Called after the provider's rules; leaves other answers as they are.
void refine_google_quota(const ErrorAnswer& answer, const ErrorFacts& facts, ErrorDetail& detail);

}  // namespace akr
