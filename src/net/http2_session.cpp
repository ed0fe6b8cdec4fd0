#include "net/http2_session.hpp"

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <span>

#include "net/http2_state.hpp"

namespace penstock::net {

namespace asio = boost::asio;
using boost::system::error_code;
using Clock = SessionGroup::Clock;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// For a client that was sent away to read why. It is not listened to meanwhile.
constexpr std::chrono::seconds linger_time_max{2};
constexpr std::uint32_t table_bytes = 4'096;  // of HPACK, in either direction

}  // namespace

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
  while (filled_ < http2_write_bytes) {
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

asio::awaitable<void> run_http2_session(Connection& connection) {
  Http2Session session(connection);
  co_await session.run();
}

}  // namespace penstock::net
