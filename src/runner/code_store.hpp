// The code of functions that came as archives, on disk: <directory>/<sha256 in hex>/code.zip, and below files/ what it
// holds. An archive is there as a whole or not at all, and is never changed. What was not synced when it was put may be
// there in part after a loss of power: a file beside it says in which run of the machine it was written, and in another
// one it is compared with its archive before it counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

namespace penstock::runner {

/// The service's own limits.
struct CodeLimits {
  std::size_t zip_bytes_max = 50U << 20U;
  std::size_t files_bytes_max = 250U << 20U;
  std::size_t files_max = 100'000;
};

struct StoredCode {
  std::string sha256;  ///< base64, as CodeSha256 has it
  std::uint64_t bytes = 0;
  /// As long as it lives the code is not dropped: until the function's record that names it is where keep_only's caller
  /// looks for records.
  std::shared_ptr<void> hold;
};

/// Code that is used, or about to be.
struct CodePlace {
  std::string directory;         ///< empty if it is not there
  std::shared_ptr<void> hold{};  ///< as long as it lives the code is not dropped
};

/// What a look at code comes to.
enum class CodeCondition : std::uint8_t {
  whole,
  missing,
  damaged,  ///< the archive is not the one that was put, or what was unpacked is not what it has
};

/// Why an archive is refused, as the service says it.
struct CodeRefused {
  std::string message;
};

/// Thread-safe. Methods do I/O, and throw std::system_error where that fails.
class CodeStore {
 public:
  /// Makes the directory when the first archive is put. `durable`: what put has returned survives loss of power.
  CodeStore(std::string directory, bool durable, CodeLimits limits = {});

  std::variant<StoredCode, CodeRefused> put(std::string_view zip);

  /// Where the code of this CodeSha256 lies, unpacked; empty if it is not there.
  std::string directory_of(const std::string& sha256) const;
  /// The same, to be used for a while.
  CodePlace use(const std::string& sha256) const;
  /// The archive itself.
  std::optional<std::string> zip_of(const std::string& sha256) const;

  /// Reads the archive, and looks for all that it holds. Changes nothing.
  CodeCondition look_at(const std::string& sha256) const;
  /// As long as it lives no code is dropped.
  std::shared_ptr<void> hold_all() const;

  /// Drops all code but that of these CodeSha256s and what is held, and what a crash has left half-written. False if
  /// something is there only because it is held.
  bool keep_only(const std::set<std::string>& sha256s);

 private:
  struct Held;
  struct PutUnderWay;

  std::shared_ptr<void> hold(const std::string& name) const;
  bool is_there(const std::string& name) const;
  bool is_whole(const std::string& name) const;
  bool is_as_put(const std::string& name) const;

  const std::string directory_;
  const bool durable_;
  const CodeLimits limits_;
  const std::shared_ptr<Held> held_;
};

}  // namespace penstock::runner
