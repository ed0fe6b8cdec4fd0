#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <map>
#include <string_view>
#include <utility>

#include "client/api.hpp"
#include "client/backoff.hpp"
#include "client/caller.hpp"
#include "client/heartbeat.hpp"
#include "penstock/client.hpp"
#include "penstock/limits.hpp"

namespace penstock::client {

using std::chrono::milliseconds;

namespace {

constexpr std::string_view shard_end = "SHARD_END";
constexpr std::size_t key_digits = 32;
constexpr std::size_t member_suffix_digits = 8;
constexpr std::size_t host_chars_max = 64;
constexpr unsigned hexadecimal = 16;
/// How long to try to leave where that only spares others a wait.
constexpr milliseconds leave_time_max{1'000};

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

std::string random_digits(World& world, std::size_t count) {
  std::string digits;
  while (digits.size() < count) digits += "0123456789abcdef"[static_cast<unsigned>(world.random() * hexadecimal)];
  return digits;
}

std::string new_member_name(World& world) {
  std::array<char, host_chars_max + 1> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host = {};
  std::string name = host.data();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !is_name_char(c); }, '-');
  return name + "-" + std::to_string(::getpid()) + "-" + random_digits(world, member_suffix_digits);
}

void check_name(const char* what, const std::string& name) {
  if (name.empty() || name.size() > group_limits::name_chars_max ||
      !std::all_of(name.begin(), name.end(), is_name_char)) {
    throw std::invalid_argument(std::string(what) + " '" + name + "' is not 1 to 128 of [a-zA-Z0-9_.-]");
  }
}

Options checked(Options options, World& world) {
  if (options.member.empty()) options.member = new_member_name(world);
  check_name("the stream", options.stream);
  check_name("the consumer", options.consumer);
  check_name("the member", options.member);
  if (options.backoff_min <= milliseconds(0) || options.backoff_max < options.backoff_min) {
    throw std::invalid_argument("backoff_min is more than 0 and at most backoff_max");
  }
  if (options.answer <= milliseconds(0)) throw std::invalid_argument("the time to answer is more than 0");
  return options;
}

// What is left of a batch once its handler has committed a part of it by itself.
Batch rest_of(const Batch& batch, const Position& done) {
  Batch rest = batch;
  if (done.sequence_number == shard_end) {
    rest.records.clear();
    rest.shard_end = false;
    return rest;
  }
  auto found = std::find_if(rest.records.begin(), rest.records.end(),
                            [&](const Record& record) { return record.sequence_number == done.sequence_number; });
  if (found == rest.records.end()) return rest;
  if (!done.sub_sequence_number) ++found;
  rest.records.erase(rest.records.begin(), found);
  rest.sub_sequence_number = done.sub_sequence_number;
  return rest;
}

}  // namespace

Position Batch::end() const {
  if (shard_end) return {shard_id, epoch, std::string(client::shard_end), {}, {}};
  return records.empty() ? Position{shard_id, epoch, {}, {}, {}} : after(records.back());
}

Position Batch::after(const Record& record) const { return {shard_id, epoch, record.sequence_number, {}, {}}; }

class Consumer::State {
 public:
  State(Options options, std::shared_ptr<World> world)
      : world_(std::move(world)),
        options_(checked(std::move(options), *world_)),
        address_{options_.stream, options_.consumer, options_.region, options_.account},
        line_(world_->open(options_.endpoint)),
        caller_(options_, *world_, *line_, stopping_),
        lease_(options_.lease) {
    if (!options_.heartbeat) return;
    const auto make_request = [this](const std::string& token) {
      Request request = heartbeat_request(address_, {options_.member, token});
      request.interruptible = true;
      return request;
    };
    heartbeat_ = std::make_unique<Heartbeat>(*world_, world_->open(options_.endpoint), make_request, options_.on_lost);
  }

  void run(const Handler& handler);
  Polled poll(const Bounds& bounds);
  void commit(const std::vector<Position>& positions, const CommitOptions& options);
  Transacted transact(const std::vector<Position>& positions, const std::string& target,
                      const std::vector<NewRecord>& records, const std::string& key);
  void leave(bool commit);
  void stop() noexcept {
    stopping_ = true;
    line_->interrupt();
  }
  bool stopping() const noexcept { return stopping_; }
  const Options& options() const { return options_; }

 private:
  enum class Outcome : std::uint8_t { done, stopped, abandoned };

  /// Nothing if it was interrupted, since it is to stop.
  std::optional<Answer> ask(Request request, Caller::Deadline until = {});
  /// False if it is to stop.
  bool create();
  bool check_description(const Answer& created);
  std::optional<Answer> poll_until_answered(const Bounds& bounds);
  Outcome hand_over(const Polled& polled, const Handler& handler);
  Outcome hand_over(const Batch& batch, const Handler& handler);
  bool is_lost(const Batch& batch) const { return heartbeat_ && heartbeat_->has_lost(batch.shard_id, batch.epoch); }
  bool is_gone() const { return heartbeat_ && heartbeat_->is_gone(); }
  void tell(const std::vector<LostLease>& lost);
  void remember(const std::vector<Position>& positions);
  void commit_by_joining();
  void commit_what_is_done(const Polled& polled);
  std::string key_or_new(const std::string& key) { return key.empty() ? random_digits(*world_, key_digits) : key; }

  const std::shared_ptr<World> world_;
  const Options options_;
  const Address address_;
  const std::unique_ptr<Line> line_;
  std::atomic<bool> stopping_{false};
  Caller caller_;

  bool created_ = false;
  std::string token_;                     ///< of the last poll; empty before the first
  std::string token_before_;              ///< of the one before, which says that what the last one brought is not done
  milliseconds lease_;                    ///< as the server has it
  bool owes_ = false;                     ///< whether the last poll has brought anything
  std::size_t batches_done_ = 0;          ///< of the last poll
  std::vector<Position> committed_;       ///< by the handler, of what the last poll has brought
  std::vector<Position> handed_;          ///< ends of what the last poll has brought, of an ephemeral consumer
  std::map<std::string, Position> done_;  ///< by shard, so that an ephemeral consumer can be made again where it was

  std::unique_ptr<Heartbeat> heartbeat_;
};

std::optional<Answer> Consumer::State::ask(Request request, Caller::Deadline until) {
  if (request.timeout == milliseconds(0)) request.timeout = options_.answer;
  return caller_.ask(request, lease_, until);
}

bool Consumer::State::create() {
  if (created_) return true;
  std::vector<Position> positions;
  for (const auto& [shard, position] : done_) positions.push_back(position);
  Request request = create_request(address_, options_, positions);
  request.interruptible = true;
  std::optional<Answer> answer;
  try {
    answer = ask(std::move(request));
  } catch (const Error& error) {
    // It is there with other settings, of which only the commit mode says what this program may rely on.
    if (error.code() != "ConsumerExists") throw;
    Request describe = describe_request(address_, {});
    describe.interruptible = true;
    answer = ask(std::move(describe));
  }
  if (!answer || !check_description(*answer)) return false;
  created_ = true;
  return true;
}

bool Consumer::State::check_description(const Answer& created) {
  Description description = read_description(created);
  if (description.mode != options_.commit_mode) {
    throw Error(created.status, "ConsumerExists", "'" + options_.consumer + "' has another commit mode");
  }
  if (!options_.ephemeral) return true;
  while (true) {
    for (Position& position : description.positions) done_.insert_or_assign(position.shard_id, std::move(position));
    if (!description.more) return true;
    Request request = describe_request(address_, description.last_shard_id);
    request.interruptible = true;
    const std::optional<Answer> next = ask(std::move(request));
    if (!next) return false;
    description = read_description(*next);
  }
}

std::optional<Answer> Consumer::State::poll_until_answered(const Bounds& bounds) {
  bool made_again = false;
  while (true) {
    if (!create()) return std::nullopt;
    // To join does not wait, since without the token of the answer there is no leaving.
    const milliseconds wait = token_.empty() ? milliseconds(0) : bounds.wait;
    Request request = poll_request(address_, {options_.member, token_}, {bounds.max_records, wait}, options_.max_bytes);
    request.interruptible = true;
    request.timeout = std::min(wait, lease_ / 2) + options_.answer;
    try {
      return ask(std::move(request));
    } catch (const Error& error) {
      // The server has started anew, and keeps nothing of what is ephemeral.
      if (error.code() != "ConsumerNotFound" || !options_.ephemeral || made_again) throw;
      made_again = true;
      created_ = false;
      token_.clear();
    }
  }
}

Polled Consumer::State::poll(const Bounds& bounds) {
  if (stopping_) return {};
  if (heartbeat_) heartbeat_->end();
  for (Position& position : handed_) done_.insert_or_assign(position.shard_id, std::move(position));
  handed_.clear();
  const std::optional<Answer> answer = poll_until_answered(bounds);
  if (!answer) return {};
  PollAnswer read = read_polled(*answer);
  token_before_ = std::exchange(token_, std::move(read.token));
  if (read.lease > milliseconds(0)) lease_ = read.lease;
  owes_ = !read.polled.batches.empty();
  batches_done_ = 0;
  committed_.clear();
  if (options_.ephemeral && options_.commit_mode == CommitMode::on_poll) {
    for (const Batch& batch : read.polled.batches) {
      if (!batch.end().sequence_number.empty()) handed_.push_back(batch.end());
    }
  }
  tell(read.lost);
  if (heartbeat_) heartbeat_->begin(token_, lease_);
  return std::move(read.polled);
}

void Consumer::State::tell(const std::vector<LostLease>& lost) {
  if (!options_.on_lost) return;
  for (const LostLease& lease : lost) {
    if (!heartbeat_ || !heartbeat_->has_lost(lease.shard_id, lease.epoch)) options_.on_lost(lease);
  }
}

void Consumer::State::remember(const std::vector<Position>& positions) {
  committed_.insert(committed_.end(), positions.begin(), positions.end());
  if (!options_.ephemeral) return;
  for (const Position& position : positions) done_.insert_or_assign(position.shard_id, position);
}

void Consumer::State::commit(const std::vector<Position>& positions, const CommitOptions& options) {
  ask(commit_request(address_, positions, options.force, key_or_new(options.idempotency_key)));
  remember(positions);
}

Transacted Consumer::State::transact(const std::vector<Position>& positions, const std::string& target,
                                     const std::vector<NewRecord>& records, const std::string& key) {
  const std::optional<Answer> answer = ask(transact_request(address_, positions, target, records, key_or_new(key)));
  remember(positions);
  return read_transacted(*answer);
}

// The member's lease time was over before it could say that it is done. A poll says so too, and what it says counts
// unless another member has the shard by now.
void Consumer::State::commit_by_joining() {
  Request request = poll_request(address_, {options_.member, token_}, {1, milliseconds(0)}, 1);
  const std::optional<Answer> answer = ask(std::move(request), world_->now() + lease_);
  const PollAnswer joined = read_polled(*answer);
  tell(joined.lost);
  ask(leave_request(address_, {options_.member, joined.token}, false), world_->now() + lease_);
}

void Consumer::State::leave(bool commit) {
  if (heartbeat_) heartbeat_->end();
  if (token_.empty()) return;
  const bool commits = commit && owes_ && options_.commit_mode == CommitMode::on_poll;
  const Caller::Deadline until = world_->now() + (commits ? lease_ : std::min(lease_, leave_time_max));
  try {
    const std::optional<Answer> answer = ask(leave_request(address_, {options_.member, token_}, commit), until);
    tell(read_polled(*answer).lost);
  } catch (const Unreachable&) {
    // Its leases are over by themselves after a while.
    if (commits) throw;
  } catch (const Error& error) {
    if (error.code() != "MemberUnknown") throw;
    if (commits) commit_by_joining();
  }
  token_.clear();
  owes_ = false;
  if (!commit) handed_.clear();
}

Consumer::State::Outcome Consumer::State::hand_over(const Batch& batch, const Handler& handler) {
  Backoff backoff(options_.backoff_min, options_.backoff_max);
  const Batch* wanted = &batch;
  Batch rest;
  while (true) {
    std::string why = "the handler has thrown something that is no exception";
    try {
      handler(*wanted);
      return Outcome::done;
    } catch (const std::exception& error) {
      why = std::string("the handler has failed: ") + error.what();
    } catch (...) {
    }
    if (stopping_) return Outcome::stopped;
    const auto own = std::find_if(committed_.rbegin(), committed_.rend(), [&](const Position& position) {
      return position.shard_id == batch.shard_id && position.epoch == batch.epoch;
    });
    if (own != committed_.rend()) {
      rest = rest_of(batch, *own);
      if (rest.records.empty() && !rest.shard_end) return Outcome::done;
      wanted = &rest;
    }
    caller_.pause(why, backoff.next(world_->random()));
    if (stopping_) return Outcome::stopped;
    if (is_gone()) return Outcome::abandoned;
    if (is_lost(batch)) return Outcome::done;  // it is another's to do
  }
}

Consumer::State::Outcome Consumer::State::hand_over(const Polled& polled, const Handler& handler) {
  for (const Batch& batch : polled.batches) {
    const Outcome outcome = is_lost(batch) ? Outcome::done : hand_over(batch, handler);
    if (outcome != Outcome::done) return outcome;
    ++batches_done_;
  }
  return Outcome::done;
}

// Of a poll of which not all is done, what is.
void Consumer::State::commit_what_is_done(const Polled& polled) {
  if (options_.commit_mode != CommitMode::on_poll) return;
  std::vector<Position> positions;
  for (std::size_t i = 0; i < batches_done_; ++i) {
    const Position end = polled.batches[i].end();
    if (!end.sequence_number.empty() && !is_lost(polled.batches[i])) positions.push_back(end);
  }
  if (positions.empty()) return;
  try {
    commit(positions, {});
  } catch (const Error&) {
    // A lease was lost meanwhile. What was done without being committed is done again, as it may be.
  }
}

void Consumer::State::run(const Handler& handler) {
  while (!stopping_) {
    const Polled polled = poll({options_.max_records, options_.wait});
    const Outcome outcome = hand_over(polled, handler);
    if (outcome == Outcome::stopped) {
      commit_what_is_done(polled);
      return leave(false);
    }
    // It is not this member's any more, or nobody's: joining again, it gets it if nobody else has.
    if (outcome == Outcome::abandoned) {
      token_ = token_before_;
      handed_.clear();
    }
  }
  leave(true);
}

Consumer::Consumer(Options options, std::shared_ptr<World> world)
    : state_(std::make_unique<State>(std::move(options), std::move(world))) {}
Consumer::~Consumer() = default;

void Consumer::run(const Handler& handler) { state_->run(handler); }
void Consumer::stop() noexcept { state_->stop(); }
bool Consumer::stopping() const noexcept { return state_->stopping(); }
const std::string& Consumer::member() const { return state_->options().member; }
Polled Consumer::poll() { return poll({state_->options().max_records, state_->options().wait}); }
Polled Consumer::poll(const Bounds& bounds) { return state_->poll(bounds); }
void Consumer::commit(const std::vector<Position>& positions, const CommitOptions& options) {
  state_->commit(positions, options);
}
Transacted Consumer::transact(const std::vector<Position>& positions, const std::string& target_stream,
                              const std::vector<NewRecord>& records, const std::string& idempotency_key) {
  return state_->transact(positions, target_stream, records, idempotency_key);
}
void Consumer::leave(bool commit) { state_->leave(commit); }

}  // namespace penstock::client
