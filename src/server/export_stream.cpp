#include "server/export_stream.hpp"

#include <boost/asio/post.hpp>
#include <utility>

namespace penstock::server {

struct ExportStream::State {
  net::Exchange* exchange;  ///< null once the exchange has been ended
  StateKeeper& keeper;
  std::shared_ptr<Exporter> exporter;
  boost::asio::any_io_executor executor;
};

ExportStream::ExportStream(net::Exchange& exchange, StateKeeper& keeper, std::shared_ptr<Exporter> exporter,
                           protocol::WireResponse head)
    : state_(std::make_shared<State>(State{&exchange, keeper, std::move(exporter), exchange.executor()})) {
  exchange.may_park([self = *this]() mutable { self.cancel(); });
  exchange.begin_stream(std::move(head));
  make_lines();
}

void ExportStream::cancel() {
  if (state_->exchange != nullptr) std::exchange(state_->exchange, nullptr)->abandon();
}

void ExportStream::make_lines() {
  state_->keeper.make_lines(state_->exporter, [self = *this](std::variant<std::string, Error> lines) {
    boost::asio::post(self.state_->executor,
                      [self, lines = std::move(lines)]() mutable { self.take(std::move(lines)); });
  });
}

// What is cut off lacks the line that an export ends with.
void ExportStream::take(std::variant<std::string, Error> lines) {
  if (state_->exchange == nullptr) return;
  auto* text = std::get_if<std::string>(&lines);
  if (text == nullptr || text->empty()) return std::exchange(state_->exchange, nullptr)->end_stream();
  state_->exchange->write_piece(std::move(*text), [self = *this]() mutable {
    if (self.state_->exchange != nullptr) self.make_lines();
  });
}

}  // namespace penstock::server
