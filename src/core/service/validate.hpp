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

// The gate: what passes keeps every promise of service.hpp.  Bounds are those of the lists of fields
// (service/fields.hpp).  kInvalid with Error::field set to the admin wire's name of the first wrong member ("slug",
// "upstreams[2].weight", ...).  Literal addresses in URLs are checked in every spelling that getaddrinfo accepts
// (decimal, octal, hex, short, mapped); names are checked again on the resolved address at connect time.  Of failure
// rules everything but how large they are: FailureRules::compile() asks that of new ones.
Result<void> validate_service(const Service& service, const ValidationPolicy& policy);

// A new key: its secret, and what people set on it.
Result<void> validate_key(const NewKey& key);
// What people set; not the secret.
Result<void> validate_key_fields(const UpstreamKey& key);

// 1..8192 printable bytes, no CR, LF, NUL or other control; no comma-joined or whitespace-joined list of keys (D08/52).
Result<void> validate_key(const Secret& key);

}  // namespace akr
