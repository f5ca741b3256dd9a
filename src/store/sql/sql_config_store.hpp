// sql_config_store.hpp - ConfigStore on any SQL database, written once.
#pragma once

#include <atomic>

#include "base/clock.hpp"
#include "store/config_store.hpp"
#include "store/key_cipher.hpp"
#include "store/sql/key_rows.hpp"
#include "store/sql/service_rows.hpp"
#include "store/sql/sql_sessions.hpp"

namespace akr {

// What a SqlConfigStore works with; all of it outlives the store.
struct SqlStoreParts {
  SqlSessions& writer;
  SqlSessions& reader;  // for a file, one of its own: a long read does not hold up a write
  const SqlBackend& backend;
  KeyIds& key_ids;
  const KeyCipher& cipher;
  const std::atomic<bool>& locked;
  const Clock& clock;
  std::chrono::milliseconds rest_total;
};

class SqlConfigStore final : public ConfigStore {
 public:
  explicit SqlConfigStore(const SqlStoreParts& parts)
      : parts_(parts), services_(parts.cipher, parts.backend, parts.rest_total), keys_(parts.cipher, parts.backend) {}

  Result<std::vector<Service>> list_services() override;
  Result<Service> find_service(ServiceId id) override;
  Result<Service> add_service(const Service& service) override;
  Result<Service> update_service(const Service& service) override;
  Result<void> delete_service(ServiceId id) override;
  Result<std::vector<UpstreamKey>> list_keys(ServiceId service) override;
  Result<std::vector<UpstreamKey>> list_keys_after(ServiceId service, KeyId after) override;
  Result<std::vector<AddedKey>> add_keys(ServiceId service, std::span<const NewKey> keys) override;
  Result<UpstreamKey> find_key(KeyId id) override;
  Result<UpstreamKey> edit_key(KeyId id, const KeyEdit& edit) override;
  Result<ServiceId> delete_key(KeyId id) override;
  Result<std::size_t> delete_keys(ServiceId service) override;

 private:
  template <class Work>
  auto write(const SqlErrand& errand, Work work) -> decltype(work(std::declval<soci::session&>()));
  Result<std::size_t> keys_of(ServiceId service);
  template <class Select>
  Result<std::vector<UpstreamKey>> open_keys(ServiceId service, Select select);

  SqlStoreParts parts_;
  ServiceRows services_;
  KeyRows keys_;
};

}  // namespace akr
