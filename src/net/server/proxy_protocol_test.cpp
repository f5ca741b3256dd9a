#include "net/server/proxy_protocol.hpp"

#include <string>

#include <gtest/gtest.h>

namespace akr::net {
namespace {

using Status = ProxyHeader::Status;
using std::string_literals::operator""s;

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string v2(int version_command, int family_transport, const std::string& rest) {
  std::string header = kSignature;
  header += static_cast<char>(version_command);
  header += static_cast<char>(family_transport);
  header += static_cast<char>(rest.size() >> 8);
  header += static_cast<char>(rest.size());
  return header + rest;
}

const std::string kIpv4 = "\xc0\x00\x02\x07\x0a\x00\x00\x01\x15\xb3\x00\x50"s;
const std::string kIpv6 = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"s + std::string(16, '\1') + "\x15\xb3\x00\x50"s;

// "need", "error", or the source ("-" = the peer's own) and what is left of `bytes`.  Every split gives the same.
std::string read(const std::string& bytes) {
  ProxyHeader header;
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    header = parse_proxy_header(std::string_view(bytes).substr(0, size));
    if (header.status != Status::kNeedMore) break;
  }
  const ProxyHeader whole = parse_proxy_header(bytes);
  EXPECT_EQ(whole.status, header.status) << bytes;
  if (header.status == Status::kNeedMore) return "need";
  if (header.status == Status::kError) return "error";
  EXPECT_EQ(whole.size, header.size);
  EXPECT_EQ(whole.source, header.source);
  return (header.source ? to_text(*header.source) : "-") + "|" + bytes.substr(header.size);
}

TEST(ProxyProtocol, Version1) {
  EXPECT_EQ(read("PROXY TCP4 192.0.2.7 10.0.0.1 5555 80\r\nGET"), "192.0.2.7|GET");
  EXPECT_EQ(read("PROXY TCP6 2001:db8::1 ::1 0 65535\r\n"), "2001:db8::1|");
  EXPECT_EQ(read("PROXY UNKNOWN\r\n\r\n"), "-|\r\n");
  EXPECT_EQ(read("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\nx"), "-|x");
}

// A fuzzer found that a line feed within the line was an error in parts, and part of the line at once (kind: a verdict
// that depends on how the bytes arrive).
TEST(ProxyProtocol, ALineFeedWithinTheLineIsAnErrorHoweverItArrives) {
  EXPECT_EQ(read("PROXY UNKNOWN a\nb\r\nGET"), "error");
  EXPECT_EQ(read("PROXY UNKNOWN\n\r\n"), "error");
  EXPECT_EQ(read("PROXY \n\r\n"), "error");
  EXPECT_EQ(read("PROXY UNKNOWN a\rb\r\n"), "-|");
}

TEST(ProxyProtocol, Version1IsStrict) {
  for (const char* line :
       {"PROXY TCP4 192.0.2.7 10.0.0.1 5555\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 5555 80 9\r\n",
        "PROXY TCP4 2001:db8::1 ::1 1 1\r\n", "PROXY TCP6 192.0.2.7 10.0.0.1 1 1\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 65536 80\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 080 80\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 +1 80\r\n", "PROXY TCP4  192.0.2.7 10.0.0.1 1 80\r\n",
        "PROXY TCP5 192.0.2.7 10.0.0.1 1 80\r\n", "PROXY \r\n", "proxy UNKNOWN\r\n", "PROXY UNKNOWNX\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 1 80\nGET", "GET / HTTP/1.1\r\n", "\x16\x03\x01"}) {
    EXPECT_EQ(read(line), "error") << line;
  }
  EXPECT_EQ(read("PROXY UNKNOWN " + std::string(100, 'x') + "\r\n"), "error");
  EXPECT_EQ(read("PROXY UNKNOWN " + std::string(91, 'x') + "\r\n"), "-|");  // 107 bytes
  EXPECT_EQ(read("PROXY TCP4 192.0.2.7 10."), "need");
}

TEST(ProxyProtocol, Version2) {
  EXPECT_EQ(read(v2(0x21, 0x11, kIpv4) + "GET"), "192.0.2.7|GET");
  EXPECT_EQ(read(v2(0x21, 0x21, kIpv6)), "2001:db8::1|");
  EXPECT_EQ(read(v2(0x21, 0x11, kIpv4 + "\x04\x00\x03xyz"s) + "G"), "192.0.2.7|G");  // TLVs are passed over
}

TEST(ProxyProtocol, Version2WithoutAClientToName) {
  EXPECT_EQ(read(v2(0x20, 0x00, "")), "-|");
  EXPECT_EQ(read(v2(0x20, 0x11, "ab") + "G"), "-|G");  // LOCAL: whatever it carries
  EXPECT_EQ(read(v2(0x21, 0x00, kIpv4)), "-|");
  EXPECT_EQ(read(v2(0x21, 0x12, kIpv4)), "-|");                  // a datagram
  EXPECT_EQ(read(v2(0x21, 0x31, std::string(216, 'u'))), "-|");  // UNIX
}

TEST(ProxyProtocol, Version2IsStrict) {
  EXPECT_EQ(read(v2(0x11, 0x11, kIpv4)), "error");
  EXPECT_EQ(read(v2(0x22, 0x11, kIpv4)), "error");
  EXPECT_EQ(read(v2(0x21, 0x41, kIpv4)), "error");
  EXPECT_EQ(read(v2(0x21, 0x13, kIpv4)), "error");
  EXPECT_EQ(read(v2(0x21, 0x11, kIpv4.substr(1))), "error");
  EXPECT_EQ(read(v2(0x21, 0x21, kIpv4)), "error");
  EXPECT_EQ(read(v2(0x21, 0x11, std::string(kMaxProxyHeader, 'x')).substr(0, 16)), "error");
  EXPECT_EQ(read(kSignature.substr(0, 8) + "x"), "error");
  EXPECT_EQ(read(v2(0x21, 0x11, kIpv4).substr(0, 27)), "need");
}

}  // namespace
}  // namespace akr::net
