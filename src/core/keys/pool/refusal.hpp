// refusal.hpp - what the client is told when no key may serve it, and when to come back (D06, D23).
#pragma once

#include "base/error.hpp"
#include "core/keys/pool/outage_guard.hpp"
#include "core/keys/pool/pool_tables.hpp"

namespace akr {

// For KeyPool::select().  `model`: hash of the request's; `model_soonest`: when a wait for it ends; TimePoint{} = none.
Error nothing_usable(const PoolTables& tables, const OutageGuard& guard, std::uint64_t model, TimePoint model_soonest);

// For KeyPool::select_exactly().
Error pinned_key_deleted();
Error pinned_key_refused();                 // by the provider, just now
Error pinned_key_held_back(Duration wait);  // by the outage guard
Error pinned_key_out(const PoolTables::Judgement& judgement, TimePoint now);
Error pinned_key_lacks_tokens(Duration wait);
Error pinned_key_waits_for_model(const ModelHold& hold, TimePoint now);

}  // namespace akr
