// pin_search.hpp - looks every id up that a request names, and notes its model on the way: the head at once, the body
// piece by piece, however long it is.  One request, one worker.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_scan.hpp"
#include "base/pointer_set.hpp"
#include "llm/resources.hpp"
#include "proxy/request/pins.hpp"

namespace akr {

// What the asked service's provider says about things; nullptr: nothing, or there is none.
const ResourceMap* resource_map_of(const RequestContext& ctx);
// May the answer name something that the request makes?
bool may_make(const RequestContext& ctx);

class PinSearch final : private JsonScan::Visitor {
 public:
  PinSearch(RequestContext& ctx, const PinSettings& pins);

  void look_into_upload();  // upload_id in the query; what it finds stays, whatever path and query name
  void look_into_fields();
  void look_into_path();
  // Any value may look like an id, as in page=2: where they do not agree, they are none; and what was found before them
  // stays.
  void look_into_query();
  // Can a body of this service name anything?
  bool wants_body() const;
  // The next piece of a JSON body.  False: nothing more is to be found (the value is over, or it is no JSON), or the
  // request will be refused for what was.
  bool look_into(std::string_view piece);
  // The rest of the body cannot be read.
  void give_up() { unread_ = true; }

  bool conflict() const { return conflict_; }
  bool deleted() const { return deleted_; }
  // It names what another access key made, which the service does not share.
  bool foreign() const { return foreign_; }
  bool unread() const { return unread_; }  // something that may name things
  // It may name what another access key made: the service does not share, and it has such things.
  bool may_be_foreign() const { return unread_ && sharing_ == PinTable::Sharing::kNo && table_.any(service_.id); }

 private:
  enum class Reference : std::uint8_t { kNone, kId, kType };

  // What the elements of one array have in common.
  struct Place {
    std::uint64_t at = 0;
    bool id = false;  // strings are ids
    Reference reference = Reference::kNone;
    bool used = false;   // a `used` pointer may lead here
    bool model = false;  // the request's model
  };

  void look_up(std::string_view id);
  void stay_with(const std::optional<PinnedKey>& pinned);
  void look_up_value(std::string_view value);
  bool looked_up_lately(std::string_view id);
  bool was_deleted(const PinnedKey& pinned) const;
  bool in_one_account(const PinnedKey& a, const PinnedKey& b) const;
  const KeyPool* pool_of(ServiceId service) const;  // nullptr: a service that is not asked any more
  void scalar(const JsonScan& at, std::string_view text) override;
  void long_text(const JsonScan& at, std::string_view beginning) override;
  void enter(const JsonScan& at);
  bool is_id_member(const JsonScan& at) const;
  void note_reference(const JsonScan& at, std::string_view text);

  RequestContext& ctx_;
  const Service& service_;
  const ResourceMap* const map_;
  const bool model_in_body_;
  const PinTable::Sharing sharing_;
  const bool notes_named_;
  PinTable& table_;
  const WallTime now_;
  PointerSet used_;
  JsonScan scan_;
  bool begun_ = false;               // of the body more than blanks was seen
  bool opens_ = false;               // its first brace or bracket, and nothing behind that yet
  bool zeros_ = false;               // there are zeros beside that
  std::optional<PinnedKey> upload_;  // what look_into_upload() found
  Place place_;
  int lookups_ = 0;
  std::vector<std::string> lately_;
  bool in_path_ = false;
  bool conflict_ = false;
  bool deleted_ = false;
  bool foreign_ = false;
  bool unread_ = false;
  std::uint64_t object_ = 0;
  bool is_reference_ = false;
  std::string id_;
};

}  // namespace akr
