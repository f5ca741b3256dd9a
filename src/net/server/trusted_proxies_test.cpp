#include "net/server/trusted_proxies.hpp"

#include <string>

#include <gtest/gtest.h>

#include "net/server/forwarded.hpp"

namespace akr::net {
namespace {

using Scheme = ForwardedClient::Scheme;
using Kind = ForwardedNode::Kind;

const IpAddress kPeer = parse_ip("10.0.0.1").value();

ForwardedClient read(const std::string& fields) {
  const TrustedProxies trusted(parse_networks("10.0.0.0/8, fd00::/8").value());
  const std::string text = "GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
  MessageHead head;
  EXPECT_EQ(head.parse_request(text), ParseStatus::kDone) << fields;
  return forwarded_client(head, kPeer, trusted);
}

std::string client(const std::string& fields) { return to_text(read(fields).address); }
std::string by_list(const std::string& list) { return client("X-Forwarded-For: " + list + "\r\n"); }
std::string by_forwarded(const std::string& list) { return client("Forwarded: " + list + "\r\n"); }

TEST(TrustedProxies, WithoutAFieldThePeerIsTheClient) {
  EXPECT_EQ(client(""), "10.0.0.1");
  EXPECT_EQ(read("").scheme, Scheme::kUnsaid);
}

TEST(TrustedProxies, TheFirstUntrustedAddressFromTheRightIsTheClient) {
  EXPECT_EQ(by_list("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(by_list("6.6.6.6, 192.0.2.1, 10.9.9.9,  fd00::1"), "192.0.2.1");  // what stands left may be invented
  EXPECT_EQ(by_list("garbage;, 192.0.2.1, 10.9.9.9"), "192.0.2.1");
  EXPECT_EQ(by_list("10.3.3.3, 10.9.9.9"), "10.3.3.3");
  EXPECT_EQ(client("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 192.0.2.1, 10.2.2.2\r\n"), "192.0.2.1");
  EXPECT_EQ(client("X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 10.2.2.2\r\n"), "192.0.2.1");
}

TEST(TrustedProxies, PortsAndBracketsAreTaken) {
  EXPECT_EQ(by_list("192.0.2.1:5555"), "192.0.2.1");
  EXPECT_EQ(by_list("[2001:db8::1]:5555"), "2001:db8::1");
  EXPECT_EQ(by_list("[2001:db8::1]"), "2001:db8::1");
  EXPECT_EQ(by_list("2001:db8::1"), "2001:db8::1");
  EXPECT_EQ(by_list("::ffff:192.0.2.1"), "192.0.2.1");
}

TEST(TrustedProxies, WhatIsMalformedLeavesThePeer) {
  for (const char* list : {"", ",", "192.0.2.1,", "name.example", "192.0.2.1:", "192.0.2.1:123456", "[192.0.2.1]",
                           "[2001:db8::1", "2001:db8::1]", "[::1]x", "192.0.2.1 10.0.0.2", "fe80::1%eth0", "_"}) {
    EXPECT_EQ(by_list(list), "10.0.0.1") << list;
    EXPECT_EQ(by_list(std::string(list) + ", 10.0.0.9"), "10.0.0.1") << list;
  }
}

TEST(TrustedProxies, AHiddenNodeIsStoodForByWhoHidesIt) {
  EXPECT_EQ(by_list("192.0.2.1, unknown, 10.0.0.9"), "10.0.0.9");
  EXPECT_EQ(by_forwarded("for=192.0.2.1, for=_gateway, for=10.0.0.9"), "10.0.0.9");
  EXPECT_EQ(by_forwarded("for=192.0.2.1, by=10.0.0.3, for=10.0.0.9"), "10.0.0.9");
}

TEST(TrustedProxies, ForwardedIsReadAsRfc7239Says) {
  EXPECT_EQ(by_forwarded("for=192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(by_forwarded("For=\"[2001:db8::1]:4711\";by=203.0.113.60;proto=http, for=10.0.0.2"), "2001:db8::1");
  EXPECT_EQ(by_forwarded("for=6.6.6.6, by=\"a,b;c\\\"\"; for=192.0.2.1 , FOR=10.0.0.2;host=h"), "192.0.2.1");
  EXPECT_EQ(by_forwarded("for=192.0.2.1;;proto=http;"), "192.0.2.1");
  EXPECT_EQ(client("Forwarded: for=192.0.2.1\r\nForwarded: for=10.0.0.2\r\n"), "192.0.2.1");
}

TEST(TrustedProxies, AMalformedForwardedLeavesThePeer) {
  for (const char* list : {"for", "for=", "for=\"192.0.2.1", "for=192.0.2.1:80", "for=[::1]", "for=1.2.3.4;for=5.6.7.8",
                           "for =1.2.3.4", "=1.2.3.4", "for=1.2.3.4 x"}) {
    EXPECT_EQ(by_forwarded(list), "10.0.0.1") << list;
  }
}

TEST(TrustedProxies, TwoFieldsMustAgree) {
  EXPECT_EQ(client("X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\n"), "192.0.2.1");
  EXPECT_EQ(client("X-Forwarded-For: 192.0.2.1\r\nForwarded: for=6.6.6.6\r\n"), "10.0.0.1");
  EXPECT_EQ(client("X-Forwarded-For: 192.0.2.1\r\nForwarded: \"\r\n"), "10.0.0.1");
  EXPECT_EQ(client("X-Forwarded-For: 192.0.2.1\r\nForwarded: proto=https\r\n"), "192.0.2.1");  // says not who
}

TEST(TrustedProxies, HttpsIsBelievedIfNobodyContradicts) {
  EXPECT_EQ(read("X-Forwarded-Proto: https\r\n").scheme, Scheme::kHttps);
  EXPECT_EQ(read("X-Forwarded-Proto: HTTPS, https\r\n").scheme, Scheme::kHttps);
  EXPECT_EQ(read("X-Forwarded-Proto: https, http\r\n").scheme, Scheme::kHttp);
  EXPECT_EQ(read("X-Forwarded-Proto: \r\n").scheme, Scheme::kHttp);
  EXPECT_EQ(read("Forwarded: for=1.2.3.4;proto=https\r\n").scheme, Scheme::kHttps);
  EXPECT_EQ(read("X-Forwarded-Proto: http\r\nForwarded: proto=https\r\n").scheme, Scheme::kHttp);
  EXPECT_EQ(read("X-Forwarded-Proto: https\r\nForwarded: proto=\"\r\n").scheme, Scheme::kHttp);
}

TEST(TrustedProxies, OtherFieldsOfTheFamilyMeanNothing) {
  EXPECT_EQ(client("X-Forwarded-Fo: 192.0.2.1\r\nX-Forwarded-Host: 192.0.2.1\r\nX-Real-IP: 192.0.2.1\r\n"), "10.0.0.1");
}

TEST(ForwardedNode, KindsAreTold) {
  EXPECT_EQ(parse_node("192.0.2.1:_port").kind, Kind::kAddress);
  EXPECT_EQ(parse_node("Unknown").kind, Kind::kHidden);
  EXPECT_EQ(parse_node("unknown:80").kind, Kind::kHidden);
  EXPECT_EQ(parse_node("_a.b-c_1").kind, Kind::kHidden);
  EXPECT_EQ(parse_node("_a b").kind, Kind::kMalformed);
}

}  // namespace
}  // namespace akr::net
