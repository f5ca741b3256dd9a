#include "proxy/answer/body_urls.hpp"

#include <algorithm>

#include "base/json_scan.hpp"
#include "base/pointer_set.hpp"
#include "base/strings.hpp"
#include "net/http/content_decoder.hpp"
#include "proxy/answer/answer_type.hpp"
#include "proxy/answer/own_url.hpp"
#include "proxy/attempt/whole_body.hpp"

namespace akr {
namespace {

constexpr std::size_t kMostHeld = 2 << 20;      // a list of a thousand batches
constexpr std::size_t kMostGrowth = 64 * 1024;  // besides doubling: short answers under a long name of ours

const UrlMembers* members_of(const RequestContext& ctx, const Attempt& attempt) {
  return attempt.by.speaks ? find_url_members(attempt.by.speaks.provider->url_members, ctx.path_behind_slug())
                           : nullptr;
}

// May stand in a JSON string as it is.
bool is_plain(std::string_view text) {
  return std::ranges::none_of(text,
                              [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' '; });
}

// Copies the text while it is scanned, with other URLs in place of some.
class UrlReplacer final : public JsonScan::Visitor {
 public:
  UrlReplacer(std::string_view json, std::span<const std::string_view> pointers,
              const std::function<std::string(std::string_view)>& own, std::size_t most)
      : json_(json), own_(own), most_(most) {
    for (const std::string_view pointer : pointers) wanted_.add(pointer);
  }

  std::string run() {
    // From quote to quote: when a string is told, the piece that was fed ends with its last quote.
    for (std::size_t at = 0; at < json_.size(); at = end_) {
      end_ = std::min(json_.find('"', at), json_.size() - 1) + 1;
      if (!scan_.feed(json_.substr(at, end_ - at), *this) || too_long_) break;
    }
    if (out_.empty() || too_long_) return {};
    out_ += json_.substr(copied_);
    return std::move(out_);
  }

 private:
  void scalar(const JsonScan& at, std::string_view text) override {
    if (too_long_ || at.at_number() || !wanted_.fits(at.pointer())) return;
    const std::string own = own_(text);
    if (own.empty() || !is_plain(own)) return;
    const std::size_t quote = end_ - 1;
    const std::string_view before = json_.substr(copied_, first_quote(quote) + 1 - copied_);
    too_long_ = out_.size() + before.size() + own.size() + (json_.size() - quote) > most_;
    if (too_long_) return;
    // By hand: a text that doubles whenever it is full may end at twice its size.
    if (out_.empty()) out_.reserve(std::min(most_, json_.size() + json_.size() / 8));
    out_ += before;
    out_ += own;
    copied_ = quote;
  }

  // Of the string that ends at `last`: the nearest one that is not escaped.
  std::size_t first_quote(std::size_t last) const {
    std::size_t quote = json_.rfind('"', last - 1);
    for (;;) {
      std::size_t slashes = 0;
      while (slashes < quote && json_[quote - slashes - 1] == '\\') ++slashes;
      if (slashes % 2 == 0) return quote;
      quote = json_.rfind('"', quote - 1);
    }
  }

  const std::string_view json_;
  const std::function<std::string(std::string_view)>& own_;
  PointerSet wanted_;
  JsonScan scan_;
  std::string out_;
  std::size_t copied_ = 0;  // of json_
  std::size_t end_ = 0;     // of the piece that is scanned
  const std::size_t most_;
  bool too_long_ = false;
};

}  // namespace

std::string replace_urls(std::string_view json, std::span<const std::string_view> pointers,
                         const std::function<std::string(std::string_view)>& own, std::size_t most) {
  return UrlReplacer(json, pointers, own, most).run();
}

bool may_name_urls(const RequestContext& ctx, const Attempt& attempt) {
  if (!attempt.by.speaks || attempt.by.speaks.provider->url_members.empty() || attempt.is_error()) return false;
  const net::MessageHead& head = attempt.answer->head;
  if (!may_be_json(head.find(net::FieldId::kContentType))) return false;
  if (head.status() == 206 || (attempt.body.finished() && attempt.held.empty())) return false;
  if (head.body_kind() == net::BodyKind::kLength && head.content_length() > kMostHeld) return false;
  return members_of(ctx, attempt) != nullptr && net::content_codings(head).none();
}

net::Task<Result<void>> rewrite_body_urls(RequestContext& ctx, Attempt& attempt) {
  const Came came = co_await hold_all(ctx, attempt, kMostHeld);
  if (auto nobody = nobody_to_answer(came)) co_return *std::move(nobody);
  if (came != Came::kWhole) co_return Result<void>();
  const std::string_view key = attempt.lease.key().secret.expose();
  const auto own = [&ctx, key](std::string_view url) { return own_url(ctx, url, key); };
  const std::size_t most = 2 * attempt.held.size() + kMostGrowth;
  std::string changed = replace_urls(attempt.held, members_of(ctx, attempt)->pointers, own, most);
  if (!changed.empty()) take_the_place(attempt, std::move(changed), {});
  co_return Result<void>();
}

}  // namespace akr
