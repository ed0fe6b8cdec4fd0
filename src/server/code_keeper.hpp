// The code of functions, kept in a thread of its own: unpacking takes as long as it takes, and triggers go on
// meanwhile.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>

#include "penstock/errors.hpp"

namespace penstock::server {

/// What is known of a zip that is kept.
struct KeptCode {
  std::string sha256;  ///< base64
  std::uint64_t bytes = 0;
  std::shared_ptr<void> hold;  ///< as long as it lives the code is not dropped
};

/// Where code lies. Used by one thread at a time.
class CodeShelf {
 public:
  CodeShelf() = default;
  CodeShelf(const CodeShelf&) = delete;
  CodeShelf& operator=(const CodeShelf&) = delete;
  virtual ~CodeShelf() = default;

  /// Durable when it returns.
  virtual std::variant<KeptCode, Error> put(const std::string& zip) = 0;
  /// Nothing if it is not there, or cannot be read.
  virtual std::optional<std::string> read(const std::string& sha256) = 0;
  /// Drops all other code that is not held. False if some is left because it is.
  virtual bool keep_only(const std::set<std::string>& sha256s) = 0;
};

/// Works in the order in which it is asked. Its thread begins with the first thing to do.
class CodeKeeper {
 public:
  /// Zips that wait to be unpacked, each of up to 50 MiB: one more is refused.
  static constexpr std::size_t puts_max = 8;

  /// Callbacks run in `context`.
  CodeKeeper(boost::asio::io_context& context, std::unique_ptr<CodeShelf> shelf);
  CodeKeeper(const CodeKeeper&) = delete;
  CodeKeeper& operator=(const CodeKeeper&) = delete;
  /// Finishes what is being done.
  ~CodeKeeper();

  void put(std::string zip, std::function<void(std::variant<KeptCode, Error>)> kept);
  void read(std::string sha256, std::function<void(std::optional<std::string>)> read);
  void keep_only(std::set<std::string> sha256s, std::function<void(bool all_dropped)> swept);
  bool has_room() const { return puts_ < puts_max; }
  /// Whether no code is being put.
  bool is_quiet() const { return puts_ == 0; }

 private:
  boost::asio::thread_pool& pool();

  boost::asio::io_context& context_;
  std::unique_ptr<CodeShelf> shelf_;
  std::size_t puts_ = 0;
  std::optional<boost::asio::thread_pool> pool_;
};

}  // namespace penstock::server
