#include "client/caller.hpp"

#include "client/api.hpp"
#include "client/backoff.hpp"

namespace penstock::client {

namespace {

constexpr int success_end = 300;
constexpr int too_many_requests = 429;
constexpr int server_faults_begin = 500;

}  // namespace

Error::Error(int status, std::string code, const std::string& message)
    : std::runtime_error(message.empty() ? code : code + ": " + message), status_(status), code_(std::move(code)) {}

void check(const Answer& answer) {
  if (answer.status < success_end) return;
  Fault fault = read_fault(answer);
  if (fault.code == "MemberReplaced") throw MemberReplaced(answer.status, std::move(fault.code), fault.message);
  throw Error(answer.status, std::move(fault.code), fault.message);
}

bool may_mend(const Error& error) {
  return error.status() >= server_faults_begin || error.status() == too_many_requests || error.code() == "ConsumerBusy";
}

void Caller::pause(const std::string& why, std::chrono::milliseconds length) {
  if (options_.on_retry) options_.on_retry(why, length);
  line_.wait_until(world_.now() + length);
}

std::optional<Answer> Caller::attempt(const Request& request, std::string& why) {
  try {
    std::optional<Answer> answer = line_.exchange(request);
    if (answer) check(*answer);
    return answer;
  } catch (const Unreachable& unreachable) {
    why = unreachable.what();
  } catch (const Error& error) {
    if (!may_mend(error)) throw;
    why = error.what();
  }
  return std::nullopt;
}

std::optional<Answer> Caller::ask(const Request& request, std::chrono::milliseconds patience, Deadline until) {
  Backoff backoff(options_.backoff_min, options_.backoff_max);
  while (true) {
    if (request.interruptible && stopping_) return std::nullopt;
    std::string why;
    if (std::optional<Answer> answer = attempt(request, why)) return answer;
    if (why.empty()) continue;  // it was interrupted
    if (!until && stopping_) until = world_.now() + patience;
    const std::chrono::milliseconds length = backoff.next(world_.random());
    if (until && world_.now() + length > *until) throw Unreachable(why);
    pause(why, length);
  }
}

}  // namespace penstock::client
