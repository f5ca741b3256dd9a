// write_audit_fixture.hpp - for tests: writers that keep account of what the store told them, to be compared with what
// it holds at the end.
#pragma once

#include <atomic>
#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "store/config_store.hpp"
#include "tests/support/example_config.hpp"

namespace akr {

// Adds keys and counts in the note of a key of its own, so that a write that was done twice shows: the second time it
// finds its own number there.  By one thread at a time.
class AuditedWriter {
 public:
  // REQUIRES: the store works; `number` is of this writer alone.
  AuditedWriter(ConfigStore& store, ServiceId service, int number)
      : store_(store), service_(service), name_("writer-" + std::to_string(number)) {
    counter_ = add(name_ + "-counter").value().front().id;
  }

  void step() {
    const std::string text = name_ + "-key-" + std::to_string(++steps_);
    keys_[text] = acknowledged(add(text));
    const auto counted = store_.edit_key(counter_, [this](UpstreamKey& key) { return count(key); });
    acknowledged(counted) ? ++counted_ : ++uncertain_;
  }

  std::size_t successes() const { return successes_; }
  std::size_t failures() const { return failures_; }

  // REQUIRES: nobody is in step().
  void check() const {
    EXPECT_EQ(unexpected_, "");
    EXPECT_FALSE(twice_) << name_;
    std::map<std::string, int> held;
    for (const UpstreamKey& key : store_.list_keys(service_).value()) ++held[std::string(key.secret.expose())];
    for (const auto& [text, was_acknowledged] : keys_) {
      if (was_acknowledged) EXPECT_EQ(held[text], 1) << text;
      EXPECT_LE(held[text], 1) << text;
    }
    const unsigned long count = read(store_.find_key(counter_).value().note).count;
    EXPECT_GE(count, counted_) << name_;
    EXPECT_LE(count, counted_ + uncertain_) << name_;
  }

 private:
  struct Note {
    unsigned long count = 0, step = 0;
  };
  static Note read(const std::string& text) {
    Note note;
    std::sscanf(text.c_str(), "%lu %lu", &note.count, &note.step);
    return note;
  }

  Result<std::vector<AddedKey>> add(const std::string& text) {
    const NewKey key{.secret = Secret(text)};
    return store_.add_keys(service_, {&key, 1});
  }

  Result<void> count(UpstreamKey& key) {
    const Note before = read(key.note);
    if (before.step == steps_) twice_ = true;
    key.note = std::to_string(before.count + 1) + " " + std::to_string(steps_);
    return {};
  }

  template <class T>
  bool acknowledged(const Result<T>& result) {
    ++(result ? successes_ : failures_);
    // A store without a server answers at once, and those who try again need not keep the machine from starting one.
    if (!result) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (!result && result.error().code != ErrorCode::kStoreUnavailable) unexpected_ = result.error().message;
    return result.has_value();
  }

  ConfigStore& store_;
  const ServiceId service_;
  const std::string name_;
  KeyId counter_;
  std::map<std::string, bool> keys_;  // was it acknowledged?
  unsigned long steps_ = 0, counted_ = 0, uncertain_ = 0;
  bool twice_ = false;
  std::string unexpected_;
  std::atomic<std::size_t> successes_ = 0, failures_ = 0;
};

// Several of them at once, until end().
class AuditedWriters {
 public:
  AuditedWriters(ConfigStore& store, int count) {
    const ServiceId service = store.add_service(example_service("audited")).value().id;
    for (int i = 0; i < count; ++i) writers_.push_back(std::make_unique<AuditedWriter>(store, service, i));
    for (auto& writer : writers_) {
      threads_.emplace_back([this, &writer] {
        while (!ending_) writer->step();
      });
    }
  }
  ~AuditedWriters() { end(); }

  // Returns when each of them has written `steps` more times.  Throws if the store does not work again.
  void wait_for_successes(std::size_t steps) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (const auto& writer : writers_) {
      const std::size_t wanted = writer->successes() + steps;
      while (writer->successes() < wanted) {
        if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("nothing can be written any more");
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
  }

  std::size_t successes() const { return sum(&AuditedWriter::successes); }
  std::size_t failures() const { return sum(&AuditedWriter::failures); }

  void end() {
    ending_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  // Ends them, and compares.
  void check() {
    end();
    for (const auto& writer : writers_) writer->check();
  }

 private:
  std::size_t sum(std::size_t (AuditedWriter::*count)() const) const {
    std::size_t all = 0;
    for (const auto& writer : writers_) all += ((*writer).*count)();
    return all;
  }

  std::vector<std::unique_ptr<AuditedWriter>> writers_;
  std::vector<std::thread> threads_;
  std::atomic<bool> ending_ = false;
};

}  // namespace akr
