#include "admin/admin_fixture.hpp"

namespace akr {
namespace {

constexpr const char* kConfigs = "/admin/proxy-configs";

// Members that say where requests may go.
class AdminUpstreams : public AdminFixture {
 protected:
  std::string path(std::int64_t id) { return std::string(kConfigs) + "/" + std::to_string(id); }
  boost::json::object put(std::int64_t id, const std::string& body) {
    const auto answer = call("PUT", path(id), body);
    EXPECT_EQ(answer.status, 200) << body << answer.body;
    EXPECT_EQ(header(answer, "X-Ignored-Fields"), "");
    return json(answer);
  }
  // The pointer of the member that was refused; what is stored and published must not have changed.
  std::string refused(std::int64_t id, const std::string& body) {
    const std::string before = call("GET", path(id)).body;
    const auto table = table_;
    const auto answer = call("PUT", path(id), body);
    EXPECT_EQ(answer.status, 422) << body << answer.body;
    EXPECT_EQ(call("GET", path(id)).body, before) << body;
    EXPECT_EQ(table_, table) << body;
    return answer.status == 422 ? std::string(json(answer).at("errors").at(0).at("pointer").as_string()) : "";
  }
  std::int64_t make_llm(const std::string& slug, const std::string& format, const std::string& more = "") {
    const auto answer = call("POST", kConfigs,
                             R"({"name":")" + slug + R"(","slug":")" + slug +
                                 R"(","config_type":"LLM","target_base_url":"https://a.example","api_format":")" +
                                 format + "\"" + more + "}");
    EXPECT_EQ(answer.status, 201) << answer.body;
    return json(answer).at("id").as_int64();
  }
  const Service& published(std::int64_t id) {
    for (const RoutedService& service : table_->services()) {
      if (service.config.id.value == id) return service.config;
    }
    ADD_FAILURE() << "not published: " << id;
    return table_->services().front().config;
  }
};

std::string text(const boost::json::value& value) { return boost::json::serialize(value); }

TEST_F(AdminUpstreams, ShowsThatThereAreNone) {
  const auto body = json(call("GET", path(make_service("a"))));
  for (const char* list : {"upstreams", "fallbacks", "affinity_rules"}) EXPECT_TRUE(body.at(list).as_array().empty());
  EXPECT_EQ(body.at("validation_path").as_string(), "");
  EXPECT_FALSE(body.at("retry_on_empty").as_bool());
}

TEST_F(AdminUpstreams, KeepsWhatWasSetAndPublishesIt) {
  const auto b = make_service("b");
  const auto answer = call("POST", kConfigs, R"({"name":"A","slug":"a","config_type":"GENERIC","method":"ANY",
      "upstreams":[{"url":"https://eu.example/v1","weight":3},{"url":"https://us.example","weight":0,"priority":-2}],
      "fallbacks":[1],"affinity_rules":[{"method":"post","path":"/jobs/*","created":["/id"],"used":["/job_id"]},
      {"created":["/a~1b/0"],"method":"any"}],"validation_path":"/account","retry_on_empty":true})");
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(header(answer, "X-Ignored-Fields"), "");
  const auto body = json(answer);
  const auto id = body.at("id").as_int64();
  EXPECT_EQ(body.at("target_url").as_string(), "https://eu.example/v1");
  EXPECT_EQ(text(body.at("upstreams")), R"([{"url":"https://eu.example/v1","weight":3,"priority":0},)"
                                        R"({"url":"https://us.example","weight":0,"priority":-2}])");
  EXPECT_EQ(text(body.at("fallbacks")), "[" + std::to_string(b) + "]");
  EXPECT_EQ(text(body.at("affinity_rules")),
            R"([{"method":"POST","path":"/jobs/*","created":["/id"],"used":["/job_id"]},)"
            R"({"created":["/a~1b/0"],"used":[]}])");
  EXPECT_EQ(body.at("validation_path").as_string(), "/account");
  EXPECT_TRUE(body.at("retry_on_empty").as_bool());
  EXPECT_EQ(json(call("GET", path(id))), body);
  EXPECT_EQ(array(call("GET", kConfigs)).at(1).as_object(), body);
  const Service& service = published(id);
  EXPECT_EQ(service.target_url, "https://eu.example/v1");
  ASSERT_EQ(service.upstreams.size(), 2U);
  EXPECT_EQ(service.upstreams[1].priority, -2);
  EXPECT_EQ(service.affinity_rules[0].path, "/jobs/*");
  // Sending back what was shown changes nothing; what is left out stays; null clears.
  auto again = put(id, text(body));
  for (const char* name : {"target_url", "upstreams", "fallbacks", "affinity_rules"}) {
    EXPECT_EQ(again.at(name), body.at(name)) << name;
  }
  again = put(id, R"({"name":"B2"})");
  EXPECT_EQ(again.at("affinity_rules"), body.at("affinity_rules"));
  again = put(id, R"({"upstreams":null,"fallbacks":null,"affinity_rules":null,"validation_path":null,
                      "retry_on_empty":null})");
  EXPECT_EQ(again.at("target_url").as_string(), "https://eu.example/v1");
  for (const char* list : {"upstreams", "fallbacks", "affinity_rules"}) EXPECT_TRUE(again.at(list).as_array().empty());
  EXPECT_EQ(again.at("validation_path").as_string(), "");
  EXPECT_FALSE(again.at("retry_on_empty").as_bool());
}

TEST_F(AdminUpstreams, SurvivesARestart) {
  const auto b = make_service("b");
  const auto id = make_service("a");
  put(id, R"({"upstreams":[{"url":"https://x.example"},{"url":"https://y.example","priority":1}],"fallbacks":[)" +
              std::to_string(b) + R"(],"affinity_rules":[{"created":["/id"]}],"validation_path":"/me",
              "retry_on_empty":true})");
  const auto before = call("GET", path(id)).body;
  restart();
  EXPECT_EQ(call("GET", path(id)).body, before);
  const Service& service = published(id);
  EXPECT_EQ(service.upstreams.size(), 2U);
  EXPECT_EQ(service.fallbacks, std::vector<ServiceId>{ServiceId{b}});
  EXPECT_EQ(service.affinity_rules.size(), 1U);
  EXPECT_EQ(service.validation_path, "/me");
  EXPECT_TRUE(service.retry_on_empty);
}

// The first version's field and the list are two views of one thing.
TEST_F(AdminUpstreams, TheOneUrlIsTheFirstOfTheList) {
  const auto id = make_service("a");
  auto body = put(id, R"({"upstreams":[{"url":"https://x.example","weight":5},{"url":"https://y.example"}]})");
  EXPECT_EQ(body.at("target_url").as_string(), "https://x.example");
  body = put(id, R"({"target_url":"https://z.example"})");
  EXPECT_EQ(text(body.at("upstreams")), R"([{"url":"https://z.example","weight":5,"priority":0},)"
                                        R"({"url":"https://y.example","weight":1,"priority":0}])");
  // As the original's page does: the other type's member is null.
  body = put(id, R"({"target_url":"https://w.example","target_base_url":null})");
  EXPECT_EQ(body.at("upstreams").at(0).at("url").as_string(), "https://w.example");
  body = put(id, R"({"target_url":"https://x.example","upstreams":[{"url":"https://x.example"}]})");
  EXPECT_EQ(body.at("upstreams").as_array().size(), 1U);
  EXPECT_EQ(refused(id, R"({"target_url":"https://q.example","upstreams":[{"url":"https://x.example"}]})"),
            "/target_url");
  EXPECT_EQ(refused(id, R"({"target_url":"ftp://q.example"})"), "/target_url");
  EXPECT_EQ(refused(id, R"({"target_url":null})"), "/target_url");
  body = put(id, R"({"target_url":"https://q.example","upstreams":[]})");
  EXPECT_EQ(body.at("target_url").as_string(), "https://q.example");
  EXPECT_EQ(published(id).target_url, "https://q.example");
  const auto llm = make_llm("o", "openai_compatible", R"(,"upstreams":[{"url":"https://a.example"}])");
  EXPECT_EQ(refused(llm, R"({"target_base_url":"https://q.example","upstreams":[{"url":"https://x.example"}]})"),
            "/target_base_url");
  body = put(llm, R"({"target_url":"ignored","upstreams":[{"url":"https://x.example"}]})");
  EXPECT_EQ(body.at("target_base_url").as_string(), "https://x.example");
}

TEST_F(AdminUpstreams, EveryUrlPassesTheSameChecks) {
  const auto id = make_service("a");
  for (const char* url : {"", "ftp://a.example", "http://169.254.169.254/", "http://a.example:22/", "https://u:p@a"}) {
    const std::string list = R"({"upstreams":[{"url":"https://fine.example"},{"url":")" + std::string(url) + "\"}]}";
    EXPECT_EQ(refused(id, list), "/upstreams/1/url") << url;
  }
  const std::pair<const char*, const char*> cases[] = {
      {R"({"upstreams":{}})", "/upstreams"},
      {R"({"upstreams":"https://a.example"})", "/upstreams"},
      {R"({"upstreams":["https://a.example"]})", "/upstreams/0"},
      {R"({"upstreams":[{"weight":1}]})", "/upstreams/0/url"},
      {R"({"upstreams":[{"url":7}]})", "/upstreams/0/url"},
      {R"({"upstreams":[{"url":"https://a","weight":-1}]})", "/upstreams/0/weight"},
      {R"({"upstreams":[{"url":"https://a","weight":"3"}]})", "/upstreams/0/weight"},
      {R"({"upstreams":[{"url":"https://a","weight":1.5}]})", "/upstreams/0/weight"},
      {R"({"upstreams":[{"url":"https://a","weight":1000001}]})", "/upstreams/0/weight"},
      {R"({"upstreams":[{"url":"https://a","weight":18446744073709551615}]})", "/upstreams/0/weight"},
      {R"({"upstreams":[{"url":"https://a"},{"url":"https://b","priority":true}]})", "/upstreams/1/priority"},
      {R"({"upstreams":[{"url":"https://a","wieght":2}]})", "/upstreams/0/wieght"},
      {R"({"upstreams":[{"url":"https://a","weight":0},{"url":"https://b","weight":0}]})", "/upstreams"},
  };
  for (const auto& [body, pointer] : cases) EXPECT_EQ(refused(id, body), pointer) << body;
  const auto many = [](int count) {
    boost::json::array list;
    for (int i = 0; i < count; ++i) list.push_back({{"url", "https://u" + std::to_string(i) + ".example"}});
    return text(boost::json::object{{"upstreams", list}});
  };
  EXPECT_EQ(refused(id, many(33)), "/upstreams");
  EXPECT_EQ(put(id, many(32)).at("upstreams").as_array().size(), 32U);
}

TEST_F(AdminUpstreams, FallbacksExistAndSpeakTheSameFormat) {
  const auto rest = make_service("rest"), id = make_service("a");
  const auto openai = make_llm("openai", "openai_compatible");
  const auto also_openai = make_llm("openai2", "openai_compatible", R"(,"output_format":"openai")");
  const auto claude = make_llm("claude", "anthropic_native");
  const auto list = [](std::vector<std::int64_t> ids) {
    return text(boost::json::object{{"fallbacks", boost::json::value_from(ids)}});
  };
  EXPECT_EQ(refused(id, list({rest, 99})), "/fallbacks/1");
  EXPECT_EQ(refused(id, list({rest, id})), "/fallbacks/1");
  EXPECT_EQ(refused(id, list({rest, rest})), "/fallbacks/1");
  EXPECT_EQ(refused(id, list({openai})), "/fallbacks/0");
  EXPECT_EQ(refused(id, list({1, 2, 3, 4, 5, 6, 7, 8, 9})), "/fallbacks");
  for (const char* bad : {"[0]", "[-1]", "[1.5]", "[\"1\"]", "[null]", "[{}]"}) {
    EXPECT_EQ(refused(id, std::string(R"({"fallbacks":)") + bad + "}"), "/fallbacks/0") << bad;
  }
  EXPECT_EQ(refused(id, R"({"fallbacks":3})"), "/fallbacks");
  EXPECT_EQ(refused(openai, list({also_openai, claude})), "/fallbacks/1");
  EXPECT_EQ(refused(openai, list({rest})), "/fallbacks/0");
  put(openai, list({also_openai}));
  put(id, list({rest}));
  // Changing what our clients speak asks again.
  EXPECT_EQ(refused(openai, R"({"api_format":"gemini_native"})"), "/fallbacks/0");
  put(openai, R"({"api_format":"anthropic_native","fallbacks":[)" + std::to_string(claude) + "]}");
  const auto unknown = call("PUT", path(id), list({99}));
  EXPECT_EQ(json(unknown).at("detail").as_string(), "there is no service 99");
}

TEST_F(AdminUpstreams, AFallbackThatWasDeletedStandsInNobodysWay) {
  const auto gone = make_service("gone"), rest = make_service("rest"), id = make_service("a");
  const std::string both = "[" + std::to_string(gone) + "," + std::to_string(rest) + "]";
  put(id, R"({"fallbacks":)" + both + "}");
  EXPECT_EQ(call("DELETE", path(gone)).status, 200);
  EXPECT_EQ(text(json(call("GET", path(id))).at("fallbacks")), both);
  put(id, R"({"name":"other"})");
  put(id, call("GET", path(id)).body);
  put(id, R"({"fallbacks":[)" + std::to_string(rest) + "," + std::to_string(gone) + "]}");
  put(id, R"({"fallbacks":[]})");
  EXPECT_EQ(refused(id, R"({"fallbacks":)" + both + "}"), "/fallbacks/0");
}

TEST_F(AdminUpstreams, AffinityRulesAreNamedToTheirLastPointer) {
  const auto id = make_service("a");
  const std::pair<const char*, const char*> cases[] = {
      {R"({})", "/affinity_rules"},
      {R"([{"path":"/jobs"}])", "/affinity_rules/0/created"},
      {R"([{"created":[]}])", "/affinity_rules/0/created"},
      {R"([{"created":"/id"}])", "/affinity_rules/0/created"},
      {R"([{"created":["/id",7]}])", "/affinity_rules/0/created/1"},
      {R"([{"created":["/id"]},{"created":["/id"]},{"created":["id"]}])", "/affinity_rules/2/created/0"},
      {R"([{"created":["/id"],"used":["/a","/b~2"]}])", "/affinity_rules/0/used/1"},
      {R"([{"created":["/id~"]}])", "/affinity_rules/0/created/0"},
      {R"([{"created":[""]}])", "/affinity_rules/0/created/0"},
      {R"([{"created":["/id"],"method":"PO ST"}])", "/affinity_rules/0/method"},
      {R"([{"created":["/id"],"method":7}])", "/affinity_rules/0/method"},
      {R"([{"created":["/id"],"path":"jobs"}])", "/affinity_rules/0/path"},
      {R"([{"created":["/id"],"path":"/jobs/../x"}])", "/affinity_rules/0/path"},
      {R"([{"created":["/id"],"path":"/jobs?x=1"}])", "/affinity_rules/0/path"},
      {R"([{"created":["/id"],"path":"/jobs/a*"}])", "/affinity_rules/0/path"},
      {R"([{"created":["/id"],"ttl":3}])", "/affinity_rules/0/ttl"},
  };
  for (const auto& [rules, pointer] : cases) {
    EXPECT_EQ(refused(id, std::string(R"({"affinity_rules":)") + rules + "}"), pointer) << rules;
  }
  const auto many = [](std::size_t count) {
    const boost::json::array list(count, boost::json::parse(R"({"created":["/id"]})"));
    return text(boost::json::object{{"affinity_rules", list}});
  };
  EXPECT_EQ(refused(id, many(65)), "/affinity_rules");
  EXPECT_EQ(put(id, many(64)).at("affinity_rules").as_array().size(), 64U);
}

TEST_F(AdminUpstreams, AValidationPathIsAPathOfAGenericService) {
  const auto id = make_service("a");
  const std::string longest = "/" + std::string(2047, 'x');
  EXPECT_EQ(put(id, R"({"validation_path":")" + longest + "\"}").at("validation_path").as_string(), longest);
  for (const std::string bad : {"account", "/a/../b", "/a/%2e%2e/b", "/a b", "/a?b=c", "/a#b", "/%zz", "//\\\\.."}) {
    EXPECT_EQ(refused(id, R"({"validation_path":")" + bad + "\"}"), "/validation_path") << bad;
  }
  EXPECT_EQ(refused(id, R"({"validation_path":")" + longest + "x\"}"), "/validation_path");
  EXPECT_EQ(refused(id, R"({"validation_path":7})"), "/validation_path");
  EXPECT_EQ(refused(make_llm("o", "openai_compatible"), R"({"validation_path":"/me"})"), "/validation_path");
  // It goes with the type.
  EXPECT_EQ(put(id, R"({"config_type":"LLM"})").at("validation_path").as_string(), "");
  EXPECT_EQ(refused(id, R"({"retry_on_empty":1})"), "/retry_on_empty");
}

}  // namespace
}  // namespace akr
