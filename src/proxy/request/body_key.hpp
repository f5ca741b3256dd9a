// body_key.hpp - the access key as the member `api_key` of an OpenAI JSON body (services with accept_body_key).
//
// Whoever sends it is a stranger until it is found.  So as long as it is not, no more than the first 64 KiB of the body
// are looked at or kept, and what is kept counts against UNAUTHENTICATED_MEMORY; with a key that we know the rest is
// read as anybody's.  Then the whole body is looked at again, and the member is cut out of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_scan.hpp"
#include "base/result.hpp"
#include "net/loop/budget.hpp"
#include "net/loop/task.hpp"
#include "net/server/downstream.hpp"
#include "proxy/request/access_keys.hpp"
#include "proxy/request/prepare.hpp"
#include "proxy/request_context.hpp"

namespace akr {

// Lets a body pass as soon as its member is there.  One request, one worker.
class BodyKeyGate final : private JsonScan::Visitor {
 public:
  static constexpr std::uint64_t kLook = 64 * 1024;

  BodyKeyGate(net::Downstream& client, const AccessKeys& keys);

  // The next piece of the body.  kAccessKeyMissing: the first 64 KiB hold no key; kAccessKeyInvalid: one that we do not
  // know; kOverloaded: there is no memory for strangers.
  Result<void> look(std::string_view piece);
  bool open() const { return open_; }

 private:
  void scalar(const JsonScan& at, std::string_view text) override;

  net::Downstream& client_;
  const AccessKeys& keys_;
  net::BudgetShare memory_;
  JsonScan scan_;
  std::uint64_t seen_ = 0;
  std::optional<Error> refused_;
  bool open_ = false;
};

// Takes the access key out of the body, every other byte of which stays as it was.  "" if there is none, or two.
std::string take_body_key(PreparedRequest& request);

// Reads and authenticates such a request; afterwards request.body is whole, in memory and without the member.
// `here`: all of it is there already.  As collect_body(), as BodyKeyGate, and kBodyTooLarge above 1 MiB.
net::Task<Result<void>> admit_by_body(RequestContext& ctx, PreparedRequest& request, const AccessKeys& keys);

}  // namespace akr
