// Files of other servers of queues, as a penstock.yaml.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/problems.hpp"
#include "config/value.hpp"

namespace penstock::config {

enum class Origin : std::uint8_t { elasticmq, goaws };

/// `elasticmq` or `goaws`.
std::optional<Origin> origin_called(std::string_view name);

/// What a file was made into.
struct Converted {
  Value document;  ///< of a penstock.yaml
  Origin origin{};
};
/// As a penstock.yaml that says what it was made of.
std::string to_yaml(const Converted& converted);

/// The penstock.yaml that a file stands for; nothing, and why among the problems, if it is not in order. What has no
/// counterpart is among the notes. Without an origin it is seen from what the file says.
std::optional<Converted> convert(std::string_view text, std::optional<Origin> origin, Problems& problems);

// Each as the document of a penstock.yaml.

Value from_elasticmq(const Value& document, Problems& problems);
Value from_goaws(const Value& document, Problems& problems);

// ---- What both have in common

/// A queue's dead letters, as RedrivePolicy has them.
Value redrive_policy(const std::string& queue, const Value& max_receive_count);
/// Adds a queue, or gives it what it has not got yet.
void put_queue(Value& queues, const std::string& name, Position at, Value members);

}  // namespace penstock::config
