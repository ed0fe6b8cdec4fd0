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
  std::string function;
  struct Item {
    std::string body;
    std::string id;
    std::string handle;
  };
  std::vector<Item> items;
  Instant until{};        ///< the function's timeout
  bool stubborn = false;  ///< it runs until then
};

/// What a mapping was asked to be.
struct QueuePromise {
  std::size_t batch_size = 0;
  std::size_t concurrency_max = 0;
  std::size_t bytes_max = 0;
  /// What is asked for is done in time, so that no message is visible while it runs, nor after it has succeeded.
  bool prompt = false;
};

class QueueLedger {
 public:
  // ---- Messages.

  /// `group`: of a FIFO queue.
  void asked_to_send(const std::string& body, const std::string& queue, const std::string& group);
  void sent(const std::string& body) { messages_.at(body).sent = true; }
  void received(const std::string& body, const std::string& handle, Instant invisible_until);
  void visibility_changed(const std::string& handle, Instant now, Instant until);
  void given_back(const std::string& handle);
  void crashed();
  /// The queue of these is deleted, with all that was sent to it so far.
  void deleted(const std::string& queue);
  /// It lies in a dead-letter queue.
  void found_dead(const std::string& body) { ++messages_.at(body).dead; }

  // Each of these answers with what is wrong; empty if nothing is.
  std::string begun(const QueueRun& run, const QueuePromise& promise, Instant now);
  /// `done`: the bodies that were part of a success. The others have failed if it was `run` at all.
  void over(const QueueRun& run, const std::set<std::string>& done, bool was_run);
  std::string deleting(const std::string& handle) const;
  std::string owes() const;
  /// Whether dead letters are those that have failed so often, each once.
  std::string objection_to_dead(int receives_max, bool prompt) const;
  bool is_done(const std::string& body) const { return messages_.at(body).done; }

  // ---- Asynchronous invokes, by their payload.

  void asked_to_invoke(const std::string& payload, Instant now) { events_[payload].asked = now; }
  void accepted(const std::string& payload) { events_[payload].accepted = true; }
  void event_over(const std::string& payload, bool success);
  std::string event_reported(const AsyncEnd& end, int retries_max, bool taken, Instant now);

  const std::map<InvocationId, QueueRun>& running() const { return running_; }
  std::size_t done() const;

 private:
  struct Message {
    std::string queue;
    std::string group;
    std::uint64_t order = 0;
    bool sent = false;       ///< and acknowledged
    bool done = false;       ///< part of a success
    bool gone = false;       ///< with its queue
    bool saw_crash = false;  ///< which may have undone what became of it
    int failures = 0;
    int dead = 0;        ///< times that it lies in a dead-letter queue
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
  std::string objection_to_again(const QueueRun::Item& item) const;
  std::string objection_to_beside(const QueueRun::Item& item, const QueueRun::Item& running, Instant now) const;
  Message* by_handle(const std::string& handle);

  std::map<std::string, Message> messages_;
  std::map<std::string, std::string> bodies_;  ///< by receipt handle, of all that there ever were
  std::map<InvocationId, QueueRun> running_;
  std::map<std::string, Event> events_;
  std::uint64_t orders_ = 0;
};

}  // namespace penstock::sim
