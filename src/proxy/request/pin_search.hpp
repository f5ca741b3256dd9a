// pin_search.hpp - looks every id up that a request names, and notes its model on the way: the head at once, the body
// piece by piece, however long it is.  One request, one worker.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_scan.hpp"
#include "base/pointer_set.hpp"
#include "llm/resources.hpp"
#include "proxy/request/form_reader.hpp"
#include "proxy/request/pins.hpp"

namespace akr {

// What the asked service's provider says about things; nullptr: nothing, or there is none.
const ResourceMap* resource_map_of(const RequestContext& ctx);
// May the answer name something that the request makes?
bool may_make(const RequestContext& ctx);

class PinSearch final : private JsonScan::Visitor, private FormReader::Visitor {
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
  // Is it the bytes of a file, which name nothing?
  bool takes_file() const;
  // The next piece of the body: JSON, whatever it is called, or a form.  False: nothing more is to be found (it is
  // neither), or the request will be refused for what was.
  bool look_into(std::string_view piece);
  // All of it was seen, or none is wanted.
  void end_body();
  // What was done so far, in look-ups of an id or as much: half a microsecond each.
  int effort() const { return effort_; }
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
  enum class Reading : std::uint8_t { kBefore, kJson, kForm, kText, kNothing };

  // An object that is open and has an `id` or a `type`.
  struct Named {
    std::uint64_t object = 0;
    bool item = false;       // it stands in an item list
    bool whole = false;      // it holds all that it is
    bool reference = false;  // its type says so
    std::string id;
    std::optional<PinnedKey> key;  // of an item
  };

  // What the elements of one array have in common.
  struct Place {
    std::uint64_t at = 0;
    bool id = false;  // strings are ids
    Reference reference = Reference::kNone;
    bool used = false;   // a `used` pointer may lead here
    bool model = false;  // the request's model
  };

  void look_up_all(std::span<const std::string> ids);
  void look_up(std::string_view id);
  void stay_with(const std::optional<PinnedKey>& pinned);
  void look_up_value(std::string_view value);
  void look_up_spellings(std::string_view value);
  // Whose it is; the key is told and binds the request to nothing.
  std::optional<PinnedKey> look_up_owner(std::string_view value);
  bool looked_up_lately(std::string_view value);
  bool was_deleted(const PinnedKey& pinned) const;
  bool in_one_account(const PinnedKey& a, const PinnedKey& b) const;
  const KeyPool* pool_of(ServiceId service) const;  // nullptr: a service that is not asked any more
  void scalar(const JsonScan& at, std::string_view text) override;
  void long_text(const JsonScan& at, std::string_view beginning) override;
  void field(const FormReader::Field& field) override;
  void unreadable() override { give_up(); }
  void look_into_field(std::string_view json);
  std::string_view behind_blanks(std::string_view piece);
  void begin_body(char first);
  void enter(const JsonScan& at);
  bool names_id(std::string_view member, std::string_view outer) const;
  void note_reference(const JsonScan& at, std::string_view text);
  void settle(Named& named);

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
  Reading reading_ = Reading::kBefore;
  std::optional<FormReader> form_;
  std::uint64_t seen_ = 0;           // of the body, from its first byte on that is no blank
  bool zeros_ = false;               // there are zeros beside that
  std::optional<PinnedKey> upload_;  // what look_into_upload() found
  Place place_;
  int lookups_ = 0;
  int effort_ = 0;
  std::vector<std::string> lately_;
  bool in_path_ = false;
  bool conflict_ = false;
  bool deleted_ = false;
  bool foreign_ = false;
  bool unread_ = false;
  std::vector<Named> open_;        // by depth
  std::optional<PinnedKey> item_;  // of the items that are looked up by their id
  bool items_differ_ = false;
};

}  // namespace akr
