#include "message_moves.hpp"

#include <memory>
#include <optional>

#include "penstock/queue_names.hpp"
#include "storage/records.hpp"

namespace penstock::sim {

bool MessageMoves::begin_next(const Store& store, const Apply& apply) {
  const Transfer transfer = std::move(waiting_.front());
  waiting_.pop_front();
  std::shared_ptr<const StoredMessage> message;
  const StoreError error = storage::read_message(store, transfer.queue, transfer.sequence, message);
  if (error && error.status != StoreStatus::not_found) return false;
  // Of a move task it is where each message came from.
  const auto destination =
      transfer.destination || !message ? transfer.destination : split_arn(message->dead_letter_source);
  if (!message || !destination) {
    apply(TransferSettled{transfer.queue, transfer.sequence, ErrorCode::ResourceNotFound});
    return true;
  }
  const CallId call =
      apply(AcceptTransfer{*destination, transfer.kind, transfer.queue, transfer.sequence, arn_of(transfer.origin),
                           message, transfer.receive_count, transfer.first_received});
  moving_.emplace(call, Moving{transfer});
  return true;
}

bool MessageMoves::on_reply(const Reply& reply, const Apply& apply) {
  const auto found = moving_.extract(reply.call);
  if (found.empty()) return false;
  Moving moving = found.mapped();
  const Transfer& transfer = moving.transfer;
  if (moving.settled) {
    apply(ForgetArrival{moving.accepted_by, transfer.queue, transfer.sequence});
    return true;
  }
  std::optional<ErrorCode> failure;
  if (const auto* error = std::get_if<Error>(&reply.result)) failure = error->code;
  const CallId call = apply(TransferSettled{transfer.queue, transfer.sequence, failure});
  if (const auto* accepted = std::get_if<Accepted>(&reply.result)) {
    moving.accepted_by = accepted->queue;
    moving.settled = true;
    moving_.emplace(call, moving);
  }
  return true;
}

}  // namespace penstock::sim
