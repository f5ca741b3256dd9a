// http1_test.cpp - how strictly heads are read: a row per rule, and the same decision however they arrive.
#include "net/http/http1.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "net/http/http1_fixture.hpp"

namespace akr::net {
namespace {

struct Verdict {
  ParseStatus status;
  HeadError error;
};

Verdict parse(std::string_view text) {
  const auto head = std::make_unique<MessageHead>();
  const ParseStatus status = head->parse_request(text);
  return {status, head->error()};
}

Verdict parse_answer(std::string_view text, bool to_head_request = false) {
  const auto head = std::make_unique<MessageHead>();
  const ParseStatus status = head->parse_response(text, to_head_request);
  return {status, head->error()};
}

// What a refused head gets; 200 = accepted, 0 = incomplete.
int request_status(std::string_view text) {
  const Verdict verdict = parse(text);
  return verdict.status == ParseStatus::kNeedMore ? 0 : http_status(verdict.error);
}

int answer_status(std::string_view text) {
  const Verdict verdict = parse_answer(text);
  return verdict.status == ParseStatus::kNeedMore ? 0 : http_status(verdict.error);
}

struct Case {
  const char* name;
  std::string text;
  int status;
};

// ---- strictness, a row per rule

const std::vector<Case> kRequestCases = {
    // the request line
    {"plain", line("GET / HTTP/1.1"), 200},
    {"empty line before", "\r\n" + line("GET / HTTP/1.1"), 200},
    {"two empty lines before", "\r\n\r\n" + line("GET / HTTP/1.1"), 200},
    {"three empty lines before", "\r\n\r\n\r\n" + line("GET / HTTP/1.1"), 400},
    {"bare LF before", "\n" + line("GET / HTTP/1.1"), 400},
    {"space before the method", line(" GET / HTTP/1.1"), 400},
    {"two spaces", line("GET  / HTTP/1.1"), 400},
    {"tab", line("GET\t/ HTTP/1.1"), 400},
    {"space after the version", line("GET / HTTP/1.1 "), 400},
    {"no version", "GET /\r\nHost: h\r\n\r\n", 400},
    {"method with a colon", line("GE:T / HTTP/1.1"), 400},
    {"method of 32", line(std::string(32, 'M') + " / HTTP/1.1"), 200},
    {"method of 33", line(std::string(33, 'M') + " / HTTP/1.1"), 400},
    {"bare LF at the end", "GET / HTTP/1.1\nHost: h\r\n\r\n", 400},
    {"bare CR at the end", "GET / HTTP/1.1\rHost: h\r\n\r\n", 400},
    {"h2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"TLS hello", std::string("\x16\x03\x01\x02\x00\x01", 6), 400},
    // versions
    {"HTTP/1.0", line("GET / HTTP/1.0"), 200},
    {"HTTP/0.9", line("GET / HTTP/0.9"), 505},
    {"HTTP/1.2", line("GET / HTTP/1.2"), 505},
    {"HTTP/2.0", line("GET / HTTP/2.0"), 505},
    {"lower case", line("GET / http/1.1"), 400},
    {"HTTP/1.x", line("GET / HTTP/1.x"), 400},
    {"HTTP/01.1", line("GET / HTTP/01.1"), 400},
    // targets
    {"absolute form", line("GET http://h/a HTTP/1.1"), 200},
    {"absolute form without a path", line("GET http://h HTTP/1.1"), 400},
    {"absolute form with userinfo", line("GET http://u@h/ HTTP/1.1"), 400},
    {"absolute form of another scheme", line("GET ftp://h/a HTTP/1.1"), 400},
    {"absolute form with an empty host", line("GET http:///a HTTP/1.1"), 400},
    {"authority form", line("CONNECT h:443 HTTP/1.1"), 400},
    {"asterisk for OPTIONS", line("OPTIONS * HTTP/1.1"), 200},
    {"asterisk for GET", line("GET * HTTP/1.1"), 400},
    {"no leading slash", line("GET a HTTP/1.1"), 400},
    {"fragment", line("GET /a#b HTTP/1.1"), 400},
    {"byte over 0x7f", line("GET /\xc3\xa9 HTTP/1.1"), 400},
    {"NUL in the target", line(std::string("GET /a\0b HTTP/1.1", 17)), 400},
    {"DEL in the target", line("GET /a\x7f HTTP/1.1"), 400},
    // Host
    {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
    {"no Host in 1.0", "GET / HTTP/1.0\r\n\r\n", 200},
    {"two Hosts", get("Host: h\r\n"), 400},
    {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
    {"Host with a port", "GET / HTTP/1.1\r\nHost: h:8080\r\n\r\n", 200},
    {"Host with an empty port", "GET / HTTP/1.1\r\nHost: h:\r\n\r\n", 200},
    {"Host with a large port", "GET / HTTP/1.1\r\nHost: h:65536\r\n\r\n", 400},
    {"Host with a port of letters", "GET / HTTP/1.1\r\nHost: h:a\r\n\r\n", 400},
    {"Host with a signed port", "GET / HTTP/1.1\r\nHost: h:+80\r\n\r\n", 400},
    {"Host with userinfo", "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", 400},
    {"Host with a path", "GET / HTTP/1.1\r\nHost: h/a\r\n\r\n", 400},
    {"Host with a comma", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400},
    {"Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"Host of IPv6", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 200},
    {"Host of IPv6 left open", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
    {"Host of IPv6 with a zone", "GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n", 400},
    {"port without a host", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 400},
    // fields
    {"space before the colon", get("A : b\r\n"), 400},
    {"tab before the colon", get("A\t: b\r\n"), 400},
    {"no colon", get("A\r\n"), 400},
    {"empty name", get(": b\r\n"), 400},
    {"obs-fold", get("A: b\r\n c\r\n"), 400},
    {"space before the first field", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
    {"bare LF after a field", get("A: b\n"), 400},
    {"bare CR in a value", get("A: b\rc\r\n"), 400},
    {"NUL in a value", get(std::string("A: b\0c\r\n", 8)), 400},
    {"control in a value", get("A: b\x01\r\n"), 400},
    {"DEL in a value", get("A: b\x7f\r\n"), 400},
    {"tab in a value", get("A: b\tc\r\n"), 200},
    {"obs-text in a value", get("A: \xff\r\n"), 200},
    {"empty value", get("A:\r\n"), 200},
    {"control at every place of a word",
     get("A: 1234567890123\x02"
         "56\r\n"),
     400},
    {"quote in a name", get("A\"b: c\r\n"), 400},
    {"byte over 0x7f in a name", get("A\xe9: c\r\n"), 400},
    {"LF alone ends the head", "GET / HTTP/1.1\r\nHost: h\r\n\n", 400},
    {"CR alone ends the head", "GET / HTTP/1.1\r\nHost: h\r\n\rX", 400},
    // Content-Length
    {"length", post("Content-Length: 5\r\n"), 200},
    {"leading zeros", post("Content-Length: 0005\r\n"), 200},
    {"18 digits", post("Content-Length: 999999999999999999\r\n"), 200},
    {"19 digits", post("Content-Length: 1000000000000000000\r\n"), 400},
    {"2^64 + 5", post("Content-Length: 18446744073709551621\r\n"), 400},
    {"empty length", post("Content-Length:\r\n"), 400},
    {"plus", post("Content-Length: +5\r\n"), 400},
    {"minus", post("Content-Length: -5\r\n"), 400},
    {"hex", post("Content-Length: 0x5\r\n"), 400},
    {"list", post("Content-Length: 5, 5\r\n"), 400},
    {"twice the same", post("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
    {"twice different", post("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
    {"inner space", post("Content-Length: 5 5\r\n"), 400},
    {"vertical tab",
     post("Content-Length: \x0b"
          "5\r\n"),
     400},
    {"next line byte",
     post("Content-Length: \x85"
          "5\r\n"),
     400},
    // Transfer-Encoding
    {"chunked", post("Transfer-Encoding: chunked\r\n"), 200},
    {"chunked in capitals", post("Transfer-Encoding: CHUNKED\r\n"), 200},
    {"list of codings", post("Transfer-Encoding: gzip, chunked\r\n"), 400},
    {"chunked twice", post("Transfer-Encoding: chunked, chunked\r\n"), 400},
    {"two fields", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"identity", post("Transfer-Encoding: identity\r\n"), 400},
    {"xchunked", post("Transfer-Encoding: xchunked\r\n"), 400},
    {"with a parameter", post("Transfer-Encoding: chunked;a=b\r\n"), 400},
    {"quoted", post("Transfer-Encoding: \"chunked\"\r\n"), 400},
    {"empty coding", post("Transfer-Encoding:\r\n"), 400},
    {"vertical tab in front",
     post("Transfer-Encoding: \x0b"
          "chunked\r\n"),
     400},
    {"no-break space behind", post("Transfer-Encoding: chunked\xa0\r\n"), 400},
    {"with Content-Length", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"before Content-Length", post("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"), 400},
    {"in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    // look-alikes
    {"Content_Length", post("Content_Length: 5\r\n"), 400},
    {"transfer_encoding", post("transfer_encoding: chunked\r\n"), 400},
    {"any other underscore", get("my_field: 5\r\n"), 200},
    // Expect, Upgrade
    {"100-continue", post("Content-Length: 5\r\nExpect: 100-Continue\r\n"), 200},
    {"another expectation", post("Content-Length: 5\r\nExpect: 200-ok\r\n"), 417},
    {"upgrade with a body", get("Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 4\r\n"), 400},
    {"upgrade with length 0", get("Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n"), 400},
    {"h2c is not upgraded to", get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"), 200},
    // limits
    {"128 fields",
     "GET / HTTP/1.1\r\nHost: h\r\n" +
         [] {
           std::string many;
           for (int i = 0; i < 127; ++i) many += "A: b\r\n";
           return many;
         }() +
         "\r\n",
     200},
    {"129 fields",
     "GET / HTTP/1.1\r\nHost: h\r\n" +
         [] {
           std::string many;
           for (int i = 0; i < 128; ++i) many += "A: b\r\n";
           return many;
         }() +
         "\r\n",
     431},
    {"just under 64 KiB", get("A: " + std::string(kMaxHeadBytes - 33, 'x') + "\r\n"), 200},
    {"one byte over", get("A: " + std::string(kMaxHeadBytes - 32, 'x') + "\r\n"), 431},
    {"endless value", get("A: " + std::string(100'000, 'x')), 431},
    {"endless name", "GET / HTTP/1.1\r\n" + std::string(100'000, 'x'), 431},
    {"endless target", "GET /" + std::string(100'000, 'x'), 431},
    {"many lines, no end", "GET / HTTP/1.1\r\nA: " + std::string(65'500, 'x') + "\r\nB: cccccccccccccccccc", 431},
};

const std::vector<Case> kAnswerCases = {
    {"plain", ok(""), 200},
    {"empty reason", "HTTP/1.1 200 \r\n\r\n", 200},
    {"no reason at all", "HTTP/1.1 200\r\n\r\n", 200},
    {"obs-text in the reason", "HTTP/1.1 200 \xe9\r\n\r\n", 200},
    {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n", 200},
    {"HTTP/0.9 body", "<html><body>hello</body></html>", 400},
    {"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", 400},
    {"ICY", "ICY 200 OK\r\n\r\n", 400},
    {"status 99", "HTTP/1.1 099 No\r\n\r\n", 400},
    {"status 600", "HTTP/1.1 600 No\r\n\r\n", 400},
    {"status 2000", "HTTP/1.1 2000 No\r\n\r\n", 400},
    {"status -200", "HTTP/1.1 -200 No\r\n\r\n", 400},
    {"status of letters", "HTTP/1.1 2x0 No\r\n\r\n", 400},
    {"two spaces", "HTTP/1.1  200 OK\r\n\r\n", 400},
    {"CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n", 400},
    {"NUL in the reason", std::string("HTTP/1.1 200 O\0K\r\n\r\n", 20), 400},
    {"bare LF", "HTTP/1.1 200 OK\nA: b\r\n\r\n", 400},
    {"empty line before", "\r\nHTTP/1.1 200 OK\r\n\r\n", 400},
    {"obs-fold", ok("A: b\r\n c\r\n"), 400},
    {"two lengths", ok("Content-Length: 1\r\nContent-Length: 2\r\n"), 400},
    {"two equal lengths", ok("Content-Length: 1\r\nContent-Length: 1\r\n"), 400},
    {"length of words", ok("Content-Length: five\r\n"), 400},
    {"length and coding", ok("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"gzip, chunked", ok("Transfer-Encoding: gzip, chunked\r\n"), 400},
    {"chunked in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"no Host needed", ok("A: b\r\n"), 200},
    {"endless head", ok("A: " + std::string(100'000, 'x')), 431},
};

TEST(RequestHead, StrictnessTable) {
  for (const Case& entry : kRequestCases) EXPECT_EQ(request_status(entry.text), entry.status) << entry.name;
}

TEST(ResponseHead, StrictnessTable) {
  for (const Case& entry : kAnswerCases) EXPECT_EQ(answer_status(entry.text), entry.status) << entry.name;
}

// Every byte at every place of a field name and of a value: exactly RFC 9110's sets get through.
TEST(RequestHead, TakesExactlyTheAllowedBytes) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const std::string text(1, c);
    const bool in_value = byte == '\t' || (byte >= 0x20 && byte != 0x7f);
    for (std::size_t before : {0U, 3U, 7U, 8U, 9U}) {
      const std::string value = std::string(before, 'v') + text + "tail-of-value";
      EXPECT_EQ(request_status(get("A: " + value + "\r\n")) == 200, in_value) << byte << " behind " << before;
    }
    if (c != ':') EXPECT_EQ(request_status(get("A" + text + "B: v\r\n")) == 200, is_token(text)) << byte;
  }
}

// ---- pieces

// Whatever arrives byte by byte is decided no differently, and never before the byte that decides it.
TEST(RequestHead, OneByteAtATimeGivesTheSame) {
  for (const Case& entry : kRequestCases) {
    if (entry.text.size() > 2000) continue;
    const auto head = std::make_unique<MessageHead>();
    ParseStatus status = ParseStatus::kNeedMore;
    for (std::size_t size = 1; size <= entry.text.size() && status == ParseStatus::kNeedMore; ++size) {
      status = head->parse_request(std::string_view(entry.text).substr(0, size));
    }
    EXPECT_EQ(status == ParseStatus::kDone ? 200 : http_status(head->error()), entry.status) << entry.name;
  }
}

TEST(ResponseHead, OneByteAtATimeGivesTheSame) {
  for (const Case& entry : kAnswerCases) {
    if (entry.text.size() > 2000) continue;
    const auto head = std::make_unique<MessageHead>();
    ParseStatus status = ParseStatus::kNeedMore;
    for (std::size_t size = 1; size <= entry.text.size() && status == ParseStatus::kNeedMore; ++size) {
      status = head->parse_response(std::string_view(entry.text).substr(0, size), false);
    }
    EXPECT_EQ(status == ParseStatus::kDone ? 200 : http_status(head->error()), entry.status) << entry.name;
  }
}

TEST(RequestHead, NeedsMoreUntilTheEmptyLine) {
  const std::string text = post("Content-Length: 5\r\nA: b\r\n");
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_EQ(request_status(text.substr(0, size)), 0) << size;
}

}  // namespace
}  // namespace akr::net
