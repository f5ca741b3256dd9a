// The call that costs nothing: which one a service has, what is sent, and what is made of the answer.
#include "upstream/free_call.hpp"

#include <atomic>
#include <string>

#include "tests/support/refusing_port.hpp"
#include "upstream/caller_fixture.hpp"

namespace akr {
namespace {

RoutedService llm_at(RoutedService service, const std::string& format) {
  service.config.type = ServiceType::kLlm;
  service.config.api_format = format;
  find_provider_of(service);
  return service;
}

RoutedService generic_at(RoutedService service, const std::string& path) {
  service.config.validation_path = path;
  service.config.key_placement = KeyPlacement{KeyLocation::kHeader, "X-Key", ""};
  return service;
}

std::string head_of(const RoutedService& service) {
  const PooledKey key = key_of("sk-1");
  auto call = FreeCall::make(service, service.url, key);
  if (!call) return std::string(to_string(call.error().code));
  std::string out;
  call->write_head(out);
  return out;
}

TEST(FreeCall, EachServiceHasItsOwnOrNone) {
  Service service;
  EXPECT_FALSE(has_free_call(service));
  service.validation_path = "/me";
  EXPECT_FALSE(has_free_call(service));  // it would carry no key
  service.key_placement = KeyPlacement{KeyLocation::kQuery, "key", ""};
  EXPECT_TRUE(has_free_call(service));
  service.type = ServiceType::kLlm;
  service.api_format = "openai_compatible";
  EXPECT_TRUE(has_free_call(service));
  service.api_format = "nobody";
  EXPECT_FALSE(has_free_call(service));
}

TEST(FreeCall, CarriesTheKeyWhereTheServiceWantsIt) {
  const std::string openai = head_of(llm_at(service_at("https://up.example/v1"), "openai_compatible"));
  EXPECT_TRUE(openai.starts_with("GET /v1/models HTTP/1.1\r\nHost: up.example\r\nAccept: application/json\r\n"))
      << openai;
  EXPECT_NE(openai.find("\r\nauthorization: Bearer sk-1\r\n"), std::string::npos) << openai;
  EXPECT_TRUE(openai.ends_with("\r\n\r\n"));
  const std::string anthropic = head_of(llm_at(service_at("https://up.example"), "anthropic_native"));
  EXPECT_NE(anthropic.find("anthropic-version: "), std::string::npos) << anthropic;

  RoutedService generic = generic_at(service_at("https://up.example/base?tenant=1"), "/me?full=1");
  EXPECT_EQ(head_of(generic),
            "GET /base/me?tenant=1&full=1 HTTP/1.1\r\nHost: up.example\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
            "User-Agent: api-key-rotator\r\nX-Key: sk-1\r\n\r\n");
  generic.config.key_placement = KeyPlacement{KeyLocation::kQuery, "key", ""};
  EXPECT_TRUE(head_of(generic).starts_with("GET /base/me?tenant=1&full=1&key=sk-1 HTTP/1.1\r\n"));
}

TEST(FreeCall, APathThatLeadsElsewhereIsRefused) {
  EXPECT_EQ(head_of(generic_at(service_at("https://up.example/base"), "/../admin")),
            to_string(ErrorCode::kPathRefused));
}

class MakeFreeCall : public CallerFixture {
 protected:
  FreeCallAnswer ask(const RoutedService& service) {
    const PooledKey key = key_of("sk-1");
    const auto body = [&](Caller& caller) -> net::Task<FreeCallAnswer> {
      FreeCallAnswer answer = co_await make_free_call(caller, service, key);
      co_return answer;
    };
    return with_caller(body);
  }
  FreeCallAnswer answered_with(const std::string& answer) {
    test::TcpServer server([&](int fd) {
      test::receive_until(fd, "\r\n\r\n");
      test::send_all(fd, answer);
    });
    return ask(llm_at(service_at(server.port()), "openai_compatible"));
  }
};

TEST_F(MakeFreeCall, TheAnswerIsJudgedAsOneToARequest) {
  const FreeCallAnswer good = answered_with("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"data\":[]}");
  EXPECT_EQ(good.status, 200);
  EXPECT_EQ(good.verdict.key, KeyAction::kGood);
  const FreeCallAnswer refused = answered_with("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(refused.status, 401);
  EXPECT_NE(refused.verdict.key, KeyAction::kGood);
  EXPECT_EQ(refused.reason, refused.verdict.reason);
  EXPECT_NE(refused.reason, "");
}

// A 200 that holds an error is no accepted key, also in chunks, and also when its end never comes.
TEST_F(MakeFreeCall, TheBodyIsReadHoweverItComes) {
  const std::string error = R"({"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}})";
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", error.size());
  const std::string chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(size) + error + "\r\n";
  for (const std::string& answer : {"HTTP/1.1 200 OK\r\n\r\n" + error, chunked + "0\r\n\r\n", chunked}) {
    const FreeCallAnswer told = answered_with(answer);
    EXPECT_EQ(told.status, 200) << answer;
    EXPECT_NE(told.verdict.key, KeyAction::kGood) << answer;
  }
}

TEST_F(MakeFreeCall, WithoutAnAnswerNobodyIsBlamed) {
  const test::RefusingPort nobody;
  const FreeCallAnswer refused = ask(llm_at(service_at(nobody.url()), "openai_compatible"));
  EXPECT_EQ(refused.status, 0);
  EXPECT_EQ(refused.verdict.key, KeyAction::kNone);
  EXPECT_EQ(refused.reason, to_string(ErrorCode::kUpstreamConnect));
  const FreeCallAnswer nonsense = answered_with("nonsense\r\n\r\n");
  EXPECT_EQ(nonsense.status, 0);
  EXPECT_EQ(nonsense.verdict.key, KeyAction::kNone);
  EXPECT_NE(nonsense.reason, "");
}

TEST_F(MakeFreeCall, APathThatIsRefusedIsNotAsked) {
  std::atomic<int> asked = 0;
  test::TcpServer server([&](int) { ++asked; });
  const FreeCallAnswer told = ask(generic_at(service_at(server.port()), "/../admin"));
  EXPECT_EQ(told.status, 0);
  EXPECT_EQ(told.reason, to_string(ErrorCode::kPathRefused));
  EXPECT_EQ(server.connections(), 0);
}

}  // namespace
}  // namespace akr
