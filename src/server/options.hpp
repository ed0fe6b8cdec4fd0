// What `penstock serve` can be told.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/creation.hpp"
#include "config/file.hpp"
#include "config/schema.hpp"
#include "config/setup.hpp"
#include "penstock/functions.hpp"
#include "penstock/limits.hpp"
#include "penstock/time.hpp"
#include "storage/committer.hpp"

namespace penstock::server {

struct Options {
  std::vector<std::string> hosts{"127.0.0.1", "::1"};
  bool hosts_given = false;  ///< a default address that the machine does not have is passed over, a given one is not
  std::uint16_t port = 4566;
  std::string ready_file;
  std::string data_dir;
  bool ephemeral = false;
  storage::Durability durability = storage::Durability::fsync;
  unsigned threads = 1;
  std::string account = "000000000000";
  std::string region = "us-east-1";
  std::string log_level = "info";
  bool log_json = false;
  bool strict_limits = false;
  bool allow_faults = false;
  std::size_t trace_messages = 0;  ///< records of each thread
  bool virtual_clock = false;
  std::optional<Instant> clock_start{};  ///< of a virtual clock; nothing: the real time
  Millis stream_transition = Limits{}.stream_transition;
  std::string lambda_endpoint;  ///< base URL of the emulator that runs functions which are not registered here
  unsigned concurrency = 100;   ///< invocations at a time, of all functions
  std::chrono::seconds function_idle_time{300};
  bool allow_remote_functions = false;
  std::vector<std::string> allowed_hosts;  ///< as Guard::hosts has them
  std::string token_file;                  ///< empty: in the data directory
  bool strict_auth = false;
  std::string credentials_file;  ///< in the AWS CLI's format; the setup may have keys too
  std::string tls_certificate;   ///< files in PEM, both or neither
  std::string tls_key;
  bool tls_self_signed = false;
  std::string tls_ca_file;                ///< where the self-signed certificate is written
  std::string config_file;                ///< as it was named; empty if there is none
  std::optional<config::Setup> setup;     ///< what that says
  std::vector<std::string> config_notes;  ///< what of it is passed over

  /// Where what the setup names is.
  config::Place place() const { return {account, region, config::directory_of(config_file), !lambda_endpoint.empty()}; }
  bool tls() const { return tls_self_signed || !tls_certificate.empty(); }
};

/// The process is to end with `status` after `text` was printed (to standard output if 0, else to standard error).
struct Ending {
  int status = 0;
  std::string text;
};

/// Exit status of a wrong command line, of whatever kind.
inline constexpr int usage_status = 2;

/// `serve` and what follows it. A file is read too, if one is named or found; the settings in it stand for the flags of
/// the same names that are not given. What is wrong with it ends with status 1.
std::variant<Options, Ending> parse_command_line(int argc, const char* const* argv);

/// A flag of `serve`. `value` is what its value is called, and empty if it has none.
struct ServeFlag {
  std::string name;
  std::string value;
  std::string what;
  bool repeats = false;
};
std::vector<ServeFlag> serve_flags();

/// What is wrong with a setting of a file, if anything is: there is none of that name, or its values are not as the
/// flag's would have to be.
std::optional<std::string> objection_to_setting(const std::string& name, const std::vector<std::string>& values);

/// Whether a server, or a request, may be of a region of that name.
bool is_region_label(std::string_view text);

/// Why a server on this machine could not run a function, for a person.
std::optional<std::string> objection_to_function(const FunctionRecord& function);

/// The settings that a file may have.
std::vector<config::SettingInfo> describe_settings();

}  // namespace penstock::server
