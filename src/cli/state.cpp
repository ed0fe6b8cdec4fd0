#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/data.hpp"
#include "cli/input.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"
#include "cli/terminal.hpp"
#include "protocol/native/state_operations.hpp"

namespace penstock::cli {

namespace native = protocol::native;

namespace {

constexpr std::string_view export_path = "/_penstock/export";
constexpr std::string_view import_path = "/_penstock/import";
/// The last line of an export that is whole.
constexpr std::string_view end_line = R"({"penstock":"end"})";

/// Also as another program has written it.
bool is_end(std::string_view line) {
  if (line.size() > 2 * end_line.size()) return false;
  std::string close(line);
  std::erase(close, ' ');
  return close == end_line;
}

/// Of lines that are handed in at a time, but for one that is longer by itself: the code of a function is in one.
constexpr std::size_t part_bytes = 1U << 20U;
constexpr std::size_t export_line_bytes_max = 70U << 20U;

struct ImportedShape {
  std::optional<std::int64_t> created;
  std::optional<std::int64_t> kept;
  std::optional<std::int64_t> messages;
  std::optional<std::int64_t> records;
  std::optional<std::int64_t> problem_count;
  std::optional<std::vector<std::string>> problems;

  static constexpr auto shape() {
    using Self = ImportedShape;
    using protocol::required;
    return protocol::Shape("Imported", required("created", &Self::created), required("kept", &Self::kept),
                           required("messages", &Self::messages), required("records", &Self::records),
                           required("problem_count", &Self::problem_count), required("problems", &Self::problems));
  }
};

void add(std::optional<std::int64_t>& sum, const std::optional<std::int64_t>& more) {
  sum = sum.value_or(0) + more.value_or(0);
}

/// Writes whole lines as they come, and knows the last of them.
class LineSink {
 public:
  void take(std::string_view piece) {
    // What waited has none: to look through all of a long line with each of its pieces would be quadratic.
    const std::size_t in_piece = piece.rfind('\n');
    if (in_piece == std::string_view::npos) return wait(piece);
    const std::size_t end = waiting_.size() + in_piece;
    waiting_.append(piece);
    const std::size_t before = end == 0 ? std::string::npos : waiting_.rfind('\n', end - 1);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    last_ = waiting_.substr(begin, end - begin);
    output_.write(std::string_view(waiting_).substr(0, end + 1));
    bytes_ += end + 1;
    waiting_.erase(0, end + 1);
  }
  void end() { output_.flush(); }
  bool is_whole() const { return waiting_.empty() && is_end(last_); }
  std::uint64_t bytes() const { return bytes_; }

 private:
  void wait(std::string_view piece) {
    if (waiting_.size() + piece.size() > export_line_bytes_max) {
      throw std::runtime_error("a line of the export has more than " + std::to_string(export_line_bytes_max) +
                               " bytes");
    }
    waiting_.append(piece);
  }

  Output output_;
  std::string waiting_;
  std::string last_;
  std::uint64_t bytes_ = 0;
};

int export_state(const Arguments& arguments) {
  Server server(arguments);
  // On a terminal the lines themselves are to be seen.
  Progress progress(!is_terminal(STDOUT_FILENO));
  LineSink sink;
  client::Request request{"GET", std::string(export_path) + (arguments.has("data") ? "?data=true" : ""), {}};
  request.on_piece = [&](std::string_view piece) {
    sink.take(piece);
    progress.show("exporting: " + bytes_text(sink.bytes()));
  };
  server.lambda(std::move(request));
  progress.clear();
  sink.end();
  if (!sink.is_whole()) throw std::runtime_error("the export was cut off; the server's log says why");
  return success_status;
}

/// A file, or standard input where none is named or what is named is "-".
class Lines {
 public:
  explicit Lines(const std::string& name) {
    if (name.empty() || name == "-") return;
    name_ = name;
    fd_ = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), name);
    struct stat status {};
    const bool has_size = ::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode);
    if (has_size) bytes_ = static_cast<std::uint64_t>(status.st_size);
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  ~Lines() {
    if (fd_ != STDIN_FILENO) ::close(fd_);
  }

  LineReader reader() const { return LineReader(fd_, export_line_bytes_max, name_); }
  /// Whether somebody types it in.
  bool is_typed() const { return is_terminal(fd_); }
  /// In all; 0 where that is not known.
  std::uint64_t bytes() const { return bytes_; }

 private:
  int fd_ = STDIN_FILENO;
  std::string name_ = "standard input";
  std::uint64_t bytes_ = 0;
};

/// Hands in what a file or standard input has, part by part.
class Import {
 public:
  explicit Import(const Arguments& arguments)
      : input_(arguments.word(1)), server_(arguments), progress_(!input_.is_typed()) {}

  ImportedShape run() {
    LineReader lines = input_.reader();
    bool ended = false;
    try {
      while (const auto line = lines.next()) {
        if (!part_.empty() && part_.size() + line->size() >= part_bytes) send();
        if (part_.empty()) number_ = lines.number();
        part_.append(*line).append("\n");
        bytes_ += line->size() + 1;
        ended = is_end(*line);
      }
      send();
    } catch (const std::exception&) {
      progress_.clear();
      if (handed_in_) remark("of what came before that, " + told());
      throw;
    }
    progress_.clear();
    if (!ended) {
      complain("what was handed in is no whole export: its last line is missing");
      add(sum_.problem_count, 1);
    }
    return sum_;
  }

 private:
  void send() {
    if (part_.empty()) return;
    client::Request request{"POST", std::string(import_path) + "?line=" + std::to_string(number_),
                            std::exchange(part_, {})};
    request.headers.emplace_back("Content-Type", "application/jsonl");
    const auto imported = client::from_json<ImportedShape>(server_.lambda(std::move(request), until_imported));
    add(sum_.created, imported.created);
    add(sum_.kept, imported.kept);
    add(sum_.messages, imported.messages);
    add(sum_.records, imported.records);
    add(sum_.problem_count, imported.problem_count);
    handed_in_ = true;
    for (const std::string& problem : imported.problems.value_or(std::vector<std::string>())) {
      progress_.clear();
      complain(problem);
      if (sum_.problems->size() < problems_kept_max) sum_.problems->push_back(problem);
    }
    const std::string how_far =
        input_.bytes() == 0 ? "" : bytes_text(bytes_) + " of " + bytes_text(input_.bytes()) + ", ";
    progress_.show("importing: " + how_far + told());
  }

  std::string told() const {
    const auto count = [](const std::optional<std::int64_t>& number) {
      return static_cast<std::uint64_t>(number.value_or(0));
    };
    return counted(count(sum_.created), "thing", "things") + " made, " +
           counted(count(sum_.messages), "message", "messages") + ", " +
           counted(count(sum_.records), "record", "records");
  }

  static constexpr std::size_t problems_kept_max = 1'000;
  /// Of one part.
  static constexpr Patience until_imported{.answer_max = std::chrono::minutes{5}, .interruptible = false};

  const Lines input_;
  Server server_;
  Progress progress_;
  std::string part_;
  std::size_t number_ = 1;
  std::uint64_t bytes_ = 0;  ///< that were read
  bool handed_in_ = false;
  ImportedShape sum_{0, 0, 0, 0, 0, std::vector<std::string>()};
};

int import_state(const Arguments& arguments) {
  const ImportedShape sum = Import(arguments).run();
  if (arguments.json) {
    print_json(sum);
  } else {
    Table table({"CREATED", "KEPT", "MESSAGES", "RECORDS", "PROBLEMS"});
    table.add({number_text(sum.created), number_text(sum.kept), number_text(sum.messages), number_text(sum.records),
               number_text(sum.problem_count)});
    table.print();
  }
  return sum.problem_count.value_or(0) == 0 ? success_status : failure_status;
}

int reset(const Arguments& arguments) {
  native::ResetServerInput input;
  if (arguments.has("service")) {
    input.service = arguments.text("service");
    if (std::ranges::find(native::values::reset_service, *input.service) == native::values::reset_service.end()) {
      throw UsageError("--service is sqs, kinesis or lambda, not '" + *input.service + "'");
    }
  }
  Server server(arguments);
  if (arguments.has("setup")) input.setup = true;
  client::Request request{"POST", std::string(native::ResetServerOperation::path), client::to_json(input)};
  // It is answered when all is gone, within its own time.
  constexpr Patience until_gone{.answer_max = server_limits::settle_time_max, .interruptible = false};
  const auto reset = client::from_json<native::ResetServerOutput>(server.lambda(std::move(request), until_gone));
  if (arguments.json) {
    print_json(reset);
    return success_status;
  }
  Table table({"QUEUES", "STREAMS", "FUNCTIONS", "MAPPINGS"});
  table.add({number_text(reset.queues), number_text(reset.streams), number_text(reset.functions),
             number_text(reset.mappings)});
  table.print();
  return success_status;
}

}  // namespace

void describe_state(cxxopts::Options& flags) {
  // clang-format off
  flags.add_options()
      ("data", "export: with messages and records", cxxopts::value<bool>())
      ("service", "reset: only what is of sqs, kinesis or lambda", cxxopts::value<std::string>(), "sqs|kinesis|lambda")
      ("setup", "reset: make again what the server's file says", cxxopts::value<bool>());
  // clang-format on
}

int run_state(const Arguments& arguments) {
  const std::string what = arguments.word(0);
  if (arguments.words.size() > 1 && what != "import") throw UsageError("a file goes with import");
  if (arguments.has("data") && what != "export") throw UsageError("--data goes with export");
  if ((arguments.has("service") || arguments.has("setup")) && what != "reset") {
    throw UsageError("--service and --setup go with reset");
  }
  if (what == "reset") return reset(arguments);
  if (what == "export") return export_state(arguments);
  if (what == "import") return import_state(arguments);
  throw UsageError("reset, export or import, not '" + what + "'");
}

}  // namespace penstock::cli
