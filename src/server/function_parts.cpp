#include "server/function_parts.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "runner/claim.hpp"
#include "runner/code_store.hpp"
#include "runner/launch.hpp"
#include "runner/pool.hpp"

namespace penstock::server {

namespace {

/// Code on disk.
class DiskShelf final : public CodeShelf {
 public:
  explicit DiskShelf(std::shared_ptr<runner::CodeStore> store) : store_(std::move(store)) {}

  std::variant<KeptCode, Error> put(const std::string& zip) override {
    try {
      auto outcome = store_->put(zip);
      if (auto* refused = std::get_if<runner::CodeRefused>(&outcome)) {
        return Error{ErrorCode::LambdaInvalidParameterValue, std::move(refused->message)};
      }
      auto& stored = std::get<runner::StoredCode>(outcome);
      return KeptCode{std::move(stored.sha256), stored.bytes, std::move(stored.hold)};
    } catch (const std::system_error& error) {
      spdlog::error("cannot keep the code of a function: {}", error.what());
      const bool full = error.code() == std::errc::no_space_on_device;
      return Error{full ? ErrorCode::ServiceUnavailable : ErrorCode::LambdaServiceException,
                   full ? "The disk is full." : "The code could not be kept."};
    }
  }

  std::optional<std::string> read(const std::string& sha256) override {
    try {
      return store_->zip_of(sha256);
    } catch (const std::system_error& error) {
      spdlog::error("cannot read the code of a function: {}", error.what());
      return std::nullopt;
    }
  }

  bool keep_only(const std::set<std::string>& sha256s) override {
    try {
      return store_->keep_only(sha256s);
    } catch (const std::system_error& error) {
      // What is left takes room and does no harm; the next sweep comes to it again.
      spdlog::warn("cannot drop code that no function has any more: {}", error.what());
      return true;
    }
  }

 private:
  std::shared_ptr<runner::CodeStore> store_;
};

class PoolProcesses final : public Processes {
 public:
  PoolProcesses(boost::asio::io_context& context, runner::PoolOptions options, runner::Pool::CodeDirectory directory_of)
      : pool_(context, std::move(options), std::move(directory_of)) {}

  Runner& runner() override { return pool_; }

  std::string objection_to(const FunctionRecord& function) const override {
    if (!function.directory.empty()) {
      std::error_code error;
      if (!std::filesystem::is_directory(function.directory, error)) {
        return "There is no directory " + function.directory + ".";
      }
    }
    return runner::missing_interpreter(function).value_or("");
  }

  std::string remark_on(const FunctionRecord& function) const override {
    return runner::substitute_interpreter(function).value_or("");
  }

  void read_log(const ReadFunctionLog& question, std::function<void(TriggerResult)> read) override {
    const std::uint64_t id = ++readers_;
    waiting_.emplace(id, std::move(read));
    pool_.read_log(question.function, question.after, question.lines_max, question.wait,
                   [this, id](std::optional<FunctionLog> log) {
                     auto reader = waiting_.extract(id);
                     if (reader.empty()) return;
                     if (log) return reader.mapped()(std::move(*log));
                     reader.mapped()(Error{ErrorCode::LambdaTooManyRequests,
                                           "Too many wait for lines of logs already. Try again."});
                   });
  }

  void release_log_readers() override {
    for (const auto& [id, read] : std::exchange(waiting_, {})) read(FunctionLog{});
  }

  void end_runs(const std::function<bool(const FunctionName&)>& doomed) override { pool_.end_runs(doomed); }

  void stop(std::function<void()> stopped) override { pool_.stop(std::move(stopped)); }

 private:
  runner::Pool pool_;
  std::uint64_t readers_ = 0;
  std::unordered_map<std::uint64_t, std::function<void(TriggerResult)>> waiting_;
};

}  // namespace

FunctionsDirectory::FunctionsDirectory(const std::string& data_dir) {
  std::error_code error;
  if (!data_dir.empty()) {
    // A function runs elsewhere, and is told where its code is.
    path_ = std::filesystem::absolute(data_dir, error) / "functions";
    return;
  }
  constexpr int tries_max = 4;
  const std::string prefix = "penstock-functions-";
  const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
  runner::remove_unclaimed(parent, prefix, false);
  // Who starts at the same moment may take one that has just been made for one that was left.
  for (int tries = 0; tries < tries_max && !claim_; ++tries) {
    std::string made = parent / (prefix + "XXXXXX");
    if (::mkdtemp(made.data()) == nullptr) return;
    claim_ = runner::claim_directory(made);
    if (claim_) path_ = std::move(made);
  }
}

FunctionsDirectory::~FunctionsDirectory() {
  std::error_code ignored;
  if (claim_) std::filesystem::remove_all(path_, ignored);
}

FunctionParts make_function_parts(const FunctionSettings& settings) {
  auto store = std::make_shared<runner::CodeStore>(settings.directory + "/code", settings.durable);
  runner::PoolOptions options;
  options.endpoint_url = settings.endpoint;
  if (settings.secret_of) options.secret_of = settings.secret_of;
  options.directory = settings.directory + "/bootstraps";
  options.idle_time = settings.idle_time;
  options.environments_max = std::max(options.environments_max, settings.concurrency);
  options.descriptors_max = settings.descriptors_max;
  FunctionParts parts;
  parts.shelf = std::make_unique<DiskShelf>(store);
  parts.code = store;
  parts.make_processes = [store, options](boost::asio::io_context& context) {
    return std::make_unique<PoolProcesses>(context, options, [store](const FunctionRecord& function) {
      return function.directory.empty() ? store->use(function.code_sha256) : runner::CodePlace{function.directory};
    });
  };
  return parts;
}

}  // namespace penstock::server
