// access_log.hpp - where every request ends, once: its line and its numbers.
#pragma once

#include "proxy/request_context.hpp"
#include "telemetry/journal.hpp"
#include "telemetry/metrics.hpp"

namespace akr {

class AccessLog {
 public:
  // Both belong to the worker.
  AccessLog(JournalPage& page, MetricsShard& metrics) : page_(page), metrics_(metrics) {}
  void record(const RequestContext& ctx);
  // A head that could not be parsed, or for which there was no place: there is no request, only why.
  void record_refused(std::string_view client_ip, int status, const Error& why);

 private:
  JournalPage& page_;
  MetricsShard& metrics_;
};

}  // namespace akr
