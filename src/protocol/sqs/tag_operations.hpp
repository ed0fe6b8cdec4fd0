// TagQueue, UntagQueue and ListQueueTags.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/commands.hpp"
#include "protocol/decode.hpp"
#include "protocol/shape.hpp"
#include "protocol/sqs/call.hpp"

namespace penstock::protocol::sqs {

inline constexpr MemberOptions tag_entries{.query = "Tag", .key = "Key", .value = "Value"};

/// Checks each tag and moves it into `out`; of two with the same key the last one counts. How many a queue may have is
/// for its shard to say.
Refusal take_tags(Map<std::string>& given, StringMap& out);

// ---- TagQueue

struct TagQueueRequest {
  std::optional<std::string> queue_url;
  std::optional<Map<std::string>> tags;

  static constexpr auto shape() {
    using Self = TagQueueRequest;
    return Shape("TagQueueRequest", required("QueueUrl", &Self::queue_url), required("Tags", &Self::tags, tag_entries));
  }
};

struct TagQueueOperation {
  static constexpr std::string_view name = "TagQueue";
  static constexpr auto errors = errors_of(ErrorCode::QueueDoesNotExist);
  using Input = TagQueueRequest;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- UntagQueue

struct UntagQueueRequest {
  std::optional<std::string> queue_url;
  std::optional<std::vector<std::string>> tag_keys;

  static constexpr auto shape() {
    using Self = UntagQueueRequest;
    return Shape("UntagQueueRequest", required("QueueUrl", &Self::queue_url),
                 required("TagKeys", &Self::tag_keys, {.query = "TagKey"}));
  }
};

struct UntagQueueOperation {
  static constexpr std::string_view name = "UntagQueue";
  static constexpr auto errors = errors_of(ErrorCode::QueueDoesNotExist);
  using Input = UntagQueueRequest;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- ListQueueTags

struct ListQueueTagsRequest {
  std::optional<std::string> queue_url;

  static constexpr auto shape() {
    return Shape("ListQueueTagsRequest", required("QueueUrl", &ListQueueTagsRequest::queue_url));
  }
};

struct ListQueueTagsResult {
  std::optional<Map<std::string>> tags;

  static constexpr auto shape() {
    return Shape("ListQueueTagsResult", optional("Tags", &ListQueueTagsResult::tags, tag_entries));
  }
};

struct ListQueueTagsOperation {
  static constexpr std::string_view name = "ListQueueTags";
  static constexpr auto errors = errors_of(ErrorCode::QueueDoesNotExist);
  using Input = ListQueueTagsRequest;
  using Output = ListQueueTagsResult;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

}  // namespace penstock::protocol::sqs
