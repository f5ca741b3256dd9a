#include "admin/openapi.hpp"

#include <string>
#include <string_view>

#include "admin/endpoints.hpp"
#include "admin/field_schema.hpp"
#include "base/strings.hpp"

namespace akr {
namespace {

using boost::json::array;
using boost::json::object;

// What is not made of fields: entries of lists, what answers add, and errors.
constexpr std::string_view kSchemas = R"json({
  "Upstream": {"type": "object", "required": ["url"], "additionalProperties": false, "properties": {
    "url": {"type": "string"},
    "weight": {"type": "integer", "minimum": 0, "maximum": 1000000, "default": 1},
    "priority": {"type": "integer", "minimum": -1000000, "maximum": 1000000, "default": 0}}},
  "AffinityRule": {"type": "object", "required": ["created"], "additionalProperties": false, "properties": {
    "method": {"type": "string"},
    "path": {"type": "string"},
    "created": {"type": "array", "minItems": 1, "maxItems": 16, "items": {"type": "string"}},
    "used": {"type": "array", "maxItems": 16, "items": {"type": "string"}}}},
  "FailureRule": {"type": "object", "required": ["action"], "additionalProperties": false, "properties": {
    "status": {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]},
    "body_regex": {"type": "string"},
    "json_pointer": {"type": "string"},
    "json_regex": {"type": "string"},
    "action": {"type": "string", "enum": ["ignore", "retry", "cool", "exhaust", "invalidate"]},
    "scope": {"type": "string", "enum": ["key", "key_model", "group", "group_model"]},
    "seconds": {"type": "integer", "minimum": 0}}},
  "ServiceFacts": {"type": "object", "required": ["id", "created_at", "updated_at", "etag"], "properties": {
    "id": {"type": "integer"},
    "api_keys": {"type": "array", "maxItems": 0, "items": {}},
    "key_counts": {"type": "object", "additionalProperties": {"type": "integer"}},
    "upstream_states": {"type": "array", "items": {"type": "object"}},
    "outage": {"type": "object"},
    "created_at": {"type": "string", "format": "date-time"},
    "updated_at": {"type": "string", "format": "date-time"},
    "etag": {"type": "string"}}},
  "KeyFacts": {"type": "object", "required": ["id", "key_value", "proxy_config_id", "status"], "properties": {
    "id": {"type": "integer"},
    "key_value": {"type": "string", "description": "masked"},
    "proxy_config_id": {"type": "integer"},
    "fingerprint": {"type": "string"},
    "status": {"type": "string", "enum": ["healthy", "unused", "cooling", "exhausted", "invalid", "disabled",
                                          "unreadable"]},
    "state": {"type": "string"},
    "standing": {"type": "string"},
    "reason": {"type": "string"},
    "since": {"type": "string", "format": "date-time"},
    "until": {"type": "string", "format": "date-time"},
    "last_used": {"type": "string", "format": "date-time"},
    "last_status": {"type": "integer"},
    "last_error": {"type": "string"},
    "consecutive_failures": {"type": "integer"},
    "in_flight": {"type": "integer"},
    "cooling_models": {"type": "integer"}}},
  "Problem": {"type": "object", "required": ["type", "title", "status", "detail", "code"], "properties": {
    "type": {"type": "string"},
    "title": {"type": "string"},
    "status": {"type": "integer"},
    "detail": {"type": "string"},
    "instance": {"type": "string"},
    "code": {"type": "string"},
    "params": {"type": "object"},
    "request_id": {"type": "string"},
    "errors": {"type": "array", "items": {"type": "object"}},
    "error": {"type": "string"},
    "message": {"type": "string"}}}
})json";

// Which schemas an endpoint's bodies have; endpoints that are not named have some object.
struct Bodies {
  std::string_view method;
  std::string_view path;
  std::string_view request;
  std::string_view answer;
  std::string_view status = "200";
  bool list = false;
};
constexpr Bodies kBodies[] = {
    {"GET", "/admin/proxy-configs", "", "Service", "200", true},
    {"POST", "/admin/proxy-configs", "NewService", "Service", "201"},
    {"GET", "/admin/proxy-configs/{id}", "", "Service"},
    {"PUT", "/admin/proxy-configs/{id}", "ServiceChange", "Service"},
    {"GET", "/admin/proxy-configs/{id}/keys", "", "Key", "200", true},
    {"POST", "/admin/proxy-configs/{id}/keys", "NewKey", "Key", "201"},
    {"POST", "/admin/proxy-configs/{id}/keys/validate", "", "", "202"},
    {"PATCH", "/admin/keys/{id}", "KeyChange", "Key"},
    {"POST", "/admin/keys/{id}/reset", "", "Key"},
    {"POST", "/admin/keys/{id}/validate", "", "Key"},
};

Bodies bodies_of(const Endpoint& endpoint) {
  for (const Bodies& bodies : kBodies) {
    if (bodies.method == endpoint.method && bodies.path == endpoint.path) return bodies;
  }
  return {endpoint.method, endpoint.path, "", ""};
}

object reference(std::string_view schema) {
  if (schema.empty()) return {{"type", "object"}};
  return {{"$ref", "#/components/schemas/" + std::string(schema)}};
}

object json_content(std::string_view media, object schema) { return {{media, {{"schema", std::move(schema)}}}}; }

// "put_admin_proxy_configs_id"
std::string operation_id(const Endpoint& endpoint) {
  std::string id = to_lower(endpoint.method);
  for (const char c : endpoint.path) {
    if (c == '{' || c == '}') continue;
    id += c == '/' || c == '-' || c == '.' ? '_' : c;
  }
  return id;
}

array path_parameters(std::string_view path) {
  array parameters;
  for (const std::string_view segment : split(path, '/')) {
    if (!segment.starts_with('{')) continue;
    parameters.push_back({{"name", segment.substr(1, segment.size() - 2)},
                          {"in", "path"},
                          {"required", true},
                          {"schema", {{"type", "string"}}}});
  }
  return parameters;
}

object operation(const Endpoint& endpoint) {
  const Bodies bodies = bodies_of(endpoint);
  object out{{"operationId", operation_id(endpoint)}};
  if (array parameters = path_parameters(endpoint.path); !parameters.empty()) out["parameters"] = std::move(parameters);
  if (endpoint.access == Access::kPublic) out["security"] = array();
  const bool has_body = endpoint.method == "POST" || endpoint.method == "PUT" || endpoint.method == "PATCH";
  if (has_body) {
    out["requestBody"] = {{"required", !bodies.request.empty()},
                          {"content", json_content("application/json", reference(bodies.request))}};
  }
  object answer = reference(bodies.answer);
  if (bodies.list) answer = {{"type", "array"}, {"items", std::move(answer)}};
  out["responses"] = {
      {bodies.status, {{"description", "done"}, {"content", json_content("application/json", std::move(answer))}}},
      {"default",
       {{"description", "refused"}, {"content", json_content("application/problem+json", reference("Problem"))}}}};
  return out;
}

object paths() {
  object all;
  for (const Endpoint& endpoint : endpoints()) {
    object& path = all.emplace(endpoint.path, object()).first->value().as_object();
    path[to_lower(endpoint.method)] = operation(endpoint);
  }
  return all;
}

array required_of(std::span<const FieldInfo> fields) {
  array names;
  for (const FieldInfo& field : fields) {
    if (field.required && field.applies == AppliesTo::kAllServices) names.emplace_back(field.name);
  }
  return names;
}

object shown(std::string_view facts, std::span<const FieldInfo> fields) {
  object own{{"type", "object"}, {"properties", schema_properties(fields, false)}};
  return {{"allOf", array{reference(facts), std::move(own)}}};
}

object schemas(std::chrono::milliseconds rest_total, const KnownFormats& formats) {
  object all = boost::json::parse(kSchemas).as_object();
  const auto services = describe_service_fields(rest_total, formats);
  const auto keys = describe_key_fields();
  all["Service"] = shown("ServiceFacts", services);
  all["ServiceChange"] = {{"type", "object"}, {"properties", schema_properties(services, true)}};
  all["NewService"] = {{"allOf", array{reference("ServiceChange"), object{{"required", required_of(services)}}}}};
  all["Key"] = shown("KeyFacts", keys);
  all["KeyChange"] = {{"type", "object"}, {"minProperties", 1}, {"properties", schema_properties(keys, true)}};
  all["NewKey"] = {{"type", "object"}, {"required", array{"key_value"}}, {"properties", schema_properties(keys, true)}};
  all["NewKey"].as_object()["properties"].as_object()["key_value"] = {
      {"type", "string"}, {"minLength", 1}, {"maxLength", 8192}, {"writeOnly", true}};
  return all;
}

}  // namespace

object openapi_document(std::chrono::milliseconds rest_total, const KnownFormats& formats) {
  return {{"openapi", "3.1.0"},
          {"info", {{"title", "API Key Rotator: admin API"}, {"version", AKR_VERSION}}},
          {"security", array{object{{"bearer", array()}}, object{{"cookie", array()}}}},
          {"paths", paths()},
          {"components",
           {{"securitySchemes",
             {{"bearer", {{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}}},
              {"cookie", {{"type", "apiKey"}, {"in", "cookie"}, {"name", "akr_session"}}}}},
            {"schemas", schemas(rest_total, formats)}}}};
}

}  // namespace akr
