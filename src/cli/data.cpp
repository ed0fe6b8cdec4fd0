#include "cli/data.hpp"

#include <array>
#include <cstddef>

#include "config/places.hpp"

namespace penstock::cli {

void describe_data_dir(cxxopts::Options& flags, const char* what) {
  flags.add_options()("data-dir", std::string(what) + " (default: " + config::default_data_dir() + ")",
                      cxxopts::value<std::string>(), "DIR");
}

std::string data_dir_of(const Arguments& arguments) {
  if (!arguments.has("data-dir")) return config::default_data_dir();
  std::string directory = arguments.text("data-dir");
  if (directory.empty()) throw UsageError("--data-dir names no directory");
  return directory;
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::uint64_t step = 1'000;
  constexpr std::array<const char*, 5> units{"B", "kB", "MB", "GB", "TB"};
  std::uint64_t tenths = bytes * 10;
  std::size_t unit = 0;
  while (tenths >= step * 10 && unit + 1 < units.size()) {
    tenths /= step;
    ++unit;
  }
  std::string text = std::to_string(tenths / 10);
  if (unit > 0 && tenths < 1'000) text += "." + std::to_string(tenths % 10);
  return text + " " + units.at(unit);
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return grouped(count) + " " + std::string(count == 1 ? one : many);
}

std::string progress_text(const state::Progress& progress) {
  std::string text(progress.what);
  if (progress.entries_done > 0) return text + ": " + counted(progress.entries_done, "entry", "entries");
  if (progress.bytes > 0) text += ": " + bytes_text(progress.bytes_done) + " of " + bytes_text(progress.bytes);
  if (progress.files > 0) {
    text += (progress.bytes > 0 ? ", " : ": ") + grouped(progress.files_done) + " of " +
            counted(progress.files, "file", "files");
  }
  return text;
}

state::Watch shown_on(Progress& progress) {
  return [&progress](const state::Progress& so_far) {
    progress.show(progress_text(so_far));
    return true;
  };
}

}  // namespace penstock::cli
