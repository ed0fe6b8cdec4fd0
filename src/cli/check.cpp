#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/data.hpp"
#include "cli/output.hpp"
#include "state/inspection.hpp"

namespace penstock::cli {

namespace {

using protocol::optional;
using protocol::required;
using protocol::Shape;
using storage::CheckedCounts;
using storage::FoundLine;

struct FoundShape {
  std::optional<std::string> subject;
  std::optional<std::string> what;
  std::optional<std::string> meaning;

  static constexpr auto shape() {
    using Self = FoundShape;
    return Shape("Found", required("subject", &Self::subject), required("what", &Self::what),
                 required("meaning", &Self::meaning));
  }
};

struct CheckShape {
  std::optional<std::string> data_dir;
  std::optional<bool> sound;
  std::optional<std::vector<FoundShape>> problems;
  std::optional<std::vector<FoundShape>> remarks;
  std::optional<std::int64_t> left_out;
  std::optional<std::int64_t> format;
  std::optional<std::int64_t> queues;
  std::optional<std::int64_t> messages;
  std::optional<std::int64_t> streams;
  std::optional<std::int64_t> shards;
  std::optional<std::int64_t> records;
  std::optional<std::int64_t> consumers;
  std::optional<std::int64_t> functions;
  std::optional<std::int64_t> mappings;
  std::optional<std::int64_t> files;
  std::optional<std::int64_t> bytes;

  static constexpr auto shape() {
    using Self = CheckShape;
    return Shape("Check", required("data_dir", &Self::data_dir), required("sound", &Self::sound),
                 required("problems", &Self::problems), required("remarks", &Self::remarks),
                 optional("left_out", &Self::left_out), required("format", &Self::format),
                 required("queues", &Self::queues), required("messages", &Self::messages),
                 required("streams", &Self::streams), required("shards", &Self::shards),
                 required("records", &Self::records), required("consumers", &Self::consumers),
                 required("functions", &Self::functions), required("mappings", &Self::mappings),
                 required("files", &Self::files), required("bytes", &Self::bytes));
  }
};

std::int64_t number(std::uint64_t count) { return static_cast<std::int64_t>(count); }

CheckShape shape_of(const std::string& data_dir, const state::Inspection& inspection) {
  const storage::Findings& findings = inspection.report.findings;
  const CheckedCounts& counts = inspection.report.counts;
  CheckShape shape;
  shape.data_dir = data_dir;
  shape.sound = findings.is_sound();
  shape.problems.emplace();
  shape.remarks.emplace();
  for (FoundLine& line : findings.lines()) {
    (line.problem ? *shape.problems : *shape.remarks)
        .push_back({std::move(line.subject), std::move(line.what), std::move(line.meaning)});
  }
  if (findings.left_out() > 0) shape.left_out = number(findings.left_out());
  shape.format = counts.format;
  shape.queues = number(counts.queues);
  shape.messages = number(counts.messages);
  shape.streams = number(counts.streams);
  shape.shards = number(counts.shards);
  shape.records = number(counts.records);
  shape.consumers = number(counts.consumers);
  shape.functions = number(counts.functions);
  shape.mappings = number(counts.mappings);
  shape.files = number(inspection.files);
  shape.bytes = number(inspection.bytes);
  return shape;
}

std::string summary_of(const std::string& data_dir, const state::Inspection& inspection) {
  const CheckedCounts& counts = inspection.report.counts;
  std::string text = data_dir + ": ";
  if (counts.format == 0) return text + "there is nothing in it\n";
  text += "format " + std::to_string(counts.format) + ", " + counted(counts.queues, "queue", "queues") + " with " +
          counted(counts.messages, "message", "messages") + ", " + counted(counts.streams, "stream", "streams") +
          " with " + counted(counts.shards, "shard", "shards") + " and " +
          counted(counts.records, "record", "records") + ", " + counted(counts.consumers, "consumer", "consumers") +
          ", " + counted(counts.functions, "function", "functions") + ", " +
          counted(counts.mappings, "mapping", "mappings") + "; " + counted(inspection.files, "file", "files") +
          " of tables with " + bytes_text(inspection.bytes) + "\n";
  return text;
}

void print_text(const std::string& data_dir, const state::Inspection& inspection) {
  const storage::Findings& findings = inspection.report.findings;
  Output output;
  for (const FoundLine& line : findings.lines()) {
    output.write(std::string(line.problem ? "problem: " : "remark: ") + line.subject + ": " + line.what + "\n    " +
                 line.meaning + "\n");
  }
  if (findings.left_out() > 0) output.write("and " + grouped(findings.left_out()) + " more\n");
  output.write(summary_of(data_dir, inspection));
  output.write(findings.is_sound() ? std::string("sound\n")
                                   : counted(findings.problems(), "problem", "problems") + "\n");
  output.flush();
}

}  // namespace

void describe_check(cxxopts::Options& flags) { describe_data_dir(flags, "what is checked"); }

int run_check(const Arguments& arguments) {
  const std::string data_dir = data_dir_of(arguments);
  Progress progress;
  const state::Inspection inspection = state::inspect(data_dir, shown_on(progress));
  progress.clear();
  if (arguments.json) {
    print_json(shape_of(data_dir, inspection));
  } else {
    print_text(data_dir, inspection);
  }
  return inspection.report.findings.is_sound() ? success_status : failure_status;
}

}  // namespace penstock::cli
