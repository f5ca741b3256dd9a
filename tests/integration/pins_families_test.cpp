// Every family of things that live in one provider account (D23), in the words of its provider.
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/pins_fixture.hpp"

namespace akr::test {
namespace {

// How one thing is made and asked for again.
struct Family {
  const char* name;
  const char* format;  // "" = a generic service with the rule below
  const char* make_method;
  const char* make_path;
  const char* make_body;
  const char* answer;
  const char* answer_fields;
  const char* use_method;
  const char* use_path;
  const char* use_body;
};
void PrintTo(const Family& family, std::ostream* out) { *out << family.name; }  // NOLINT: GoogleTest's name

class EachFamily : public testing::TestWithParam<Family> {};

TEST_P(EachFamily, GoesBackToTheKeyThatMadeIt) {
  const Family& family = GetParam();
  ChangingScript script;
  FakeUpstream upstream([&script](UpstreamCall& call) { script(call); });
  ProxyUnderTest proxy(spec_for(upstream, family.format));
  proxy.get("/elsewhere");  // so that the first key is not the one by chance
  script = [&](UpstreamCall& call) { call.answer(200, family.answer, family.answer_fields); };
  ASSERT_EQ(proxy.ask(family.make_method, family.make_path, family.make_body, kJson).status, 200);
  const std::string maker = upstream.last().field("authorization");
  script = [](UpstreamCall& call) { call.answer(200, "{}", kJsonType); };
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(proxy.ask(family.use_method, family.use_path, family.use_body, kJson).status, 200);
    EXPECT_EQ(upstream.last().field("authorization"), maker);
  }
  // To another access key what was made does not exist.  It shares what was only seen, or has a number, as little: its
  // requests rotate.
  const bool made = std::string_view(family.make_method) == "POST" && std::string_view(family.name) != "rest_path";
  if (made) {
    const int before = upstream.requests();
    const HttpAnswer refused =
        proxy.ask(family.use_method, family.use_path, family.use_body, kJson, ProxyUnderTest::kOtherAccessKey);
    EXPECT_EQ(refused.status, 404);
    EXPECT_EQ(upstream.requests(), before);
    return;
  }
  std::set<std::string> others;
  for (int i = 0; i < 5; ++i) {
    proxy.ask(family.use_method, family.use_path, family.use_body, kJson, ProxyUnderTest::kOtherAccessKey);
    others.insert(upstream.last().field("authorization"));
  }
  EXPECT_EQ(others.size(), 5U);
}

const Family kFamilies[] = {
    {"openai_file", kOpenAi, "POST", "/v1/files", "form", R"({"id":"file-1","object":"file"})", kJsonType, "GET",
     "/v1/files/file-1/content", ""},
    {"openai_file_in_chat", kOpenAi, "POST", "/v1/files", "form", R"({"id":"file-1","object":"file"})", kJsonType,
     "POST", "/v1/chat/completions",
     R"({"model":"m","messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}]})"},
    {"openai_file_in_code_interpreter", kOpenAi, "POST", "/v1/files", "form", R"({"id":"file-1"})", kJsonType, "POST",
     "/v1/responses",
     R"({"model":"m","tools":[{"type":"code_interpreter","container":{"type":"auto","file_ids":["x","file-1"]}}]})"},
    {"openai_upload", kOpenAi, "POST", "/v1/uploads", "{}", R"({"id":"upload_1","object":"upload"})", kJsonType, "POST",
     "/v1/uploads/upload_1/parts", "form"},
    {"openai_upload_completed", kOpenAi, "POST", "/v1/uploads/u/complete", "{}", R"({"id":"u","file":{"id":"file-2"}})",
     kJsonType, "POST", "/v1/batches", R"({"input_file_id":"file-2"})"},
    {"openai_batch_output", kOpenAi, "GET", "/v1/batches/batch_1", "",
     R"({"id":"batch_1","input_file_id":"file-3","output_file_id":"file-4","error_file_id":null})", kJsonType, "GET",
     "/v1/files/file-4/content", ""},
    {"openai_fine_tuning", kOpenAi, "POST", "/v1/fine_tuning/jobs", "{}",
     R"({"id":"ftjob-1","result_files":["file-5"],"fine_tuned_model":"ft:gpt:o::1"})", kJsonType, "GET",
     "/v1/files/file-5/content", ""},
    {"openai_fine_tuned_model", kOpenAi, "GET", "/v1/fine_tuning/jobs/ftjob-1", "",
     R"({"id":"ftjob-1","fine_tuned_model":"ft:gpt:o::1"})", kJsonType, "POST", "/v1/chat/completions",
     R"({"messages":[],"model":"ft:gpt:o::1"})"},
    {"openai_training_file", kOpenAi, "GET", "/v1/files", "", R"({"data":[{"id":"file-6"},{"id":"file-7"}]})",
     kJsonType, "POST", "/v1/fine_tuning/jobs", R"({"model":"m","training_file":"file-7"})"},
    {"openai_response", kOpenAi, "POST", "/v1/responses", R"({"model":"m","input":"x","store":false})",
     R"({"id":"resp_1","object":"response","output":[{"id":"msg_1"}]})", kJsonType, "POST", "/v1/responses",
     R"({"model":"m","previous_response_id":"resp_1","input":"y"})"},
    {"openai_response_stream", kOpenAi, "POST", "/v1/responses", R"({"model":"m","input":"x","stream":true})",
     kResponseStream, kSseType, "POST", "/v1/responses",
     R"({"model":"m","previous_response_id":"resp_s","input":"y"})"},
    {"openai_item_reference", kOpenAi, "POST", "/v1/responses", R"({"model":"m","input":"x","stream":true})",
     kResponseStream, kSseType, "POST", "/v1/responses",
     R"({"model":"m","input":[{"role":"user","content":"x"},{"type":"item_reference","id":"rs_s"}]})"},
    {"openai_conversation", kOpenAi, "POST", "/v1/conversations", "{}", R"({"id":"conv_1"})", kJsonType, "POST",
     "/v1/responses", R"({"model":"m","conversation":{"id":"conv_1"},"input":"y"})"},
    {"openai_conversation_as_text", kOpenAi, "POST", "/v1/conversations", "{}", R"({"id":"conv_1"})", kJsonType, "POST",
     "/v1/responses", R"({"model":"m","conversation":"conv_1","input":"y"})"},
    {"openai_vector_store", kOpenAi, "POST", "/v1/vector_stores", "{}", R"({"id":"vs_1"})", kJsonType, "POST",
     "/v1/responses", R"({"model":"m","tools":[{"type":"file_search","vector_store_ids":["vs_1"]}]})"},
    {"openai_thread", kOpenAi, "POST", "/v1/threads/runs", "{}", R"({"id":"run_1","thread_id":"thread_1"})", kJsonType,
     "GET", "/v1/threads/thread_1/messages?limit=2", ""},
    {"openai_assistant", kOpenAi, "POST", "/v1/assistants", "{}", R"({"id":"asst_1"})", kJsonType, "POST",
     "/v1/threads/runs", R"({"assistant_id":"asst_1","thread":{}})"},
    {"openai_container", kOpenAi, "POST", "/v1/containers", "{}", R"({"id":"cntr_1"})", kJsonType, "POST",
     "/v1/responses", R"({"tools":[{"type":"code_interpreter","container":"cntr_1"}],"model":"m"})"},
    {"openai_stored_chat", kOpenAi, "POST", "/v1/chat/completions", R"({"model":"m","messages":[],"store":true})",
     R"({"id":"chatcmpl-1","choices":[]})", kJsonType, "GET", "/v1/chat/completions/chatcmpl-1", ""},
    {"openai_video", kOpenAi, "POST", "/v1/videos", "{}", R"({"id":"video_1"})", kJsonType, "POST",
     "/v1/videos/video_1/remix", "{}"},
    {"openai_realtime_call", kOpenAi, "POST", "/v1/realtime/calls", "v=0", "v=0",
     "Content-Type: application/sdp\r\nLocation: /v1/realtime/calls/rtc_1\r\n", "POST",
     "/v1/realtime/calls/rtc_1/hangup", "{}"},
    {"openai_realtime_session", kOpenAi, "POST", "/v1/realtime/client_secrets", "{}",
     R"({"value":"ek_1","session":{"id":"sess_1"}})", kJsonType, "GET", "/v1/realtime/sessions/sess_1", ""},
    {"openai_page", kOpenAi, "GET", "/v1/files?limit=1", "", R"({"data":[{"id":"file-8"}],"has_more":true})", kJsonType,
     "GET", "/v1/files?limit=1&after=file-8", ""},
    {"anthropic_file", kAnthropic, "POST", "/v1/files?beta=true", "form", R"({"id":"file_1","type":"file"})", kJsonType,
     "POST", "/v1/messages",
     R"({"model":"m","messages":[{"role":"user","content":[{"type":"document","source":{"type":"file","file_id":"file_1"}}]}]})"},
    {"anthropic_batch", kAnthropic, "POST", "/v1/messages/batches", R"({"requests":[]})",
     R"({"id":"msgbatch_1","type":"message_batch"})", kJsonType, "GET", "/v1/messages/batches/msgbatch_1/results", ""},
    {"anthropic_skill", kAnthropic, "POST", "/v1/skills", "form", R"({"id":"skill_1"})", kJsonType, "POST",
     "/v1/messages", R"({"container":{"skills":[{"type":"custom","skill_id":"skill_1"}]},"model":"m","messages":[]})"},
    {"anthropic_container", kAnthropic, "POST", "/v1/messages", kCodeTool,
     R"({"id":"msg_1","content":[],"container":{"id":"container_1","expires_at":"x"}})", kJsonType, "POST",
     "/v1/messages", R"({"model":"m","messages":[],"container":"container_1"})"},
    {"anthropic_container_stream", kAnthropic, "POST", "/v1/messages", kCodeTool, kMessageStream, kSseType, "POST",
     "/v1/messages", R"({"model":"m","messages":[],"container":{"id":"container_s"}})"},
    {"anthropic_agent_as_text", kAnthropic, "POST", "/v1/agents", "{}", R"({"id":"agent_1"})", kJsonType, "POST",
     "/v1/sessions", R"({"agent":"agent_1","environment_id":"env_x"})"},
    {"anthropic_agent", kAnthropic, "POST", "/v1/agents", "{}", R"({"id":"agent_1"})", kJsonType, "POST",
     "/v1/sessions", R"({"agent":{"type":"agent","id":"agent_1","version":1},"environment_id":"env_x"})"},
    {"anthropic_agent_of_several", kAnthropic, "POST", "/v1/agents", "{}", R"({"id":"agent_1"})", kJsonType, "POST",
     "/v1/agents",
     R"({"multiagent":{"type":"coordinator","agents":[{"type":"self"},{"type":"agent","id":"agent_1"}]}})"},
    {"anthropic_environment", kAnthropic, "POST", "/v1/environments", "{}", R"({"id":"env_1"})", kJsonType, "POST",
     "/v1/sessions", R"({"agent":"agent_x","environment_id":"env_1"})"},
    {"anthropic_session", kAnthropic, "POST", "/v1/sessions", "{}", R"({"id":"sesn_1"})", kJsonType, "POST",
     "/v1/sessions/sesn_1/events", R"({"events":[]})"},
    {"anthropic_memory_store", kAnthropic, "POST", "/v1/memory_stores", "{}", R"({"id":"memstore_1"})", kJsonType,
     "POST", "/v1/sessions",
     R"({"agent":"a","environment_id":"e","resources":[{"type":"memory_store","memory_store_id":"memstore_1"}]})"},
    {"anthropic_dream", kAnthropic, "POST", "/v1/dreams", "{}", R"({"id":"drm_1"})", kJsonType, "POST",
     "/v1/dreams/drm_1/cancel", ""},
    {"anthropic_dreamt_store", kAnthropic, "GET", "/v1/dreams/drm_1", "",
     R"({"id":"drm_1","outputs":[{"type":"memory_store","memory_store_id":"memstore_2"}]})", kJsonType, "GET",
     "/v1/memory_stores/memstore_2/memories", ""},
    {"anthropic_dream_of_sessions", kAnthropic, "POST", "/v1/sessions", "{}", R"({"id":"sesn_1"})", kJsonType, "POST",
     "/v1/dreams", R"({"model":"m","inputs":[{"type":"sessions","session_ids":["sesn_x","sesn_1"]}]})"},
    {"anthropic_deployment_run", kAnthropic, "POST", "/v1/deployments/dep_1/run", "{}",
     R"({"id":"drun_1","session_id":"sesn_2"})", kJsonType, "GET", "/v1/sessions/sesn_2/events", ""},
    {"anthropic_tunnel", kAnthropic, "POST", "/v1/tunnels", "{}", R"({"id":"tnl_1"})", kJsonType, "POST",
     "/v1/tunnels/tnl_1/reveal_token", "{}"},
    {"anthropic_user_profile", kAnthropic, "POST", "/v1/user_profiles", "{}", R"({"id":"uprof_1"})", kJsonType, "POST",
     "/v1/user_profiles/uprof_1/enrollment_url", "{}"},
    {"anthropic_written_by_code", kAnthropic, "POST", "/v1/messages", kCodeTool,
     R"({"id":"msg_1","content":[{"type":"bash_code_execution_tool_result","content":{"type":"bash_code_execution_result","content":[{"type":"bash_code_execution_output","file_id":"file_w"}]}}]})",
     kJsonType, "GET", "/v1/files/file_w/content", ""},
    {"openai_agent_session", kOpenAi, "POST", "/v1/agents/sessions", "{}",
     R"({"id":"asess_1","environment":{"id":"envr_1","type":"openai_hosted"}})", kJsonType, "GET",
     "/v1/agents/environments/envr_1/files", ""},
    {"openai_voice", kOpenAi, "POST", "/v1/audio/voices", "form", R"({"id":"voice_1"})", kJsonType, "POST",
     "/v1/audio/speech", R"({"model":"m","input":"x","voice":{"id":"voice_1"}})"},
    {"openai_video_edit", kOpenAi, "POST", "/v1/videos", "{}", R"({"id":"video_1"})", kJsonType, "POST",
     "/v1/videos/edits", R"({"prompt":"x","video":{"id":"video_1"}})"},
    {"gemini_agent", kGemini, "POST", "/v1beta/agents", "{}", R"({"id":"my-agent"})", kJsonType, "POST",
     "/v1beta/interactions", R"({"agent":"my-agent","input":"x"})"},
    {"gemini_file", kGemini, "POST", "/upload/v1beta/files?upload_id=U", "bytes",
     R"({"file":{"name":"files/abc","uri":"https://generativelanguage.googleapis.com/v1beta/files/abc"}})", kJsonType,
     "POST", "/v1beta/models/m:generateContent",
     R"({"contents":[{"parts":[{"fileData":{"mimeType":"a/b","fileUri":"https:\/\/h\/v1beta\/files\/abc"}}]}]})"},
    {"gemini_file_snake", kGemini, "GET", "/v1beta/files?pageSize=9", "", R"({"files":[{"name":"files/abc"}]})",
     kJsonType, "POST", "/v1beta/models/m:generateContent",
     R"({"contents":[{"parts":[{"file_data":{"file_uri":"https://h/v1beta/files/abc"}}]}]})"},
    {"gemini_file_path", kGemini, "GET", "/v1beta/files/abc", "", R"({"name":"files/abc"})", kJsonType, "GET",
     "/v1beta/files/abc:download?alt=media", ""},
    {"gemini_resumable", kGemini, "POST", "/upload/v1beta/files", R"({"file":{}})", "{}",
     "Content-Type: application/json\r\nX-Goog-Upload-URL: https://h/upload/v1beta/files?upload_id=A%2DB&x=y\r\n",
     "POST", "/upload/v1beta/files?upload_id=A-B&upload_protocol=resumable", "bytes"},
    {"gemini_cache", kGemini, "POST", "/v1beta/cachedContents", "{}", R"({"name":"cachedContents/c1"})", kJsonType,
     "POST", "/v1beta/models/m:streamGenerateContent?alt=sse",
     R"({"contents":[],"cachedContent":"cachedContents/c1"})"},
    {"gemini_batch", kGemini, "POST", "/v1beta/models/m:batchGenerateContent", "{}",
     R"({"name":"batches/b1","metadata":{"@type":"x","name":"batches/b1"}})", kJsonType, "POST",
     "/v1beta/batches/b1:cancel", "{}"},
    {"gemini_batch_output", kGemini, "GET", "/v1beta/batches/b1", "",
     R"({"name":"batches/b1","done":true,"response":{"responsesFile":"files/out1"}})", kJsonType, "GET",
     "/download/v1beta/files/out1:download?alt=media", ""},
    {"gemini_operation", kGemini, "POST", "/v1beta/models/veo-3:predictLongRunning", "{}",
     R"({"name":"models/veo-3/operations/o1"})", kJsonType, "GET", "/v1beta/models/veo-3/operations/o1", ""},
    {"gemini_tuned_model", kGemini, "GET", "/v1beta/tunedModels/t1", "", R"({"name":"tunedModels/t1"})", kJsonType,
     "POST", "/v1beta/tunedModels/t1:generateContent", R"({"contents":[]})"},
    {"gemini_interaction", kGemini, "POST", "/v1beta/interactions", "{}", R"({"id":"v1_X","status":"completed"})",
     kJsonType, "POST", "/v1beta/interactions", R"({"model":"m","input":"x","previous_interaction_id":"v1_X"})"},
    {"rest_path", "", "POST", "/jobs", "{}", R"({"job":{"id":4711}})", kJsonType, "GET", "/jobs/4711", ""},
    {"rest_query", "", "POST", "/jobs", "{}", R"({"job":{"id":"a b/c"}})", "Content-Type: application/hal+json\r\n",
     "GET", "/x?job=a%20b%2Fc", ""},
    {"rest_body", "", "POST", "/jobs", "{}", R"({"parts":["p1","p2"]})", kJsonType, "POST", "/any",
     R"({"after":"p1"})"},
};

INSTANTIATE_TEST_SUITE_P(Families, EachFamily, testing::ValuesIn(kFamilies),
                         [](const auto& each) { return std::string(each.param.name); });

// An upstream with files and answers; each test says what else it does.

}  // namespace
}  // namespace akr::test
