// The pages by which other programs see whether this one is ready.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>
#include <string_view>

#include "protocol/wire.hpp"
#include "server/service.hpp"

namespace penstock::server {

/// Which of the AWS services clients have used. Any thread.
class UsedServices {
 public:
  static constexpr std::array<std::string_view, 3> names{"sqs", "kinesis", "lambda"};

  /// Costs nothing after the first time.
  void note(std::string_view service);
  bool has(std::size_t index) const { return used_.at(index).load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<bool>, names.size()> used_{};
};

/// A page of this kind: what it is called, and the answer.
struct HealthPage {
  std::string_view name;
  protocol::WireResponse response;
};

/// The page with that path, if it is one: /healthz, /readyz or /_localstack/health. The last is in the form that
/// LocalStack's has, since there are tools that wait for a service by it: one is "available" until it has been used,
/// and from then on "running".
std::optional<HealthPage> find_health_page(std::string_view path, const Service& service);

}  // namespace penstock::server
