// Whatever the text and wherever it is cut: a stream masks what the whole text's masking masks, lengths stay, and the
// key itself is never left.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/mask/key_mask.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size < 2) return 0;
  constexpr std::string_view kKeys[] = {"k",           "ab", "key", "s3cr3t", "sk-p/Ro+j=0_9", "two words-%25\\u&amp;",
                                        "aaaaaaaaaaaa"};
  const std::string_view key = kKeys[data[0] % std::size(kKeys)];
  const std::size_t step = 1 + data[1] % 40;
  const std::string text(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::string whole = text;
  const bool found = akr::KeyMask(key).mask(whole);
  require(whole.size() == text.size());
  require(found == (whole != text) || text.find('*') != std::string::npos);
  require(!found || akr::KeyFilter(key).may_hold(text));
  if (key.size() >= akr::KeyMask::kWholeWordBelow) require(whole.find(key) == std::string::npos);
  akr::KeyMaskStream stream(key);
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += step) stream.take(std::string_view(text).substr(at, step), out);
  stream.finish(out);
  require(out == whole);
  require(stream.found() == found);
  return 0;
}
