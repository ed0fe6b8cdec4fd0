#include "config/file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "config/yaml.hpp"

namespace penstock::config {

std::string find_default_file() {
  std::error_code error;
  return std::filesystem::is_regular_file(default_file, error) ? default_file : "";
}

std::optional<Setup> read_file(const std::string& path, Problems& problems) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    problems.add({}, "it is a directory");
    return std::nullopt;
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    problems.add({}, "cannot be read: " + std::string(std::strerror(errno)));
    return std::nullopt;
  }
  // One byte more than there may be tells that there are too many.
  std::string text(yaml_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  const auto document = read_yaml(text, problems);
  if (!document) return std::nullopt;
  return read_setup(*document, problems);
}

std::string directory_of(const std::string& path) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(path, error);
  return (error ? std::filesystem::path(path) : whole).parent_path().lexically_normal().string();
}

}  // namespace penstock::config
