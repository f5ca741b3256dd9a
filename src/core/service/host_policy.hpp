// host_policy.hpp - what can be said about a host of a URL before it is resolved (behaviour.md D16).  Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/service/address_policy.hpp"

namespace akr {

enum class HostForm {
  kName,       // letters, digits, '-', '_' and '.' without an empty label; not a number
  kIpv4,       // four decimal numbers without leading zeros
  kIpv6,       // without brackets and without a zone
  kOddNumber,  // a spelling that only inet_aton() reads as an address: 2130706433, 0x7f.1, 0177.0.0.1, 127.1
  kMalformed,
};

// `host` without brackets and port, in any letter case.
HostForm host_form(std::string_view host);

// The host of a URL as its grammar has it ("[::1]", "a.b") in lower case and without brackets; "" for brackets around
// anything but an IPv6 address.
std::string unbracketed_host(std::string_view encoded);

// For addresses in any spelling, also kOddNumber: the class of the address.  For names: kForbidden for the clouds'
// metadata names, kPrivate for localhost and its children, else kPublic (the resolved address is judged at connect).
// kMalformed is kForbidden.
AddressClass classify_host(std::string_view host);

}  // namespace akr
