#include "proxy/answer/answer_tap.hpp"

#include <algorithm>
#include <utility>

#include "base/strings.hpp"
#include "net/http/content_decoder.hpp"
#include "proxy/answer/answer_type.hpp"
#include "proxy/attempt/attempt.hpp"
#include "proxy/request/pins.hpp"
#include "proxy/request_context.hpp"

namespace akr {
namespace {

std::unique_ptr<UsageCount> count_usage(const Attempt& answered) {
  const bool wanted = answered.by.speaks && answered.lease.counts_tokens() && answered.answer->head.status() < 300;
  return wanted ? std::make_unique<UsageCount>(*answered.by.speaks.dialect) : nullptr;
}

}  // namespace

std::optional<BodyForm> readable_form(const net::MessageHead& answer) {
  if (!net::content_codings(answer).none()) return std::nullopt;
  const std::string_view type = answer.find(net::FieldId::kContentType);
  if (istarts_with(type, "text/event-stream")) return BodyForm::kEvents;
  if (may_be_json(type) || to_lower(media_type(type)).find("json") != std::string::npos) return BodyForm::kJson;
  return std::nullopt;
}

AnswerTap::AnswerTap(BodyForm form, std::unique_ptr<UsageCount> usage, std::unique_ptr<AnswerWatcher> pins)
    : form_(form), usage_(std::move(usage)), pins_(std::move(pins)), watchers_{usage_.get(), pins_.get()} {}

void AnswerTap::take(std::string_view data) {
  if (form_ == BodyForm::kEvents) {
    while (reader_.next(data)) tell_event();
    return;
  }
  if (!begun_) {
    const auto begin = data.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return;
    begun_ = true;
    no_json_ = data[begin] != '{' && data[begin] != '[';
  }
  if (no_json_) return;
  for (AnswerWatcher* watcher : watchers_) {
    if (watcher != nullptr && !watcher->done()) watcher->see_piece(data);
  }
}

void AnswerTap::tell_event() {
  for (AnswerWatcher* watcher : watchers_) {
    if (watcher != nullptr && !watcher->done()) watcher->see_event(reader_.event(), reader_.cut());
  }
}

bool AnswerTap::done() const {
  return no_json_ || std::all_of(watchers_.begin(), watchers_.end(),
                                 [](const AnswerWatcher* watcher) { return watcher == nullptr || watcher->done(); });
}

std::optional<std::uint64_t> AnswerTap::finish() {
  if (form_ == BodyForm::kEvents && reader_.finish()) tell_event();
  return usage_ == nullptr ? std::nullopt : usage_->total();
}

std::unique_ptr<AnswerTap> tap_answer(const RequestContext& ctx, const Attempt& answered, const PinSettings& pins) {
  auto usage = count_usage(answered);
  auto learner = watch_for_pins(ctx, answered, pins);
  if (usage == nullptr && learner == nullptr) return nullptr;
  const auto form = readable_form(answered.answer->head);
  return form ? std::make_unique<AnswerTap>(*form, std::move(usage), std::move(learner)) : nullptr;
}

}  // namespace akr
