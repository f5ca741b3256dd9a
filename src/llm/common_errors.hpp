// common_errors.hpp - what an error answer means whoever sent it: standards, and habits that many upstreams share.
//
// The last word for LLM providers, whose own tables come first, and the only one for upstreams of which nothing is
// known.  Pure.
#pragma once

#include "llm/error_detail.hpp"
#include "llm/error_facts.hpp"

namespace akr {

// A page for people, or a challenge, with a status (401, 403, 429) that would be about the key: a front (CDN, firewall)
// answered in the provider's place, because of us and not of the key.
bool is_front_page(const ErrorAnswer& answer);
// What it means: a bad gateway (502), whatever the status.
ErrorDetail explain_front_page();

// Fills what a provider's own knowledge left open; a kind that it found stays, but for a permission that is really a
// limit.
void explain_in_common(const ErrorAnswer& answer, const ErrorFacts& facts, ErrorDetail& detail);

// An error of an upstream of which nothing is known.  Never fails.  Its message is the provider's if the body has one
// where others have it.
ErrorDetail explain_unknown(const ErrorAnswer& answer);

}  // namespace akr
