// json_text.hpp - JSON of ours as text: valid UTF-8 whatever bytes got into its strings (RFC 8259 section 8.1).
#pragma once

#include <string>

#include <boost/json/fwd.hpp>

namespace akr {

// Every JSON text that leaves the process is made here: answers, log lines, error bodies.
std::string json_text(const boost::json::value& value);

}  // namespace akr
