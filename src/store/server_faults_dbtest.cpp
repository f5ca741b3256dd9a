// Servers that are away, slow, full or not ours: calls end in time and say so, and work again by themselves.
#include <filesystem>
#include <fstream>
#include <list>

#include <sys/mount.h>
#include <unistd.h>

#include "store/call_deadline.hpp"
#include "store/server_faults_fixture.hpp"
#include "store/write_audit_fixture.hpp"
#include "tests/support/slow_relay.hpp"

namespace akr {
namespace {

using std::chrono::milliseconds;

template <class Fixture>
class ServerFaultsContract : public ServerFaults<Fixture> {
 protected:
  test::DatabaseProcess& server() { return fixture_.server(); }
  StoreOptions options() { return ServerFaults<Fixture>::options(server(), fixture_.database()); }
  std::unique_ptr<Database> open() { return open_database(options()).value(); }

  Fixture fixture_;
};
TYPED_TEST_SUITE_P(ServerFaultsContract);

TYPED_TEST_P(ServerFaultsContract, APausedServerAnswersWithinTheDeadline) {
  const auto store = this->open();
  this->expect_success(this->write(*store));
  this->server().pause();
  std::vector<std::thread> writers;
  writers.reserve(15);
  for (int i = 0; i < 15; ++i) {  // more than there are sessions: those who wait for one have a deadline, too
    writers.emplace_back([&] { this->expect_unavailable_write(*store); });
  }
  for (std::thread& writer : writers) writer.join();
  this->expect_unavailable_write(*store);
  this->server().resume();
  this->expect_success(this->write(*store));
}

// A request of an administrator makes several calls, and each waited as long as the first.
TYPED_TEST_P(ServerFaultsContract, TheCallsOfOneRequestHaveOneDeadline) {
  const auto store = this->open();
  this->expect_success(this->write(*store));
  this->server().pause();
  const auto request = [&] {
    const CallDeadline all_calls(std::chrono::steady_clock::now() + this->kDeadline);
    for (int i = 0; i < 3; ++i) this->expect_unavailable_write(*store);
    return this->write(*store);
  };
  this->expect_unavailable(request);
  this->server().resume();
  this->expect_success(this->write(*store));
}

TYPED_TEST_P(ServerFaultsContract, OpeningOnAPausedServerEndsWithinTheDeadline) {
  this->open();
  this->server().pause();
  this->expect_unavailable([&] { return open_database(this->options()); });
  this->server().resume();
  this->expect_success(open_database(this->options()));
}

TYPED_TEST_P(ServerFaultsContract, AServerThatIsAwayIsFoundAgain) {
  const auto store = this->open();
  this->server().stop();
  this->expect_unavailable_write(*store);
  this->expect_unavailable([&] { return store->config().list_services(); });
  this->expect_unavailable([&] { return open_database(this->options()); });
  this->server().start();
  this->expect_success(this->write(*store));
}

TYPED_TEST_P(ServerFaultsContract, KilledSessionsAreNotNoticed) {
  const auto store = this->open();
  for (int i = 0; i < 20; ++i) {
    this->expect_success(this->write(*store));
    this->end_sessions(this->server());
    this->expect_success(store->config().list_services());
  }
  AuditedWriters writers(store->config(), 4);
  for (int i = 0; i < 40; ++i) {
    writers.wait_for_successes(1);
    this->end_sessions(this->server());
  }
  writers.check();
  EXPECT_EQ(writers.failures(), 0U);
}

TYPED_TEST_P(ServerFaultsContract, TooManyConnectionsAreWaitedForAndReported) {
  // Both servers keep some for administrators.
  test::DatabaseProcess server(TypeParam::kind(),
                               {.settings = {this->words("max_connections=10", "max_connections=13")}});
  const OwnDatabase own(server);
  const StoreOptions options = ServerFaults<TypeParam>::options(server, own.name());
  test::DatabaseLogin login = server.admin(own.name());
  login.user = test::kDatabaseUser;
  std::list<test::DatabaseClient> others;
  // A server takes its time to notice that a client has gone.
  const auto take_all = [&] {
    for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10); others.size() < 10;) {
      try {
        others.emplace_back(login);
      } catch (const std::runtime_error&) {
        ASSERT_LT(std::chrono::steady_clock::now(), end);
      }
    }
  };
  take_all();
  this->expect_unavailable([&] { return open_database(options); });
  others.clear();
  const auto store = open_database(options).value();
  this->expect_success(this->write(*store));
  this->end_sessions(server);
  take_all();
  this->expect_unavailable_write(*store);
  others.clear();
  this->expect_success(this->write(*store));
}

// The same proportions as a server that takes two seconds for each answer, within five.  A change has more than two.
TYPED_TEST_P(ServerFaultsContract, ASlowServerIsWaitedForUntilTheDeadline) {
  test::SlowRelay relay(this->server().port());
  StoreOptions options = this->options();
  options.at.server.port = relay.port();
  const auto store = open_database(options).value();
  this->expect_success(this->write(*store));
  relay.delay_answers(milliseconds(800));
  for (int i = 0; i < 3; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    this->expect_unavailable_write(*store);
    EXPECT_GT(std::chrono::steady_clock::now() - begin, this->kDeadline - milliseconds(100));  // not given up before
  }
  relay.delay_answers(milliseconds(0));
  this->expect_success(this->write(*store));
}

TYPED_TEST_P(ServerFaultsContract, ASlowServerThatKeepsTheDeadlineIsNoFault) {
  test::SlowRelay relay(this->server().port());
  StoreOptions options = this->options();
  options.at.server.port = relay.port();
  const auto store = open_database(options).value();
  relay.delay_answers(milliseconds(100));
  for (int i = 0; i < 3; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    this->expect_success(this->write(*store));
    EXPECT_GT(std::chrono::steady_clock::now() - begin, milliseconds(300));  // it was slow
  }
  EXPECT_EQ(store->look(), DatabaseState::kOk);
}

TYPED_TEST_P(ServerFaultsContract, AServerThatOnlyReadsIsReportedAndTriedAgain) {
  const auto store = this->open();
  const auto only_read = [&](bool on) {
    this->server().sql(this->words(
        std::string("SET GLOBAL read_only = ") + (on ? "1" : "0"),
        "ALTER DATABASE " + this->fixture_.database() + " SET default_transaction_read_only = " + (on ? "on" : "off")));
  };
  only_read(true);
  this->end_sessions(this->server());  // PostgreSQL's setting is of new sessions only
  this->expect_unavailable_write(*store);
  this->expect_success(store->config().list_services());
  only_read(false);
  this->expect_success(this->write(*store));
}

// A file system of our own, so that nobody else's is filled.
class SmallDisk {
 public:
  explicit SmallDisk(const char* size) {
    const std::string options = std::string("mode=0755,size=") + size;
    mounted_ = ::mount("akr-test", directory_.path().c_str(), "tmpfs", 0, options.c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(directory_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool is_mounted() const { return mounted_; }
  std::string path() const { return directory_.path(); }
  void fill() {
    std::ofstream out(directory_.file("filler"), std::ios::binary);
    while (out.write(std::string(4096, 'x').c_str(), 4096).flush()) {
    }
  }
  void make_room() { std::filesystem::remove(directory_.file("filler")); }

 private:
  TempDir directory_;
  bool mounted_ = false;
};

TYPED_TEST_P(ServerFaultsContract, AFullDiskIsReportedAndWritesWorkOnceThereIsRoom) {
  SmallDisk disk("160m");
  if (!disk.is_mounted()) GTEST_SKIP() << "a disk of our own needs root";
  test::DatabaseProcess server(TypeParam::kind(), {.durable = true, .directory = disk.path()});
  const OwnDatabase own(server);
  const auto store = open_database(ServerFaults<TypeParam>::options(server, own.name())).value();
  const ServiceId service = store->config().add_service(example_service("full")).value().id;
  disk.fill();
  Result<std::vector<AddedKey>> refused = std::vector<AddedKey>();
  std::size_t batches = 0;  // until what the server had set aside is used up
  for (; refused && batches < 400; ++batches) {
    refused = store->config().add_keys(service, example_keys(500, "sk-" + std::to_string(batches) + "-"));
  }
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kStoreUnavailable) << refused.error().message;
  this->expect_unavailable([&] { return store->config().add_keys(service, example_keys(5'000, "sk-no-")); });
  disk.make_room();
  Result<std::vector<AddedKey>> added = refused;
  // Without room for its log a server may give up, at once or a little later.
  for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
       !added && std::chrono::steady_clock::now() < end;) {
    server.start_if_it_ended();
    added = store->config().add_keys(service, example_keys(5'000, "sk-no-"));
  }
  this->expect_success(added);
  // What was refused as a whole may be there as a whole: the server may have ended between its commit and its answer.
  const std::size_t held = store->config().list_keys(service).value().size() - 5'000;
  EXPECT_TRUE(held == (batches - 1) * 500 || held == batches * 500) << held << " keys of " << batches << " batches";
}

REGISTER_TYPED_TEST_SUITE_P(ServerFaultsContract, APausedServerAnswersWithinTheDeadline,
                            TheCallsOfOneRequestHaveOneDeadline, OpeningOnAPausedServerEndsWithinTheDeadline,
                            AServerThatIsAwayIsFoundAgain, KilledSessionsAreNotNoticed,
                            TooManyConnectionsAreWaitedForAndReported, ASlowServerIsWaitedForUntilTheDeadline,
                            ASlowServerThatKeepsTheDeadlineIsNoFault, AServerThatOnlyReadsIsReportedAndTriedAgain,
                            AFullDiskIsReportedAndWritesWorkOnceThereIsRoom);
INSTANTIATE_TYPED_TEST_SUITE_P(MysqlFaults, ServerFaultsContract, MysqlFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(PostgresqlFaults, ServerFaultsContract, PostgresqlFixture);

}  // namespace
}  // namespace akr
