// validate.hpp - what makes a service and a key valid.  Pure; called before anything is stored.
#pragma once

#include "base/result.hpp"
#include "core/outcome/failure_rules.hpp"
#include "core/service/client_format.hpp"
#include "core/service/service.hpp"

namespace akr {

struct ValidationPolicy {
  bool allow_private_upstreams = true;  // ALLOW_PRIVATE_UPSTREAMS; metadata and link-local are refused always (D16)
  RuleLimits failure_rules = {};        // FAILURE_RULES_WORK
  KnownFormats formats = {};            // of the dialects and providers that this build has
};

// kInvalid with Error::field set to the admin wire's name of the first wrong member ("slug", "target_url", ...).
// Literal addresses in URLs are checked in every spelling that getaddrinfo accepts (decimal, octal, hex, short,
// mapped); names are checked again on the resolved address at connect time.  Failure rules are not looked at:
// FailureRules::compile() does that.
Result<void> validate_service(const Service& service, const ValidationPolicy& policy);

// 1..8192 printable bytes, no CR, LF, NUL or other control; no comma-joined or whitespace-joined list of keys (D08/52).
Result<void> validate_key(const Secret& key);

}  // namespace akr
