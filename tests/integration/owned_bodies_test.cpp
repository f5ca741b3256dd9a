// D23: nothing that a body names belongs to somebody else, however the body is written.
#include <string>

#include <gtest/gtest.h>

#include "tests/support/compress.hpp"
#include "tests/support/owned_things.hpp"

namespace akr::test {
namespace {

std::string padded(const std::string& padding, const std::string& members) { return "{" + padding + members + "}"; }

// Only 1 MiB of a body, 20,000 places and 1,000 ids were looked at, then the request passed.  The kind: a check that
// ends before what it checks does.
TEST_F(OwnedThings, NothingHidesThemBehindMuchElse) {
  answered(kAlice, "POST", "/v1/files", R"({"id":"file-1"})", "form");
  const std::string name = R"("input_file_id":"file-1","endpoint":"/v1/responses")";
  std::string places = R"("x":[)";
  for (int i = 0; i < 30'000; ++i) places += R"({"a":""},)";
  places += "{}],";
  std::string ids = R"("file_ids":[)";
  for (int i = 0; i < 5'000; ++i) ids += "\"file-x" + std::to_string(i) + "\",";
  ids += "\"\"],";
  const std::string bytes = R"("x":")" + std::string(3U << 20, 'a') + R"(",)";
  for (const std::string& padding : {places, ids, bytes, std::string(2U << 20, ' ')}) {
    expect_unknown(kBob, "POST", "/v1/batches", padded(padding, name));
    expect_unknown(kBob, "POST", "/v1/batches", std::string(100'000, '\n') + padded(padding, name));
    expect_served(kAlice, "POST", "/v1/batches", padded(padding, name));
  }
}

TEST_F(OwnedThings, WhatIsTooMuchToBeReadIsRefused) {
  answered(kAlice, "POST", "/v1/files", R"({"id":"file-1"})", "form");
  std::string ids = R"({"file_ids":[)";
  for (int i = 0; i < 120'000; ++i) ids += "\"file-x" + std::to_string(i) + "\",";
  for (const std::string& body :
       {ids + R"("file-1"]})", R"({"input_file_id":")" + std::string(3000, ' ') + R"(file-1"})"}) {
    const int before = upstream_.requests();
    const HttpAnswer answer = ask_as(kBob, "POST", "/v1/batches", body);
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(code_of(answer), "bad_request");
    EXPECT_EQ(upstream_.requests(), before);
  }
  std::string repeated = R"({"file_ids":[)";
  for (int i = 0; i < 200'000; ++i) repeated += R"("file-x",)";
  expect_served(kBob, "POST", "/v1/batches", repeated + R"("file-y"]})");
}

// A coding that nobody knows, four of them, or one under which more than 1 MiB lay, hid the whole body.
TEST_F(OwnedThings, NoCodingHidesThem) {
  answered(kAlice, "POST", "/v1/files", R"({"id":"file-1"})", "form");
  const std::string name = R"({"x":")" + std::string(3U << 20, 'a') + R"(","input_file_id":"file-1"})";
  const auto ask = [&](std::string_view who, const std::string& coding, const std::string& body) {
    return proxy_.ask("POST", "/v1/batches", body, std::string(kJson) + "Content-Encoding: " + coding + "\r\n", who)
        .status;
  };
  const std::string once = gzip(name), twice = gzip(once);
  EXPECT_EQ(ask(kBob, "gzip", once), 404);
  EXPECT_EQ(ask(kAlice, "gzip", once), 200);
  EXPECT_EQ(ask(kBob, "gzip, gzip", twice), 404);
  EXPECT_EQ(ask(kBob, "gzip", name), 404) << "some name a coding and use none";
  EXPECT_EQ(ask(kBob, "gzip", gzip(name.substr(0, 1000)) + gzip(name.substr(1000))), 404) << "several members";
  const int before = upstream_.requests();
  for (const auto& [coding, body] : {std::pair<std::string, std::string>("gzip, gzip, gzip, gzip", gzip(gzip(twice))),
                                     {"rot13", once},
                                     {"gzip", once.substr(0, once.size() / 2)},
                                     {"gzip", "x" + once},
                                     {"br", once}})
    EXPECT_EQ(ask(kBob, coding, body), 400) << coding;
  EXPECT_EQ(ask(kBob, "gzip", once + "x"), 404);
  EXPECT_EQ(upstream_.requests(), before);
}

std::string wide(std::string_view text, std::size_t width, bool little) {
  std::string out;
  for (const char c : text) {
    std::string unit(width, '\0');
    unit[little ? 0 : width - 1] = c;
    out += unit;
  }
  return out;
}

// Servers that read UTF-16 and UTF-32, and those that do not care for the case of a name, read what we passed over
// (kind: what the upstream understands, we understand, or it does not go there).
TEST_F(OwnedThings, NoEncodingOfTheTextHidesThem) {
  answered(kAlice, "POST", "/v1/files", R"({"id":"file-1"})", "form");
  const std::string name = R"( {"input_file_id":"file-1"})";
  const int before = upstream_.requests();
  for (const std::size_t width : {2U, 4U}) {
    for (const bool little : {true, false}) {
      std::string marked = wide(name, width, little);
      EXPECT_EQ(ask_as(kBob, "POST", "/v1/batches", marked).status, 400) << width << little;
      marked.insert(0, width == 2 ? (little ? "\xff\xfe" : "\xfe\xff")
                                  : std::string(little ? "\xff\xfe\0\0" : "\0\0\xfe\xff", 4));
      EXPECT_EQ(ask_as(kBob, "POST", "/v1/batches", marked).status, 400) << width << little;
    }
  }
  EXPECT_EQ(upstream_.requests(), before);
  expect_unknown(kBob, "POST", "/v1/batches", R"({"Input_File_ID":"file-1"})");
}

// What a body begins with was judged by its first piece, however short or blank that was (the same kind).
TEST_F(OwnedThings, NoOddBeginningHidesThem) {
  answered(kAlice, "POST", "/v1/files", R"({"id":"file-1"})", "form");
  const std::string name = R"({"input_file_id":"file-1"})";
  EXPECT_EQ(ask_as(kBob, "POST", "/v1/batches", wide(std::string(40'000, ' ') + name, 2, true)).status, 400);
  const auto packed = [&](const std::string& body) {
    const std::string coded = std::string(kJson) + "Content-Encoding: gzip\r\n";
    return proxy_.ask("POST", "/v1/batches", body, coded, kBob).status;
  };
  const std::string much = std::string(2U << 20, ' ') + "}";
  const std::string open_wide = wide(R"({"input_file_id":"file-1")", 2, true);
  EXPECT_EQ(packed(gzip(open_wide.substr(0, 1)) + gzip(open_wide.substr(1) + wide(much, 2, true))), 400);
  EXPECT_EQ(packed(gzip("\xef") + gzip("\xbb\xbf" + name.substr(0, name.size() - 1) + much)), 404);
  expect_unknown(kBob, "POST", "/v1/responses", R"({"input":[{"ID":"file-1","Type":"item_reference"}]})");
}

// Of a body that is JSON as it stands and something else when it is unpacked, the one was looked at and the other sent
// on, whichever the upstream reads (the same kind).
TEST_F(OwnedThings, NoSecondReadingHidesThem) {
  answered(kAlice, "POST", "/v1/files", R"({"id":"file-1"})", "form");
  const std::string coded = std::string(kJson) + "Content-Encoding: deflate\r\n";
  // A stored block of bare deflate (RFC 1951 section 3.2.4): 0x20, then its length, '{' and '"', and that inverted.
  constexpr std::size_t kLength = '{' | '"' << 8;
  const std::string end("\x01\x00\x00\xff\xff", 5);
  const auto stored = [&](std::string text) {
    text.resize(kLength, ' ');
    return std::string(" {\"\x84\xdd") + text + end;
  };
  EXPECT_EQ(proxy_.ask("POST", "/v1/batches", stored(R"({"input_file_id":"file-1"})"), coded, kBob).status, 400);
  EXPECT_EQ(proxy_.ask("POST", "/v1/batches", stored(R"(":1,"input_file_id":"file-1"})"), coded, kBob).status, 404);
  EXPECT_EQ(proxy_.ask("POST", "/v1/batches", R"( {"input_file_id":"file-1"})", coded, kBob).status, 404);
  EXPECT_EQ(proxy_.ask("POST", "/v1/batches", R"( {"input_file_id":"file-1"})", coded, kAlice).status, 200);
}

// Of two Content-Encoding lines only the first, an empty one, was looked at, and what the body named was not seen.  The
// kind: of a field that may come in several lines one was asked.
TEST_F(OwnedThings, AnEmptyCodingHidesNothing) {
  answered(kAlice, "POST", "/v1/files", R"({"id":"file-1"})", "form");
  const std::string packed = gzip(R"({"input_file_id":"file-1","endpoint":"/v1/responses"})");
  const int before = upstream_.requests();
  for (const char* empty : {"Content-Encoding:\r\n", "Content-Encoding: ,\r\n", "Content-Encoding: identity\r\n"}) {
    const HttpAnswer answer =
        proxy_.ask("POST", "/v1/batches", packed, std::string(kJson) + empty + "Content-Encoding: gzip\r\n", kBob);
    EXPECT_EQ(answer.status, 404) << empty;
  }
  EXPECT_EQ(upstream_.requests(), before);
}

// A gzip file of two members, the first of which ends where our copy of the body does: the second was not looked at
// (kind: the beginning is not the whole).
TEST_F(OwnedThings, NoSecondPartHidesThem) {
  answered(kAlice, "POST", "/v1/files", R"({"id":"file-1"})", "form");
  constexpr std::size_t kKept = 1U << 20;
  std::string first = gzip("{");
  const std::string blank = gzip("");
  while (kKept - first.size() >= 2 * blank.size()) first += blank;
  // A name in the member's head makes up for the rest (RFC 1952 section 2.3).
  std::string last = blank;
  last[3] = 8;
  last.insert(10, std::string(kKept - first.size() - blank.size() - 1, 'n') + '\0');
  first += last;
  ASSERT_EQ(first.size(), kKept);
  const std::string coded = std::string(kJson) + "Content-Encoding: gzip\r\n";
  const std::string body = first + gzip(R"("input_file_id":"file-1"})");
  EXPECT_EQ(proxy_.ask("POST", "/v1/batches", body, coded, kBob).status, 404);
  EXPECT_EQ(proxy_.ask("POST", "/v1/batches", body, coded, kAlice).status, 200);
}

constexpr std::string_view kFormType = "Content-Type: multipart/form-data; boundary=x\r\n";

std::string form_of(std::string_view name, std::string_view value, std::string_view more = {}) {
  return "--x\r\nContent-Disposition: form-data; name=\"" + std::string(name) + "\"" + std::string(more) + "\r\n\r\n" +
         std::string(value) + "\r\n--x--\r\n";
}

// Forms and whatever was not called JSON were not read, yet what their answers named became the asker's: Bob attached
// Alice's file to a container of his own, and owned it (kind: what was not looked at gives nothing).
TEST_F(OwnedThings, NoFormHidesThem) {
  answered(kAlice, "POST", "/v1/files", R"({"id":"file-1"})", "form");
  answered(kAlice, "POST", "/v1/videos", R"({"id":"video_1"})", "{}");
  const int maker = key_of(upstream_.last());
  const int before = upstream_.requests();
  script_ = answering(R"({"id":"file-1"})");
  const auto ask = [&](std::string_view who, std::string_view path, const std::string& body,
                       std::string_view type = kFormType) { return proxy_.ask("POST", path, body, type, who).status; };
  EXPECT_EQ(ask(kBob, "/v1/containers/c/files", form_of("file_id", "file-1")), 404);
  EXPECT_EQ(ask(kBob, "/v1/containers/c/files", form_of("whatever", "file-1", "; filename=\"f\"")), 404);
  EXPECT_EQ(ask(kBob, "/v1/videos/edits", form_of("video[id]", "video_1")), 404);
  EXPECT_EQ(ask(kBob, "/v1/realtime/calls", form_of("session", R"({"tools":[{"file_ids":["file-1"]}]})")), 404);
  const std::string behind = form_of("file", std::string(3U << 20, 'f'), "; filename=\"f\"");
  EXPECT_EQ(ask(kBob, "/v1/videos/edits", behind.substr(0, behind.size() - 7) + form_of("video[id]", "video_1")), 404);
  EXPECT_EQ(ask(kBob, "/v1/vector_stores/v/files", "a=b&file_id=file%2D1",
                "Content-Type: application/x-www-form-urlencoded\r\n"),
            404);
  EXPECT_EQ(ask(kBob, "/v1/videos/edits", "preamble\r\n" + form_of("video[id]", "video_b")), 400);
  EXPECT_EQ(upstream_.requests(), before);
  script_ = answering(R"({"id":"file-b"})");
  EXPECT_EQ(ask(kBob, "/v1/containers/c/files", form_of("file", "my own", "; filename=\"f\"")), 200);
  expect_unknown(kBob, "GET", "/v1/files/file-1");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(ask(kAlice, "/v1/videos/edits", form_of("prompt", "[a video]") + form_of("video[id]", "video_1")), 200);
    EXPECT_EQ(key_of(upstream_.last()), maker);
  }
}

// The answer's word for it gave another's thing away (the same kind).
TEST_F(OwnedThings, WhatIsSomebodysDoesNotChangeHands) {
  ProxySpec spec = spec_for(upstream_, kOpenAi);
  spec.keys = 1;
  ProxyUnderTest proxy(spec);
  script_ = answering(R"({"id":"file-1"})");
  EXPECT_EQ(proxy.ask("POST", "/v1/files", "form", kFormType, kAlice).status, 200);
  EXPECT_EQ(proxy.ask("POST", "/v1/files", "form", kFormType, kBob).status, 200);
  EXPECT_EQ(proxy.ask("GET", "/v1/files/file-1", {}, {}, kBob).status, 404);
  script_ = answering(R"({"id":"file-b"})");
  EXPECT_EQ(proxy.ask("POST", "/v1/files", std::string(100'000, 'f'), kFormType, kBob).status, 200);
  EXPECT_EQ(proxy.ask("GET", "/v1/files/file-b", {}, {}, kAlice).status, 404) << "an upload makes a file all the same";
  EXPECT_EQ(proxy.ask("GET", "/v1/files/file-b", {}, {}, kBob).status, 200);
}

// JSON under another type was read if all of it came with its head, and not if it came behind it (kind: what is looked
// at must not depend on how it arrives).
TEST_F(OwnedThings, NoTypeHidesThem) {
  answered(kAlice, "POST", "/v1/files", R"({"id":"file-1"})", "form");
  const std::string name = R"({"x":")" + std::string(300'000, 'x') + R"(","file_id":"file-1"})";
  const int before = upstream_.requests();
  for (const char* type : {"application/octet-stream", "image/png", "application/x-json", "*/*", "text/html", "",
                           "application/json, a/b", "multipart/form-data", "application/x-protobuf"}) {
    const int status =
        proxy_.ask("POST", "/v1/vector_stores/v/files", name, "Content-Type: " + std::string(type) + "\r\n", kBob)
            .status;
    EXPECT_TRUE(status == 404 || (status == 400 && type == std::string_view("multipart/form-data"))) << type << status;
  }
  const std::string two = "Content-Type: image/png\r\nContent-Type: application/json\r\n";
  EXPECT_EQ(proxy_.ask("POST", "/v1/vector_stores/v/files", name, two, kBob).status, 400);
  EXPECT_EQ(proxy_.ask("POST", "/v1/batches", "\x0a\x05", "Content-Type: application/x-protobuf\r\n", kBob).status,
            400);
  EXPECT_EQ(upstream_.requests(), before);
  EXPECT_EQ(proxy_.ask("POST", "/v1/ocr", "%PDF {", "Content-Type: application/pdf\r\n", kBob).status, 200);
  EXPECT_EQ(proxy_.ask("POST", "/v1/realtime/calls", "v=0\r\n", "Content-Type: application/sdp\r\n", kBob).status, 200);
}

// Lenient readers took names out of what was no JSON to us (kind: what the upstream understands, we understand, or it
// does not go there).
TEST_F(OwnedThings, NoLenientReaderFindsThem) {
  answered(kAlice, "POST", "/v1/files", R"({"id":"file-1"})", "form");
  const std::string name = R"({"file_id":"file-1"})";
  const int before = upstream_.requests();
  for (const std::string& body :
       {std::string("{'file_id':'file-1'}"), std::string(R"({file_id:"file-1"})"), "\f" + name, "\v" + name,
        "/**/" + name, ")]}'\n" + name, "1 " + name, R"({"x":1})" + name,
        R"({"x":1})"
        "\n" +
            name,
        "#\n" + name, "\x1e" + name}) {
    EXPECT_EQ(ask_as(kBob, "POST", "/v1/responses", body).status, 400) << body;
  }
  EXPECT_EQ(upstream_.requests(), before);
  expect_served(kBob, "POST", "/v1/responses",
                R"({"input":"{'file_id':'file-1'} /* \"x\" */"})"
                "\r\n");
  expect_served(kBob, "POST", "/v1/files", "{'file_id':'file-1'}");  // a file, whatever is in it
}

// Items were looked up only if their type said that they are references (kind: what the upstream looks up, we do).
TEST_F(OwnedThings, ItemsArePassedBackToTheirOwnKey) {
  answered(kAlice, "POST", "/v1/responses",
           R"({"id":"resp_1","output":[{"id":"msg_1","type":"message"},{"id":"rs_1","type":"reasoning"}]})", "{}");
  const int maker = key_of(upstream_.last());
  const auto input = [](const std::string& item) { return R"({"model":"m","input":[{"role":"user"},)" + item + "]}"; };
  for (const char* item :
       {R"({"type":"item_reference","id":"msg_1"})", R"({"id":"msg_1"})", R"({"id":"msg_1","type":null})",
        R"({"type":"item_reference","x":{"type":"y","id":"z"},"id":"msg_1"})",
        R"({"type":"reasoning","id":"rs_1","summary":[]})"}) {
    expect_unknown(kBob, "POST", "/v1/responses", input(item));
    for (int i = 0; i < 5; ++i) {
      expect_served(kAlice, "POST", "/v1/responses", input(item));
      EXPECT_EQ(key_of(upstream_.last()), maker) << item;
    }
  }
  const std::string whole = R"({"type":"message","id":"msg_1","role":"assistant","content":[]})";
  expect_unknown(kBob, "POST", "/v1/responses", input(whole));
  std::set<int> keys;
  for (int i = 0; i < 10; ++i) {
    expect_served(kAlice, "POST", "/v1/responses", input(whole));
    keys.insert(key_of(upstream_.last()));
  }
  EXPECT_GT(keys.size(), 1U) << "any key can take what is said whole";
}

TEST_F(OwnedThings, ItemsOfSeveralKeysGoToAny) {
  std::set<int> keys;
  std::string items;
  for (int i = 0; i < 5; ++i) {
    const std::string id = "rs_" + std::to_string(i);
    answered(kAlice, "POST", "/v1/responses", R"({"id":"resp_)" + id + R"(","output":[{"id":")" + id + R"("}]})", "{}");
    keys.insert(key_of(upstream_.last()));
    items += R"({"type":"reasoning","id":")" + id + R"("},)";
  }
  ASSERT_GT(keys.size(), 1U);
  expect_served(kAlice, "POST", "/v1/responses", R"({"input":[)" + items + "{}]}");
}

// Ids in lists, between blanks, or decoded once more were no ids to us; neither were names that only some fold.
TEST_F(OwnedThings, NoFrameHidesThem) {
  answered(kAlice, "POST", "/v1/files", R"({"id":"file-1"})", "form");
  for (const char* query : {"ids=x,file-1", "ids=[file-1]", "ids=%5B%22x%22,%22file-1%22%5D", "a=+file-1",
                            "a=file-1%20", "a=%25252566ile-1", "a=x%2Cfile-1", "a=x;b=file-1"})
    expect_unknown(kBob, "GET", "/v1/things?" + std::string(query));
  for (const char* path : {"file-1%20", "%20file-1", "%25252566ile-1", "file-1%09"})
    expect_unknown(kBob, "GET", "/v1/files/" + std::string(path));
  expect_unknown(kBob, "POST", "/v1/vector_stores", "{\"file_id\xC5\xBF\":[\"file-1\"]}");
  std::string many = "/v1/things?x=";
  for (int i = 0; i < 10'000; ++i) many += "a,";
  EXPECT_EQ(ask_as(kBob, "GET", many).status, 400);
}

// Where nothing is anybody's there is nothing to be hidden: what the upstream can read and we cannot is its business.
// What such a request makes is reached with its key, and is nobody's: it may have named it.
TEST_F(OwnedThings, AStrangeCodingIsServedWhereThereIsNothingToHide) {
  script_ = answering(R"({"id":"file-1"})");
  const std::string coded = std::string(kJson) + "Content-Encoding: rot13\r\n";
  EXPECT_EQ(proxy_.ask("POST", "/v1/batches", "what?", coded, kAlice).status, 200);
  expect_served(kBob, "GET", "/v1/files/file-1");
  expect_served(kAlice, "GET", "/v1/files/file-1");
}

// A plain REST service was refused them, too (kind: a rule that reaches further than its reason).
TEST(TwoTypes, AreTheUpstreamsBusinessWhereNothingIsLookedFor) {
  FakeUpstream upstream([](UpstreamCall& call) { call.answer(200, "{}", kJsonType); });
  ProxyUnderTest proxy({.target_url = upstream.url(), .keys = 1});
  EXPECT_EQ(proxy.ask("POST", "/x", "{}", "Content-Type: image/png\r\nContent-Type: application/json\r\n").status, 200);
}

}  // namespace
}  // namespace akr::test
