// The operations on the tags of streams and consumers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/commands.hpp"
#include "protocol/caller.hpp"
#include "protocol/kinesis/call.hpp"
#include "protocol/kinesis/constraints.hpp"
#include "protocol/kinesis/shapes.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::kinesis {

struct Tag {
  std::optional<std::string> key;
  std::optional<std::string> value;

  static constexpr auto shape() {
    using Self = Tag;
    return Shape("Tag", required("Key", &Self::key), optional("Value", &Self::value));
  }
};

// ---- AddTagsToStream

struct AddTagsToStreamInput {
  std::optional<std::string> stream_name;
  std::optional<Map<std::string>> tags;
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = AddTagsToStreamInput;
    return Shape("AddTagsToStreamInput", optional("StreamName", &Self::stream_name, kinesis::stream_name),
                 required("Tags", &Self::tags, kinesis::tag_map),
                 optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct AddTagsToStreamOperation {
  static constexpr std::string_view name = "AddTagsToStream";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::KinesisResourceInUse,
                                     ErrorCode::KinesisInvalidArgument, ErrorCode::KinesisLimitExceeded,
                                     ErrorCode::KinesisAccessDenied};
  using Input = AddTagsToStreamInput;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- RemoveTagsFromStream

struct RemoveTagsFromStreamInput {
  std::optional<std::string> stream_name;
  std::optional<std::vector<std::string>> tag_keys;
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = RemoveTagsFromStreamInput;
    return Shape("RemoveTagsFromStreamInput", optional("StreamName", &Self::stream_name, kinesis::stream_name),
                 required("TagKeys", &Self::tag_keys, kinesis::tag_keys),
                 optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct RemoveTagsFromStreamOperation {
  static constexpr std::string_view name = "RemoveTagsFromStream";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::KinesisResourceInUse,
                                     ErrorCode::KinesisInvalidArgument, ErrorCode::KinesisLimitExceeded,
                                     ErrorCode::KinesisAccessDenied};
  using Input = RemoveTagsFromStreamInput;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- ListTagsForStream

struct ListTagsForStreamInput {
  std::optional<std::string> stream_name;
  std::optional<std::string> exclusive_start_tag_key;
  std::optional<std::int32_t> limit;
  std::optional<std::string> stream_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = ListTagsForStreamInput;
    return Shape("ListTagsForStreamInput", optional("StreamName", &Self::stream_name, kinesis::stream_name),
                 optional("ExclusiveStartTagKey", &Self::exclusive_start_tag_key, kinesis::tag_key),
                 optional("Limit", &Self::limit, kinesis::tags_limit),
                 optional("StreamARN", &Self::stream_arn, kinesis::stream_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct ListTagsForStreamOutput {
  std::optional<std::vector<Tag>> tags;
  std::optional<bool> has_more_tags;

  static constexpr auto shape() {
    using Self = ListTagsForStreamOutput;
    return Shape("ListTagsForStreamOutput", required("Tags", &Self::tags),
                 required("HasMoreTags", &Self::has_more_tags));
  }
};

struct ListTagsForStreamOperation {
  static constexpr std::string_view name = "ListTagsForStream";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::KinesisInvalidArgument,
                                     ErrorCode::KinesisLimitExceeded, ErrorCode::KinesisAccessDenied};
  using Input = ListTagsForStreamInput;
  using Output = ListTagsForStreamOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- TagResource

struct TagResourceInput {
  std::optional<Map<std::string>> tags;
  std::optional<std::string> resource_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = TagResourceInput;
    return Shape("TagResourceInput", required("Tags", &Self::tags, kinesis::tag_map),
                 required("ResourceARN", &Self::resource_arn, kinesis::resource_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct TagResourceOperation {
  static constexpr std::string_view name = "TagResource";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::KinesisResourceInUse,
                                     ErrorCode::KinesisInvalidArgument, ErrorCode::KinesisLimitExceeded,
                                     ErrorCode::KinesisAccessDenied};
  using Input = TagResourceInput;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- UntagResource

struct UntagResourceInput {
  std::optional<std::vector<std::string>> tag_keys;
  std::optional<std::string> resource_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = UntagResourceInput;
    return Shape("UntagResourceInput", required("TagKeys", &Self::tag_keys, kinesis::tag_keys),
                 required("ResourceARN", &Self::resource_arn, kinesis::resource_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct UntagResourceOperation {
  static constexpr std::string_view name = "UntagResource";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::KinesisResourceInUse,
                                     ErrorCode::KinesisInvalidArgument, ErrorCode::KinesisLimitExceeded,
                                     ErrorCode::KinesisAccessDenied};
  using Input = UntagResourceInput;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- ListTagsForResource

struct ListTagsForResourceInput {
  std::optional<std::string> resource_arn;
  std::optional<std::string> stream_id;

  static constexpr auto shape() {
    using Self = ListTagsForResourceInput;
    return Shape("ListTagsForResourceInput", required("ResourceARN", &Self::resource_arn, kinesis::resource_arn),
                 optional("StreamId", &Self::stream_id, kinesis::stream_id));
  }
};

struct ListTagsForResourceOutput {
  std::optional<std::vector<Tag>> tags;

  static constexpr auto shape() {
    using Self = ListTagsForResourceOutput;
    return Shape("ListTagsForResourceOutput", optional("Tags", &Self::tags));
  }
};

struct ListTagsForResourceOperation {
  static constexpr std::string_view name = "ListTagsForResource";
  static constexpr std::array errors{ErrorCode::KinesisResourceNotFound, ErrorCode::KinesisResourceInUse,
                                     ErrorCode::KinesisInvalidArgument, ErrorCode::KinesisLimitExceeded,
                                     ErrorCode::KinesisAccessDenied};
  using Input = ListTagsForResourceInput;
  using Output = ListTagsForResourceOutput;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

}  // namespace penstock::protocol::kinesis
