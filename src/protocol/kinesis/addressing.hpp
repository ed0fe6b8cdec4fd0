// Which stream a request means, and which of its consumers: by name, by ARN, by id, or by several of them that agree.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "penstock/errors.hpp"
#include "penstock/stream_names.hpp"
#include "penstock/streams.hpp"
#include "protocol/caller.hpp"

namespace penstock::protocol::kinesis {

/// A name stands for a stream of the caller's account and region, an ARN says which ones it means.
struct Address {
  StreamName stream;  ///< its name is empty where only the id was given: somebody has to look up what it is called
  std::optional<StreamId> id;
};

/// Of StreamName, StreamARN and StreamId. An error where none was given, where one has not its form, or where the name
/// and the ARN name different streams.
std::variant<Error, Address> address_of(const std::optional<std::string>& name, const std::optional<std::string>& arn,
                                        const std::optional<std::string>& stream_id, const Caller& caller);

struct ConsumerAddress {
  Address stream;
  std::string name;
  std::optional<std::int64_t> created_s;  ///< where an ARN says it
};

/// Of ConsumerARN, or of StreamARN (or StreamId) and ConsumerName; or of all of them, as long as they agree.
std::variant<Error, ConsumerAddress> consumer_address_of(const std::optional<std::string>& stream_arn,
                                                         const std::optional<std::string>& consumer_name,
                                                         const std::optional<std::string>& consumer_arn,
                                                         const std::optional<std::string>& stream_id,
                                                         const Caller& caller);

struct ResourceAddress {
  Address stream;
  std::optional<ConsumerRef> consumer;  ///< nothing where the stream itself is meant
};

/// Of a ResourceARN, which names a stream or a consumer.
std::variant<Error, ResourceAddress> resource_address_of(const std::string& arn,
                                                         const std::optional<std::string>& stream_id);

}  // namespace penstock::protocol::kinesis
