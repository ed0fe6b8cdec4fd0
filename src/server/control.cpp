#include "server/control.hpp"

#include <boost/asio/post.hpp>
#include <utility>
#include <variant>

namespace penstock::server {

void Control::submit(std::shared_ptr<const ServerCommand> command, Completion completion) {
  boost::asio::post(context_, [this, command = std::move(command), done = std::move(completion)]() mutable {
    std::visit([&](const auto& each) { timekeeper_.submit(each, std::move(done)); }, command->what);
  });
}

}  // namespace penstock::server
