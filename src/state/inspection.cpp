#include "state/inspection.hpp"

#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include "runner/code_store.hpp"
#include "state/code.hpp"
#include "state/files.hpp"
#include "state/watcher.hpp"
#include "storage/data_directory.hpp"
#include "storage/rocksdb_store.hpp"

namespace penstock::state {

namespace {

using storage::Finding;
using storage::InspectedStore;

void check_files(const InspectedStore& store, Inspection& inspection, const Watch& watch) {
  const std::vector<InspectedStore::File> files = store.files();
  inspection.files = files.size();
  for (const InspectedStore::File& file : files) inspection.bytes += file.bytes;
  Watcher watcher(watch, "reading files", inspection.files, inspection.bytes);
  for (const InspectedStore::File& file : files) {
    if (const StoreError error = store.verify(file)) {
      inspection.report.findings.add(Finding::damaged_file, file.name, error.message);
    }
    watcher.bytes_done(file.bytes);
    watcher.file_done();
  }
}

void check_code(const std::string& data_dir, storage::CheckReport& report, const Watch& watch) {
  const runner::CodeStore code(code_directory_of(data_dir), true);
  Watcher watcher(watch, "reading code", report.code.size(), 0);
  for (const auto& [sha256, subject] : report.code) {
    switch (code.look_at(sha256)) {
      case runner::CodeCondition::whole:
        break;
      case runner::CodeCondition::missing:
        report.findings.add(Finding::code_missing, subject, sha256);
        break;
      case runner::CodeCondition::damaged:
        report.findings.add(Finding::code_damaged, subject, sha256);
        break;
    }
    watcher.file_done();
  }
}

}  // namespace

Inspection inspect(const std::string& data_dir, const Watch& watch) {
  try {
    storage::DirectoryHold hold;
    if (const StoreError error = hold.take(data_dir)) fail(error);
    if (const StoreError error = storage::objection_to_unfinished(data_dir)) fail(error);
    std::unique_ptr<InspectedStore> store;
    if (const StoreError error = storage::open_rocksdb_for_reading(data_dir, store)) fail(error);
    Inspection inspection;
    if (const InspectedStore::TornLog torn = store->torn_log(); !torn.where.empty()) {
      inspection.report.findings.add(torn.has_records ? Finding::log_with_hole : Finding::torn_log, "log", torn.where);
    }
    if (!store->has_log()) {
      inspection.report.findings.add(Finding::no_log, "log", {});
    } else if (storage::has_lost_all(data_dir, *store)) {
      inspection.report.findings.add(Finding::emptied_log, "log", {});
    }
    check_files(*store, inspection, watch);
    Watcher watcher(watch, "reading", 0, 0);
    storage::check(*store, inspection.report,
                   [&](std::string_view what, std::uint64_t entries) { watcher.entries_done(what, entries); });
    check_code(data_dir, inspection.report, watch);
    return inspection;
  } catch (const std::system_error& error) {
    fail(error.what(), error.code().value());
  }
}

}  // namespace penstock::state
