#include "net/dns/dns_lookup.hpp"

#include <algorithm>
#include <cstring>

#include "base/log.hpp"

namespace akr::net {
namespace {

constexpr std::size_t kMaxAddresses = 16;        // of one family; no connect tries more
constexpr std::chrono::milliseconds kGrace{50};  // for the second family, RFC 8305 section 3
constexpr std::array<int, 2> kFamilies = {AF_INET6, AF_INET};

std::chrono::seconds ttl_of(const ares_addrinfo& answer) {
  int ttl = 0x7fffffff;
  for (const auto* node = answer.nodes; node != nullptr; node = node->ai_next) ttl = std::min(ttl, node->ai_ttl);
  for (const auto* alias = answer.cnames; alias != nullptr; alias = alias->next) ttl = std::min(ttl, alias->ttl);
  return std::chrono::seconds(std::max(ttl, 0));
}

}  // namespace

struct DnsLookup::Query {
  std::shared_ptr<DnsLookup> lookup;
  std::size_t family;
};

void DnsLookup::start(DnsChannel& channel, std::string name) {
  channel_ = &channel;
  name_ = std::move(name);
  ask();
}

void DnsLookup::ask() {
  const auto self = shared_from_this();
  const bool searching = next_domain_ > 0;
  const std::string name = searching ? name_ + "." + channel_->search_domains()[next_domain_ - 1] : name_;
  open_queries_ = static_cast<int>(kFamilies.size());
  status_ = ARES_SUCCESS;
  for (std::size_t family = 0; family < kFamilies.size(); ++family) {
    auto query = std::make_unique<Query>();
    query->lookup = self;
    query->family = family;
    channel_->query(name, kFamilies[family], &DnsLookup::on_answer, query.release());
  }
}

bool DnsLookup::ask_next() {
  const bool absent = status_ == ARES_ENODATA || status_ == ARES_ENOTFOUND;
  if (!absent || name_.ends_with('.') || next_domain_ == channel_->search_domains().size()) return false;
  ++next_domain_;
  ask();
  return true;
}

void DnsLookup::on_answer(void* query, int status, int, ares_addrinfo* answer) {
  const std::unique_ptr<Query> owned(static_cast<Query*>(query));
  try {
    owned->lookup->take(owned->family, status, answer);
  } catch (const std::exception& failure) {
    log_failure("lookup_failed", failure.what());  // not through c-ares
    owned->lookup->give_up();
  }
  ares_freeaddrinfo(answer);
}

void DnsLookup::take(std::size_t family, int status, const ares_addrinfo* answer) {
  --open_queries_;
  const bool absent = status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND;
  if (!absent && channel_->short_of_sockets()) status = kShortage;
  std::vector<SocketAddress>& found = found_[family];
  const auto* node = status == ARES_SUCCESS ? answer->nodes : nullptr;
  for (; node != nullptr && found.size() < kMaxAddresses; node = node->ai_next) {
    if (node->ai_family != kFamilies[family]) continue;
    SocketAddress address;
    std::memcpy(&address.storage, node->ai_addr, node->ai_addrlen);
    address.length = node->ai_addrlen;
    found.push_back(address);
  }
  if (!found.empty()) {
    const auto ttl = std::chrono::duration_cast<std::chrono::milliseconds>(ttl_of(*answer));
    expires_ = std::min(expires_, worker_.now() + std::clamp(ttl, options_.min_ttl, options_.max_ttl));
  } else if (status_ == ARES_SUCCESS || (status != ARES_SUCCESS && status != ARES_ENODATA)) {
    status_ = status == ARES_SUCCESS ? ARES_ENODATA : status;  // "no such record" says less than any other failure
  }
  if (open_queries_ == 0) {
    if (found_[0].empty() && found_[1].empty() && ask_next()) return;
    finish();
  } else if (!found.empty()) {
    worker_.timers().arm(*this, worker_.now() + kGrace);
  }
}

// Called again if the second family comes late: it is good for the next asker.
void DnsLookup::finish() {
  unlink();
  addresses_.clear();
  for (const auto& found : found_) addresses_.insert(addresses_.end(), found.begin(), found.end());
  if (!addresses_.empty()) {
    status_ = ARES_SUCCESS;
  } else {
    expires_ = worker_.now();
    if (status_ != kShortage) expires_ += options_.failure_ttl;
  }
  answered_ = true;
  // Resumed by the loop, not from inside c-ares.
  for (Asker* asker : askers_) {
    asker->unlink();
    worker_.resume_soon(asker->handle_);
  }
  askers_.clear();
}

// No memory for an answer.  Who cannot even be woken for that wakes at its deadline.
void DnsLookup::give_up() noexcept {
  unlink();
  addresses_.clear();
  status_ = ARES_ENOMEM;
  expires_ = worker_.now();
  answered_ = true;
  try {
    for (; !askers_.empty(); askers_.pop_back()) {
      worker_.resume_soon(askers_.back()->handle_);
      askers_.back()->unlink();
    }
  } catch (const std::bad_alloc&) {
    return;
  }
}

DnsLookup::Asker::~Asker() { std::erase(lookup_->askers_, this); }

void DnsLookup::Asker::await_suspend(std::coroutine_handle<> handle) {
  handle_ = handle;
  lookup_->askers_.push_back(this);
  if (deadline_ != TimePoint::max()) lookup_->worker_.timers().arm(*this, deadline_);
}

void DnsLookup::Asker::on_deadline() {
  std::erase(lookup_->askers_, this);
  end_ = WaitEnd::kTimeout;
  handle_.resume();
}

void DnsLookup::Asker::on_stop() {
  std::erase(lookup_->askers_, this);
  end_ = WaitEnd::kCancelled;
  lookup_->worker_.resume_soon(handle_);
}

}  // namespace akr::net
