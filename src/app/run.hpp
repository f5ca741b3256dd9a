// run.hpp - what the program does that is more than printing.  All return the exit status.
#pragma once

#include <string>

namespace akr {

int run_gateway();                            // until SIGTERM or SIGINT
int run_plain_copy(const std::string& path);  // also while the gateway runs
// Addresses, or env:NAME; goes on where an earlier call was interrupted.
int run_copy_database(const std::string& from, const std::string& to);
int run_healthcheck();  // 0 = the gateway with these settings is alive

}  // namespace akr
