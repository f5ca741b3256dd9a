// What a form says, however it comes: names of things in it were not read at all.
#include "proxy/request/form_reader.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace akr {
namespace {

struct Told final : FormReader::Visitor {
  void field(const FormReader::Field& field) override {
    all += std::string(field.name) + "=" + std::string(field.value.substr(0, 20)) + (field.file ? "F" : "") +
           (field.cut ? "C" : "") + ";";
  }
  void unreadable() override { failed = true; }
  std::string all;
  bool failed = false;
};

constexpr std::string_view kForm = "multipart/form-data; boundary=xy";

Told read(std::string_view form, std::string_view type = kForm, std::size_t piece = 100'000) {
  Told told;
  FormReader reader(type);
  for (std::size_t at = 0; at < form.size(); at += piece) reader.feed(form.substr(at, piece), told);
  reader.end(told);
  return told;
}

std::string part(std::string_view name, std::string_view value, std::string_view more = {}) {
  return "--xy\r\nContent-Disposition: form-data; name=\"" + std::string(name) + "\"" + std::string(more) + "\r\n\r\n" +
         std::string(value) + "\r\n";
}

TEST(FormReader, TellsPartsInPiecesOfAnySize) {
  const std::string form = part("a", "b") + part("f", "line\r\n--x\r\nline", "; filename=\"n\"") +
                           part("video[id]", "v_1") + part("empty", "") + "--xy--\r\n";
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 1000U}) {
    const Told told = read(form, kForm, piece);
    EXPECT_EQ(told.all, "a=b;f=line\r\n--x\r\nlineF;video[id]=v_1;empty=;") << piece;
    EXPECT_FALSE(told.failed);
  }
  EXPECT_EQ(read(form, "Multipart/Form-Data;Boundary=\"xy\"; charset=x").all, read(form).all);
}

TEST(FormReader, TellsParameters) {
  for (const std::size_t piece : {1U, 3U, 1000U})
    EXPECT_EQ(read("a=b&file_id=file%2D1+&x", "application/x-www-form-urlencoded", piece).all,
              "a=b;file_id=file-1 ;x=;");
}

// Whoever hides a part writes it so that one reader sees it and another does not.
TEST(FormReader, ReadsWhatAnyReaderReads) {
  const std::string hidden = "Content-Disposition: form-data; name=id\n\nfile-1\n";
  EXPECT_EQ(read(part("a", "b") + "--xy--\r\n\r\n--xy \t\n" + hidden + "--xy--").all, "a=b;=;id=file-1;")
      << "epilogue, bare LF";
  EXPECT_EQ(read("--xy\r\n--xy\r\n" + hidden + "--xy--").all, "id=file-1;");
  EXPECT_EQ(read("--xy\n" + hidden).all, "id=file-1\n;") << "no end";
  EXPECT_EQ(read("--xyz\n" + hidden + "--xy").all, "id=file-1;");
  EXPECT_EQ(read("--xy\r\n\r\n--xy\n" + hidden + "--xy--").all, "=;id=file-1;") << "a part of nothing";
}

TEST(FormReader, SaysWhatItCannotRead) {
  const std::string form = part("a", "b") + "--xy--";
  EXPECT_TRUE(read("preamble\r\n" + form).failed);
  EXPECT_TRUE(read("--zz\r\n\r\n" + form).failed) << "another boundary than the head says";
  EXPECT_TRUE(read(form, "multipart/form-data").failed);
  EXPECT_TRUE(read(form, "multipart/form-data; boundary=xy; boundary=zz").failed);
  EXPECT_TRUE(read(form, "multipart/mixed; boundary=xy").failed);
  EXPECT_TRUE(read(part("a", "YQ==", "\r\nContent-Transfer-Encoding: base64")).failed);
  EXPECT_FALSE(read(part("a", "b", "\r\ncontent-transfer-encoding:BINARY")).failed);
  EXPECT_TRUE(read(part("a", "b", "\r\nX: " + std::string(9000, 'x'))).failed);
  EXPECT_FALSE(read("\r\n" + form).failed);
}

TEST(FormReader, LongValuesAreCut) {
  EXPECT_EQ(read(part("a", std::string(70'000, 'v'))).all, "a=" + std::string(20, 'v') + "C;");
  EXPECT_EQ(read(part("a", std::string(3'000, 'v'), "; filename=f")).all, "a=" + std::string(20, 'v') + "FC;");
  EXPECT_EQ(read(part("a", std::string(3'000, 'v'))).all, "a=" + std::string(20, 'v') + ";");
}

}  // namespace
}  // namespace akr
