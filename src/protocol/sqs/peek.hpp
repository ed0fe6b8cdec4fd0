// A look at a queue's messages without receiving them, under a path that other tools know. It is no operation of the
// service, and is worded as an answer to ReceiveMessage.
#pragma once

#include <string_view>

#include "protocol/reply.hpp"
#include "protocol/wire.hpp"

namespace penstock::protocol::sqs {

/// What an answer has in place of a receipt handle: no queue takes it for one.
inline constexpr std::string_view peek_receipt_handle = "none-it-was-not-received";

/// Whether a request's path is /_aws/sqs/messages or lies below it.
bool is_peek_path(std::string_view path);

/// GET or POST, the queue named by a QueueUrl or by the path: /_aws/sqs/messages/<region>/<account>/<queue>. The
/// parameters ShowInvisible and ShowDelayed are true or false. The answer is XML, or JSON where Accept asks for it or
/// the request is JSON itself.
/// REQUIRES: is_peek_path of the target's path.
Prepared prepare_peek(const WireRequest& request, const ServiceContext& context, bool speaks_json);

}  // namespace penstock::protocol::sqs
