// The operations on the tags of functions and of mappings.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/lambda/call.hpp"
#include "protocol/lambda/shapes.hpp"
#include "protocol/shape.hpp"

namespace penstock::protocol::lambda {

// ---- TagResource

struct TagResourceRequest {
  std::optional<std::string> resource;
  std::optional<Map<std::string>> tags;

  static constexpr auto shape() {
    using Self = TagResourceRequest;
    return Shape("TagResourceRequest", required("Resource", &Self::resource, in_path(rules::taggable)),
                 required("Tags", &Self::tags));
  }
};

struct TagResourceOperation {
  static constexpr std::string_view name = "TagResource";
  static constexpr std::string_view method = "POST";
  static constexpr std::string_view path = "/2017-03-31/tags/{Resource}";
  static constexpr int status = status_no_content;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceConflict,
                                           ErrorCode::LambdaResourceNotFound);
  using Input = TagResourceRequest;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- UntagResource

struct UntagResourceRequest {
  std::optional<std::string> resource;
  std::optional<std::vector<std::string>> tag_keys;

  static constexpr auto shape() {
    using Self = UntagResourceRequest;
    return Shape("UntagResourceRequest", required("Resource", &Self::resource, in_path(rules::taggable)),
                 required("tagKeys", &Self::tag_keys, in_query()));
  }
};

struct UntagResourceOperation {
  static constexpr std::string_view name = "UntagResource";
  static constexpr std::string_view method = "DELETE";
  static constexpr std::string_view path = "/2017-03-31/tags/{Resource}";
  static constexpr int status = status_no_content;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceConflict,
                                           ErrorCode::LambdaResourceNotFound);
  using Input = UntagResourceRequest;
  using Output = Nothing;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

// ---- ListTags

struct ListTagsRequest {
  std::optional<std::string> resource;

  static constexpr auto shape() {
    return Shape("ListTagsRequest", required("Resource", &ListTagsRequest::resource, in_path(rules::taggable)));
  }
};
struct ListTagsResponse {
  std::optional<Map<std::string>> tags;

  static constexpr auto shape() { return Shape("ListTagsResponse", optional("Tags", &ListTagsResponse::tags)); }
};

struct ListTagsOperation {
  static constexpr std::string_view name = "ListTags";
  static constexpr std::string_view method = "GET";
  static constexpr std::string_view path = "/2017-03-31/tags/{Resource}";
  static constexpr int status = status_ok;
  static constexpr auto errors = errors_of(ErrorCode::LambdaInvalidParameterValue, ErrorCode::LambdaResourceNotFound);
  using Input = ListTagsRequest;
  using Output = ListTagsResponse;
  using Kept = KeepsNothing;
  static AskedTriggers to_command(Input& input, const Caller& caller, Kept& kept);
  static Told<Output> to_output(TriggerResult&& result, Kept& kept);
};

}  // namespace penstock::protocol::lambda
