// How requests come in over HTTP/2.
#include <charconv>

#include "net/http2_state.hpp"

namespace penstock::net {

using Clock = SessionGroup::Clock;
using protocol::WireRequest;

namespace {

// A DATA frame with less than this has to be its request's last, or it counts as one that carries nothing.
constexpr std::size_t least_data = 64;
// What each header takes in HTTP/2's measure of a list of them (RFC 9113, 6.5.2).
constexpr std::size_t header_overhead = 32;

// Whether that is what the authority says, which stands in the place of the header (RFC 9113, 8.3.1). Where they do not
// agree, both are kept, as two headers of HTTP/1.1 are, for who looks at them. Pseudo-headers come before all others.
bool repeats_authority(const Http2Stream& stream, std::string_view host) {
  if (!stream.has_authority) return false;
  const Http2Stream::Field& authority = stream.fields.front();
  return lower(std::string_view(stream.text).substr(authority.name_size, authority.value_size)) == lower(host);
}

}  // namespace

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
  } else if (!name.starts_with(':') && !(name == "host" && repeats_authority(stream, value))) {
    if (name == "expect" && lower(value) == "100-continue") stream.expects_continue = true;
    if (name == "content-length") {
      std::from_chars(value.data(), value.data() + value.size(), stream.announced);
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
  if (stream.refusal == 0 && !fits(stream, stream.announced)) stream.refusal = 413;
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

bool Http2Session::fits(Http2Stream& stream, std::uint64_t body_bytes) {
  if (body_bytes <= limits_.body_bytes_max) return true;
  if (body_bytes > limits_.large_body_bytes_max) return false;
  if (!stream.takes_large_body) stream.takes_large_body = group_.handler().takes_large_body(request_of(stream));
  return *stream.takes_large_body;
}

void Http2Session::take_body(Http2Stream& stream, std::string_view data) {
  if (!fits(stream, stream.body.size() + data.size())) return refuse(stream, 413);
  if (!group_.reserve_body(data.size())) return refuse(stream, 503);
  stream.body_reserved += data.size();
  // By steps of a quarter, so that what the string takes is not much more than what is counted.
  const std::size_t size = stream.body.size() + data.size();
  if (size > stream.body.capacity()) stream.body.reserve(size + size / 4);
  stream.body.append(data);
}

// Without what has come of its body.
WireRequest Http2Session::request_of(const Http2Stream& stream) {
  headers_.clear();
  std::string_view rest = stream.text;
  for (const Http2Stream::Field& field : stream.fields) {
    headers_.push_back({rest.substr(0, field.name_size), rest.substr(field.name_size, field.value_size)});
    rest.remove_prefix(field.name_size + field.value_size);
  }
  return {.method = stream.method, .target = stream.path, .headers = headers_, .secure = transport_.secure()};
}

void Http2Session::start(Http2Stream& stream) {
  stream.started = true;
  WireRequest request = request_of(stream);
  request.body = stream.body;
  group_.handler().start(request, stream.exchange);
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

}  // namespace penstock::net
