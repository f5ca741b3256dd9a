#include "base/json_scan.hpp"

#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace akr {
namespace {

struct Collected final : JsonScan::Visitor {
  void scalar(const JsonScan& at, std::string_view text) override {
    all.push_back(std::string(at.pointer()) + "=" + std::string(text));
    members.push_back(std::string(at.member()) + "<" + std::string(at.member(1)));
  }
  std::vector<std::string> all;
  std::vector<std::string> members;
};

std::vector<std::string> scan(std::string_view json, std::size_t piece = std::string_view::npos) {
  Collected found;
  JsonScan scan;
  while (!json.empty()) {
    const auto part = json.substr(0, piece);
    json.remove_prefix(part.size());
    if (!scan.feed(part, found)) break;
  }
  return found.all;
}

constexpr std::string_view kObject =
    R"( {"id":"file-1","n":12,"ok":true,"none":null,"data":[{"id":"a"},{"id":"b\/c\u0041\n"}, "x", -1.5e3 ],)"
    R"("deep":{"a~b/c":{"d":[["e"]]}},"" : "f", "empty":{}, "list":[]} trailing)";

TEST(JsonScan, TellsStringsAndNumbersWithTheirPlaces) {
  const std::vector<std::string> expected = {
      "/id=file-1", "/n=12",          "/data/0/id=a",          "/data/1/id=b/cA\n",
      "/data/2=x",  "/data/3=-1.5e3", "/deep/a~0b~1c/d/0/0=e", "/=f"};
  EXPECT_EQ(scan(kObject), expected);
}

TEST(JsonScan, PiecesOfAnySizeGiveTheSame) {
  const auto whole = scan(kObject);
  for (std::size_t piece = 1; piece < 40; ++piece) EXPECT_EQ(scan(kObject, piece), whole) << piece;
}

TEST(JsonScan, ABeginningGivesWhatIsComplete) {
  EXPECT_EQ(scan(R"({"id":"resp_1","output":[{"te)"), std::vector<std::string>{"/id=resp_1"});
  EXPECT_EQ(scan(R"({"id":"resp_)"), std::vector<std::string>{});
}

TEST(JsonScan, MembersLeaveIndicesOut) {
  Collected found;
  JsonScan scan;
  scan.feed(R"({"a":{"b":[{"c":"1"}],"ids":["2",["3"]]}})", found);
  EXPECT_EQ(found.members, (std::vector<std::string>{"c<b", "ids<a", "ids<a"}));
}

TEST(JsonScan, ElementsOfOneArrayShareAPlace) {
  struct Places final : JsonScan::Visitor {
    void scalar(const JsonScan& at, std::string_view) override {
      if (at.place() != last) ++count;
      last = at.place();
      numbers += at.at_number() ? 1 : 0;
    }
    std::uint64_t last = 0;
    int count = 0;
    int numbers = 0;
  } seen;
  JsonScan().feed(R"({"a":[1,2,"x",null,3],"b":"y","c":[4,[5,6],7],"d":8})", seen);
  EXPECT_EQ(seen.count, 6);
  EXPECT_EQ(seen.numbers, 8);
}

TEST(JsonScan, InsideLooksAtAllOuterMembers) {
  struct Inside final : JsonScan::Visitor {
    void scalar(const JsonScan& at, std::string_view) override { seen.push_back(at.inside("metadata")); }
    std::vector<bool> seen;
  } found;
  JsonScan scan;
  scan.feed(R"({"metadata":"1","a":{"metadata":{"x":{"file_id":"2"}},"metadata2":{"y":"3"}}})", found);
  EXPECT_EQ(found.seen, (std::vector<bool>{false, true, false}));
}

TEST(JsonScan, LongTextIsPassedOver) {
  const std::string big(5000, 'x');
  const std::string json = R"({"a":")" + big + R"(","b":"c",")" + std::string(300, 'n') + R"(":{"d":"e"},"f":"g"})";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{700}, json.size()})
    EXPECT_EQ(scan(json, piece), (std::vector<std::string>{"/b=c", "//d=e", "/f=g"}));
}

// Behind 64 levels nothing was looked at any more, so that an id could be hidden there.
TEST(JsonScan, PassesOverWhatIsTooDeep) {
  const std::string json =
      R"({"a":)" + std::string(70, '[') + R"("]\"}",{"n":1})" + std::string(70, ']') + R"(,"b":"c"})";
  for (const std::size_t piece : {1U, 2U, 7U, 1000U}) EXPECT_EQ(scan(json, piece), std::vector<std::string>{"/b=c"});
}

TEST(JsonScan, StopsWhereItIsTooDeep) {
  EXPECT_EQ(scan(R"({"a":"b","c":)" + std::string(1000, '[')), std::vector<std::string>{"/a=b"});
}

// Nothing but the sanitizers and the end of the loop is asked: any bytes in any pieces.
TEST(JsonScan, SurvivesAnyBytes) {
  std::mt19937 random(11);
  constexpr std::string_view kAlphabet = R"({}[]:,"\u019af-e.tn /~)";
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    const auto length = random() % 200;
    for (std::size_t i = 0; i < length; ++i)
      text += random() % 8 == 0 ? static_cast<char>(random()) : kAlphabet[random() % kAlphabet.size()];
    EXPECT_EQ(scan(text), scan(text, 1 + random() % 9)) << text;
  }
}

TEST(JsonScan, StartsAgain) {
  Collected found;
  JsonScan scan;
  EXPECT_FALSE(scan.feed(R"({"a":"1"})", found));
  EXPECT_FALSE(scan.feed(R"({"a":"2"})", found));
  scan.reset();
  scan.feed(R"({"a":"3"})", found);
  EXPECT_EQ(found.all, (std::vector<std::string>{"/a=1", "/a=3"}));
}

// An id in a text of over 2,048 characters was passed over as if it were not there: whoever looks for names must know
// that one was not told.
TEST(JsonScan, TextsThatAreTooLongAreToldByTheirBeginning) {
  struct Long final : JsonScan::Visitor {
    void scalar(const JsonScan&, std::string_view) override { ++told; }
    void long_text(const JsonScan& at, std::string_view beginning) override {
      all.push_back(std::string(at.pointer()) + "=" + std::string(beginning.substr(0, 3)) + "/" +
                    std::to_string(beginning.size()));
    }
    int told = 0;
    std::vector<std::string> all;
  };
  const std::string json = R"({"a":"abc)" + std::string(3000, 'x') + R"(","b":"ok","c":["d\n)" +
                           std::string(2100, 'y') + R"("],"e":"f\uZZZZg"})";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{1000}, json.size()}) {
    Long found;
    JsonScan scanner;
    for (std::size_t at = 0; at < json.size(); at += piece)
      scanner.feed(std::string_view(json).substr(at, piece), found);
    EXPECT_EQ(found.told, 1);
    EXPECT_EQ(found.all, (std::vector<std::string>{"/a=abc/2048", "/c/0=d\ny/2048", "/e=f/1"})) << piece;
  }
}

bool odd(std::string_view json, std::size_t piece = std::string_view::npos) {
  Collected found;
  JsonScan scan;
  for (std::size_t at = 0; at < json.size(); at += std::min(piece, json.size()))
    scan.feed(json.substr(at, piece), found);
  return scan.odd();
}

// What lenient readers understand went past whoever looks for names as if it were not there: other quotes or none,
// comments, another document behind the first (kind: what may be read in two ways is not read by us in one).
TEST(JsonScan, SaysWhatOthersMayReadInAnotherWay) {
  const std::vector<std::string> odd_ones = {R"({'a':'b'})",
                                             R"({a:"b"})",
                                             R"({"x":1/*"*/,"a":"b"})",
                                             "{\v\"a\":\"b\"}",
                                             R"({"x":1}{"a":"b"})",
                                             "{\"x\":1}\n{\"a\":\"b\"}",
                                             R"({"x":1;"a":"b"})",
                                             R"({"x"="y","a"="b"})",
                                             R"({"x":tru"e","a":"b"})",
                                             R"(["x"],{"a":"b"})",
                                             R"({"x":'"',"a":"b"})",
                                             R"({"a"` ":"b"})",
                                             R"({"a":"\x62"})",
                                             R"({"x":"y" "a":"b"})",
                                             R"({"x":]"y","a":"b"})",
                                             R"({,"a":"b"})",
                                             R"({"a" "b"})",
                                             R"(1 {"a":"b"})",
                                             R"("x" {"a":"b"})",
                                             R"({"a":"b"}#)",
                                             R"({"a":"\uZZZZ"})",
                                             R"({"x":)" + std::string(3000, '1') + R"(;"a":"b"})",
                                             std::string(70, '[') + R"('"')" + std::string(70, ']')};
  for (const std::string& json : odd_ones) {
    for (const std::size_t piece : {1U, 3U, 5000U}) EXPECT_TRUE(odd(json, piece)) << json << ' ' << piece;
  }
  const std::vector<std::string> strict_ones = {
      std::string(kObject.substr(0, kObject.rfind('}') + 1)),
      std::string(R"({"a":[1,-2.5E+3,true,null,{},[]],"b":"\u0041\n\/"} )"),
      std::string(R"([1,2,])"),
      std::string(R"({"a":NaN,"b":-Infinity,})"),
      std::string("null"),
      std::string(" "),
      std::string(R"({"a":"'/*)") + "\x01\"}\r\n",
      std::string(100, '[') + R"("x'y",{"a":1.5e-7})" + std::string(100, ']')};
  for (const std::string& json : strict_ones) {
    for (const std::size_t piece : {1U, 3U, 5000U}) EXPECT_FALSE(odd(json, piece)) << json << ' ' << piece;
  }
}

TEST(JsonScan, TellsObjectsApart) {
  struct Objects final : JsonScan::Visitor {
    void scalar(const JsonScan& at, std::string_view text) override { seen[std::string(text)] = at.object(); }
    std::map<std::string, std::uint64_t> seen;
  } found;
  JsonScan().feed(R"({"a":"1","b":{"c":"2"},"d":["3",{"e":"4"},"5"],"f":"6"})", found);
  for (const char* same : {"3", "5", "6"}) EXPECT_EQ(found.seen[same], found.seen["1"]) << same;
  EXPECT_NE(found.seen["1"], found.seen["2"]);
  EXPECT_NE(found.seen["2"], found.seen["4"]);
}

}  // namespace
}  // namespace akr
