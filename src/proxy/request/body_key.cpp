#include "proxy/request/body_key.hpp"

#include <algorithm>
#include <string>

#include <simdjson.h>

#include "proxy/request/authenticate.hpp"

namespace akr {
namespace {

struct Member {
  std::size_t begin = 0;  // of the opening quote of the name
  std::size_t end = 0;    // past the value
  std::string value;
  int count = 0;
};

bool find_member(const simdjson::padded_string& json, Member& member) {
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  if (parser.iterate(json).get(document) || document.get_object().get(object)) return false;
  for (auto entry : object) {
    simdjson::ondemand::field field;
    if (std::move(entry).get(field)) return false;
    const char* const name = field.key().raw();
    std::string_view plain_name;  // escapes resolved: "api\u005fkey" is the same name to the upstream
    if (field.unescaped_key().get(plain_name)) return false;
    if (plain_name != "api_key") continue;
    simdjson::ondemand::value value = field.value();
    std::string_view token = value.raw_json_token();
    while (!token.empty() &&
           (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' || token.back() == '\t')) {
      token.remove_suffix(1);
    }
    std::string_view text;
    if (value.get_string().get(text)) return false;
    member.begin = static_cast<std::size_t>(name - 1 - json.data());
    member.end = static_cast<std::size_t>(token.data() + token.size() - json.data());
    member.value = text;
    ++member.count;
  }
  return true;
}

std::size_t skip_space(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r')) ++at;
  return at;
}

// Cuts the member with one of the commas around it.
std::string without(std::string_view json, const Member& member) {
  std::size_t begin = member.begin;
  std::size_t end = skip_space(json, member.end);
  if (end < json.size() && json[end] == ',') {
    end = skip_space(json, end + 1);
  } else {
    end = member.end;
    const auto comma = json.find_last_not_of(" \t\r\n", begin == 0 ? 0 : begin - 1);
    if (comma != std::string_view::npos && json[comma] == ',') begin = comma;
  }
  std::string out(json.substr(0, begin));
  out += json.substr(end);
  return out;
}

}  // namespace

std::string take_body_key(PreparedRequest& request) {
  const simdjson::padded_string json(request.body.in_memory());
  Member member;
  // A member that occurs twice could be read differently further on: neither counts.
  if (!find_member(json, member) || member.count != 1) return {};
  request.body.replace(without(std::string_view(json), member));
  return member.value;
}

namespace {

Error missing() {
  return {ErrorCode::kAccessKeyMissing,
          "this needs an access key: send it as 'Authorization: Bearer <key>', or as the member api_key of the JSON "
          "body, once and within its first 64 KiB"};
}

Error too_large() {
  return {ErrorCode::kBodyTooLarge, "a body that carries its access key as a member may have " +
                                        std::to_string(RequestBody::kInMemory) +
                                        " bytes; send the key as 'Authorization: Bearer <key>'"};
}

}  // namespace

BodyKeyGate::BodyKeyGate(net::Downstream& client, const AccessKeys& keys)
    : client_(client), keys_(keys), memory_(client.stranger_share()) {}

Result<void> BodyKeyGate::look(std::string_view piece) {
  if (open_) return {};
  if (!memory_.grow_to(std::min(seen_ + piece.size(), kLook))) {
    return Error{.code = ErrorCode::kOverloaded,
                 .message = std::string(net::describe(net::HeadError::kCrowded)),
                 .retry_after = 1};
  }
  const bool goes_on = scan_.feed(piece.substr(0, kLook - seen_), *this);
  seen_ += piece.size();
  if (open_) {
    memory_.release();
    client_.recognise();
    return {};
  }
  if (refused_) return *refused_;
  if (!goes_on || seen_ >= kLook) return missing();
  return {};
}

void BodyKeyGate::scalar(const JsonScan& at, std::string_view text) {
  if (at.depth() != 1 || at.at_number() || at.pointer() != "/api_key") return;
  const auto who = authenticate_body_key(text, keys_);
  open_ = open_ || who;
  if (!who) refused_ = who.error();
}

net::Task<Result<void>> admit_by_body(RequestContext& ctx, PreparedRequest& request, const AccessKeys& keys) {
  // What is passed on as it comes cannot be looked at first.
  if (request.streams_upload) co_return missing();
  const std::uint64_t limit = std::min<std::uint64_t>(ctx.body_limit, RequestBody::kInMemory);
  if (ctx.client.head().content_length() > limit) co_return too_large();
  BodyKeyGate gate(ctx.client, keys);
  if (ctx.client.body_finished()) {
    const auto passed = gate.look(request.body.in_memory());
    if (!passed) co_return passed.error();
  } else {
    auto collected = co_await collect_body(ctx, request, limit, &gate);
    if (!collected && collected.error().code == ErrorCode::kBodyTooLarge) co_return too_large();
    if (!collected) co_return collected.error();
  }
  if (!gate.open()) co_return missing();
  const std::string presented = take_body_key(request);
  if (presented.empty()) co_return missing();
  const auto who = authenticate_body_key(presented, keys);
  if (!who) co_return who.error();
  ctx.grant.fingerprint = *who;
  co_return Result<void>();
}

}  // namespace akr
