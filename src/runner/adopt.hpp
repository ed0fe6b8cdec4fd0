// Hands a descriptor over to Asio.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <system_error>

#include "runner/descriptor.hpp"

namespace penstock::runner {

/// Asio's own constructors lose the descriptor where they fail, and throw what is no std::system_error, as this does.
inline void adopt(boost::asio::posix::stream_descriptor& stream, Descriptor descriptor) {
  boost::system::error_code error;
  stream.assign(descriptor.get(), error);
  if (error) throw std::system_error(error, "a descriptor cannot be watched");
  descriptor.release();
}

}  // namespace penstock::runner
