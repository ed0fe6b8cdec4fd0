// The bounds that the network side keeps, whatever a client sends.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace penstock::net {

struct NetLimits {
  std::size_t connections_max = 4'096;  ///< per thread; one more is closed at once
  std::uint32_t header_bytes_max = 32U << 10U;
  std::size_t body_bytes_max = 16U << 20U;
  /// Of requests that the handler says may be large: 50 MiB of a zip in base64 come to 67 MiB.
  std::size_t large_body_bytes_max = 72U << 20U;
  std::size_t bodies_bytes_max = 256U << 20U;   ///< per thread, all bodies being read together
  std::size_t answers_bytes_max = 256U << 20U;  ///< per thread, of answers not sent yet; one more is answered 503
  std::chrono::seconds request_time_max{60};    ///< from a request's first byte to its last
  std::chrono::seconds write_time_max{60};      ///< for the client to take its answer, or a piece of a streamed one
  std::chrono::seconds idle_time_max{300};      ///< between requests
  std::chrono::seconds handshake_time_max{10};

  // Of HTTP/2, where one connection has many requests at a time.

  std::uint32_t streams_max = 1'000;  ///< of one connection, as its client is told
  std::size_t calls_max = 16'384;     ///< per thread, of all connections; one more is answered 503
  /// What a client may send ahead, of one request and of all: bodies are counted as they come, so this bounds no
  /// memory, and a client that has to wait for leave is slow.
  std::int32_t stream_window = 4 << 20;
  std::int32_t connection_window = 16 << 20;

  // What a client may do without asking for anything: over any of these the connection ends with ENHANCE_YOUR_CALM.

  /// Requests that end before their answer, because the client takes them back or breaks the protocol.
  std::size_t resets_max = 500;
  std::chrono::seconds resets_time{10};  ///< in which they are counted
  /// Frames that carry nothing, such as PING, SETTINGS, PRIORITY, WINDOW_UPDATE and DATA of a few bytes. What earns
  /// more of them is asking and being answered.
  std::uint32_t idle_frames_max = 10'000;
  std::uint32_t idle_frames_per_request = 8;
  std::uint32_t idle_frames_per_answer_frame = 4;
  std::uint32_t idle_frames_per_second = 100;
  std::size_t acknowledgements_max = 256;  ///< of PING and SETTINGS, that the client does not read
  std::size_t continuations_max = 8;       ///< frames of one header block beyond its first
  std::size_t header_floods_max = 8;       ///< times header_bytes_max that one header block may come to
};

}  // namespace penstock::net
