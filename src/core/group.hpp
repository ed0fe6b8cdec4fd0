// One consumer with positions (groups.hpp): how far it has come in each shard of its stream, who holds which shard, and
// how the shards are divided among its members. What is said of positions and epochs is stored before anybody hears of
// it; who is alive is known only here, and a start takes everybody that holds a shard for alive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/deadline_heap.hpp"
#include "core/shard_context.hpp"
#include "core/shards.hpp"
#include "penstock/group_commands.hpp"
#include "penstock/records.hpp"

namespace penstock::core {

class Groups;

/// What a reader is called whose endpoint names no member.
inline constexpr std::string_view unnamed_reader = "default";

/// The position that a client gives, or what is wrong with it.
std::variant<GroupPosition, Error> place_in(const StreamShard& shard, const GivenPosition& given);

/// One that polls.
struct GroupPoller {
  std::string name;
  std::uint64_t session = 0;
  std::set<ShardIndex> held;
  Instant heard{};              ///< the latest sign of life
  std::optional<CallId> waits;  ///< its poll
  Instant waits_until{};
  bool awaited = false;       ///< time has ended its poll, and it has not polled since
  std::size_t count_max = 0;  ///< of that poll
  std::size_t bytes_max = 0;
  ShardIndex served;  ///< whose records came first in its latest answer: those of others come before them
  DeadlineHeap::Handle deadline = DeadlineHeap::none;
};

class Group {
 public:
  /// A new one, at the position that each shard has in `leases`.
  Group(Groups& home, GroupInfo info, const std::map<ShardIndex, GroupLease>& leases);
  /// As a start finds it.
  Group(Groups& home, RecoveredGroup recovered);
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group();

  const GroupInfo& info() const { return info_; }
  /// As it is told: with what was lost in shards that are still there.
  GroupInfo told() const;
  /// Whether a transaction of it is under way.
  bool is_busy() const { return busy_ > 0; }
  /// An ephemeral one that nobody is a member of any more.
  bool is_over(Instant now) const;

  // What its stream tells it.
  void shard_closed(StreamShard& shard) { finish_if_done(shard); }
  /// After any number of them were opened or closed.
  void shards_changed();
  void shard_forgotten(const StreamShard& shard);
  /// A shard of `poller`, whose poll waits, has got records.
  void woken(GroupPoller& poller);
  void answer(GroupPoller& poller);
  /// Answers all polls that wait, with an error or else empty.
  void end_polls(const std::optional<Error>& error);
  void poller_due(std::uint64_t session, Instant now);
  void sweep_due(Instant now);
  // The moment, no earlier than `when`, at which a client could see what comes of such a deadline; or nothing.
  std::optional<Instant> member_end_seen(std::uint64_t session, Instant when) const;
  std::optional<Instant> sweep_seen(Instant when) const;
  /// Whether the deadline of that member is the end of its poll.
  bool is_poll_end(std::uint64_t session) const;
  /// When the poll of that member ended, if time has ended it and it has not polled since.
  std::optional<Instant> awaited_since(std::uint64_t session) const;

  // Commands. Each answers its call.
  void describe(CallId call, const DescribeGroup& command, bool created);
  void poll(CallId call, const PollGroup& command);
  void cancel_poll(CallId poll);
  void heartbeat(CallId call, const HeartbeatGroup& command);
  void leave(CallId call, const LeaveGroup& command);
  void commit(CallId call, const CommitGroup& command);
  void transact(CallId call, TransactGroup& command);
  /// `leases` and `key` are those that `transact` gave to the target.
  void settle(const TransactionSettled& settled, const std::vector<PutGroupLease>& leases, CommitKey key);
  void reset(CallId call, const ResetGroup& command);
  void lag(CallId call, const DescribeLag& command);
  ConsumerView view() const;
  /// Whether there is a record that it has not processed.
  bool lags() const;
  void start_reading(CallId call, const GetShardIterator& command, StreamShard& shard);
  /// What is wrong with a read under `hold` from `from` on; nothing once it has been committed and renewed.
  std::optional<Error> read_on(const GroupHold& hold, StreamShard& shard, RecordIndex from);

 private:
  struct Lease : GroupLease {
    RecordIndex read{1};       ///< where its owner reads on; not before the position
    bool outstanding = false;  ///< something was handed out that is not known to be done
    bool revoking = false;
    bool told = false;       ///< its owner knows of that
    Instant revoke_until{};  ///< then it is taken away in any case
    Instant reads_until{};   ///< of a reader: others may have it after that
    bool busy = false;       ///< a transaction is about to write it
    bool is_polled() const { return session != 0; }
    bool is_read() const { return session == 0 && !owner.empty(); }
  };
  struct Step {
    StreamShard* shard = nullptr;
    GroupPosition position;
    const GivenPosition* given = nullptr;
  };
  using Steps = std::variant<std::vector<Step>, Error>;

  Instant now() const { return context_.now; }
  std::uint64_t new_session();

  // Leases and members (group_leases.cpp).
  Lease* find_lease(ShardIndex shard);
  const Lease* find_lease(ShardIndex shard) const;
  GroupLease record_of(ShardIndex shard) const;
  void keep(ShardIndex shard, const Lease& lease, bool promised);
  bool is_done(const StreamShard& shard) const;
  bool is_blocked(const StreamShard& shard) const;
  bool is_read_now(const Lease& lease) const { return lease.is_read() && lease.reads_until > now(); }
  /// By a member that is there.
  bool is_held(const Lease& lease) const;
  bool is_drained(const Lease& lease) const { return !lease.outstanding && !lease.busy; }
  void begin_epoch(Lease& lease) const;
  void grant(ShardIndex shard, GroupPoller& poller);
  void free(ShardIndex shard, Lease& lease);
  void take_away(ShardIndex shard, Lease& lease);
  void finish_if_done(StreamShard& shard);
  void rebalance();
  void balance(std::size_t total, std::vector<ShardIndex> unowned);
  void revoke_surplus(GroupPoller& poller, std::size_t surplus, std::vector<ShardIndex>& unowned);
  std::size_t keep_revoking(GroupPoller& poller, std::size_t most);
  void release_drained(GroupPoller& poller);
  void arm_sweep(Instant when);

  // Polls (group.cpp).
  GroupPoller* find_poller(const std::string& name);
  const GroupPoller* find_session(std::uint64_t session) const;
  GroupPoller& join(const std::string& name, std::optional<std::uint64_t> session = std::nullopt);
  void replace(GroupPoller& poller);
  void remove(GroupPoller& poller);
  /// The member that a token is of, or why it is not.
  std::variant<GroupPoller*, Error> member_of(const std::string& name, const GroupToken& token);
  bool touches_busy(const GroupToken& token) const;
  std::vector<LostLease> take(const GroupToken& token);
  std::vector<LostLease> lost_of(const GroupToken& token) const;
  LostLease lost(const HandedOut& handed) const;
  void accept(const HandedOut& handed, StreamShard& shard, Lease& lease);
  bool has_news(const GroupPoller& poller) const;
  bool has_news(ShardIndex shard, const Lease& lease) const;
  void received(GroupPoller& poller);
  void park(GroupPoller& poller, CallId call, Millis wait);
  void unpark(GroupPoller& poller);
  void reply(GroupPoller& poller, CallId call, std::vector<LostLease> lost, bool with_batches);
  GroupPolled about(const GroupPoller& poller) const;
  void hand_out(GroupPoller& poller, GroupPolled& answer);
  void arm(GroupPoller& poller);
  void disarm(GroupPoller& poller);
  void renew(const std::string& member);

  // Positions (group_positions.cpp).
  std::optional<Error> objection_to(const StreamShard& shard, const GivenPosition& given) const;
  Steps steps_of(const std::vector<GivenPosition>& given, bool force);
  GroupLease after(const Step& step) const;
  void move_on(StreamShard& shard, GroupLease record);
  void take_back_blocked();
  GroupShard seen(const StreamShard& shard) const;
  RecordsPage glimpse(const StreamShard& shard, const GroupPosition& position) const;
  const CommitKey* find_key(const std::string& key) const;
  void remember(CommitKey key);
  void forget_old_keys();
  bool pass_lost(Lease& lease, RecordIndex head);
  std::vector<ShardReset> plan(const ResetGroup& command, std::optional<Error>& error);

  Groups& home_;
  ShardContext& context_;
  GroupInfo info_;
  std::map<ShardIndex, Lease> leases_;
  std::map<std::string, GroupPoller> pollers_;
  std::map<std::string, CommitKey> keys_;
  std::vector<std::string> key_order_;  ///< the oldest first
  std::size_t busy_ = 0;                ///< transactions
  bool was_joined_ = false;
  bool unbalanced_ = false;  ///< members or shards have come or gone since the shards were divided
  DeadlineHeap::Handle sweep_ = DeadlineHeap::none;
  Instant sweep_at_{};
};

}  // namespace penstock::core
