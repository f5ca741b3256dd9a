// pointer_set.hpp - JSON pointers (RFC 6901) to look for, all at once: what a look costs does not grow with their
// number.
//
// A token "*" stands for any one token.  Not thread-safe while pointers are added.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace akr {

class PointerSet {
 public:
  // Keeps views into `pattern`.
  void add(std::string_view pattern);
  bool empty() const { return nodes_.size() == 1 && !nodes_[0].end; }

  // Does one of them fit this pointer?
  bool fits(std::string_view pointer) const { return walk(0, pointer, &Node::end); }
  // Could one of them fit a pointer with more tokens that begins with this one?
  bool reaches_below(std::string_view pointer) const { return walk(0, pointer, &Node::inner); }

 private:
  struct Node {
    bool end = false;    // a pattern ends here
    bool inner = false;  // one goes on
  };
  struct Edge {
    std::uint32_t from;
    std::string_view token;
    friend bool operator==(const Edge&, const Edge&) = default;
  };
  struct EdgeHash {
    std::size_t operator()(const Edge& edge) const noexcept {
      return std::hash<std::string_view>()(edge.token) ^ (edge.from * std::size_t{0x9E3779B97F4A7C15});
    }
  };
  bool walk(std::uint32_t node, std::string_view rest, bool Node::*wanted) const;

  std::vector<Node> nodes_{1};  // a tree; the first is its root
  std::unordered_map<Edge, std::uint32_t, EdgeHash> edges_;
};

}  // namespace akr
