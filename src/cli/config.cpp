#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/input.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"
#include "cli/token.hpp"
#include "config/check.hpp"
#include "config/convert.hpp"
#include "config/file.hpp"
#include "config/plan.hpp"
#include "config/problems.hpp"
#include "config/rehearsal.hpp"
#include "config/schema.hpp"
#include "config/template/given_parameters.hpp"
#include "config/value.hpp"
#include "config/yaml.hpp"
#include "penstock/client.hpp"
#include "penstock/time.hpp"
#include "penstock/triggers.hpp"
#include "protocol/shape.hpp"
#include "protocol/wire.hpp"

namespace penstock::cli {

namespace {

namespace wire {

using protocol::optional;
using protocol::Shape;

/// What of the file is meant, and what is to become of it.
struct Resource {
  std::optional<std::string> kind;
  std::optional<std::string> name;
  std::optional<std::int32_t> line;
  std::optional<std::string> action;
  std::optional<std::vector<std::string>> changes;

  static constexpr auto shape() {
    using Self = Resource;
    return Shape("Resource", optional("Kind", &Self::kind), optional("Name", &Self::name),
                 optional("Line", &Self::line), optional("Action", &Self::action), optional("Changes", &Self::changes));
  }
};

struct Resources {
  std::optional<std::vector<Resource>> resources;

  static constexpr auto shape() { return Shape("Resources", optional("Resources", &Resources::resources)); }
};

}  // namespace wire

constexpr std::chrono::seconds answer_time_max{60};

/// What the file sets, or what the server would take without it.
std::string setting(const config::Setup& setup, std::string_view name, const std::string& given,
                    const std::string& fallback) {
  if (!given.empty()) return given;
  for (const config::Setting& one : setup.settings) {
    if (one.name == name && !one.values.empty()) return one.values.front();
  }
  return fallback;
}

config::Place place_of(const config::Setup& setup, const Arguments& arguments, const std::string& file) {
  const protocol::ServiceContext usual;
  return {setting(setup, "account", arguments.account, usual.account),
          setting(setup, "region", arguments.region, usual.region),
          config::directory_of(file),
          !setting(setup, "lambda-endpoint", {}, "").empty(),
          std::chrono::floor<Millis>(std::chrono::system_clock::now()),
          arguments.of_server.objection_to_function};
}

config::TemplateInput input_of(const Arguments& arguments) {
  const protocol::ServiceContext usual;
  config::ParameterWords words;
  if (arguments.has(config::parameter_flag))
    words = arguments.given[config::parameter_flag].as<config::ParameterWords>();
  config::TemplateInput input{arguments.account.empty() ? usual.account : arguments.account,
                              arguments.region.empty() ? usual.region : arguments.region, arguments.endpoint};
  try {
    input.parameters = config::read_parameters(words);
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
  return input;
}

/// Invocations at a time that a server would run, as the file says or by default.
int concurrency_of(const config::Setup& setup) {
  const int usual = TriggerLimits{}.concurrency_max;
  const std::string text = setting(setup, "concurrency", {}, std::to_string(usual));
  int number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && stop == text.data() + text.size() ? number : usual;
}

void complain(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) std::fprintf(stderr, "%s\n", line.c_str());
}

int fail(const config::Problems& problems) {
  complain(problems.lines());
  return failure_status;
}

/// Both where the file says it and in what order it would be made.
wire::Resources resources_of(const config::Setup& setup) {
  wire::Resources all;
  auto& list = all.resources.emplace();
  const auto add = [&](const char* kind, const std::string& name, config::Position at) {
    list.push_back({kind, name, at.line, std::nullopt, std::nullopt});
  };
  for (const config::Resource& queue : setup.queues) add("queue", queue.name, queue.at);
  for (const config::Resource& stream : setup.streams) add("stream", stream.name, stream.at);
  for (const config::Consumer& consumer : setup.consumers) {
    add("consumer", consumer.stream + "/" + consumer.name, consumer.at);
  }
  for (const config::Resource& function : setup.functions) add("function", function.name, function.at);
  for (const config::Mapping& mapping : setup.mappings) add("mapping", config::shown(mapping), mapping.at);
  return all;
}

wire::Resources resources_of(const std::vector<config::Step>& plan) {
  wire::Resources all;
  auto& list = all.resources.emplace();
  for (const config::Step& step : plan) {
    list.push_back({step.kind, step.name, step.at.line, std::string(config::name_of(step.action)), step.changes});
  }
  return all;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

void print(const wire::Resources& all, const Arguments& arguments, bool with_actions) {
  if (arguments.json) return print_json(all);
  std::vector<std::string> titles{"KIND", "NAME", "LINE"};
  if (with_actions) titles.insert(titles.end(), {"ACTION", "CHANGES"});
  Table table(titles);
  for (const wire::Resource& one : *all.resources) {
    std::vector<std::string> cells{or_dash(one.kind), or_dash(one.name), std::to_string(one.line.value_or(0))};
    if (with_actions) {
      const std::string changes = joined(one.changes.value_or(std::vector<std::string>()));
      cells.insert(cells.end(), {or_dash(one.action), changes.empty() ? "-" : changes});
    }
    table.add(std::move(cells));
  }
  table.print();
}

/// A server that is asked for what is in one account and region, whatever its own defaults are.
class Asking {
 public:
  Asking(const Arguments& arguments, const config::Place& place)
      : world_(world_with_token(client::real_world(), find_token(arguments))),
        line_(open_line(*world_, arguments.endpoint)),
        home_{place.region, place.account} {}

  config::Answer ask(const config::Request& asked) {
    client::Request request{asked.method, asked.target, asked.body, answer_time_max};
    // Content types are the client's, and services go by their target.
    for (const auto& [name, value] : asked.headers) {
      if (name != "Content-Type") request.headers.emplace_back(name, value);
    }
    add_credentials(request, home_, "any");
    const client::Answer answer = line_->exchange(request).value();
    return {answer.status, answer.body};
  }

 private:
  std::shared_ptr<client::World> world_;
  std::unique_ptr<client::Line> line_;
  Home home_;
};

/// Empty if there are problems, which are among them then.
std::optional<config::Setup> read(const std::string& file, const Arguments& arguments, bool is_for_new_server,
                                  config::Problems& problems) {
  auto setup = config::read_file(file, input_of(arguments), problems);
  if (!setup) return std::nullopt;
  for (config::Setting& one : setup->settings) {
    if (!arguments.of_server.objection_to_setting) break;
    if (const auto objection = arguments.of_server.objection_to_setting(one.name, one.values)) {
      problems.add(one.value_at, *objection);
      // What else there is in the file is judged by the default.
      one.values.clear();
    }
  }
  const config::Place place = place_of(*setup, arguments, file);
  config::check_setup(*setup, place, problems);
  // Where a server is asked, that knows what there is already.
  if (is_for_new_server) config::rehearse_on_new_server(*setup, place, concurrency_of(*setup), problems);
  if (!problems.empty()) return std::nullopt;
  return setup;
}

int plan(const config::Setup& setup, const Arguments& arguments, const std::string& file, bool applies) {
  const config::Place place = place_of(setup, arguments, file);
  config::Problems problems(file);
  Asking server(arguments, place);
  const config::Ask ask = [&server](const config::Request& request) { return server.ask(request); };
  const std::vector<config::Step> steps = config::make_plan(setup, place, ask, problems);
  if (!problems.empty()) return fail(problems);
  if (applies) config::carry_out(steps, place, ask, config::StandingClock::complain, problems);
  if (!problems.empty()) return fail(problems);
  print(resources_of(steps), arguments, true);
  return success_status;
}

int print_schema(const Arguments& arguments) {
  if (!arguments.word(1).empty()) throw UsageError("'" + arguments.word(1) + "' is one argument too many");
  const auto& describe = arguments.of_server.describe_settings;
  Output output;
  output.write(config::schema_document(describe ? describe() : std::vector<config::SettingInfo>()) + "\n");
  output.flush();
  return success_status;
}

int convert(const Arguments& arguments) {
  const std::string file = arguments.word(1);
  if (file.empty()) throw UsageError("which file?");
  std::optional<config::Origin> origin;
  if (arguments.has("from")) {
    origin = config::origin_called(arguments.text("from"));
    if (!origin) throw UsageError("--from is elasticmq or goaws, not '" + arguments.text("from") + "'");
  }
  const bool is_input = file == "-";
  config::Problems problems(is_input ? "standard input" : file);
  const std::optional<std::string> text = is_input ? read_all(STDIN_FILENO, config::yaml_bytes_max, "standard input")
                                                   : config::read_text(file, config::yaml_bytes_max, problems);
  const auto converted = text ? config::convert(*text, origin, problems) : std::nullopt;
  complain(problems.notes());
  if (!converted) return fail(problems);
  Output output;
  if (arguments.json) {
    output.line(config::to_json(converted->document));
  } else {
    output.write(config::to_yaml(*converted));
  }
  output.flush();
  return success_status;
}

}  // namespace

void describe_config(cxxopts::Options& flags) {
  // clang-format off
  flags.add_options()
      ("dry-run", "of apply: only print what would be done, as plan does", cxxopts::value<bool>())
      (config::parameter_flag, config::parameter_help, cxxopts::value<config::ParameterWords>(), "NAME=VALUE")
      ("from", "of convert: whose file it is, if that is not seen from what it says", cxxopts::value<std::string>(),
       "elasticmq|goaws");
  // clang-format on
}

int run_config(const Arguments& arguments) {
  const std::string action = arguments.word(0);
  constexpr std::array<std::string_view, 5> actions{"check", "plan", "apply", "schema", "convert"};
  if (std::ranges::find(actions, action) == actions.end()) {
    throw UsageError("check, plan, apply, schema or convert, not '" + action + "'");
  }
  if (arguments.has("dry-run") && action != "apply") throw UsageError("--dry-run goes with apply");
  if (arguments.has("from") && action != "convert") throw UsageError("--from goes with convert");
  if (arguments.has(config::parameter_flag) && (action == "schema" || action == "convert")) {
    throw UsageError("--parameter goes with check, plan and apply");
  }
  if (action == "schema") return print_schema(arguments);
  if (action == "convert") return convert(arguments);
  const std::string file = arguments.word(1).empty() ? config::default_file : arguments.word(1);
  config::Problems problems(file);
  const auto setup = read(file, arguments, action == "check", problems);
  complain(problems.notes());
  if (!setup) return fail(problems);
  if (action != "check") return plan(*setup, arguments, file, action == "apply" && !arguments.has("dry-run"));
  print(resources_of(*setup), arguments, false);
  return success_status;
}

}  // namespace penstock::cli
