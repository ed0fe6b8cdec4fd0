#include "state/restore.hpp"

#include <cstdint>
#include <optional>
#include <string>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/data.hpp"
#include "cli/output.hpp"
#include "state/manifest.hpp"

namespace penstock::cli {

namespace {

using protocol::optional;
using protocol::required;
using protocol::Shape;

struct RestoredShape {
  std::optional<std::string> backup;
  std::optional<std::string> created;
  std::optional<std::int64_t> files;
  std::optional<std::int64_t> bytes;
  std::optional<std::string> data_dir;
  std::optional<std::string> moved_to;

  static constexpr auto shape() {
    using Self = RestoredShape;
    return Shape("Restored", required("backup", &Self::backup), required("created", &Self::created),
                 required("files", &Self::files), required("bytes", &Self::bytes),
                 optional("data_dir", &Self::data_dir), optional("moved_to", &Self::moved_to));
  }
};

RestoredShape shape_of(const std::string& backup, const state::Manifest& manifest) {
  RestoredShape shape;
  shape.backup = backup;
  shape.created = manifest.created;
  shape.files = static_cast<std::int64_t>(manifest.files.size());
  shape.bytes = static_cast<std::int64_t>(manifest.bytes());
  return shape;
}

std::string text_of(const state::Manifest& manifest) {
  return counted(manifest.files.size(), "file", "files") + " with " + bytes_text(manifest.bytes()) + ", made " +
         manifest.created + " by penstock " + manifest.version;
}

void print(const std::string& text) {
  Output output;
  output.write(text + "\n");
  output.flush();
}

int verify(const std::string& backup, bool json) {
  Progress progress;
  const state::Manifest manifest = state::read_manifest(backup);
  state::verify_files(backup, manifest, shown_on(progress));
  progress.clear();
  if (json) {
    print_json(shape_of(backup, manifest));
  } else {
    print(backup + " is whole: " + text_of(manifest));
  }
  return success_status;
}

}  // namespace

void describe_restore(cxxopts::Options& flags) {
  describe_data_dir(flags, "where it is restored to");
  // clang-format off
  flags.add_options()
      ("force", "move what is in the way aside, and tell where", cxxopts::value<bool>())
      ("verify", "only hold the backup against its hashes", cxxopts::value<bool>());
  // clang-format on
}

int run_restore(const Arguments& arguments) {
  const std::string backup = arguments.word(0);
  if (arguments.has("verify")) {
    if (arguments.has("data-dir") || arguments.has("force")) throw UsageError("--verify goes with no other flag");
    return verify(backup, arguments.json);
  }
  const std::string data_dir = data_dir_of(arguments);
  Progress progress;
  const state::Restored restored = state::restore({backup, data_dir, arguments.has("force")}, shown_on(progress));
  progress.clear();
  if (!restored.moved_to.empty()) remark("what was in " + data_dir + " is now in " + restored.moved_to);
  if (!arguments.json) {
    print("restored to " + data_dir + ": " + text_of(restored.manifest));
    return success_status;
  }
  RestoredShape shape = shape_of(backup, restored.manifest);
  shape.data_dir = data_dir;
  if (!restored.moved_to.empty()) shape.moved_to = restored.moved_to;
  print_json(shape);
  return success_status;
}

}  // namespace penstock::cli
