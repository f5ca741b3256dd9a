#include "net/loop/socket_address.hpp"

#include <gtest/gtest.h>

namespace akr::net {
namespace {

TEST(SocketAddress, LiteralsKeepTheirBytesAndPort) {
  const auto v4 = parse_address("192.0.2.7", 8080);
  ASSERT_TRUE(v4);
  EXPECT_FALSE(v4->ipv6());
  EXPECT_EQ(to_text(*v4), "192.0.2.7");
  EXPECT_EQ(ntohs(reinterpret_cast<const sockaddr_in*>(&v4->storage)->sin_port), 8080);
  EXPECT_EQ(address_bytes(*v4)[3], 7);
  const auto v6 = parse_address("2001:db8::1", 443);
  ASSERT_TRUE(v6);
  EXPECT_TRUE(v6->ipv6());
  EXPECT_EQ(to_text(*v6), "2001:db8::1");
  EXPECT_EQ(ntohs(reinterpret_cast<const sockaddr_in6*>(&v6->storage)->sin6_port), 443);
  EXPECT_EQ(address_bytes(*v6).size(), 16U);
}

TEST(SocketAddress, ShortFormsZonesAndNamesAreNoLiterals) {
  for (const char* text : {"127.1", "0x7f000001", "2130706433", "0177.0.0.1", "[::1]", "fe80::1%eth0", "localhost", "",
                           "1.2.3.4 ", "1.2.3.4.5"}) {
    EXPECT_FALSE(parse_address(text, 1)) << text;
  }
  EXPECT_FALSE(parse_address(std::string_view("127.0.0.1\0.test", 15), 1));
}

TEST(SocketAddress, AuthorityPutsIpv6InBrackets) {
  EXPECT_EQ(authority("a.test", 80), "a.test:80");
  EXPECT_EQ(authority("::1", 443), "[::1]:443");
}

}  // namespace
}  // namespace akr::net
