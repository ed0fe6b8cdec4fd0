#include "protocol/kinesis/addressing.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "protocol/text.hpp"

namespace penstock::protocol::kinesis {
namespace {

Error invalid_argument(std::string message) { return {ErrorCode::KinesisInvalidArgument, std::move(message)}; }

/// "StreamARN arn:aws:... is not valid."
Error invalid_arn(std::string_view member, std::string_view arn) {
  std::string message(member);
  return invalid_argument(message.append(" ").append(arn).append(" is not valid."));
}

bool is_region_label(std::string_view text) {
  constexpr std::size_t region_chars_max = 32;
  return text.size() <= region_chars_max &&
         std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

/// Nothing for what is no ARN, and for one of an account, a region or a name that cannot be: what is left is short
/// enough for a ShardIterator.
std::optional<StreamArn> read_arn(std::string_view arn) {
  constexpr std::size_t name_chars_max = 128;
  std::optional<StreamArn> named = split_stream_arn(arn);
  if (!named || !is_account(named->stream.account) || !is_region_label(named->stream.region) ||
      named->stream.name.size() > name_chars_max) {
    return std::nullopt;
  }
  return named;
}

/// Sets the id of an address, if the request has one.
std::optional<Error> read_id(const std::optional<std::string>& stream_id, Address& address) {
  if (!stream_id) return std::nullopt;
  address.id = parse_stream_id(*stream_id);
  if (address.id) return std::nullopt;
  // It has the form but not the check digits: no stream was ever called that.
  return Error{ErrorCode::KinesisResourceNotFound,
               "Stream with id " + *stream_id + " under account " + address.stream.account + " not found."};
}

}  // namespace

std::variant<Error, Address> address_of(const std::optional<std::string>& name, const std::optional<std::string>& arn,
                                        const std::optional<std::string>& stream_id, const Caller& caller) {
  Address address{{std::string(caller.account), std::string(caller.region), name.value_or(std::string())}, {}};
  if (arn) {
    std::optional<StreamArn> named = read_arn(*arn);
    if (!named || named->consumer) return invalid_arn("StreamARN", *arn);
    if (name && *name != named->stream.name) {
      return invalid_argument("StreamARN " + *arn + " and StreamName " + *name + " do not name the same stream.");
    }
    address.stream = std::move(named->stream);
  }
  if (!name && !arn && !stream_id) return invalid_argument("Either StreamName or StreamARN must be provided.");
  if (auto error = read_id(stream_id, address)) return std::move(*error);
  return address;
}

std::variant<Error, ConsumerAddress> consumer_address_of(const std::optional<std::string>& stream_arn,
                                                         const std::optional<std::string>& consumer_name,
                                                         const std::optional<std::string>& consumer_arn,
                                                         const std::optional<std::string>& stream_id,
                                                         const Caller& caller) {
  if (!consumer_arn && (!consumer_name || (!stream_arn && !stream_id))) {
    return invalid_argument("Either ConsumerARN or both StreamARN and ConsumerName must be provided.");
  }
  ConsumerAddress address;
  if (stream_arn || !consumer_arn) {
    auto stream = address_of({}, stream_arn, stream_id, caller);
    if (Error* error = std::get_if<Error>(&stream)) return std::move(*error);
    address.stream = std::get<Address>(std::move(stream));
  }
  if (consumer_name) address.name = *consumer_name;
  if (consumer_arn) {
    std::optional<StreamArn> named = read_arn(*consumer_arn);
    if (!named || !named->consumer) return invalid_arn("ConsumerARN", *consumer_arn);
    if ((stream_arn && named->stream != address.stream.stream) ||
        (consumer_name && named->consumer->name != *consumer_name)) {
      return invalid_argument("StreamARN, ConsumerName and ConsumerARN do not name the same consumer.");
    }
    address.stream.stream = std::move(named->stream);
    address.name = std::move(named->consumer->name);
    address.created_s = named->consumer->created_s;
  }
  if (auto error = read_id(stream_id, address.stream)) return std::move(*error);
  return address;
}

std::variant<Error, ResourceAddress> resource_address_of(const std::string& arn,
                                                         const std::optional<std::string>& stream_id) {
  std::optional<StreamArn> named = read_arn(arn);
  if (!named) return invalid_arn("ResourceARN", arn);
  ResourceAddress address{{std::move(named->stream), {}}, std::move(named->consumer)};
  if (auto error = read_id(stream_id, address.stream)) return std::move(*error);
  return address;
}

}  // namespace penstock::protocol::kinesis
