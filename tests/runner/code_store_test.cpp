#include "runner/code_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "workbench.hpp"

namespace penstock::runner {
namespace {

namespace fs = std::filesystem;

constexpr const char* malformed = "Could not unzip uploaded file. Please check your file, then try to upload again.";

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class CodeStores : public testing::Test {
 protected:
  // Archives are made by Python, by lines that have `z`, a ZipFile that is open for writing.
  std::string zip(const std::string& lines, const std::string& mode = "'w'") {
    const std::string file = directory_.path() + "/made.zip";
    fs::remove(file);
    const std::string script =
        directory_.write("make.py",
                         "import zipfile\nfrom zipfile import ZipInfo\n"
                         "def entry(name, mode):\n  i = ZipInfo(name)\n  i.external_attr = mode << 16\n  "
                         "i.create_system = 3\n  return i\n"
                         "z = zipfile.ZipFile('" +
                             file + "', " + mode + ", zipfile.ZIP_DEFLATED)\n" + lines + "\nz.close()\n");
    EXPECT_EQ(std::system(("/usr/bin/python3 -W ignore " + script).c_str()), 0);
    return text_of(file);
  }
  StoredCode put(const std::string& bytes) {
    auto result = store_.put(bytes);
    if (const auto* refused = std::get_if<CodeRefused>(&result)) {
      ADD_FAILURE() << refused->message;
      return {};
    }
    return std::get<StoredCode>(std::move(result));
  }
  std::string refusal(const std::string& bytes) {
    const auto result = store_.put(bytes);
    const auto* refused = std::get_if<CodeRefused>(&result);
    return refused == nullptr ? "taken" : refused->message;
  }
  std::string file(const StoredCode& code, const std::string& name) {
    return text_of(store_.directory_of(code.sha256) + "/" + name);
  }

  TemporaryDirectory directory_;
  CodeStore store_{directory_.path() + "/functions", false, {.files_bytes_max = 1U << 20U, .files_max = 100}};
};

TEST_F(CodeStores, UnpackWhatTheyAreGiven) {
  const std::string archive =
      zip("z.writestr(entry('bootstrap', 0o100755), '#!/bin/sh')\n"
          "z.writestr('folder/module.py', 'x' * 100000)\n"
          "z.writestr('empty/', '')");
  const StoredCode code = put(archive);
  EXPECT_EQ(code.bytes, archive.size());
  EXPECT_EQ(code.sha256.size(), 44U);
  EXPECT_EQ(file(code, "bootstrap"), "#!/bin/sh");
  EXPECT_EQ(file(code, "folder/module.py"), std::string(100'000, 'x'));
  struct stat found = {};
  ASSERT_EQ(::stat((store_.directory_of(code.sha256) + "/bootstrap").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0755U);
  EXPECT_TRUE(fs::is_directory(store_.directory_of(code.sha256) + "/empty"));
  EXPECT_EQ(store_.zip_of(code.sha256), archive);
}

TEST_F(CodeStores, KeepCodeOverTheirOwnEnd) {
  const StoredCode code = [&] {
    CodeStore durable(directory_.path() + "/functions", true);
    return std::get<StoredCode>(durable.put(zip("z.writestr('a', '1')")));
  }();
  EXPECT_EQ(file(code, "a"), "1");
}

TEST_F(CodeStores, TakeTheSameArchiveTwice) {
  const std::string archive = zip("z.writestr('a', '1')");
  EXPECT_EQ(put(archive).sha256, put(archive).sha256);
}

TEST_F(CodeStores, RefuseWhatIsNoArchive) {
  EXPECT_EQ(refusal("PK no archive"), malformed);
  EXPECT_EQ(refusal(""), "Uploaded file must be a non-empty zip");
  EXPECT_EQ(refusal(zip("")), "Uploaded file must be a non-empty zip");
}

TEST_F(CodeStores, RefuseArchivesThatAreDamaged) {
  const std::string archive = zip("z.writestr('a', '0123456789' * 100)");
  for (std::size_t size = 0; size < archive.size(); ++size)
    EXPECT_NE(refusal(archive.substr(0, size)), "taken") << size;
  std::string other = archive;
  other[40] = static_cast<char>(other[40] ^ 1);
  EXPECT_EQ(refusal(other), malformed);
}

TEST_F(CodeStores, SurviveEveryByteBeingAnother) {
  const std::string archive = zip("z.writestr('a', 'b')\nz.writestr('c/d', 'e' * 50)");
  for (std::size_t at = 0; at < archive.size(); ++at) {
    for (const int value : {0x00, 0x7F, 0xFF}) {
      std::string other = archive;
      other[at] = static_cast<char>(value);
      (void)store_.put(other);
    }
  }
}

TEST_F(CodeStores, RefuseWhatLeadsOutOfTheirDirectory) {
  EXPECT_EQ(refusal(zip("z.writestr('../a', '1')")), malformed);
  EXPECT_EQ(refusal(zip("z.writestr('a/../../b', '1')")), malformed);
  EXPECT_EQ(refusal(zip("z.writestr('/etc/a', '1')")), malformed);
  EXPECT_EQ(refusal(zip("z.writestr(entry('l', 0o120777), '/etc/passwd')")), malformed);
  EXPECT_EQ(refusal(zip("z.writestr(entry('l', 0o120777), '../../x')")), malformed);
  EXPECT_EQ(refusal(zip("z.writestr(entry('p/q/b', 0o120777), '../..')\n"
                        "z.writestr(entry('p/q/a', 0o120777), 'b/../x')")),
            malformed)
      << "which only the two together do";
  EXPECT_EQ(refusal(zip("z.writestr(entry('l', 0o120777), '..')\nz.writestr('l/x', '1')")), malformed);
  EXPECT_FALSE(fs::exists(directory_.path() + "/functions/x"));
}

TEST_F(CodeStores, RefuseNamesThatAreNone) {
  EXPECT_EQ(refusal(zip("z.writestr('x' * 300, '1')")), malformed);
  EXPECT_EQ(refusal(zip("z.writestr('x' * 300 + '/a', '1')")), malformed);
  EXPECT_EQ(refusal(zip("z.writestr('x' * 300 + '/', '')")), malformed);
  EXPECT_EQ(refusal(zip("z.writestr('/'.join(['d' * 200] * 30), '1')")), malformed) << "longer than a path may be";
  EXPECT_EQ(refusal(zip("z.writestr('a', '1')\nz.writestr('a/b', '1')")), malformed) << "a file is no directory";
  std::string archive = zip("z.writestr('a_b', '1')");
  for (std::size_t at = archive.find("a_b"); at != std::string::npos; at = archive.find("a_b")) archive[at + 1] = '\0';
  EXPECT_EQ(refusal(archive), malformed);
}

// As what lies there is after a loss of power: a file has lost what was written to it.
TEST_F(CodeStores, DoNotTakeForWholeWhatWasNotSyncedInAnotherRunOfTheMachine) {
  const std::string archive = zip("z.writestr('a', '12345')\nz.writestr('b/', '')\nz.writestr('b/c', '')");
  const StoredCode code = put(archive);
  const fs::path place = fs::path(store_.directory_of(code.sha256)).parent_path();
  const auto later = [&] { return CodeStore(directory_.path() + "/functions", false).directory_of(code.sha256); };
  EXPECT_NE(later(), "");

  std::ofstream(place / "whole", std::ios::trunc) << "another run";
  EXPECT_NE(later(), "") << "all is there";
  std::ofstream(place / "whole", std::ios::trunc) << "another run";
  fs::resize_file(place / "files" / "a", 0);
  EXPECT_EQ(later(), "");
  EXPECT_EQ(later(), "") << "it does not become whole by being looked at";

  CodeStore next(directory_.path() + "/functions", false);
  EXPECT_TRUE(std::holds_alternative<StoredCode>(next.put(archive))) << "to be put anew";
  EXPECT_EQ(text_of(next.directory_of(code.sha256) + "/a"), "12345");
  std::ofstream(place / "whole", std::ios::trunc) << "another run";
  fs::resize_file(place / "code.zip", 10);
  EXPECT_EQ(later(), "");
}

TEST_F(CodeStores, TakeForWholeWhatWasSynced) {
  CodeStore durable(directory_.path() + "/functions", true);
  const auto code = std::get<StoredCode>(durable.put(zip("z.writestr('a', '1')")));
  EXPECT_EQ(text_of(fs::path(durable.directory_of(code.sha256)).parent_path() / "whole"), "synced");
}

TEST_F(CodeStores, KeepLinksThatStayWithin) {
  const StoredCode code =
      put(zip("z.writestr('lib/real.so.1', 'code')\n"
              "z.writestr(entry('lib/real.so', 0o120777), 'real.so.1')"));
  EXPECT_EQ(file(code, "lib/real.so"), "code");
  EXPECT_TRUE(fs::is_symlink(store_.directory_of(code.sha256) + "/lib/real.so"));
}

TEST_F(CodeStores, RefuseMoreThanTheyHold) {
  EXPECT_EQ(refusal(zip("z.writestr('a', b'0' * (1 << 20) + b'0')")),
            "Unzipped size must be smaller than 1048576 bytes");
  EXPECT_EQ(refusal(zip("for i in range(101): z.writestr(str(i), '1')")), malformed);
}

TEST_F(CodeStores, RefuseABombThatLiesAboutItsSize) {
  std::string archive = zip("z.writestr('a', b'0' * 100000)");
  const std::size_t central = archive.rfind("PK\x01\x02");
  archive[central + 24] = 10;
  archive[central + 25] = 0;
  archive[central + 26] = 0;
  EXPECT_EQ(refusal(archive), malformed);
}

TEST_F(CodeStores, DropWhatNobodyNames) {
  StoredCode kept = put(zip("z.writestr('a', '1')"));
  StoredCode held = put(zip("z.writestr('a', '2')"));
  StoredCode dropped = put(zip("z.writestr('a', '3')"));
  dropped.hold.reset();
  kept.hold.reset();
  EXPECT_FALSE(store_.keep_only({kept.sha256})) << "something is left";
  EXPECT_EQ(file(kept, "a"), "1");
  EXPECT_EQ(file(held, "a"), "2") << "it has just been put, and its function is not written yet";
  EXPECT_EQ(store_.directory_of(dropped.sha256), "");
  EXPECT_EQ(store_.zip_of(dropped.sha256), std::nullopt);
  CodePlace used = store_.use(held.sha256);
  held.hold.reset();
  EXPECT_FALSE(store_.keep_only({kept.sha256}));
  EXPECT_EQ(text_of(used.directory + "/a"), "2") << "it is being run";
  used.hold.reset();
  EXPECT_TRUE(store_.keep_only({kept.sha256}));
  EXPECT_EQ(store_.use(held.sha256).directory, "");
}

}  // namespace
}  // namespace penstock::runner
