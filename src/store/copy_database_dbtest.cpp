// Everything that one database holds comes over into another one, of any kind, and still opens there.
#include <gmock/gmock.h>

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

 private:
  DatabaseKind kind_;
  TempDir directory_;
  std::optional<OwnDatabase> own_;
};

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
    ASSERT_TRUE(config.add_keys(rest, keys));
    ASSERT_TRUE(config.add_keys(llm, example_keys(2)));
    KeyStateRecord state{.key = KeyId{1}, .group = "", .model = "gpt ", .state = KeyState::kCooling, .reason = "r"};
    ASSERT_TRUE(database->key_states().save(rest, {&state, 1}, {}));
    const KeyPin pin{rest, {1, 2}, {rest, KeyId{1}, 0xfedcba9876543210ULL}, WallTime(std::chrono::hours(10'000'000))};
    ASSERT_TRUE(database->key_pins().save({&pin, 1}));
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
      for (std::size_t k = 0; k < keys.size(); ++k) {
        ASSERT_EQ(key_copies[k].id, keys[k].id);
        ASSERT_EQ(key_copies[k].secret.expose(), keys[k].secret.expose());
        ASSERT_EQ(key_copies[k].note, keys[k].note);
      }
      EXPECT_EQ(to->key_states().load(services[i].id).value().size(),
                from->key_states().load(services[i].id).value().size());
    }
    EXPECT_EQ(to->key_pins().load(WallTime{}, 10).value().size(), 1U);
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

TEST_P(Copy, ATargetThatHoldsSomethingIsLeftAlone) {
  fill();
  const ServiceId id = to_->open()->config().add_service(example_service("mine")).value().id;
  const auto refused = copy_database(from_->options(), to_->options());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_EQ(refused.error().field, "to");
  EXPECT_EQ(to_->open()->config().find_service(id).value().slug, "mine");
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
