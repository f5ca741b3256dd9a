#include "llm/structured_field.hpp"

#include <string>

#include <gtest/gtest.h>

namespace akr {
namespace {

TEST(StructuredField, ReadsItemsWithParameters) {
  FieldMembers members(R"("a;b,c";r=0; t=30 , "other" ;r=5;pk=:cHJ2:)");
  const auto first = members.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->name, "a;b,c");
  EXPECT_EQ(first->value, "");
  EXPECT_EQ(first->find("r"), "0");
  EXPECT_EQ(first->find("T"), "30");
  EXPECT_EQ(first->find("w"), std::nullopt);
  const auto second = members.next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->name, "other");
  EXPECT_EQ(second->find("r"), "5");
  EXPECT_FALSE(members.next());
}

TEST(StructuredField, ReadsDictionariesAndOldPolicies) {
  FieldMembers members("limit=100, remaining=0,reset = 5, 100;w=60");
  EXPECT_EQ(members.next()->value, "100");
  EXPECT_EQ(members.next()->name, "remaining");
  EXPECT_EQ(members.next()->value, "5");
  const auto policy = members.next();
  EXPECT_EQ(policy->name, "100");
  EXPECT_EQ(policy->find("w"), "60");
}

TEST(StructuredField, BrokenTextGivesMembersThatNobodyLooksFor) {
  for (const std::string text : {R"(")", R"("a)", R"("\)", ",,,", ";;=", "a;;;", "=", "\"a\\\""}) {
    FieldMembers members(text);
    for (int i = 0; i < 10 && members.next(); ++i) {
    }
    EXPECT_FALSE(members.next()) << text;
  }
  std::string many = "a";
  for (int i = 0; i < 100; ++i) many += ";p=1";
  EXPECT_EQ(FieldMembers(many).next()->count, 8U);
}

}  // namespace
}  // namespace akr
