// What is known of the order of one FIFO queue: whose sequence number is whose, and what lies in each group.
//
// A receive takes messages from the front of a group, all that it takes at once and in order, and while one of them is
// in flight the group gives nothing more. So whatever an answer leaves out in front of what it has is in the queue no
// longer, and never again, since what comes to a queue gets the highest sequence number. That holds as soon as the
// answer is here, however answers cross.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "crash/history.hpp"

namespace penstock::crash {

/// Zero where there is none. The service writes them with 20 digits; those of this server fit.
using SequenceNumber = std::uint64_t;

class FifoOrder {
 public:
  /// What else is known of a message: nothing that is sure, that it must be in the queue, or that it must be in flight.
  enum class Standing : std::uint8_t { may_be_gone, here, in_flight };

  struct Delivered {
    std::uint64_t number = 0;
    std::string group;
    SequenceNumber sequence = 0;
  };

  struct PassedOver {
    std::uint64_t number = 0;
    std::uint64_t by = 0;
  };

  struct Findings {
    std::vector<std::string> violations;
    /// Those that must be here, and have left the queue if it can be left.
    std::vector<PassedOver> passed_over;
  };

  /// The highest sequence number that an answer has named.
  SequenceNumber highest() const { return owners_.empty() ? 0 : owners_.rbegin()->first; }

  /// False if the sequence number is another message's.
  bool learn(SequenceNumber sequence, std::uint64_t number) {
    return owners_.try_emplace(sequence, number).first->second == number;
  }

  void place(const std::string& group, SequenceNumber sequence, std::uint64_t number) {
    groups_[group].places.emplace(sequence, number);
  }
  void remove(const std::string& group, SequenceNumber sequence) { groups_[group].places.erase(sequence); }
  /// Nothing is known any more of what is here, only of what is not.
  void forget_places() {
    for (auto& [id, group] : groups_) group.places.clear();
  }

  /// Holds one answer to a receive against what was known before. `standing_of` is asked for messages by number.
  template <class StandingOf>
  Findings delivered(const std::vector<Delivered>& answer, Span span, const StandingOf& standing_of) {
    std::map<std::string, std::vector<Delivered>> runs;
    for (const Delivered& message : answer) runs[message.group].push_back(message);
    Findings findings;
    for (const auto& [group, run] : runs) check_run(groups_[group], run, span, standing_of, findings);
    return findings;
  }

 private:
  struct Group {
    std::map<SequenceNumber, std::uint64_t> places;
    SequenceNumber front = 0;  // nothing before it is here
    Time front_known_at{};     // for requests begun after this
  };

  template <class StandingOf>
  static void check_run(Group& group, const std::vector<Delivered>& run, Span span, const StandingOf& standing_of,
                        Findings& findings) {
    const Delivered& first = run.front();
    if (first.sequence < group.front && span.begun > group.front_known_at) {
      findings.violations.push_back(name_of(first.number) + " was delivered after a later one of its group was");
    }
    for (std::size_t i = 1; i < run.size(); ++i) {
      if (run[i].sequence <= run[i - 1].sequence) {
        findings.violations.push_back(name_of(run[i].number) + " was delivered behind a later one of its group");
      }
    }
    const auto is_in_run = [&](SequenceNumber sequence) {
      return std::any_of(run.begin(), run.end(), [&](const Delivered& other) { return other.sequence == sequence; });
    };
    const Delivered& last = run.back();
    for (auto place = group.places.begin(); place != group.places.end() && place->first < last.sequence;) {
      const auto [sequence, number] = *place;
      if (is_in_run(sequence)) {
        ++place;
        continue;
      }
      const Standing standing = standing_of(number);
      if (standing == Standing::in_flight) {
        findings.violations.push_back(name_of(last.number) + " was delivered while " + name_of(number) +
                                      " of its group was in flight");
      }
      if (standing == Standing::here) findings.passed_over.push_back({number, last.number});
      place = group.places.erase(place);
    }
    if (first.sequence > group.front) {
      group.front = first.sequence;
      group.front_known_at = Clock::now();
    }
  }

  std::map<SequenceNumber, std::uint64_t> owners_;
  std::map<std::string, Group> groups_;
};

}  // namespace penstock::crash
