#include "server/subscription.hpp"

#include <string>
#include <utility>
#include <variant>

namespace penstock::server {

struct Subscription::State {
  net::Exchange* exchange;  ///< null once the exchange has been ended
  protocol::EventFeed feed;
  std::optional<Source> source{};  ///< nothing before it begins
  RecordIndex next{};              ///< the first record that was not sent
  bool cancelled = false;
};

Subscription::Subscription(net::Exchange& exchange, protocol::EventFeed feed)
    : state_(std::make_shared<State>(State{&exchange, std::move(feed)})) {
  exchange.may_park([self = *this]() mutable { self.cancel(); });
}

void Subscription::begin(protocol::WireResponse head, Source source) {
  state_->next = source.subscribed.from;
  state_->source = std::move(source);
  if (state_->cancelled) return cancel();
  state_->exchange->begin_stream(std::move(head));
  await_records();
}

// Before it has begun somebody else refers to the exchange, and the shard may or may not know of the subscription: so
// that is left to `begin`. Afterwards nobody does, and an answer that is on the way finds no exchange.
void Subscription::cancel() {
  state_->cancelled = true;
  if (!state_->source || state_->exchange == nullptr) return;
  tell_end();
  std::exchange(state_->exchange, nullptr)->abandon();
}

void Subscription::await_records() {
  if (state_->exchange == nullptr) return;
  const Source& source = *state_->source;
  source.ask(
      StreamCommand{AwaitRecords{source.stream, source.subscribed.id, source.subscribed.subscription, state_->next}},
      [self = *this](std::optional<Result> result) mutable { self.take(std::move(result)); });
}

void Subscription::take(std::optional<Result> result) {
  if (state_->exchange == nullptr) return;
  if (auto* page = result ? std::get_if<RecordsPage>(&*result) : nullptr) return send(std::move(*page));
  // The shard knows of it no more.
  std::optional<Error> error;
  if (const auto* over = result ? std::get_if<SubscriptionOver>(&*result) : nullptr) error = over->error;
  if (const auto* refused = result ? std::get_if<Error>(&*result) : nullptr) error = *refused;
  end(error ? state_->feed.exception(*error) : std::string());
}

void Subscription::send(RecordsPage page) {
  if (const std::optional<Error> error = state_->source->read(page)) {
    tell_end();
    return end(state_->feed.exception(*error));
  }
  state_->next = page.next;
  if (page.ends_shard()) {
    tell_end();
    return end(state_->feed.event(std::move(page)));
  }
  state_->exchange->write_piece(state_->feed.event(std::move(page)),
                                [self = *this]() mutable { self.await_records(); });
}

void Subscription::end(std::string last_event) {
  // From here on a cancel is the session's business alone.
  net::Exchange& exchange = *std::exchange(state_->exchange, nullptr);
  if (!last_event.empty()) exchange.write_piece(std::move(last_event), {});
  exchange.end_stream();
}

void Subscription::tell_end() {
  const Source& source = *state_->source;
  source.tell(StreamCommand{EndSubscription{source.stream, source.subscribed.id, source.subscribed.subscription}});
}

}  // namespace penstock::server
