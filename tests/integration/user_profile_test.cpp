// The field anthropic-user-profile-id, by which a platform says which of its users is billed, was taken for the
// client's account and dropped; and a profile belongs to the key that made it, so the field must choose that key.
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/pins_fixture.hpp"

namespace akr::test {
namespace {

class UserProfile : public Pins {
 protected:
  UserProfile() : Pins(kAnthropic) {}
};

TEST_F(UserProfile, IsNamedToTheUpstreamAndItsKeyServes) {
  script_ = answering(R"({"id":"uprof_1","type":"user_profile"})");
  ASSERT_EQ(proxy_.post("/v1/user_profiles", "{}", kJson).status, 200);
  const int maker = key_of(upstream_.last());
  script_ = answering("{}");
  for (int i = 0; i < 5; ++i) {
    const std::string fields =
        std::string(kJson) + "Anthropic-User-Profile-ID: uprof_1\r\nAnthropic-Workspace-Id: w\r\n";
    ASSERT_EQ(proxy_.post("/v1/messages", kChat, fields).status, 200);
    EXPECT_EQ(upstream_.last().field("anthropic-user-profile-id"), "uprof_1");
    EXPECT_EQ(upstream_.last().count("anthropic-workspace-id"), 0U) << "an account of the client stays here";
    EXPECT_EQ(key_of(upstream_.last()), maker);
  }
}

// The header's key won silently over the path's: an upload's id may do that, and nothing else (kind: of two things that
// cannot meet, none may be forgotten).
TEST_F(UserProfile, ThatCannotMeetWhatThePathNamesIsAConflict) {
  script_ = answering(R"({"id":"uprof_1","type":"user_profile"})");
  ASSERT_EQ(proxy_.post("/v1/user_profiles", "{}", kJson).status, 200);
  const int maker = key_of(upstream_.last());
  const int other = make_file("file_1");
  ASSERT_NE(maker, other);
  const int before = upstream_.requests();
  const HttpAnswer answer = proxy_.get("/v1/files/file_1", "anthropic-user-profile-id: uprof_1\r\n");
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(upstream_.requests(), before);
}

TEST_F(UserProfile, OfAnUnknownNameGoesOutWithAnyKey) {
  script_ = answering("{}");
  std::set<int> keys;
  for (int i = 0; i < 5; ++i) {
    proxy_.post("/v1/messages", kChat, std::string(kJson) + "anthropic-user-profile-id: uprof_9\r\n");
    EXPECT_EQ(upstream_.last().field("anthropic-user-profile-id"), "uprof_9");
    keys.insert(key_of(upstream_.last()));
  }
  EXPECT_EQ(keys.size(), 5U);
}

}  // namespace
}  // namespace akr::test
