// What may stand next on a command line. Shells ask the program itself, so that what they offer is what it knows.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/command.hpp"

namespace penstock::cli {

/// Names of the server that are offered at a time.
inline constexpr std::size_t names_offered_max = 1'000;

/// One word that may stand there, and what it is, which may be empty.
struct Candidate {
  std::string word;
  std::string what;
};

/// What may stand in the place of the last word. Files are for the shell to know.
struct Candidates {
  std::vector<Candidate> words;
  bool files = false;
};

/// The names that a server has of a kind (QUEUE, STREAM, FUNCTION, CONSUMER, SOURCE or UUID) and that begin so. Of
/// `arguments` the endpoint, the region and the account are there, and the words. Throws if there is no server.
using NamesOf = std::function<std::vector<std::string>(std::string_view kind, const Arguments& arguments,
                                                       const std::string& begin)>;

/// The words of a command line behind the program's name, the last one as far as it is there: it may be empty. A server
/// that cannot be asked has no names.
Candidates candidates_for(const std::vector<std::string>& words, const OfServer& of_server, const NamesOf& names_of);

/// The words of a line as a shell reads it; the last one may be unfinished, and is empty behind a blank.
std::vector<std::string> split_line(std::string_view line);

/// `penstock complete (--line LINE | -- WORD...)`: LINE has the program's name too. Prints a line for each candidate,
/// with what it is behind a tab; or `:files`. Takes a second at most. Complains about nothing: nobody would see it.
int run_complete(const std::vector<std::string>& given, const OfServer& of_server);

}  // namespace penstock::cli
