#include <functional>
#include <set>

#include "admin/admin_fixture.hpp"
#include "admin/endpoints.hpp"
#include "base/error_table.hpp"
#include "base/strings.hpp"
#include "core/keys/selection/registry.hpp"
#include "core/service/fields.hpp"

namespace akr {
namespace {

class AdminMeta : public AdminFixture {
 protected:
  boost::json::object openapi() { return json(call("GET", "/admin/openapi.json")); }
};

TEST_F(AdminMeta, TellsWhatTheConsoleNeeds) {
  const auto meta = json(call("GET", "/admin/meta"));
  EXPECT_EQ(meta.at("service_fields").as_array().size(), service_fields().size());
  EXPECT_EQ(meta.at("key_fields").as_array().size(), key_fields<UpstreamKey>().size());
  EXPECT_EQ(meta.at("selection_policies").as_array().size(), selection_policies().size());
  EXPECT_EQ(meta.at("api_formats").at(0).at("id").as_string(), "openai_compatible");
  EXPECT_EQ(meta.at("failure_rules").at("presets").as_array().size(), 5U);
  EXPECT_EQ(meta.at("failure_rules").at("actions").at(0).as_string(), "ignore");
  EXPECT_EQ(meta.at("key_states").as_array().size(), 4U);
  const auto& errors = meta.at("errors").as_array();
  ASSERT_EQ(errors.size(), error_table().size());
  EXPECT_EQ(
      boost::json::serialize(errors.at(static_cast<std::size_t>(ErrorCode::kLocked))),
      R"({"code":"locked","status":503,"told_by":"both","admin_code":"storage_locked","retryable":false,)"
      R"("title":{"en":"Storage locked","zh-CN":"存储已锁定"},)"
      R"("description":{"en":"ENCRYPTION_KEY does not fit the database.","zh-CN":"ENCRYPTION_KEY 与数据库不符。"}})");
}

TEST_F(AdminMeta, AFieldSaysItsKindBoundsDefaultAndMeaning) {
  const auto meta = json(call("GET", "/admin/meta"));
  boost::json::object first_byte, day;
  for (const auto& field : meta.at("service_fields").as_array()) {
    if (field.at("name") == "first_byte_timeout_ms") first_byte = field.as_object();
  }
  for (const auto& field : meta.at("key_fields").as_array()) {
    if (field.at("name") == "monthly_reset_day") day = field.as_object();
  }
  EXPECT_EQ(boost::json::serialize(first_byte),
            R"({"name":"first_byte_timeout_ms","type":"integer","unit":"ms","minimum":1,"maximum":3600000,)"
            R"("applies_to":["GENERIC","LLM"],"required":false,"nullable":true,)"
            R"("default":{"GENERIC":30000,"LLM":900000},)"
            R"("description":{"en":"longest wait for the head of the answer","zh-CN":"等待响应头的最长时间"}})");
  EXPECT_EQ(day.at("group").as_string(), "limits");
  EXPECT_EQ(day.at("maximum").as_int64(), 28);
}

// Whatever "$ref" says is there.
TEST_F(AdminMeta, EveryReferenceOfTheOpenApiDocumentLeadsSomewhere) {
  const auto document = openapi();
  std::size_t references = 0;
  const std::function<void(const boost::json::value&)> walk = [&](const boost::json::value& value) {
    if (value.is_array()) {
      for (const auto& each : value.get_array()) walk(each);
    }
    if (!value.is_object()) return;
    for (const auto& [name, each] : value.get_object()) {
      walk(each);
      if (name != "$ref") continue;
      ++references;
      boost::system::error_code missing;
      const std::string pointer(std::string_view(each.as_string()).substr(1));
      boost::json::value(document).find_pointer(pointer, missing);
      EXPECT_FALSE(missing) << pointer;
    }
  };
  walk(document);
  EXPECT_GT(references, 40U);
}

TEST_F(AdminMeta, TheOpenApiDocumentHasEveryEndpointAndItsParameters) {
  const auto document = openapi();
  EXPECT_EQ(document.at("openapi").as_string(), "3.1.0");
  std::set<std::string> ids;
  for (const Endpoint& endpoint : endpoints()) {
    const auto& operation = document.at("paths").at(endpoint.path).at(to_lower(endpoint.method)).as_object();
    EXPECT_TRUE(ids.emplace(operation.at("operationId").as_string()).second) << operation.at("operationId");
    EXPECT_EQ(operation.contains("parameters"), endpoint.path.find('{') != std::string_view::npos) << endpoint.path;
    EXPECT_EQ(operation.contains("security"), endpoint.access == Access::kPublic) << endpoint.path;
  }
}

// A member that an answer has and the document has not would be a type nobody generated.
TEST_F(AdminMeta, TheOpenApiDocumentNamesEveryMemberOfAnAnswer) {
  const auto schemas = openapi().at("components").at("schemas").as_object();
  const auto id = make_service("a");
  const auto limits = R"({"key_value":"sk-1","note":"n","quota_group":"g","limits":{"rpm":3}})";
  const auto key = json(call("POST", keys_path(id), limits));
  ASSERT_TRUE(key.contains("limits")) << boost::json::serialize(key);
  const auto service = json(call("GET", "/admin/proxy-configs/" + std::to_string(id)));
  for (const auto& [schema, facts, answer] :
       {std::tuple{"Service", "ServiceFacts", service}, {"Key", "KeyFacts", key}}) {
    const auto& own = schemas.at(schema).at("allOf").at(1).at("properties").as_object();
    for (const auto& member : answer) {
      EXPECT_TRUE(own.contains(member.key()) || schemas.at(facts).at("properties").as_object().contains(member.key()))
          << member.key();
    }
  }
}

// What GET shows of a flag or a number can be changed by PUT, whatever the field is.
TEST_F(AdminMeta, EveryFlagAndNumberOfAServiceCanBeChangedAndCleared) {
  const auto path = "/admin/proxy-configs/" + std::to_string(make_service("a"));
  const auto before = json(call("GET", path));
  const auto meta = json(call("GET", "/admin/meta"));
  for (const auto& field : meta.at("service_fields").as_array()) {
    const std::string name(field.at("name").as_string());
    const auto& value = before.if_contains(name) ? before.at(name) : boost::json::value();
    if (!value.is_bool() && !value.is_int64()) continue;
    const boost::json::value other = value.is_bool() ? boost::json::value(!value.get_bool())
                                                     : field.at(value == field.at("maximum") ? "minimum" : "maximum");
    const auto changed = json(call("PUT", path, boost::json::serialize(boost::json::object{{name, other}})));
    EXPECT_EQ(changed.at(name), other) << name;
    if (!field.at("nullable").as_bool()) continue;
    const auto cleared = json(call("PUT", path, boost::json::serialize(boost::json::object{{name, nullptr}})));
    EXPECT_EQ(cleared.at(name), field.at("default").at("GENERIC")) << name;
  }
}

}  // namespace
}  // namespace akr
