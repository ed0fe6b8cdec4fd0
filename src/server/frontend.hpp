// What a thread does with the requests of its connections: guards, routes them to the shard that owns what they are
// about, and hands back the answers.
#pragma once

#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/exchange.hpp"
#include "protocol/signing.hpp"
#include "protocol/wire.hpp"
#include "server/clock.hpp"
#include "server/faults.hpp"
#include "server/request_tally.hpp"
#include "server/service.hpp"
#include "server/shard.hpp"
#include "server/subscription.hpp"

namespace penstock::server {

class Frontend final : public net::Handler {
 public:
  /// `own` is the index of the shard that lives in the same thread.
  Frontend(const Service& service, std::size_t own);

  void start(protocol::WireRequest request, net::Exchange& exchange) override;
  bool takes_large_body(const protocol::WireRequest& head) const override;
  protocol::WireResponse refuse(int status, std::string_view reason) override;

  const RequestTally& tally() const { return tally_; }

  /// Answers a call that has been understood. REQUIRES: called in start, or in its place.
  void carry_out(protocol::PreparedCall prepared, net::Exchange& exchange);

 private:
  using Answered = std::function<void(std::optional<Result>)>;
  struct Call;
  struct Questions;

  void ask_first(const std::shared_ptr<Questions>& questions, net::Exchange& exchange);
  void find_stream(const std::shared_ptr<Questions>& questions, net::Exchange& exchange);
  void check(const std::shared_ptr<Questions>& questions, const Result& result, net::Exchange& exchange);
  void route(Call call, net::Exchange& exchange);
  void dispatch(protocol::PreparedCall call, net::Exchange& exchange);
  void subscribe(Call call, net::Exchange& exchange);
  std::optional<protocol::WireResponse> refusal_of(const protocol::WireRequest& request,
                                                   protocol::SigningKeys& signing_keys) const;
  protocol::Prepared understand(const protocol::WireRequest& request) const;
  /// Whether it comes from whoever may have this machine run programs and write files: as anybody on it may.
  bool is_trusted(const protocol::WireRequest& request) const;
  void start_large(const protocol::WireRequest& request, net::Exchange& exchange);
  void carry_out(protocol::PreparedTriggerCall call, net::Exchange& exchange);
  void carry_out(protocol::PreparedServerCall call, net::Exchange& exchange);
  void carry_out_any(protocol::Prepared prepared, net::Exchange& exchange);
  /// Whether the request has a fault, and so is not to be carried out as it is: that has been seen to then.
  bool has_fault(const protocol::WireRequest& request, protocol::Prepared& prepared, net::Exchange& exchange);
  void disturb(protocol::PreparedCall& call, const FaultVerdict& verdict);
  std::optional<Error> objection_to(const TriggerCommand& command) const;
  void answer_code(FunctionName function, net::Exchange& exchange);
  bool answer_transfer(const protocol::WireRequest& request, net::Exchange& exchange);
  void answer_import(const protocol::WireRequest& request, net::Exchange& exchange);
  void ask(Command command, net::Exchange& exchange, Answered answered);
  void ask_all(const Command& command, net::Exchange& exchange, Answered answered);
  Subscription::Source source_of(StreamName stream, const Subscribed& subscribed, const net::Exchange& exchange);
  void read_for(Result& result) const;
  std::optional<Error> read_for_subscription(RecordsPage& page) const;
  CallId next_call();
  void submit(std::size_t shard, CallId id, Command command, Shard::Completion completion);
  bool answer_operator(const protocol::WireRequest& request, net::Exchange& exchange);
  void note_use(const protocol::OperationName& asked);
  void account(net::Exchange& exchange, int status);
  /// Otherwise the server asks itself, in a thread that has no shard.
  bool is_of_clients() const { return own_ < service_.shards.size(); }
  protocol::WireResponse dated(protocol::WireResponse response);
  void finish(net::Exchange& exchange, protocol::WireResponse response, std::function<void()> undelivered = {});
  std::string_view date();

  const Service& service_;
  const std::size_t own_;
  SystemEntropy entropy_;
  RequestTally tally_;
  protocol::SigningKeys signing_keys_;
  std::uint64_t calls_ = 0;
  std::time_t date_second_ = 0;
  std::string date_;
};

}  // namespace penstock::server
