#include "admin/known_formats.hpp"

namespace akr {

KnownFormats known_formats(std::span<const Provider* const> upstreams, std::span<const Dialect* const> clients) {
  KnownFormats known;
  for (const Provider* provider : upstreams) {
    known.upstreams.push_back({provider->api_format, provider->dialects.front()->output_format()});
  }
  for (const Dialect* dialect : clients) known.clients.push_back(dialect->output_format());
  return known;
}

}  // namespace akr
