#include "server/settler.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <boost/asio/post.hpp>
#include <cstdio>
#include <utility>

namespace penstock::server {

namespace {

bool report(const config::Problems& problems) {
  for (const std::string& line : problems.lines()) std::fprintf(stderr, "%s\n", line.c_str());
  return problems.empty();
}

}  // namespace

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
  const config::Ask ask = [this](const config::Request& request) { return client_.ask(request); };
  config::Problems problems(file_);
  const std::vector<config::Step> plan = config::make_plan(setup_, place_, ask, problems);
  if (!problems.empty()) return report(problems);
  config::carry_out(plan, place_, ask, problems);
  if (!problems.empty()) return report(problems);
  std::array<std::size_t, 3> counts{};
  for (const config::Step& step : plan) {
    ++counts.at(static_cast<std::size_t>(step.action));
    if (step.action != config::Action::keep) {
      spdlog::info("{}: {} {}: {}", file_, step.kind, step.name, config::name_of(step.action));
    }
  }
  spdlog::info("{}: {} created, {} updated, {} as they were", file_, counts[0], counts[1], counts[2]);
  return true;
}

}  // namespace penstock::server
