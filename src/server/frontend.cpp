#include "server/frontend.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <random>
#include <span>
#include <type_traits>
#include <utility>

#include "config/schema.hpp"
#include "core/uuid.hpp"
#include "penstock/queue_names.hpp"
#include "penstock/server_commands.hpp"
#include "penstock/stream_names.hpp"
#include "protocol/native/read.hpp"
#include "protocol/query.hpp"
#include "server/authority.hpp"
#include "server/control.hpp"
#include "server/export_stream.hpp"
#include "server/health.hpp"
#include "server/large_requests.hpp"
#include "server/logging.hpp"
#include "server/metrics.hpp"
#include "server/options.hpp"
#include "server/pages.hpp"
#include "server/portable.hpp"
#include "server/trigger_host.hpp"

namespace penstock::server {

namespace asio = boost::asio;
using net::Exchange;
using protocol::PreparedCall;
using protocol::WireRequest;
using protocol::WireResponse;

namespace {

// A call's id is its thread's index above these bits, and a count below: unique without asking another thread. A
// connection of HTTP/1.1 has one call open at a time, and those of HTTP/2 share a number of them, so that the mailboxes
// are bounded by net::NetLimits: connections_max and calls_max of each thread.
constexpr std::uint64_t call_bits = 48;

std::vector<std::string> handles_of(const Result& result) {
  std::vector<std::string> handles;
  if (const auto* deliveries = std::get_if<Deliveries>(&result)) {
    for (const Delivery& delivery : deliveries->messages) {
      if (!delivery.repeated) handles.push_back(delivery.receipt_handle);
    }
  }
  return handles;
}

// Where the zips of functions are to be had: these with the function's name between them.
constexpr std::string_view code_path = "/_penstock/functions/";
constexpr std::string_view code_path_end = "/code";

/// The function whose zip is asked for, if that is what the request is.
std::optional<FunctionName> code_asked_for(const WireRequest& request, const protocol::ServiceContext& context) {
  const std::size_t path_end = request.target.find('?');
  std::string_view path = request.target.substr(0, path_end);
  if (request.method != "GET" || !path.starts_with(code_path) || !path.ends_with(code_path_end)) return std::nullopt;
  path.remove_prefix(code_path.size());
  if (path.size() <= code_path_end.size()) return std::nullopt;
  path.remove_suffix(code_path_end.size());
  if (path.find('/') != std::string_view::npos) return std::nullopt;
  FunctionName function{context.account, context.region, std::string(path)};
  const std::string_view query = path_end == std::string_view::npos ? "" : request.target.substr(path_end + 1);
  const auto form = protocol::Form::parse(query, {});
  if (const auto* parameters = std::get_if<protocol::Form>(&form)) {
    if (const auto account = parameters->find("Account")) function.account = *account;
    if (const auto region = parameters->find("Region")) function.region = *region;
  }
  return function;
}

// What the addresses of exports and imports may say behind a question mark.
constexpr std::array<std::string_view, 1> export_parameters{"data"};
constexpr std::array<std::string_view, 1> import_parameters{"line"};
constexpr std::array<std::string_view, 2> yes_or_no{"true", "false"};

/// The value of the only parameter that there may be behind the path, as a T; `otherwise` where nothing is said.
template <class T>
std::variant<T, Error> only_parameter(std::string_view target, std::span<const std::string_view> name,
                                      const protocol::Constraints& constraints, T otherwise) {
  const std::size_t mark = std::min(target.find('?'), target.size());
  const auto form = protocol::Form::parse(target.substr(std::min(mark + 1, target.size())), {});
  if (const auto* error = std::get_if<Error>(&form)) return protocol::native::invalid_request(error->message);
  const auto& query = std::get<protocol::Form>(form);
  if (auto refusal = protocol::native::refuse_other_parameters(query, name)) return *std::move(refusal);
  const auto text = query.find(name.front());
  if (!text) return otherwise;
  T value{};
  if (auto refusal = protocol::native::read_text({nullptr, name.front()}, *text, constraints, value)) {
    return *std::move(refusal);
  }
  return value;
}

Error throttled(std::string_view service) {
  if (service == "kinesis") return {ErrorCode::KinesisThroughputExceeded, "Rate exceeded"};
  if (service == "lambda") return {ErrorCode::LambdaTooManyRequests, "Rate Exceeded."};
  return {ErrorCode::RequestThrottled, {}};
}

void shuffle(std::vector<Delivery>& messages, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::shuffle(messages.begin(), messages.end(), random);
}

/// What a request that was understood asks for.
protocol::OperationName name_of(const protocol::Prepared& prepared, const WireRequest& request) {
  return std::visit(
      [&request](const auto& each) -> protocol::OperationName {
        using Kind = std::remove_cvref_t<decltype(each)>;
        if constexpr (std::is_same_v<Kind, WireResponse>) {
          return protocol::operation_asked_by(request);
        } else if (std::is_same_v<Kind, protocol::PreparedServerCall> || protocol::is_native_target(request.target)) {
          return {"penstock", each.operation};
        } else if constexpr (std::is_same_v<Kind, PreparedCall>) {
          return {std::holds_alternative<StreamCommand>(each.command) ? "kinesis" : "sqs", each.operation};
        } else {
          return {"lambda", each.operation};
        }
      },
      prepared);
}

/// Why it may not be asked by GET; empty if it may. Actions of the Query protocol are all that changes something by it:
/// of what has paths of its own only what tells is asked by GET.
std::string_view objection_to_get(const WireRequest& request, const protocol::Prepared& prepared) {
  const auto* const call = std::get_if<PreparedCall>(&prepared);
  if (request.method != "GET" || call == nullptr || protocol::is_native_target(request.target)) return {};
  return only_tells(call->command) ? std::string_view() : Guard::objection_to_change(request);
}

std::string_view path_of(const WireRequest& request) { return request.target.substr(0, request.target.find('?')); }

WireResponse plain(int status, std::string_view text) {
  return WireResponse{status, "text/plain; charset=utf-8", {}, std::string(text) + "\n"};
}

/// In a FIFO queue a handle deletes nothing any more once its message is visible again, so that one which always was
/// could never be deleted: of each two deliveries the second one stays.
bool may_come_twice(const QueueName& queue, const Delivery& delivery) {
  return !is_fifo(queue.name) || delivery.receive_count % 2 == 1;
}

/// The request itself has gone by then.
WireResponse import_refused(Exchange& exchange, const Error& error) {
  WireRequest import;
  import.method = "POST";
  import.target = portable::path_of_import;
  import.request_id = exchange.notes().request_id;
  return protocol::respond_error(import, error);
}

}  // namespace

struct Frontend::Call {
  PreparedCall prepared;
  std::optional<Subscription> subscription{};  ///< of a call whose answer goes on with events
};

/// A call, and how much of what is asked before its command has been.
struct Frontend::Questions {
  Call call;
  std::size_t asked = 0;
};

Frontend::Frontend(const Service& service, std::size_t own) : service_(service), own_(own) {}

void Frontend::start(WireRequest request, Exchange& exchange) {
  net::RequestNotes& notes = exchange.notes();
  notes.began = std::chrono::steady_clock::now();
  notes.request_id = core::make_uuid(entropy_);
  request.request_id = notes.request_id;
  request.now = service_.clock->now();
  if (const std::string_view objection = service_.guard.objection(request); !objection.empty()) {
    return finish(exchange, plain(403, objection));
  }
  // Of a large body the sum alone takes longer than others should wait. Those who only look whether the process is well
  // are often not able to sign.
  const bool large = request.body.size() >= LargeRequests::body_bytes_min && protocol::carries_code(request);
  if (!large && !find_health_page(path_of(request), service_)) {
    if (auto refusal = refusal_of(request, signing_keys_)) return finish(exchange, std::move(*refusal));
  }
  if (answer_operator(request, exchange)) return;
  if (answer_transfer(request, exchange)) return;
  if (auto function = code_asked_for(request, service_.context)) return answer_code(std::move(*function), exchange);
  if (large) return start_large(request, exchange);
  auto prepared = understand(request);
  notes.asked = name_of(prepared, request);
  if (const std::string_view objection = objection_to_get(request, prepared); !objection.empty()) {
    return finish(exchange, plain(403, objection));
  }
  note_use(notes.asked);
  if (service_.faults != nullptr && has_fault(request, prepared, exchange)) return;
  const auto* call = std::get_if<PreparedCall>(&prepared);
  if (call != nullptr && adds_data(call->command) && !service_.disk_space->has_room()) {
    return finish(exchange,
                  protocol::respond_error(request, Error{ErrorCode::ServiceUnavailable, "The disk is full."}));
  }
  carry_out_any(std::move(prepared), exchange);
}

void Frontend::carry_out_any(protocol::Prepared prepared, Exchange& exchange) {
  if (auto* response = std::get_if<WireResponse>(&prepared)) return finish(exchange, std::move(*response));
  if (auto* call = std::get_if<protocol::PreparedTriggerCall>(&prepared)) return carry_out(std::move(*call), exchange);
  if (auto* call = std::get_if<protocol::PreparedServerCall>(&prepared)) return carry_out(std::move(*call), exchange);
  carry_out(std::move(std::get<PreparedCall>(prepared)), exchange);
}

// The exchange lives until it is completed, so that it can wait.
bool Frontend::has_fault(const WireRequest& request, protocol::Prepared& prepared, Exchange& exchange) {
  FaultedCall faulted;
  if (const auto* asked = std::get_if<PreparedCall>(&prepared)) {
    faulted = faulted_call(asked->command);
    faulted.operation = asked->operation;
  } else if (const auto* of_triggers = std::get_if<protocol::PreparedTriggerCall>(&prepared)) {
    faulted = faulted_call(of_triggers->command);
    faulted.operation = of_triggers->operation;
  } else {
    return false;
  }
  const FaultVerdict verdict = service_.faults->judge(faulted);
  if (!verdict.any()) return false;
  protocol::Prepared changed = std::move(prepared);
  if (verdict.error) {
    const FaultError& error = *verdict.error;
    changed = protocol::respond_named_error(request, error.status, error.code, error.message);
  } else if (verdict.throttle) {
    changed = protocol::respond_error(request, throttled(faulted.service));
  } else if (auto* call = std::get_if<PreparedCall>(&changed)) {
    disturb(*call, verdict);
  }
  auto timer = std::make_shared<asio::steady_timer>(exchange.executor(), verdict.latency);
  timer->async_wait([this, timer, changed = std::move(changed), &exchange](const boost::system::error_code&) mutable {
    carry_out_any(std::move(changed), exchange);
  });
  return true;
}

// At-least-once delivery in any order is what the service promises of a standard queue; here it happens.
void Frontend::disturb(PreparedCall& call, const FaultVerdict& verdict) {
  const auto* receive = std::get_if<ReceiveMessages>(&call.command);
  if (receive == nullptr) return;
  Shard& shard = *service_.shards[service_.owner_of(call.command)];
  call.respond = [respond = std::move(call.respond), queue = receive->queue, &shard, duplicate = verdict.duplicate,
                  reorder = verdict.reorder](Result&& result) mutable {
    if (auto* deliveries = std::get_if<Deliveries>(&result)) {
      if (reorder && !is_fifo(queue.name)) shuffle(deliveries->messages, *reorder);
      ChangeVisibility again{queue, {}};
      for (const Delivery& delivery : deliveries->messages) {
        if (may_come_twice(queue, delivery)) again.changes.push_back({delivery.receipt_handle, 0});
      }
      if (duplicate && !again.changes.empty()) {
        asio::post(shard.context(), [&shard, again = std::move(again)]() mutable { shard.tell(std::move(again)); });
      }
    }
    return respond(std::move(result));
  };
}

std::optional<WireResponse> Frontend::refusal_of(const WireRequest& request,
                                                 protocol::SigningKeys& signing_keys) const {
  if (service_.authority == nullptr) return std::nullopt;
  // Signatures are of the real time, whatever the server's clock shows.
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return service_.authority->objection(request, signing_keys, now);
}

bool Frontend::is_trusted(const WireRequest& request) const {
  return service_.authority == nullptr || service_.authority->trusts(request);
}

protocol::Prepared Frontend::understand(const WireRequest& request) const {
  protocol::Prepared prepared = protocol::prepare(request, service_.context);
  if (is_trusted(request)) return prepared;
  if (const auto* call = std::get_if<protocol::PreparedTriggerCall>(&prepared)) {
    if (runs_programs(call->command)) return service_.authority->respond_untrusted(request);
  } else if (const auto* const server_call = std::get_if<protocol::PreparedServerCall>(&prepared)) {
    if (std::holds_alternative<BackUp>(server_call->command->what))
      return service_.authority->respond_untrusted(request);
  }
  return prepared;
}

void Frontend::start_large(const WireRequest& request, Exchange& exchange) {
  exchange.notes().asked = protocol::operation_asked_by(request);
  note_use(exchange.notes().asked);
  auto read = [this](const WireRequest& kept) -> protocol::Prepared {
    protocol::SigningKeys signing_keys;
    if (auto refusal = refusal_of(kept, signing_keys)) return std::move(*refusal);
    return understand(kept);
  };
  auto understood = [this, &exchange](protocol::Prepared prepared, const WireRequest& kept) {
    if (service_.faults != nullptr && has_fault(kept, prepared, exchange)) return;
    carry_out_any(std::move(prepared), exchange);
  };
  if (service_.large_requests->read(request, std::move(read), exchange.executor(), std::move(understood))) return;
  Error busy{ErrorCode::LambdaTooManyRequests, "Too much code is being read. Try again."};
  finish(exchange, protocol::respond_error(request, busy));
}

void Frontend::carry_out(PreparedCall prepared, Exchange& exchange) {
  Call call{std::move(prepared)};
  if (auto& feed = call.prepared.feed) call.subscription.emplace(exchange, std::move(*feed));
  if (service_.takes_redrive_policies_as_they_are) {
    std::erase_if(call.prepared.before, [](const protocol::Precondition& question) {
      return std::holds_alternative<CheckRedriveTarget>(question.command);
    });
  }
  if (call.prepared.before.empty() && !call.prepared.stream_id) return route(std::move(call), exchange);
  ask_first(std::make_shared<Questions>(Questions{std::move(call)}), exchange);
}

void Frontend::route(Call call, Exchange& exchange) {
  if (call.subscription) return subscribe(std::move(call), exchange);
  if (!is_asked_of_all(call.prepared.command)) return dispatch(std::move(call.prepared), exchange);
  ask_all(call.prepared.command, exchange,
          [this, &exchange, respond = std::move(call.prepared.respond)](std::optional<Result> result) {
            finish(exchange, respond(std::move(*result)));
          });
}

// The exchange lives until it is completed, also if its client has gone meanwhile: then the answer is nobody's.
void Frontend::ask_first(const std::shared_ptr<Questions>& questions, Exchange& exchange) {
  PreparedCall& call = questions->call.prepared;
  if (call.stream_id) return find_stream(questions, exchange);
  if (questions->asked == call.before.size()) return route(std::move(questions->call), exchange);
  const Command& command = call.before[questions->asked].command;
  auto answered = [this, questions, &exchange](std::optional<Result> result) {
    if (!result) return exchange.abandon();
    check(questions, *result, exchange);
  };
  if (is_asked_of_all(command)) return ask_all(command, exchange, std::move(answered));
  ask(command, exchange, std::move(answered));
}

// The stream's name decides which shard has it, so that all of them are asked who knows the id.
void Frontend::find_stream(const std::shared_ptr<Questions>& questions, Exchange& exchange) {
  PreparedCall& call = questions->call.prepared;
  const StreamId id = *std::exchange(call.stream_id, std::nullopt);
  StreamName account = *stream_of(call.command);
  account.name.clear();
  const FindStream question{account, id};
  auto answered = [this, questions, &exchange, question](std::optional<Result> result) {
    PreparedCall& found_for = questions->call.prepared;
    auto* found = std::get_if<StreamFound>(&*result);
    if (found != nullptr && found->name) {
      set_stream(found_for.command, std::move(*found->name));
      return ask_first(questions, exchange);
    }
    const std::string named = format_stream_id(question.id);
    Error unknown{ErrorCode::KinesisResourceNotFound,
                  "Stream " + named + " under account " + question.stream.account + " not found."};
    finish(exchange, found_for.respond(std::move(unknown)));
  };
  ask_all(StreamCommand{question}, exchange, std::move(answered));
}

void Frontend::check(const std::shared_ptr<Questions>& questions, const Result& result, Exchange& exchange) {
  const protocol::Precondition& precondition = questions->call.prepared.before[questions->asked++];
  std::optional<Error> objection;
  if (precondition.objection) {
    objection = precondition.objection(result);
  } else if (const auto* error = std::get_if<Error>(&result)) {
    objection = *error;
  }
  if (!objection) {
    if (precondition.settles_rest && precondition.settles_rest(result))
      questions->asked = questions->call.prepared.before.size();
    return ask_first(questions, exchange);
  }
  finish(exchange, questions->call.prepared.respond(std::move(*objection)));
}

// A zip, from whoever may send anything at all.
bool Frontend::takes_large_body(const WireRequest& head) const {
  const std::string_view path = head.target.substr(0, head.target.find('?'));
  return service_.guard.objection(head).empty() &&
         (protocol::carries_code(head) || (path == portable::path_of_import && head.method == "POST"));
}

WireResponse Frontend::refuse(int status, std::string_view reason) {
  tally_.observe_refused();
  return dated(plain(status, reason));
}

// Pages for who runs the server, rather than for its clients.
bool Frontend::answer_operator(const WireRequest& request, Exchange& exchange) {
  const std::string_view path = path_of(request);
  protocol::OperationName& asked = exchange.notes().asked;
  if (path == metrics_path || path == metrics_per_object_path) {
    const bool per_object = path == metrics_per_object_path;
    asked = {"penstock", per_object ? "MetricsPerObject" : "Metrics"};
    service_.metrics->scrape(per_object, [this, &exchange](WireResponse response) {
      asio::post(exchange.executor(),
                 [this, &exchange, answer = std::move(response)]() mutable { finish(exchange, std::move(answer)); });
    });
    return true;
  }
  if (path == config::schema_path && request.method == "GET") {
    static const std::string schema = config::schema_document(describe_settings());
    asked = {"penstock", "ConfigSchema"};
    finish(exchange, WireResponse{200, "application/schema+json", {}, schema});
    return true;
  }
  auto page = find_health_page(path, service_);
  if (!page) return false;
  asked = {"penstock", page->name};
  finish(exchange, std::move(page->response));
  return true;
}

void Frontend::note_use(const protocol::OperationName& asked) {
  if (service_.used != nullptr && is_of_clients()) service_.used->note(asked.service);
}

void Frontend::account(Exchange& exchange, int status) {
  const net::RequestNotes& notes = exchange.notes();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - notes.began;
  tally_.observe(notes.asked, status, took.count());
  log_request({notes.request_id, notes.asked, status, took, notes.waits});
}

void Frontend::submit(std::size_t shard, CallId id, Command command, Shard::Completion completion) {
  Shard& target = *service_.shards[shard];
  if (shard == own_) {
    target.submit(id, std::move(command), std::move(completion));
    return;
  }
  asio::post(target.context(), [&target, id, request = std::move(command), done = std::move(completion)]() mutable {
    target.submit(id, std::move(request), std::move(done));
  });
}

void Frontend::dispatch(PreparedCall call, Exchange& exchange) {
  const std::size_t index = service_.owner_of(call.command);
  Shard& shard = *service_.shards[index];
  exchange.answered_in(index);
  const CallId id = next_call();
  std::optional<QueueName> receives_from;
  if (const auto* receive = std::get_if<ReceiveMessages>(&call.command)) receives_from = receive->queue;
  if (auto cancellation = cancellation_of(call.command, id)) {
    exchange.notes().waits = true;
    exchange.may_park([&shard, id, command = std::move(*cancellation)] {
      asio::post(shard.context(), [&shard, id, command] { shard.cancel(id, command); });
    });
  }
  auto finish_here = [this, &exchange, &shard, respond = std::move(call.respond),
                      receives_from](std::optional<Result> result) {
    if (!result) return exchange.abandon();
    read_for(*result);
    std::vector<std::string> handles = handles_of(*result);
    WireResponse response = respond(std::move(*result));
    if (handles.empty()) return finish(exchange, std::move(response));
    finish(exchange, std::move(response), [&shard, lost = ReturnUndelivered{*receives_from, std::move(handles)}] {
      asio::post(shard.context(), [&shard, lost] { shard.tell(lost); });
    });
  };
  if (index == own_) return submit(index, id, std::move(call.command), std::move(finish_here));
  submit(index, id, std::move(call.command),
         [&exchange, finish_there = std::move(finish_here)](std::optional<Result> result) mutable {
           asio::post(exchange.executor(), [run = std::move(finish_there), answer = std::move(result)]() mutable {
             run(std::move(answer));
           });
         });
}

std::optional<Error> Frontend::objection_to(const TriggerCommand& command) const {
  if (adds_data(command) && !service_.disk_space->has_room()) {
    return Error{ErrorCode::ServiceUnavailable, "The disk is full."};
  }
  return std::nullopt;
}

void Frontend::carry_out(protocol::PreparedTriggerCall call, Exchange& exchange) {
  if (auto objection = objection_to(call.command)) return finish(exchange, call.respond(std::move(*objection)));
  exchange.notes().waits = true;
  service_.triggers->submit(
      std::move(call.command), [this, &exchange, respond = std::move(call.respond)](TriggerResult result) mutable {
        asio::post(exchange.executor(),
                   [this, &exchange, respond = std::move(respond), answer = std::move(result)]() mutable {
                     finish(exchange, respond(std::move(answer)));
                   });
      });
}

// What is no operation of the table, since it is no one document: exports and imports.
bool Frontend::answer_transfer(const WireRequest& request, Exchange& exchange) {
  const std::string_view path = path_of(request);
  if (path == portable::path_of_import && request.method == "POST") {
    exchange.notes().asked = {"penstock", "ImportState"};
    answer_import(request, exchange);
    return true;
  }
  if (path != portable::path_of_export || request.method != "GET") return false;
  exchange.notes().asked = {"penstock", "ExportState"};
  const auto data = only_parameter<std::string>(request.target, export_parameters, {.allowed = yes_or_no}, "false");
  if (const auto* error = std::get_if<Error>(&data)) {
    finish(exchange, protocol::respond_error(request, *error));
    return true;
  }
  StateKeeper& keeper = service_.control->state_keeper();
  auto exporter = keeper.begin_export(std::get<std::string>(data) == "true");
  if (exporter == nullptr) {
    finish(exchange, protocol::respond_error(request, Error{ErrorCode::ServerBusy, {}}));
    return true;
  }
  account(exchange, 200);
  const ExportStream lines(exchange, keeper, std::move(exporter),
                           dated({200, std::string(portable::content_type), {}, {}}));
  return true;
}

void Frontend::answer_import(const WireRequest& request, Exchange& exchange) {
  if (!is_trusted(request)) return finish(exchange, service_.authority->respond_untrusted(request));
  const auto first = only_parameter<std::int64_t>(request.target, import_parameters,
                                                  {.range = protocol::Range{1, protocol::Range::unbounded}}, 1);
  if (const auto* error = std::get_if<Error>(&first)) {
    return finish(exchange, protocol::respond_error(request, *error));
  }
  if (!service_.disk_space->has_room()) {
    return finish(exchange, protocol::respond_error(request, {ErrorCode::ServiceUnavailable, "The disk is full."}));
  }
  exchange.notes().waits = true;
  const bool taken = service_.control->state_keeper().import_lines(
      std::string(request.body), static_cast<std::size_t>(std::get<std::int64_t>(first)),
      [this, &exchange](std::variant<Imported, Error> outcome) {
        asio::post(exchange.executor(), [this, &exchange, outcome = std::move(outcome)] {
          const auto* const imported = std::get_if<Imported>(&outcome);
          if (imported == nullptr) return finish(exchange, import_refused(exchange, std::get<Error>(outcome)));
          finish(exchange, WireResponse{200, "application/json", {}, portable::answer_of(*imported)});
        });
      });
  if (!taken) finish(exchange, protocol::respond_error(request, Error{ErrorCode::ServerBusy, {}}));
}

void Frontend::carry_out(protocol::PreparedServerCall call, Exchange& exchange) {
  exchange.notes().waits = true;
  service_.control->submit(
      std::move(call.command), [this, &exchange, respond = std::move(call.respond)](ServerResult result) mutable {
        asio::post(exchange.executor(),
                   [this, &exchange, respond = std::move(respond), answer = std::move(result)]() mutable {
                     finish(exchange, respond(std::move(answer)));
                   });
      });
}

void Frontend::answer_code(FunctionName function, Exchange& exchange) {
  exchange.notes().asked = {"penstock", "ReadFunctionCode"};
  service_.triggers->read_code(std::move(function), [this, &exchange](std::variant<std::string, Error> code) {
    asio::post(exchange.executor(), [this, &exchange, answer = std::move(code)]() mutable {
      if (const auto* error = std::get_if<Error>(&answer)) return finish(exchange, plain(404, error->message));
      finish(exchange, WireResponse{200, "application/zip", {}, std::move(std::get<std::string>(answer))});
    });
  });
}

// Until the subscription begins, the exchange lives whether its client does or not.
void Frontend::subscribe(Call call, Exchange& exchange) {
  StreamName stream = *stream_of(call.prepared.command);
  exchange.answered_in(service_.owner_of(stream));
  ask(std::move(call.prepared.command), exchange,
      [this, &exchange, stream, subscription = std::move(*call.subscription),
       respond = std::move(call.prepared.respond)](std::optional<Result> result) mutable {
        if (!result) return exchange.abandon();
        const auto* accepted = std::get_if<Subscribed>(&*result);
        if (accepted == nullptr) return finish(exchange, respond(std::move(*result)));
        Subscription::Source source = source_of(std::move(stream), *accepted, exchange);
        WireResponse head = respond(std::move(*result));
        account(exchange, head.status);
        subscription.begin(dated(std::move(head)), std::move(source));
      });
}

// What is posted here may run after the exchange is gone. It is always posted, also within one thread: a put that wakes
// many readers is to be answered before their events are made, and a long way to catch up with is not to be one stack.
Subscription::Source Frontend::source_of(StreamName stream, const Subscribed& subscribed, const Exchange& exchange) {
  Shard& shard = *service_.shards[service_.owner_of(stream)];
  auto ask = [this, &shard, executor = exchange.executor()](Command command, Answered answered) {
    auto answer = [executor, done = std::move(answered)](std::optional<Result> result) mutable {
      asio::post(executor, [done = std::move(done), answer = std::move(result)]() mutable { done(std::move(answer)); });
    };
    asio::post(shard.context(),
               [&shard, id = next_call(), request = std::move(command), done = std::move(answer)]() mutable {
                 shard.submit(id, std::move(request), std::move(done));
               });
  };
  auto tell = [&shard](Command command) {
    asio::post(shard.context(), [&shard, request = std::move(command)]() mutable { shard.tell(std::move(request)); });
  };
  return {std::move(stream), subscribed, std::move(ask), std::move(tell),
          [this](RecordsPage& page) { return read_for_subscription(page); }};
}

std::optional<Error> Frontend::read_for_subscription(RecordsPage& page) const {
  auto error = read_records(*service_.store, page);
  if (is_of_clients()) service_.shards[own_]->reads().add(page);
  return error;
}

void Frontend::read_for(Result& result) const {
  read_records(*service_.store, result);
  if (is_of_clients()) service_.shards[own_]->reads().add(result);
  const auto* page = std::get_if<RecordsPage>(&result);
  if (page == nullptr || !service_.strict_limits || page->bytes == 0) return;
  Shard& shard = *service_.shards[service_.owner_of(page->stream)];
  asio::post(shard.context(), [&shard, taken = RecordsRead{page->stream, page->id, page->shard, page->bytes}] {
    shard.tell(StreamCommand{taken});
  });
}

void Frontend::ask(Command command, Exchange& exchange, Answered answered) {
  const std::size_t index = service_.owner_of(command);
  submit(index, next_call(), std::move(command),
         [&exchange, done = std::move(answered)](std::optional<Result> result) mutable {
           asio::post(exchange.executor(),
                      [done = std::move(done), answer = std::move(result)]() mutable { done(std::move(answer)); });
         });
}

// Answers always. A shard whose call was cut off has no part in the answer.
void Frontend::ask_all(const Command& command, Exchange& exchange, Answered answered) {
  struct Gathering {
    std::size_t missing;
    Merge merge;
    Answered answered;
  };
  auto gathering = std::make_shared<Gathering>(Gathering{service_.shards.size(), Merge(command), std::move(answered)});
  const auto gather = [gathering](std::optional<Result> result) {
    if (result) gathering->merge.add(std::move(*result));
    if (--gathering->missing == 0) gathering->answered(gathering->merge.take());
  };
  for (std::size_t index = 0; index < service_.shards.size(); ++index) {
    submit(index, next_call(), command, [&exchange, gather](std::optional<Result> result) {
      asio::post(exchange.executor(), [gather, answer = std::move(result)]() mutable { gather(std::move(answer)); });
    });
  }
}

CallId Frontend::next_call() { return CallId{(static_cast<std::uint64_t>(own_) << call_bits) | ++calls_}; }

WireResponse Frontend::dated(WireResponse response) {
  response.headers.emplace_back("Date", date());
  return response;
}

void Frontend::finish(Exchange& exchange, WireResponse response, std::function<void()> undelivered) {
  account(exchange, response.status);
  exchange.complete(dated(std::move(response)), std::move(undelivered));
}

// RFC 9110 form; SDKs set their clocks by it.
std::string_view Frontend::date() {
  const std::time_t now = std::time(nullptr);
  if (now != date_second_) {
    date_second_ = now;
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    std::array<char, 64> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    date_.assign(text.data(), length);
  }
  return date_;
}

}  // namespace penstock::server
