#include <unistd.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"
#include "cli/terminal.hpp"
#include "protocol/shape.hpp"

namespace penstock::cli {

namespace {

constexpr std::string_view usual_region = "us-east-1";
/// Which nobody looks at.
constexpr std::string_view any_credentials = "penstock";

/// For shells of Bourne's family and for fish, whose quotes know a backslash.
std::string quoted(std::string_view text, bool fish) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += fish ? "\\'" : "'\\''";
    } else if (fish && c == '\\') {
      out += "\\\\";
    } else {
      out += c;
    }
  }
  return out + "'";
}

protocol::Map<std::string> variables_of(const Arguments& arguments) {
  protocol::Map<std::string> all;
  const auto add = [&](std::string_view name, std::string_view value) { all.entries.emplace_back(name, value); };
  const std::string region(arguments.region.empty() ? usual_region : arguments.region);
  add("PENSTOCK_ENDPOINT", arguments.endpoint);
  // Of these the server has its own, unless they are given.
  if (!arguments.region.empty()) add("PENSTOCK_REGION", region);
  if (!arguments.account.empty()) add("PENSTOCK_ACCOUNT", arguments.account);
  for (const std::string_view name :
       {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_KINESIS", "AWS_ENDPOINT_URL_LAMBDA"}) {
    add(name, arguments.endpoint);
  }
  // The account is the key, where that is one.
  add("AWS_ACCESS_KEY_ID", arguments.account.empty() ? any_credentials : arguments.account);
  add("AWS_SECRET_ACCESS_KEY", any_credentials);
  // SDKs read one or the other.
  add("AWS_DEFAULT_REGION", region);
  add("AWS_REGION", region);
  return all;
}

/// All that are ever set.
constexpr std::array<std::string_view, 11> names{"PENSTOCK_ENDPOINT",
                                                 "PENSTOCK_REGION",
                                                 "PENSTOCK_ACCOUNT",
                                                 "AWS_ENDPOINT_URL",
                                                 "AWS_ENDPOINT_URL_SQS",
                                                 "AWS_ENDPOINT_URL_KINESIS",
                                                 "AWS_ENDPOINT_URL_LAMBDA",
                                                 "AWS_ACCESS_KEY_ID",
                                                 "AWS_SECRET_ACCESS_KEY",
                                                 "AWS_DEFAULT_REGION",
                                                 "AWS_REGION"};

constexpr const char* function_flag = "aws-function";

/// What has an AWS CLI that is older than AWS_ENDPOINT_URL go there too. Newer ones are told what they know. Of two
/// such options the CLI takes the last, which is the caller's own. One word, since zsh does not split.
std::vector<std::string> aws_function_for(std::string_view shell) {
  if (shell == "fish") {
    return {"function aws", "  if set -q AWS_ENDPOINT_URL", "    command aws --endpoint-url=$AWS_ENDPOINT_URL $argv",
            "  else",       "    command aws $argv",        "  end",
            "end"};
  }
  const std::string body = R"({ command aws ${AWS_ENDPOINT_URL:+"--endpoint-url=$AWS_ENDPOINT_URL"} "$@"; })";
  if (shell == "zsh") return {"function aws " + body};
  // An alias of that name would take the place of the function's.
  return {"unalias aws 2>/dev/null || :", "aws() " + body};
}

std::string no_aws_function_for(std::string_view shell) {
  return shell == "fish" ? "functions -e aws" : "unset -f aws 2>/dev/null || :";
}

struct Environment {
  std::optional<protocol::Map<std::string>> set;
  std::optional<std::vector<std::string>> unset;

  static constexpr auto shape() {
    return protocol::Shape("Environment", protocol::optional("Set", &Environment::set),
                           protocol::optional("Unset", &Environment::unset));
  }
};

}  // namespace

void describe_env(cxxopts::Options& flags) {
  // clang-format off
  flags.add_options()
      ("shell", "whose words to print (default: bash, whose zsh and sh understand too)", cxxopts::value<std::string>(),
       "bash|zsh|sh|fish")
      (function_flag, "print a function too, by which an AWS CLI before 2.13 (of the first version, 1.29) goes "
       "there, such as that of Debian 12: it does not know AWS_ENDPOINT_URL, nor does boto3 before 1.28", cxxopts::value<bool>())
      ("unset", "print what takes it back", cxxopts::value<bool>());
  // clang-format on
}

int run_env(const Arguments& arguments) {
  const std::string shell = arguments.has("shell") ? arguments.text("shell") : "bash";
  const bool fish = shell == "fish";
  if (!fish && shell != "bash" && shell != "zsh" && shell != "sh") {
    throw UsageError("--shell is bash, zsh, sh or fish, not '" + shell + "'");
  }
  // One that is wrong is said here, and not by whatever uses it.
  open_line(*client::real_world(), arguments.endpoint);
  const bool unset = arguments.has("unset");
  const bool with_function = arguments.has(function_flag);
  if (arguments.json && with_function) throw UsageError("--aws-function is of a shell, and does not go with --json");
  if (arguments.json) {
    Environment environment;
    if (unset) {
      environment.unset = std::vector<std::string>(names.begin(), names.end());
    } else {
      environment.set = variables_of(arguments);
    }
    print_json(environment);
    return success_status;
  }
  Output output;
  if (unset) {
    for (const std::string_view name : names) output.line((fish ? "set -e " : "unset ") + std::string(name));
    if (with_function) output.line(no_aws_function_for(shell));
  } else {
    for (const auto& [name, value] : variables_of(arguments).entries) {
      output.line(fish ? "set -gx " + name + " " + quoted(value, true) : "export " + name + "=" + quoted(value, false));
    }
    if (with_function) {
      for (const std::string& line : aws_function_for(shell)) output.line(line);
    }
  }
  output.flush();
  // Whoever reads it, rather than a shell.
  if (!unset && !with_function && is_terminal(STDOUT_FILENO)) {
    remark(
        "an AWS CLI before 2.13 (of the first version, 1.29) does not read AWS_ENDPOINT_URL: for it add "
        "--aws-function");
  }
  return success_status;
}

}  // namespace penstock::cli
