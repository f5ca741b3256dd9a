// Keys pasted from files and web pages were refused, or sent with bytes that no header may hold: a byte order mark, a
// no-break or a zero-width space at their ends.  The kind: what nobody sees around what people paste.
#include "base/pasted_key.hpp"

#include <string>

#include <gtest/gtest.h>

namespace akr {
namespace {

TEST(PastedKey, UnseenCharactersAtBothEndsAreNotPartOfIt) {
  for (const std::string_view unseen :
       {" ",      "\t",     "\r\n",   "\v\f",   "\xc2\x85", "\u00a0", "\u00ad", "\u034f",
        "\u061c", "\u1680", "\u180e", "\u2000", "\u200b",   "\u200d", "\u200f", "\u2028",
        "\u202e", "\u202f", "\u205f", "\u2060", "\u2066",   "\u3000", "\ufeff"}) {
    const std::string both = std::string(unseen) + "sk-a b\u00a0c" + std::string(unseen) + " " + std::string(unseen);
    EXPECT_EQ(trim_pasted(both), "sk-a b\u00a0c") << both;
    EXPECT_EQ(trim_pasted(std::string(unseen) + std::string(unseen)), "") << both;
  }
}

TEST(PastedKey, WhatCanBeSeenStays) {
  for (const std::string_view key : {"", "sk-1", "\u00e9", "\u4e2d", "\u2010", "\u2070", "\x80", "\xa0", "\xe2\x80"}) {
    EXPECT_EQ(trim_pasted(key), key);
  }
}

}  // namespace
}  // namespace akr
