#include "cli/token.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <utility>

#include "client/http_line.hpp"
#include "config/places.hpp"

namespace penstock::cli {

namespace {

constexpr const char* token_header = "X-Penstock-Token";
constexpr std::size_t chars_max = 512;

/// Its first line; nothing if it cannot be read.
std::optional<std::string> read_token(const std::string& path) {
  std::ifstream file(path);
  std::string text(chars_max, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  if (text.empty()) return std::nullopt;
  return text;
}

bool is_of_this_machine(const std::string& endpoint) {
  try {
    const std::string host = client::parse_endpoint(endpoint).host;
    if (host.starts_with("127.")) return host.find_first_not_of("0123456789.") == std::string::npos;
    return host == "localhost" || host == "::1";
  } catch (const std::invalid_argument&) {
    // Whoever opens it will say so.
    return false;
  }
}

class LineWithToken final : public client::Line {
 public:
  LineWithToken(std::unique_ptr<client::Line> line, std::string token)
      : line_(std::move(line)), token_(std::move(token)) {}

  std::optional<client::Answer> exchange(const client::Request& request) override {
    client::Request trusted = request;
    trusted.headers.emplace_back(token_header, token_);
    return line_->exchange(trusted);
  }
  void wait_until(std::chrono::steady_clock::time_point until) override { line_->wait_until(until); }
  void interrupt() noexcept override { line_->interrupt(); }

 private:
  const std::unique_ptr<client::Line> line_;
  const std::string token_;
};

class WorldWithToken final : public client::World {
 public:
  WorldWithToken(std::shared_ptr<client::World> world, std::string token)
      : world_(std::move(world)), token_(std::move(token)) {}

  std::chrono::steady_clock::time_point now() override { return world_->now(); }
  double random() override { return world_->random(); }
  std::unique_ptr<client::Line> open(const std::string& endpoint) override {
    return std::make_unique<LineWithToken>(world_->open(endpoint), token_);
  }

 private:
  const std::shared_ptr<client::World> world_;
  const std::string token_;
};

}  // namespace

std::string find_token(const Arguments& arguments) {
  if (arguments.has("token-file")) {
    const std::string path = arguments.text("token-file");
    auto token = read_token(path);
    if (!token) throw UsageError("--token-file: there is no token to be read in '" + path + "'");
    return std::move(*token);
  }
  if (const char* const given = std::getenv("PENSTOCK_TOKEN"); given != nullptr && *given != '\0') return given;
  if (!is_of_this_machine(arguments.endpoint)) return {};
  return read_token(config::token_file_in(config::default_data_dir())).value_or("");
}

std::shared_ptr<client::World> world_with_token(std::shared_ptr<client::World> world, std::string token) {
  if (token.empty()) return world;
  return std::make_shared<WorldWithToken>(std::move(world), std::move(token));
}

}  // namespace penstock::cli
