// The operations on queues themselves. Of each: what it takes and gives, its errors, and how they become a command and
// how a result becomes an answer.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/commands.hpp"
#include "penstock/limits.hpp"
#include "protocol/shape.hpp"
#include "protocol/sqs/call.hpp"
#include "protocol/sqs/paging.hpp"
#include "protocol/sqs/tag_operations.hpp"

namespace penstock::protocol::sqs {

inline constexpr MemberOptions attribute_entries{.query = "Attribute"};

// ---- CreateQueue

struct CreateQueueRequest {
  std::optional<std::string> queue_name;
  std::optional<Map<std::string>> attributes;
  std::optional<Map<std::string>> tags;

  static constexpr auto shape() {
    using Self = CreateQueueRequest;
    return Shape("CreateQueueRequest", required("QueueName", &Self::queue_name),
                 optional("Attributes", &Self::attributes, attribute_entries),
                 optional("tags", &Self::tags, tag_entries));
  }
};

struct CreateQueueResult {
  std::optional<std::string> queue_url;

  static constexpr auto shape() {
    return Shape("CreateQueueResult", optional("QueueUrl", &CreateQueueResult::queue_url));
  }
};

/// What an answer with queue URLs needs to know of its request.
struct KeepsUrl {
  std::string base_url;
  QueueName queue;
};

struct CreateQueueOperation {
  static constexpr std::string_view name = "CreateQueue";
  static constexpr auto errors = errors_of(ErrorCode::QueueDeletedRecently, ErrorCode::QueueNameExists,
                                           ErrorCode::InvalidAttributeName, ErrorCode::InvalidAttributeValue);
  using Input = CreateQueueRequest;
  using Output = CreateQueueResult;
  using Kept = KeepsUrl;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- GetQueueUrl

struct GetQueueUrlRequest {
  std::optional<std::string> queue_name;
  std::optional<std::string> queue_owner;

  static constexpr auto shape() {
    using Self = GetQueueUrlRequest;
    return Shape("GetQueueUrlRequest", required("QueueName", &Self::queue_name),
                 optional("QueueOwnerAWSAccountId", &Self::queue_owner));
  }
};

struct GetQueueUrlResult {
  std::optional<std::string> queue_url;

  static constexpr auto shape() {
    return Shape("GetQueueUrlResult", optional("QueueUrl", &GetQueueUrlResult::queue_url));
  }
};

struct GetQueueUrlOperation {
  static constexpr std::string_view name = "GetQueueUrl";
  static constexpr auto errors = errors_of(ErrorCode::QueueDoesNotExist);
  using Input = GetQueueUrlRequest;
  using Output = GetQueueUrlResult;
  using Kept = KeepsUrl;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- ListQueues

struct ListQueuesRequest {
  std::optional<std::string> queue_name_prefix;
  std::optional<std::string> next_token;
  std::optional<std::int32_t> max_results;

  static constexpr auto shape() {
    using Self = ListQueuesRequest;
    constexpr Range results{1, sqs_limits::list_results_max, Range::Wording::between};
    return Shape("ListQueuesRequest", optional("QueueNamePrefix", &Self::queue_name_prefix),
                 optional("NextToken", &Self::next_token),
                 optional("MaxResults", &Self::max_results, {.constraints = {.range = results}}));
  }
};

struct ListQueuesResult {
  std::optional<std::vector<std::string>> queue_urls;
  std::optional<std::string> next_token;

  static constexpr auto shape() {
    using Self = ListQueuesResult;
    return Shape("ListQueuesResult", optional("QueueUrls", &Self::queue_urls, {.query = "QueueUrl"}),
                 optional("NextToken", &Self::next_token));
  }
};

struct ListQueuesOperation {
  static constexpr std::string_view name = "ListQueues";
  static constexpr auto errors = errors_of();
  using Input = ListQueuesRequest;
  using Output = ListQueuesResult;
  using Kept = KeepsPage;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- DeleteQueue and PurgeQueue

struct DeleteQueueRequest {
  std::optional<std::string> queue_url;

  static constexpr auto shape() {
    return Shape("DeleteQueueRequest", required("QueueUrl", &DeleteQueueRequest::queue_url));
  }
};

struct DeleteQueueOperation {
  static constexpr std::string_view name = "DeleteQueue";
  static constexpr auto errors = errors_of(ErrorCode::QueueDoesNotExist);
  using Input = DeleteQueueRequest;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

struct PurgeQueueRequest {
  std::optional<std::string> queue_url;

  static constexpr auto shape() {
    return Shape("PurgeQueueRequest", required("QueueUrl", &PurgeQueueRequest::queue_url));
  }
};

struct PurgeQueueOperation {
  static constexpr std::string_view name = "PurgeQueue";
  static constexpr auto errors = errors_of(ErrorCode::QueueDoesNotExist, ErrorCode::PurgeQueueInProgress);
  using Input = PurgeQueueRequest;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- GetQueueAttributes

struct GetQueueAttributesRequest {
  std::optional<std::string> queue_url;
  std::optional<std::vector<std::string>> attribute_names;

  static constexpr auto shape() {
    using Self = GetQueueAttributesRequest;
    return Shape("GetQueueAttributesRequest", required("QueueUrl", &Self::queue_url),
                 optional("AttributeNames", &Self::attribute_names, {.query = "AttributeName"}));
  }
};

struct GetQueueAttributesResult {
  std::optional<Map<std::string>> attributes;

  static constexpr auto shape() {
    return Shape("GetQueueAttributesResult",
                 optional("Attributes", &GetQueueAttributesResult::attributes, attribute_entries));
  }
};

struct GetQueueAttributesOperation {
  static constexpr std::string_view name = "GetQueueAttributes";
  static constexpr auto errors = errors_of(ErrorCode::QueueDoesNotExist, ErrorCode::InvalidAttributeName);
  using Input = GetQueueAttributesRequest;
  using Output = GetQueueAttributesResult;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

// ---- SetQueueAttributes

struct SetQueueAttributesRequest {
  std::optional<std::string> queue_url;
  std::optional<Map<std::string>> attributes;

  static constexpr auto shape() {
    using Self = SetQueueAttributesRequest;
    return Shape("SetQueueAttributesRequest", required("QueueUrl", &Self::queue_url),
                 required("Attributes", &Self::attributes, attribute_entries));
  }
};

struct SetQueueAttributesOperation {
  static constexpr std::string_view name = "SetQueueAttributes";
  static constexpr auto errors = errors_of(ErrorCode::QueueDoesNotExist, ErrorCode::InvalidAttributeName,
                                           ErrorCode::InvalidAttributeValue, ErrorCode::OverLimit);
  using Input = SetQueueAttributesRequest;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static Asked to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(Result&& result, Kept& kept);
};

}  // namespace penstock::protocol::sqs
