// Members of error bodies that say when to come back, in the spellings of many providers.
#include "llm/hint_members.hpp"

#include <string>

#include <gtest/gtest.h>

namespace akr {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

const WallTime kNow{seconds(1'795'379'553)};  // 2026-11-22T20:32:33Z

TEST(HintMembers, OneNameHasManySpellings) {
  for (const char* name : {"retry_after", "retryAfter", "Retry-After", "RETRY_AFTER", "retryafter", "_retry__after-"})
    EXPECT_EQ(hint_form(name), HintForm::kWait) << name;
  for (const char* name : {"retry_after_ms", "retryAfterMs", "retry-after-millis", "retryAfterMilliseconds",
                           "retryDelayMs", "reset_after_ms"})
    EXPECT_EQ(hint_form(name), HintForm::kMilliseconds) << name;
  for (const char* name : {"resets_at", "resets_in_seconds", "quotaResetDelay", "quotaResetTimeStamp",
                           "backoff_seconds", "nextAvailableAt"})
    EXPECT_EQ(hint_form(name), HintForm::kWait) << name;
}

TEST(HintMembers, OtherNamesSayNothing) {
  for (const char* name : {"", "_", "retry", "after", "retry_after_all", "xretry_after", "retry.after", "retry after",
                           "reset", "message", "resets_at_last", "retrу_after" /* with a Cyrillic letter */})
    EXPECT_EQ(hint_form(name), std::nullopt) << name;
  EXPECT_EQ(hint_form(std::string(10'000, 'r')), std::nullopt);
  EXPECT_EQ(hint_form("retry_after" + std::string(10'000, '_')), HintForm::kWait);
}

TEST(HintMembers, AWaitIsANumberADurationOrAPointInTime) {
  EXPECT_EQ(read_hint(HintForm::kWait, "7", kNow), seconds(7));
  EXPECT_EQ(read_hint(HintForm::kWait, "1h0m0s", kNow), hours(1));
  EXPECT_EQ(read_hint(HintForm::kWait, "1795379613", kNow), seconds(60));
  EXPECT_EQ(read_hint(HintForm::kWait, "1795379613000", kNow), seconds(60));
  EXPECT_EQ(read_hint(HintForm::kWait, "2026-11-22T20:33:33Z", kNow), seconds(60));
  EXPECT_EQ(read_hint(HintForm::kMilliseconds, "1500", kNow), milliseconds(1500));
}

TEST(HintMembers, AValueThatIsNoTimeIsNone) {
  for (const char* value : {"", "soon", "true", "-5", "nan", "1e400"}) {
    EXPECT_EQ(read_hint(HintForm::kWait, value, kNow), std::nullopt) << value;
    EXPECT_EQ(read_hint(HintForm::kMilliseconds, value, kNow), std::nullopt) << value;
  }
  EXPECT_EQ(read_hint(HintForm::kMilliseconds, "2026-11-22T20:33:33Z", kNow), std::nullopt);
}

}  // namespace
}  // namespace akr
