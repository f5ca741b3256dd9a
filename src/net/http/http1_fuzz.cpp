// A head that is accepted is accepted byte by byte too, with the same content, and not a byte earlier; written anew
// from what was understood, it is understood the same way.  The first byte chooses request, response or response to
// HEAD.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "net/http/http1.hpp"

namespace {

using namespace akr::net;  // NOLINT: a fuzz target is one file

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "property broken: %s\n", what);
  std::abort();
}

ParseStatus parse(MessageHead& head, int kind, std::string_view text) {
  return kind == 0 ? head.parse_request(text) : head.parse_response(text, kind == 2);
}

// Everything but the spelling: what the rest of the program sees.
std::string describe_head(const MessageHead& head) {
  std::string out;
  out += std::string(head.method()) + '|' + std::string(head.target()) + '|' + std::string(head.host()) + '|';
  out += std::to_string(head.status()) + '|' + std::string(head.reason()) + '|' + std::to_string(head.minor_version());
  out += '|' + std::to_string(static_cast<int>(head.body_kind())) + '|' + std::to_string(head.content_length());
  out += head.keep_alive() ? "K" : "-";
  out += head.expect_continue() ? "E" : "-";
  out += head.upgrade_websocket() ? "U" : "-";
  out += head.nominates() ? "N" : "-";
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    const Field field = head.field(i);
    out += '\n' + std::string(field.name) + ": " + std::string(field.value) + '=' +
           std::to_string(static_cast<int>(field.id)) + (head.nominated(i) ? "N" : "-");
  }
  return out;
}

std::string write_head(const MessageHead& head, int kind) {
  std::string out;
  const std::string version = "HTTP/1." + std::to_string(head.minor_version());
  if (kind == 0) {
    out = std::string(head.method()) + ' ' + std::string(head.target()) + ' ' + version + "\r\n";
  } else {
    out = version + ' ' + std::to_string(head.status()) + ' ' + std::string(head.reason()) + "\r\n";
  }
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    const Field field = head.field(i);
    require(is_token(field.name), "a name that is no token");
    require(field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos,
            "a value with line ends");
    const std::string line = std::string(field.name) + ": " + std::string(field.value) + "\r\n";
    const std::string_view canonical = head.canonical_line(i);
    require(canonical.empty() || canonical == line, "a canonical line that is none");
    out += line;
  }
  return out + "\r\n";
}

void check_prefixes(std::string_view text, int kind, ParseStatus whole) {
  const auto head = std::make_unique<MessageHead>();
  // Quadratic: long inputs are cut at their line ends only.
  for (std::size_t size = 0; size < text.size(); ++size) {
    if (text.size() > 512 && size > 0 && text[size - 1] != '\n') continue;
    const ParseStatus status = parse(*head, kind, text.substr(0, size));
    require(status != ParseStatus::kDone, "accepted before its end");
    if (whole == ParseStatus::kDone) require(status == ParseStatus::kNeedMore, "refused before its end");
    if (status == ParseStatus::kError) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const int kind = bytes[0] % 3;
  // A copy of its own, so that a read behind the end is seen.
  const std::string text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const auto head = std::make_unique<MessageHead>();
  const ParseStatus status = parse(*head, kind, text);
  if (status == ParseStatus::kError) require(head->error() != HeadError::kNone, "an error without a name");
  if (status != ParseStatus::kDone) {
    check_prefixes(text, kind, status);
    return 0;
  }
  require(head->size() <= text.size() && head->size() <= kMaxHeadBytes, "its size");
  check_prefixes(std::string_view(text).substr(0, head->size()), kind, status);
  const std::string anew = write_head(*head, kind);
  const auto again = std::make_unique<MessageHead>();
  if (anew.size() > kMaxHeadBytes) return 0;
  require(parse(*again, kind, anew) == ParseStatus::kDone, "refused when written anew");
  require(again->size() == anew.size(), "its own size");
  require(describe_head(*again) == describe_head(*head), "understood differently");
  return 0;
}
