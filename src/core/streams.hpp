// The streams of one shard of the server: its catalog of them, and the way of each command to the stream it is about.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/shard_context.hpp"
#include "core/stream.hpp"
#include "penstock/errors.hpp"
#include "penstock/records.hpp"
#include "penstock/stream_commands.hpp"

namespace penstock::core {

class Streams {
 public:
  explicit Streams(ShardContext& context) : context_(context) {}

  void recover(RecoveredStream stream);
  void recover(StreamAccount account);

  void apply(CallId call, StreamCommand& command, Instant now);
  void due(const Due& due, Instant now);
  void release_parked();
  void name_busy(BusyList& busy) const;
  /// As Engine::survey has it, of `steps` that are left.
  void survey(SurveyPlace& place, std::size_t steps, Survey& survey) const;
  /// Adds what has to be written about the streams that commands have touched.
  void flush();

 private:
  Stream* find(const StreamName& name);
  StreamAccount& account_of(const StreamName& name);
  std::size_t open_shards(const StreamName& account) const;
  void forget_if_gone(Stream& stream);

  void handle(CallId call, CreateStream& command, Instant now);
  void handle(CallId call, DeleteStream& command, Instant now);
  void handle(CallId call, ListStreams& command, Instant now);
  void handle(CallId call, FindStream& command, Instant now);
  void handle(CallId call, DescribeLimits& command, Instant now);
  void handle(CallId call, DescribeAccount& command, Instant now);
  void handle(CallId call, UpdateAccount& command, Instant now);
  void handle(CallId call, SplitShard& command, Instant now);
  void handle(CallId call, UpdateShardCount& command, Instant now);
  template <class Request>
  void handle(CallId call, Request& command, Instant now);

  ShardContext& context_;
  std::map<StreamName, std::unique_ptr<Stream>> streams_;
  std::unordered_map<StreamId, Stream*> by_id_;
  std::map<StreamName, StreamAccount> accounts_;
  std::vector<StreamId> touched_;
};

}  // namespace penstock::core
