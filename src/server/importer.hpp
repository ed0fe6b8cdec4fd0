// The lines of an export made into what they say: what is missing is made, what is there is kept as it is, and messages
// and records are put behind those that there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/requests.hpp"
#include "config/value.hpp"
#include "penstock/commands.hpp"
#include "server/insider.hpp"
#include "server/own_clients.hpp"

namespace penstock::server {

struct Imported {
  std::uint64_t created = 0;
  std::uint64_t kept = 0;  ///< was there already
  std::uint64_t messages = 0;
  std::uint64_t records = 0;
  std::vector<std::string> problems;  ///< the first ones
  std::uint64_t problem_count = 0;
};

class Importer {
 public:
  /// What is handed in outlives it. `strict`: where shards have limits, records go in one by one, so that each comes
  /// behind those before it, also when it has to wait.
  Importer(OwnClients& clients, Insider& insider, bool strict);
  Importer(const Importer&) = delete;
  Importer& operator=(const Importer&) = delete;

  /// Some lines of an export; the first one need not be the first of the export. A line that cannot be made true is a
  /// problem, and the others are all the same. An error, and nothing is imported, where objection_to_lines() has one.
  /// Throws OwnClient::Closed and Insider::Closed. In a thread that may wait.
  /// `number` is that of the first of them in the whole export, by which problems are told.
  std::variant<Imported, Error> run(std::string_view lines, std::size_t number = 1);

 private:
  using Lines = std::vector<std::size_t>;  ///< their numbers

  void take(const config::Value& line);
  void create(const Home& home, const config::Value& line);
  bool create_one(const Home& home, const config::Value& request);
  void take_message(const Home& home, const config::Value& line);
  void take_record(const Home& home, const config::Value& line);
  void flush();
  void put_messages(const ImportMessages& batch, const Lines& lines);
  void put_records(const PutRecords& batch, const Lines& lines);
  Result ask_one(Command command);
  config::Answer ask(const Home& home, const config::Value& request);
  bool is_there(const Home& home, const config::Value& request);
  void wait_for_stream(const Home& home, const std::string& name);
  bool clock_stands_still(const Home& home);
  void problem(const std::string& what);
  void problem(std::size_t line, const std::string& what);

  OwnClients& clients_;
  Insider& insider_;
  const std::size_t records_max_;  ///< of a batch
  Imported imported_;
  std::size_t line_ = 0;

  // What is gathered for one command, of one queue or one stream at a time.
  std::optional<ImportMessages> messages_;
  std::optional<PutRecords> records_;
  Lines batch_lines_;
  std::size_t bytes_ = 0;
};

}  // namespace penstock::server
