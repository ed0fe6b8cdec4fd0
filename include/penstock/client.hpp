// A consumer with positions that the server keeps, for programs that read a stream. Needs nothing but the standard
// library to be included; the program links penstock_client.
//
//   penstock::client::Consumer consumer({.stream = "clicks", .consumer = "billing"});
//   consumer.run([](const penstock::client::Batch& batch) {
//     for (const auto& record : batch.records) charge(record.data);
//   });
//
// Delivery is at least once: a batch is committed after its handler has returned, and comes again if the process, the
// server or the connection ends before that. Where it must be exactly once and the outcome is records of a stream,
// there is transact().
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::client {

using Moment = std::chrono::sys_time<std::chrono::milliseconds>;

/// When what was handed over counts as done.
enum class CommitMode : std::uint8_t {
  on_poll,   ///< with the next poll
  on_commit  ///< only by commit() or transact()
};

/// Where a consumer that is created begins.
struct Start {
  enum class At : std::uint8_t { trim_horizon, latest, timestamp };
  At at = At::trim_horizon;
  Moment timestamp{};  ///< of At::timestamp
};

struct LostLease;

struct Options {
  std::string endpoint = "http://127.0.0.1:4566";  ///< http only; a path before the API's is kept
  std::string stream;
  std::string consumer;  ///< 1 to 128 of [a-zA-Z0-9_.-]
  /// Tells the processes of one consumer apart. A process that comes back with the name that it had gets its shards at
  /// once, otherwise when its lease time is over. Empty: one that nobody else has.
  std::string member;

  // What the consumer is created with, if it does not exist. One that exists keeps what it has, but it has to have this
  // commit mode.
  Start start;
  std::chrono::milliseconds lease{10'000};  ///< how long a member that is not heard of keeps its shards
  CommitMode commit_mode = CommitMode::on_poll;
  bool ephemeral = false;  ///< gone with its last member; made again where it was if the server restarts

  std::size_t max_records = 1'000;           ///< that one poll brings, 1 to 10,000
  std::size_t max_bytes = 1U << 20U;         ///< of their data, 1 to 10 MiB; a larger record comes alone
  std::chrono::milliseconds wait{20'000};    ///< for records; the server waits no longer than half the lease
  std::chrono::milliseconds answer{10'000};  ///< beyond `wait`, after which the server is taken to be away
  std::string region;                        ///< of the stream; empty: the server's
  std::string account;                       ///< of the stream, 12 digits; empty: the server's

  // The pause before the n-th attempt is backoff_min * 2^n, at most backoff_max, of which a random half is left out.
  std::chrono::milliseconds backoff_min{50};
  std::chrono::milliseconds backoff_max{5'000};

  /// Leases are renewed in a thread of their own whenever a third of their time has passed between two polls.
  bool heartbeat = true;

  /// Told of each shard that is another member's now, so that what was done with the batch of it may be done again
  /// there. Comes from run() and poll(), or, while a handler runs, from the thread of the heartbeat.
  std::function<void(const LostLease&)> on_lost;
  /// Told before each pause: why, and how long it is. From the thread of run(), poll(), commit() or transact().
  std::function<void(const std::string& why, std::chrono::milliseconds pause)> on_retry;
};

struct Record {
  std::string sequence_number;
  std::string partition_key;
  std::string data;  ///< bytes, as they were put
  Moment arrived{};
  std::string encryption_type;  ///< empty, or as Kinesis says it: KMS
};

/// How far a consumer is in a shard: all up to and with that record is done.
struct Position {
  std::string shard_id;
  std::uint64_t epoch = 0;      ///< of the lease; what comes with an older one is refused
  std::string sequence_number;  ///< or SHARD_END
  std::optional<std::uint64_t>
      sub_sequence_number;              ///< of that record, an aggregate, the last user record that is done
  std::optional<std::string> metadata;  ///< up to 1,024 bytes that are kept with the position
};

/// Records of one shard, in order, with none between them left out.
struct Batch {
  std::string shard_id;
  std::uint64_t epoch = 0;  ///< of the lease under which they are read
  std::vector<Record> records;
  /// Of the first record, an aggregate, the last user record that was done already.
  std::optional<std::uint64_t> sub_sequence_number;
  std::chrono::milliseconds behind{0};  ///< how far its end is behind the shard's; 0 if and only if there is no more
  std::uint64_t lost_records = 0;       ///< that retention took before they were read
  bool shard_end = false;               ///< the shard is closed, and this was the last of it

  /// All of it is done (its SequenceNumber is empty if it has neither records nor the shard's end), or all up to and
  /// with a record of it.
  Position end() const;
  Position after(const Record& record) const;
};

struct Lease {
  std::string shard_id;
  std::uint64_t epoch = 0;
  bool revoking = false;  ///< to be given up once the batch at hand is done
  std::string metadata;   ///< of the latest commit that had any
};

/// A shard whose batch was not committed, since its lease was over.
struct LostLease {
  std::string shard_id;
  std::uint64_t epoch = 0;        ///< the one that is over
  std::uint64_t owner_epoch = 0;  ///< the present one
  std::string owner;              ///< empty if nobody has it
};

struct Polled {
  std::vector<Batch> batches;  ///< none if nothing came in time
  std::vector<Lease> leases;   ///< all that this member has
};

struct NewRecord {
  std::string data;
  std::string partition_key;
  std::string explicit_hash_key;  ///< empty if there is none
};

struct Transacted {
  struct Placed {
    std::string shard_id;
    std::string sequence_number;
  };
  std::vector<Placed> records;
  bool repeated = false;  ///< its key was used before: this is what was answered then
};

/// What one poll brings, where it is to differ from the options.
struct Bounds {
  std::size_t max_records = 0;
  std::chrono::milliseconds wait{0};
};

struct CommitOptions {
  bool force = false;           ///< also backwards
  std::string idempotency_key;  ///< empty: one of its own, so that it takes effect once however often it is sent
};

/// What the server refused. `code` is as in its answer, such as LeaseLost or StreamNotFound.
class Error : public std::runtime_error {
 public:
  Error(int status, std::string code, const std::string& message);
  int status() const { return status_; }
  const std::string& code() const { return code_; }

 private:
  int status_;
  std::string code_;
};

/// Another process has joined under this member's name.
class MemberReplaced : public Error {
 public:
  using Error::Error;
};

/// There is no server, or it did not answer in time.
class Unreachable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// ---- What a consumer needs of the world around it. Tests hand in their own.

struct Request {
  std::string method;
  std::string target;  ///< path and query
  std::string body;    ///< JSON, or empty
  std::chrono::milliseconds timeout{};
  bool interruptible = false;
  std::vector<std::pair<std::string, std::string>> headers{};  ///< besides those that every request has
  /// Takes the body of an answer of success piece by piece as it comes, however long it is; it is not in the answer
  /// then. The timeout is that of each piece.
  std::function<void(std::string_view piece)> on_piece{};
};
struct Answer {
  int status = 0;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers{};  ///< names in lower case
};

/// A connection to the server, and the waits of the one thread that uses it.
class Line {
 public:
  Line() = default;
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  virtual ~Line() = default;

  /// Nothing if it was interrupted. Throws Unreachable, after which the request may have been carried out or not.
  virtual std::optional<Answer> exchange(const Request& request) = 0;
  /// Until then, or until it is interrupted.
  virtual void wait_until(std::chrono::steady_clock::time_point until) = 0;
  /// Ends the wait or the interruptible exchange under way, or else the next one. From any thread or signal handler.
  virtual void interrupt() noexcept = 0;
};

/// All of it may be called from two threads at a time.
class World {
 public:
  World() = default;
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  virtual ~World() = default;

  virtual std::chrono::steady_clock::time_point now() = 0;
  /// A random number, from 0 up to and without 1.
  virtual double random() = 0;
  /// Does not connect yet. Throws std::invalid_argument if the endpoint is none.
  virtual std::unique_ptr<Line> open(const std::string& endpoint) = 0;
};

/// The steady clock, HTTP/1.1 over TCP.
std::shared_ptr<World> real_world();

// ----

/// One member of a consumer. All but stop() and stopping() is for one thread at a time; commit() and transact() may be
/// called from within a handler.
class Consumer {
 public:
  /// Throws std::invalid_argument if an option is none. Nothing is asked of the server yet.
  explicit Consumer(Options options, std::shared_ptr<World> world = real_world());
  /// Does not leave: after run() or leave() there is nothing to leave.
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  using Handler = std::function<void(const Batch&)>;

  /// Creates the consumer if it does not exist, and hands over batch after batch until stop(). While the server is away
  /// it tries again. If the handler throws, nothing is committed and the batch comes to it again after a pause, without
  /// what the handler has committed of it; other batches wait meanwhile.
  /// Throws Error for what trying again does not mend: MemberReplaced, or that the consumer or the stream is gone; and
  /// Unreachable if it was stopped and what was done could not be committed within the lease time.
  void run(const Handler& handler);

  /// Ends run() after the batches of the last poll are done and committed, and leaves, so that others get the shards at
  /// once; a handler that throws is not called again. Ends a poll that waits. Holds for good. From any thread or signal
  /// handler.
  void stop() noexcept;
  bool stopping() const noexcept;

  const std::string& member() const;

  // ---- For those who drive it themselves.

  /// Says that all that the poll before has brought is received and, on_poll, done; waits for more. The first one
  /// joins, and does not wait. Brings nothing if it was stopped. Errors as of run().
  Polled poll();
  Polled poll(const Bounds& bounds);

  /// All of the positions, or none. Throws Error (LeaseLost, PositionConflict, InvalidPosition) and Unreachable.
  void commit(const std::vector<Position>& positions, const CommitOptions& options = {});

  /// Commits the positions and puts the records into the stream, both or neither. At least one position has to go
  /// forward. Throws as commit() does, and the Errors of PutRecords.
  Transacted transact(const std::vector<Position>& positions, const std::string& target_stream,
                      const std::vector<NewRecord>& records, const std::string& idempotency_key = {});

  /// Gives all shards back; `commit`: on_poll, what the last poll has brought is done. Nothing if it has not joined.
  void leave(bool commit = true);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace penstock::client
