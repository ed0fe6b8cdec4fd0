#include "server/routing.hpp"

#include <algorithm>
#include <concepts>
#include <iterator>
#include <type_traits>
#include <utility>
#include <vector>

namespace penstock::server {

namespace {

template <class T, class... Of>
concept OneOf = (std::same_as<T, Of> || ...);

template <class T>
concept NamesQueue = requires(const T& command) {
  { command.queue } -> std::convertible_to<const QueueName&>;
};

/// Calls `visit` with what is asked, a command of streams being looked into.
template <class Visit>
decltype(auto) visit_asked(Visit&& visit, const Command& command) {
  return std::visit(
      [&visit](const auto& asked) -> decltype(auto) {
        if constexpr (std::same_as<std::remove_cvref_t<decltype(asked)>, StreamCommand>) {
          return std::visit(visit, asked);
        } else {
          return visit(asked);
        }
      },
      command);
}

template <class T>
constexpr bool adds_data_always =
    OneOf<T, SendMessages, ImportMessages, CreateQueue, SetQueueAttributes, TagQueue, EditPolicy, StartMessageMoveTask,
          PutRecords, CreateStream, UpdateAccount, TagStream, PutStreamPolicy, UpdateEncryption, UpdateMonitoring,
          UpdateStreamMode, UpdateWarmThroughput, UpdateMaxRecordSize, SplitShard, MergeShards, UpdateShardCount,
          RegisterConsumer, CreateGroup, TransactGroup, AcceptTransaction>;

// Each adds the answer of one more shard to what there is.

void merge(QueueNames& all, QueueNames&& more) {
  std::move(more.queues.begin(), more.queues.end(), std::back_inserter(all.queues));
}
void merge(StreamList& all, StreamList&& more) {
  std::move(more.streams.begin(), more.streams.end(), std::back_inserter(all.streams));
  all.more |= more.more;
}
void merge(StreamFound& all, StreamFound&& more) {
  if (more.name) all.name = std::move(more.name);
}
void merge(StreamCounts& all, StreamCounts&& more) {
  all.open_shards += more.open_shards;
  all.on_demand_streams += more.on_demand_streams;
}

// Each brings what was added into the order and to the length that was asked for. Every shard sent the first ones of
// its own, so that the first ones of all are among them.

void finish(QueueNames& all, std::size_t limit) {
  std::ranges::sort(all.queues);
  if (all.queues.size() > limit) all.queues.resize(limit);
}
void finish(StreamList& all, std::size_t limit) {
  std::ranges::sort(all.streams, {}, &ListedStream::name);
  if (all.streams.size() <= limit) return;
  all.streams.resize(limit);
  all.more = true;
}

template <class T>
concept Merges = OneOf<T, QueueNames, StreamList, StreamFound, StreamCounts>;

}  // namespace

std::size_t owner_of(const QueueName& queue, std::size_t shards) { return std::hash<QueueName>{}(queue) % shards; }

std::size_t owner_of(const StreamName& stream, std::size_t shards) { return std::hash<StreamName>{}(stream) % shards; }

std::size_t owner_of(const Command& command, std::size_t shards) {
  return visit_asked(
      [shards](const auto& asked) -> std::size_t {
        if constexpr (NamesQueue<std::remove_cvref_t<decltype(asked)>>) {
          return owner_of(asked.queue, shards);
        } else if constexpr (requires { asked.stream; }) {
          return owner_of(asked.stream, shards);
        } else {
          return 0;
        }
      },
      command);
}

bool is_asked_of_all(const Command& command) {
  return visit_asked(
      [](const auto& asked) {
        return OneOf<std::remove_cvref_t<decltype(asked)>, ListQueues, ListStreams, FindStream, DescribeLimits>;
      },
      command);
}

Merge::Merge(const Command& command)
    : merged_(visit_asked(
          [this](const auto& asked) -> Result {
            using Asked = std::remove_cvref_t<decltype(asked)>;
            if constexpr (OneOf<Asked, ListQueues, ListStreams>) limit_ = asked.limit;
            if constexpr (std::same_as<Asked, ListStreams>) return StreamList{};
            if constexpr (std::same_as<Asked, FindStream>) return StreamFound{};
            if constexpr (std::same_as<Asked, DescribeLimits>) return StreamCounts{};
            return QueueNames{};
          },
          command)) {}

void Merge::add(Result&& answer) {
  if (std::holds_alternative<Error>(merged_)) return;
  if (std::holds_alternative<Error>(answer)) {
    merged_ = std::move(answer);
    return;
  }
  std::visit(
      [&answer](auto& all) {
        using All = std::remove_cvref_t<decltype(all)>;
        if constexpr (Merges<All>) {
          if (auto* more = std::get_if<All>(&answer)) merge(all, std::move(*more));
        }
      },
      merged_);
}

Result Merge::take() {
  std::visit(
      [this](auto& all) {
        if constexpr (requires { finish(all, limit_); }) finish(all, limit_);
      },
      merged_);
  return std::move(merged_);
}

std::optional<Command> cancellation_of(const Command& command, CallId call) {
  return visit_asked(
      [call](const auto& asked) -> std::optional<Command> {
        using Asked = std::remove_cvref_t<decltype(asked)>;
        if constexpr (std::same_as<Asked, ReceiveMessages>) return CancelReceive{asked.queue, call};
        if constexpr (std::same_as<Asked, ReadShard>) return StreamCommand(CancelRead{asked.stream, asked.shard, call});
        if constexpr (std::same_as<Asked, PollGroup>) return StreamCommand(CancelPoll{asked.stream, asked.group, call});
        return std::nullopt;
      },
      command);
}

const StreamName* stream_of(const Command& command) {
  const auto* asked = std::get_if<StreamCommand>(&command);
  return asked == nullptr ? nullptr : &penstock::stream_of(*asked);
}

void set_stream(Command& command, StreamName stream) {
  std::visit([&stream](auto& asked) { asked.stream = std::move(stream); }, std::get<StreamCommand>(command));
}

FaultedCall faulted_call(const Command& command) {
  FaultedCall call;
  call.service = std::holds_alternative<StreamCommand>(command) ? "kinesis" : "sqs";
  visit_asked(
      [&call](const auto& asked) {
        if constexpr (NamesQueue<std::remove_cvref_t<decltype(asked)>>) {
          call.region = asked.queue.region;
          call.resource = asked.queue.name;
        } else if constexpr (requires { asked.stream.name; }) {
          call.region = asked.stream.region;
          call.resource = asked.stream.name;
        }
      },
      command);
  return call;
}

FaultedCall faulted_call(const TriggerCommand& command) {
  FaultedCall call;
  call.service = "lambda";
  std::visit(
      [&call](const auto& asked) {
        const auto name = [&call](const FunctionName& function) {
          call.region = function.region;
          call.resource = function.name;
        };
        if constexpr (requires { name(asked.function); }) {
          name(asked.function);
        } else if constexpr (requires { name(asked.function.name); }) {
          name(asked.function.name);
        } else if constexpr (requires { name(asked.mapping.function); }) {
          name(asked.mapping.function);
        }
      },
      command);
  return call;
}

bool only_tells(const Command& command) {
  return std::visit(
      [](const auto& asked) {
        return OneOf<std::remove_cvref_t<decltype(asked)>, LookupQueue, ListQueues, GetQueueAttributes, ListQueueTags,
                     ListMessageMoveTasks, PeekMessages>;
      },
      command);
}

bool adds_data(const Command& command) {
  return visit_asked(
      [](const auto& asked) {
        using Asked = std::remove_cvref_t<decltype(asked)>;
        if constexpr (std::same_as<Asked, UpdateRetention>) {
          return asked.increase;
        } else {
          return adds_data_always<Asked>;
        }
      },
      command);
}

bool adds_data(const TriggerCommand& command) {
  return std::visit(
      [](const auto& asked) {
        using Asked = std::remove_cvref_t<decltype(asked)>;
        if constexpr (std::same_as<Asked, InvokeFunction>) {
          return asked.type == InvocationType::event;
        } else {
          return OneOf<Asked, CreateFunction, UpdateFunction, PutAsyncConfig, TagLambda, CreateMapping>;
        }
      },
      command);
}

bool runs_programs(const TriggerCommand& command) {
  return std::holds_alternative<CreateFunction>(command) || std::holds_alternative<UpdateFunction>(command);
}

}  // namespace penstock::server
