// A body of an HTTP request that is read to its end, and kept up to a limit.
#pragma once

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/optional/optional.hpp>
#include <cstdint>
#include <string>

#include "runner/outcomes.hpp"

namespace penstock::runner {

/// Beast's Body. Clients send all of it before they read why it is refused, so that what is too long is read and
/// forgotten.
struct CappedBody {
  struct value_type {
    std::string text;
    bool too_large = false;
  };

  class reader {
   public:
    template <bool is_request, typename Fields>
    reader(boost::beast::http::header<is_request, Fields>&, value_type& value) : value_(value) {}

    void init(const boost::optional<std::uint64_t>& length, boost::system::error_code& error) {
      error = {};
      if (length) value_.text.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(*length, answer_bytes_max)));
    }

    template <typename Buffers>
    std::size_t put(const Buffers& buffers, boost::system::error_code& error) {
      error = {};
      const std::size_t size = boost::asio::buffer_size(buffers);
      for (auto it = boost::asio::buffer_sequence_begin(buffers); it != boost::asio::buffer_sequence_end(buffers);
           ++it) {
        add(*it);
      }
      return size;
    }

    void finish(boost::system::error_code& error) { error = {}; }

   private:
    void add(const boost::asio::const_buffer& piece) {
      if (value_.too_large) return;
      if (value_.text.size() + piece.size() > answer_bytes_max) {
        value_.too_large = true;
        value_.text = {};
        return;
      }
      value_.text.append(static_cast<const char*>(piece.data()), piece.size());
    }

    value_type& value_;
  };
};

}  // namespace penstock::runner
