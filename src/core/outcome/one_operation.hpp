// one_operation.hpp - refusals of requests that ask no model for an answer: lists, files, settings, validation calls.
#pragma once

#include "core/outcome/outcome.hpp"

namespace akr {

// What `verdict`, classify()'s of `failure`, means for such a request.  That a key may not do it (a permission, a model
// it may not see, a 403 without a word) is about that operation: another key may, and this one goes on serving all
// others.  Everything else is as it was.
Verdict for_one_operation(const UpstreamFailure& failure, Verdict verdict);

}  // namespace akr
