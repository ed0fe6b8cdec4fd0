#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"
#include "protocol/percent.hpp"
#include "protocol/shape.hpp"

namespace penstock::cli {

namespace {

namespace wire {

/// What of a rule a table shows; --json has all of it.
struct Rule {
  std::optional<std::string> id;
  std::optional<std::string> service;
  std::optional<std::string> operation;
  std::optional<std::string> resource;
  std::optional<std::int64_t> hits;

  static constexpr auto shape() {
    using Self = Rule;
    return protocol::Shape("Rule", protocol::optional("id", &Self::id), protocol::optional("service", &Self::service),
                           protocol::optional("operation", &Self::operation),
                           protocol::optional("resource", &Self::resource), protocol::optional("hits", &Self::hits));
  }
};
struct Rules {
  std::optional<std::vector<Rule>> rules;

  static constexpr auto shape() { return protocol::Shape("Rules", protocol::optional("rules", &Rules::rules)); }
};

}  // namespace wire

constexpr const char* path = "/_penstock/faults";

client::Request request_of(const Arguments& arguments) {
  const std::string action = arguments.word(0);
  const std::string what = arguments.word(1);
  if (action == "add") {
    if (what.empty())
      throw UsageError("which rule? It is JSON, such as '{\"operation\":\"SendMessage\",\"throttle\":true}'");
    return {"POST", path, what.front() == '[' ? what : "[" + what + "]"};
  }
  if (action == "remove") {
    if (what.empty()) throw UsageError("which rule?");
    return {"DELETE", path + ("/" + protocol::percent_encode(what)), {}};
  }
  if (!what.empty()) throw UsageError("'" + what + "' is one too many");
  if (action == "list") return {"GET", path, {}};
  if (action == "clear") return {"DELETE", path, {}};
  throw UsageError("add, list, remove or clear, not '" + action + "'");
}

}  // namespace

int run_fault(const Arguments& arguments) {
  client::Request request = request_of(arguments);
  Server server(arguments);
  const client::Answer answer = server.lambda(std::move(request), until_answered);
  if (arguments.json) {
    Output output;
    output.line(answer.body);
    output.flush();
    return success_status;
  }
  const auto all = client::from_json<wire::Rules>(answer);
  Table table({"RULE", "SERVICE", "OPERATION", "RESOURCE", "HITS"});
  for (const wire::Rule& rule : *all.rules) {
    table.add({or_dash(rule.id), or_dash(rule.service), or_dash(rule.operation), or_dash(rule.resource),
               number_text(rule.hits)});
  }
  table.print();
  return success_status;
}

}  // namespace penstock::cli
