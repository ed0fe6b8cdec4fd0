#include "server/frontend.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <memory>
#include <type_traits>
#include <utility>

#include "core/uuid.hpp"

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

template <class T>
concept NamesQueue = requires(const T& command) {
  { command.queue } -> std::convertible_to<const QueueName&>;
};

const QueueName* queue_of(const Command& command) {
  return std::visit(
      [](const auto& request) -> const QueueName* {
        if constexpr (NamesQueue<std::remove_cvref_t<decltype(request)>>) {
          return &request.queue;
        } else {
          return nullptr;
        }
      },
      command);
}

bool adds_data(const Command& command) {
  return std::visit(
      [](const auto& request) {
        using Request = std::remove_cvref_t<decltype(request)>;
        return std::is_same_v<Request, SendMessages> || std::is_same_v<Request, CreateQueue> ||
               std::is_same_v<Request, SetQueueAttributes> || std::is_same_v<Request, TagQueue> ||
               std::is_same_v<Request, EditPolicy> || std::is_same_v<Request, StartMessageMoveTask>;
      },
      command);
}

std::vector<std::string> handles_of(const Result& result) {
  std::vector<std::string> handles;
  if (const auto* deliveries = std::get_if<Deliveries>(&result)) {
    for (const Delivery& delivery : deliveries->messages) {
      if (!delivery.repeated) handles.push_back(delivery.receipt_handle);
    }
  }
  return handles;
}

WireResponse plain(int status, std::string_view text) {
  return WireResponse{status, "text/plain; charset=utf-8", {}, std::string(text) + "\n"};
}

}  // namespace

/// What is asked before a call's command, and the call.
struct Frontend::Questions {
  PreparedCall call;
  std::size_t asked = 0;
};

Frontend::Frontend(const Service& service, std::size_t own) : service_(service), own_(own) {}

void Frontend::start(WireRequest request, Exchange& exchange) {
  const std::string request_id = core::make_uuid(entropy_);
  request.request_id = request_id;
  if (const std::string_view objection = service_.guard.objection(request); !objection.empty()) {
    return finish(exchange, plain(403, objection));
  }
  if (auto probe = answer_probe(request)) return finish(exchange, std::move(*probe));
  auto prepared = protocol::prepare(request, service_.context);
  if (auto* response = std::get_if<WireResponse>(&prepared)) return finish(exchange, std::move(*response));
  auto& call = std::get<PreparedCall>(prepared);
  if (adds_data(call.command) && !service_.disk_space->has_room()) {
    return finish(exchange,
                  protocol::respond_error(request, Error{ErrorCode::ServiceUnavailable, "The disk is full."}));
  }
  if (call.before.empty()) return route(std::move(call), exchange);
  ask_first(std::make_shared<Questions>(Questions{std::move(call)}), exchange);
}

void Frontend::route(PreparedCall call, Exchange& exchange) {
  if (const auto* list = std::get_if<ListQueues>(&call.command)) {
    ask_all(*list, exchange, [this, &exchange, respond = std::move(call.respond)](std::optional<Result> result) {
      finish(exchange, respond(std::move(*result)));
    });
    return;
  }
  dispatch(std::move(call), exchange);
}

// The exchange lives until it is completed, also if its client has gone meanwhile: then the answer is nobody's.
void Frontend::ask_first(const std::shared_ptr<Questions>& questions, Exchange& exchange) {
  if (questions->asked == questions->call.before.size()) return route(std::move(questions->call), exchange);
  const Command& command = questions->call.before[questions->asked].command;
  auto answered = [this, questions, &exchange](std::optional<Result> result) {
    if (!result) return exchange.abandon();
    check(questions, *result, exchange);
  };
  if (const auto* list = std::get_if<ListQueues>(&command)) return ask_all(*list, exchange, std::move(answered));
  ask(command, exchange, std::move(answered));
}

void Frontend::check(const std::shared_ptr<Questions>& questions, const Result& result, Exchange& exchange) {
  const protocol::Precondition& precondition = questions->call.before[questions->asked++];
  std::optional<Error> objection;
  if (precondition.objection) {
    objection = precondition.objection(result);
  } else if (const auto* error = std::get_if<Error>(&result)) {
    objection = *error;
  }
  if (!objection) {
    if (precondition.settles_rest && precondition.settles_rest(result))
      questions->asked = questions->call.before.size();
    return ask_first(questions, exchange);
  }
  finish(exchange, questions->call.respond(std::move(*objection)));
}

WireResponse Frontend::refuse(int status, std::string_view reason) {
  WireResponse response = plain(status, reason);
  response.headers.emplace_back("Date", date());
  return response;
}

std::optional<WireResponse> Frontend::answer_probe(const WireRequest& request) const {
  const std::string_view path = request.target.substr(0, request.target.find('?'));
  if (path == "/healthz") return plain(200, "ok");
  if (path == "/readyz") {
    return service_.disk_space->has_room() ? plain(200, "ok") : plain(503, "the disk is full");
  }
  return std::nullopt;
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
  const QueueName& queue = *queue_of(call.command);
  const std::size_t index = service_.owner_of(queue);
  Shard& shard = *service_.shards[index];
  exchange.answered_in(index);
  const CallId id = next_call();
  std::optional<QueueName> receives_from;
  if (std::holds_alternative<ReceiveMessages>(call.command)) {
    receives_from = queue;
    exchange.may_park(
        [&shard, id, name = queue] { asio::post(shard.context(), [&shard, id, name] { shard.cancel(name, id); }); });
  }
  auto finish_here = [this, &exchange, &shard, respond = std::move(call.respond),
                      receives_from](std::optional<Result> result) {
    if (!result) return exchange.abandon();
    std::vector<std::string> handles = handles_of(*result);
    WireResponse response = respond(std::move(*result));
    if (handles.empty()) return finish(exchange, std::move(response));
    finish(exchange, std::move(response), [&shard, queue_name = *receives_from, lost = std::move(handles)] {
      asio::post(shard.context(), [&shard, queue_name, lost] { shard.return_undelivered(queue_name, lost); });
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

void Frontend::ask(Command command, Exchange& exchange, Answered answered) {
  const std::size_t index = service_.owner_of(*queue_of(command));
  submit(index, next_call(), std::move(command),
         [&exchange, done = std::move(answered)](std::optional<Result> result) mutable {
           asio::post(exchange.executor(),
                      [done = std::move(done), answer = std::move(result)]() mutable { done(std::move(answer)); });
         });
}

void Frontend::ask_all(const ListQueues& command, Exchange& exchange, Answered answered) {
  struct Gathering {
    std::size_t missing = 0;
    std::size_t limit = 0;
    QueueNames names;
    Answered answered;
  };
  auto gathering = std::make_shared<Gathering>();
  gathering->missing = service_.shards.size();
  gathering->limit = command.limit;
  gathering->answered = std::move(answered);
  const auto gather = [gathering](std::optional<Result> result) {
    if (auto* names = result ? std::get_if<QueueNames>(&*result) : nullptr) {
      std::move(names->queues.begin(), names->queues.end(), std::back_inserter(gathering->names.queues));
    }
    if (--gathering->missing > 0) return;
    std::vector<QueueName>& all = gathering->names.queues;
    std::sort(all.begin(), all.end());
    if (all.size() > gathering->limit) all.resize(gathering->limit);
    gathering->answered(std::move(gathering->names));
  };
  for (std::size_t index = 0; index < service_.shards.size(); ++index) {
    submit(index, next_call(), command, [&exchange, gather](std::optional<Result> result) {
      asio::post(exchange.executor(), [gather, answer = std::move(result)]() mutable { gather(std::move(answer)); });
    });
  }
}

CallId Frontend::next_call() { return CallId{(static_cast<std::uint64_t>(own_) << call_bits) | ++calls_}; }

void Frontend::finish(Exchange& exchange, WireResponse response, std::function<void()> undelivered) {
  response.headers.emplace_back("Date", date());
  exchange.complete(std::move(response), std::move(undelivered));
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
