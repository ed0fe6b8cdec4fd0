// How answers go out over HTTP/2: whole, or piece by piece.
#include <array>

#include "net/http2_state.hpp"

namespace penstock::net {

using Clock = SessionGroup::Clock;
using protocol::WireResponse;

namespace {

// Parts of a body shorter than this are copied behind their frame's head, which is cheaper than a part of their own.
constexpr std::size_t copied_bytes_max = 2'048;
constexpr std::size_t frame_head_bytes = 9;

// What HTTP/1.1 says of the connection is malformed in HTTP/2.
bool is_of_connection(std::string_view lower_name) {
  constexpr std::array<std::string_view, 5> names{"connection", "keep-alive", "proxy-connection", "transfer-encoding",
                                                  "upgrade"};
  return std::find(names.begin(), names.end(), lower_name) != names.end();
}

}  // namespace

void Http2Stream::on_news(Exchange&) { session.on_news(*this); }

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
  const bool content = has_content(exchange.response());
  const bool head_only = stream.method == "HEAD" || !content;
  // Who is gone will be noticed by the reader, but what was to be delivered must not be lost until then.
  if (exchange.wants_delivery_report() && transport_.has_gone()) return reset(stream, NGHTTP2_CANCEL);
  exchange.take_head();
  if (!reserve_part(stream, head_only ? 0 : exchange.response().body.size())) return;
  stream.answered = true;
  const WireResponse& response = exchange.response();
  HeaderList head;
  head.add(":status", std::to_string(response.status));
  if (content && !response.content_type.empty()) head.add("content-type", response.content_type);
  for (const auto& [name, value] : response.headers) {
    if (!is_of_connection(lower(name))) head.add(name, value);
  }
  if (content && !exchange.streams()) head.add("content-length", std::to_string(response.body.size()));
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
  if (filled_ >= http2_write_bytes) return NGHTTP2_ERR_WOULDBLOCK;
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

}  // namespace penstock::net
