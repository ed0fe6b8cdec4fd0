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

bool is_control(unsigned char c) {
  constexpr unsigned char space = 0x20;
  constexpr unsigned char del = 0x7F;
  return c < space || c == del;
}

void append_code(std::string& out, unsigned char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  out.append("\\x").append(1, digits[c >> 4U]).append(1, digits[c & 0xFU]);
}

/// One line of a terminal, whatever clients and programs said: what would end it, or have the terminal do something, is
/// spelled out. So is what is no UTF-8. A tab is nothing but space.
std::string as_line(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  const bool is_text = protocol::is_utf8(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F, which are controls, too.
    const bool is_c1 = is_text && c == 0xC2U && static_cast<unsigned char>(text[i + 1]) < 0xA0U;
    if (c == '\n') {
      line.append("\\n");
    } else if (is_c1) {
      append_code(line, static_cast<unsigned char>(text[++i]));
    } else if (c != '\t' && (is_control(c) || (!is_text && c >= 0x80U))) {
      append_code(line, c);
    } else {
      line.push_back(text[i]);
    }
  }
  return line;
}

/// The message as text.
class TextMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const std::string line = as_line({message.payload.data(), message.payload.size()});
    out.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<TextMessage>(); }
};

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
    formatter->add_flag<TextMessage>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %*");
  }
  logger->set_formatter(std::move(formatter));
  logger->set_level(spdlog::level::from_str(level == "error" ? "err" : level));
  spdlog::set_default_logger(std::move(logger));
}

void log_failure(const std::string& why) {
  if (logs_json()) return spdlog::critical("{}", why);
  std::fprintf(stderr, "penstock: %s\n", as_line(why).c_str());
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
