#include "server/control.hpp"

#include <boost/asio/post.hpp>
#include <utility>
#include <variant>

namespace penstock::server {

void Control::submit(std::shared_ptr<const ServerCommand> command, Completion completion) {
  boost::asio::post(context_, [this, command = std::move(command), done = std::move(completion)]() mutable {
    std::visit([&](const auto& each) { take(each, std::move(done)); }, command->what);
  });
}

template <class Command>
void Control::answer_fault(const Command& command, const Completion& completion) {
  if (faults_ == nullptr) {
    return completion(
        Error{ErrorCode::NotEnabled, "Faults are off. Start the server with --allow-faults to have them."});
  }
  std::visit([&completion](auto&& answer) { completion(std::forward<decltype(answer)>(answer)); },
             faults_->carry_out(command));
}

}  // namespace penstock::server
