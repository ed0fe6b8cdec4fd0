#include "server/health.hpp"

#include <string>

#include "server/version.hpp"

namespace penstock::server {

using protocol::WireResponse;

namespace {

WireResponse plain(int status, std::string_view text) {
  return {status, "text/plain; charset=utf-8", {}, std::string(text) + "\n"};
}

// With a space behind each colon: scripts look for `"sqs": "available"` with grep.
WireResponse localstack_health(const UsedServices& used) {
  std::string body = "{\"services\": {";
  for (std::size_t i = 0; i < UsedServices::names.size(); ++i) {
    body.append(i == 0 ? "\"" : ", \"").append(UsedServices::names.at(i)).append("\": ");
    body.append(used.has(i) ? "\"running\"" : "\"available\"");
  }
  body.append("}, \"edition\": \"penstock\", \"version\": \"").append(version).append("\"}");
  return {200, "application/json", {}, std::move(body)};
}

}  // namespace

void UsedServices::note(std::string_view service) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names.at(i) == service && !has(i)) used_.at(i).store(true, std::memory_order_relaxed);
  }
}

std::optional<HealthPage> find_health_page(std::string_view path, const Service& service) {
  if (path == "/healthz") return HealthPage{"Health", plain(200, "ok")};
  if (path == "/readyz") {
    return HealthPage{"Readiness", service.disk_space->has_room() ? plain(200, "ok") : plain(503, "the disk is full")};
  }
  if (path == "/_localstack/health") return HealthPage{"LocalStackHealth", localstack_health(*service.used)};
  return std::nullopt;
}

}  // namespace penstock::server
