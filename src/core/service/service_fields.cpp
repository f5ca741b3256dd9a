#include "core/keys/selection/registry.hpp"
#include "core/service/client_format.hpp"
#include "core/service/fields.hpp"
#include "core/service/service_parts.hpp"
#include "core/service/validate_parts.hpp"

namespace akr {
namespace {

using std::int32_t;
using std::string;
using std::chrono::milliseconds;

using Names = std::vector<std::string_view>;

Names policy_names(const KnownFormats&) {
  Names names;
  for (const PolicyEntry& policy : selection_policies()) names.push_back(policy.id);
  return names;
}

constexpr std::int64_t kHour = 3'600'000;  // in ms

// THE list.
constexpr Field<Service> kFields[] = {
    {.name = "name",
     .member = [](Service& service) -> string& { return service.name; },
     .bounds = {1, 100},
     .check = check_name,
     .required = true,
     .meaning = {"unique", "唯一"}},
    {.name = "slug",
     .member = [](Service& service) -> string& { return service.slug; },
     .bounds = {1, 100},
     .check = check_slug,
     .required = true,
     .meaning = {"unique, `[A-Za-z0-9._-]`, and not `.` or `..`; the path segment",
                 "唯一，由 `[A-Za-z0-9._-]` 组成，不能是 `.` 或 `..`；路径段"}},
    {.name = "config_type",
     .member = Worded<Service>{parts::write_type, parts::read_type},
     .choices =
         [](const KnownFormats&) {
           return Names{"GENERIC", "LLM"};
         },
     .required = true,
     .meaning = {"what kind of service it is: any REST API, or a provider of language models",
                 "服务的类型：任意 REST API，或语言模型提供商"}},
    {.name = "api_key_location",
     .member = Worded<Service>{parts::write_key_location, parts::read_key_location},
     .choices =
         [](const KnownFormats&) {
           return Names{"header", "query", "path"};
         },
     .initial = {"`header`", "`header`"},
     .meaning =
         {"where the key goes: into the header or parameter `api_key_name`, if that is set; `path` (GENERIC): where "
          "`target_url` says `{key}`",
          "密钥放在哪里：设置了 `api_key_name` 时，为该请求头或参数；`path`（GENERIC）时，为 `target_url` 中写有 "
          "`{key}` "
          "的位置"}},
    {.name = "api_key_name",
     .member = Worded<Service>{parts::write_key_name, parts::read_key_name},
     .check = check_key_placement,
     .initial = {"LLM the format's own place, GENERIC none", "LLM 为格式自身的位置，GENERIC 无"},
     .meaning = {"name of the header or parameter that carries the key, up to 100 characters; GENERIC: no key is sent "
                 "unless set",
                 "携带密钥的请求头或参数名，最多 100 个字符；GENERIC 不设置时不发送密钥"}},
    {.name = "api_key_prefix",
     .member = Worded<Service>{parts::write_key_prefix, parts::read_key_prefix, parts::default_key_prefix},
     .initial = {"`\"\"`; `Bearer ` in a header of OpenAI's format", "`\"\"`；OpenAI 格式的请求头为 `Bearer `"},
     .meaning = {"put before the key in a header, up to 100 characters",
                 "请求头中置于密钥之前的内容，最多 100 个字符"}},
    {.name = "is_active",
     .member = [](Service& service) -> bool& { return service.active; },
     .nullable = false,
     .meaning = {"an inactive service answers 404", "停用的服务返回 404"}},
    {.name = "method",
     .member = Worded<Service>{parts::write_methods, parts::read_methods},
     .check = check_methods,
     .applies = AppliesTo::kGeneric,
     .required = true,
     .meaning = {"one method, a comma list, or `ANY`", "单个方法、逗号分隔的列表或 `ANY`"}},
    {.name = "target_url",
     .member = Worded<Service>{parts::write_target_url, parts::read_target_url},
     .check = check_upstreams,
     .applies = AppliesTo::kGeneric,
     .required = true,
     .meaning =
         {"`http(s)://host[:port][/base][?query]`, up to 2048 characters; with `upstreams` the first of them. With "
          "`api_key_location` `path` its path says `{key}` once, also within a segment: `https://host/v3/{key}`, "
          "`https://host/bot{key}`. A name that begins like an IP address (`127.0.0.1.nip.test`) is refused with 422: "
          "it could be read as "
          "another host",
          "`http(s)://host[:port][/base][?query]`，最多 2048 个字符；设有 `upstreams` "
          "时为其中第一个。`api_key_location` 为 `path` "
          "时，其路径中须写有一处 `{key}`，也可以在一段之内：`https://host/v3/{key}`、`https://host/bot{key}`。以 IP "
          "地址形式开头的主机名（如 `127.0.0.1.nip.test`）可能被读成另一台主机，以 422 拒绝"}},
    {.name = "target_base_url",
     .member = Worded<Service>{parts::write_target_base_url, parts::read_target_base_url},
     .applies = AppliesTo::kLlm,
     .required = true,
     .meaning = {"the same, for example `https://api.openai.com/v1`", "同上，例如 `https://api.openai.com/v1`"}},
    {.name = "upstreams",
     .member =
         Listed<Service>{
             .read = parts::read_upstreams, .write = parts::write_upstreams, .entries = Entries::kUpstreams},
     .meaning = {"several base URLs with `weight` and `priority`; see below",
                 "多个基础 URL，各带 `weight` 与 `priority`；见下文"}},
    {.name = "fallbacks",
     .member =
         Listed<Service>{
             .read = parts::read_fallbacks, .write = parts::write_fallbacks, .entries = Entries::kServiceIds},
     .check = check_fallbacks,
     .meaning = {"ids of the services that are asked, in this order, when no key or URL of this one can serve; see "
                 "below",
                 "本服务没有可用的密钥或 URL 时，依次改用的服务的 id；见下文"}},
    {.name = "affinity_rules",
     .member = Listed<Service>{.read = parts::read_affinity_rules,
                               .write = parts::write_affinity_rules,
                               .entries = Entries::kAffinityRules},
     .check = check_affinity_rules,
     .meaning = {"which answers name things (jobs, files) that belong to the key that made them; see below",
                 "哪些响应中的事物（任务、文件）属于创建它的密钥；见下文"}},
    {.name = "validation_path",
     .member = [](Service& service) -> string& { return service.validation_path; },
     .check = check_validation_path,
     .applies = AppliesTo::kGeneric,
     .meaning = {"path of a GET that costs nothing, to try keys with; begins with `/`, no query, up to 2048 characters",
                 "用于检验密钥、不产生费用的 GET 的路径；以 `/` 开头，不含查询，最多 2048 个字符"}},
    {.name = "retry_on_empty",
     .member = [](Service& service) -> bool& { return service.retry_on_empty; },
     .meaning = {"LLM: a good answer without content is tried again", "LLM：成功但没有内容的响应会重试"}},
    {.name = "api_format",
     .member = [](Service& service) -> string& { return service.api_format; },
     .choices = api_format_names,
     .check = check_api_format,
     .shown_if_set = true,
     .meaning = {"LLM: what the upstream speaks", "LLM：上游使用的格式"}},
    {.name = "output_format",
     .member = [](Service& service) -> string& { return service.output_format; },
     .choices = output_format_names,
     .check = check_output_format,
     .shown_if_set = true,
     .meaning = {"LLM: what clients speak; `none` is the upstream's own",
                 "LLM：客户端使用的格式；`none` 即上游自身的格式"}},
    {.name = "connect_timeout_ms",
     .member = [](Service& service) -> milliseconds& { return service.timeouts.connect; },
     .bounds = {1, kHour / 12},
     .follows_default = true,
     .meaning = {"longest wait for a connection", "建立连接的最长等待"}},
    {.name = "first_byte_timeout_ms",
     .member = [](Service& service) -> milliseconds& { return service.timeouts.first_byte; },
     .bounds = {1, kHour},
     .follows_default = true,
     .meaning = {"longest wait for the head of the answer", "等待响应头的最长时间"}},
    {.name = "stream_idle_timeout_ms",
     .member = [](Service& service) -> milliseconds& { return service.timeouts.stream_idle; },
     .bounds = {1, 24 * kHour},
     .follows_default = true,
     .meaning = {"longest silence within an answer", "响应中最长的静默时间"}},
    {.name = "total_timeout_ms",
     .member = [](Service& service) -> milliseconds& { return service.timeouts.total; },
     .bounds = {0, 24 * kHour},
     .follows_default = true,
     .meaning = {"the whole call; 0 is off", "整个调用；0 表示关闭"}},
    {.name = "max_attempts",
     .member = [](Service& service) -> int32_t& { return service.retry.max_attempts; },
     .bounds = {1, 10},
     .follows_default = true,
     .meaning =
         {"each on another key while there is one; those that end by the key's fault do not count, up to ten in all",
          "只要还有其他密钥，每次都换用另一个；因密钥而失败的不计入，总共最多十次"}},
    {.name = "retry_budget_ms",
     .member = [](Service& service) -> milliseconds& { return service.retry.budget; },
     .bounds = {0, kHour},
     .follows_default = true,
     .meaning = {"no new attempt after it", "超过后不再开始新的尝试"}},
    {.name = "retry_non_idempotent",
     .member = [](Service& service) -> bool& { return service.retry.retry_non_idempotent; },
     .follows_default = true,
     .meaning = {"POST and PATCH may be tried again after 5xx or a timeout", "POST 与 PATCH 在 5xx 或超时后可以重试"}},
    {.name = "selection_policy",
     .member = [](Service& service) -> string& { return service.selection_policy; },
     .choices = policy_names,
     .check = check_selection_policy,
     .follows_default = true,
     .meaning = {"which key comes next", "如何选择下一个密钥"}},
    {.name = "auto_disable",
     .member = [](Service& service) -> bool& { return service.auto_disable; },
     .meaning = {"the gateway may find a key exhausted or invalid by itself", "网关可以自行判定密钥已耗尽或无效"}},
    {.name = "invalid_after",
     .member = [](Service& service) -> int32_t& { return service.invalid_after; },
     .bounds = {1, 10},
     .meaning = {"refusals (401) in a row until a key is invalid", "连续多少次被拒（401）后密钥视为无效"}},
    {.name = "outage_guard",
     .member = [](Service& service) -> bool& { return service.outage_guard; },
     .meaning = {"most keys failing alike blames the upstream, not the keys",
                 "大多数密钥以同样方式失败时，归咎于上游而不是密钥"}},
    {.name = "failure_rules",
     .member = Listed<Service>{.read = parts::read_failure_rules,
                               .write = parts::write_failure_rules,
                               .entries = Entries::kFailureRules,
                               .named = true},
     .check = check_failure_rules,
     .meaning =
         {"what answers mean, asked before the format; see below. A string takes a built-in list: `openai`, "
          "`anthropic`, `gemini`, `tavily`, `serpapi`",
          "如何理解响应，先于格式自身的判断；见下文。字符串表示内置列表：`openai`、`anthropic`、`gemini`、`tavily`、"
          "`serpapi`"}},
    {.name = "wait_for_key_ms",
     .member = [](Service& service) -> milliseconds& { return service.wait_for_key; },
     .bounds = {0, 10'000},
     .meaning = {"longest wait for a key that is about to be usable", "等待即将可用的密钥的最长时间"}},
    {.name = "accept_body_key",
     .member = [](Service& service) -> bool& { return service.accept_body_key; },
     .meaning =
         {"the member `api_key` of an OpenAI JSON body is an access key too: once, within its first 64 KiB, of "
          "a body of at most 1 MiB that does not pass through unread (`stream_uploads`)",
          "OpenAI JSON 请求体中的 `api_key` 成员也作为访问密钥：只能出现一次，位于请求体的前 64 KiB 内，请求体最大 "
          "1 MiB，且不是未经读取直接转发的（`stream_uploads`）"}},
    {.name = "stream_uploads",
     .member = [](Service& service) -> bool& { return service.stream_uploads; },
     .meaning =
         {"request bodies pass through as they come, without limit, at the price of a single attempt; what "
          "LLM services are sent that is no file, and the JSON of services with `affinity_rules`, is read all the "
          "same (MAX_BODY_SIZE)",
          "请求体随到随转，不受长度限制，代价是只尝试一次；发往 LLM 服务的非文件请求体以及设有 "
          "`affinity_rules` 的服务的 JSON 请求体仍会被读取（MAX_BODY_SIZE）"}},
    {.name = "allow_set_cookie",
     .member = [](Service& service) -> bool& { return service.allow_set_cookie; },
     .meaning = {"passes the upstream's `Set-Cookie` on", "转发上游的 `Set-Cookie`"}},
    {.name = "egress_proxy",
     .member = [](Service& service) -> string& { return service.egress_proxy; },
     .check = check_egress_proxy,
     .sealed = true,
     .meaning = {"`http`, `https`, `socks5` or `socks5h` `://[user:password@]host:port`; the address policy "
                 "(`ALLOW_PRIVATE_UPSTREAMS`) holds for it too",
                 "`http`、`https`、`socks5` 或 `socks5h` `://[user:password@]host:port`；地址策略"
                 "（`ALLOW_PRIVATE_UPSTREAMS`）同样适用"}},
    {.name = "cors_origins",
     .member = Listed<Service>{.read = parts::read_cors_origins,
                               .write = parts::write_cors_origins,
                               .entries = Entries::kTexts,
                               .named = true},
     .check = check_cors_origins,
     .meaning =
         {"whose web pages may call the service from a browser: origins like `https://app.example`, or `[\"*\"]`; see "
          "below",
          "哪些网页可以从浏览器调用本服务：如 `https://app.example` 的源，或 `[\"*\"]`；见下文"}},
    {.name = "forward_client_ip",
     .member = [](Service& service) -> bool& { return service.forward_client_ip; },
     .meaning = {"tells the upstream the client's address in `X-Forwarded-For`",
                 "在 `X-Forwarded-For` 中把客户端的地址告知上游"}},
    {.name = "pinning",
     .member = Worded<Service>{parts::write_pinning, parts::read_pinning},
     .choices =
         [](const KnownFormats&) {
           return Names{"home", "spread"};
         },
     .meaning = {"`home`: what an access key makes (files, batches, vector stores) is made with one key, its home, so "
                 "that a request may name two of them; `spread`: with any key",
                 "`home`：一个访问密钥创建的内容（文件、批处理、向量存储）都用同一个密钥（其主密钥）创建，"
                 "因此一个请求可以同时引用其中两个；`spread`：用任意密钥创建"}},
    {.name = "share_resources",
     .member = [](Service& service) -> bool& { return service.share_resources; },
     .meaning = {"lets all access keys reach files, batches and other things that one of them made; otherwise they are "
                 "404 to the others",
                 "让所有访问密钥都能使用其中一个所创建的文件、批处理等；否则对其他访问密钥为 404"}},
};

}  // namespace

std::span<const Field<Service>> service_fields() { return kFields; }

}  // namespace akr
