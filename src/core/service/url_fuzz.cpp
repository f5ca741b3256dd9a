// Whatever is accepted as a URL - of an upstream, of a proxy - names the host that a second reading of RFC 3986 finds.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/support/url_properties.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string broken = akr::test::broken_url_property({reinterpret_cast<const char*>(bytes), size});
  if (broken.empty()) return 0;
  std::fprintf(stderr, "property broken: %s\n", broken.c_str());
  std::abort();
}
