// An engine that only says what it was asked, for tests of what is around engines.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "penstock/engine.hpp"

namespace penstock::server {

/// Answers as it is told, and notes what it was asked.
class ScriptedEngine final : public Engine {
 public:
  using Script = std::function<std::optional<Result>(const Command&)>;

  explicit ScriptedEngine(std::string label, std::vector<std::string>& log) : label_(std::move(label)), log_(log) {}

  void recover(RecoveredQueue /*queue*/, Instant /*now*/) override {}
  void recover(RecoveredStream stream, Instant /*now*/) override { streams.push_back(std::move(stream)); }
  void recover(StreamAccount account) override { accounts.push_back(std::move(account)); }
  void apply(CallId call, Command command, Instant /*now*/) override {
    log_.push_back(label_ + describe(command));
    if (const auto* accept = std::get_if<AcceptTransfer>(&command)) accepted.push_back(*accept);
    if (const auto* settled = std::get_if<TransferSettled>(&command)) outcomes.push_back(*settled);
    if (const auto* forget = std::get_if<ForgetArrival>(&command)) forgotten.push_back(*forget);
    if (const auto* asked = std::get_if<StreamCommand>(&command)) asked_of_streams.push_back(*asked);
    if (auto result = script(command)) effects.replies.push_back(Reply{call, std::move(*result)});
    calls.push_back(call);
  }
  void advance(Instant /*now*/) override {}
  std::optional<Instant> next_deadline() const override { return std::nullopt; }
  void release_parked() override {
    ++released;
    on_release();
  }
  Effects take_effects() override { return std::exchange(effects, {}); }

  static constexpr QueueId accepting_queue{2};

  Effects effects;
  Script script = [](const Command& command) -> std::optional<Result> {
    if (std::holds_alternative<AcceptTransfer>(command)) return Accepted{accepting_queue};
    if (std::holds_alternative<TransferSettled>(command)) return Done{};
    return std::nullopt;
  };
  std::vector<AcceptTransfer> accepted;
  std::vector<TransferSettled> outcomes;
  std::vector<ForgetArrival> forgotten;
  std::vector<StreamCommand> asked_of_streams;
  std::vector<CallId> calls;
  std::vector<RecoveredStream> streams;
  std::vector<StreamAccount> accounts;
  std::size_t released = 0;
  std::function<void()> on_release = [] {};

 private:
  static std::string describe(const Command& command) {
    if (std::holds_alternative<AcceptTransfer>(command)) return " accepts";
    if (std::holds_alternative<TransferSettled>(command)) return " settles";
    if (std::holds_alternative<ForgetArrival>(command)) return " forgets";
    return " does something else";
  }

  const std::string label_;
  std::vector<std::string>& log_;
};

}  // namespace penstock::server
