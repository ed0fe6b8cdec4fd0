// What the files of the HTTP/2 session share, and nothing else includes: its state, connection and streams. The
// session's own business is in http2_session.cpp, that of requests and of answers in http2_requests.cpp and
// http2_answers.cpp.
#pragma once

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/connection.hpp"

namespace penstock::net {

/// What is handed to the socket at once, at most, give or take a frame.
inline constexpr std::size_t http2_write_bytes = 256U << 10U;

inline std::string_view view(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline std::string lower(std::string_view text) {
  std::string copy(text);
  std::transform(copy.begin(), copy.end(), copy.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return copy;
}

inline std::string_view reason_of(int status) {
  switch (status) {
    case 413:
      return "Payload Too Large";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Bad Request";
  }
}

// Headers in the form in which nghttp2 takes them; it copies them.
class HeaderList {
 public:
  void add(std::string_view name, std::string_view value) { fields_.emplace_back(lower(name), value); }
  std::vector<nghttp2_nv> nva() {
    std::vector<nghttp2_nv> all;
    all.reserve(fields_.size());
    for (auto& [name, value] : fields_) {
      all.push_back({reinterpret_cast<std::uint8_t*>(name.data()), reinterpret_cast<std::uint8_t*>(value.data()),
                     name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    return all;
  }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// What a client may still do without asking for anything.
class Allowance {
 public:
  Allowance(std::uint32_t max, std::uint32_t per_second) : max_(max), per_second_(per_second), left_(max) {}

  void earn(std::uint32_t amount) { left_ = std::min(max_, left_ + std::min(max_, amount)); }
  bool spend(SessionGroup::Clock::time_point now) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - since_).count();
    if (seconds > 0) {
      since_ = now;
      earn(per_second_ * static_cast<std::uint32_t>(std::min<std::int64_t>(seconds, 1'000)));
    }
    if (left_ == 0) return false;
    --left_;
    return true;
  }

 private:
  std::uint32_t max_;
  std::uint32_t per_second_;
  std::uint32_t left_;
  SessionGroup::Clock::time_point since_ = SessionGroup::Clock::now();
};

class Http2Session;

// One request with its answer. Lives until HTTP/2 has closed its stream, its exchange has ended and no write refers to
// it any more.
struct Http2Stream final : Exchange::Listener {
  Http2Stream(Http2Session& its_session, const boost::asio::any_io_executor& executor, std::int32_t its_id)
      : session(its_session), id(its_id), exchange(executor, this) {}
  void on_news(Exchange& from) override;

  struct Field {
    std::size_t name_size = 0;
    std::size_t value_size = 0;
  };

  Http2Session& session;
  const std::int32_t id;
  Exchange exchange;
  std::list<Http2Stream>::iterator self;

  // The request, until it is started. The text of the headers, one after the other, is in `text`.
  std::string method;
  std::string path;
  std::string text;
  std::vector<Field> fields;
  std::string body;
  std::size_t header_bytes = 0;
  std::size_t body_reserved = 0;
  std::uint64_t announced = 0;           // content-length
  std::optional<bool> takes_large_body;  // once it has been asked
  int refusal = 0;                       // the status with which it is answered instead of being started
  bool counted = false;
  bool has_authority = false;
  bool expects_continue = false;

  // The answer.
  std::size_t sent = 0;             // of the part that is being sent
  std::size_t answer_reserved = 0;  // for that part
  bool body_sent = false;           // of the answer's own body, after which a stream has pieces
  bool drained = false;             // the part that is being sent is in the write under way to its end

  SessionGroup::Clock::time_point since =
      SessionGroup::Clock::now();  // when the request began, or the client was first given what waits for it
  bool request_ended = false;
  bool started = false;
  bool active = false;    // the handler works on it, so that the connection is busy
  bool answered = false;  // HTTP/2 has the head of the answer
  bool waits = false;     // something is there to be sent
  bool ended = false;     // the last frame of the answer is in a write
  bool delivered = false;
  bool in_write = false;
  bool resetting = false;
  bool closed = false;  // for HTTP/2
  bool held = false;    // not to be destroyed now
};

class Http2Session final : public SessionGroup::Session {
 public:
  explicit Http2Session(Connection& connection)
      : connection_(connection),
        transport_(connection.transport),
        group_(connection.group),
        limits_(connection.group.limits()),
        idle_frames_(limits_.idle_frames_max, limits_.idle_frames_per_second),
        over_(transport_.get_executor()) {
    make_session();
    connection_.set_idle(true);
    connection_.member->session = this;
  }
  ~Http2Session() override {
    connection_.member->session = nullptr;
    nghttp2_session_del(http2_);
  }

  boost::asio::awaitable<void> run();
  void on_sweep(SessionGroup::Clock::time_point now) override;
  void on_stop() override;
  void on_news(Http2Stream& stream);

 private:
  // A part of what is written: of `out_`, or of a body where it lies.
  struct Part {
    const char* data = nullptr;
    std::size_t offset = 0;
    std::size_t size = 0;
  };
  // While HTTP/2 or a list of streams is being worked on, nothing is sent, since that may end streams.
  class Pause {
   public:
    explicit Pause(Http2Session& session) : session_(session) { ++session_.pauses_; }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;
    ~Pause() { --session_.pauses_; }

   private:
    Http2Session& session_;
  };

  void make_session();
  void feed();
  boost::asio::awaitable<void> linger();
  void calm(std::uint32_t code = NGHTTP2_ENHANCE_YOUR_CALM);
  void count_reset();
  bool wants_more() const { return !doomed_ && !lost_ && nghttp2_session_want_read(http2_) != 0; }

  Http2Stream* begin_stream(std::int32_t id);
  void take_header(Http2Stream& stream, std::string_view name, std::string_view value);
  void check_head(Http2Stream& stream);
  bool fits(Http2Stream& stream, std::uint64_t body_bytes);
  protocol::WireRequest request_of(const Http2Stream& stream);
  void take_body(Http2Stream& stream, std::string_view data);
  void start(Http2Stream& stream);
  void refuse(Http2Stream& stream, int status);
  void forget_request(Http2Stream& stream);

  void begin_answer(Http2Stream& stream);
  bool reserve_part(Http2Stream& stream, std::size_t bytes);
  void release_part(Http2Stream& stream);
  void next_part(Http2Stream& stream);
  static std::string_view part_of(Http2Stream& stream);
  ssize_t plan(Http2Stream& stream, std::size_t room, std::uint32_t& flags);
  int append(Http2Stream& stream, const std::uint8_t* frame_head, std::size_t size, bool last);
  void reset(Http2Stream& stream, std::uint32_t code);
  void set_active(Http2Stream& stream, bool active);
  void close_stream(Http2Stream& stream);
  void settle(Http2Stream& stream);

  void pump();
  bool fill();
  void append_copy(std::string_view bytes);
  void on_written(const boost::system::error_code& error);
  void after_write();
  void lose();
  void set_deadline();
  void check_over();

  static Http2Session& of(void* user) { return *static_cast<Http2Session*>(user); }
  static Http2Stream* stream_of(nghttp2_session* http2, std::int32_t id) {
    return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(http2, id));
  }
  static const nghttp2_session_callbacks* callbacks();
  static int begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user);
  static int begin_headers(nghttp2_session* http2, const nghttp2_frame* frame, void* user);
  static int header(nghttp2_session* http2, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                    const std::uint8_t* value, std::size_t value_size, std::uint8_t flags, void* user);
  static int frame_received(nghttp2_session* http2, const nghttp2_frame* frame, void* user);
  static int data(nghttp2_session* http2, std::uint8_t flags, std::int32_t id, const std::uint8_t* bytes,
                  std::size_t size, void* user);
  static int invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int error, void* user);
  static int frame_sent(nghttp2_session* http2, const nghttp2_frame* frame, void* user);
  static int stream_closed(nghttp2_session* http2, std::int32_t id, std::uint32_t code, void* user);
  static ssize_t plan_data(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t room, std::uint32_t* flags,
                           nghttp2_data_source* source, void* user);
  static int send_data(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* frame_head, std::size_t size,
                       nghttp2_data_source* source, void* user);

  Connection& connection_;
  Transport& transport_;
  SessionGroup& group_;
  const NetLimits& limits_;
  nghttp2_session* http2_ = nullptr;
  std::list<Http2Stream> streams_;
  std::size_t active_ = 0;
  std::vector<protocol::Header> headers_;
  Allowance idle_frames_;
  std::size_t resets_ = 0;
  SessionGroup::Clock::time_point resets_since_;

  // The write under way.
  std::string out_;
  std::vector<Part> parts_;
  std::vector<boost::asio::const_buffer> buffers_;
  std::vector<Http2Stream*> written_streams_;
  std::size_t filled_ = 0;
  SessionGroup::Clock::time_point write_since_;
  bool writing_ = false;

  SessionGroup::Clock::time_point idle_since_ = SessionGroup::Clock::now();
  int pauses_ = 0;
  bool doomed_ = false;  // the client was told to go away
  bool lost_ = false;    // the connection is of no use any more
  bool reading_over_ = false;
  bool over_posted_ = false;
  Exchange over_;  // completed when nothing refers to the session any more
};

}  // namespace penstock::net
