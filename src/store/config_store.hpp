// config_store.hpp - services and upstream keys that survive a restart.  Control plane only.
//
// Blocking: call from the blocking pool.  Safe for concurrent use.  Each call is one transaction, and a call that
// returned a value is on disk.  Besides the failures named below any call may return
//   kStoreUnavailable  disk full, read-only, locked by another process, damaged: nothing was written
//   kLocked            the encryption key does not fit this database: every write, and every read of keys
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "core/service/service.hpp"

namespace akr {

// What became of one NewKey.
struct AddedKey {
  KeyId id;                // of the row that holds this key now; new ones are higher than all before
  bool duplicate = false;  // it was in the pool already, or earlier in the same list
};

class ConfigStore {
 public:
  virtual ~ConfigStore() = default;

  // By id.  The text is stored as given: whoever writes validates first (core/service/validate.hpp).
  virtual Result<std::vector<Service>> list_services() = 0;
  virtual Result<Service> find_service(ServiceId id) = 0;  // kNotFound

  // kConflict with Error::field "name" or "slug" if that is taken.  id, revision and both times are set by the store.
  virtual Result<Service> add_service(const Service& service) = 0;
  // kNotFound; kConflict as above, or with field "revision" if service.revision is not the stored one: somebody else
  // wrote in between.  Returns it with the new revision.
  virtual Result<Service> update_service(const Service& service) = 0;
  virtual Result<void> delete_service(ServiceId id) = 0;  // its keys go with it; kNotFound

  // In the order they were added; no error and no key for a service that does not exist.  A row that does not open
  // comes with readable == false and an empty secret.
  virtual Result<std::vector<UpstreamKey>> list_keys(ServiceId service) = 0;
  // Of list_keys(), those with an id above `after`: what was added since, if `after` was the highest id then.  Costs
  // what those keys cost, however many the service has.
  virtual Result<std::vector<UpstreamKey>> list_keys_after(ServiceId service, KeyId after) = 0;
  // One answer per key, in order.  All or none are stored.  kNotFound: no such service.
  virtual Result<std::vector<AddedKey>> add_keys(ServiceId service, std::span<const NewKey> keys) = 0;
  virtual Result<UpstreamKey> find_key(KeyId id) = 0;  // kNotFound
  // Reads the key, lets `edit` change what people set (not id, service or secret), and writes it: one transaction, so
  // that two edits of different members both last.  Returns the key as it is now.  kNotFound; whatever `edit` refuses,
  // and nothing is written then.  `edit` must not call the store; it may be called again, with the key as it is then,
  // where a server broke the transaction off.
  using KeyEdit = std::function<Result<void>(UpstreamKey&)>;
  virtual Result<UpstreamKey> edit_key(KeyId id, const KeyEdit& edit) = 0;
  virtual Result<ServiceId> delete_key(KeyId id) = 0;              // whose key it was; kNotFound
  virtual Result<std::size_t> delete_keys(ServiceId service) = 0;  // how many there were; kNotFound
};

}  // namespace akr
