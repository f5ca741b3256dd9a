// service_pool.hpp - the pools that background work looks after; admin/publisher has them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/keys/key_pool.hpp"

namespace akr {

struct ServicePool {
  ServiceId service;
  std::shared_ptr<KeyPool> keys;  // never nullptr
  std::string slug = {};
};

// All of now; any thread.
using ServicePools = std::function<std::vector<ServicePool>()>;

}  // namespace akr
