// A provider's error quoted the key in a spelling that we did not look for (JSON-escaped, percent-encoded, in base64),
// or in two pieces, or the key was short: it went to the client.  Here each spelling is split in every way.
#include "core/mask/key_mask.hpp"

#include <random>

#include <gtest/gtest.h>

#include "base/strings.hpp"

namespace akr {
namespace {

const std::string kKey = "sk-p/Ro+j=0_9.aZ&q%7";

std::string base64(std::string_view text, bool url = false) {
  const std::string alphabet =
      std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") + (url ? "-_" : "+/");
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    unsigned bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0U);
    for (int k = 3; k >= 0; --k) out += alphabet[bits >> (6 * k) & 63];
  }
  const std::size_t short_of = (3 - text.size() % 3) % 3;
  out.resize(out.size() - short_of);
  return out + std::string(short_of, '=');
}

std::string hex(unsigned value, int digits, bool upper) {
  std::string out;
  for (int i = digits - 1; i >= 0; --i) out += (upper ? "0123456789ABCDEF" : "0123456789abcdef")[value >> (4 * i) & 15];
  return out;
}

std::string in_pieces(std::string_view key, std::string_view text, std::size_t first, std::size_t step) {
  KeyMaskStream stream(key);
  std::string out;
  stream.take(text.substr(0, first), out);
  text.remove_prefix(std::min(first, text.size()));
  while (!text.empty()) {
    stream.take(text.substr(0, step), out);
    text.remove_prefix(std::min(step, text.size()));
  }
  stream.finish(out);
  return out;
}

// `before` and `after` must come back as they are, `spelling` as stars only, however the text is cut.
void expect_masked(std::string_view key, const std::string& spelling, const std::string& before = "{\"m\":\"",
                   const std::string& after = "\"} end") {
  const std::string text = before + spelling + after;
  const std::string expected = before + std::string(spelling.size(), '*') + after;
  std::string whole = text;
  EXPECT_TRUE(KeyFilter(key).may_hold(text)) << text;
  EXPECT_TRUE(KeyMask(key).mask(whole)) << text;
  EXPECT_EQ(whole, expected);
  for (std::size_t first = 0; first <= text.size(); ++first) {
    ASSERT_EQ(in_pieces(key, text, first, text.size()), expected) << first;
  }
  EXPECT_EQ(in_pieces(key, text, 0, 1), expected);
}

template <class Spell>
std::string each(std::string_view key, Spell spell) {
  std::string out;
  for (const char c : key) out += spell(static_cast<unsigned char>(c));
  return out;
}

TEST(KeyMask, AsItIs) {
  expect_masked(kKey, kKey);
  expect_masked(kKey, kKey, "", "");
  expect_masked(kKey, kKey, "Bearer ", ",");
  expect_masked("abcdefgh12345678", "abcdefgh12345678", "abcdefgh1234", "abcdefgh");
}

TEST(KeyMask, PercentEncoded) {
  expect_masked(kKey, percent_encode(kKey), "?key=", "&b=1");
  expect_masked(kKey, std::string("sk-p%2fRo%2bj%3d0_9.aZ%26q%257"), "?key=", "&b=1");
  expect_masked(kKey, each(kKey, [](unsigned c) { return "%" + hex(c, 2, false); }));
  expect_masked(kKey, each(kKey, [](unsigned c) { return "%" + hex(c, 2, true); }));
  expect_masked(kKey, percent_encode(percent_encode(kKey)));
  expect_masked("two words-secret", "two+words-secret");
  expect_masked("two words-secret", "two%20words%2Dsecret");
}

TEST(KeyMask, JsonEscaped) {
  expect_masked("sk-p/Ro+j=0_9", "sk-p\\/Ro+j\\u003d0_9");
  expect_masked("sk-p/Ro+j=0_9", "sk-p\\/Ro\\u002Bj\\u003D0_9");
  expect_masked("sk-p/Ro+j=0_9", "sk-p\\\\\\/Ro\\\\u002Bj\\\\u003D0_9");  // JSON in a string of JSON
  expect_masked("sk-\"quoted\\key", "sk-\\\"quoted\\\\key");
  expect_masked(kKey, each(kKey, [](unsigned c) { return "\\u" + hex(c, 4, false); }));
  expect_masked(kKey, each(kKey, [](unsigned c) { return "\\u" + hex(c, 4, true); }));
}

TEST(KeyMask, HtmlReferences) { expect_masked("sk&p/Ro+j=0_9", "sk&amp;p&#x2F;Ro&#43;j&#x3d;0_9", "<p>", "</p>"); }

TEST(KeyMask, Base64OfAnyTextThatHoldsIt) {
  for (const std::string& key : {kKey, std::string("0123456789abcdef"), std::string("key"), std::string("ABCD")}) {
    for (const char* before : {"", "u", "us", "use", "user:", ":"}) {
      for (const char* after : {"", ":", "ab", "abc"}) {
        for (const bool url : {false, true}) {
          std::string text = "Basic " + base64(std::string(before) + key + after, url) + " end";
          const std::string given = text;
          EXPECT_TRUE(KeyFilter(key).may_hold(text)) << text;
          EXPECT_TRUE(KeyMask(key).mask(text)) << given;
          // What is left are bits of other bytes and at most the padding.
          const std::size_t stars = static_cast<std::size_t>(std::count(text.begin(), text.end(), '*'));
          EXPECT_GE(stars, (key.size() * 8 + 5) / 6) << text;
          EXPECT_LE(stars, (key.size() * 8 + 5) / 6 + 1) << text;
          EXPECT_EQ(text.size(), given.size());
          for (std::size_t first = 0; first <= given.size(); ++first)
            ASSERT_EQ(in_pieces(key, given, first, 3), text) << first;
        }
      }
    }
  }
}

TEST(KeyMask, Base64Escaped) {
  const std::string key = "~~~>>>?\?\?>>>~~~?\?\?>>>~~~";  // its base64 is full of + and /
  const std::string plain = base64(key);
  ASSERT_NE(plain.find('/'), std::string::npos);
  const auto json = [](unsigned c) {
    return c == '/' ? "\\/" : c == '+' ? "\\u002b" : std::string(1, static_cast<char>(c));
  };
  expect_masked(key, each(plain, json));
  expect_masked(key, percent_encode(plain));
}

TEST(KeyMask, ShortKeysAreMaskedAsWords) {
  for (const std::string& key :
       {std::string("a"), std::string("xy"), std::string("key"), std::string("s3cret"), std::string("s3cre-7")}) {
    expect_masked(key, key, "?k=", "&");
    expect_masked(key, key, "", "");
    expect_masked(key, key, "Q%3D", "%26 Q");
    expect_masked(key, key, "line\\n", "\\n");
    expect_masked(key, key, "\\u003d", "!");
    const std::string other = "x" + key + " " + key + "1 %41" + key + " \\u0041" + key + " " + key + "z";
    std::string text = other;
    EXPECT_FALSE(KeyMask(key).mask(text)) << text;
    EXPECT_EQ(in_pieces(key, other, 1, 1), other);
  }
  expect_masked("s-c", "s%2Dc", "(", ")");
}

TEST(KeyMask, OtherTextStays) {
  const std::string text =
      R"({"error":{"message":"sk-p is not %2F a \u0073 key &amp; \\ so & what%","b":"c2stcA=="}} sk-p/Ro)";
  std::string copy = text;
  EXPECT_FALSE(KeyMask(kKey).mask(copy));
  EXPECT_EQ(copy, text);
  EXPECT_EQ(in_pieces(kKey, text, 3, 1), text);
  std::string none = "anything";
  EXPECT_FALSE(KeyMask("").mask(none));
  EXPECT_EQ(in_pieces("", none, 2, 2), none);
}

TEST(KeyMask, ABeginningAtACutIsMaskedToo) {
  std::string text = "your key sk-p/Ro";
  EXPECT_TRUE(KeyMask(kKey).mask(text, KeyMask::End::kCut));
  EXPECT_EQ(text, "your key *******");
  std::string unclear = "your keys";
  EXPECT_FALSE(KeyMask(kKey).mask(unclear, KeyMask::End::kCut));
}

TEST(KeyMask, StreamsHoldNoMoreThanALongestSpelling) {
  const std::string spelled = each(kKey, [](unsigned c) { return "\\u" + hex(c, 4, true); });
  KeyMaskStream stream(kKey);
  std::string out;
  std::size_t in = 0;
  for (int round = 0; round < 200; ++round) {
    const std::string piece = spelled.substr(0, static_cast<std::size_t>(round) % spelled.size());
    stream.take(piece, out);
    in += piece.size();
    ASSERT_LE(in - out.size(), kKey.size() * KeyMask::kLongestUnit);
  }
  EXPECT_FALSE(stream.found());
}

TEST(KeyMask, MayHoldIsNeverWrongAboutAHit) {
  std::mt19937 random(11);  // NOLINT: the same texts in every run
  int passed = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text(17 + random() % 200, ' ');
    for (char& c : text) c = "abcdefghijklmnopqrstuvwxyz0123456789-: \r\n"[random() % 40];
    const std::string key = "sk-proj-" + std::to_string(random());
    passed += KeyFilter(key).may_hold(text) ? 1 : 0;
    const std::string spelled = round % 2 == 0 ? key : base64(std::string(random() % 3, 'u') + key);
    text.insert(random() % text.size(), spelled);
    ASSERT_TRUE(KeyFilter(key).may_hold(text)) << text;
  }
  EXPECT_LT(passed, 600) << "it is to spare work";
}

std::string spell_at_random(std::string_view key, std::mt19937& random) {
  std::string out;
  for (const char c : key) {
    const auto code = static_cast<unsigned char>(c);
    const bool upper = random() % 2 == 0;
    const bool special = std::string_view("/\"\\&<>").find(c) != std::string_view::npos;
    switch (random() % 7) {
      case 0:
        out += "%" + hex(code, 2, upper);
        break;
      case 1:
        out += "%25" + hex(code, 2, upper);
        break;
      case 2:
        out += std::string(1 + random() % 3, '\\') + "u" + hex(code, 4, upper);
        break;
      case 3:
        out += special ? std::string("\\") + c : std::string(1, c);
        break;
      case 4:
        out += "&#x" + hex(code, 2, upper) + ";";
        break;
      default:
        out += c == '\\' ? "\\\\" : std::string(1, c);
    }
  }
  return out;
}

TEST(KeyMask, AnySpellingInAnyPieces) {
  std::mt19937 random(5);  // NOLINT: the same texts in every run
  const std::string letters = "abcXYZ019-_./+=~:@!";
  for (int round = 0; round < 4000; ++round) {
    std::string key(8 + random() % 40, ' ');
    for (char& c : key) c = letters[random() % letters.size()];
    std::string filler(random() % 60, ' ');
    for (char& c : filler) c = "{}[], \n#"[random() % 8];
    const std::string spelled = spell_at_random(key, random);
    const std::string text = filler + spelled + filler;
    std::string out;
    KeyMaskStream stream(key);
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 9, rest.size());
      stream.take(rest.substr(0, size), out);
      rest.remove_prefix(size);
    }
    stream.finish(out);
    ASSERT_EQ(out, filler + std::string(spelled.size(), '*') + filler) << key << "\n" << text;
  }
}

}  // namespace
}  // namespace akr
