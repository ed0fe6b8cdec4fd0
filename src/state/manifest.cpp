#include "state/manifest.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <variant>

#include "protocol/decode.hpp"
#include "protocol/encode.hpp"
#include "protocol/json.hpp"
#include "protocol/shape.hpp"
#include "state/files.hpp"
#include "state/watcher.hpp"

namespace penstock::state {

namespace {

namespace fs = std::filesystem;
using protocol::required;
using protocol::Shape;

constexpr std::size_t sha256_digits = 64;
constexpr std::size_t damages_named_max = 10;

struct FileShape {
  std::optional<std::string> path;
  std::optional<std::int64_t> bytes;
  std::optional<std::string> sha256;

  static constexpr auto shape() {
    using Self = FileShape;
    return Shape("File", required("path", &Self::path), required("bytes", &Self::bytes),
                 required("sha256", &Self::sha256));
  }
};

struct ManifestShape {
  std::optional<std::int64_t> format;
  std::optional<std::string> version;
  std::optional<std::string> created;
  std::optional<std::int64_t> data_format;
  std::optional<std::vector<FileShape>> files;

  static constexpr auto shape() {
    using Self = ManifestShape;
    return Shape("Manifest", required("format", &Self::format), required("penstock", &Self::version),
                 required("created", &Self::created), required("data_format", &Self::data_format),
                 required("files", &Self::files));
  }
};

[[noreturn]] void fail_damaged(const std::string& directory, const std::string& what) {
  throw Fault(Fault::Kind::damaged, "the backup " + directory + " is damaged: " + what);
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Whether a database has files of that name. Nothing else is put into a data directory: not the token of a server, by
/// which somebody else could get at it.
bool is_of_database(std::string_view name) {
  for (const std::string_view begin : {"MANIFEST-", "OPTIONS-"}) {
    if (name.starts_with(begin)) return is_number(name.substr(begin.size()));
  }
  for (const std::string_view end : {".log", ".sst"}) {
    if (name.ends_with(end)) return is_number(name.substr(0, name.size() - end.size()));
  }
  return name == "CURRENT" || name == "IDENTITY";
}

bool is_of_backup(const ManifestFile& file) {
  const std::string data = std::string(data_folder) + "/";
  if (file.path.starts_with(data)) return is_of_database(std::string_view(file.path).substr(data.size()));
  return file.path == std::string(code_folder) + "/" + file.sha256 + ".zip";
}

Manifest checked(const std::string& directory, ManifestShape&& read) {
  Manifest manifest{read.version.value_or(""), read.created.value_or(""), 0, {}};
  manifest.data_format = static_cast<std::uint32_t>(read.data_format.value_or(0));
  std::set<std::string> names;
  for (FileShape& file : *read.files) {
    const bool whole =
        file.path && file.bytes && *file.bytes >= 0 && file.sha256 && file.sha256->size() == sha256_digits;
    if (!whole) fail_damaged(directory, "its manifest has a file without a path, a size or a SHA-256");
    manifest.files.push_back({std::move(*file.path), static_cast<std::uint64_t>(*file.bytes), std::move(*file.sha256)});
    const ManifestFile& added = manifest.files.back();
    if (!is_of_backup(added)) fail_damaged(directory, "its manifest names " + added.path + ", which no backup has");
    if (!names.insert(added.path).second) fail_damaged(directory, "its manifest names " + added.path + " twice");
  }
  return manifest;
}

/// Empty if the file is as the manifest has it.
std::string damage_of(const std::string& directory, const ManifestFile& file, Watcher& watcher) {
  const fs::path path = fs::path(directory) / file.path;
  std::error_code error;
  const std::uint64_t bytes = fs::file_size(path, error);
  if (error) return file.path + " cannot be read: " + error.message();
  if (bytes != file.bytes) {
    return file.path + " has " + std::to_string(bytes) + " bytes rather than " + std::to_string(file.bytes);
  }
  const FileSum sum = sum_of_file(path, watcher.bytes());
  return sum.sha256 == file.sha256 ? std::string() : file.path + " does not have its SHA-256";
}

/// What lies in the folders of a backup, below its directory.
std::vector<std::string> files_in(const std::string& directory) {
  std::vector<std::string> found;
  for (const std::string_view folder : {data_folder, code_folder}) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(fs::path(directory) / folder, error)) {
      found.push_back(std::string(folder) + "/" + entry.path().filename().string());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

std::uint64_t Manifest::bytes() const {
  std::uint64_t sum = 0;
  for (const ManifestFile& file : files) sum += file.bytes;
  return sum;
}

void write_manifest(const std::string& directory, const Manifest& manifest) {
  ManifestShape shape{manifest_format, manifest.version, manifest.created, manifest.data_format, {}};
  auto& files = shape.files.emplace();
  for (const ManifestFile& file : manifest.files) {
    files.push_back({file.path, static_cast<std::int64_t>(file.bytes), file.sha256});
  }
  protocol::JsonSink sink;
  sink.open();
  write_members(sink, shape);
  sink.close();
  write_whole(fs::path(directory) / manifest_file, sink.take() + "\n");
}

Manifest read_manifest(const std::string& directory) {
  const fs::path path = fs::path(directory) / manifest_file;
  std::error_code ignored;
  if (!fs::is_directory(directory, ignored)) {
    throw Fault(Fault::Kind::refused, "there is no directory " + directory);
  }
  if (!fs::exists(path, ignored)) {
    throw Fault(Fault::Kind::damaged,
                directory + " is no backup, or one that did not come to its end: it has no manifest.json");
  }
  const std::string text = read_whole(path, manifest_bytes_max);
  const auto parsed = protocol::parse_json(text);
  const auto* source = std::get_if<protocol::JsonSource>(&parsed);
  ManifestShape read;
  if (source == nullptr || read_members(*source, read) || !read.format || !read.files) {
    fail_damaged(directory, "its manifest cannot be read");
  }
  if (*read.format > manifest_format) {
    throw Fault(Fault::Kind::refused, "the backup " + directory + " is of format " + std::to_string(*read.format) +
                                          ", and this version reads formats up to " + std::to_string(manifest_format));
  }
  return checked(directory, std::move(read));
}

void verify_files(const std::string& directory, const Manifest& manifest, const Watch& watch) {
  Watcher watcher(watch, "verifying", manifest.files.size(), manifest.bytes());
  std::vector<std::string> damages;
  std::size_t count = 0;
  for (const ManifestFile& file : manifest.files) {
    const std::string damage = damage_of(directory, file, watcher);
    watcher.file_done();
    if (damage.empty()) continue;
    if (++count <= damages_named_max) damages.push_back(damage);
  }
  std::set<std::string> named;
  for (const ManifestFile& file : manifest.files) named.insert(file.path);
  for (const std::string& path : files_in(directory)) {
    if (named.count(path) == 0 && ++count <= damages_named_max) damages.push_back(path + " is not in its manifest");
  }
  if (count == 0) return;
  std::string text;
  for (const std::string& damage : damages) text += (text.empty() ? "" : "; ") + damage;
  if (count > damages.size()) text += "; and " + std::to_string(count - damages.size()) + " more";
  fail_damaged(directory, text);
}

}  // namespace penstock::state
