#include "server/server.hpp"

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "config/credentials.hpp"
#include "config/places.hpp"
#include "config/problems.hpp"
#include "net/listener.hpp"
#include "net/session_group.hpp"
#include "net/tls.hpp"
#include "penstock/limits.hpp"
#include "protocol/times.hpp"
#include "server/authority.hpp"
#include "server/clock.hpp"
#include "server/control.hpp"
#include "server/disk_space.hpp"
#include "server/faults.hpp"
#include "server/frontend.hpp"
#include "server/function_parts.hpp"
#include "server/health.hpp"
#include "server/large_requests.hpp"
#include "server/logging.hpp"
#include "server/metrics.hpp"
#include "server/service_manager.hpp"
#include "server/settler.hpp"
#include "server/shard.hpp"
#include "server/slow_store.hpp"
#include "server/state_keeper.hpp"
#include "server/timekeeper.hpp"
#include "server/trigger_host.hpp"
#include "server/version.hpp"
#include "state/backup.hpp"
#include "storage/clock_record.hpp"
#include "storage/committer.hpp"
#include "storage/memory_store.hpp"
#include "storage/records.hpp"
#include "storage/rocksdb_store.hpp"
#include "storage/stream_records.hpp"
#include "storage/trigger_records.hpp"

namespace penstock::server {

namespace asio = boost::asio;

namespace {

/// How long open requests may take to end after a SIGTERM. Long polls are answered at once, so this is for clients that
/// do not read.
constexpr std::chrono::seconds drain_time_max{10};

/// And invocations that are under way, before their processes are ended: the rest of that time is for their answers.
constexpr Millis trigger_drain_time_max{7'000};

/// How long a thread looks for the next request of a client that is alone before it sleeps.
constexpr std::chrono::microseconds alone_poll_time{60};

int fail(const std::string& why, int status = 1) {
  log_failure(why);
  return status;
}

// Renamed into place, so that who waits for the file never reads half of it.
std::error_code write_whole(const std::string& path, const std::string& text) {
  const std::string unfinished = path + ".tmp";
  std::ofstream file(unfinished, std::ios::trunc);
  file << text;
  file.close();
  std::error_code error;
  if (!file) return std::make_error_code(std::errc::io_error);
  std::filesystem::rename(unfinished, path, error);
  return error;
}

std::string absolute(const std::string& path) {
  std::error_code error;
  return std::filesystem::absolute(path, error).lexically_normal();
}

/// The server as functions on this machine reach it.
std::string endpoint_for_functions(const std::string& address) {
  // An address that means all of them is none to connect to.
  for (const std::string_view any : {"0.0.0.0:", "[::]:"}) {
    if (address.starts_with(any)) return "http://127.0.0.1:" + address.substr(any.size());
  }
  return "http://" + address;
}

// Empty if TLS is not asked for, or one line that says what is wrong with the flags.
net::Tls::Made make_tls(const Options& options) {
  if (!options.tls()) return std::unique_ptr<net::Tls>();
  if (!options.tls_self_signed) return net::Tls::from_files(options.tls_certificate, options.tls_key);
  auto made = net::Tls::self_signed();
  const auto* tls = std::get_if<std::unique_ptr<net::Tls>>(&made);
  if (tls == nullptr || options.tls_ca_file.empty()) return made;
  if (write_whole(options.tls_ca_file, (*tls)->certificate())) {
    return "--tls-ca-file: cannot write " + options.tls_ca_file;
  }
  return made;
}

/// Whether only this machine can connect.
bool is_on_loopback(const Options& options) {
  return std::ranges::all_of(options.hosts, [](const std::string& host) {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(host, error);
    return error ? host == "localhost" : address.is_loopback();
  });
}

/// Where the token is to be; empty if there is to be none.
std::string token_file_of(const Options& options) {
  if (!options.token_file.empty()) return options.token_file;
  return options.ephemeral ? std::string() : config::token_file_in(options.data_dir);
}

/// The keys of the setup and of the credentials file; problems are those of the file.
Authority::Keys keys_of(const Options& options, config::Problems& problems) {
  Authority::Keys keys;
  if (options.setup) {
    for (const config::Credential& one : options.setup->credentials) keys.emplace(one.access_key, one.secret);
  }
  if (options.credentials_file.empty()) return keys;
  for (const config::Credential& one : config::read_shared_credentials_file(options.credentials_file, problems)) {
    if (keys.emplace(one.access_key, one.secret).first->second == one.secret) continue;
    problems.add(one.at, config::in_quotes(one.access_key) + " has another secret in " + options.config_file);
  }
  return keys;
}

/// Who may ask; or lines that say what is wrong with the files. REQUIRES: the data directory is there.
std::variant<std::unique_ptr<Authority>, std::string> make_authority(const Options& options) {
  config::Problems problems(options.credentials_file);
  Authority::Settings settings{.strict = options.strict_auth,
                               .trusts_all = options.allow_remote_functions || is_on_loopback(options),
                               .keys = keys_of(options, problems)};
  if (!problems.empty()) return problems.lines().front();
  if (settings.strict && settings.keys.empty()) {
    return "--auth strict takes keys, of the configuration's credentials or of --credentials-file, and there are none";
  }
  if (!settings.strict && !settings.keys.empty()) {
    spdlog::warn("there are {} keys, but any credentials are accepted: --auth is relaxed", settings.keys.size());
  }
  SystemEntropy entropy;
  if (const std::string file = token_file_of(options); !file.empty()) {
    auto token = open_token(file, entropy);
    if (auto* why = std::get_if<std::string>(&token)) return std::move(*why);
    settings.token = std::get<Token>(std::move(token));
  }
  constexpr int seed_words = 4;
  for (int i = 0; i < seed_words; ++i) settings.functions_seed += std::to_string(entropy.next()) + ".";
  return std::make_unique<Authority>(std::move(settings));
}

// Each connection is a descriptor, and the soft limit is often 1,024 for the sake of programs that use select, as
// functions may be: they are to have what it was. 0 if that is not known.
std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t before = std::exchange(limit.rlim_cur, limit.rlim_max);
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
  return before;
}

/// A thread with what lives in it. The order of the members is the order in which they need each other.
struct Worker {
  Worker(const Store& store, storage::Committer& committer, const Clock& clock, const Limits& limits,
         const Service& service, std::size_t index, std::size_t trace_records)
      : shard(
            context, store, committer, clock, limits,
            [&service](const Command& command) -> Shard& { return *service.shards[service.owner_of(command)]; },
            trace_records),
        frontend(service, index),
        sessions(context.get_executor(), frontend, net::NetLimits{}) {}

  asio::io_context context{1};
  Shard shard;
  Frontend frontend;
  net::SessionGroup sessions;
};

class Server {
 public:
  Server(const Options& options, std::unique_ptr<Store> store, std::unique_ptr<net::Tls> tls,
         std::unique_ptr<Authority> authority)
      : options_(options),
        opened_store_(*store),
        store_(options.allow_faults ? std::make_unique<SlowStore>(std::move(store), faults_) : std::move(store)),
        tls_(std::move(tls)),
        authority_(std::move(authority)),
        functions_directory_(options.ephemeral ? "" : options.data_dir) {}

  StoreError recover() {
    const Limits limits{.strict = options_.strict_limits,
                        .tells_events = options_.trace_messages > 0,
                        .stream_transition = options_.stream_transition};
    if (!options_.ephemeral) state::remove_leftovers(options_.data_dir);
    std::vector<RecoveredQueue> queues;
    if (StoreError error = storage::recover(*store_, limits, queues)) return error;
    std::vector<RecoveredStream> streams;
    std::vector<StreamAccount> accounts;
    if (StoreError error = storage::recover_streams(*store_, streams, accounts)) return error;
    service_.context = {options_.account, options_.region};
    service_.store = store_.get();
    if (StoreError error = choose_clock()) return error;
    service_.guard.hosts = options_.allowed_hosts;
    service_.clock = clock_.get();
    service_.strict_limits = options_.strict_limits;
    service_.authority = authority_.get();
    service_.large_requests = &large_requests_;
    service_.used = &used_services_;
    for (std::size_t i = 0; i < options_.threads; ++i) {
      workers_.push_back(
          std::make_unique<Worker>(*store_, committer_, *clock_, limits, service_, i, options_.trace_messages));
      // Behind those of the frontends.
      workers_.back()->shard.set_mappings_index(options_.threads);
      service_.shards.push_back(&workers_.back()->shard);
      groups_.push_back(&workers_.back()->sessions);
    }
    for (const auto& worker : workers_) {
      worker->sessions.set_peers(groups_);
      if (tls_) worker->sessions.set_tls(*tls_);
    }
    for (RecoveredQueue& queue : queues) {
      const std::size_t owner = service_.owner_of(queue.record.name);
      workers_[owner]->shard.recover(std::move(queue));
    }
    for (RecoveredStream& stream : streams) {
      const std::size_t owner = service_.owner_of(stream.info.name);
      workers_[owner]->shard.recover(std::move(stream));
    }
    for (StreamAccount& account : accounts) {
      const std::size_t owner = service_.owner_of(account.account);
      workers_[owner]->shard.recover(std::move(account));
    }
    timekeeper_.emplace(main_context(), *clock_, virtual_clock_,
                        Timekeeper::Keeping{[this](const storage::ClockRecord& clock) { keep_clock(clock); },
                                            [this] { return committer_.progress().written >= clock_kept_; }});
    for (const auto& worker : workers_) timekeeper_->add(worker->shard);
    service_.faults = options_.allow_faults ? &faults_ : nullptr;
    service_manager_.emplace(main_context(), notify_);
    disk_space_ = std::make_unique<DiskSpace>(main_context(), options_.ephemeral ? "" : options_.data_dir);
    service_.disk_space = disk_space_.get();
    return {};
  }

  /// Functions may have `descriptors_max` files open, by their soft limit. REQUIRES: recover() and listen() succeeded.
  StoreError recover_triggers(std::uint64_t descriptors_max) {
    if (functions_directory_.path().empty()) {
      return {StoreStatus::not_writable, "there is no directory for temporary files"};
    }
    RecoveredTriggers found;
    if (StoreError error = storage::recover_triggers(*store_, found)) return error;
    TriggerLimits limits;
    limits.concurrency_max = static_cast<int>(options_.concurrency);
    limits.lambda_endpoint = options_.lambda_endpoint;
    FunctionParts parts =
        make_function_parts({.directory = functions_directory_.path(),
                             .durable = !options_.ephemeral && options_.durability == storage::Durability::fsync,
                             .endpoint = endpoint_for_functions(listener_->addresses().front()),
                             .secret_of = secret_of_functions(),
                             .idle_time = options_.function_idle_time,
                             .concurrency = options_.concurrency,
                             .descriptors_max = descriptors_max});
    triggers_ = std::make_unique<TriggerHost>(service_, *store_, committer_, *clock_, limits, std::move(parts.shelf),
                                              parts.make_processes);
    triggers_->recover(std::move(found));
    timekeeper_->add(*triggers_);
    service_.triggers = triggers_.get();
    control_.emplace(main_context(), *timekeeper_, service_.faults);
    service_.control = &*control_;
    state_keeper_.emplace(
        main_context(),
        StateKeeper::Parts{service_, opened_store_, options_.ephemeral ? "" : absolute(options_.data_dir),
                           std::move(parts.code), options_.setup ? &*options_.setup : nullptr, options_.place(),
                           options_.config_file});
    control_->set_state_keeper(*state_keeper_);
    make_metrics();
    return {};
  }

  net::ListenError listen() {
    std::vector<net::Lane> lanes;
    for (const auto& worker : workers_) lanes.push_back({&worker->context, &worker->sessions});
    listener_ = std::make_unique<net::Listener>(main_context(), std::move(lanes));
    if (auto error = listener_->open(options_.hosts, options_.port, !options_.hosts_given)) return error;
    if (!is_on_loopback(options_)) {
      spdlog::warn("listening beyond this machine: {}",
                   options_.strict_auth ? "requests have to be signed" : "any credentials are accepted");
    }
    return {};
  }

  int run() {
    signals_ = std::make_unique<asio::signal_set>(main_context(), SIGTERM, SIGINT);
    signals_->async_wait([this](const boost::system::error_code& error, int signal) {
      if (!error) begin_stop(signal);
    });
    for (const auto& worker : workers_) worker->shard.start();
    triggers_->start();
    disk_space_->start();
    timekeeper_->start(clock_after_setup_);
    asio::post(main_context(), [this] { settle(); });
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < workers_.size(); ++i) {
      threads.emplace_back([this, i] { run_until_stopped(*workers_[i]); });
    }
    run_until_stopped(*workers_[0]);
    for (std::thread& thread : threads) thread.join();
    if (settler_) settler_->stop();
    triggers_->stop();
    timekeeper_->keep_last();
    if (!committer_.flush()) return 1;
    spdlog::info("stopped");
    return failed_ ? 1 : 0;
  }

 private:
  /// A virtual clock goes on where it was and as it was, so that nothing that is stored is of the future. While a setup
  /// is made it runs as time does, since some of that takes time.
  StoreError choose_clock() {
    std::optional<storage::ClockRecord> kept;
    if (StoreError error = storage::read_clock(*store_, kept)) return error;
    const Instant real = SystemClock().now();
    if (!options_.virtual_clock) {
      clock_ = std::make_unique<SystemClock>();
      if (kept && kept->shown > real) {
        spdlog::warn("a virtual clock was at {} here: what it was to bring is due only then",
                     protocol::format_time(kept->shown));
      } else if (kept) {
        // From now on what is stored is later than that.
        WriteBatch batch;
        storage::drop_clock(batch);
        return store_->commit(batch, false);
      }
      return {};
    }
    Instant start = options_.clock_start.value_or(kept ? kept->shown : real);
    if (kept) start = std::max(start, kept->shown);
    auto clock = std::make_unique<VirtualClock>(start);
    virtual_clock_ = clock.get();
    clock_ = std::move(clock);
    std::string running;
    if (kept && kept->frozen) running = ", and stands still";
    if (kept && kept->speed != 1) running += ", " + std::to_string(kept->speed) + " times as fast";
    spdlog::info("the clock is virtual, and shows {}{}", protocol::format_time(start), running);
    if (kept && options_.setup) {
      clock_after_setup_ = kept;
    } else if (kept) {
      virtual_clock_->set_speed(kept->speed);
      virtual_clock_->freeze(kept->frozen);
    }
    return {};
  }

  void keep_clock(const storage::ClockRecord& clock) {
    WriteBatch batch;
    storage::encode_clock(clock, batch);
    const std::optional<std::uint64_t> committed = committer_.commit_if_idle(batch, false);
    clock_kept_ = committed ? *committed : committer_.submit(std::move(batch), false);
  }

  void make_metrics() {
    Metrics::Parts parts;
    for (const auto& worker : workers_) parts.workers.push_back({&worker->shard, &worker->frontend, &worker->sessions});
    parts.triggers = triggers_.get();
    parts.committer = &committer_;
    parts.store = &opened_store_;
    parts.clock = clock_.get();
    parts.virtual_clock = virtual_clock_;
    metrics_.emplace(std::move(parts));
    service_.metrics = &*metrics_;
  }

  /// Empty where any secret will do.
  std::function<std::string(const std::string&)> secret_of_functions() const {
    if (!options_.strict_auth) return {};
    return [authority = authority_.get()](const std::string& account) { return authority->functions_secret(account); };
  }

  asio::io_context& main_context() { return workers_[0]->context; }

  static void run_until_stopped(Worker& worker) {
    const auto guard = asio::make_work_guard(worker.context);
    while (worker.context.run_one() > 0) {
      while (worker.context.poll() > 0) {
      }
      if (!worker.shard.take_committed_alone()) continue;
      // The client that was alone comes back within microseconds, and going to sleep for them costs more than they do.
      const auto until = std::chrono::steady_clock::now() + alone_poll_time;
      while (std::chrono::steady_clock::now() < until && worker.context.poll_one() == 0) {
      }
    }
  }

  /// Clients wait until the server has what its setup says: the sockets are bound, and take them, but nobody is heard.
  void settle() {
    if (stopping_) return;
    if (!options_.setup) return announce();
    service_manager_->status("Setting up what " + options_.config_file + " says");
    settler_ =
        std::make_unique<Settler>(*options_.setup, options_.place(), options_.config_file, service_, main_context());
    settler_->start([this](bool settled) {
      if (stopping_) return;
      if (settled) return announce();
      failed_ = true;
      begin_stop(0);
    });
  }

  void announce() {
    timekeeper_->go_on();
    listener_->start();
    const std::string endpoint = "http://" + listener_->addresses().front();
    for (const std::string& address : listener_->addresses()) {
      spdlog::info("serving on http://{}{}", address, tls_ ? " and https://" + address : "");
    }
    if (tls_) spdlog::info("the certificate's SHA-256 fingerprint is {}", tls_->fingerprint());
    std::vector<asio::io_context*> threads{&triggers_->context()};
    for (const auto& worker : workers_) threads.push_back(&worker->context);
    service_manager_->ready("Serving on " + endpoint, std::move(threads));
    if (options_.ready_file.empty()) return;
    if (write_whole(options_.ready_file, endpoint + "\n")) {
      fail("cannot write the ready file " + options_.ready_file);
      failed_ = true;
      begin_stop(0);
    }
  }

  void begin_stop(int signal) {
    if (std::exchange(stopping_, true)) return;
    // From here on a signal has its default effect: a second one ends the process at once.
    signals_->clear();
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGINT, SIG_DFL);
    if (signal != 0) spdlog::info("stopping on signal {}", signal);
    service_manager_->stopping("Stopping: open requests and invocations end");
    service_manager_->stop();
    if (settler_) settler_->stop();
    timekeeper_->stop();
    state_keeper_->stop();
    listener_->stop();
    disk_space_->stop();
    draining_ = workers_.size() + 1;
    triggers_->drain(trigger_drain_time_max, [this] { asio::post(main_context(), [this] { triggers_drained(); }); });
    for (const auto& worker : workers_) {
      asio::post(worker->context, [this, w = worker.get()] {
        w->shard.release_parked();
        w->sessions.stop([this] { asio::post(main_context(), [this] { one_drained(); }); });
      });
    }
    drain_timer_ = std::make_unique<asio::steady_timer>(main_context(), drain_time_max);
    drain_timer_->async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      spdlog::warn("closing what has not ended by itself: connections whose clients did not take their answers");
      for (const auto& worker : workers_) {
        asio::post(worker->context, [w = worker.get()] { w->sessions.abort(); });
      }
      triggers_drained();
    });
  }

  void triggers_drained() {
    if (!std::exchange(triggers_drained_, true)) one_drained();
  }

  void one_drained() {
    if (--draining_ > 0) return;
    drain_timer_->cancel();
    for (const auto& worker : workers_) {
      // Twice round: what was posted before runs first, and then the turn that it asked for.
      asio::post(worker->context, [w = worker.get()] {
        asio::post(w->context, [w] { asio::post(w->context, [w] { w->context.stop(); }); });
      });
    }
  }

  const Options& options_;
  SystemEntropy fault_entropy_;
  Faults faults_{fault_entropy_};
  const NotifySettings notify_ = NotifySettings::from_environment();
  Store& opened_store_;  ///< as it is without faults
  std::unique_ptr<Store> store_;
  std::unique_ptr<net::Tls> tls_;
  std::unique_ptr<Authority> authority_;
  FunctionsDirectory functions_directory_;
  std::unique_ptr<Clock> clock_;
  VirtualClock* virtual_clock_ = nullptr;  ///< the same, if it is one
  std::optional<storage::ClockRecord> clock_after_setup_;
  std::uint64_t clock_kept_ = 0;  ///< the committer's position
  Service service_;
  std::unique_ptr<TriggerHost> triggers_;
  std::vector<net::SessionGroup*> groups_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::optional<Timekeeper> timekeeper_;
  std::optional<StateKeeper> state_keeper_;
  std::optional<Control> control_;
  std::unique_ptr<DiskSpace> disk_space_;
  std::unique_ptr<net::Listener> listener_;
  std::optional<ServiceManager> service_manager_;
  std::unique_ptr<Settler> settler_;
  UsedServices used_services_;
  std::optional<Metrics> metrics_;  ///< looks at all of the above
  LargeRequests large_requests_;  ///< answers the workers and reads what the settler asks with, and so goes before both
  std::unique_ptr<asio::signal_set> signals_;
  std::unique_ptr<asio::steady_timer> drain_timer_;
  std::size_t draining_ = 0;
  bool triggers_drained_ = false;
  bool stopping_ = false;
  bool failed_ = false;
  storage::Committer committer_{*store_,
                                options_.ephemeral ? storage::Durability::os : options_.durability,
                                {[this] {
                                   for (const auto& worker : workers_) worker->shard.wake();
                                   if (triggers_) triggers_->wake();
                                 },
                                 [](const StoreError& error) {
                                   // What the engine holds in memory may not be on disk now: only what is on disk may
                                   // be built on.
                                   spdlog::critical("cannot write to the data directory, stopping: {}", error.message);
                                   spdlog::shutdown();
                                   std::_Exit(1);
                                 }}};
};

}  // namespace

int serve(const Options& options) {
  const std::uint64_t descriptors_before = raise_descriptor_limit();
  net::Tls::Made tls = make_tls(options);
  if (const auto* fault = std::get_if<std::string>(&tls)) return fail(*fault, usage_status);
  std::unique_ptr<Store> store;
  if (options.ephemeral) {
    store = std::make_unique<storage::MemoryStore>();
    spdlog::info("penstock {}: keeping nothing on disk", version);
  } else {
    std::vector<std::string> warnings;
    const auto warn = [&](const std::string& warning) { warnings.push_back(warning); };
    if (const StoreError error = storage::open_rocksdb({.directory = options.data_dir, .warn = warn}, store))
      return fail(error.message);
    spdlog::info("penstock {}: data directory {}", version, options.data_dir);
    for (const std::string& warning : warnings) spdlog::warn("{}", warning);
  }
  // Before anything else is put into the directory, so that one without records in which there is something is known
  // to have lost them.
  if (const StoreError error = storage::open_format(*store)) {
    return fail("cannot use the data directory " + options.data_dir + ": " + error.message);
  }
  auto authority = make_authority(options);
  if (const auto* fault = std::get_if<std::string>(&authority)) return fail(*fault);
  if (options.setup) spdlog::info("set up by {}", options.config_file);
  for (const std::string& note : options.config_notes) spdlog::warn("{}", note);
  Server server(options, std::move(store), std::move(std::get<std::unique_ptr<net::Tls>>(tls)),
                std::move(std::get<std::unique_ptr<Authority>>(authority)));
  if (const StoreError error = server.recover()) {
    return fail("cannot use the data directory " + options.data_dir + ": " + error.message);
  }
  if (const net::ListenError error = server.listen()) return fail(error.message);
  if (const StoreError error = server.recover_triggers(descriptors_before)) {
    return fail("cannot use the data directory " + options.data_dir + ": " + error.message);
  }
  return server.run();
}

}  // namespace penstock::server
