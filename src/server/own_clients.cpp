#include "server/own_clients.hpp"

namespace penstock::server {

namespace {

constexpr std::size_t first_index_above_shards = 3;

}  // namespace

config::Answer OwnClients::ask(const Home& home, const config::Request& request) {
  OwnClient* client = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) throw OwnClient::Closed();
    std::unique_ptr<OwnClient>& kept = clients_[home];
    if (kept == nullptr) {
      if (clients_.size() > homes_max) {
        clients_.erase(home);
        return {400, R"({"message":"There are too many accounts and regions."})"};
      }
      Service at_home = service_;
      at_home.context = {home.account, home.region};
      at_home.takes_redrive_policies_as_they_are = true;
      kept = std::make_unique<OwnClient>(at_home, context_, first_index_above_shards + clients_.size());
    }
    client = kept.get();
  }
  return client->ask(request);
}

void OwnClients::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (const auto& [home, client] : clients_) client->close();
}

}  // namespace penstock::server
