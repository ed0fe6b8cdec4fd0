#include "runner/log_book.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "runner/text.hpp"

namespace penstock::runner {

namespace {

constexpr std::size_t tail_bytes_max = 4'096;
/// What a line costs besides its text.
constexpr std::size_t line_cost = sizeof(LogLine);

Instant now() { return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now()); }

}  // namespace

LogBook::Log& LogBook::log_of(const FunctionName& function) {
  const auto found = logs_.find(function);
  if (found != logs_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second.recent);
    return found->second;
  }
  if (logs_.size() >= limits_.functions_max) {
    const auto oldest = logs_.find(recent_.back());
    bytes_ -= oldest->second.bytes;
    const auto readers = std::move(oldest->second.readers);
    readers_ -= readers.size();
    numbers_before_ = std::max(numbers_before_, oldest->second.next - 1);
    logs_.erase(oldest);
    recent_.pop_back();
    for (const auto& [id, heard] : readers) heard();
  }
  recent_.push_front(function);
  Log& log = logs_[function];
  log.recent = recent_.begin();
  log.first = log.next = numbers_before_ + 1;
  return log;
}

void LogBook::drop_first(Log& log) {
  const std::size_t cost = log.lines.front().text.size() + line_cost;
  log.bytes -= cost;
  bytes_ -= cost;
  log.lines.pop_front();
}

void LogBook::shrink(Log& log) {
  while (log.lines.size() > limits_.lines_per_function_max || log.bytes > limits_.bytes_per_function_max) {
    drop_first(log);
  }
  // The function that has been silent for longest pays for all.
  auto quiet = recent_.rbegin();
  while (bytes_ > limits_.bytes_max && quiet != recent_.rend()) {
    Log& other = logs_.at(*quiet);
    if (other.lines.empty()) {
      ++quiet;
    } else {
      drop_first(other);
    }
  }
}

void LogBook::append(const FunctionName& function, std::string_view line) {
  Log& log = log_of(function);
  log.lines.push_back({log.next++, now(), std::string(line)});
  log.bytes += line.size() + line_cost;
  bytes_ += line.size() + line_cost;
  shrink(log);
  if (log.readers.empty()) return;
  const auto readers = std::exchange(log.readers, {});
  readers_ -= readers.size();
  for (const auto& [id, heard] : readers) heard();
}

FunctionLog LogBook::read(const FunctionName& function, std::uint64_t after, std::size_t lines_max) const {
  FunctionLog result;
  const auto found = logs_.find(function);
  if (found == logs_.end()) return result;
  const Log& log = found->second;
  // A number of before a restart is smaller than all of these; one that is not given yet is so too if the clock went
  // back. How many lines there were in between nobody knows.
  if (after >= log.next || after < log.first) after = log.first - 1;
  const std::uint64_t first = log.next - log.lines.size();
  if (after + 1 < first) result.dropped = first - after - 1;
  const std::uint64_t from = std::max(after + 1, first);
  for (std::uint64_t number = from; number < log.next && result.lines.size() < lines_max; ++number) {
    result.lines.push_back(log.lines[number - first]);
  }
  return result;
}

bool LogBook::wait(const FunctionName& function, Heard heard, Reader& reader) {
  if (readers_ >= limits_.readers_max) return false;
  reader = {next_reader_++};
  log_of(function).readers.emplace_back(reader.value, std::move(heard));
  ++readers_;
  return true;
}

void LogBook::cancel(const FunctionName& function, Reader reader) {
  const auto found = logs_.find(function);
  if (found == logs_.end()) return;
  readers_ -= std::erase_if(found->second.readers, [&](const auto& waiting) { return waiting.first == reader.value; });
}

void InvocationLog::start(const std::string& request_id) {
  line("START RequestId: " + request_id + " Version: $LATEST");
}

void InvocationLog::line(std::string_view text) {
  book_.append(function_, text);
  tail_.append(text).push_back('\n');
  // Cutting at every line would be quadratic.
  if (tail_.size() > 4 * tail_bytes_max) tail_.erase(0, tail_.size() - tail_bytes_max);
}

void InvocationLog::failure(const std::string& request_id, const RunOutcome& outcome) {
  std::string_view text = outcome.message;
  if (text.empty()) return;
  const std::size_t end = text.find('\n');
  const std::string_view first = text.substr(0, end);
  const std::string prefix = "RequestId: " + request_id + " Error: ";
  line(first.starts_with(prefix) ? std::string(first) : prefix + std::string(first));
  if (end != std::string_view::npos) line(text.substr(end + 1));
}

void InvocationLog::end(const std::string& request_id, int memory_mib, double duration_ms, double init_ms,
                        RunOutcome& outcome) {
  line("END RequestId: " + request_id);
  std::string report = "REPORT RequestId: " + request_id;
  report.append("\tDuration: ").append(two_decimals(duration_ms)).append(" ms");
  report.append("\tBilled Duration: ").append(std::to_string(std::llround(std::ceil(duration_ms)))).append(" ms");
  report.append("\tMemory Size: ").append(std::to_string(memory_mib)).append(" MB");
  const std::uint64_t mebibyte = 1U << 20U;
  const std::uint64_t used = (outcome.peak_bytes + mebibyte - 1) / mebibyte;
  report.append("\tMax Memory Used: ").append(std::to_string(used)).append(" MB");
  if (init_ms > 0) report.append("\tInit Duration: ").append(two_decimals(init_ms)).append(" ms");
  line(report);
  outcome.log_tail = tail_of(tail_, tail_bytes_max);
  outcome.duration = Millis(std::llround(std::ceil(duration_ms)));
  outcome.init = Millis(std::llround(std::ceil(init_ms)));
  tail_.clear();
}

}  // namespace penstock::runner
