// run.hpp - the two things the program does that are more than printing.  Both return the exit status.
#pragma once

namespace akr {

int run_gateway();      // until SIGTERM or SIGINT
int run_healthcheck();  // 0 = the gateway with these settings is alive

}  // namespace akr
