// upload_urls.hpp - URLs of uploads that answers tell, for tests of where they lead.
#pragma once

#include <string>

#include <gtest/gtest.h>

namespace akr::test {

// Without the credential of ours at its end, which must be there and has tests of its own.
inline std::string without_credential(const std::string& url) {
  const auto credential = url.find("&rotator_upload_credential=1.");
  EXPECT_NE(credential, std::string::npos) << url;
  return url.substr(0, credential);
}

}  // namespace akr::test
