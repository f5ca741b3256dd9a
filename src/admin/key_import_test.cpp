// A batch of `[0,0,...]`, 8 MiB long, took 2.65 GB and was answered with 242 MB.  Stands for: what a body may cost is
// bounded by the part of it that is meant.
#include "admin/key_import.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/service/validate.hpp"

namespace akr {
namespace {

std::vector<std::string> texts(const KeyImport& import) {
  std::vector<std::string> all;
  for (const NewKey& key : import.keys) all.emplace_back(key.secret.expose());
  return all;
}

TEST(KeyImport, TakesTheStringsInTheirOrder) {
  const auto import =
      read_key_import(R"( {"x":["no"],"keys":["k-1"," k-2\n","","  ","k\u002d3"],"y":{"keys":["no"]}} )", 10).value();
  EXPECT_EQ(texts(import), (std::vector<std::string>{"k-1", "k-2", "k-3"}));
  EXPECT_EQ(import.failed, 0U);
  EXPECT_EQ(boost::json::serialize(import_report(import, std::vector<AddedKey>{{KeyId{1}}, {KeyId{2}, true}})),
            R"({"success_count":1,"failed_count":0,"skipped_count":1})");
}

TEST(KeyImport, ListsWhatCannotBeAKeyByItsIndex) {
  const auto import =
      read_key_import(R"({"keys":[7,"good","bad\nkey-0123456789",[["a"],"b"],{"k":["v"]},null,true,1.5,""]})", 10)
          .value();
  EXPECT_EQ(texts(import), std::vector<std::string>{"good"});
  std::vector<std::size_t> indices;
  for (const auto& failure : import.listed) indices.push_back(failure.index);
  EXPECT_EQ(indices, (std::vector<std::size_t>{0, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(import.failed, 7U);
  EXPECT_STREQ(import.listed[1].code, "invalid_value");
  EXPECT_STREQ(import.listed[2].code, "not_a_string");
  EXPECT_EQ(import.listed[1].masked.find("0123456789"), std::string::npos);
}

TEST(KeyImport, TellsOfManyFailuresTheFirstAndHowMany) {
  std::string body = R"({"keys":[0)";
  for (int i = 1; i < 100'000; ++i) body += ",0";
  const auto import = read_key_import(body + "]}", 10).value();
  EXPECT_EQ(import.failed, 100'000U);
  EXPECT_EQ(import.listed.size(), KeyImport::kMostListed);
  const auto report = import_report(import, {});
  EXPECT_EQ(report.at("failed_count").to_number<int>(), 100'000);
  EXPECT_EQ(report.at("failed").as_array().size(), KeyImport::kMostListed);
  EXPECT_EQ(report.at("failed_keys").as_array().size(), KeyImport::kMostListed);
  EXPECT_TRUE(report.at("failed_truncated").as_bool());
  const auto few = read_key_import(R"({"keys":[0]})", 10).value();
  EXPECT_FALSE(import_report(few, {}).contains("failed_truncated"));
}

TEST(KeyImport, RefusesMoreKeysThanAllowed) {
  EXPECT_EQ(read_key_import(R"({"keys":["a","b"]})", 2).value().keys.size(), 2U);
  const auto refused = read_key_import(R"({"keys":["a","b","c"]})", 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(refused.error().field, "keys");
  EXPECT_NE(refused.error().message.find("IMPORT_MAX_KEYS"), std::string::npos);
}

TEST(KeyImport, RefusesWhatIsNoList) {
  for (const char* bad :
       {"", "[]", "7", "{", R"({"keys":["a"]}x)", R"({"keys":["a"})", R"({"keys":["a",]})", "{'keys':[]}"})
    EXPECT_EQ(read_key_import(bad, 10).error().code, ErrorCode::kBadRequest) << bad;
  EXPECT_EQ(read_key_import(std::string(R"({"keys":)") + std::string(100'000, '['), 10).error().code,
            ErrorCode::kBadRequest);
  for (const char* bad : {"{}", R"({"keys":null})", R"({"keys":"a"})", R"({"keys":{"a":"b"}})", R"({"Keys":[]})",
                          R"({"keys":["a"],"keys":7})", R"({"keysandmorethansixteen":[]})", R"({"a":{"keys":[]}})"}) {
    const auto refused = read_key_import(bad, 10);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalid) << bad;
    EXPECT_EQ(refused.error().field, "keys");
  }
  EXPECT_EQ(texts(read_key_import(R"({"keys":7,"k\u0065ys":["a"]})", 10).value()), std::vector<std::string>{"a"});
  EXPECT_EQ(texts(read_key_import(R"({"keys":["a"],"keys":["b"]})", 10).value()), std::vector<std::string>{"b"});
}

TEST(KeyImport, LongTextsAreNoKeys) {
  const auto import =
      read_key_import(R"({"keys":[")" + std::string(8192, 'a') + "\",\"" + std::string(8193, 'a') + "\",\"" +
                          std::string(1 << 20, 'a') + "\",\"" + std::string(1 << 20, ' ') + "a\",\"b\"]}",
                      10)
          .value();
  EXPECT_EQ(import.keys.size(), 2U);
  EXPECT_EQ(import.failed, 3U);
  EXPECT_EQ(import.listed[2].index, 3U);
}

}  // namespace
}  // namespace akr
