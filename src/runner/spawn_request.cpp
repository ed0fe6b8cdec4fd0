#include "runner/spawn_request.hpp"

#include <cstring>
#include <utility>

namespace penstock::runner {

namespace {

void put_number(std::string& out, std::size_t number) {
  const auto small = static_cast<std::uint32_t>(number);
  char bytes[sizeof small];
  std::memcpy(bytes, &small, sizeof small);
  out.append(bytes, sizeof small);
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out.append(text);
}

void put_list(std::string& out, const std::vector<std::string>& list) {
  put_number(out, list.size());
  for (const std::string& text : list) put_text(out, text);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  std::uint32_t number() {
    std::uint32_t value = 0;
    if (left_.size() < sizeof value) return fail();
    std::memcpy(&value, left_.data(), sizeof value);
    left_.remove_prefix(sizeof value);
    return value;
  }

  bool flag() {
    const std::uint32_t value = number();
    if (value > 1) fail();
    return value == 1;
  }

  std::string text() {
    const std::uint32_t size = number();
    if (size > left_.size()) {
      fail();
      return {};
    }
    std::string out(left_.substr(0, size));
    left_.remove_prefix(size);
    // What goes to exec ends at its first zero byte, and would not be what was meant.
    if (out.find('\0') != std::string::npos) fail();
    return out;
  }

  std::vector<std::string> list() {
    const std::uint32_t count = number();
    if (count > spawn_strings_max) fail();
    std::vector<std::string> out;
    for (std::uint32_t i = 0; i < count && good_; ++i) out.push_back(text());
    return out;
  }

  bool finished() const { return good_ && left_.empty(); }

 private:
  std::uint32_t fail() {
    good_ = false;
    left_ = {};
    return 0;
  }

  std::string_view left_;
  bool good_ = true;
};

}  // namespace

std::optional<std::string> encode(const SpawnRequest& request) {
  std::string out;
  put_text(out, request.path);
  put_text(out, request.directory);
  put_list(out, request.arguments);
  put_list(out, request.environment);
  put_number(out, request.yields ? 1 : 0);
  const std::size_t strings = request.arguments.size() + request.environment.size();
  if (out.size() > spawn_bytes_max || strings > spawn_strings_max) return std::nullopt;
  return out;
}

std::optional<SpawnRequest> decode_spawn_request(std::string_view bytes) {
  Reader reader(bytes);
  SpawnRequest request;
  request.path = reader.text();
  request.directory = reader.text();
  request.arguments = reader.list();
  request.environment = reader.list();
  request.yields = reader.flag();
  if (!reader.finished() || request.arguments.empty()) return std::nullopt;
  return request;
}

}  // namespace penstock::runner
