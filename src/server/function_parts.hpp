// What a host of triggers is made of in a running server: processes, and the code they run.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runner/code_store.hpp"
#include "runner/descriptor.hpp"
#include "server/code_keeper.hpp"
#include "server/trigger_host.hpp"

namespace penstock::server {

/// Where the code of functions is kept: below the data directory, or, where nothing is kept, in a directory that goes
/// with the object.
class FunctionsDirectory {
 public:
  /// Nothing is made before it is needed, but for a directory that is to go. `data_dir` is empty where nothing is kept.
  explicit FunctionsDirectory(const std::string& data_dir);
  FunctionsDirectory(const FunctionsDirectory&) = delete;
  FunctionsDirectory& operator=(const FunctionsDirectory&) = delete;
  ~FunctionsDirectory();

  /// Empty if there could be none.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  runner::Descriptor claim_;  ///< of a directory that goes with the object, and with the next one if this cannot
};

struct FunctionSettings {
  std::string directory;
  bool durable = true;                                                 ///< what is kept survives the loss of power
  std::string endpoint;                                                ///< of this server, for functions
  std::function<std::string(const std::string& account)> secret_of{};  ///< with which they sign; empty: any will do
  std::chrono::seconds idle_time{};
  std::size_t concurrency = 0;        ///< invocations at a time, each of which may take an environment of its own
  std::uint64_t descriptors_max = 0;  ///< what a function may have open, by its soft limit; 0: as much as the server
};

struct FunctionParts {
  std::unique_ptr<CodeShelf> shelf;
  std::shared_ptr<const runner::CodeStore> code;  ///< what the shelf keeps it in
  TriggerHost::MakeProcesses make_processes;
};

/// No process is started, and no file looked at, before the first function is.
FunctionParts make_function_parts(const FunctionSettings& settings);

}  // namespace penstock::server
