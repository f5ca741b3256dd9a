#include "proxy/answer/access_log.hpp"

namespace akr {
namespace {

// Whole traces are for requests that the choice of keys could not save.
bool worth_a_trace(const RequestContext& ctx) {
  return !ctx.trace.empty() && (ctx.failed || ctx.cut || (ctx.status >= 400 && ctx.trace.lost()));
}

}  // namespace

void AccessLog::record(const RequestContext& ctx) {
  const TimePoint now = std::chrono::steady_clock::now();
  RequestRecord record;
  record.id = ctx.id;
  record.client_ip = ctx.client.client_ip();
  record.access_key = ctx.grant.fingerprint;
  if (ctx.route.service != nullptr) {
    record.service_id = ctx.asked().config.id.value;
    record.service = ctx.asked().config.slug;
    if (ctx.served.service != &ctx.asked()) record.served_by = ctx.served.service->config.slug;
  }
  record.method = ctx.method;
  record.path = ctx.path;
  record.status = ctx.status;
  record.source = ctx.from_upstream ? AnswerSource::kUpstream : AnswerSource::kGateway;
  if (ctx.failed) record.error = to_string(ctx.error);
  record.detail = ctx.detail;
  record.key = ctx.served.key;
  record.outcome = ctx.served.outcome;
  record.attempts = ctx.attempts;
  record.conversation = ctx.trace.conversation();
  record.skipped = ctx.trace.skipped();
  std::string trace;
  if (worth_a_trace(ctx)) record.trace = trace = ctx.trace.json();
  record.bytes_in = ctx.client.body_received();
  record.bytes_out = ctx.bytes_out;
  record.streamed = ctx.streamed;
  record.cut = ctx.cut;
  record.total = now - ctx.started;
  if (ctx.answered != TimePoint{}) {
    record.upstream = ctx.answered - ctx.first_sent;
    record.overhead = ctx.overhead;
  }
  metrics_.record(record);
  page_.add(record, system_clock().wall());
}

void AccessLog::record_refused(std::string_view client_ip, int status, const Error& why) {
  RequestRecord record;
  record.client_ip = client_ip;
  record.status = status;
  record.error = to_string(why.code);
  record.detail = why.message;
  metrics_.record(record);
  page_.add(record, system_clock().wall());
}

}  // namespace akr
