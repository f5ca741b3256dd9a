#include "admin/wire.hpp"
#include "base/time_text.hpp"

namespace akr {
namespace {

std::string_view state_name(UpstreamState state) {
  switch (state) {
    case UpstreamState::kHealthy:
      return "healthy";
    case UpstreamState::kEjected:
      return "ejected";
    case UpstreamState::kTrial:
      return "trial";
  }
  return "healthy";
}

}  // namespace

boost::json::array write_upstream_states(UpstreamSet& upstreams, const Moment& moment) {
  const std::vector<UpstreamStatus> states = upstreams.states(moment.now);
  boost::json::array out;
  for (std::size_t i = 0; i < states.size(); ++i) {
    const UpstreamStatus& status = states[i];
    boost::json::object row;
    row["url"] = upstreams.list()[i].url;
    row["state"] = state_name(status.state);
    row["consecutive_failures"] = status.consecutive_failures;
    if (status.until) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*status.until - moment.now);
      row["until"] = format_rfc3339(moment.wall + left);
    }
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace akr
