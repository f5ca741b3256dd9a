#include "base/pointer_set.hpp"

#include <algorithm>

namespace akr {
namespace {

// Takes the first token of a pointer that is not empty: "/a/b" gives "a" and leaves "/b".
std::string_view take_token(std::string_view& rest) {
  if (rest.front() == '/') rest.remove_prefix(1);
  const auto end = std::min(rest.find('/'), rest.size());
  const std::string_view token = rest.substr(0, end);
  rest.remove_prefix(end);
  return token;
}

}  // namespace

void PointerSet::add(std::string_view pattern) {
  std::uint32_t node = 0;
  while (!pattern.empty()) {
    nodes_[node].inner = true;
    const Edge edge = {.from = node, .token = take_token(pattern)};
    const auto [at, fresh] = edges_.try_emplace(edge, static_cast<std::uint32_t>(nodes_.size()));
    if (fresh) nodes_.emplace_back();
    node = at->second;
  }
  nodes_[node].end = true;
}

bool PointerSet::walk(std::uint32_t node, std::string_view rest, bool Node::*wanted) const {
  while (!rest.empty()) {
    const std::string_view token = take_token(rest);
    const auto exact = edges_.find({.from = node, .token = token});
    const auto any = edges_.find({.from = node, .token = "*"});
    if (exact != edges_.end() && walk(exact->second, rest, wanted)) return true;
    if (any == edges_.end()) return false;
    node = any->second;
  }
  return nodes_[node].*wanted;
}

}  // namespace akr
