// A stranger could make the gateway buffer 64 MiB: the admin API read the body before it looked at the session, and
// "?a=/keys" behind any path raised the limit to that of an import.
#include <gtest/gtest.h>

#include "tests/support/run_gateway.hpp"

namespace akr {
namespace {

TEST(Regression, StrangersAreRefusedBeforeTheirBodyIsRead) {
  test::TestGateway gateway;
  test::HttpClient client = gateway.client();
  client.send("POST /admin/proxy-configs/1/keys/batch HTTP/1.1\r\nHost: h\r\nContent-Length: 62914560\r\n\r\n");
  EXPECT_EQ(client.receive_head().status, 401);
}

TEST(Regression, TheImportLimitComesFromThePathAlone) {
  test::TestGateway gateway;
  test::HttpClient client = gateway.client();
  client.send(
      "POST /admin/login?a=/keys/batch HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: "
      "3145728\r\n\r\n");
  EXPECT_EQ(client.receive_head().status, 413);
}

}  // namespace
}  // namespace akr
