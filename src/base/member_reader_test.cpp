// Four readers took members out of JSON objects, each with errors and a treatment of null of its own; this is the one.
#include "base/member_reader.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace akr {
namespace {

boost::json::object object(std::string_view text) { return boost::json::parse(text).as_object(); }

TEST(MemberReader, AbsentMembersChangeNothing) {
  const auto empty = object("{}");
  MemberReader in(empty);
  std::string text = "before";
  std::vector<std::string> texts = {"before"};
  bool flag = true;
  std::int32_t number = 7;
  in.text("text", text);
  in.text("text", text, "null");
  in.texts("texts", texts);
  in.flag("flag", flag, false);
  in.whole("number", number, 0, 9, 1);
  EXPECT_EQ(in.any("any"), nullptr);
  EXPECT_TRUE(in.result());
  EXPECT_EQ(text, "before");
  EXPECT_EQ(texts, std::vector<std::string>{"before"});
  EXPECT_TRUE(flag);
  EXPECT_EQ(number, 7);
}

TEST(MemberReader, TakesWhatIsThere) {
  const auto given = object(R"({"text":"t","texts":["a",""],"flag":false,"number":-9,"any":null})");
  MemberReader in(given);
  std::string text;
  std::vector<std::string> texts = {"before"};
  bool flag = true;
  std::int64_t number = 0;
  in.text("text", text);
  in.texts("texts", texts);
  in.flag("flag", flag);
  in.whole("number", number, -9, 9);
  ASSERT_NE(in.any("any"), nullptr);
  EXPECT_TRUE(in.any("any")->is_null());
  EXPECT_TRUE(in.result());
  EXPECT_TRUE(in.unknown().empty());
  EXPECT_EQ(text, "t");
  EXPECT_EQ(texts, (std::vector<std::string>{"a", ""}));
  EXPECT_FALSE(flag);
  EXPECT_EQ(number, -9);
}

TEST(MemberReader, NullIsWhatTheCallerSaysOrRefused) {
  const auto nulls = object(R"({"text":null,"flag":null,"number":null})");
  std::string text = "before";
  bool flag = false;
  std::uint32_t number = 1;
  MemberReader in(nulls);
  in.text("text", text, "default");
  in.flag("flag", flag, true);
  in.whole("number", number, 5, 9, 0);  // what null stands for may lie outside
  EXPECT_TRUE(in.result());
  EXPECT_EQ(text, "default");
  EXPECT_TRUE(flag);
  EXPECT_EQ(number, 0U);

  const auto refused = [&](auto read) {
    MemberReader strict(nulls);
    read(strict);
    return strict.result() ? std::string() : strict.result().error().field;
  };
  EXPECT_EQ(refused([&](MemberReader& strict) { strict.text("text", text); }), "text");
  EXPECT_EQ(refused([&](MemberReader& strict) { strict.flag("flag", flag); }), "flag");
  EXPECT_EQ(refused([&](MemberReader& strict) { strict.whole("number", number, 0, 9); }), "number");
}

TEST(MemberReader, KeepsTheFirstErrorAndReadsNothingAfterIt) {
  const auto given = object(R"({"first":1,"second":"text","number":10})");
  MemberReader in(given, "limits.");
  std::string first = "before", second = "before";
  std::int32_t number = 0;
  in.text("first", first);
  in.text("second", second);
  in.whole("number", number, 0, 9);
  in.required("third");
  ASSERT_FALSE(in.result());
  EXPECT_EQ(in.result().error().code, ErrorCode::kInvalid);
  EXPECT_EQ(in.result().error().field, "limits.first");
  EXPECT_EQ(in.result().error().message, "limits.first must be a string");
  EXPECT_EQ(second, "before");
  EXPECT_EQ(number, 0);
}

TEST(MemberReader, NumbersAreWholeAndWithinTheirBounds) {
  for (const char* wrong : {"-1", "10", "1.0", "1e0", "\"1\"", "true", "18446744073709551615", "[1]"}) {
    const auto given = object(R"({"number":)" + std::string(wrong) + "}");
    MemberReader in(given);
    std::int32_t number = 3;
    in.whole("number", number, 0, 9);
    ASSERT_FALSE(in.result()) << wrong;
    EXPECT_TRUE(in.result().error().message.starts_with("number must be a whole number from 0 to 9, not ")) << wrong;
    EXPECT_EQ(number, 3) << wrong;
  }
  const auto given = object(R"({"number":")" + std::string(100, 'x') + "\"}");
  MemberReader in(given);
  std::int32_t number = 3;
  in.whole("number", number, 0, 9);
  EXPECT_LT(in.result().error().message.size(), 100U);  // what was sent may be a book
}

TEST(MemberReader, UnknownMembersAreNamedInTheirOrder) {
  const auto given = object(R"({"z":1,"known":"a","a":2,"asked":null})");
  MemberReader in(given, "x.");
  std::string known;
  in.text("known", known);
  EXPECT_TRUE(in.has("asked"));
  EXPECT_EQ(in.unknown(), (std::vector<std::string>{"z", "a"}));
  EXPECT_TRUE(in.result());
  in.refuse_unknown("is not known here");
  EXPECT_EQ(in.result().error().message, "x.z is not known here");
}

TEST(MemberReader, ListsNameThePlaceOfWhatIsWrong) {
  struct Item {
    std::string name;
    std::vector<std::string> tags;
  };
  const auto read = [](std::string_view text) {
    return read_json_list<Item>(boost::json::parse(text), "items", [](MemberReader& in, Item& item) {
      in.required("name");
      in.text("name", item.name);
      in.texts("tags", item.tags);
    });
  };
  EXPECT_TRUE(read("[]").value().empty());
  const auto two = read(R"([{"name":"a"},{"name":"b","tags":["t"]}])").value();
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[1].name, "b");
  EXPECT_EQ(two[1].tags, std::vector<std::string>{"t"});
  const std::pair<const char*, const char*> cases[] = {
      {"{}", "items"},
      {"null", "items"},
      {"[{\"name\":\"a\"},7]", "items[1]"},
      {"[{}]", "items[0].name"},
      {R"([{"name":"a"},{"name":"a","tags":["b",1]}])", "items[1].tags[1]"},
      {R"([{"name":"a","nmae":"b"}])", "items[0].nmae"},
  };
  for (const auto& [text, field] : cases) {
    const auto wrong = read(text);
    ASSERT_FALSE(wrong) << text;
    EXPECT_EQ(wrong.error().field, field) << text;
  }
}

TEST(MemberReader, TextsThatAreNoJsonAreRefused) {
  for (const char* text : {"", "[", "{}x", "{'a':1}"}) {
    EXPECT_EQ(parse_json_text(text, "list").error().field, "list") << text;
    EXPECT_EQ(parse_json_object(text).error().code, ErrorCode::kBadRequest) << text;
  }
  EXPECT_TRUE(parse_json_text("7", "list").value().is_int64());
  EXPECT_EQ(parse_json_object("7").error().code, ErrorCode::kBadRequest);
  EXPECT_EQ(parse_json_object(R"({"a":1})").value().size(), 1U);
}

}  // namespace
}  // namespace akr
