#include "core/service/fields.hpp"

namespace akr {
namespace {

using std::int32_t;
using std::string;
using std::uint32_t;
using std::uint64_t;

constexpr std::int64_t kMost32 = 0xffff'ffff;
constexpr std::int64_t kMost64 = 1'000'000'000'000'000;  // what a JSON number still holds exactly

// THE list, for both kinds of keys that have these members.
template <class Key>
constexpr Field<Key> kFields[] = {
    {.name = "is_active",
     .member = [](Key& key) -> bool& { return key.enabled; },
     .nullable = false,
     .meaning = {"people switch keys off and on; the gateway never does", "由人停用或启用；网关从不更改"}},
    {.name = "note",
     .member = [](Key& key) -> string& { return key.note; },
     .bounds = {0, 1000},
     .shown_if_set = true,
     .meaning = {"for people", "备注，供人阅读"}},
    {.name = "weight",
     .member = [](Key& key) -> uint32_t& { return key.weight; },
     .bounds = {0, 1'000'000},
     .meaning = {"share under `weighted`; 0 is never chosen, under any policy",
                 "`weighted` 下的份额；0 在任何策略下都不会被选中"}},
    {.name = "priority",
     .member = [](Key& key) -> int32_t& { return key.priority; },
     .bounds = {-1'000'000, 1'000'000},
     .meaning = {"lower ones first; the next tier serves when this one has no usable key",
                 "数值小的优先；该层没有可用密钥时使用下一层"}},
    {.name = "quota_group",
     .member = [](Key& key) -> string& { return key.group; },
     .bounds = {0, 100},
     .shown_if_set = true,
     .meaning = {"keys of one group share cooldowns and limits", "同组密钥共享冷却与限额"}},
    {.name = "account",
     .member = [](Key& key) -> string& { return key.account; },
     .bounds = {0, 100},
     .shown_if_set = true,
     .meaning = {"the provider account (organisation, project, workspace) that the key belongs to: keys of one account "
                 "reach what another of them made",
                 "密钥所属的提供商账户（组织、项目、工作区）：同一账户的密钥可以使用其中另一个密钥创建的内容"}},
    {.name = "rpm",
     .member = [](Key& key) -> uint32_t& { return key.limits.rpm; },
     .bounds = {0, kMost32},
     .group = "limits",
     .meaning = {"requests in any 60 s; 0 is no limit, and a key at a limit is skipped",
                 "任意 60 秒内的请求数；0 表示不限，达到限额的密钥会被跳过"}},
    {.name = "tpm",
     .member = [](Key& key) -> uint64_t& { return key.limits.tpm; },
     .bounds = {0, kMost64},
     .group = "limits",
     .meaning = {"tokens in any 60 s; 0 is no limit", "任意 60 秒内的 token 数；0 表示不限"}},
    {.name = "rpd",
     .member = [](Key& key) -> uint32_t& { return key.limits.rpd; },
     .bounds = {0, kMost32},
     .group = "limits",
     .meaning = {"requests per calendar day; 0 is no limit", "每个自然日的请求数；0 表示不限"}},
    {.name = "max_concurrency",
     .member = [](Key& key) -> uint32_t& { return key.limits.max_concurrency; },
     .bounds = {0, kMost32},
     .group = "limits",
     .meaning = {"attempts at the same time; 0 is no limit", "同时进行的尝试数；0 表示不限"}},
    {.name = "monthly_quota",
     .member = [](Key& key) -> uint64_t& { return key.limits.monthly_quota; },
     .bounds = {0, kMost64},
     .group = "limits",
     .meaning = {"requests per month; 0 is no limit", "每月的请求数；0 表示不限"}},
    {.name = "monthly_reset_day",
     .member = [](Key& key) -> uint32_t& { return key.limits.monthly_reset_day; },
     .bounds = {1, 28},
     .group = "limits",
     .meaning = {"the day on which a month begins", "每月从哪一天开始计算"}},
};

}  // namespace

template <>
std::span<const Field<UpstreamKey>> key_fields() {
  return kFields<UpstreamKey>;
}

template <>
std::span<const Field<NewKey>> key_fields() {
  return kFields<NewKey>;
}

}  // namespace akr
