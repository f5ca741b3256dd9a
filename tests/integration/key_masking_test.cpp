// The upstream key went to clients when an error body came late, was long, compressed or spelled it otherwise; in
// fields of any answer; and when it was short (D07).  Each way out has its test here; what the spellings are, core/mask
// knows.
#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "base/strings.hpp"
#include "tests/support/compress.hpp"
#include "tests/support/fake_upstream.hpp"
#include "tests/support/run_gateway.hpp"

namespace akr {
namespace {

using std::chrono::milliseconds;
using test::ChangingScript;
using test::FakeUpstream;
using test::HttpAnswer;
using test::HttpClient;
using test::TestGateway;
using test::UpstreamCall;

const std::string kKey = TestGateway::key("s", 1);  // upstream-key-s-001
const std::string kStars(kKey.size(), '*');
const std::string kOneTry = R"(,"max_attempts":1)";

std::string length_field(std::size_t size) { return "Content-Length: " + std::to_string(size) + "\r\n"; }

// base64("user:upstream-key-s-001"), and all of it but the bits of "user:".
const std::string kBasic = "dXNlcjp1cHN0cmVhbS1rZXktcy0wMDE=";

class KeyMasking : public ::testing::Test {
 protected:
  explicit KeyMasking(const Environment& environment = {})
      : upstream_([this](UpstreamCall& call) { script_(call); }), gateway_(environment) {
    gateway_.add_service({.target_url = upstream_.url(), .more = kOneTry});
  }
  HttpAnswer answer_to(FakeUpstream::Script script, std::string_view fields = {}) {
    script_ = std::move(script);
    return gateway_.get("/proxy/s/a", fields);
  }
  std::string last_error(int service = 1) {
    return gateway_.admin("GET", "/admin/proxy-configs/" + std::to_string(service) + "/keys").body;
  }
  void expect_no_key(const HttpAnswer& answer) {
    EXPECT_TRUE(answer.complete);
    for (const std::string& text : {answer.head, answer.body}) {
      for (const std::string& spelling : {kKey, kBasic.substr(8, 20), std::string("upstream%2D"), std::string("u002d")})
        EXPECT_EQ(text.find(spelling), std::string::npos) << text.substr(0, 2000);
    }
  }

  ChangingScript script_;
  FakeUpstream upstream_;
  TestGateway gateway_;
};

TEST_F(KeyMasking, AnErrorThatComesLaterThanItsHead) {
  const std::string body = "your key is " + kKey + "!";
  const HttpAnswer answer = answer_to([&](UpstreamCall& call) {
    call.send("HTTP/1.1 400 No\r\n" + length_field(body.size()) + "\r\n");
    call.wait(milliseconds(1100));  // the beginning is waited for no longer than a second
    call.send(body.substr(0, 20));
    call.wait(milliseconds(20));
    call.send(body.substr(20));
  });
  EXPECT_EQ(answer.body, "your key is " + kStars + "!");
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(last_error().find("upstream-key-s-001"), std::string::npos);
}

TEST_F(KeyMasking, ALongErrorIsMaskedAtItsEndToo) {
  for (const std::size_t size : {std::size_t{70'000}, std::size_t{3} << 20}) {  // the latter would be spliced
    const std::string before(size, 'x');
    const HttpAnswer answer = answer_to([&](UpstreamCall& call) { call.answer(400, before + kKey + " and " + kKey); });
    EXPECT_TRUE(answer.body == before + kStars + " and " + kStars) << size;
    expect_no_key(answer);
  }
}

TEST_F(KeyMasking, ChunksOfOneByte) {
  const std::string body = "a " + kKey + " b";
  const HttpAnswer answer = answer_to([&](UpstreamCall& call) {
    call.send("HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (const char c : body) call.send_chunk({&c, 1});
    call.send_chunk("");
  });
  EXPECT_EQ(answer.body, "a " + kStars + " b");
  EXPECT_TRUE(answer.complete);
  const HttpAnswer until_close = answer_to([&](UpstreamCall& call) {
    call.send("HTTP/1.1 500 No\r\n\r\na " + kKey.substr(0, 9));
    call.wait(milliseconds(10));
    call.send(kKey.substr(9) + " upstream-key");
    call.close();
  });
  EXPECT_EQ(until_close.body, "a " + kStars + " upstream-key");
}

TEST_F(KeyMasking, EverySpelling) {
  std::string escaped;
  for (const char c : kKey) escaped += "\\u00" + to_hex({&c, 1});
  const std::string spellings[] = {
      "Bearer " + kKey, percent_encode(kKey), "upstream%2Dkey%2ds%2D001", "upstream\\u002dkey\\u002Ds-001",
      escaped,          "Basic " + kBasic};
  for (const std::string& spelling : spellings) {
    const std::string body = R"({"error":{"message":")" + spelling + R"(","n":1}})";
    const HttpAnswer answer = answer_to([&](UpstreamCall& call) { call.answer(429, body); });
    expect_no_key(answer);
    EXPECT_EQ(answer.body.size(), body.size());
    EXPECT_TRUE(boost::json::parse(answer.body).as_object().contains("error")) << answer.body;
    gateway_.admin("POST", "/admin/proxy-configs/1/keys/reset", "{}");
  }
}

TEST_F(KeyMasking, FieldsOfAnyAnswer) {
  const std::string fields = "Location: https://up.example/next?key=" + kKey + "&a=1\r\nLink: <https://x/" +
                             percent_encode(kKey) + ">; rel=next\r\nX-Debug: Basic " + kBasic + "\r\nX-" + kKey +
                             ": 1\r\nX-Escaped: {\"url\":\"https:\\/\\/x\\/upstream\\u002dkey-s-001\"}\r\n";
  for (const int status : {200, 201, 302, 404}) {
    const HttpAnswer answer = answer_to([&](UpstreamCall& call) {
      call.send("HTTP/1.1 " + std::to_string(status) + " for " + kKey + "\r\n" + fields +
                "Content-Length: 2\r\n\r\nok");
    });
    EXPECT_EQ(answer.status, status);
    expect_no_key(answer);
    EXPECT_EQ(answer.field("location"), "https://up.example/next?key=" + kStars + "&a=1");
    EXPECT_EQ(answer.head.substr(13, 4 + kKey.size()), "for " + kStars);
    EXPECT_EQ(answer.count("x-" + kStars), 1U) << answer.head;
    EXPECT_EQ(answer.body, "ok");
  }
}

TEST_F(KeyMasking, GoodBodiesPassUntouched) {
  const std::string body = "your own key is " + kKey;
  const HttpAnswer answer = answer_to([&](UpstreamCall& call) { call.answer(200, body); });
  EXPECT_EQ(answer.body, body);
}

TEST_F(KeyMasking, ShortKeysAsWholeWords) {
  for (const std::string& key : {std::string("s3cr3t"), std::string("k9")}) {
    const std::string slug = "short-" + key;
    const auto id = gateway_.add_service({.slug = slug, .target_url = upstream_.url(), .keys = 0, .more = kOneTry});
    const auto added = gateway_.admin("POST", "/admin/proxy-configs/" + std::to_string(id) + "/keys",
                                      R"({"key_value":")" + key + "\"}");
    ASSERT_EQ(added.status, 201) << added.body;
    script_ = [&](UpstreamCall& call) {
      call.answer(400, "bad key '" + key + "', not " + key + "s", "X-Key: Bearer " + key + "\r\n");
    };
    const HttpAnswer answer = gateway_.get("/proxy/" + slug + "/a");
    const std::string stars(key.size(), '*');
    EXPECT_EQ(answer.body, "bad key '" + stars + "', not " + key + "s");
    EXPECT_EQ(answer.field("x-key"), "Bearer " + stars);
  }
}

TEST_F(KeyMasking, WhatIsTold) {
  const auto id = gateway_.add_service({.slug = "l", .target_url = upstream_.url(), .keys = 2, .llm = true});
  std::string log;
  HttpAnswer answer;
  {
    const test::CapturedOutput output;
    script_ = [](UpstreamCall& call) {
      const std::string key = call.request().field("authorization").substr(7);
      call.answer(401, R"({"error":{"message":")" + std::string(270, 'x') + " Incorrect API key: " + key + R"("}})");
    };
    answer = gateway_.post("/llm/l/v1/chat/completions", "{}");
    log = output.text();
  }
  EXPECT_EQ(answer.status, 502) << answer.body;
  const std::string keys = last_error(static_cast<int>(id));
  EXPECT_NE(keys.find("Incorrect API key"), std::string::npos) << keys;
  // The message is cut at 300 bytes, in the midst of the key.
  for (const std::string& text : {answer.head, answer.body, keys, log})
    EXPECT_EQ(text.find("upstream-k"), std::string::npos) << text;
}

TEST_F(KeyMasking, SwitchingProtocols) {
  script_ = [](UpstreamCall& call) {
    call.send("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Echo: " + kKey + "\r\n\r\n");
    call.close();
  };
  HttpClient client = gateway_.client();
  client.send(TestGateway::request("GET", "/proxy/s/a",
                                   "X-Proxy-Key: " + std::string(TestGateway::kAccessKey) +
                                       "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                       "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"));
  const HttpAnswer answer = client.receive_head();
  EXPECT_EQ(answer.status, 101) << answer.head;
  EXPECT_EQ(answer.field("x-echo"), kStars);
}

// ---- compressed errors

struct Packing {
  const char* coding;
  std::string (*pack)(std::string_view);
};
const Packing kPackings[] = {
    {"gzip", test::gzip}, {"deflate", test::zlib_deflate}, {"br", test::brotli}, {"zstd", test::zstd}};

std::string coding_field(std::string_view coding) {
  return "Content-Encoding: " + std::string(coding) + "\r\nETag: \"v1\"\r\nContent-Type: text/plain\r\n";
}

TEST_F(KeyMasking, ACompressedErrorWithTheKeyGoesDownPlain) {
  for (const Packing& packing : kPackings) {
    for (const int status : {302, 400, 500}) {
      const std::string text = std::string(100'000, 'y') + " key=" + kKey + "\n";
      const std::string packed = packing.pack(text);
      const HttpAnswer answer =
          answer_to([&](UpstreamCall& call) { call.answer(status, packed, coding_field(packing.coding)); },
                    "Accept-Encoding: *\r\n");
      EXPECT_EQ(answer.status, status);
      EXPECT_EQ(answer.count("content-encoding"), 0U) << answer.head;
      EXPECT_EQ(answer.count("etag"), 0U);
      EXPECT_EQ(answer.field("content-type"), "text/plain");
      EXPECT_EQ(answer.field("content-length"), std::to_string(text.size()));
      EXPECT_TRUE(answer.body == std::string(100'000, 'y') + " key=" + kStars + "\n") << packing.coding;
    }
  }
}

TEST_F(KeyMasking, ACompressedErrorWithoutTheKeyKeepsItsBytes) {
  for (const Packing& packing : kPackings) {
    const std::string packed = packing.pack("nothing to see, really nothing to see");
    const HttpAnswer answer = answer_to([&](UpstreamCall& call) {
      call.send("HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n" + coding_field(packing.coding) + "\r\n");
      for (const char c : packed) call.send_chunk({&c, 1});
      call.send_chunk("");
    });
    EXPECT_EQ(answer.body, packed);
    EXPECT_EQ(answer.field("content-encoding"), packing.coding);
    EXPECT_EQ(answer.field("etag"), "\"v1\"");
  }
}

TEST_F(KeyMasking, TheKeyInAGzipCommentIsSeenToo) {
  std::string packed = test::gzip("harmless");
  packed[3] = 0x10;  // a comment follows the head
  packed.insert(10, kKey + std::string(1, '\0'));
  const HttpAnswer answer = answer_to([&](UpstreamCall& call) { call.answer(400, packed, coding_field("gzip")); });
  EXPECT_EQ(answer.body, "harmless");
  expect_no_key(answer);
}

TEST_F(KeyMasking, ACompressedErrorThatCannotBeLookedIntoIsLeftOut) {
  const std::string whole = test::gzip("your key is " + kKey);
  std::string damaged = whole;
  damaged[damaged.size() - 6] ^= 1;
  struct Case {
    const char* why;
    std::string body;
    const char* coding;
  };
  const Case cases[] = {{"damaged", damaged, "gzip"},
                        {"damaged", whole + kKey, "gzip"},
                        {"was cut", whole.substr(0, whole.size() - 1), "gzip"},
                        {"not known", kKey, "compress"}};
  for (const Case& c : cases) {
    const HttpAnswer answer =
        answer_to([&](UpstreamCall& call) { call.answer(400, c.body, coding_field(c.coding) + "Retry-After: 7\r\n"); });
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.field("retry-after"), "7");
    EXPECT_EQ(answer.count("content-encoding"), 0U);
    EXPECT_EQ(answer.field("content-type"), "application/json; charset=utf-8");
    EXPECT_EQ(answer.count("content-type"), 1U);
    const auto own = boost::json::parse(answer.body).as_object();
    EXPECT_NE(std::string(own.at("detail").as_string()).find(c.why), std::string::npos) << answer.body;
    expect_no_key(answer);
  }
  // The upstream cut it: the connection ends before the announced length.
  const HttpAnswer cut = answer_to([&](UpstreamCall& call) {
    call.send("HTTP/1.1 400 No\r\nContent-Encoding: gzip\r\n" + length_field(whole.size()) + "\r\n" +
              whole.substr(0, 30));
    call.close();
  });
  EXPECT_NE(cut.body.find("was cut"), std::string::npos) << cut.body;
}

class SmallLimit : public KeyMasking {
 protected:
  SmallLimit() : KeyMasking({{"COMPRESSED_ERROR_LIMIT", "4K"}}) {}
};

TEST_F(SmallLimit, NamesTheSettingAndKeepsServing) {
  const std::string bomb = test::gzip(std::string(1 << 20, 'z') + kKey);
  ASSERT_LT(bomb.size(), 4096U);
  std::string long_noise;
  for (int i = 0; i < 20'000; ++i) long_noise += static_cast<char>(i * i >> 3 ^ i);
  for (const std::string& body : {bomb, long_noise}) {
    const HttpAnswer answer =
        answer_to([&](UpstreamCall& call) { call.answer(400, body, "Content-Encoding: gzip\r\n"); });
    EXPECT_EQ(answer.status, 400);
    EXPECT_NE(answer.body.find("COMPRESSED_ERROR_LIMIT (4096 bytes)"), std::string::npos) << answer.body;
    expect_no_key(answer);
  }
  EXPECT_EQ(answer_to([](UpstreamCall& call) { call.answer(200, "ok"); }).body, "ok");
}

TEST_F(KeyMasking, AnswersWithoutABodyKeepTheirFields) {
  script_ = [](UpstreamCall& call) {
    call.send("HTTP/1.1 404 No\r\nContent-Encoding: gzip\r\nContent-Length: 900\r\n\r\n");
  };
  HttpClient client = gateway_.client();
  const HttpAnswer head = client.ask(
      TestGateway::request("HEAD", "/proxy/s/a", "X-Proxy-Key: " + std::string(TestGateway::kAccessKey) + "\r\n"),
      true);
  EXPECT_EQ(head.field("content-encoding"), "gzip");
  EXPECT_EQ(head.field("content-length"), "900");
  const HttpAnswer same = answer_to(
      [](UpstreamCall& call) { call.send("HTTP/1.1 304 Same\r\nContent-Encoding: gzip\r\nETag: \"v1\"\r\n\r\n"); });
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.field("etag"), "\"v1\"");
}

}  // namespace
}  // namespace akr
