// What was acknowledged is there, once: whoever else writes, and whatever becomes of the server meanwhile.
#include <cstdlib>
#include <random>

#include "store/server_faults_fixture.hpp"
#include "store/write_audit_fixture.hpp"
#include "tests/support/slow_relay.hpp"

namespace akr {
namespace {

using test::CommitCut;

template <class Fixture>
class ServerWritesContract : public ServerFaults<Fixture> {
 protected:
  StoreOptions options() { return ServerFaults<Fixture>::options(fixture_.server(), fixture_.database()); }

  // As two people do who edit the same service: the second reads it again.
  static void count_in_service(ConfigStore& store, ServiceId id, std::atomic<int>& errors) {
    for (;;) {
      Service service = store.find_service(id).value();
      service.retry.budget += std::chrono::milliseconds(1);
      const auto updated = store.update_service(service);
      if (updated) return;
      if (updated.error().field == "revision") continue;
      ++errors;
      return;
    }
  }

  Fixture fixture_;
};
TYPED_TEST_SUITE_P(ServerWritesContract);

TYPED_TEST_P(ServerWritesContract, FiftyWritersLoseNothing) {
  constexpr int kWriters = 50, kRounds = 3;
  StoreOptions options = this->options();
  options.deadline = StoreOptions().deadline;  // what everybody has: fifty who edit one row take turns
  const auto store = open_database(options).value();
  ConfigStore& config = store->config();
  const Service shared = config.add_service(example_service("shared")).value();
  const KeyId key = config.add_keys(shared.id, example_keys(1)).value()[0].id;
  std::atomic<int> errors = 0;
  std::vector<std::thread> writers;
  writers.reserve(kWriters);
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      const std::string name = "w" + std::to_string(w);
      if (!config.add_service(example_service(name))) ++errors;
      for (int i = 0; i < kRounds; ++i) {
        if (!config.add_keys(shared.id, example_keys(3, name + "-" + std::to_string(i) + "-"))) ++errors;
        const auto count = [](UpstreamKey& edited) -> Result<void> { return ++edited.weight, Result<void>(); };
        if (!config.edit_key(key, count)) ++errors;
        if (i == 0) this->count_in_service(config, shared.id, errors);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(errors, 0);
  EXPECT_EQ(config.list_services().value().size(), 1U + kWriters);
  EXPECT_EQ(config.list_keys(shared.id).value().size(), 1U + kWriters * kRounds * 3U);
  EXPECT_EQ(config.find_key(key).value().weight, 1U + kWriters * kRounds);
  const Service counted = config.find_service(shared.id).value();
  EXPECT_EQ(counted.retry.budget - shared.retry.budget, std::chrono::milliseconds(kWriters));
  EXPECT_EQ(counted.revision - shared.revision, kWriters);
}

// AKR_KILLS=100 for the figure that was promised.
TYPED_TEST_P(ServerWritesContract, NothingAcknowledgedIsLost) {
  const char* wanted = std::getenv("AKR_KILLS");
  const int kills = wanted != nullptr ? std::atoi(wanted) : 3;
  test::DatabaseProcess server(TypeParam::kind(), {.durable = true});
  const OwnDatabase own(server);
  StoreOptions options = ServerFaults<TypeParam>::options(server, own.name());
  const auto store = open_database(options).value();
  AuditedWriters writers(store->config(), 4);
  std::minstd_rand random(1);
  for (int i = 0; i < kills; ++i) {
    writers.wait_for_successes(3);
    // Anywhere in what the writers do: this is not to wait for anything.
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
    server.kill();
    server.start();
  }
  writers.wait_for_successes(1);
  writers.check();
  std::printf("%d kills, %zu acknowledged writes, %zu refused\n", kills, writers.successes(), writers.failures());
}

// The answer to a COMMIT is lost, or the COMMIT itself: whoever asked cannot know which, so the store finds out.
TYPED_TEST_P(ServerWritesContract, ACommitWithoutAnAnswerIsDoneOnceAndASuccess) {
  for (const CommitCut cut : {CommitCut::kAfter, CommitCut::kBefore}) {
    SCOPED_TRACE(cut == CommitCut::kAfter ? "the answer is lost" : "the commit is lost");
    test::SlowRelay relay(this->fixture_.server().port());
    StoreOptions options = this->options();
    options.at.server.port = relay.port();
    const auto store = open_database(options).value();
    ConfigStore& config = store->config();
    int cuts = 0;
    const auto expect_cut = [&] { EXPECT_EQ(relay.cuts(), ++cuts); };
    const auto cut_next = [&] { relay.cut_next_commit(cut); };

    cut_next();
    Service service = config.add_service(example_service(cut == CommitCut::kAfter ? "after" : "before")).value();
    expect_cut();
    EXPECT_EQ(config.find_service(service.id).value().slug, service.slug);
    cut_next();
    service = config.update_service(service).value();
    expect_cut();
    EXPECT_EQ(service.revision, 2);
    cut_next();
    const auto added = config.add_keys(service.id, example_keys(3)).value();
    expect_cut();
    const auto keys = config.list_keys(service.id).value();
    ASSERT_EQ(keys.size(), 3U);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      EXPECT_FALSE(added[i].duplicate);
      EXPECT_EQ(added[i].id, keys[i].id);
    }
    cut_next();
    const auto count = [](UpstreamKey& edited) -> Result<void> { return ++edited.weight, Result<void>(); };
    EXPECT_EQ(config.edit_key(keys[0].id, count).value().weight, 2U);
    expect_cut();
    EXPECT_EQ(config.find_key(keys[0].id).value().weight, 2U);
    cut_next();
    EXPECT_EQ(config.delete_key(keys[1].id).value(), service.id);
    expect_cut();
    cut_next();
    EXPECT_EQ(config.delete_keys(service.id).value(), 2U);
    expect_cut();
    cut_next();
    this->expect_success(config.delete_service(service.id));
    expect_cut();
  }
}

REGISTER_TYPED_TEST_SUITE_P(ServerWritesContract, FiftyWritersLoseNothing, NothingAcknowledgedIsLost,
                            ACommitWithoutAnAnswerIsDoneOnceAndASuccess);
INSTANTIATE_TYPED_TEST_SUITE_P(MysqlFaults, ServerWritesContract, MysqlFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(PostgresqlFaults, ServerWritesContract, PostgresqlFixture);

}  // namespace
}  // namespace akr
