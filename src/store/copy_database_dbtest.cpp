// Everything that one database holds comes over into another one, of any kind, and still opens there.
#include <tuple>

#include <gmock/gmock.h>
#include <sqlite3.h>

#include "store/copy_database.hpp"
#include "store/server_fixture.hpp"
#include "tests/support/example_config.hpp"
#include "tests/support/temp_dir.hpp"

namespace akr {
namespace {

using testing::HasSubstr;

constexpr int kKeys = 4'500;  // more than two pages

// A database of any kind, and a raw way into it.
class Side {
 public:
  explicit Side(DatabaseKind kind) : kind_(kind) {
    if (is_server(kind)) own_.emplace(shared_server(kind));
  }
  StoreOptions options() const {
    StoreOptions options{.at = sqlite_file(directory_.file("copy.db")), .encryption_key = kServerTestKey};
    if (own_) options.at = shared_server(kind_).address(own_->name());
    return options;
  }
  std::unique_ptr<Database> open() const { return open_database(options()).value(); }

  // A number that any other program would be told.
  long long count(const std::string& sql) const {
    if (own_) return std::stoll(shared_server(kind_).sql(sql, own_->name()));
    sqlite3* raw = nullptr;
    sqlite3_stmt* statement = nullptr;
    long long found = -1;
    if (sqlite3_open(options().at.file.c_str(), &raw) == SQLITE_OK &&
        sqlite3_prepare_v2(raw, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
      found = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    sqlite3_close(raw);
    return found;
  }

 private:
  DatabaseKind kind_;
  TempDir directory_;
  std::optional<OwnDatabase> own_;
};

auto all_of(const UpstreamKey& key) {
  return std::tuple(key.id, key.service, key.secret.expose(), key.enabled, key.readable, key.note, key.weight,
                    key.priority, key.group, key.account, key.limits);
}

auto all_of(const KeyStateRecord& row) {
  return std::tuple(row.key, row.group, row.model, row.state, row.reason, row.since, row.until, row.next_try,
                    row.half_open, row.rate_level, row.quota_level, row.failures, row.used_today, row.used_this_month,
                    row.usage_at);
}

auto all_of(const KeyPin& pin) {
  return std::tuple(pin.asked, pin.id.high, pin.id.low, pin.to.service, pin.to.key, pin.to.account, pin.expires,
                    pin.owner);
}

// They come in no particular order.
template <class T>
auto sorted(const std::vector<T>& rows) {
  std::vector<decltype(all_of(rows[0]))> sorted;
  sorted.reserve(rows.size());
  for (const T& row : rows) sorted.push_back(all_of(row));
  std::ranges::sort(sorted);
  return sorted;
}

class Copy : public testing::TestWithParam<std::pair<DatabaseKind, DatabaseKind>> {
 protected:
  void SetUp() override {
    for (const DatabaseKind kind : {GetParam().first, GetParam().second}) {
      const std::string package = is_server(kind) ? missing_server(kind) : "";
      if (!package.empty()) GTEST_SKIP() << package << " is missing";
    }
    from_.emplace(GetParam().first);
    to_.emplace(GetParam().second);
  }

  void fill() {
    const auto database = from_->open();
    ConfigStore& config = database->config();
    const ServiceId rest = config.add_service(example_service("rest")).value().id;
    const ServiceId llm = config.add_service(example_llm_service("llm")).value().id;
    const ServiceId gone = config.add_service(example_service("gone")).value().id;
    ASSERT_TRUE(config.delete_service(gone));
    std::vector<NewKey> keys = example_keys(kKeys);
    keys[0].note = "名字 \xF0\x9F\x94\x91 'quoted' \\ :colon";
    keys[1] = {
        .secret = Secret("sk-odd"), .enabled = false, .weight = 0, .priority = -3, .group = "g ", .account = "a"};
    keys[1].limits = {
        .rpm = 1, .tpm = 5'000'000'000, .rpd = 2, .max_concurrency = 3, .monthly_quota = 4, .monthly_reset_day = 28};
    ASSERT_TRUE(config.add_keys(rest, keys));
    ASSERT_TRUE(config.add_keys(llm, example_keys(2)));
    using Milliseconds = std::chrono::milliseconds;
    const KeyStateRecord states[] = {{.key = KeyId{1},
                                      .model = "gpt ",
                                      .state = KeyState::kCooling,
                                      .reason = "it's \"over\"",
                                      .since = WallTime(Milliseconds(1'795'379'553'711)),
                                      .until = WallTime(Milliseconds(1'795'379'553'712)),
                                      .next_try = WallTime(Milliseconds(1'795'379'553'710)),
                                      .half_open = true,
                                      .rate_level = 3,
                                      .quota_level = 2,
                                      .failures = 9,
                                      .used_today = 10,
                                      .used_this_month = 5'000'000'000,
                                      .usage_at = WallTime(Milliseconds(1'795'379'553'000))},
                                     {.group = "g ", .state = KeyState::kCooling, .reason = "名字"}};
    ASSERT_TRUE(database->key_states().save(rest, states, {}));
    const WallTime later(std::chrono::hours(10'000'000));
    const KeyPin pins[] = {{rest, {1, 2}, {rest, KeyId{1}, 0xfedcba9876543210ULL}, later, 0xffffffffffffffffULL},
                           {rest, {1, 3}, {llm, KeyId{2}, 0}, later + Milliseconds(1), 0}};
    ASSERT_TRUE(database->key_pins().save(pins));
  }

  void expect_same() {
    const auto from = from_->open(), to = to_->open();
    const auto services = from->config().list_services().value();
    const auto copies = to->config().list_services().value();
    ASSERT_EQ(copies.size(), services.size());
    for (std::size_t i = 0; i < services.size(); ++i) {
      EXPECT_EQ(copies[i].slug, services[i].slug);
      EXPECT_EQ(copies[i].revision, services[i].revision);
      EXPECT_EQ(copies[i].created_at, services[i].created_at);
      EXPECT_EQ(copies[i].egress_proxy, services[i].egress_proxy);
      const auto keys = from->config().list_keys(services[i].id).value();
      const auto key_copies = to->config().list_keys(services[i].id).value();
      ASSERT_EQ(key_copies.size(), keys.size());
      for (std::size_t k = 0; k < keys.size(); ++k) ASSERT_EQ(all_of(key_copies[k]), all_of(keys[k]));
      EXPECT_EQ(sorted(to->key_states().load(services[i].id).value()),
                sorted(from->key_states().load(services[i].id).value()));
    }
    EXPECT_EQ(to->key_states().load(services[0].id).value().size(), 2U);
    EXPECT_EQ(to->key_pins().load(WallTime{}, 10).value().size(), 2U);
    EXPECT_EQ(sorted(to->key_pins().load(WallTime{}, 10).value()),
              sorted(from->key_pins().load(WallTime{}, 10).value()));
    EXPECT_GT(to_->count("SELECT count(*) FROM api_keys WHERE key_version > 0"), kKeys);
    EXPECT_EQ(to_->count("SELECT count(*) FROM api_keys WHERE key_version = 0 OR lower(key_value) LIKE '%sk-%'"), 0);
    // What is added there gets ids of its own.
    const Service added = to->config().add_service(example_service("new")).value();
    EXPECT_GT(added.id, copies.back().id);
    EXPECT_GT(to->config().add_keys(added.id, example_keys(1)).value()[0].id.value, kKeys + 2);
  }

  std::optional<Side> from_, to_;
};

TEST_P(Copy, BringsEverythingOver) {
  fill();
  std::vector<std::string> told;
  const auto copied = copy_database(
      from_->options(), to_->options(), [&told](std::string_view table, std::uint64_t done, std::uint64_t all) {
        told.push_back(std::string(table) + " " + std::to_string(done) + "/" + std::to_string(all));
      });
  ASSERT_TRUE(copied) << copied.error().message;
  ASSERT_EQ(copied->size(), 4U);
  EXPECT_EQ((*copied)[1].name, "api_keys");
  EXPECT_EQ((*copied)[1].rows, kKeys + 2U);
  EXPECT_THAT(told, testing::Contains("api_keys 4000/4502"));
  expect_same();
}

struct Interrupted {};

TEST_P(Copy, GoesOnWhereItWasInterruptedAndNobodyUsesHalfACopy) {
  fill();
  const auto stop_at_the_second_page = [](std::string_view, std::uint64_t done, std::uint64_t) {
    if (done == 4'000) throw Interrupted();
  };
  EXPECT_THROW(copy_database(from_->options(), to_->options(), stop_at_the_second_page), Interrupted);
  const auto half = open_database(to_->options());
  ASSERT_FALSE(half);
  EXPECT_THAT(half.error().message, HasSubstr("copy-database"));
  std::uint64_t least = kKeys;
  const auto copied = copy_database(from_->options(), to_->options(),
                                    [&least](std::string_view table, std::uint64_t done, std::uint64_t) {
                                      if (table == "api_keys") least = std::min(least, done);
                                    });
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_GT(least, 4'000U);
  expect_same();
}

TEST_P(Copy, ASourceThatChangedMeanwhileIsCopiedAnewNotMixed) {
  fill();
  EXPECT_THROW(copy_database(from_->options(), to_->options(),
                             [](std::string_view, std::uint64_t done, std::uint64_t) {
                               if (done == 4'000) throw Interrupted();
                             }),
               Interrupted);
  {
    const auto database = from_->open();
    const auto keys = database->config().list_keys(ServiceId{1}).value();
    ASSERT_TRUE(database->config().delete_key(keys[1].id));
  }
  const auto copied = copy_database(from_->options(), to_->options());
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ((*copied)[1].rows, kKeys + 1U);
  expect_same();
}

// However often it is copied anew: whoever writes, goes on.
TEST_P(Copy, ASourceThatIsWrittenToMeanwhileIsAConflict) {
  fill();
  int changes = 0;
  const auto write_meanwhile = [this, &changes](std::string_view table, std::uint64_t done, std::uint64_t) {
    if (table != "api_keys" || done != 4'000) return;
    const auto note = [&changes](UpstreamKey& key) -> Result<void> {
      key.note = "changed " + std::to_string(++changes);
      return {};
    };
    EXPECT_TRUE(from_->open()->config().edit_key(KeyId{3}, note));  // on a page that is already there
  };
  const auto refused = copy_database(from_->options(), to_->options(), write_meanwhile);
  ASSERT_FALSE(refused);
  EXPECT_GT(changes, 0);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_EQ(refused.error().field, "from");
  EXPECT_THAT(refused.error().message, HasSubstr("was written to meanwhile"));
  EXPECT_FALSE(open_database(to_->options()));  // nobody uses it
  ASSERT_TRUE(copy_database(from_->options(), to_->options()));
  expect_same();
}

TEST_P(Copy, ATargetThatHoldsSomethingIsLeftAlone) {
  fill();
  const ServiceId id = to_->open()->config().add_service(example_service("mine")).value().id;
  const auto refused = copy_database(from_->options(), to_->options());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_EQ(refused.error().field, "to");
  EXPECT_EQ(to_->open()->config().find_service(id).value().slug, "mine");
}

// A gateway that served from the target, empty as yet, had a service acknowledged, and the copy removed it and called
// itself verified.
TEST_P(Copy, WhatIsWrittenIntoTheTargetMeanwhileIsKeptAndTheCopyRefused) {
  fill();
  const auto serving = to_->open();
  bool written = false;
  const auto copied =
      copy_database(from_->options(), to_->options(), [&](std::string_view table, std::uint64_t, std::uint64_t) {
        if (table == "api_keys" && !written)
          written = serving->config().add_service(example_service("mine")).has_value();
      });
  ASSERT_TRUE(written);
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kConflict) << copied.error().message;
  const auto services = serving->config().list_services().value();
  EXPECT_TRUE(std::ranges::any_of(services, [](const Service& each) { return each.slug == "mine"; }));
}

TEST_P(Copy, AWrongEncryptionKeyCopiesNothing) {
  fill();
  StoreOptions from = from_->options(), to = to_->options();
  from.encryption_key = to.encryption_key = Secret(std::string(32, 'w'));
  const auto refused = copy_database(from, to);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kLocked);
  EXPECT_EQ(refused.error().field, "from");
}

constexpr DatabaseKind kS = DatabaseKind::kSqlite, kM = DatabaseKind::kMysql, kP = DatabaseKind::kPostgresql;
INSTANTIATE_TEST_SUITE_P(Copy, Copy,
                         testing::Values(std::pair{kS, kM}, std::pair{kS, kP}, std::pair{kM, kP}, std::pair{kP, kM},
                                         std::pair{kM, kS}, std::pair{kP, kS}, std::pair{kS, kS}),
                         [](const auto& info) {
                           return std::string(row_of(info.param.first).title) + "To" +
                                  std::string(row_of(info.param.second).title);
                         });

}  // namespace
}  // namespace akr
