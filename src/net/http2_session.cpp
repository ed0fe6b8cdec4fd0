#include "net/http2_session.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/connection.hpp"

namespace penstock::net {

namespace asio = boost::asio;
using boost::system::error_code;
using protocol::Header;
using protocol::WireRequest;
using protocol::WireResponse;
using Clock = SessionGroup::Clock;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// What is handed to the socket at once, at most, give or take a frame.
constexpr std::size_t write_bytes = 256U << 10U;
// Parts of a body shorter than this are copied behind their frame's head, which is cheaper than a part of their own.
constexpr std::size_t copied_bytes_max = 2'048;
// A DATA frame with less than this has to be its request's last, or it counts as one that carries nothing.
constexpr std::size_t least_data = 64;
// For a client that was sent away to read why. It is not listened to meanwhile.
constexpr std::chrono::seconds linger_time_max{2};
// What each header takes in HTTP/2's measure of a list of them (RFC 9113, 6.5.2).
constexpr std::size_t header_overhead = 32;
constexpr std::size_t frame_head_bytes = 9;
constexpr std::uint32_t table_bytes = 4'096;  // of HPACK, in either direction

std::string_view view(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

std::string lower(std::string_view text) {
  std::string copy(text);
  std::transform(copy.begin(), copy.end(), copy.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return copy;
}

// What HTTP/1.1 says of the connection is malformed in HTTP/2.
bool is_of_connection(std::string_view lower_name) {
  constexpr std::array<std::string_view, 5> names{"connection", "keep-alive", "proxy-connection", "transfer-encoding",
                                                  "upgrade"};
  return std::find(names.begin(), names.end(), lower_name) != names.end();
}

std::string_view reason_of(int status) {
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
  bool spend(Clock::time_point now) {
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
  Clock::time_point since_ = Clock::now();
};

class Http2Session;

// One request with its answer. Lives until HTTP/2 has closed its stream, its exchange has ended and no write refers to
// it any more.
struct Http2Stream final : Exchange::Listener {
  Http2Stream(Http2Session& its_session, const asio::any_io_executor& executor, std::int32_t its_id)
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
  int refusal = 0;  // the status with which it is answered instead of being started
  bool counted = false;
  bool has_authority = false;
  bool expects_continue = false;

  // The answer.
  std::size_t sent = 0;             // of the part that is being sent
  std::size_t answer_reserved = 0;  // for that part
  bool body_sent = false;           // of the answer's own body, after which a stream has pieces
  bool drained = false;             // the part that is being sent is in the write under way to its end

  Clock::time_point since = Clock::now();  // when the request began, or the client was first given what waits for it
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

  asio::awaitable<void> run();
  void on_sweep(Clock::time_point now) override;
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
  asio::awaitable<void> linger();
  void calm(std::uint32_t code = NGHTTP2_ENHANCE_YOUR_CALM);
  void count_reset();
  bool wants_more() const { return !doomed_ && !lost_ && nghttp2_session_want_read(http2_) != 0; }

  Http2Stream* begin_stream(std::int32_t id);
  void take_header(Http2Stream& stream, std::string_view name, std::string_view value);
  void check_head(Http2Stream& stream);
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
  void on_written(const error_code& error);
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
  std::vector<Header> headers_;
  Allowance idle_frames_;
  std::size_t resets_ = 0;
  Clock::time_point resets_since_;

  // The write under way.
  std::string out_;
  std::vector<Part> parts_;
  std::vector<asio::const_buffer> buffers_;
  std::vector<Http2Stream*> written_streams_;
  std::size_t filled_ = 0;
  Clock::time_point write_since_;
  bool writing_ = false;

  Clock::time_point idle_since_ = Clock::now();
  int pauses_ = 0;
  bool doomed_ = false;  // the client was told to go away
  bool lost_ = false;    // the connection is of no use any more
  bool reading_over_ = false;
  bool over_posted_ = false;
  Exchange over_;  // completed when nothing refers to the session any more
};

void Http2Stream::on_news(Exchange&) { session.on_news(*this); }

// ---------------------------------------------------------------------------------------------------------------------
// The connection

const nghttp2_session_callbacks* Http2Session::callbacks() {
  struct Deleted {
    void operator()(nghttp2_session_callbacks* what) const { nghttp2_session_callbacks_del(what); }
  };
  static const auto shared = [] {
    nghttp2_session_callbacks* made = nullptr;
    nghttp2_session_callbacks_new(&made);
    nghttp2_session_callbacks_set_on_begin_frame_callback(made, begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(made, header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, frame_received);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, data);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, invalid_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, stream_closed);
    nghttp2_session_callbacks_set_send_data_callback(made, send_data);
    return std::unique_ptr<nghttp2_session_callbacks, Deleted>(made);
  }();
  return shared.get();
}

void Http2Session::make_session() {
  nghttp2_option* options = nullptr;
  nghttp2_option_new(&options);
  nghttp2_option_set_max_outbound_ack(options, limits_.acknowledgements_max);
  nghttp2_option_set_max_continuations(options, limits_.continuations_max);
  nghttp2_option_set_max_deflate_dynamic_table_size(options, table_bytes);
  nghttp2_option_set_no_closed_streams(options, 1);
  // The library counts, too; what is counted here comes first and says why.
  nghttp2_option_set_stream_reset_rate_limit(options, 2 * limits_.idle_frames_max, limits_.idle_frames_max);
  nghttp2_session_server_new2(&http2_, callbacks(), this, options);
  nghttp2_option_del(options);
  const std::array<nghttp2_settings_entry, 5> settings{
      {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits_.streams_max},
       {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<std::uint32_t>(limits_.stream_window)},
       {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits_.header_bytes_max},
       {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, table_bytes},
       {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1}}};
  nghttp2_submit_settings(http2_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(http2_, NGHTTP2_FLAG_NONE, 0, limits_.connection_window);
}

asio::awaitable<void> Http2Session::run() {
  if (group_.stopping()) on_stop();
  std::size_t step = Connection::read_bytes;
  while (wants_more()) {
    feed();
    pump();
    if (!wants_more()) break;
    const auto [error, got] = co_await transport_.async_read_some(connection_.buffer.prepare(step), as_result);
    if (error) {
      lose();
      break;
    }
    connection_.buffer.commit(got);
    // A long body is read in longer steps.
    step = got == step ? std::min(2 * step, Connection::read_bytes_max) : Connection::read_bytes;
  }
  if (!lost_) {
    // The library has nothing more to read, because the client broke the protocol or because both are done.
    calm(NGHTTP2_NO_ERROR);
    pump();
    co_await linger();
  }
  reading_over_ = true;
  check_over();
  co_await over_.wait(asio::use_awaitable);
}

void Http2Session::feed() {
  const auto bytes = connection_.buffer.data();
  if (bytes.size() > 0) {
    const Pause pause(*this);
    const ssize_t used = nghttp2_session_mem_recv(http2_, static_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    if (used < 0) calm(used == NGHTTP2_ERR_BAD_CLIENT_MAGIC ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_ENHANCE_YOUR_CALM);
    connection_.buffer.consume(bytes.size());
  }
  if (connection_.buffer.size() == 0 && connection_.buffer.capacity() > Connection::read_bytes_max) {
    connection_.buffer.shrink_to_fit();
  }
  set_deadline();
}

// Closing with unread bytes would reset the connection, and the client might never see why.
asio::awaitable<void> Http2Session::linger() {
  std::size_t drained = 0;
  while (!lost_ && drained < limits_.body_bytes_max) {
    connection_.buffer.clear();
    const auto [error, got] =
        co_await transport_.async_read_some(connection_.buffer.prepare(Connection::read_bytes), as_result);
    if (error) break;
    drained += got;
  }
  lose();
}

// The connection ends, and the client is told why as soon as it reads.
void Http2Session::calm(std::uint32_t code) {
  if (std::exchange(doomed_, true)) return;
  nghttp2_session_terminate_session(http2_, code);
  connection_.member->deadline = Clock::now() + linger_time_max;
}

void Http2Session::count_reset() {
  const auto now = Clock::now();
  if (now - resets_since_ > limits_.resets_time) {
    resets_since_ = now;
    resets_ = 0;
  }
  if (++resets_ > limits_.resets_max) calm();
}

void Http2Session::on_sweep(Clock::time_point now) {
  if (connection_.member->deadline <= now) {
    if (streams_.empty() && !writing_ && !doomed_) {
      calm(NGHTTP2_NO_ERROR);
      return pump();
    }
    error_code ignored;
    transport_.socket().close(ignored);
    return;
  }
  {
    const Pause pause(*this);
    for (auto next = streams_.begin(); next != streams_.end();) {
      Http2Stream& stream = *next++;
      if (stream.closed) continue;
      const bool dawdles = !stream.request_ended && !stream.started && now - stream.since > limits_.request_time_max;
      const bool does_not_read = stream.waits && now - stream.since > limits_.write_time_max;
      if (dawdles || does_not_read) reset(stream, NGHTTP2_CANCEL);
    }
  }
  pump();
}

void Http2Session::on_stop() {
  {
    const Pause pause(*this);
    nghttp2_submit_goaway(http2_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(http2_), NGHTTP2_NO_ERROR,
                          nullptr, 0);
  }
  pump();
}

// ---------------------------------------------------------------------------------------------------------------------
// Requests

int Http2Session::begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
  Http2Session& session = of(user);
  const bool ends = (head->flags & NGHTTP2_FLAG_END_STREAM) != 0;
  const bool asks = head->type == NGHTTP2_HEADERS;
  const bool carries = head->type == NGHTTP2_DATA && (ends || head->length >= least_data);
  if (!asks && !carries && !session.idle_frames_.spend(Clock::now())) session.calm();
  return 0;
}

int Http2Session::begin_headers(nghttp2_session* http2, const nghttp2_frame* frame, void* user) {
  if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  Http2Session& session = of(user);
  if (session.doomed_) return 0;
  nghttp2_session_set_stream_user_data(http2, frame->hd.stream_id, session.begin_stream(frame->hd.stream_id));
  return 0;
}

Http2Stream* Http2Session::begin_stream(std::int32_t id) {
  idle_frames_.earn(limits_.idle_frames_per_request);
  Http2Stream& stream = streams_.emplace_back(*this, transport_.get_executor(), id);
  stream.self = std::prev(streams_.end());
  stream.counted = group_.begin_call();
  if (!stream.counted) stream.refusal = 503;
  return &stream;
}

int Http2Session::header(nghttp2_session* http2, const nghttp2_frame* frame, const std::uint8_t* name,
                         std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                         void* user) {
  // What follows a body is of no use to anyone here.
  if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  if (Http2Stream* stream = stream_of(http2, frame->hd.stream_id)) {
    of(user).take_header(*stream, view(name, name_size), view(value, value_size));
  }
  return 0;
}

void Http2Session::take_header(Http2Stream& stream, std::string_view name, std::string_view value) {
  const std::size_t size = name.size() + value.size();
  stream.header_bytes += size + header_overhead;
  // A few bytes can name many headers of the table, so that one block may come to far more than was sent.
  if (stream.header_bytes > limits_.header_floods_max * limits_.header_bytes_max) return calm();
  if (stream.header_bytes > limits_.header_bytes_max) stream.refusal = 431;
  if (stream.refusal != 0) return;
  if (!group_.reserve_body(size + header_overhead)) {
    stream.refusal = 503;
    return;
  }
  stream.body_reserved += size + header_overhead;
  if (name == ":method") {
    stream.method = value;
  } else if (name == ":path") {
    stream.path = value;
  } else if (name == ":authority") {
    stream.has_authority = true;
    stream.text.append("host").append(value);
    stream.fields.push_back({std::string_view("host").size(), value.size()});
  } else if (!name.starts_with(':') && !(stream.has_authority && name == "host")) {
    if (name == "expect" && lower(value) == "100-continue") stream.expects_continue = true;
    if (name == "content-length") {
      std::uint64_t announced = 0;
      std::from_chars(value.data(), value.data() + value.size(), announced);
      if (announced > limits_.body_bytes_max) stream.refusal = 413;
    }
    stream.text.append(name).append(value);
    stream.fields.push_back({name.size(), value.size()});
  }
}

int Http2Session::frame_received(nghttp2_session* http2, const nghttp2_frame* frame, void* user) {
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  Http2Session& session = of(user);
  Http2Stream* stream = stream_of(http2, frame->hd.stream_id);
  if (stream == nullptr || session.doomed_) return 0;
  const bool ended = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (ended) stream->request_ended = true;
  if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) session.check_head(*stream);
  if (ended && !stream->started) session.start(*stream);
  return 0;
}

void Http2Session::check_head(Http2Stream& stream) {
  // Only CONNECT has no path, and nothing here is to be tunnelled to.
  if (stream.refusal == 0 && stream.path.empty()) stream.refusal = 400;
  if (stream.refusal != 0) return refuse(stream, stream.refusal);
  if (!stream.expects_continue || stream.request_ended) return;
  HeaderList head;
  head.add(":status", "100");
  const std::vector<nghttp2_nv> nva = head.nva();
  nghttp2_submit_headers(http2_, NGHTTP2_FLAG_NONE, stream.id, nullptr, nva.data(), nva.size(), nullptr);
}

int Http2Session::data(nghttp2_session* http2, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                       std::size_t size, void* user) {
  Http2Stream* stream = stream_of(http2, id);
  if (stream != nullptr && !stream->started && !of(user).doomed_) of(user).take_body(*stream, view(bytes, size));
  return 0;
}

void Http2Session::take_body(Http2Stream& stream, std::string_view data) {
  if (stream.body.size() + data.size() > limits_.body_bytes_max) return refuse(stream, 413);
  if (!group_.reserve_body(data.size())) return refuse(stream, 503);
  stream.body_reserved += data.size();
  stream.body.append(data);
}

void Http2Session::start(Http2Stream& stream) {
  stream.started = true;
  headers_.clear();
  std::string_view rest = stream.text;
  for (const Http2Stream::Field& field : stream.fields) {
    headers_.push_back({rest.substr(0, field.name_size), rest.substr(field.name_size, field.value_size)});
    rest.remove_prefix(field.name_size + field.value_size);
  }
  group_.handler().start(WireRequest{.method = stream.method,
                                     .target = stream.path,
                                     .headers = headers_,
                                     .body = stream.body,
                                     .secure = transport_.secure()},
                         stream.exchange);
  forget_request(stream);
  set_active(stream, !stream.exchange.completed() && !stream.exchange.parks());
}

// The answer is given without waiting for the rest of the request, and what still comes of it is dropped.
void Http2Session::refuse(Http2Stream& stream, int status) {
  stream.started = true;
  forget_request(stream);
  stream.exchange.complete(group_.handler().refuse(status, reason_of(status)));
}

void Http2Session::forget_request(Http2Stream& stream) {
  group_.release_body(std::exchange(stream.body_reserved, 0));
  stream.text = {};
  stream.body = {};
  stream.fields = {};
}

int Http2Session::invalid_frame(nghttp2_session*, const nghttp2_frame*, int, void* user) {
  of(user).count_reset();
  return 0;
}

int Http2Session::stream_closed(nghttp2_session* http2, std::int32_t id, std::uint32_t code, void* user) {
  Http2Stream* stream = stream_of(http2, id);
  if (stream == nullptr) return 0;
  nghttp2_session_set_stream_user_data(http2, id, nullptr);
  if (code != NGHTTP2_NO_ERROR && !stream->ended) of(user).count_reset();
  of(user).close_stream(*stream);
  return 0;
}

// ---------------------------------------------------------------------------------------------------------------------
// Answers

void Http2Session::on_news(Http2Stream& stream) {
  if (stream.exchange.completed()) set_active(stream, false);
  if (stream.closed) return settle(stream);
  if (stream.resetting) return;
  if (stream.exchange.abandoned()) {
    reset(stream, NGHTTP2_CANCEL);
  } else if (!stream.answered) {
    begin_answer(stream);
  } else {
    next_part(stream);
  }
  pump();
}

void Http2Session::begin_answer(Http2Stream& stream) {
  Exchange& exchange = stream.exchange;
  const bool head_only = stream.method == "HEAD";
  // Who is gone will be noticed by the reader, but what was to be delivered must not be lost until then.
  if (exchange.wants_delivery_report() && transport_.has_gone()) return reset(stream, NGHTTP2_CANCEL);
  exchange.take_head();
  if (!reserve_part(stream, head_only ? 0 : exchange.response().body.size())) return;
  stream.answered = true;
  const WireResponse& response = exchange.response();
  HeaderList head;
  head.add(":status", std::to_string(response.status));
  if (!response.content_type.empty()) head.add("content-type", response.content_type);
  for (const auto& [name, value] : response.headers) {
    if (!is_of_connection(lower(name))) head.add(name, value);
  }
  if (!exchange.streams()) head.add("content-length", std::to_string(response.body.size()));
  stream.since = Clock::now();
  stream.body_sent = response.body.empty();
  stream.waits = !head_only && !stream.body_sent;
  nghttp2_data_provider provider{{.ptr = &stream}, plan_data};
  const std::vector<nghttp2_nv> nva = head.nva();
  const bool has_body = !head_only && (exchange.streams() || !response.body.empty());
  nghttp2_submit_response(http2_, stream.id, nva.data(), nva.size(), has_body ? &provider : nullptr);
}

// Counts what is to be sent. If it is too much the answer is lost, as it is for a client that goes away; false if there
// is nothing to be sent instead.
bool Http2Session::reserve_part(Http2Stream& stream, std::size_t bytes) {
  if (group_.reserve_answer(bytes)) {
    stream.answer_reserved = bytes;
    return true;
  }
  if (stream.exchange.streams()) {
    // The handler is not to be cancelled from within its own call, so the next sweep does it.
    stream.waits = true;
    stream.since = Clock::now() - 2 * limits_.write_time_max;
    return false;
  }
  stream.exchange.report_undelivered();
  stream.exchange.response() = group_.handler().refuse(503, reason_of(503));
  return true;
}

void Http2Session::release_part(Http2Stream& stream) {
  group_.release_answer(std::exchange(stream.answer_reserved, 0));
}

// A stream's next piece is there, or its end.
void Http2Session::next_part(Http2Stream& stream) {
  if (!stream.waits) {
    stream.waits = true;
    stream.since = Clock::now();
    const std::string* piece = stream.exchange.piece();
    if (!reserve_part(stream, piece != nullptr ? piece->size() : 0)) return;
  }
  nghttp2_session_resume_data(http2_, stream.id);
}

std::string_view Http2Session::part_of(Http2Stream& stream) {
  if (!stream.body_sent) return stream.exchange.response().body;
  const std::string* piece = stream.exchange.piece();
  return piece != nullptr ? std::string_view(*piece) : std::string_view();
}

ssize_t Http2Session::plan_data(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t room, std::uint32_t* flags,
                                nghttp2_data_source* source, void* user) {
  return of(user).plan(*static_cast<Http2Stream*>(source->ptr), room, *flags);
}

ssize_t Http2Session::plan(Http2Stream& stream, std::size_t room, std::uint32_t& flags) {
  const bool piece_waits = stream.exchange.piece() != nullptr;
  // What was drained is the write's until that is over. Then comes the next part, which may be an end with nothing
  // left.
  const bool may_end = stream.exchange.completed() && (!piece_waits || (stream.body_sent && stream.drained));
  const std::size_t left = stream.drained ? 0 : part_of(stream).size() - stream.sent;
  const bool is_empty_piece = piece_waits && !stream.drained && part_of(stream).empty();
  if (left == 0 && !may_end && !is_empty_piece) return NGHTTP2_ERR_DEFERRED;
  const std::size_t size = std::min(room, left);
  const bool last_part = stream.exchange.completed() && (stream.body_sent || !piece_waits);
  flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (last_part && size == left) flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(size);
}

int Http2Session::send_data(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* frame_head, std::size_t size,
                            nghttp2_data_source* source, void* user) {
  const bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  return of(user).append(*static_cast<Http2Stream*>(source->ptr), frame_head, size, last);
}

int Http2Session::append(Http2Stream& stream, const std::uint8_t* frame_head, std::size_t size, bool last) {
  if (filled_ >= write_bytes) return NGHTTP2_ERR_WOULDBLOCK;
  idle_frames_.earn(limits_.idle_frames_per_answer_frame);
  append_copy(view(frame_head, frame_head_bytes));
  const std::string_view part = part_of(stream);
  const std::string_view bytes = part.substr(stream.sent, size);
  // What is encrypted is copied anyway.
  if (size < copied_bytes_max || transport_.secure()) {
    append_copy(bytes);
  } else {
    parts_.push_back({bytes.data(), 0, size});
    filled_ += size;
  }
  stream.sent += size;
  stream.drained = stream.sent == part.size();
  if (last) stream.ended = true;
  if (!std::exchange(stream.in_write, true)) written_streams_.push_back(&stream);
  return 0;
}

int Http2Session::frame_sent(nghttp2_session* http2, const nghttp2_frame* frame, void* user) {
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  Http2Stream* stream = stream_of(http2, frame->hd.stream_id);
  if (stream == nullptr || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  Http2Session& session = of(user);
  stream->ended = true;
  if (!std::exchange(stream->in_write, true)) session.written_streams_.push_back(stream);
  if (!stream->request_ended) nghttp2_submit_rst_stream(http2, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
  return 0;
}

// The client is told, and the handler is if it still works on it.
void Http2Session::reset(Http2Stream& stream, std::uint32_t code) {
  if (stream.closed || std::exchange(stream.resetting, true)) return;
  stream.waits = false;
  nghttp2_submit_rst_stream(http2_, NGHTTP2_FLAG_NONE, stream.id, code);
  const bool was_held = std::exchange(stream.held, true);
  if (stream.started && !stream.exchange.abandoned()) stream.exchange.cancel();
  stream.held = was_held;
}

void Http2Session::set_active(Http2Stream& stream, bool active) {
  if (std::exchange(stream.active, active) == active) return;
  if (active && active_++ == 0) group_.begin_busy();
  if (!active && --active_ == 0) group_.end_busy();
}

void Http2Session::close_stream(Http2Stream& stream) {
  stream.closed = true;
  stream.waits = false;
  stream.held = true;
  if (stream.started) stream.exchange.cancel();
  stream.held = false;
  settle(stream);
}

void Http2Session::settle(Http2Stream& stream) {
  if (!stream.closed || stream.held || stream.in_write) return;
  if (stream.started && !stream.exchange.completed()) return;
  if (!stream.delivered) stream.exchange.report_undelivered();
  set_active(stream, false);
  forget_request(stream);
  release_part(stream);
  if (stream.counted) group_.end_call();
  streams_.erase(stream.self);
  if (streams_.empty()) {
    idle_since_ = Clock::now();
    set_deadline();
  }
  check_over();
}

// ---------------------------------------------------------------------------------------------------------------------
// Writing

// Sends what there is to send, unless it is being done.
void Http2Session::pump() {
  if (pauses_ > 0 || writing_ || lost_) return;
  if (!fill()) {
    if (lost_) return on_written(asio::error::no_memory);
    // Both sides have said that they are done.
    if (nghttp2_session_want_read(http2_) == 0 && nghttp2_session_want_write(http2_) == 0) after_write();
    return;
  }
  writing_ = true;
  write_since_ = Clock::now();
  set_deadline();
  buffers_.clear();
  for (const Part& part : parts_) {
    buffers_.emplace_back(part.data != nullptr ? part.data : out_.data() + part.offset, part.size);
  }
  asio::async_write(transport_, std::span<const asio::const_buffer>(buffers_),
                    [this](const error_code& error, std::size_t) { on_written(error); });
}

// False if there is nothing.
bool Http2Session::fill() {
  out_.clear();
  parts_.clear();
  filled_ = 0;
  const Pause pause(*this);
  while (filled_ < write_bytes) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(http2_, &bytes);
    if (size < 0) {
      // Out of memory, or a fault of ours: nothing that could be said to the client.
      lost_ = true;
      return false;
    }
    if (size == 0) break;
    append_copy(view(bytes, static_cast<std::size_t>(size)));
  }
  return filled_ > 0;
}

void Http2Session::append_copy(std::string_view bytes) {
  if (!parts_.empty() && parts_.back().data == nullptr) {
    parts_.back().size += bytes.size();
  } else {
    parts_.push_back({nullptr, out_.size(), bytes.size()});
  }
  out_.append(bytes);
  filled_ += bytes.size();
}

void Http2Session::on_written(const error_code& error) {
  writing_ = false;
  if (out_.capacity() > Connection::read_bytes) out_ = {};
  if (error) lost_ = true;
  {
    const Pause pause(*this);
    const std::vector<Http2Stream*> streams = std::exchange(written_streams_, {});
    for (Http2Stream* stream : streams) {
      stream->in_write = false;
      stream->delivered = stream->ended && !error;
      if (std::exchange(stream->drained, false)) {
        release_part(*stream);
        stream->sent = 0;
        stream->waits = false;
        stream->held = true;
        if (!std::exchange(stream->body_sent, true)) {
          if (!stream->closed && stream->exchange.piece() != nullptr) next_part(*stream);
        } else if (!error) {
          stream->exchange.piece_taken();
        }
        stream->held = false;
      }
      settle(*stream);
    }
  }
  if (lost_) return lose();
  set_deadline();
  pump();
}

// All was said that there was to say: the reader is woken by the end of the connection.
void Http2Session::after_write() {
  error_code ignored;
  if (doomed_) {
    transport_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  } else {
    lose();
  }
}

// The connection is over: whoever works for it is told.
void Http2Session::lose() {
  lost_ = true;
  error_code ignored;
  transport_.socket().close(ignored);
  {
    const Pause pause(*this);
    for (auto next = streams_.begin(); next != streams_.end();) {
      Http2Stream& stream = *next++;
      if (!stream.closed) close_stream(stream);
    }
  }
  check_over();
}

void Http2Session::set_deadline() {
  auto& deadline = connection_.member->deadline;
  if (doomed_) return;
  if (writing_) {
    deadline = write_since_ + limits_.write_time_max;
  } else if (streams_.empty()) {
    deadline = idle_since_ + limits_.idle_time_max;
  } else {
    deadline = Clock::time_point::max();
  }
}

void Http2Session::check_over() {
  if (!reading_over_ || writing_ || !streams_.empty() || std::exchange(over_posted_, true)) return;
  // Not from within, since the session ends with it.
  asio::post(transport_.get_executor(), [this] { over_.complete({}); });
}

}  // namespace

asio::awaitable<void> run_http2_session(Connection& connection) {
  Http2Session session(connection);
  co_await session.run();
}

}  // namespace penstock::net
