#include "runner/launch.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "penstock/private_directory.hpp"
#include "runner/bootstraps.hpp"
#include "runner/outcomes.hpp"

namespace penstock::runner {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view standard_path = "/usr/local/bin:/usr/bin:/bin:/opt/bin";
constexpr std::string_view python_file = "bootstrap.py";
constexpr std::string_view node_file = "bootstrap.mjs";

bool is_executable(const std::string& path) {
  struct stat found = {};
  return ::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

std::vector<std::string> directories_of(std::string_view path) {
  std::vector<std::string> directories;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find(':'), path.size());
    if (end > 0) directories.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return directories;
}

std::string server_path() {
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nothing here ever sets one
  return path == nullptr ? std::string(standard_path) : std::string(path);
}

// The stand-ins of version managers ask, in a shell's script, which version is meant: that takes longer than the
// interpreter's own start, and there may be none behind them.
bool is_shim(const std::string& directory) { return directory.ends_with("/shims") || directory.ends_with("/shims/"); }

std::string find_in(const std::string& path, const std::string& name, bool shims) {
  for (const std::string& directory : directories_of(path)) {
    std::string candidate = directory;
    candidate.append("/").append(name);
    if (is_shim(directory) == shims && is_executable(candidate)) return candidate;
  }
  return {};
}

// The first of these names that leads somewhere; a stand-in only where none has anything else.
std::string find_program(const std::string& path, const std::vector<std::string>& names) {
  for (const bool shims : {false, true}) {
    for (const std::string& name : names) {
      std::string found = find_in(path, name, shims);
      if (!found.empty()) return found;
    }
  }
  return {};
}

bool is_python(const FunctionRecord& function) { return function.runtime.starts_with("python"); }
bool is_node(const FunctionRecord& function) { return function.runtime.starts_with("nodejs"); }

// In the order in which they are preferred: python3.12, for python3.12.
std::vector<std::string> interpreters_of(const FunctionRecord& function) {
  if (is_node(function)) return {"node", "nodejs"};
  if (!is_python(function)) return {};
  if (function.runtime == "python3" || function.runtime == "python") return {"python3"};
  return {function.runtime, "python3"};
}

std::string interpreter_of(const FunctionRecord& function) {
  return find_program(server_path(), interpreters_of(function));
}

// With the places of what this server would take for Python and Node.
std::string path_of_function(const std::string& interpreter) {
  std::vector<std::string> directories;
  const auto add = [&](const std::string& file) {
    if (file.empty()) return;
    std::string directory = fs::path(file).parent_path().string();
    const auto standard = directories_of(standard_path);
    if (std::find(standard.begin(), standard.end(), directory) != standard.end()) return;
    if (std::find(directories.begin(), directories.end(), directory) == directories.end()) {
      directories.push_back(std::move(directory));
    }
  };
  add(interpreter);
  add(find_program(server_path(), {"node"}));
  add(find_program(server_path(), {"python3"}));
  std::string path;
  for (const std::string& directory : directories) path.append(directory).append(":");
  return path.append(standard_path);
}

std::vector<std::string> environment_of(const FunctionRecord& function, const Surroundings& around,
                                        const std::string& path) {
  std::map<std::string, std::string> variables = function.environment;
  // What the service sets, nobody else does.
  const auto set = [&](const char* name, std::string value) { variables.insert_or_assign(name, std::move(value)); };
  // These a function may have otherwise.
  const auto suggest = [&](const char* name, const std::string& value) { variables.try_emplace(name, value); };
  if (!around.runtime_api.empty()) set("AWS_LAMBDA_RUNTIME_API", around.runtime_api);
  set("_HANDLER", function.handler);
  set("LAMBDA_TASK_ROOT", around.code_directory);
  set("LAMBDA_RUNTIME_DIR", around.bootstrap_directory);
  set("AWS_LAMBDA_FUNCTION_NAME", function.name.name);
  set("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST");
  set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", std::to_string(function.memory_mib));
  set("AWS_LAMBDA_LOG_GROUP_NAME",
      function.log_group.empty() ? "/aws/lambda/" + function.name.name : function.log_group);
  set("AWS_LAMBDA_LOG_STREAM_NAME", around.log_stream);
  set("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand");
  set("AWS_REGION", function.name.region);
  set("AWS_DEFAULT_REGION", function.name.region);
  // The account of a request is that of its access key where that is one: see what the server takes for a caller.
  suggest("AWS_ACCESS_KEY_ID", function.name.account);
  suggest("AWS_SECRET_ACCESS_KEY", around.secret_access_key);
  suggest("AWS_SESSION_TOKEN", "test");
  suggest("AWS_ENDPOINT_URL", around.endpoint_url);
  suggest("TZ", ":UTC");
  suggest("LANG", "en_US.UTF-8");
  suggest("PATH", path);
  if (!function.runtime.empty() && !function.runtime.starts_with("provided")) {
    set("AWS_EXECUTION_ENV", "AWS_Lambda_" + function.runtime);
  }
  variables.erase("AWS_LAMBDA_MAX_CONCURRENCY");
  variables.erase("_LAMBDA_SERVER_PORT");
  std::vector<std::string> out;
  out.reserve(variables.size());
  for (const auto& [name, value] : variables) out.emplace_back(name).append("=").append(value);
  return out;
}

bool is_directory(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// Where a command's first word leads; empty if nowhere. A path is relative to the code, a name is looked for on PATH,
// of the function and then of this server.
std::string resolve(const std::string& word, const std::string& directory, const std::string& path) {
  if (word.find('/') != std::string::npos) {
    return fs::path(word).is_absolute() ? word : (fs::path(directory) / word).lexically_normal().string();
  }
  std::string found = find_program(path, {word});
  return found.empty() ? find_program(server_path(), {word}) : found;
}

Launch refusal(RunOutcome outcome) {
  Launch launch;
  launch.refused = std::move(outcome);
  return launch;
}

void set_command(SpawnRequest& request, const FunctionRecord& function, const std::string& path, Launch& launch,
                 const std::string& request_id) {
  request.path = resolve(function.command.front(), request.directory, path);
  request.arguments = function.command;
  if (request.path.empty()) launch.refused = not_executable(request_id, function.command.front(), ENOENT);
}

}  // namespace

std::optional<std::string> missing_interpreter(const FunctionRecord& function) {
  if (function.kind != FunctionKind::handler) return std::nullopt;
  const std::vector<std::string> names = interpreters_of(function);
  if (names.empty()) return "The runtime " + function.runtime + " has no built-in bootstrap: give a command instead.";
  if (!interpreter_of(function).empty()) return std::nullopt;
  std::string message = "The runtime " + function.runtime + " needs " + names.front();
  for (std::size_t i = 1; i < names.size(); ++i) message += " or " + names[i];
  return message + " on this server's PATH, and there is none.";
}

std::optional<std::string> substitute_interpreter(const FunctionRecord& function) {
  if (function.kind != FunctionKind::handler || !is_python(function)) return std::nullopt;
  const std::string wanted = interpreters_of(function).front();
  const std::string found = interpreter_of(function);
  if (found.empty() || fs::path(found).filename() == wanted) return std::nullopt;
  // Mostly a link to one that says which it is.
  std::error_code ignored;
  const fs::path whole = fs::canonical(found, ignored);
  if (whole.filename() == wanted) return std::nullopt;
  std::string message = "There is no " + wanted + " on this server's PATH, so that " + found;
  if (!whole.empty() && whole != found) message += ", which is " + whole.string() + ",";
  return message + " runs the function.";
}

Launch launch_of(const FunctionRecord& function, const Surroundings& given, const std::string& request_id) {
  Surroundings around = given;
  if (around.code_directory.empty() && !function.code_sha256.empty()) {
    return refusal(failed("The function's code, " + function.code_sha256 + ", is not there."));
  }
  if (around.code_directory.empty()) around.code_directory = "/";
  if (!is_directory(around.code_directory)) {
    return refusal(failed("The function's directory " + around.code_directory + " is not there."));
  }
  Launch launch;
  SpawnRequest& request = launch.request;
  request.directory = around.code_directory;
  const std::string interpreter = function.kind == FunctionKind::handler ? interpreter_of(function) : std::string();
  const std::string path = path_of_function(interpreter);
  request.environment = environment_of(function, around, path);
  if (function.kind == FunctionKind::handler) {
    if (const auto missing = missing_interpreter(function)) return refusal(failed(*missing));
    request.path = interpreter;
    const std::string_view file = is_node(function) ? node_file : python_file;
    request.arguments = {interpreter, around.bootstrap_directory + "/" + std::string(file)};
  } else if (!function.command.empty()) {
    set_command(request, function, path, launch, request_id);
  } else {
    request.path = around.code_directory + "/bootstrap";
    request.arguments = {request.path};
    if (::access(request.path.c_str(), F_OK) != 0) launch.refused = no_bootstrap(request_id, request.path);
  }
  return launch;
}

void write_bootstraps(const std::string& directory) {
  make_private_directories(directory);
  const auto write = [&](std::string_view name, std::string_view text) {
    const std::string path = directory + "/" + std::string(name);
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    file.close();
    if (!file) throw std::system_error(errno, std::generic_category(), path);
  };
  write(python_file, python_bootstrap);
  write(node_file, node_bootstrap);
}

}  // namespace penstock::runner
