#include "storage/findings.hpp"

#include <algorithm>

namespace penstock::storage {
namespace {

struct Text {
  bool problem;
  const char* one;   ///< what there is one of
  const char* many;  ///< what there are several of
  const char* meaning;
};

Text text_of(Finding finding) {
  switch (finding) {
    case Finding::unreadable_table:
      return {true, "cannot be read to its end", "places where it cannot be read on",
              "what lies behind is not known; what reads it fails"};
    case Finding::unknown_key:
      return {true, "an entry under a key of no kind", "entries under keys of no kind",
              "nothing reads it: it was damaged, or a newer version has written it"};
    case Finding::unreadable_record:
      return {true, "a record that is not whole", "records that are not whole",
              "the server does not start, or fails when it comes to it"};
    case Finding::key_of_another:
      return {true, "a record under the key of another", "records under keys of others", "the server does not start"};
    case Finding::no_format:
      return {true, "records, but no format version", "records, but no format version", "the server does not start"};
    case Finding::newer_format:
      return {true, "a format that this version does not know", "a format that this version does not know",
              "only a newer version can read it"};
    case Finding::name_twice:
      return {true, "two of one name", "several of one name", "only one of them can be reached"};
    case Finding::queue_unknown:
      return {true, "an entry of a queue that is not there", "entries of a queue that is not there",
              "it takes room, and nothing leads to it"};
    case Finding::queue_deleted:
      return {true, "an entry of a queue that was deleted", "entries of a queue that was deleted",
              "it takes room, and nothing leads to it"};
    case Finding::message_beyond_tail:
      return {true, "a message behind the end of its queue", "messages behind the end of their queue",
              "it is not delivered, and the next one sent takes its place"};
    case Finding::message_unreachable:
      return {true, "a message that nothing leads to", "messages that nothing leads to",
              "it is never delivered and never dropped"};
    case Finding::message_twice:
      return {true, "a message that is in two places", "messages that are in two places",
              "it is delivered twice, also while one receive of it lasts"};
    case Finding::state_without_message:
      return {true, "a state without a message", "states without a message",
              "a receive comes upon nothing; the message is lost, or its state was left behind"};
    case Finding::state_twice:
      return {true, "a message with two states", "messages with two states", "one of them is never dropped"};
    case Finding::state_before_head:
      return {true, "a message before the beginning of its queue", "messages before the beginning of their queue",
              "it is not delivered"};
    case Finding::group_differs:
      return {true, "a message whose state names another group", "messages whose states name another group",
              "it is out of order"};
    case Finding::lane_without_message:
      return {true, "an entry of a group's lane without a message", "entries of groups' lanes without a message",
              "a receive comes upon nothing; the message is lost, or its entry was left behind"};
    case Finding::lanes_not_compared:
      return {false, "more entries in lanes than are compared", "more entries in lanes than are compared",
              "only their number was looked at"};
    case Finding::fresh_count_differs:
      return {true, "a wrong count of messages never received", "wrong counts of messages never received",
              "messages may wait until others are sent, and the attributes of the queue are wrong"};
    case Finding::state_count_differs:
      return {true, "a wrong count of messages with a state", "wrong counts of messages with a state",
              "messages may wait longer than they should, and the attributes of the queue are wrong"};
    case Finding::lane_count_differs:
      return {true, "a wrong count of messages in lanes", "wrong counts of messages in lanes",
              "the attributes of the queue are wrong"};
    case Finding::dedup_beyond_tail:
      return {true, "a deduplication entry of a message that was never sent",
              "deduplication entries of messages that were never sent", "a send may be taken for one that was made"};
    case Finding::task_without_destination:
      return {false, "a running move task whose destination is gone", "running move tasks whose destination is gone",
              "it fails when the server is started"};
    case Finding::arrivals:
      return {false, "a message on its way from another queue", "messages on their way from other queues",
              "the next start completes the move; until then both queues have it"};
    case Finding::stream_unknown:
      return {true, "an entry of a stream that is not there", "entries of a stream that is not there",
              "the server does not start, or it takes room and nothing leads to it"};
    case Finding::stream_deleting:
      return {true, "a record of a stream that is being deleted", "records of a stream that is being deleted",
              "it takes room, and nothing leads to it"};
    case Finding::shard_unknown:
      return {true, "an entry of a shard that is not there", "entries of shards that are not there",
              "the server does not start, or it takes room and nothing leads to it"};
    case Finding::shard_beyond_next:
      return {true, "a shard behind the last of its stream", "shards behind the last of their stream",
              "a split or a merge takes its place"};
    case Finding::record_missing:
      return {true, "a gap in the records of a shard", "gaps in the records of shards", "records are lost"};
    case Finding::record_outside:
      return {true, "a record before or behind its shard", "records before or behind their shards",
              "it is not read; one behind the end is replaced by what is put next"};
    case Finding::arrival_goes_back:
      return {true, "a record that arrived before the one before it", "records that arrived before those before them",
              "reading from a time may begin at a wrong record"};
    case Finding::segments_apart:
      return {true, "segments of a shard that do not follow each other",
              "segments of shards that do not follow each other", "retention drops too much or too little"};
    case Finding::position_beyond_tail:
      return {true, "a consumer's position behind the end of its shard",
              "consumers' positions behind the ends of their shards", "records are put that it never reads"};
    case Finding::position_of_nothing:
      return {false, "an entry of a consumer or a shard that is gone", "entries of consumers or shards that are gone",
              "a transaction may leave it; it means nothing, and the next start drops what it can"};
    case Finding::checkpoint_beyond_tail:
      return {true, "a mapping's checkpoint behind the end of its shard",
              "mappings' checkpoints behind the ends of their shards", "records are put that it never processes"};
    case Finding::checkpoint_of_nothing:
      return {false, "a checkpoint of a mapping that is gone", "checkpoints of mappings that are gone",
              "it means nothing"};
    case Finding::damaged_file:
      return {true, "a file that is damaged", "files that are damaged", "what reads it fails"};
    case Finding::torn_log:
      return {false, "it ends in what is no whole record", "they end in what is no whole record",
              "a kill, a loss of power or a full disk leaves that, and no record of it was acknowledged as synced; a "
              "start drops it. If there was nothing of the kind, its last record was damaged"};
    case Finding::log_with_hole:
      return {
          true, "a hole of zeros is in it, and whole records behind", "holes of zeros are in it",
          "a loss of power leaves that of what was not synced. If there was none, it was damaged, and a backup is what "
          "helps. A start goes on from before the hole, and keeps the rest in a file beside the log"};
    case Finding::no_log:
      return {true, "no log is there", "no logs are there", "what was committed last is lost"};
    case Finding::emptied_log:
      return {true, "nothing is in it, though a server has used the directory", "", "what was committed is lost"};
    case Finding::code_missing:
      return {true, "code that is not there", "code that is not there", "the function cannot be run"};
    case Finding::code_damaged:
      return {true, "code that is not what was uploaded", "code that is not what was uploaded",
              "the function is not run, or fails"};
  }
  return {true, "", "", ""};
}

std::string what_of(const Text& text, std::uint64_t count, const std::string& detail) {
  if (count == 1) return std::string(text.one) + (detail.empty() ? "" : ": " + detail);
  return std::to_string(count) + " " + text.many + (detail.empty() ? "" : ", the first: " + detail);
}

}  // namespace

void Findings::add(Finding finding, std::string_view subject, std::string_view detail) {
  const auto [place, added] = places_.try_emplace({finding, std::string(subject)}, lines_.size());
  if (!added) {
    ++lines_[place->second].count;
    return;
  }
  problems_ += text_of(finding).problem ? 1U : 0U;
  if (lines_.size() == lines_max) {
    // Each is counted on its own, since what it was about is not kept.
    places_.erase(place);
    ++left_out_;
    return;
  }
  lines_.push_back({finding, std::string(subject), std::string(detail), 1});
}

std::vector<FoundLine> Findings::lines() const {
  std::vector<FoundLine> all;
  all.reserve(lines_.size());
  for (const Line& line : lines_) {
    const Text text = text_of(line.finding);
    all.push_back({text.problem, line.subject, what_of(text, line.count, line.detail), text.meaning});
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.problem && !b.problem; });
  return all;
}

}  // namespace penstock::storage
