#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "runner/code_store.hpp"
#include "state/backup.hpp"
#include "state/code.hpp"
#include "state/inspection.hpp"
#include "state/manifest.hpp"
#include "state/restore.hpp"
#include "storage/data_directory.hpp"
#include "storage/engine_store.hpp"
#include "storage/keys.hpp"
#include "storage/rocksdb_store.hpp"
#include "storage/trigger_records.hpp"

namespace penstock::state {
namespace {

namespace fs = std::filesystem;
using storage::Rows;
using testing::HasSubstr;

const QueueName jobs{"000000000000", "us-east-1", "jobs"};

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
}

/// Every file below a directory, with what is in it and when it was changed.
std::set<std::string> snapshot_of(const fs::path& directory) {
  std::set<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    const auto changed = entry.last_write_time().time_since_epoch().count();
    files.insert(entry.path().string() + " " + std::to_string(changed) + " " + text_of(entry.path()));
  }
  return files;
}

class StateTest : public testing::Test {
 protected:
  void SetUp() override { open(); }

  void open() {
    const StoreError error = storage::open_rocksdb({.directory = data_}, store_);
    ASSERT_FALSE(error) << error.message;
    server_ = std::make_unique<storage::EngineStore>(*store_);
  }
  void close() {
    server_.reset();
    store_.reset();
  }
  void use(std::size_t messages = 50, std::size_t body_bytes = 1'000) {
    (void)server_->ask_for<Done>(Command(CreateQueue{jobs, {}, {}}));
    for (std::size_t i = 0; i < messages; ++i) {
      SendMessages send{jobs, {}};
      send.messages.emplace_back().content.body = std::string(body_bytes, 'm');
      (void)server_->ask_for<SendResults>(Command(std::move(send)));
    }
    (void)server_->ask_for<Deliveries>(Command(ReceiveMessages{jobs, 10}));
  }
  /// Its CodeSha256.
  std::string add_function(const std::string& name) {
    const fs::path zip = directory_.path() / "made.zip";
    const std::string command = "/usr/bin/python3 -c \"import zipfile; z = zipfile.ZipFile('" + zip.string() +
                                "', 'w'); z.writestr('" + name + ".py', 'x = 1'); z.close()\"";
    EXPECT_EQ(std::system(command.c_str()), 0);
    auto put = code_.put(text_of(zip));
    FunctionRecord function;
    function.name = {"000000000000", "us-east-1", name};
    function.code_sha256 = std::get<runner::StoredCode>(put).sha256;
    WriteBatch batch;
    storage::encode(std::vector<TriggerMutation>{PutFunction{function}}, batch);
    EXPECT_FALSE(store_->commit(batch, true));
    return function.code_sha256;
  }

  BackupMade back_up(const Watch& watch = {}) {
    return state::back_up({*store_, data_, code_, "0.1.0", server_->now}, backup_, watch);
  }
  Restored restore(bool move_aside = false) { return state::restore({backup_, target_, move_aside}, {}); }

  template <class Work>
  std::string fault_of(const Work& work) {
    try {
      work();
    } catch (const Fault& fault) {
      return fault.what();
    }
    return "nothing was thrown";
  }
  std::vector<Rows> rows_in(const std::string& directory) {
    std::unique_ptr<storage::InspectedStore> store;
    const StoreError error = storage::open_rocksdb_for_reading(directory, store);
    EXPECT_FALSE(error) << error.message;
    return error ? std::vector<Rows>() : rows_of(*store);
  }
  static std::vector<Rows> rows_of(const Store& store) {
    std::vector<Rows> all;
    for (std::size_t i = 0; i < table_count; ++i) {
      all.push_back(storage::rows_of(store, static_cast<Table>(i), "", std::string(50, '\xff')));
    }
    return all;
  }
  std::vector<std::string> findings_in(const std::string& directory) {
    std::vector<std::string> texts;
    for (const auto& line : inspect(directory, {}).report.findings.lines()) {
      texts.push_back(line.subject + ": " + line.what);
    }
    return texts;
  }
  /// A file of the backup whose name ends so.
  fs::path file_of(const fs::path& directory, std::string_view end) {
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
      if (entry.path().string().ends_with(end)) return entry.path();
    }
    ADD_FAILURE() << "no file that ends with " << end;
    return {};
  }

  storage::TemporaryDirectory directory_;
  const std::string data_ = directory_.path() / "data";
  const std::string backup_ = directory_.path() / "backup";
  const std::string target_ = directory_.path() / "restored";
  runner::CodeStore code_{code_directory_of(data_), true};
  std::unique_ptr<Store> store_;
  std::unique_ptr<storage::EngineStore> server_;
};

// ---- Backups and restores.

TEST_F(StateTest, ABackupHasAllThatIsCommitted) {
  use();
  const std::string sha256 = add_function("greet");
  const auto before = rows_of(*store_);
  const BackupMade made = back_up();
  EXPECT_TRUE(made.warnings.empty());
  EXPECT_EQ(made.manifest.files.size(), read_manifest(backup_).files.size());
  use();
  const Restored restored = restore();
  EXPECT_EQ(restored.moved_to, "");
  EXPECT_EQ(rows_in(target_), before);
  const runner::CodeStore code(code_directory_of(target_), true);
  EXPECT_EQ(code.look_at(sha256), runner::CodeCondition::whole);
  EXPECT_EQ(text_of(code.directory_of(sha256) + "/greet.py"), "x = 1");
  EXPECT_THAT(findings_in(target_), testing::IsEmpty());
  EXPECT_FALSE(fs::exists(fs::path(data_) / "snapshot")) << "what it was made of is left behind";
}

TEST_F(StateTest, ABackupIsOfOneMoment) {
  use(1);
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> committed{0};
  std::thread writer([&] {
    for (std::uint64_t i = 1; !stop; ++i) {
      WriteBatch batch;
      const auto key = storage::Key{}.append_u64(i);
      batch.put(Table::records, key.view(), std::string(3'000, 'r'));
      batch.put(Table::state, key.view(), std::to_string(i));
      if (store_->commit(batch, i % 16 == 0)) break;
      committed = i;
    }
  });
  for (int round = 0; round < 5; ++round) {
    while (committed < static_cast<std::uint64_t>(round + 1) * 300) std::this_thread::yield();
    const std::uint64_t before = committed;
    back_up();
    (void)restore();
    const auto rows = rows_in(target_);
    const Rows& records = rows[static_cast<std::size_t>(Table::records)];
    const Rows& states = rows[static_cast<std::size_t>(Table::state)];
    ASSERT_GE(records.size(), before);
    // Of two tables the same, and nothing left out in between.
    ASSERT_EQ(records.size(), states.size() - 1);
    ASSERT_EQ(records.back().first, storage::Key{}.append_u64(records.size()).view());
    fs::remove_all(backup_);
    fs::remove_all(target_);
  }
  stop = true;
  writer.join();
}

TEST_F(StateTest, ABackupIsRefusedWhereItCannotBe) {
  use();
  const auto into = [&](const std::string& directory) {
    return fault_of([&] { state::back_up({*store_, data_, code_, "0.1.0", server_->now}, directory, {}); });
  };
  EXPECT_THAT(into("relative"), HasSubstr("absolute path"));
  EXPECT_THAT(into(data_ + "/inside"), HasSubstr("within the data directory"));
  EXPECT_THAT(into(directory_.path()), HasSubstr("not an empty directory"));
  EXPECT_THAT(into("/proc/penstock"), HasSubstr("cannot create"));
  write(directory_.path() / "file", "");
  EXPECT_THAT(into(directory_.path() / "file"), HasSubstr("not an empty directory"));
}

TEST_F(StateTest, ABackupThatIsCutOffLeavesNothing) {
  use();
  for (const bool there : {false, true}) {
    if (there) fs::create_directory(backup_);
    EXPECT_THAT(fault_of([&] { back_up([](const Progress& progress) { return progress.bytes_done == 0; }); }),
                HasSubstr("cut off"));
    EXPECT_EQ(fs::exists(backup_), there);
    EXPECT_TRUE(!there || fs::is_empty(backup_));
    EXPECT_FALSE(fs::exists(fs::path(data_) / "snapshot"));
  }
  back_up();
}

TEST_F(StateTest, CodeIsHeldWhileItIsCopied) {
  use();
  const std::string sha256 = add_function("greet");
  bool swept = false;
  back_up([&](const Progress&) {
    if (!std::exchange(swept, true)) {
      EXPECT_FALSE(code_.keep_only({}));
    }
    return true;
  });
  EXPECT_NE(code_.directory_of(sha256), "");
  EXPECT_TRUE(code_.keep_only({}));
  EXPECT_EQ(code_.directory_of(sha256), "");
  (void)restore();
  EXPECT_EQ(runner::CodeStore(code_directory_of(target_), true).look_at(sha256), runner::CodeCondition::whole);
}

TEST_F(StateTest, CodeThatIsMissingIsToldOf) {
  use();
  (void)add_function("greet");
  (void)code_.keep_only({});
  EXPECT_THAT(back_up().warnings, testing::ElementsAre(HasSubstr("the code of function greet is not there")));
  (void)restore();
}

TEST_F(StateTest, ADamagedBackupIsRefused) {
  use();
  (void)add_function("greet");
  back_up();
  for (const ManifestFile& file : read_manifest(backup_).files) {
    const fs::path path = fs::path(backup_) / file.path;
    const std::string before = text_of(path);
    std::string damaged = before;
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
    // A copy, since the file may be a link to one of the server's.
    fs::remove(path);
    write(path, damaged);
    EXPECT_THAT(fault_of([&] { restore(); }), HasSubstr("is damaged: " + file.path)) << "a bit is flipped";
    write(path, before.substr(0, before.size() / 2));
    EXPECT_THAT(fault_of([&] { restore(); }), HasSubstr("is damaged: " + file.path)) << "it is cut off";
    fs::remove(path);
    EXPECT_THAT(fault_of([&] { restore(); }), HasSubstr("is damaged: " + file.path)) << "it is missing";
    write(path, before);
  }
  EXPECT_FALSE(fs::exists(target_));
  (void)restore();
}

TEST_F(StateTest, ABackupWithoutAWholeManifestIsRefused) {
  use();
  back_up();
  const fs::path manifest = fs::path(backup_) / "manifest.json";
  const std::string whole = text_of(manifest);
  for (const std::string& text : {std::string(), std::string("{}"), whole.substr(0, whole.size() / 2),
                                  std::string(R"({"format": 1, "files": [{"path": "../x", "bytes": 1, "sha256": "")") +
                                      std::string(64, '0') + "\"}]}"}) {
    write(manifest, text);
    EXPECT_THAT(fault_of([&] { restore(); }), HasSubstr("damaged: its manifest")) << text;
  }
  write(manifest, R"({"format": 2, "files": []})");
  EXPECT_THAT(fault_of([&] { restore(); }), HasSubstr("is of format 2"));
  write(manifest, R"({"format": 1, "data_format": 999, "files": []})");
  EXPECT_THAT(fault_of([&] { restore(); }), HasSubstr("are of format 999"));
  fs::remove(manifest);
  EXPECT_THAT(fault_of([&] { restore(); }), HasSubstr("did not come to its end"));
  EXPECT_FALSE(fs::exists(target_));
}

TEST_F(StateTest, ABackupOfWhichTheManifestIsNotWhatIsInItIsRefused) {
  use();
  (void)add_function("greet");
  back_up();
  const Manifest whole = read_manifest(backup_);
  for (std::size_t i = 0; i < whole.files.size(); ++i) {
    Manifest shorter = whole;
    shorter.files.erase(shorter.files.begin() + static_cast<std::ptrdiff_t>(i));
    write_manifest(backup_, shorter);
    EXPECT_THAT(fault_of([&] { restore(); }),
                HasSubstr("is damaged: " + whole.files[i].path + " is not in its manifest"));
    if (!whole.files[i].path.ends_with(".log")) continue;
    const fs::path aside = fs::path(backup_) / "aside";
    fs::rename(fs::path(backup_) / whole.files[i].path, aside);
    EXPECT_THAT(fault_of([&] { restore(); }), HasSubstr("is damaged")) << "nor is it there";
    fs::rename(aside, fs::path(backup_) / whole.files[i].path);
  }
  // What somebody else has made may not put anything into a data directory but a database.
  const std::string nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  for (const char* path : {"data/token", "data/zzz", "data/LOCK", "data/1.log/x", "data/../1.log", "data/unfinished",
                           "data/MANIFEST-", "data/x.sst", "code/x.zip", "other/1.log", "1.log", "/1.log", ""}) {
    Manifest longer = whole;
    longer.files.push_back({path, 0, nothing});
    write_manifest(backup_, longer);
    EXPECT_THAT(fault_of([&] { restore(); }), HasSubstr("its manifest names " + std::string(path) + ", which no"))
        << path;
  }
  Manifest twice = whole;
  twice.files.push_back(whole.files.front());
  write_manifest(backup_, twice);
  EXPECT_THAT(fault_of([&] { restore(); }), HasSubstr(" twice"));
  write_manifest(backup_, whole);
  write(fs::path(backup_) / "data" / "token", "planted");
  EXPECT_THAT(fault_of([&] { restore(); }), HasSubstr("data/token is not in its manifest"));
  fs::remove(fs::path(backup_) / "data" / "token");
  EXPECT_FALSE(fs::exists(target_));
  (void)restore();
}

TEST_F(StateTest, WhatIsInTheWayIsMovedAsideIfThatIsWanted) {
  use();
  back_up();
  (void)restore();
  EXPECT_THAT(fault_of([&] { restore(); }), HasSubstr("is not empty"));
  write(fs::path(target_) / "mine", "text");
  EXPECT_EQ(restore(true).moved_to, target_ + ".before-restore");
  EXPECT_EQ(text_of(target_ + ".before-restore/mine"), "text");
  EXPECT_FALSE(fs::exists(fs::path(target_) / "mine"));
  EXPECT_EQ(restore(true).moved_to, target_ + ".before-restore-2");
}

TEST_F(StateTest, ARestoreIntoTheBackupOrAroundItIsRefused) {
  use();
  back_up();
  const auto before = snapshot_of(backup_);
  const std::string link = directory_.path() / "link";
  fs::create_directory_symlink(backup_, link);
  const fs::path around = directory_.path() / "around";
  fs::create_directory(around);
  fs::create_directory_symlink(directory_.path(), around / "out");
  for (const bool move_aside : {false, true}) {
    for (const std::string& target :
         {backup_, backup_ + "/", backup_ + "/data", backup_ + "/new/place", directory_.path().string(),
          directory_.path().string() + "/data/..", link, link + "/data", link + "/new", (around / "out").string(),
          (around / "out" / "backup").string()}) {
      SCOPED_TRACE(target);
      EXPECT_THAT(fault_of([&] {
                    state::restore({backup_, target, move_aside}, {});
                  }),
                  HasSubstr("are one, or one of"));
      EXPECT_THAT(fault_of([&] { state::restore({link, target, move_aside}, {}); }), HasSubstr("are one, or one of"));
    }
  }
  EXPECT_EQ(snapshot_of(backup_), before);
  (void)state::restore({backup_, backup_ + "-of-another-name", false}, {});
}

TEST_F(StateTest, WhatIsMadeIsForItsOwnerAlone) {
  const auto mode_of = [](const fs::path& path) { return fs::status(path).permissions(); };
  use();
  (void)add_function("greet");
  back_up();
  const fs::path deep = directory_.path() / "not" / "there" / "yet";
  (void)state::restore({backup_, deep, false}, {});
  for (const fs::path& top : {fs::path(data_), fs::path(backup_), directory_.path() / "not"}) {
    EXPECT_EQ(mode_of(top), fs::perms::owner_all) << top;
  }
  for (const fs::path& top : {fs::path(backup_), deep}) {
    for (const auto& entry : fs::recursive_directory_iterator(top)) {
      // Code is unpacked with the modes that its archive has, in a directory that nobody else can enter.
      if (entry.path().string().find("/functions/code/") != std::string::npos) continue;
      EXPECT_EQ(mode_of(entry.path()),
                entry.is_directory() ? fs::perms::owner_all : fs::perms::owner_read | fs::perms::owner_write)
          << entry.path();
    }
  }
  const fs::path theirs = directory_.path() / "theirs";
  fs::create_directory(theirs);
  fs::permissions(theirs, fs::perms::owner_all | fs::perms::group_read);
  (void)state::restore({backup_, theirs, false}, {});
  EXPECT_EQ(mode_of(theirs), fs::perms::owner_all | fs::perms::group_read) << "it was there";
}

TEST_F(StateTest, ARestoreThatFailsLeavesWhatWasThere) {
  use();
  back_up();
  (void)restore();
  write(fs::path(target_) / "mine", "text");
  const auto copying = [](const Progress& progress) { return progress.what != "copying" || progress.files_done == 0; };
  EXPECT_THAT(fault_of([&] { state::restore({backup_, target_, true}, copying); }), HasSubstr("cut off"));
  EXPECT_EQ(text_of(fs::path(target_) / "mine"), "text");
  EXPECT_FALSE(fs::exists(target_ + ".before-restore"));
}

TEST_F(StateTest, ARestoreThatIsKilledLeavesADirectoryThatIsRefused) {
  use();
  back_up();
  const pid_t child = ::fork();
  if (child == 0) {
    state::restore({backup_, target_, false}, [](const Progress& progress) {
      if (progress.what == "copying" && progress.files_done == 3) std::_Exit(0);
      return true;
    });
    std::_Exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  std::unique_ptr<Store> store;
  EXPECT_THAT(storage::open_rocksdb({.directory = target_}, store).message, HasSubstr("is not whole"));
  EXPECT_THAT(fault_of([&] { inspect(target_, {}); }), HasSubstr("is not whole"));
  EXPECT_THAT(fault_of([&] { restore(); }), HasSubstr("is not empty"));
  (void)restore(true);
  EXPECT_FALSE(storage::open_rocksdb({.directory = target_}, store));
}

// ---- Inspections.

TEST_F(StateTest, AnInspectionChangesNothing) {
  use();
  (void)add_function("greet");
  close();
  const auto before = snapshot_of(data_);
  const Inspection inspection = inspect(data_, {});
  EXPECT_TRUE(inspection.report.findings.is_sound());
  EXPECT_EQ(inspection.report.counts.messages, 50U);
  EXPECT_EQ(snapshot_of(data_), before);
}

TEST_F(StateTest, AnInspectionReadsTheLogs) {
  use();
  close();
  open();
  (void)add_function("greet");
  close();
  const storage::CheckedCounts counts = inspect(data_, {}).report.counts;
  EXPECT_EQ(counts.messages, 50U);
  EXPECT_EQ(counts.functions, 1U);
}

TEST_F(StateTest, ADirectoryThatLostItsLogIsNotSound) {
  use();
  close();
  fs::remove(file_of(data_, ".log"));
  EXPECT_THAT(findings_in(data_), testing::ElementsAre("log: no log is there"));
}

TEST_F(StateTest, ADirectoryThatWasUsedAndWhoseLogIsEmptyIsNotSound) {
  close();
  const fs::path log = file_of(data_, ".log");
  fs::resize_file(log, 0);
  EXPECT_THAT(findings_in(data_), testing::IsEmpty()) << "a server that was killed in its first moment";
  write(fs::path(data_) / "token", "what a server writes when the format is there");
  EXPECT_THAT(findings_in(data_),
              testing::ElementsAre("log: nothing is in it, though a server has used the directory"));
}

TEST_F(StateTest, ALogThatEndsInNoWholeRecordIsARemark) {
  use();
  close();
  const fs::path log = file_of(data_, ".log");
  const std::string bytes = text_of(log);
  write(log, bytes.substr(0, bytes.size() - 5));
  const Inspection inspection = inspect(data_, {});
  EXPECT_TRUE(inspection.report.findings.is_sound());
  ASSERT_EQ(inspection.report.findings.lines().size(), 1U);
  EXPECT_THAT(inspection.report.findings.lines()[0].what,
              testing::MatchesRegex(".*: [0-9]+ bytes of 000004.log from byte [0-9]+ on"));
}

TEST_F(StateTest, AByteOfALogThatIsAnotherIsDamage) {
  use();
  close();
  const fs::path log = file_of(data_, ".log");
  const std::string bytes = text_of(log);
  for (const std::size_t at : {bytes.size() / 2, bytes.size() - 10'000, bytes.size() - 20}) {
    std::string other = bytes;
    other[at] = static_cast<char>(other[at] ^ 4);
    write(log, other);
    EXPECT_THAT(fault_of([&] { inspect(data_, {}); }), HasSubstr("is damaged: 000004.log, byte ")) << at;
  }
}

TEST_F(StateTest, ADamagedTableIsFound) {
  use(60, 900'000);
  close();
  const fs::path table = file_of(data_, ".sst");
  std::string bytes = text_of(table);
  for (std::size_t i = 0; i < 64; ++i) bytes[bytes.size() / 3 + i] = '\x55';
  write(table, bytes);
  const Inspection inspection = inspect(data_, {});
  ASSERT_FALSE(inspection.report.findings.is_sound());
  EXPECT_THAT(inspection.report.findings.lines().front().subject, testing::EndsWith(".sst"));
}

TEST_F(StateTest, WhatIsNoDataDirectoryIsRefused) {
  close();
  EXPECT_THAT(fault_of([&] { inspect(directory_.path() / "none", {}); }), HasSubstr("there is no data directory"));
  fs::create_directory(target_);
  EXPECT_THAT(fault_of([&] { inspect(target_, {}); }), HasSubstr("there is no data directory"));
}

TEST_F(StateTest, CodeThatIsMissingOrDamagedIsFound) {
  use();
  const std::string greet = add_function("greet");
  const std::string wave = add_function("wave");
  const std::string fine = add_function("fine");
  close();
  EXPECT_TRUE(code_.keep_only({greet, fine}));
  fs::remove(code_.directory_of(greet) + "/greet.py");
  EXPECT_THAT(findings_in(data_), testing::UnorderedElementsAre(
                                      "function greet (000000000000, us-east-1): code that is not what was "
                                      "uploaded: " +
                                          greet,
                                      "function wave (000000000000, us-east-1): code that is not there: " + wave));
}

TEST_F(StateTest, AnInspectionKeepsServersOut) {
  use();
  close();
  storage::DirectoryHold hold;
  ASSERT_FALSE(hold.take(data_));
  const pid_t child = ::fork();
  if (child == 0) {
    std::unique_ptr<Store> store;
    const StoreError error = storage::open_rocksdb({.directory = data_}, store);
    storage::DirectoryHold another;
    std::_Exit(error.status == StoreStatus::in_use && !another.take(data_) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(StateTest, AServersDirectoryIsNotInspected) {
  use();
  const pid_t child = ::fork();
  if (child == 0) std::_Exit(fault_of([&] { inspect(data_, {}); }).find("is in use") != std::string::npos ? 0 : 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace penstock::state
