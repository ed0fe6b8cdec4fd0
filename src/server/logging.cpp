#include "server/logging.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <memory>

#include "protocol/text.hpp"

namespace penstock::server {

namespace {

using Buffer = rapidjson::StringBuffer;
using Writer = rapidjson::Writer<Buffer>;

/// What the line that this thread is logging is about, if it is a request. Lines are formatted in the thread that logs
/// them.
const AnsweredRequest*& request_of_line() {
  thread_local const AnsweredRequest* request = nullptr;
  return request;
}

/// Set once, at the start.
bool& logs_json() {
  static bool json = false;
  return json;
}

void write_text(Writer& writer, std::string_view text) {
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

/// Paths, and what programs print, may be anything; JSON may not.
std::string as_utf8(std::string_view text) {
  std::string valid(text);
  if (protocol::is_utf8(valid)) return valid;
  for (char& c : valid) {
    if (static_cast<unsigned char>(c) >= 0x80U) c = '?';
  }
  return valid;
}

/// The message as a JSON string, and the members of a request, from `"message":` on.
class JsonRest final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    Buffer buffer;
    Writer writer(buffer);
    writer.StartObject();
    writer.Key("message");
    write_text(writer, as_utf8({message.payload.data(), message.payload.size()}));
    if (const AnsweredRequest* request = request_of_line(); request != nullptr) write_request(writer, *request);
    writer.EndObject();
    // Without the brace that it begins with: what is before it is in the pattern.
    out.append(buffer.GetString() + 1, buffer.GetString() + buffer.GetSize());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonRest>(); }

 private:
  static void write_request(Writer& writer, const AnsweredRequest& request) {
    writer.Key("request_id");
    write_text(writer, request.request_id);
    writer.Key("service");
    write_text(writer, request.asked.service);
    writer.Key("operation");
    write_text(writer, request.asked.operation);
    writer.Key("status");
    writer.Int(request.status);
    writer.Key("duration_seconds");
    writer.Double(request.took.count());
  }
};

spdlog::level::level_enum level_of(const AnsweredRequest& request) {
  constexpr int first_server_error = 500;
  if (request.status >= first_server_error) return spdlog::level::warn;
  return request.took > slow_request_time && !request.waits ? spdlog::level::info : spdlog::level::debug;
}

}  // namespace

void start_logging(const std::string& level, bool json) {
  logs_json() = json;
  auto logger = spdlog::stderr_color_mt("penstock");
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  if (json) {
    formatter->add_flag<JsonRest>('*').set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%*)");
  } else {
    formatter->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v");
  }
  logger->set_formatter(std::move(formatter));
  logger->set_level(spdlog::level::from_str(level == "error" ? "err" : level));
  spdlog::set_default_logger(std::move(logger));
}

void log_failure(const std::string& why) {
  if (logs_json()) return spdlog::critical("{}", why);
  std::fprintf(stderr, "penstock: %s\n", why.c_str());
}

void log_request(const AnsweredRequest& request) {
  const spdlog::level::level_enum level = level_of(request);
  if (!spdlog::should_log(level)) return;
  request_of_line() = &request;
  spdlog::log(level, "{} {} was answered {} in {:.3f} ms, request {}", request.asked.service, request.asked.operation,
              request.status, std::chrono::duration<double, std::milli>(request.took).count(), request.request_id);
  request_of_line() = nullptr;
}

}  // namespace penstock::server
