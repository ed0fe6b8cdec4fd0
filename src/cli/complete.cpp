#include "cli/complete.hpp"

#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <exception>
#include <optional>
#include <utility>

#include "cli/function_names.hpp"
#include "cli/names.hpp"
#include "cli/output.hpp"
#include "cli/server.hpp"

namespace penstock::cli {

namespace {

/// Nobody who has pressed a key waits longer for names.
constexpr time_t answer_seconds_max = 1;

constexpr std::string_view queue_prefix = "queue:";
constexpr std::string_view stream_prefix = "stream:";

/// Which names stand where a usage has such a word; nothing where the server knows none.
std::string_view kind_of(std::string_view word) {
  constexpr std::array<std::string_view, 6> asked{"QUEUE", "STREAM", "FUNCTION", "CONSUMER", "SOURCE", "UUID"};
  const auto* const found = std::find(asked.begin(), asked.end(), word);
  return found == asked.end() ? std::string_view() : *found;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (std::size_t end = 0; end != std::string_view::npos; text.remove_prefix(end + separator.size())) {
    end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
  }
  return parts;
}

/// As "[FILE]" and "NAME..." are FILE and NAME.
std::string_view bare(std::string_view word) {
  while (word.starts_with('[')) word.remove_prefix(1);
  while (word.ends_with(']') || word.ends_with('.')) word.remove_suffix(1);
  return word;
}

/// Words that stand as they are, rather than for something.
bool is_literal(std::string_view word) { return !word.empty() && word.front() >= 'a' && word.front() <= 'z'; }

class Completion {
 public:
  Completion(const Command& command, const OfServer& of_server, const NamesOf& names_of)
      : command_(command), flags_(flags_of(command, of_server)), names_of_(names_of) {
    arguments_.endpoint = default_endpoint();
    arguments_.region = default_region();
    arguments_.account = default_account();
  }

  /// What stands before the word that is asked for. Gives the flag whose value that word is.
  const Flag* read(const std::vector<std::string>& words) {
    const Flag* open = nullptr;
    for (const std::string& word : words) {
      if (open != nullptr) {
        take_value(*open, word);
        open = nullptr;
      } else if (word == "--") {
        behind_dashes_ = true;
      } else if (behind_dashes_) {
        continue;
      } else if (word.size() > 1 && word.starts_with('-')) {
        open = take_flag(word);
      } else {
        arguments_.words.push_back(word);
      }
    }
    return open;
  }

  Candidates candidates(const Flag* open, const std::string& word) {
    Candidates out;
    if (open != nullptr) {
      offer_value(open->value, word, "", out);
    } else if (behind_dashes_) {
      // A command line of its own.
      out.files = true;
    } else if (const std::size_t equals = word.find('='); word.starts_with("--") && equals != std::string::npos) {
      const Flag* const flag = find_flag(word.substr(2, equals - 2));
      if (flag != nullptr) offer_value(flag->value, word.substr(equals + 1), word.substr(0, equals + 1), out);
    } else if (word.starts_with('-')) {
      offer_flags(word, out);
    } else {
      offer_words(word, out);
    }
    return out;
  }

 private:
  const Flag* find_flag(std::string_view name) const {
    const auto found = std::find_if(flags_.begin(), flags_.end(), [&](const Flag& flag) {
      return flag.name == name || (!flag.letter.empty() && flag.letter == name);
    });
    return found == flags_.end() ? nullptr : &*found;
  }

  /// Gives the flag if its value is the next word.
  const Flag* take_flag(const std::string& word) {
    const std::string_view name = std::string_view(word).substr(word.starts_with("--") ? 2 : 1);
    const std::size_t equals = name.find('=');
    const Flag* const flag = find_flag(name.substr(0, equals));
    if (flag == nullptr) return nullptr;
    given_.push_back(flag->name);
    if (flag->value.empty()) return nullptr;
    if (equals == std::string_view::npos) return flag;
    take_value(*flag, std::string(name.substr(equals + 1)));
    return nullptr;
  }

  void take_value(const Flag& flag, const std::string& value) {
    if (flag.name == "endpoint") arguments_.endpoint = value;
    if (flag.name == "region") arguments_.region = value;
    if (flag.name == "account") arguments_.account = value;
  }

  void offer_flags(const std::string& word, Candidates& out) const {
    for (const Flag& flag : flags_) {
      const bool given = std::find(given_.begin(), given_.end(), flag.name) != given_.end();
      if (given && !flag.repeats) continue;
      offer("--" + flag.name, flag.what, word, out);
    }
  }

  /// `kind` is what a usage calls it. `before` is what stands before it in its word.
  void offer_value(std::string_view kind, const std::string& word, const std::string& before, Candidates& out) const {
    if (kind == "FILE" || kind == "DIR") {
      out.files = true;
    } else if (kind == "PLACE") {
      for (const char* const place : {"horizon", "latest"}) offer(before + place, "", before + word, out);
    } else if (is_literal(kind)) {
      for (const std::string_view choice : split(kind, "|"))
        offer(before + std::string(choice), "", before + word, out);
    } else if (!kind_of(kind).empty()) {
      try {
        for (const std::string& name : names_of_(kind_of(kind), arguments_, word))
          offer(before + name, "", before + word, out);
      } catch (const std::exception&) {
        // What is no name cannot be offered, and there is no one to tell why.
        return;
      }
    }
  }

  /// By each form of the command that the words so far go with.
  void offer_words(const std::string& word, Candidates& out) const {
    const std::size_t at = arguments_.words.size();
    for (const std::string_view form : split(command_.words.help, " | ")) {
      const std::vector<std::string_view> parts = split(form, " ");
      if (at >= parts.size() || parts[at].starts_with("[--")) continue;
      const bool goes = std::equal(
          arguments_.words.begin(), arguments_.words.end(), parts.begin(),
          [](const std::string& given, std::string_view part) { return !is_literal(part) || part == given; });
      if (goes) offer_value(bare(parts[at]), word, "", out);
    }
  }

  static void offer(const std::string& candidate, const std::string& what, const std::string& begin, Candidates& out) {
    if (candidate.starts_with(begin)) out.words.push_back({candidate, what});
  }

  const Command& command_;
  const std::vector<Flag> flags_;
  const NamesOf& names_of_;
  Arguments arguments_;
  std::vector<std::string> given_;
  bool behind_dashes_ = false;
};

void offer_commands(const std::string& begin, Candidates& out) {
  for (const Command& command : all_commands()) {
    if (command.name.starts_with(begin)) out.words.push_back({std::string(command.name), command.summary});
  }
}

/// Of a real server.
std::vector<std::string> ask_for_names(std::string_view kind, const Arguments& arguments, const std::string& begin) {
  Server server(arguments);
  if (kind == "FUNCTION") return function_names(server, names_offered_max);
  if (kind == "UUID") return mapping_ids(server, names_offered_max);
  if (kind == "STREAM") return stream_names(server, names_offered_max);
  if (kind == "CONSUMER") return arguments.words.empty() ? std::vector<std::string>() : server.consumers();
  std::vector<std::string> names;
  const bool source = kind == "SOURCE";
  const bool of_queue = source && begin.starts_with(queue_prefix);
  // A prefix that is no queue's yet asks for all.
  const std::string prefix = !source ? begin : of_queue ? begin.substr(queue_prefix.size()) : "";
  for (const std::string& url : queue_urls(server, prefix, names_offered_max)) {
    names.push_back((source ? std::string(queue_prefix) : "") + queue_name_of(url));
  }
  if (!source || of_queue) return names;
  for (const std::string& name : stream_names(server, names_offered_max)) {
    names.push_back(std::string(stream_prefix) + name);
  }
  return names;
}

/// There is nothing to be put in order.
extern "C" void on_late(int) { ::_exit(success_status); }

void limit_time() {
  struct sigaction action {};
  action.sa_handler = on_late;
  ::sigaction(SIGALRM, &action, nullptr);
  itimerval time{};
  time.it_value.tv_sec = answer_seconds_max;
  ::setitimer(ITIMER_REAL, &time, nullptr);
}

}  // namespace

Candidates candidates_for(const std::vector<std::string>& words, const OfServer& of_server, const NamesOf& names_of) {
  Candidates out;
  if (words.empty()) return out;
  const bool helps = words.front() == "help" && words.size() == 2;
  if (words.size() == 1 || helps) {
    offer_commands(words.back(), out);
    if (!helps && std::string_view("help").starts_with(words.back()))
      out.words.push_back({"help", "tell about a command"});
    return out;
  }
  const Command* const command = find_command(words.front());
  if (command == nullptr) return out;
  Completion completion(*command, of_server, names_of);
  const Flag* const open = completion.read({words.begin() + 1, words.end() - 1});
  return completion.candidates(open, words.back());
}

std::vector<std::string> split_line(std::string_view line) {
  std::vector<std::string> words{{}};
  bool within = false;  // a word that has begun, be it as an empty one in quotes
  char quote = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
      words.back() += line[++i];
      within = true;
    } else if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else {
        words.back() += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      within = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (within) words.emplace_back();
      within = false;
    } else {
      words.back() += c;
      within = true;
    }
  }
  return words;
}

int run_complete(const std::vector<std::string>& given, const OfServer& of_server) {
  limit_time();
  std::vector<std::string> words = given;
  if (given.size() == 2 && given.front() == "--line") words = split_line(given.back());
  // The program's name, or what says that words follow.
  if (!words.empty()) words.erase(words.begin());
  const Candidates candidates = candidates_for(words, of_server, ask_for_names);
  try {
    Output output;
    if (candidates.files) output.line(":files");
    for (const Candidate& one : candidates.words) {
      output.line(one.what.empty() ? printable(one.word) : printable(one.word) + "\t" + printable(one.what));
    }
    output.flush();
  } catch (const std::exception&) {
    return failure_status;
  }
  return success_status;
}

}  // namespace penstock::cli
