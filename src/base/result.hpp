// result.hpp - a value or an Error.  `if (!r) return r.error();  use(*r);`
#pragma once

#include <stdexcept>

#include <boost/system/result.hpp>

#include "base/error.hpp"

namespace akr {

template <class T>
using Result = boost::system::result<T, Error>;

// value() on a failed Result is a bug of the caller, so it throws.
[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw std::logic_error("Result::value() without a value: " + error.message);
}

}  // namespace akr
