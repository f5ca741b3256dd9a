// answer_urls.hpp - which members of a provider's JSON answers are URLs of its own that clients call next.  Tables of
// static storage.  A URL that goes back to the provider by its own name (Gemini's `uri` of a file) is none of them.
#pragma once

#include <span>
#include <string_view>

namespace akr {

// Answers to requests whose path begins with `path`, which is written as ResourceRule::path, hold such URLs at
// `pointers` ('*' = any one token); none: such answers hold none.
struct UrlMembers {
  std::string_view path;
  std::span<const std::string_view> pointers;
};

// The first one that fits, nullptr if none does.  `path` as the client sent it, behind the slug.
const UrlMembers* find_url_members(std::span<const UrlMembers> members, std::string_view path);

}  // namespace akr
