#include "core/outcome/one_operation.hpp"

namespace akr {
namespace {

bool refuses_permission(const UpstreamFailure& failure, const Verdict& verdict) {
  if (failure.end != AttemptEnd::kAnswered) return false;
  if (failure.kind == FailureKind::kUnknown) return verdict.key == KeyAction::kForbid;
  return failure.kind == FailureKind::kPermission || failure.kind == FailureKind::kModelUnavailable;
}

}  // namespace

Verdict for_one_operation(const UpstreamFailure& failure, Verdict verdict) {
  if (!refuses_permission(failure, verdict)) return verdict;
  return {.retry = verdict.retry, .endpoint = verdict.endpoint, .reason = verdict.reason};
}

}  // namespace akr
