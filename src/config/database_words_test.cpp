#include "config/database_words.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

TEST(DatabaseWords, NameEveryServer) {
  EXPECT_EQ(server_words(), "mysql or postgresql");
  EXPECT_EQ(usual_ports().en, "3306 (MySQL), 5432 (PostgreSQL)");
  EXPECT_EQ(usual_users().en, "`root` (MySQL), `postgres` (PostgreSQL)");
  EXPECT_EQ(usual_users().zh, "`root`（MySQL），`postgres`（PostgreSQL）");
}

}  // namespace
}  // namespace akr
