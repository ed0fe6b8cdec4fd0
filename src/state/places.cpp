#include "state/places.hpp"

#include <cstdlib>
#include <filesystem>

namespace penstock::state {

std::string default_data_dir() {
  // XDG Base Directory Specification: a relative path in the variable is to be ignored.
  if (const char* xdg = std::getenv("XDG_DATA_HOME"); xdg != nullptr && std::filesystem::path(xdg).is_absolute()) {
    return std::string(xdg) + "/penstock";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    return std::string(home) + "/.local/share/penstock";
  }
  return "penstock-data";
}

}  // namespace penstock::state
