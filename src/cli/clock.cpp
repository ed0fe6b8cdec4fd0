#include <chrono>
#include <optional>
#include <string>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"
#include "cli/terminal.hpp"
#include "penstock/server_commands.hpp"
#include "protocol/native/server_operations.hpp"
#include "protocol/times.hpp"

namespace penstock::cli {

namespace {

namespace native = protocol::native;

/// What is asked of the clock; nothing if it is only to be read.
std::optional<native::ChangeClockInput> change_of(const Arguments& arguments) {
  const std::string what = arguments.word(0);
  const std::string value = arguments.word(1);
  if (what.empty()) return std::nullopt;
  const bool takes_value = what == "advance" || what == "set" || what == "speed";
  if (takes_value && value.empty()) throw UsageError(what + " by or to what?");
  if (!takes_value && !value.empty()) throw UsageError("'" + value + "' is one too many");
  native::ChangeClockInput change;
  if (what == "advance") {
    change.advance = value == "next" ? value : duration_text(what, value, std::chrono::milliseconds::max());
  } else if (what == "set") {
    if (!protocol::parse_time(value)) {
      throw UsageError("set is a time such as 2026-01-01T00:00:00Z, not '" + value + "'");
    }
    change.set = value;
  } else if (what == "freeze" || what == "thaw") {
    change.freeze = what == "freeze";
  } else if (what == "speed") {
    const bool digits = value.size() <= 7 && value.find_first_not_of("0123456789") == std::string::npos;
    change.speed = digits ? std::stoll(value) : 0;
    if (*change.speed < 1 || *change.speed > server_limits::clock_speed_max) {
      throw UsageError("speed is a whole number from 1 to " + std::to_string(server_limits::clock_speed_max) +
                       ", not '" + value + "'");
    }
  } else {
    throw UsageError("advance, set, freeze, thaw or speed, not '" + what + "'");
  }
  change.wait = read_duration(arguments, "wait", server_limits::settle_time_max);
  return change;
}

void print(const native::ClockDescription& clock) {
  Output output;
  std::string text = clock.now.value_or("") + "  " + clock.mode.value_or("");
  if (clock.frozen.value_or(false)) text += ", frozen";
  if (clock.speed.value_or(1) != 1) text += ", " + std::to_string(*clock.speed) + " times as fast";
  if (clock.next) text += ", next is " + *clock.next;
  output.line(text);
  output.flush();
}

}  // namespace

void describe_clock(cxxopts::Options& flags) {
  flags.add_options()("wait", "how long, really, to wait for what became due to come to rest (default: 30s)",
                      cxxopts::value<std::string>(), "DURATION");
}

int run_clock(const Arguments& arguments) {
  const auto change = change_of(arguments);
  Server server(arguments);
  using Operation = native::ChangeClockOperation;
  const Patience patience{.answer_max = server_limits::settle_time_max + std::chrono::seconds{30}};
  const std::string path(Operation::path);
  const client::Answer answer =
      change ? server.lambda({std::string(Operation::method), path, client::to_json(*change)}, patience)
             : server.lambda({std::string(native::ReadClockOperation::method), path, {}});
  const auto clock = client::from_json<native::ClockDescription>(answer);
  if (arguments.json) {
    print_json(clock);
  } else {
    print(clock);
  }
  if (clock.settled.value_or(true)) return success_status;
  std::string why = "what became due has not come to rest in time";
  if (clock.target && clock.target != clock.now) {
    why += ": the clock shows " + clock.now.value_or("") + " and has not gone on to " + *clock.target;
  }
  complain(why);
  return empty_status;
}

}  // namespace penstock::cli
