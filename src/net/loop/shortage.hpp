// shortage.hpp - failures that are this process's or this machine's own (no descriptor, no memory for a socket, no free
// port).  They say nothing about a peer: kOverloaded, and nobody is blamed for them.
#pragma once

#include <string>

#include "base/error.hpp"

namespace akr::net {

class Worker;

// EMFILE, ENFILE, ENOBUFS, ENOMEM.
bool own_shortage(int error);
// kOverloaded with a hint when to come back.  `what` could not be done; `error`: errno.
Error shortage_error(const std::string& what, int error);

// socket(), after idle connections have been given up if descriptors ran out.  -1 and errno.
int open_socket(Worker& worker, int family, int type);
// Could a file be opened now?  Gives up idle connections if need be; for libraries that do not tell why they failed.
bool descriptor_left(Worker& worker);

}  // namespace akr::net
