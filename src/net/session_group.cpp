#include "net/session_group.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "net/connection.hpp"

namespace penstock::net {

namespace asio = boost::asio;

namespace {
constexpr std::chrono::seconds sweep_interval{1};
// How many more connections a thread may have than another that one moves there from.
constexpr std::size_t lone_margin = 8;
// Room that is kept for connections that several threads move to one at the same time.
constexpr std::size_t arrivals_max = 256;
// Busy connections of one thread from which on they are spread.
constexpr std::size_t crowd = 6;

void close(asio::ip::tcp::socket& socket) {
  boost::system::error_code ignored;
  socket.close(ignored);
}
}  // namespace

SessionGroup::SessionGroup(asio::any_io_executor executor, Handler& handler, const NetLimits& limits)
    : executor_(std::move(executor)), handler_(handler), limits_(limits), sweep_timer_(executor_) {}

void SessionGroup::accept(asio::ip::tcp::socket socket) {
  if (stopping_ || members_.size() >= limits_.connections_max) return;
  boost::system::error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  asio::co_spawn(executor_, run_connection(std::move(socket), *this), asio::detached);
}

std::list<SessionGroup::Member>::iterator SessionGroup::join(asio::ip::tcp::socket& socket) {
  members_.push_back(Member{&socket, Clock::now() + limits_.idle_time_max, true});
  size_.store(members_.size(), std::memory_order_relaxed);
  if (!std::exchange(sweeping_, true)) sweep();
  return std::prev(members_.end());
}

void SessionGroup::leave(std::list<Member>::iterator member) {
  members_.erase(member);
  size_.store(members_.size(), std::memory_order_relaxed);
  if (!members_.empty()) return;
  sweep_timer_.cancel();
  if (auto drained = std::exchange(drained_, {})) drained();
}

SessionGroup* SessionGroup::better_home(std::size_t lane) const {
  if (peers_ == nullptr || lane >= peers_->size()) return nullptr;
  SessionGroup* home = (*peers_)[lane];
  // Adoptions that are on their way are not counted yet.
  if (home->size() + arrivals_max > limits_.connections_max) return nullptr;
  if (home != this) {
    if (home->size() < size()) return home;
    if (busy() <= 1 && home->busy() == 0 && home->size() <= size() + lone_margin) return home;
  }
  if (busy() < crowd) return nullptr;
  // Those who came one by one, each alone, are many together now.
  SessionGroup* emptiest = *std::min_element(peers_->begin(), peers_->end(),
                                             [](const auto* a, const auto* b) { return a->size() < b->size(); });
  return emptiest->size() + 1 < size() ? emptiest : nullptr;
}

void SessionGroup::adopt(asio::ip::tcp::socket::protocol_type protocol, int descriptor) {
  asio::post(executor_, [this, protocol, descriptor] {
    asio::ip::tcp::socket socket(executor_);
    boost::system::error_code error;
    socket.assign(protocol, descriptor, error);
    if (error) {
      ::close(descriptor);
    } else {
      accept(std::move(socket));
    }
  });
}

bool SessionGroup::reserve_body(std::size_t bytes) {
  if (body_bytes_ + bytes > limits_.bodies_bytes_max) return false;
  body_bytes_ += bytes;
  return true;
}

bool SessionGroup::reserve_answer(std::size_t bytes) {
  if (answer_bytes_ + bytes > limits_.answers_bytes_max) return false;
  answer_bytes_ += bytes;
  return true;
}

bool SessionGroup::begin_call() {
  if (calls_ == limits_.calls_max) return false;
  ++calls_;
  return true;
}

void SessionGroup::sweep() {
  sweep_timer_.expires_after(sweep_interval);
  sweep_timer_.async_wait([this](const boost::system::error_code&) {
    const auto now = Clock::now();
    for (auto next = members_.begin(); next != members_.end();) {
      Member& member = *next++;
      if (member.session != nullptr) {
        member.session->on_sweep(now);
      } else if (member.deadline <= now) {
        close(*member.socket);
      }
    }
    if (members_.empty()) {
      // Nobody is connected: an idle server has no timer.
      sweeping_ = false;
    } else {
      sweep();
    }
  });
}

void SessionGroup::stop(std::function<void()> drained) {
  stopping_ = true;
  if (members_.empty()) {
    drained();
    return;
  }
  drained_ = std::move(drained);
  for (auto next = members_.begin(); next != members_.end();) {
    Member& member = *next++;
    if (member.session != nullptr) {
      member.session->on_stop();
    } else if (member.idle) {
      close(*member.socket);
    }
  }
}

void SessionGroup::abort() {
  for (Member& member : members_) close(*member.socket);
}

}  // namespace penstock::net
