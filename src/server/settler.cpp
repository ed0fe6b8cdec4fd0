#include "server/settler.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <boost/asio/post.hpp>
#include <cstdio>
#include <utility>

namespace penstock::server {

std::vector<std::string> settle(const config::Setup& setup, const config::Place& place, const std::string& file,
                                OwnClient& client) {
  const config::Ask ask = [&client](const config::Request& request) { return client.ask(request); };
  config::Problems problems(file);
  const std::vector<config::Step> plan = config::make_plan(setup, place, ask, problems);
  if (!problems.empty()) return problems.lines();
  config::carry_out(plan, place, ask, config::StandingClock::advance, problems);
  if (!problems.empty()) return problems.lines();
  std::array<std::size_t, 3> counts{};
  for (const config::Step& step : plan) {
    ++counts.at(static_cast<std::size_t>(step.action));
    if (step.action != config::Action::keep) {
      spdlog::info("{}: {} {}: {}", file, step.kind, step.name, config::name_of(step.action));
    }
  }
  spdlog::info("{}: {} created, {} updated, {} as they were", file, counts[0], counts[1], counts[2]);
  return {};
}

void Settler::start(std::function<void(bool)> settled) {
  thread_ = std::thread([this, settled = std::move(settled)] {
    bool done = false;
    try {
      done = settle();
    } catch (const OwnClient::Closed&) {
      spdlog::warn("{}: stopped before all of it was done", file_);
    }
    boost::asio::post(context_, [settled, done] { settled(done); });
  });
}

void Settler::stop() {
  client_.close();
  if (thread_.joinable()) thread_.join();
}

bool Settler::settle() {
  const std::vector<std::string> problems = server::settle(setup_, place_, file_, client_);
  for (const std::string& line : problems) std::fprintf(stderr, "%s\n", line.c_str());
  return problems.empty();
}

}  // namespace penstock::server
