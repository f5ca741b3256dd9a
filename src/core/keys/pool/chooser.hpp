// chooser.hpp - which key is next: the home of who makes something, the conversation's, or the best tier's by its
// policy; and what to remember of choices, so that the next one is as good or as quick.
//
// Nothing is taken here: what a choice finds out goes into the caller's Choice.  Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "core/keys/key_pool.hpp"
#include "core/keys/pool/affinity_map.hpp"
#include "core/keys/pool/choice.hpp"
#include "core/keys/pool/home_keys.hpp"
#include "core/keys/pool/pool_tables.hpp"
#include "core/keys/selection/random_source.hpp"

namespace akr {

class Chooser {
 public:
  Chooser(std::uint64_t seed, PoolTables& tables) : tables_(tables), random_(seed) {}

  // The slot for this request, whose model has the hash `model` (0 = none).  REQUIRES: nothing is set aside yet.  What
  // it sets aside is back when it returns.  `asking`: nullptr unless the outage guard doubts().
  std::optional<std::uint32_t> choose(const SelectRequest& request, std::uint64_t model, Choice& choice,
                                      Asking* asking = nullptr) {
    if (!request.tried.empty()) set_aside_tried(request, choice);
    if (asking != nullptr) [[unlikely]]
      return choose_in_doubt(request, model, choice, *asking);
    auto slot = search(request, model, choice);
    choice.aside.bring_back();
    if (!slot) slot = without_hope(request, model, choice);
    if (choice.trace.affinity) affinity_.touch(request.affinity, tables_.now());
    return slot;
  }
  // The same slot, and no trace of the search: cursors, lots and memories are as they were.  Allocates.
  std::optional<std::uint32_t> foresee(const SelectRequest& request, std::uint64_t model, Choice& choice,
                                       Asking* asking = nullptr);

  // REQUIRES: the slot is usable.  (Minutes that are over are dropped, nothing else changes.)
  Fit fit(std::uint32_t slot, std::uint32_t tokens, std::uint64_t model);

  // The conversation stays with this key, if the policy keeps conversations.
  void remember(std::uint64_t conversation, std::uint32_t slot) {
    if (conversation == 0 || !tables_.policy().keeps_affinity) return;
    const Slot& own = tables_.roster.slots[slot];
    affinity_.pin(conversation, {own.id, slot}, tables_.now(), own.ready);
  }

 private:
  struct ModelBlock {  // "no usable key for this model", true until a key joins or `until`
    std::uint64_t joins = 0;
    TimePoint until{};
    bool hopeless = false;  // all of them lack the model
    std::string_view reason = {};
  };

  std::optional<std::uint32_t> search(const SelectRequest& request, std::uint64_t model, Choice& choice);
  // chooser_in_doubt.cpp
  std::optional<std::uint32_t> choose_in_doubt(const SelectRequest& request, std::uint64_t model, Choice& choice,
                                               Asking& asking);
  std::optional<std::uint32_t> find_unasked(const SelectRequest& request, std::uint64_t model, Asking& asking);
  std::optional<std::uint32_t> unasked_in(ReadyKeys& tier, const SelectRequest& request, std::uint64_t model,
                                          std::uint32_t round);
  std::optional<std::uint32_t> without_hope(const SelectRequest& request, std::uint64_t model, const Choice& choice);
  std::optional<std::uint32_t> by_policy(const SelectRequest& request, std::uint64_t model, Choice& choice);
  std::optional<std::uint32_t> at_home(const SelectRequest& request, std::uint64_t model, Choice& choice);
  std::optional<std::uint32_t> best_at_home(const ReadyKeys& tier, const SelectRequest& request, std::uint64_t model,
                                            Choice& choice);
  std::optional<std::uint32_t> affine(const SelectRequest& request, std::uint64_t model, Choice& choice);
  std::optional<std::uint32_t> from_tier(ReadyKeys& tier, const SelectRequest& request, std::uint64_t model,
                                         Choice& choice);
  bool enough_tokens(std::uint32_t slot, std::uint32_t tokens);
  ModelHold hold(std::uint32_t slot, std::uint64_t model);
  bool accept(std::uint32_t slot, const SelectRequest& request, std::uint64_t model, Choice& choice);
  void set_aside_tried(const SelectRequest& request, Choice& choice);
  std::optional<std::uint32_t> locate(const AffinityMap::Place& place) const;
  void prefetch(std::uint32_t slot) const;
  void prefetch(const AffinityMap::Hint& hint) const;
  void prefetch_rest(std::uint32_t slot) const;
  void prefetch_ahead(const ReadyKeys& tier) const;
  bool known_blocked(std::uint64_t model, Choice& choice);
  void remember_blocked(std::uint64_t model, const Choice& choice);

  PoolTables& tables_;
  Random random_;
  AffinityMap affinity_;
  HomeKeys homes_{tables_};
  std::unordered_map<std::uint64_t, ModelBlock> blocked_models_;
};

}  // namespace akr
