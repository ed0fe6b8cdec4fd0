#!/usr/bin/env python3
"""What is installed, and what there is for those who package it: test_packaging.py --penstock BIN --build DIR [unittest
arguments]. A tool that is not there is said to be missing, and its test skipped."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PACKAGING = SOURCE / "src" / "packaging"
PENSTOCK = ""
BUILD = ""
LIMIT = 120
SHELLS = {"bash": "share/bash-completion/completions/penstock", "zsh": "share/zsh/site-functions/_penstock",
          "fish": "share/fish/vendor_completions.d/penstock.fish"}


def run(*arguments, **more):
    return subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, timeout=LIMIT, **more)


def flags_of(*command):
    return set(re.findall(r"(?m)^ +(?:-\w, )?(--[a-z][a-z-]*)", run(PENSTOCK, *command, "--help").stdout))


def commands():
    return [name for name in re.findall(r"(?m)^  ([a-z]+)(?: \S+)*  +\S", run(PENSTOCK, "help").stdout)]


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.prefix = pathlib.Path(cls.temporary.name, "prefix")
        cls.done = run("cmake", "--install", BUILD, "--prefix", cls.prefix)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def need(self, tool):
        if not shutil.which(tool):
            self.skipTest(f"this machine has no {tool}")

    def test_everything_is_in_its_place(self):
        self.assertEqual(self.done.returncode, 0, self.done.stderr)
        for place in ("bin/penstock", "share/man/man1/penstock.1", "lib/systemd/system/penstock.service",
                      "etc/penstock/penstock.yaml", "include/penstock/client.hpp", "lib/libpenstock_client.a",
                      "lib/cmake/Penstock/PenstockConfig.cmake", "lib/cmake/Penstock/PenstockConfigVersion.cmake"):
            with self.subTest(place=place):
                self.assertTrue((self.prefix / place).is_file())
        self.assertEqual(run(self.prefix / "bin/penstock", "--version").stdout, run(PENSTOCK, "--version").stdout)

    def test_a_second_time_leaves_what_an_administrator_has_changed(self):
        changed = self.prefix / "etc/penstock/penstock.yaml"
        changed.write_text("settings: {port: 1}\n")
        self.assertEqual(run("cmake", "--install", BUILD, "--prefix", self.prefix).returncode, 0)
        self.assertEqual(changed.read_text(), "settings: {port: 1}\n")

    def test_completions_are_the_programs_own(self):
        for shell, place in SHELLS.items():
            with self.subTest(shell=shell):
                script = run(PENSTOCK, "completion", shell)
                if script.returncode != 0:
                    self.skipTest("the program has no completions")
                self.assertEqual((self.prefix / place).read_text(), script.stdout)

    def test_the_manual_has_every_command_and_flag(self):
        page = (self.prefix / "share/man/man1/penstock.1").read_text().replace("\\-", "-")
        self.assertIn("serve", commands())
        self.assertGreater(len(flags_of("serve")), 20)
        for name in commands():
            with self.subTest(command=name):
                self.assertRegex(page, rf"(?m)^\.SS penstock {name}\b")
                for flag in flags_of(name):
                    self.assertRegex(page, rf"(?m)^\.B (-\w, )?{flag}( |$)", flag)
        self.assertNotIn('default: "")', page)
        self.assertNotIn("@", page)
        home = os.path.expanduser("~")
        if len(home) > 1:
            self.assertNotIn(home, page)

    def test_the_manual_is_without_warnings(self):
        self.need("man")
        page = self.prefix / "share/man/man1/penstock.1"
        done = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page, env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": ""})
        if "No manual entry" in done.stderr or "minimized" in done.stdout + done.stderr:
            self.skipTest("this machine has no manual pages")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_the_service_is_in_order(self):
        self.need("systemd-analyze")
        unit = pathlib.Path(self.temporary.name, "penstock.service")
        text = (self.prefix / "lib/systemd/system/penstock.service").read_text()
        # It is not installed where systemd would look for it.
        self.assertIn("\nExecStart=penstock serve ", text)
        text = text.replace("ExecStart=penstock", f"ExecStart={PENSTOCK}")
        unit.write_text(re.sub(r"(?m)^Documentation=.*\n", "", text))
        done = run("systemd-analyze", "verify", "--man=no", unit)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for line in ("Type=notify", "KillMode=mixed", "StateDirectory=penstock", "DynamicUser=yes", "Delegate=yes", "NoNewPrivileges=yes",
                     "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes"):
            self.assertIn("\n" + line + "\n", text)
        rated = run("systemd-analyze", "security", "--offline=yes", "--threshold=40", unit)
        self.assertEqual(rated.returncode, 0, rated.stdout[-200:])

    def test_the_services_configuration_is_in_order(self):
        done = run(PENSTOCK, "config", "check", self.prefix / "etc/penstock/penstock.yaml")
        self.assertEqual(done.returncode, 0, done.stderr)
        # And so is what it has as an example.
        example = pathlib.Path(self.temporary.name, "example.yaml")
        text = (PACKAGING / "penstock.yaml").read_text()
        example.write_text("".join(line[2:] for line in text.splitlines(True)[3:] if line.startswith("# ")))
        done = run(PENSTOCK, "config", "check", example)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("jobs", done.stdout)

    def test_consumers_in_cpp_find_the_client(self):
        self.need("cmake")
        project = pathlib.Path(self.temporary.name, "consumer")
        project.mkdir()
        (project / "main.cpp").write_text(
            "#include <cstdio>\n#include <penstock/client.hpp>\n"
            "int main() {\n"
            "  try {\n"
            "    penstock::client::Consumer consumer({.endpoint = \"http://127.0.0.1:1\", .stream = \"s\", .consumer = \"c\"});\n"
            "    consumer.stop();\n"
            "    consumer.run([](const penstock::client::Batch&) {});\n"
            "  } catch (const penstock::client::Unreachable& error) {\n"
            "    std::puts(error.what());\n"
            "  }\n"
            "  try {\n"
            "    penstock::client::Consumer consumer({.endpoint = \"ftp://x\", .stream = \"s\", .consumer = \"c\"});\n"
            "  } catch (const std::invalid_argument& error) {\n"
            "    std::puts(error.what());\n"
            "  }\n"
            "}\n")
        (project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.20)\nproject(consumer CXX)\nfind_package(Penstock 0.1 REQUIRED)\n"
            "add_executable(consumer main.cpp)\ntarget_link_libraries(consumer Penstock::client)\n")
        done = run("cmake", "-S", project, "-B", project / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = run("cmake", "--build", project / "build")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = run(project / "build" / "consumer")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("the endpoint 'ftp://x' is not http", done.stdout)

    def test_the_archive_shows_nothing_but_the_client(self):
        self.need("nm")
        shown = run("nm", "--extern-only", "--defined-only", "--format=posix", self.prefix / "lib/libpenstock_client.a").stdout
        names = [line.split()[0] for line in shown.splitlines() if line and not line.endswith(":")]
        self.assertGreater(len(names), 20)
        self.assertEqual([name for name in names if "8penstock6client" not in name], [])


class Sources(unittest.TestCase):
    def test_maintainer_scripts_are_in_order(self):
        for name in ("postinst", "prerm", "postrm"):
            with self.subTest(script=name):
                script = PACKAGING / "debian" / name
                self.assertTrue(os.access(script, os.X_OK))
                self.assertEqual(run("sh", "-n", script).returncode, 0)
                if shutil.which("shellcheck"):
                    done = run("shellcheck", script)
                    self.assertEqual(done.returncode, 0, done.stdout)

    def test_the_image_is_made_of_debian_alone_and_runs_as_nobody_special(self):
        text = (PACKAGING / "Dockerfile").read_text()
        steps = re.sub(r"(?m)^#.*\n", "", text).replace("\\\n", " ")
        kinds = [line.split()[0] for line in steps.splitlines() if line.strip()]
        self.assertEqual(set(kinds) - set("FROM WORKDIR COPY RUN SHELL USER ENV VOLUME EXPOSE HEALTHCHECK CMD STOPSIGNAL "
                                          "ENTRYPOINT".split()) - {"CMD"}, set())
        self.assertEqual([line.split()[1].split(":")[0] for line in steps.splitlines() if line.startswith("FROM ")], ["debian"] * 2)
        self.assertRegex(steps, r"(?m)^USER penstock$")
        self.assertLess(steps.index("\nRUN apt-get"), steps.index("\nUSER"))
        self.assertRegex(steps, r"(?m)^EXPOSE 4566$")
        self.assertRegex(steps, r'(?m)^CMD \["serve", "--host", "0\.0\.0\.0"\]$')
        self.assertIn("HEALTHCHECK", steps)
        ignored = (PACKAGING / "Dockerfile.dockerignore").read_text().split()
        self.assertIn("build", ignored)
        self.assertNotIn("src", ignored)


def main():
    global PENSTOCK, BUILD
    given = {}
    for flag in ("--penstock", "--build"):
        index = sys.argv.index(flag)
        given[flag] = os.path.abspath(sys.argv[index + 1])
        del sys.argv[index:index + 2]
    PENSTOCK, BUILD = given["--penstock"], given["--build"]
    unittest.main(verbosity=1)


if __name__ == "__main__":
    main()
