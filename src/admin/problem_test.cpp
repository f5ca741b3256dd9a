#include "admin/problem.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

TEST(Problem, NamesTheMemberThatIsWrong) {
  const Problem problem = to_problem({.code = ErrorCode::kInvalid, .message = "has at most 100", .field = "slug"});
  EXPECT_EQ(problem.status, 422);
  EXPECT_EQ(problem.field, "slug");
}

// The store names the setting that is to blame (the password of the database); it stood there as if the request had
// had a member "password".
TEST(Problem, DoesNotPointIntoTheRequestForWhatIsWrongWithTheDatabase) {
  const Problem problem = to_problem({.code = ErrorCode::kStoreRefused, .message = "refused", .field = "password"});
  EXPECT_EQ(problem.status, 503);
  EXPECT_EQ(problem.code, "db_unavailable");
  EXPECT_EQ(problem.field, "");
}

}  // namespace
}  // namespace akr
