#include "config/file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "config/template/template.hpp"
#include "config/yaml.hpp"

namespace penstock::config {

std::string find_default_file() {
  std::error_code error;
  return std::filesystem::is_regular_file(default_file, error) ? default_file : "";
}

std::optional<std::string> read_text(const std::string& path, std::size_t bytes_max, Problems& problems) {
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
  std::string text(bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

std::optional<Setup> read_file(const std::string& path, const TemplateInput& input, Problems& problems) {
  const auto text = read_text(path, yaml_bytes_max, problems);
  const auto document = text ? read_yaml(*text, problems) : std::nullopt;
  if (!document) return std::nullopt;
  if (is_template(*document)) {
    // CloudFormation reads YAML 1.1. What can be read in the one way can be in the other.
    return read_template(read_yaml(*text, problems, Words::yaml_1_1).value_or(*document), input, problems);
  }
  if (!input.parameters.empty()) problems.add({}, "it is no template, and has no parameters");
  return read_setup(*document, problems);
}

std::string directory_of(const std::string& path) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(path, error);
  return (error ? std::filesystem::path(path) : whole).parent_path().lexically_normal().string();
}

}  // namespace penstock::config
