// problem.hpp - how the admin API says no: RFC 9457, in a body that clients of the original read too.
//
//   {"type": "/docs/problems/<code>", "title", "status", "detail", "instance": "<path>#<request id>", "code",
//    "params"?, "request_id", "errors"?: [{"pointer": "/slug", "code", "detail"}], "error": detail, "message": detail}
#pragma once

#include <string>

#include <boost/json.hpp>

#include "admin/admin_api.hpp"
#include "base/error.hpp"

namespace akr {

struct Problem {
  int status = 500;
  std::string code;  // stable
  std::string title;
  std::string detail;      // no SQL, path or secret
  std::string field = {};  // the member that is wrong
  std::string allow = {};  // 405
  int retry_after = 0;     // seconds
  boost::json::object params = {};
  bool login = false;  // the original's login answer has a member "success"
};

// By base/error_table.hpp; the message as people are told it.
Problem to_problem(const Error& error);

AdminResponse problem_response(const Problem& problem, const AdminRequest& request);

}  // namespace akr
