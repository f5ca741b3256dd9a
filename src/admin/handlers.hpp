// handlers.hpp - the admin endpoints' handlers, by the file that holds them.  endpoints.cpp says which path is whose.
#pragma once

#include "admin/endpoints.hpp"
#include "admin/wire.hpp"

namespace akr {

// meta.cpp
Result<AdminResponse> get_app_config(AdminCall& call);
Result<AdminResponse> get_meta(AdminCall& call);
Result<AdminResponse> get_openapi(AdminCall& call);

// login.cpp
Result<AdminResponse> post_login(AdminCall& call);

// services.cpp
Result<AdminResponse> list_services(AdminCall& call);
Result<AdminResponse> create_service(AdminCall& call);
Result<AdminResponse> get_service(AdminCall& call);
Result<AdminResponse> change_service(AdminCall& call);
Result<AdminResponse> switch_service(AdminCall& call);
Result<AdminResponse> delete_service(AdminCall& call);

// keys.cpp
Result<AdminResponse> list_service_keys(AdminCall& call);
Result<AdminResponse> add_service_key(AdminCall& call);
Result<AdminResponse> import_service_keys(AdminCall& call);
Result<AdminResponse> clear_service_keys(AdminCall& call);
Result<AdminResponse> change_key(AdminCall& call);
Result<AdminResponse> delete_key(AdminCall& call);

// key_states.cpp
Result<AdminResponse> reset_key(AdminCall& call);
Result<AdminResponse> reset_service_keys(AdminCall& call);
Result<AdminResponse> validate_key_now(AdminCall& call);
Result<AdminResponse> validate_service_keys(AdminCall& call);

// simulate.cpp
Result<AdminResponse> simulate(AdminCall& call);

// handlers.cpp: what several of them need.

// The id in the path, as the original reads it: a signed 32-bit decimal.  kBadRequest with `message` otherwise.
Result<std::int64_t> path_id(const AdminCall& call, const char* message);
// The service that the path names; `bad_id` and `not_found` are the original's texts.
Result<ServiceId> service_of(const AdminCall& call, const char* bad_id, const char* not_found);
constexpr const char* kNoServiceInBulk = "ProxyConfig not found";  // the original has two texts for the same
constexpr const char* kNoKey = "API key not found";
// A key with what its pool knows.
Moment moment_of(const AdminCall& call);
boost::json::object key_json(AdminCall& call, const UpstreamKey& key);
// kNotFound gets the original's text.
Error with_not_found_text(Error error, const char* message);
// Unknown members of a request, for whoever wonders why nothing changed.
void note_ignored(AdminResponse& response, const std::vector<std::string>& names);
// The write is stored; a node that could not publish it says so, and goes on trying.
void note_published(AdminResponse& response, const Result<void>& published);

}  // namespace akr
