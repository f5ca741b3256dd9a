#include "base/ip_address.hpp"

#include <gtest/gtest.h>

namespace akr {
namespace {

IpAddress ip(std::string_view text) { return parse_ip(text).value(); }

TEST(IpAddress, OneClientIsOneValueInBothForms) {
  EXPECT_EQ(ip("192.0.2.1"), ip("::ffff:192.0.2.1"));
  EXPECT_EQ(to_text(ip("::ffff:192.0.2.1")), "192.0.2.1");
  EXPECT_EQ(to_text(ip("2001:DB8:0::1")), "2001:db8::1");
}

TEST(IpAddress, NothingButALiteralIsTaken) {
  for (const char* text :
       {"", "1", "127.1", "0x7f.0.0.1", "1.2.3.4:80", "[::1]", "fe80::1%eth0", " ::1", "::1 ", "1.2.3.4.5"})
    EXPECT_FALSE(parse_ip(text)) << text;
  EXPECT_FALSE(parse_ip(std::string_view("1.2.3.4\0", 8)));
  EXPECT_FALSE(parse_ip(std::string(100, '1')));
}

TEST(IpAddress, ANetworkOfIpv6IsOneClient) {
  EXPECT_EQ(client_network(ip("2001:db8:1:2:3:4:5:6")), client_network(ip("2001:db8:1:2::")));
  EXPECT_NE(client_network(ip("2001:db8:1:2::")), client_network(ip("2001:db8:1:3::")));
  EXPECT_NE(client_network(ip("192.0.2.1")), client_network(ip("192.0.2.2")));
}

TEST(IpNetwork, ContainsWhatItsPrefixCovers) {
  const auto networks =
      parse_networks("10.0.0.0/8, 192.168.1.128/25,, fd00::/8 ,203.0.113.7,2001:db8::1, 0.0.0.0/0").value();
  ASSERT_EQ(networks.size(), 6U);
  EXPECT_TRUE(networks[0].contains(ip("10.255.0.1")));
  EXPECT_TRUE(networks[0].contains(ip("::ffff:10.1.1.1")));
  EXPECT_FALSE(networks[0].contains(ip("11.0.0.0")));
  EXPECT_TRUE(networks[1].contains(ip("192.168.1.128")));
  EXPECT_FALSE(networks[1].contains(ip("192.168.1.127")));
  EXPECT_TRUE(networks[2].contains(ip("fdff::1")));
  EXPECT_FALSE(networks[2].contains(ip("fe00::1")));
  EXPECT_TRUE(networks[3].contains(ip("203.0.113.7")));
  EXPECT_FALSE(networks[3].contains(ip("203.0.113.8")));
  EXPECT_FALSE(networks[4].contains(ip("2001:db8::2")));
  EXPECT_TRUE(networks[5].contains(ip("8.8.8.8")));
  EXPECT_FALSE(networks[5].contains(ip("2001:db8::1")));  // all of IPv4 is not all
}

TEST(IpNetwork, ABadPartIsNamed) {
  for (const char* part : {"10.0.0.300", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129", "localhost", "10.1.2.3/8",
                           "2001:db8::1/64", "10.0.0.0/8/8", "*"}) {
    const auto networks = parse_networks("127.0.0.1, " + std::string(part));
    ASSERT_FALSE(networks) << part;
    EXPECT_NE(networks.error().message.find("'" + std::string(part) + "'"), std::string::npos)
        << networks.error().message;
  }
  EXPECT_NE(parse_networks("10.1.2.3/8").error().message.find("10.0.0.0/8"), std::string::npos);
}

}  // namespace
}  // namespace akr
