#include "config/places.hpp"

#include <cstdlib>
#include <filesystem>

namespace penstock::config {

std::string default_data_dir() {
  // A relative path in the variable is to be ignored.
  if (const char* xdg = std::getenv("XDG_DATA_HOME"); xdg != nullptr && std::filesystem::path(xdg).is_absolute()) {
    return std::string(xdg) + "/penstock";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    return std::string(home) + "/.local/share/penstock";
  }
  return "penstock-data";
}

std::string token_file_in(const std::string& data_dir) { return data_dir + "/token"; }

}  // namespace penstock::config
