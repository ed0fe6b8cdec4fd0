#include "server/portable.hpp"

#include <utility>

#include "config/value.hpp"

namespace penstock::server::portable {

std::string answer_of(const Imported& imported) {
  config::Value answer = config::map_value();
  const auto set = [&answer](std::string_view name, std::uint64_t count) {
    answer.set(name, config::number_value(static_cast<std::int64_t>(count)));
  };
  set("created", imported.created);
  set("kept", imported.kept);
  set("messages", imported.messages);
  set("records", imported.records);
  set("problem_count", imported.problem_count);
  config::Value problems;
  problems.kind = config::Value::Kind::list;
  for (const std::string& problem : imported.problems) problems.items.push_back(config::text_value(problem));
  answer.set("problems", std::move(problems));
  return config::to_json(answer);
}

}  // namespace penstock::server::portable
