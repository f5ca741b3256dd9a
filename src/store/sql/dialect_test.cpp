#include "store/sql/dialect.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

constexpr Dialect kWords{.integer = "bigint", .text = "mediumtext", .table_end = " ENGINE=X"};

TEST(RenderDialect, ReplacesItsNamesAndNothingElse) {
  EXPECT_EQ(render("CREATE TABLE t (a {integer}, b {text}){table_end}", kWords),
            "CREATE TABLE t (a bigint, b mediumtext) ENGINE=X");
  EXPECT_EQ(render("", kWords), "");
  EXPECT_EQ(render("plain :name", kWords), "plain :name");
  EXPECT_EQ(render("cut {integer", kWords), "cut ");
}

TEST(InsertText, WritesOneOrManyRows) {
  const std::vector<std::string> columns = {"a", "b"};
  EXPECT_EQ(insert_text(kWords, "t", columns, {}, 1), "INSERT INTO t (a, b) VALUES (:c0, :c1)");
  EXPECT_EQ(insert_text(kWords, "t", columns, {}, 2), "INSERT INTO t (a, b) VALUES (:c0, :c1), (:c2, :c3)");
}

TEST(InsertText, ReplacesRowsOfTheSameKeyInEachServersWords) {
  const std::vector<std::string> columns = {"a", "b", "c"}, keys = {"a"};
  Dialect words = kWords;
  EXPECT_EQ(insert_text(words, "t", columns, keys, 1),
            "INSERT INTO t (a, b, c) VALUES (:c0, :c1, :c2) ON CONFLICT (a) DO UPDATE SET b = excluded.b,"
            " c = excluded.c");
  words.upsert = Upsert::kOnDuplicateKey;
  EXPECT_EQ(insert_text(words, "t", columns, keys, 1),
            "INSERT INTO t (a, b, c) VALUES (:c0, :c1, :c2) ON DUPLICATE KEY UPDATE b = VALUES(b), c = VALUES(c)");
}

}  // namespace
}  // namespace akr
