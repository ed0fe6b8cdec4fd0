// Requests of Kinesis as the load makes them beforehand, in both of its codecs, and what it has to see of the answers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http.hpp"
#include "protocol/base64.hpp"
#include "text.hpp"

namespace penstock::bench {

/// Writes maps, lists and what is in them, as JSON or as CBOR. Texts are to need no escapes.
class RequestBody {
 public:
  explicit RequestBody(const Dialect& dialect) : cbor_(dialect == kinesis_cbor) {}

  RequestBody& open_map(std::size_t members) { return open(cbor_map, members, '{'); }
  RequestBody& close_map() { return close('}'); }
  RequestBody& open_list(std::size_t elements) { return open(cbor_list, elements, '['); }
  RequestBody& close_list() { return close(']'); }
  RequestBody& key(std::string_view name) {
    text(name);
    if (!cbor_) out_.push_back(':');
    first_ = true;
    return *this;
  }
  RequestBody& text(std::string_view value) { return quoted(cbor_text, value); }
  RequestBody& blob(std::string_view bytes) {
    if (cbor_) return quoted(cbor_bytes, bytes);
    return quoted(cbor_text, protocol::base64_encode(bytes));
  }
  RequestBody& number(std::size_t value) {
    separate();
    if (cbor_) {
      append_head(cbor_number, value);
    } else {
      out_.append(std::to_string(value));
    }
    return *this;
  }
  std::string take() { return std::move(out_); }

 private:
  static constexpr unsigned cbor_number = 0;
  static constexpr unsigned cbor_bytes = 2;
  static constexpr unsigned cbor_text = 3;
  static constexpr unsigned cbor_list = 4;
  static constexpr unsigned cbor_map = 5;

  RequestBody& open(unsigned type, std::size_t count, char bracket) {
    separate();
    if (cbor_) {
      append_head(type, count);
    } else {
      out_.push_back(bracket);
    }
    first_ = true;
    return *this;
  }
  RequestBody& close(char bracket) {
    if (!cbor_) out_.push_back(bracket);
    first_ = false;
    return *this;
  }
  RequestBody& quoted(unsigned type, std::string_view value) {
    separate();
    if (cbor_) {
      append_head(type, value.size());
      out_.append(value);
    } else {
      out_.append("\"").append(value).append("\"");
    }
    return *this;
  }
  void separate() {
    if (!std::exchange(first_, false) && !cbor_) out_.push_back(',');
  }
  void append_head(unsigned type, std::size_t value) {
    const unsigned bytes = value < 24 ? 0 : value < 256 ? 1 : value < 65'536 ? 2 : 4;
    const std::size_t info = bytes == 0 ? value : bytes == 1 ? 24 : bytes == 2 ? 25 : 26;
    out_.push_back(static_cast<char>(type << 5U | info));
    for (unsigned i = bytes; i > 0; --i) out_.push_back(static_cast<char>(value >> (8U * (i - 1))));
  }

  const bool cbor_;
  bool first_ = true;
  std::string out_;
};

inline constexpr std::size_t page_records_max = 10'000;
inline constexpr std::size_t partition_key_bytes = 16;

inline std::string shard_id(int shard) {
  char text[32];
  std::snprintf(text, sizeof text, "shardId-%012d", shard);
  return text;
}

inline void append_record(RequestBody& body, std::size_t bytes, std::uint64_t seed) {
  body.key("Data").blob(random_bytes(bytes, seed));
  body.key("PartitionKey").text(random_text(partition_key_bytes, seed));
}

inline std::string put_record_body(const Dialect& dialect, std::string_view stream, std::size_t bytes,
                                   std::uint64_t seed) {
  RequestBody body(dialect);
  body.open_map(3).key("StreamName").text(stream);
  append_record(body, bytes, seed);
  return body.close_map().take();
}

/// Partition keys at random, so that all shards have their part of it.
inline std::string put_records_body(const Dialect& dialect, std::string_view stream, std::uint64_t count,
                                    std::size_t bytes, std::uint64_t seed) {
  RequestBody body(dialect);
  body.open_map(2).key("StreamName").text(stream).key("Records").open_list(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    body.open_map(2);
    append_record(body, bytes, seed * count + i);
    body.close_map();
  }
  return body.close_list().close_map().take();
}

inline std::string get_shard_iterator_body(const Dialect& dialect, std::string_view stream, int shard,
                                           std::string_view type = "TRIM_HORIZON") {
  RequestBody body(dialect);
  body.open_map(3).key("StreamName").text(stream).key("ShardId").text(shard_id(shard));
  return body.key("ShardIteratorType").text(type).close_map().take();
}

inline std::string get_records_body(const Dialect& dialect, std::string_view iterator, std::size_t limit) {
  RequestBody body(dialect);
  body.open_map(2).key("ShardIterator").text(iterator).key("Limit").number(limit);
  return body.close_map().take();
}

/// The bytes of CBOR's text of that name, short as names are.
inline std::string cbor_name(std::string_view name) {
  return std::string(1, static_cast<char>(0x60U | name.size())).append(name);
}

inline const char* find_bytes(std::string_view in, std::string_view what) {
  return static_cast<const char*>(memmem(in.data(), in.size(), what.data(), what.size()));
}

/// The text of the first member of that name.
inline std::optional<std::string> find_text(const Dialect& dialect, std::string_view body, std::string_view name) {
  if (dialect != kinesis_cbor) {
    const auto found = find_json_text(body, name, 0);
    return found ? std::optional<std::string>(found->first) : std::nullopt;
  }
  // CBOR's names of more than 23 bytes, of which none is asked for here, would look different.
  const std::string key = cbor_name(name);
  const char* at = find_bytes(body, key);
  if (at == nullptr) return std::nullopt;
  std::string_view rest = body.substr(static_cast<std::size_t>(at - body.data()) + key.size());
  if (rest.size() < 3) return std::nullopt;
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(rest[i])); };
  const std::size_t head = byte(0) == 0x79U ? 3 : byte(0) == 0x78U ? 2 : 1;
  const std::size_t size = head == 3 ? byte(1) << 8U | byte(2) : head == 2 ? byte(1) : byte(0) & 0x1fU;
  return std::string(rest.substr(head, size));
}

/// Whether the answer of a PutRecords has no FailedRecordCount other than 0.
inline bool says_none_failed(const Dialect& dialect, std::string_view body) {
  using namespace std::string_view_literals;
  return find_bytes(body, dialect == kinesis_cbor ? "FailedRecordCount\0"sv : "\"FailedRecordCount\":0"sv) != nullptr;
}

/// What the reader of a page has to know of it.
struct Page {
  std::uint64_t records = 0;
  bool at_end = false;  ///< MillisBehindLatest is 0
  std::string next;     ///< NextShardIterator
};

/// Looks at the names of a page's records and at what stands before and after them, and passes over their data, which
/// has `bytes` each: the rest of the processors' time is the server's.
inline Page look_at_page(const Dialect& dialect, std::string_view body, std::size_t bytes) {
  using namespace std::string_view_literals;
  const bool cbor = dialect == kinesis_cbor;
  const std::string_view data = cbor ? "\x64"
                                       "Data"sv
                                     : "\"Data\":"sv;
  const std::size_t passed_over = data.size() + (cbor ? bytes : protocol::base64_size(bytes));
  Page page;
  std::size_t before = body.size();
  std::size_t at = 0;
  std::size_t between = 0;
  while (at < body.size()) {
    // Records of one size mostly lie at equal distances.
    std::size_t position = at + between;
    if (body.substr(std::min(position, body.size()), data.size()) != data) {
      const char* found = find_bytes(body.substr(at), data);
      if (found == nullptr) break;
      position = static_cast<std::size_t>(found - body.data());
      between = position - at;
    }
    before = std::min(before, position);
    at = position + passed_over;
    ++page.records;
  }
  const auto look = [&](std::string_view part) {
    const auto next = find_text(dialect, part, "NextShardIterator");
    if (next) page.next = *next;
    const char* behind = find_bytes(part, "MillisBehindLatest");
    if (behind == nullptr) return;
    behind += "MillisBehindLatest"sv.size() + (cbor ? 0 : 2);
    page.at_end = page.at_end || (behind < part.data() + part.size() && *behind == (cbor ? '\0' : '0'));
  };
  look(body.substr(0, before));
  if (at > 0) look(body.substr(std::min(at, body.size())));
  return page;
}

inline std::string consumer_path(std::string_view stream, std::string_view consumer, std::string_view action = {}) {
  std::string path("/_penstock/streams/");
  return path.append(stream).append("/consumers/").append(consumer).append(action);
}

/// Makes the consumer of the stream if it is not there.
inline void create_consumer(const std::string& host, std::uint16_t port, std::string_view stream,
                            std::string_view consumer) {
  const Socket socket(host, port);
  send_all(socket, native_request("PUT", host, port, consumer_path(stream, consumer), "{}"));
  AnswerBuffer answer;
  read_answer(socket, answer);
  if (answer.status() / 100 != 2) throw std::runtime_error("no consumer: " + std::string(answer.body()));
}

/// Makes the stream if it is not there, and waits until it can be put to.
inline void create_stream(const std::string& host, std::uint16_t port, const std::string& name, int shards) {
  const std::string named = "{\"StreamName\":\"" + name + "\"";
  try {
    call_once(kinesis_json, host, port, "CreateStream", named + ",\"ShardCount\":" + std::to_string(shards) + "}");
  } catch (const std::runtime_error& error) {
    if (std::string_view(error.what()).find("ResourceInUseException") == std::string_view::npos) throw;
  }
  constexpr int tries_max = 1'000;
  for (int tries = 0; tries < tries_max; ++tries) {
    const std::string answer = call_once(kinesis_json, host, port, "DescribeStream", named + "}");
    if (find_bytes(answer, "\"StreamStatus\":\"ACTIVE\"") != nullptr) return;
    ::usleep(10'000);
  }
  throw std::runtime_error("the stream " + name + " does not become ACTIVE");
}

}  // namespace penstock::bench
