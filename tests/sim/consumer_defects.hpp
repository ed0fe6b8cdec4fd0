// Engines that are wrong in one way each about consumers with positions, to test the simulation.
#pragma once

#include <cstdint>
#include <memory>

#include "penstock/engine.hpp"

namespace penstock::sim {

/// What is wrong with the engine, or with what lets its answers out.
enum class ConsumerDefect : std::uint8_t {
  none,
  acknowledge_before_commit,    ///< answers are let out before what they promise is written
  lease_not_written,            ///< positions and epochs are not stored
  lease_not_synced,             ///< they are, but may go with the power
  epoch_forgotten,              ///< a start begins with the epoch before
  epoch_not_grown,              ///< every lease is told with the same epoch
  stale_epoch_accepted,         ///< whatever epoch a token or a commit comes with
  token_skips,                  ///< a token commits one record more than it says
  token_ignored,                ///< a token commits nothing
  children_granted_early,       ///< a start forgets whose children shards are
  transaction_without_records,  ///< the positions are stored, the records not
  transaction_without_leases,   ///< the other way round
  transaction_put_twice,        ///< the records are put twice
  transaction_not_settled,      ///< positions that were stored are not heard of
  key_not_written,              ///< an IdempotencyKey is not stored
  key_ignored,                  ///< or not looked at
  reset_not_fenced,             ///< after a reset, what was handed out before it is still good
  lost_records_hidden,          ///< a batch does not say what retention took
  commit_of_the_first,          ///< of several positions only the first is committed
  backwards_allowed,            ///< every commit is forced
  session_not_checked,          ///< whoever has a member's name is taken for it
  member_never_dies,            ///< a member that is not heard of is taken for alive
  poll_sleeps,                  ///< a poll that waits is not answered
  group_left,                   ///< a consumer that was deleted is stored all the same
  shards_left_lying,            ///< one member gets nothing, though it polls
};

std::unique_ptr<Engine> make_defective(std::unique_ptr<Engine> engine, ConsumerDefect defect);

}  // namespace penstock::sim
