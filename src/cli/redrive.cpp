#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"
#include "cli/terminal.hpp"
#include "penstock/limits.hpp"
#include "protocol/sqs/dead_letter_operations.hpp"

namespace penstock::cli {

namespace sqs = protocol::sqs;
using std::chrono::milliseconds;
using Task = sqs::ListMessageMoveTasksResultEntry;

namespace {

// How often the task is looked at: at first for those who move ten messages, then for those who move millions.
constexpr milliseconds look_interval_min{10};
constexpr milliseconds look_interval_max{500};

/// All that is remembered of that queue, the newest first.
std::vector<Task> tasks_of(Server& server, const std::string& arn) {
  auto listed = server.sqs<sqs::ListMessageMoveTasksOperation>({arn, sqs_limits::move_tasks_listed_max});
  return std::move(listed.results).value_or(std::vector<Task>());
}

/// The one that began then.
Task task_of(Server& server, const std::string& arn, std::optional<std::int64_t> started) {
  std::vector<Task> tasks = tasks_of(server, arn);
  const auto found = std::find_if(tasks.begin(), tasks.end(),
                                  [&](const Task& task) { return !started || task.started_timestamp == started; });
  if (found == tasks.end()) throw std::runtime_error("the server no longer remembers the task");
  return std::move(*found);
}

bool is_over(const Task& task) { return task.status != "RUNNING" && task.status != "CANCELLING"; }

std::string progress_text(const Task& task) {
  std::string text = grouped(static_cast<std::size_t>(task.moved.value_or(0)));
  if (task.to_move) text.append(" of ").append(grouped(static_cast<std::size_t>(*task.to_move)));
  return text.append(" moved");
}

/// How long it is waited for the next message where the server's clock stands still, in case somebody moves it.
constexpr std::chrono::seconds standing_time_max{1};

/// Until it is over, or waits for a clock that stands still.
Task wait_for_end(Server& server, const std::string& arn) {
  Progress progress;
  Task task = task_of(server, arn, std::nullopt);
  auto moved_at = std::chrono::steady_clock::now();
  for (milliseconds interval = look_interval_min; !is_over(task);
       interval = std::min(2 * interval, look_interval_max)) {
    progress.show(progress_text(task));
    wait_for(interval);
    Task next = task_of(server, arn, task.started_timestamp);
    if (next.moved != task.moved) moved_at = std::chrono::steady_clock::now();
    task = std::move(next);
    const bool waits_long = std::chrono::steady_clock::now() >= moved_at + standing_time_max;
    if (waits_long && !is_over(task) && server.clock_stands_still()) break;
  }
  return task;
}

void print(const Task& task, bool json) {
  if (json) return print_json(task);
  Table table({"STATUS", "MOVED", "FROM", "TO"});
  table.add({or_dash(task.status), number_text(task.moved), queue_name_of(task.source_arn.value_or("-")),
             task.destination_arn ? queue_name_of(*task.destination_arn) : "-"});
  table.print();
}

int waits_for_clock() {
  complain(
      "the next message is not moved, and will not be, since the server's clock stands still: advance or thaw it, and "
      "the server goes on");
  return empty_status;
}

int cancel(Server& server, const std::string& arn, bool json) {
  Task task = task_of(server, arn, std::nullopt);
  if (task.status != "RUNNING" || !task.task_handle) throw std::runtime_error("no messages of it are being moved");
  server.sqs<sqs::CancelMessageMoveTaskOperation>({*task.task_handle}, until_answered);
  // Those under way still arrive.
  task = wait_for_end(server, arn);
  print(task, json);
  if (!is_over(task)) return waits_for_clock();
  return task.status == "CANCELLED" ? success_status : failure_status;
}

int move(Server& server, const std::string& arn, std::optional<int> rate, const Arguments& arguments) {
  sqs::StartMessageMoveTaskRequest request{arn, {}, rate};
  if (arguments.has("to")) request.destination_arn = server.queue_arn(server.queue_url(arguments.text("to")));
  server.sqs<sqs::StartMessageMoveTaskOperation>(request, until_answered);
  try {
    const Task task = wait_for_end(server, arn);
    print(task, arguments.json);
    if (task.status == "COMPLETED") return success_status;
    if (!is_over(task)) return waits_for_clock();
    complain("the task is " + task.status.value_or("") + (task.failure_reason ? ": " + *task.failure_reason : ""));
    return failure_status;
  } catch (const Interrupted&) {
    remark("the server goes on moving them; 'penstock redrive " + arguments.word(0) + " --cancel' ends that");
    throw;
  }
}

}  // namespace

void describe_redrive(cxxopts::Options& flags) {
  const auto text = [] { return cxxopts::value<std::string>(); };
  // clang-format off
  flags.add_options()
      ("to", "where they go (default: each to the queue that it was a message of)", text(), "QUEUE")
      ("rate", "messages a second (default: as fast as it goes)", text(), "N")
      ("cancel", "end what moves messages of that queue", cxxopts::value<bool>());
  // clang-format on
}

int run_redrive(const Arguments& arguments) {
  const bool cancels = arguments.has("cancel");
  if (cancels && (arguments.has("to") || arguments.has("rate"))) throw UsageError("--cancel goes with no other flag");
  const std::optional<int> rate = read_number(arguments, "rate", 1);
  Server server(arguments);
  const std::string arn = server.queue_arn(server.queue_url(arguments.word(0)));
  return cancels ? cancel(server, arn, arguments.json) : move(server, arn, rate, arguments);
}

}  // namespace penstock::cli
