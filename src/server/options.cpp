#include "server/options.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cxxopts.hpp>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "config/check.hpp"
#include "config/file.hpp"
#include "config/places.hpp"
#include "config/problems.hpp"
#include "config/template/given_parameters.hpp"
#include "penstock/limits.hpp"
#include "penstock/server_commands.hpp"
#include "penstock/time.hpp"
#include "protocol/nearest.hpp"
#include "protocol/text.hpp"
#include "protocol/times.hpp"
#include "runner/launch.hpp"
#include "server/guard.hpp"

namespace penstock::server {

namespace {

constexpr unsigned threads_default_max = 8;
constexpr unsigned threads_max = 256;
constexpr unsigned stream_transition_ms_max = 600'000;
constexpr unsigned concurrency_max = 10'000;
constexpr unsigned trace_records_max = 999'999;
constexpr unsigned function_idle_s_max = 86'400;

unsigned default_threads() { return std::clamp(std::thread::hardware_concurrency(), 1U, threads_default_max); }

cxxopts::Options describe_flags() {
  cxxopts::Options flags("penstock serve", "Serves queues, streams and functions over the AWS protocols.");
  const auto text = [](const std::string& fallback) { return cxxopts::value<std::string>()->default_value(fallback); };
  // clang-format off
  flags.add_options()
      ("host", "IP address to listen on; may be given more than once (default: 127.0.0.1 and ::1)",
       cxxopts::value<std::vector<std::string>>(), "ADDRESS")
      ("port", "port to listen on; 0 picks a free one", text("4566"), "PORT")
      ("ready-file", "file to write the endpoint to once requests are served", cxxopts::value<std::string>(), "FILE")
      ("data-dir", "where everything is kept (default: " + config::default_data_dir() + ")", cxxopts::value<std::string>(), "DIR")
      ("ephemeral", "keep everything in memory and nothing on disk", cxxopts::value<bool>())
      ("durability", "fsync: what is acknowledged survives power loss; os: it survives the end of the process only",
       text("fsync"), "fsync|os")
      ("threads", "threads that serve requests (default: one per processor, at most 8)",
       cxxopts::value<std::string>(), "N")
      ("account", "12-digit account of requests whose credentials name none", text("000000000000"), "ID")
      ("region", "region of requests that are not signed", text("us-east-1"), "REGION")
      ("log-level", "what to log", text("info"), "trace|debug|info|warn|error|off")
      ("log-format", "how to log, on standard error", text("text"), "text|json")
      ("limits", "strict adds the service's 60 s waits after PurgeQueue and DeleteQueue, FifoThroughputLimit, and the "
       "throughput and quotas of streams and their shards", text("relaxed"), "strict|relaxed")
      ("stream-transition", "how long a stream is CREATING, UPDATING or DELETING, in milliseconds; 0 is not at all",
       text(std::to_string(Limits{}.stream_transition.count())), "MS")
      ("clock", "real, or virtual: clients are in charge of it, at /_penstock/clock; a time behind a colon is what it "
       "shows first, such as virtual:2026-01-01T00:00:00Z", text("real"), "real|virtual[:TIME]")
      ("lambda-endpoint", "another Lambda emulator: event source mappings deliver to it what functions that are not "
       "registered here are to get", cxxopts::value<std::string>(), "URL")
      ("concurrency", "invocations at a time, of all functions together", text(std::to_string(Options{}.concurrency)), "N")
      ("function-idle-time", "how long a function's process without work is kept, in seconds",
       text(std::to_string(Options{}.function_idle_time.count())), "S")
      ("allow-remote-functions", "where the server listens beyond this machine, whoever reaches it may register and change "
       "functions, make backups and import data, without the token: it runs programs and writes files for them", cxxopts::value<bool>())
      ("trace-messages", "records of what became of messages lately that each thread keeps; 0 keeps none",
       text(std::to_string(server_limits::trace_records_default)), "N")
      ("allow-faults", "clients may have requests fail, at /_penstock/faults", cxxopts::value<bool>())
      ("allow-host", "name that clients may call the server by besides its addresses and local names; with a dot before it, "
       "also all names below it; * is any; may be given more than once", cxxopts::value<std::vector<std::string>>(), "NAME")
      ("token-file", "file with the server's token, made for its owner alone if it is not there: whoever sends that may do "
       "what --allow-remote-functions allows to all, and with --auth strict need not sign (default: token in the data "
       "directory; with --ephemeral there is none)", cxxopts::value<std::string>(), "FILE")
      ("auth", "strict: requests have to be signed with a key of the configuration's credentials or of "
       "--credentials-file; relaxed: any credentials are accepted", text("relaxed"), "strict|relaxed")
      ("credentials-file", "file with such keys, in the format of ~/.aws/credentials", cxxopts::value<std::string>(), "FILE")
      ("tls-cert", "certificate with its chain, in PEM: clients that speak TLS are served, on the same port", cxxopts::value<std::string>(), "FILE")
      ("tls-key", "its private key, in PEM", cxxopts::value<std::string>(), "FILE")
      ("tls", "serve TLS with a certificate for localhost, 127.0.0.1 and ::1 that is made at the start", cxxopts::value<std::string>(),
       "self-signed")
      ("tls-ca-file", "file to write that certificate to, for clients to trust", cxxopts::value<std::string>(), "FILE")
      ("config", "file that says what there is to be, and which of these flags are given, or a CloudFormation or SAM "
       "template (default: penstock.yaml, if the working directory has one)", cxxopts::value<std::string>(), "FILE")
      ("no-config", "do not look for penstock.yaml", cxxopts::value<bool>())
      (config::parameter_flag, config::parameter_help, cxxopts::value<config::ParameterWords>(), "NAME=VALUE")
      ("help", "print this and exit", cxxopts::value<bool>());
  // clang-format on
  return flags;
}

/// What was given, or the flag's default; empty if it has none.
std::string text_of(const cxxopts::ParseResult& given, const char* flag) {
  const cxxopts::OptionValue& value = given[flag];
  return value.count() > 0 || value.has_default() ? value.as<std::string>() : std::string();
}

Ending wrong(const std::string& why) {
  return {usage_status, "penstock: " + why + "\nRun 'penstock serve --help' for the flags.\n"};
}

// One of a flag's few values, or an ending that names them.
std::optional<Ending> check_choice(std::string_view flag, const std::string& given,
                                   std::initializer_list<std::string_view> choices) {
  if (std::find(choices.begin(), choices.end(), given) != choices.end()) return std::nullopt;
  std::string text = "--" + std::string(flag) + " is one of";
  for (const std::string_view choice : choices) text.append(" ").append(choice);
  return wrong(text + ", not '" + given + "'");
}

std::variant<unsigned, Ending> whole_number(std::string_view flag, const std::string& given, unsigned min,
                                            unsigned max) {
  const bool digits = !given.empty() && given.size() <= 6 &&
                      std::all_of(given.begin(), given.end(), [](char c) { return c >= '0' && c <= '9'; });
  const unsigned long value = digits ? std::stoul(given) : max + 1UL;
  if (!digits || value < min || value > max) {
    return wrong("--" + std::string(flag) + " is a whole number from " + std::to_string(min) + " to " +
                 std::to_string(max) + ", not '" + given + "'");
  }
  return static_cast<unsigned>(value);
}

bool is_account(const std::string& text) {
  return text.size() == 12 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<Ending> read_tls(const cxxopts::ParseResult& given, Options& options) {
  const auto text = [&](const char* flag) { return text_of(given, flag); };
  options.tls_certificate = text("tls-cert");
  options.tls_key = text("tls-key");
  options.tls_ca_file = text("tls-ca-file");
  if (given.count("tls") > 0) {
    if (auto e = check_choice("tls", text("tls"), {"self-signed"})) return e;
    options.tls_self_signed = true;
  }
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    return wrong(options.tls_key.empty() ? "--tls-cert goes with --tls-key" : "--tls-key goes with --tls-cert");
  }
  if (options.tls_self_signed && !options.tls_certificate.empty()) {
    return wrong("--tls self-signed makes its own certificate, so it cannot go with --tls-cert");
  }
  if (!options.tls_ca_file.empty() && !options.tls_self_signed) {
    return wrong("--tls-ca-file goes with --tls self-signed");
  }
  return std::nullopt;
}

// A scheme and an authority, and perhaps a path; what is behind that is the operation's. Emulators speak plain HTTP.
bool is_base_url(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) return false;
  const std::string_view rest = url.substr(scheme.size());
  return !rest.empty() && rest.front() != '/' && rest.front() != ':' &&
         std::all_of(rest.begin(), rest.end(), [](char c) { return c > ' ' && c < 0x7f && c != '?' && c != '#'; });
}

std::optional<Ending> read_functions(const cxxopts::ParseResult& given, Options& options) {
  const auto text = [&](const char* flag) { return text_of(given, flag); };
  options.lambda_endpoint = text("lambda-endpoint");
  if (given.count("lambda-endpoint") > 0 && !is_base_url(options.lambda_endpoint)) {
    return wrong("--lambda-endpoint is a URL such as http://127.0.0.1:3001, not '" + options.lambda_endpoint + "'");
  }
  auto concurrency = whole_number("concurrency", text("concurrency"), 1, concurrency_max);
  if (auto* ending = std::get_if<Ending>(&concurrency)) return std::move(*ending);
  options.concurrency = std::get<unsigned>(concurrency);
  auto idle_time = whole_number("function-idle-time", text("function-idle-time"), 1, function_idle_s_max);
  if (auto* ending = std::get_if<Ending>(&idle_time)) return std::move(*ending);
  options.function_idle_time = std::chrono::seconds{std::get<unsigned>(idle_time)};
  options.allow_remote_functions = given["allow-remote-functions"].as<bool>();
  return std::nullopt;
}

std::optional<Ending> read_access(const cxxopts::ParseResult& given, Options& options) {
  const auto text = [&](const char* flag) { return text_of(given, flag); };
  if (given.count("allow-host") > 0) options.allowed_hosts = given["allow-host"].as<std::vector<std::string>>();
  for (std::string& host : options.allowed_hosts) {
    if (!is_allowed_host(host)) return wrong("--allow-host is a name such as queues.example.org, not '" + host + "'");
    std::ranges::transform(host, host.begin(), protocol::to_lower);
  }
  options.token_file = text("token-file");
  if (auto e = check_choice("auth", text("auth"), {"strict", "relaxed"})) return e;
  options.strict_auth = text("auth") == "strict";
  options.credentials_file = text("credentials-file");
  return std::nullopt;
}

std::optional<Ending> read_clock(const std::string& given, Options& options) {
  constexpr std::string_view begins_at = "virtual:";
  if (given == "real") return std::nullopt;
  options.virtual_clock = true;
  if (given == "virtual") return std::nullopt;
  if (given.starts_with(begins_at)) options.clock_start = protocol::parse_time(given.substr(begins_at.size()));
  if (options.clock_start && *options.clock_start > server_limits::clock_max) {
    return wrong("--clock goes up to " + protocol::format_time(server_limits::clock_max) + " and no further");
  }
  if (options.clock_start) return std::nullopt;
  return wrong("--clock is real, virtual, or virtual:TIME with a time such as 2026-01-01T00:00:00Z, not '" + given +
               "'");
}

std::variant<Options, Ending> read_flags(const cxxopts::ParseResult& given) {
  Options options;
  if (given.count("host") > 0) {
    options.hosts = given["host"].as<std::vector<std::string>>();
    options.hosts_given = true;
  }
  const auto text = [&](const char* flag) { return text_of(given, flag); };
  auto port = whole_number("port", text("port"), 0, 65'535);
  if (auto* ending = std::get_if<Ending>(&port)) return std::move(*ending);
  options.port = static_cast<std::uint16_t>(std::get<unsigned>(port));
  options.threads = default_threads();
  if (given.count("threads") > 0) {
    auto threads = whole_number("threads", text("threads"), 1, threads_max);
    if (auto* ending = std::get_if<Ending>(&threads)) return std::move(*ending);
    options.threads = std::get<unsigned>(threads);
  }
  if (auto e = check_choice("durability", text("durability"), {"fsync", "os"})) return std::move(*e);
  if (auto e = check_choice("log-level", text("log-level"), {"trace", "debug", "info", "warn", "error", "off"})) {
    return std::move(*e);
  }
  if (auto e = check_choice("log-format", text("log-format"), {"text", "json"})) return std::move(*e);
  if (auto e = check_choice("limits", text("limits"), {"strict", "relaxed"})) return std::move(*e);
  options.ready_file = text("ready-file");
  options.ephemeral = given["ephemeral"].as<bool>();
  options.data_dir = text("data-dir");
  if (options.ephemeral && !options.data_dir.empty()) {
    return wrong("--ephemeral keeps nothing, so it cannot go with --data-dir");
  }
  if (options.data_dir.empty()) options.data_dir = config::default_data_dir();
  options.durability = text("durability") == "os" ? storage::Durability::os : storage::Durability::fsync;
  options.account = text("account");
  if (!is_account(options.account)) return wrong("--account is 12 digits, not '" + options.account + "'");
  options.region = text("region");
  if (!is_region_label(options.region)) return wrong("--region is a region's name, not '" + options.region + "'");
  options.log_level = text("log-level");
  options.log_json = text("log-format") == "json";
  options.strict_limits = text("limits") == "strict";
  auto transition = whole_number("stream-transition", text("stream-transition"), 0, stream_transition_ms_max);
  if (auto* ending = std::get_if<Ending>(&transition)) return std::move(*ending);
  options.stream_transition = Millis{std::get<unsigned>(transition)};
  auto traced = whole_number("trace-messages", text("trace-messages"), 0, trace_records_max);
  if (auto* ending = std::get_if<Ending>(&traced)) return std::move(*ending);
  options.trace_messages = std::get<unsigned>(traced);
  options.allow_faults = given["allow-faults"].as<bool>();
  if (auto e = read_clock(text("clock"), options)) return std::move(*e);
  if (auto e = read_functions(given, options)) return std::move(*e);
  if (auto e = read_access(given, options)) return std::move(*e);
  if (auto e = read_tls(given, options)) return std::move(*e);
  return options;
}

// ---- Settings of a file

/// Flags that say where something is read from or written to.
constexpr std::array<std::string_view, 7> path_flags{"credentials-file", "data-dir", "ready-file", "tls-ca-file",
                                                     "tls-cert",         "tls-key",  "token-file"};
/// Flags that are no settings.
constexpr std::array<std::string_view, 4> no_settings{"config", "help", "no-config", config::parameter_flag};
/// Who gives one of these flags decides about all of its group.
constexpr std::array<std::array<std::string_view, 4>, 2> groups{
    {{"data-dir", "ephemeral", "", ""}, {"tls", "tls-ca-file", "tls-cert", "tls-key"}}};

bool is_in(std::string_view name, const auto& names) { return std::ranges::find(names, name) != names.end(); }

/// As flags have it, which say what to do about it; those words are for a command line.
std::string without_advice(const Ending& ending) {
  constexpr std::string_view prefix = "penstock: ";
  std::string text = ending.text.substr(0, ending.text.find('\n'));
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

/// Views of the words.
std::vector<const char*> argv_of(const std::vector<std::string>& words) {
  std::vector<const char*> argv(words.size());
  std::ranges::transform(words, argv.begin(), [](const std::string& word) { return word.c_str(); });
  return argv;
}

std::variant<Options, Ending> read_words(const std::vector<std::string>& words) {
  const std::vector<const char*> argv = argv_of(words);
  cxxopts::Options flags = describe_flags();
  try {
    return read_flags(flags.parse(static_cast<int>(argv.size()), argv.data()));
  } catch (const cxxopts::exceptions::exception& error) {
    return wrong(error.what());
  }
}

bool is_given(const cxxopts::ParseResult& given, const std::string& name) {
  if (given.count(name) > 0) return true;
  return std::ranges::any_of(groups, [&](const auto& group) {
    return is_in(name, group) && std::ranges::any_of(group, [&](std::string_view other) {
             return !other.empty() && given.count(std::string(other)) > 0;
           });
  });
}

/// The settings of which no flag is given, as flags.
std::vector<std::string> words_of(const config::Setup& setup, const cxxopts::ParseResult& given,
                                  const config::Place& place) {
  std::vector<std::string> words;
  for (const config::Setting& setting : setup.settings) {
    if (is_given(given, setting.name)) continue;
    for (const std::string& value : setting.values) {
      const bool is_path = is_in(setting.name, path_flags) && !value.empty();
      words.push_back("--" + setting.name + "=" + (is_path ? place.path(value) : value));
    }
  }
  return words;
}

Ending wrong_file(const config::Problems& problems) {
  std::string text;
  for (const std::string& line : problems.lines()) text.append(line).append("\n");
  return {1, std::move(text)};
}

/// Where clients on this machine reach the server, before it has found out what it listens on.
std::string endpoint_of(const Options& options) {
  std::string host = options.hosts.front();
  if (host == "0.0.0.0" || host == "::") host = "127.0.0.1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return "http://" + host + ":" + std::to_string(options.port == 0 ? Options{}.port : options.port);
}

/// The flags, as they were read, and what the file says; they are in order themselves.
std::variant<Options, Ending> read_with_file(const cxxopts::ParseResult& given, const Options& from_flags,
                                             std::vector<std::string> flags, const std::string& file,
                                             std::vector<config::GivenParameter> parameters) {
  config::Problems problems(file);
  std::optional<config::Setup> setup = config::read_file(
      file, {from_flags.account, from_flags.region, endpoint_of(from_flags), std::move(parameters)}, problems);
  if (!setup) return wrong_file(problems);
  for (config::Setting& setting : setup->settings) {
    if (auto objection = objection_to_setting(setting.name, setting.values)) {
      problems.add(setting.value_at, *objection);
      // What else there is in the file is judged by the default, and the settings that are in order.
      setting.values.clear();
    }
  }
  std::vector<std::string> words = words_of(*setup, given, {{}, {}, config::directory_of(file)});
  words.insert(words.begin(), flags.front());
  words.insert(words.end(), std::next(flags.begin()), flags.end());
  Options options;
  auto read = read_words(words);
  if (auto* in_order = std::get_if<Options>(&read)) {
    options = std::move(*in_order);
  } else if (problems.empty()) {
    problems.add({}, without_advice(std::get<Ending>(read)));
  }
  options.config_file = file;
  config::Place place = options.place();
  place.now = std::chrono::floor<Millis>(std::chrono::system_clock::now());
  // The server that will run them is this one.
  place.objection_to_function = objection_to_function;
  config::check_setup(*setup, place, problems);
  if (!problems.empty()) return wrong_file(problems);
  options.setup = std::move(setup);
  options.config_notes = problems.notes();
  return options;
}

/// What the first flag that there is not was meant to be, in words that go on with a sentence about it; perhaps none.
std::string meant_flag(int argc, const char* const* argv) {
  std::vector<std::string> names;
  for (const ServeFlag& flag : serve_flags()) names.push_back(flag.name);
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (!word.starts_with("--")) continue;
    const std::string_view name = word.substr(2, word.find('=') - 2);
    if (is_in(name, names)) continue;
    const auto meant = protocol::nearest_of(name, names);
    return meant ? "; '--" + std::string(*meant) + "' is meant, perhaps" : "";
  }
  return "";
}

}  // namespace

std::vector<ServeFlag> serve_flags() {
  std::vector<ServeFlag> flags;
  const cxxopts::Options options = describe_flags();
  for (const cxxopts::HelpOptionDetails& one : options.group_help("").options) {
    flags.push_back({one.l.front(), one.is_boolean ? "" : one.arg_help, one.desc, one.is_container});
  }
  return flags;
}

std::optional<std::string> objection_to_setting(const std::string& name, const std::vector<std::string>& values) {
  cxxopts::Options flags = describe_flags();
  std::vector<std::string> words{"serve"};
  const std::string flag = "--" + name + "=";
  for (const std::string& value : values) words.push_back(flag + value);
  const std::vector<const char*> argv = argv_of(words);
  if (is_in(name, no_settings)) return "'" + name + "' is no setting";
  try {
    const cxxopts::ParseResult given = flags.parse(static_cast<int>(argv.size()), argv.data());
    // These are looked at together.
    if (name.starts_with("tls")) return std::nullopt;
    auto read = read_flags(given);
    const auto* ending = std::get_if<Ending>(&read);
    if (ending == nullptr) return std::nullopt;
    // The place says which setting it is, and none is written as a flag is.
    std::string text = without_advice(*ending);
    return text.starts_with("--" + name) ? config::in_quotes(name) + text.substr(name.size() + 2) : text;
  } catch (const cxxopts::exceptions::no_such_option&) {
    return "there is no setting '" + name + "'; settings are called as the flags of 'penstock serve' are";
  } catch (const cxxopts::exceptions::exception& error) {
    return error.what();
  }
}

std::optional<std::string> objection_to_function(const FunctionRecord& function) {
  return runner::missing_interpreter(function);
}

std::vector<config::SettingInfo> describe_settings() {
  std::vector<config::SettingInfo> settings;
  const cxxopts::Options flags = describe_flags();
  for (const cxxopts::HelpOptionDetails& flag : flags.group_help("").options) {
    const std::string& name = flag.l.front();
    if (is_in(name, no_settings)) continue;
    settings.push_back({name, flag.desc, flag.is_boolean ? "" : flag.arg_help, flag.is_boolean, flag.is_container});
  }
  return settings;
}

std::variant<Options, Ending> parse_command_line(int argc, const char* const* argv) {
  cxxopts::Options flags = describe_flags();
  try {
    const cxxopts::ParseResult given = flags.parse(argc, argv);
    if (given["help"].as<bool>()) return Ending{0, flags.help()};
    if (!given.unmatched().empty()) return wrong("'" + given.unmatched().front() + "' is not a flag");
    auto read = read_flags(given);
    if (std::holds_alternative<Ending>(read)) return read;
    std::string file = text_of(given, "config");
    const bool looks = !given["no-config"].as<bool>();
    if (!looks && !file.empty()) return wrong("--no-config does not go with --config");
    if (file.empty() && looks) file = config::find_default_file();
    auto parameters = config::read_parameters(given.count(config::parameter_flag) > 0
                                                  ? given[config::parameter_flag].as<config::ParameterWords>()
                                                  : config::ParameterWords());
    if (file.empty() && !parameters.empty()) return wrong("--parameter goes with --config and a template");
    if (file.empty()) return read;
    return read_with_file(given, std::get<Options>(read), std::vector<std::string>(argv, argv + argc), file,
                          std::move(parameters));
  } catch (const std::invalid_argument& error) {
    return wrong(error.what());
  } catch (const cxxopts::exceptions::no_such_option& error) {
    return wrong(error.what() + meant_flag(argc, argv));
  } catch (const cxxopts::exceptions::exception& error) {
    return wrong(error.what());
  }
}

bool is_region_label(std::string_view text) {
  constexpr std::size_t chars_max = 64;
  return !text.empty() && text.size() <= chars_max && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace penstock::server
