// front_door.hpp - which part of the house a request is for: the data plane, the admin API, or operations.
//
//   /proxy/...  /llm/...               proxy/gateway
//   /admin...                          admin/admin_api, on a blocking pool
//   /  /healthz  /readyz  /metrics     operations
// Everything else is 404.  One FrontDoor per worker.
#pragma once

#include <string>

#include "admin/admin_api.hpp"
#include "app/operations.hpp"
#include "net/loop/blocking_pool.hpp"
#include "net/loop/budget.hpp"
#include "net/server/downstream.hpp"
#include "proxy/gateway.hpp"
#include "proxy/request/request_ids.hpp"

namespace akr {

// Where what blocks is done, so that no kind of it waits for another.  They outlive the front doors.
struct AdminThreads {
  net::BlockingPool& store;
  net::BlockingPool& passwords;             // a hash takes the memory it says, and a tenth of a second: one thread
  net::Budget& logins;                      // that may wait for it (LOGIN_QUEUE)
  std::chrono::milliseconds database_time;  // of one request, all its calls together (DB_TIMEOUT)
};

class FrontDoor final : public net::RequestHandler {
 public:
  // All outlive it.
  FrontDoor(Gateway& gateway, AccessLog& log, AdminApi& admin, Operations& operations, const AdminThreads& threads);

  net::Task<void> handle(net::Downstream& client) override;
  void refused(net::Downstream& client, net::HeadError error, int& status, std::string& fields,
               std::string& body) override;
  bool for_operators(const net::MessageHead& head) const override;
  void crowded(net::Downstream& client, net::NoPlace why, int& status, std::string& fields, std::string& body) override;

 private:
  net::Task<void> serve_admin(net::Downstream& client);
  net::Task<AdminResponse> answer_admin(net::Downstream& client, AdminRequest& request, AdminAdmission admission);
  net::Task<AdminResponse> finish_later(net::Downstream& client, const AdminRequest& request, AdminWait& wait);
  net::Task<void> serve_operations(net::Downstream& client);
  net::Task<void> refuse_locked(net::Downstream& client);

  Gateway& gateway_;
  RequestIds ids_;
  AccessLog& log_;
  AdminApi& admin_;
  Operations& operations_;
  const AdminThreads threads_;
};

}  // namespace akr
