// What mappings of queues and asynchronous invokes owe: every message and event, and what became of it. Told of all
// that goes in and comes out, it says what breaks a promise. Bodies name the messages; those that begin with # match no
// filter.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "penstock/triggers.hpp"

namespace penstock::sim {

/// An invocation of a batch as the function has it.
struct QueueRun {
  InvocationId id;
  std::string mapping;  ///< UUID
  struct Item {
    std::string body;
    std::string id;
    std::string handle;
  };
  std::vector<Item> items;
  Instant until{};  ///< the function's timeout
};

/// What a mapping was asked to be.
struct QueuePromise {
  std::size_t batch_size = 0;
  std::size_t concurrency_max = 0;
  std::size_t bytes_max = 0;
};

class QueueLedger {
 public:
  // ---- Messages.

  /// `group`: of a FIFO queue.
  void asked_to_send(const std::string& body, const std::string& group);
  void sent(const std::string& body) { messages_.at(body).sent = true; }
  void received(const std::string& body, const std::string& handle, Instant invisible_until);
  void visibility_changed(const std::string& handle, Instant until);
  void given_back(const std::string& handle);
  void crashed();

  // Each of these answers with what is wrong; empty if nothing is.
  std::string begun(const QueueRun& run, const QueuePromise& promise, Instant now);
  /// `done`: the bodies that were part of a success.
  void over(const QueueRun& run, const std::set<std::string>& done);
  std::string deleting(const std::string& handle) const;
  std::string owes() const;

  // ---- Asynchronous invokes, by their payload.

  void asked_to_invoke(const std::string& payload, Instant now) { events_[payload].asked = now; }
  void accepted(const std::string& payload) { events_[payload].accepted = true; }
  void event_over(const std::string& payload, bool success);
  std::string event_reported(const AsyncEnd& end, int retries_max, bool taken, Instant now);

  const std::map<InvocationId, QueueRun>& running() const { return running_; }
  std::size_t done() const;

 private:
  struct Message {
    std::string group;
    std::uint64_t order = 0;
    bool sent = false;   ///< and acknowledged
    bool done = false;   ///< part of a success
    std::string handle;  ///< the latest
    Instant invisible_until{};
  };
  struct Event {
    Instant asked{};
    bool accepted = false;
    bool succeeded = false;
    int failures = 0;
    bool told = false;
  };

  static bool matches(const std::string& body) { return !body.starts_with('#'); }
  std::string objection_to(const QueueRun& run, std::size_t index, Instant now) const;
  std::string objection_to_beside(const QueueRun::Item& item, const QueueRun::Item& running, Instant now) const;
  Message* by_handle(const std::string& handle);

  std::map<std::string, Message> messages_;
  std::map<std::string, std::string> bodies_;  ///< by receipt handle, of all that there ever were
  std::map<InvocationId, QueueRun> running_;
  std::map<std::string, Event> events_;
  std::uint64_t orders_ = 0;
};

}  // namespace penstock::sim
