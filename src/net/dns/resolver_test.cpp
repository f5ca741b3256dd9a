#include "net/dns/resolver.hpp"

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/dns/dns_lookup.hpp"
#include "tests/support/dns_server.hpp"
#include "tests/support/no_descriptors.hpp"
#include "tests/support/run_on_worker.hpp"

namespace akr::net {
namespace {

using std::chrono::milliseconds;
using test::DnsServer;
using test::WorkerThread;
using Addresses = Result<std::vector<SocketAddress>>;

TimePoint in(milliseconds time) { return std::chrono::steady_clock::now() + time; }
const milliseconds kLong{10'000};

// "::1 127.0.0.1", or the error's name.
std::string text_of(const Addresses& result) {
  if (!result) return std::string(to_string(result.error().code));
  std::string text;
  for (const SocketAddress& address : *result) text += (text.empty() ? "" : " ") + to_text(address);
  return text;
}

class ResolverTest : public testing::Test {
 protected:
  ResolverOptions options() const {
    ResolverOptions result;
    result.servers.list = dns_.address();
    result.servers.first_wait = milliseconds(100);
    result.servers.rounds = 2;
    return result;
  }

  // Resolves each of `names` in turn with one Resolver; "sleep" waits 60 ms.
  std::vector<std::string> resolve(std::vector<std::string> names, ResolverOptions with, milliseconds limit = kLong) {
    const auto body = [&](Worker& worker) -> Task<std::vector<std::string>> {
      Resolver resolver(worker, with);
      std::vector<std::string> answers;
      for (const std::string& name : names) {
        if (name == "sleep") {
          co_await sleep_until(worker, in(milliseconds(60)));
          continue;
        }
        const Addresses result = co_await resolver.resolve(name, 443, in(limit));
        answers.push_back(text_of(result));
      }
      co_return answers;
    };
    return loop_.run(body);
  }
  std::string resolve_one(const std::string& name, milliseconds limit = kLong) {
    return resolve({name}, options(), limit).front();
  }

  DnsServer dns_;
  WorkerThread loop_;
};

TEST_F(ResolverTest, BothFamiliesIpv6First) {
  dns_.set_ipv4("both.test", {.addresses = {"192.0.2.1", "192.0.2.2"}});
  dns_.set_ipv6("both.test", {.addresses = {"2001:db8::1"}});
  EXPECT_EQ(resolve_one("both.test"), "2001:db8::1 192.0.2.1 192.0.2.2");
}

TEST_F(ResolverTest, FillsInThePort) {
  dns_.set_ipv4("port.test", {.addresses = {"192.0.2.1"}});
  const auto body = [&](Worker& worker) -> Task<int> {
    Resolver resolver(worker, options());
    const Addresses result = co_await resolver.resolve("port.test", 8443, in(kLong));
    co_return ntohs(reinterpret_cast<const sockaddr_in*>(&result->front().storage)->sin_port);
  };
  EXPECT_EQ(loop_.run(body), 8443);
}

TEST_F(ResolverTest, LiteralsAskNobodyAndOpenNothing) {
  const auto body = [&](Worker& worker) -> Task<std::string> {
    const int before = ::dup(0);
    ::close(before);
    Resolver resolver(worker, options());
    const Addresses v4 = co_await resolver.resolve("192.0.2.9", 1, in(kLong));
    const Addresses v6 = co_await resolver.resolve("::1", 1, in(kLong));
    const int after = ::dup(0);
    ::close(after);
    EXPECT_EQ(before, after);  // no descriptor was taken
    co_return text_of(v4) + " " + text_of(v6);
  };
  EXPECT_EQ(loop_.run(body), "192.0.2.9 ::1");
  EXPECT_EQ(dns_.queries(), 0);
}

TEST_F(ResolverTest, NoSuchNameAndNoRecord) {
  dns_.set_ipv4("empty.test", {});
  EXPECT_EQ(resolve_one("nowhere.test"), "upstream_unresolved");
  EXPECT_EQ(resolve_one("empty.test"), "upstream_unresolved");
}

TEST_F(ResolverTest, ShortNamesAreSearchedForBothFamiliesTogether) {
  ResolverOptions with = options();
  with.servers.search = {"one.test", "two.test"};
  dns_.set_ipv4("short.two.test", {.addresses = {"192.0.2.6"}});
  dns_.set_ipv4("full.test", {.addresses = {"192.0.2.7"}});
  dns_.set_ipv6("full.test.one.test", {.addresses = {"2001:db8::bad"}});  // a wildcard, say
  const std::vector<std::string> expected = {"192.0.2.6", "192.0.2.7", "upstream_unresolved"};
  EXPECT_EQ(resolve({"short", "full.test", "short."}, with), expected);
}

TEST_F(ResolverTest, ServerFailure) {
  dns_.set_ipv4("broken.test", {.rcode = 2});
  dns_.set_ipv6("broken.test", {.rcode = 2});
  EXPECT_EQ(resolve_one("broken.test"), "upstream_unresolved");
}

TEST_F(ResolverTest, OneFamilyBrokenTheOtherGood) {
  dns_.set_ipv4("half.test", {.addresses = {"192.0.2.5"}});
  dns_.set_ipv6("half.test", {.rcode = 2});
  EXPECT_EQ(resolve_one("half.test"), "192.0.2.5");
}

TEST_F(ResolverTest, NamesThatDnsCannotCarryAreRefusedHere) {
  for (const char* name : {"", "a b.test", "a%00.test", "fe80::1%eth0", "a\\.test", "a/b"}) {
    EXPECT_EQ(resolve_one(name), "upstream_unresolved") << name;
  }
  EXPECT_EQ(resolve_one(std::string(255, 'a')), "upstream_unresolved");
  EXPECT_EQ(dns_.queries(), 0);
}

TEST_F(ResolverTest, SilentServerEndsByItself) {
  dns_.set_ipv4("silent.test", {.silent = true});
  dns_.set_ipv6("silent.test", {.silent = true});
  EXPECT_EQ(resolve_one("silent.test"), "upstream_unresolved");
}

// The answer comes after the deadline: it must not resume the coroutine again, and it serves the next asker.
TEST_F(ResolverTest, DeadlineEndsTheWaitAndALateAnswerIsHarmless) {
  dns_.set_ipv4("late.test", {.silent = true});
  dns_.set_ipv6("late.test", {.silent = true});
  ResolverOptions with = options();
  with.servers.first_wait = milliseconds(120);
  const auto body = [&](Worker& worker) -> Task<std::string> {
    Resolver resolver(worker, with);
    const Addresses first = co_await resolver.resolve("late.test", 1, in(milliseconds(30)));
    dns_.set_ipv4("late.test", {.addresses = {"192.0.2.8"}});  // for the second round of queries
    dns_.set_ipv6("late.test", {});
    const Addresses second = co_await resolver.resolve("late.test", 1, in(kLong));
    co_return text_of(first) + ", " + text_of(second);
  };
  EXPECT_EQ(loop_.run(body), "upstream_connect_timeout, 192.0.2.8");
}

TEST_F(ResolverTest, AaaaBlackHoleCostsTheGraceTimeOnly) {
  dns_.set_ipv4("hole.test", {.addresses = {"192.0.2.4"}});
  dns_.set_ipv6("hole.test", {.silent = true});
  ResolverOptions with = options();
  with.servers.first_wait = milliseconds(5000);
  const TimePoint start = std::chrono::steady_clock::now();
  EXPECT_EQ(resolve({"hole.test"}, with).front(), "192.0.2.4");
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(2000));
}

TEST_F(ResolverTest, CacheHoldsForTheTtlAndTakesTheNewAddressThen) {
  ResolverOptions with = options();
  with.min_ttl = milliseconds(30);
  with.max_ttl = milliseconds(30);  // stands for the record's TTL, which has whole seconds
  dns_.set_ipv4("flip.test", {.addresses = {"192.0.2.1"}, .ttl = 1});
  const auto body = [&](Worker& worker) -> Task<std::string> {
    Resolver resolver(worker, with);
    const Addresses first = co_await resolver.resolve("flip.test", 1, in(kLong));
    dns_.set_ipv4("flip.test", {.addresses = {"192.0.2.2"}, .ttl = 1});
    const Addresses cached = co_await resolver.resolve("FLIP.test", 1, in(kLong));
    co_await sleep_until(worker, in(milliseconds(40)));
    const Addresses fresh = co_await resolver.resolve("flip.test", 1, in(kLong));
    co_return text_of(first) + " " + text_of(cached) + " " + text_of(fresh);
  };
  EXPECT_EQ(loop_.run(body), "192.0.2.1 192.0.2.1 192.0.2.2");
}

TEST_F(ResolverTest, TtlIsHeldBetweenItsBounds) {
  dns_.set_ipv4("zero.test", {.addresses = {"192.0.2.1"}, .ttl = 0});
  EXPECT_EQ(resolve({"zero.test", "zero.test"}, options()).back(), "192.0.2.1");
  EXPECT_EQ(dns_.queries(), 2);  // A and AAAA, once: TTL 0 counts as a second
  ResolverOptions with = options();
  with.min_ttl = milliseconds(1);
  with.max_ttl = milliseconds(20);
  dns_.set_ipv4("day.test", {.addresses = {"192.0.2.1"}, .ttl = 30'000});
  resolve({"day.test", "sleep", "day.test"}, with);
  EXPECT_EQ(dns_.queries(), 6);
}

TEST_F(ResolverTest, FailuresAreKeptForAShortTime) {
  ResolverOptions with = options();
  with.failure_ttl = milliseconds(30);
  resolve({"gone.test", "gone.test", "gone.test"}, with);
  EXPECT_EQ(dns_.queries(), 2);
  resolve({"gone.test", "sleep", "gone.test"}, with);
  EXPECT_EQ(dns_.queries(), 6);
}

TEST_F(ResolverTest, ConcurrentAskersShareOneQuery) {
  dns_.set_ipv4("shared.test", {.addresses = {"192.0.2.3"}});
  const auto body = [&](Worker& worker) -> Task<int> {
    Resolver resolver(worker, options());
    int good = 0;
    int ended = 0;
    const auto asker = [](Resolver& r, int& ok, int& done) -> Task<void> {
      const Addresses result = co_await r.resolve("shared.test", 1, in(kLong));
      ok += text_of(result) == "192.0.2.3" ? 1 : 0;
      ++done;
    };
    for (int i = 0; i < 50; ++i) worker.spawn(asker(resolver, good, ended));
    while (ended < 50) co_await sleep_until(worker, in(milliseconds(1)));
    co_return good;
  };
  EXPECT_EQ(loop_.run(body), 50);
  EXPECT_EQ(dns_.queries(), 2);
}

TEST_F(ResolverTest, CacheIsBounded) {
  ResolverOptions with = options();
  with.max_names = 3;
  std::vector<std::string> names;
  for (int i = 0; i < 6; ++i) {
    names.push_back("n" + std::to_string(i) + ".test");
    dns_.set_ipv4(names.back(), {.addresses = {"192.0.2.1"}});
  }
  names.push_back("n0.test");  // was dropped: asked again
  names.push_back("n5.test");  // still there
  for (const std::string& answer : resolve(names, with)) EXPECT_EQ(answer, "192.0.2.1");
  EXPECT_EQ(dns_.queries(), 14);
}

TEST_F(ResolverTest, ManyAnswersComeOverTcpAndAreCut) {
  test::DnsAnswer many;
  for (int i = 0; i < 1000; ++i) {
    many.addresses.push_back("192.0." + std::to_string(i / 250) + "." + std::to_string(1 + i % 250));
  }
  dns_.set_ipv4("many.test", many);
  const auto body = [&](Worker& worker) -> Task<std::size_t> {
    Resolver resolver(worker, options());
    const Addresses result = co_await resolver.resolve("many.test", 1, in(kLong));
    co_return result ? result->size() : 0;
  };
  EXPECT_EQ(loop_.run(body), 16U);
}

TEST_F(ResolverTest, LocalhostNeedsNoServer) {
  for (const char* name : {"localhost", "LOCALHOST.", "app.localhost"}) {
    EXPECT_EQ(resolve_one(name), "::1 127.0.0.1") << name;
  }
  EXPECT_EQ(dns_.queries(), 0);
}

TEST_F(ResolverTest, HostsFileComesFirst) {
  char path[] = "/tmp/akr-hosts-XXXXXX";
  const int fd = ::mkstemp(path);
  ASSERT_GE(fd, 0);
  ::close(fd);
  std::ofstream(path) << "192.0.2.77 listed.test other.test\n";
  ::setenv("CARES_HOSTS", path, 1);
  dns_.set_ipv4("listed.test", {.addresses = {"192.0.2.1"}});
  EXPECT_EQ(resolve_one("listed.test"), "192.0.2.77");
  ::unsetenv("CARES_HOSTS");
  std::filesystem::remove(path);
}

TEST_F(ResolverTest, StopEndsEveryWait) {
  dns_.set_ipv4("silent.test", {.silent = true});
  dns_.set_ipv6("silent.test", {.silent = true});
  std::vector<std::string> ends;  // touched by the worker only, until it is joined
  ResolverOptions with = options();
  with.servers.first_wait = milliseconds(60'000);
  const auto start = [&](Worker& worker) -> Task<void> {
    const auto asker = [](Worker& w, ResolverOptions chosen, TimePoint deadline,
                          std::vector<std::string>& out) -> Task<void> {
      Resolver resolver(w, std::move(chosen));
      const Addresses first = co_await resolver.resolve("silent.test", 1, deadline);
      out.push_back(text_of(first));
      const Addresses second = co_await resolver.resolve("another.test", 1, deadline);
      out.push_back(text_of(second));
    };
    worker.spawn(asker(worker, with, in(milliseconds(60'000)), ends));
    worker.spawn(asker(worker, with, TimePoint::max(), ends));
    co_return;
  };
  loop_.run(start);
  loop_.stop();
  EXPECT_EQ(ends, std::vector<std::string>(4, "shutting_down"));
}

TEST_F(ResolverTest, DestroyedWithQueriesInFlight) {
  dns_.set_ipv4("silent.test", {.silent = true});
  const auto body = [&](Worker& worker) -> Task<std::string> {
    auto resolver = std::make_unique<Resolver>(worker, options());
    const Addresses result = co_await resolver->resolve("silent.test", 1, in(milliseconds(20)));
    resolver.reset();
    co_await sleep_until(worker, in(milliseconds(150)));
    co_return text_of(result);
  };
  EXPECT_EQ(loop_.run(body), "upstream_connect_timeout");
}

// A lookup that failed for want of descriptors was "no such upstream", and was remembered as that.  Stands for: our own
// shortage has a code of its own and ends with it.
TEST_F(ResolverTest, WantOfDescriptorsIsOurOwnFaultAndIsNotRemembered) {
  dns_.set_ipv4("a.test", {.addresses = {"192.0.2.1"}});
  const auto body = [&](Worker& worker) -> Task<std::string> {
    Resolver resolver(worker, options());
    std::string all;
    {
      const test::NoDescriptors none;
      const Addresses first = co_await resolver.resolve("a.test", 443, in(kLong));
      all += text_of(first) + ", ";
    }
    const Addresses again = co_await resolver.resolve("a.test", 443, in(kLong));
    all += text_of(again);
    co_return all;
  };
  EXPECT_EQ(loop_.run(body), "overloaded, 192.0.2.1");
}

// The same when only c-ares meets it, which would tell "connection refused".
TEST_F(ResolverTest, WantOfSocketsInsideTheLibraryIsOurOwnFaultToo) {
  dns_.set_ipv4("a.test", {.addresses = {"192.0.2.1"}});
  const auto body = [&](Worker& worker) -> Task<std::string> {
    DnsChannel channel(worker, options().servers);
    ResolverOptions with = options();
    const auto lookup = std::make_shared<DnsLookup>(worker, with);
    const test::NoDescriptors none;
    lookup->start(channel, "a.test");
    DnsLookup::Asker asker(lookup, in(kLong));
    co_await asker;
    const bool forgotten = lookup->expires() <= worker.now();
    co_return lookup->status() == DnsLookup::kShortage&& forgotten ? "ours" : ares_strerror(lookup->status());
  };
  EXPECT_EQ(loop_.run(body), "ours");
}

}  // namespace
}  // namespace akr::net
