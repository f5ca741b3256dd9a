// Any split of a PROXY header gives the same verdict; what is accepted lies within the bytes and the limits.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/server/forwarded.hpp"
#include "net/server/proxy_protocol.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using akr::net::ProxyHeader;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const ProxyHeader whole = akr::net::parse_proxy_header(bytes);
  if (whole.status == ProxyHeader::Status::kDone && (whole.size > size || whole.size > akr::net::kMaxProxyHeader))
    std::abort();
  for (std::size_t part = 0; part <= size && part < 300; ++part) {
    const ProxyHeader early = akr::net::parse_proxy_header(bytes.substr(0, part));
    if (early.status == ProxyHeader::Status::kNeedMore) continue;
    if (early.status != whole.status || early.size != whole.size || early.source != whole.source) std::abort();
    break;
  }
  // The same bytes as a Forwarded field: no crash, and its nodes are nodes.
  std::vector<akr::net::ForwardedElement> elements;
  akr::net::parse_forwarded(bytes, elements);
  for (const auto& element : elements) akr::net::parse_node(element.node);
  return 0;
}
