// What has to be done for a server to have what a setup says: it is made where it is not there, changed where it
// differs in a member that the setup names, and otherwise left alone. All of it is found out before anything is done.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/creation.hpp"
#include "config/problems.hpp"
#include "config/requests.hpp"
#include "config/setup.hpp"

namespace penstock::config {

/// How long a stream or a consumer of it may take to be ready.
inline constexpr std::chrono::minutes ready_time_max{15};

/// A request, and what has to be there before.
struct Call {
  Request request{};     ///< without a method nothing is asked: what matters is what is waited for
  std::string stream{};  ///< has to be ACTIVE
  /// Of that stream: has to be ACTIVE, and its ARN goes into the request's body as EventSourceArn.
  std::string consumer{};
};

enum class Action : std::uint8_t { create, update, keep };
std::string_view name_of(Action action);

struct Step {
  Action action = Action::keep;
  std::string kind;  ///< such as `queue`
  std::string name;
  Position at{};
  std::vector<std::string> changes{};  ///< the members that differ, of an update
  std::vector<Call> calls{};
  std::vector<Call> later{};  ///< once the calls of all steps of the same kind have been made
  Value members{};            ///< as the setup has them: where problems belong
};

/// Throws what `ask` throws. If there are problems, no step is to be carried out.
std::vector<Step> make_plan(const Setup& setup, const Place& place, const Ask& ask, Problems& problems);

/// What is done about something that needs time to be ready, where the server's clock is a virtual one that stands
/// still.
enum class StandingClock : std::uint8_t {
  complain,  ///< after standing_time_max, in case somebody moves it
  advance,   ///< from one moment at which something is due to the next, until it is ready
};
inline constexpr std::chrono::seconds standing_time_max{1};

/// Ends with the first problem.
void carry_out(const std::vector<Step>& plan, const Place& place, const Ask& ask, StandingClock standing,
               Problems& problems);

}  // namespace penstock::config
