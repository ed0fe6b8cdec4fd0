#!/usr/bin/env python3
"""What is installed, what the Debian packages hold, and what the service and the image are: test_packaging.py --penstock BIN
--build DIR [unittest arguments]. A tool that is not there is said to be missing, and its test skipped."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "server"))

import harness  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PACKAGING = SOURCE / "src" / "packaging"
PENSTOCK = ""
BUILD = ""
LIMIT = 120
SHELLS = {"bash": "share/bash-completion/completions/penstock", "zsh": "share/zsh/site-functions/_penstock",
          "fish": "share/fish/vendor_completions.d/penstock.fish"}
# What there is of the package penstock when it lies below /usr.
STAGED = {"etc/penstock/penstock.yaml", "usr/bin/penstock", "usr/lib/systemd/system/penstock.service",
          "usr/lib/sysusers.d/penstock.conf", "usr/share/bash-completion/completions/penstock",
          "usr/share/doc/penstock/copyright", "usr/share/fish/vendor_completions.d/penstock.fish",
          "usr/share/man/man1/penstock.1", "usr/share/zsh/vendor-completions/_penstock"}


def run(*arguments, **more):
    return subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, timeout=LIMIT, **more)


def need(tool):
    if not shutil.which(tool):
        raise unittest.SkipTest(f"this machine has no {tool}")


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

    def test_everything_is_in_its_place(self):
        self.assertEqual(self.done.returncode, 0, self.done.stderr)
        for place in ("bin/penstock", "share/man/man1/penstock.1", "lib/systemd/system/penstock.service",
                      "lib/sysusers.d/penstock.conf", "share/doc/penstock/copyright", "etc/penstock/penstock.yaml", "include/penstock/client.hpp", "lib/libpenstock_client.a",
                      "lib/cmake/Penstock/PenstockConfig.cmake", "lib/cmake/Penstock/PenstockConfigVersion.cmake"):
            with self.subTest(place=place):
                self.assertTrue((self.prefix / place).is_file())
        self.assertEqual(run(self.prefix / "bin/penstock", "--version").stdout, run(PENSTOCK, "--version").stdout)

    def test_a_package_can_be_staged(self):
        stage = pathlib.Path(self.temporary.name, "stage")
        done = run("cmake", "--install", BUILD, "--prefix", "/usr", "--component", "penstock", env={**os.environ, "DESTDIR": str(stage)})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual({str(path.relative_to(stage)) for path in stage.rglob("*") if path.is_file()}, STAGED)

    def test_a_second_time_leaves_what_an_administrator_has_changed(self):
        changed = self.prefix / "etc/penstock/penstock.yaml"
        changed.write_text("settings: {port: 1}\n")
        self.assertEqual(run("cmake", "--install", BUILD, "--prefix", self.prefix).returncode, 0)
        self.assertEqual(changed.read_text(), "settings: {port: 1}\n")

    def test_completions_are_the_programs_own(self):
        for shell, place in SHELLS.items():
            with self.subTest(shell=shell):
                script = run(PENSTOCK, "completion", shell)
                self.assertEqual(script.returncode, 0, script.stderr)
                self.assertEqual((self.prefix / place).read_text(), script.stdout)
        # A shell that has loaded it completes; what it completes is for the tests of the command line.
        bash = run("bash", "-c", f'source "{self.prefix / SHELLS["bash"]}" && complete -p penstock')
        self.assertEqual(bash.returncode, 0, bash.stderr)

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
        self.assertNotRegex(page, "@[A-Z_]+@")
        home = os.path.expanduser("~")
        if len(home) > 1:
            self.assertNotIn(home, page)

    def test_the_manual_is_without_warnings(self):
        need("man")
        page = self.prefix / "share/man/man1/penstock.1"
        done = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page, env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": ""})
        if "No manual entry" in done.stderr or "minimized" in done.stdout + done.stderr:
            self.skipTest("this machine has no manual pages")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_the_service_is_in_order(self):
        need("systemd-analyze")
        unit = pathlib.Path(self.temporary.name, "penstock.service")
        text = (self.prefix / "lib/systemd/system/penstock.service").read_text()
        # It is not installed where systemd would look for it.
        self.assertIn("\nExecStart=penstock serve ", text)
        text = text.replace("ExecStart=penstock", f"ExecStart={PENSTOCK}")
        unit.write_text(re.sub(r"(?m)^Documentation=.*\n", "", text))
        done = run("systemd-analyze", "verify", "--man=no", unit)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for line in ("Type=notify", "KillMode=mixed", "StateDirectory=penstock", "User=penstock", "Delegate=yes", "NoNewPrivileges=yes",
                     "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes"):
            self.assertIn("\n" + line + "\n", text)
        # Functions could not run with these.
        for setting in ("MemoryDenyWriteExecute", "ProtectControlGroups", "ProcSubset", "PrivateNetwork"):
            self.assertNotRegex(text, rf"(?m)^{setting}=")
        rated = run("systemd-analyze", "security", "--offline=yes", "--threshold=20", unit)
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
        need("cmake")
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
        need("nm")
        shown = run("nm", "--extern-only", "--defined-only", "--format=posix", self.prefix / "lib/libpenstock_client.a").stdout
        names = [line.split()[0] for line in shown.splitlines() if line and not line.endswith(":")]
        self.assertGreater(len(names), 20)
        self.assertEqual([name for name in names if "8penstock6client" not in name and not name.startswith("penstock_client.")], [])


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for tool in ("dpkg-deb", "dpkg-shlibdeps", "file"):
            need(tool)
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        # Nothing is stripped or compressed, which takes most of the time that it takes to make them.
        done = run("cpack", "--config", f"{BUILD}/CPackConfig.cmake", "-G", "DEB", "-B", cls.temporary.name,
                   "-D", "CPACK_STRIP_FILES=FALSE", "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=none", umask=0o077)
        if done.returncode != 0:
            raise RuntimeError(done.stdout + done.stderr)
        cls.packages = {path.name.split("_")[0]: path for path in pathlib.Path(cls.temporary.name).glob("*.deb")}

    def field(self, package, name):
        return run("dpkg-deb", "--field", self.packages[package], name).stdout.strip()

    def files(self, package):
        """Paths of its files, by their modes and owners."""
        lines = run("dpkg-deb", "--contents", self.packages[package]).stdout.splitlines()
        parts = [line.split(maxsplit=5) for line in lines if not line.startswith("d")]
        return {path.removeprefix("./"): (mode, owner) for mode, owner, _, _, _, path in parts}

    def test_there_are_two(self):
        self.assertEqual(set(self.packages), {"penstock", "penstock-dev"})
        version = run(PENSTOCK, "--version").stdout.split()[1]
        for package in self.packages:
            self.assertEqual(self.field(package, "Version"), version)

    def test_folders_can_be_read_whatever_the_umask_was(self):
        for package in self.packages.values():
            kinds = {line.split()[0] for line in run("dpkg-deb", "--contents", package).stdout.splitlines() if line.startswith("d")}
            self.assertEqual(kinds, {"drwxr-xr-x"})

    def test_files_are_where_debian_has_them(self):
        files = self.files("penstock")
        self.assertEqual(set(files), {path.replace("penstock.1", "penstock.1.gz") for path in STAGED})
        self.assertEqual(files["usr/bin/penstock"], ("-rwxr-xr-x", "root/root"))
        self.assertEqual({kind for path, kind in files.items() if path != "usr/bin/penstock"}, {("-rw-r--r--", "root/root")})
        self.assertIn("usr/lib/libpenstock_client.a", self.files("penstock-dev"))
        self.assertEqual(set(files) & set(self.files("penstock-dev")), set())

    def test_dependencies_are_those_of_the_program(self):
        needed = self.field("penstock", "Depends")
        for library in ("libc6", "libssl3", "libstdc++6", "libmimalloc", "adduser"):
            self.assertIn(library, needed)
        header = self.field("penstock-dev", "Depends")
        for library in ("libssl-dev", "libsimdjson-dev"):
            self.assertIn(library, header)

    def test_what_an_administrator_may_change_is_a_conffile_that_is_there(self):
        control = pathlib.Path(self.temporary.name, "control")
        self.assertEqual(run("dpkg-deb", "--control", self.packages["penstock"], control).returncode, 0)
        conffiles = (control / "conffiles").read_text().split()
        self.assertEqual(conffiles, ["/" + path for path in self.files("penstock") if path.startswith("etc/")])
        for script in ("postinst", "prerm", "postrm"):
            self.assertEqual((control / script).stat().st_mode & 0o777, 0o755)


class MaintainerScripts(unittest.TestCase):
    """What dpkg runs of the package, as it runs it, below a directory in place of / (DPKG_ROOT). What would change the
    machine is a command that only tells how it was called; `getent` and `install` do what the scripts rely on."""

    DATA, BACKUPS, SETTINGS = "var/lib/penstock", "var/backups/penstock", "etc/penstock"
    ADDED = "adduser --quiet --system --group --home /var/lib/penstock --no-create-home --gecos Penstock server penstock"
    # By the name of a command, what it does besides telling.
    STUBS = {"getent": 'test "$*" = "passwd penstock" && test -e "$STUBS/penstock.user"',
             "adduser": '! test -e "$STUBS/adduser.fails" && touch "$STUBS/penstock.user"',
             "install": 'while test $# -gt 1; do if test "$1" = -m; then mode=$2; fi; shift; done; mkdir -p -m "$mode" "$1"',
             "systemctl": '! test -e "$STUBS/systemctl.fails"',
             **{name: "true" for name in ("deluser", "userdel", "delgroup", "invoke-rc.d", "service", "deb-systemd-helper",
                                          "deb-systemd-invoke", "update-rc.d", "chown", "chmod", "usermod")}}

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.stubs, self.root = pathlib.Path(temporary.name, "stubs"), pathlib.Path(temporary.name, "root")
        for directory in (self.stubs, self.root / "var/lib", self.root / "var/backups", self.root / self.SETTINGS):
            directory.mkdir(parents=True)
        for name, text in self.STUBS.items():
            stub = self.stubs / name
            stub.write_text(f'#!/bin/sh\nprintf "%s\\n" "{name}${{*:+ $*}}" >>"$STUBS/calls"\n{text}\n')
            stub.chmod(0o755)

    def boot(self):
        """The machine has systemd running."""
        (self.root / "run/systemd/system").mkdir(parents=True)

    def dpkg(self, script, *arguments, status=0):
        """What the script had done, but for questions."""
        calls = self.stubs / "calls"
        calls.write_text("")
        environment = {"PATH": f"{self.stubs}:/usr/bin:/bin", "STUBS": str(self.stubs), "DPKG_ROOT": str(self.root),
                       "DPKG_MAINTSCRIPT_NAME": script, "DPKG_MAINTSCRIPT_PACKAGE": "penstock"}
        done = run(PACKAGING / "debian" / script, *arguments, env=environment)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stdout, "")
        return [line.replace(f"{self.root}/", "") for line in calls.read_text().splitlines() if not line.startswith("getent ")]

    def fill(self, *paths):
        for path in paths:
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text("something")

    def exist(self, *paths):
        return [os.path.exists(self.root / path) for path in paths]

    def test_an_installation_makes_the_user_and_its_directories_and_starts_nothing(self):
        self.boot()
        made = [f"install -d -o penstock -g penstock -m 0700 {path}" for path in (self.DATA, self.BACKUPS)]
        self.assertEqual(self.dpkg("postinst", "configure", ""), [self.ADDED, *made, "systemctl daemon-reload"])
        for path in (self.DATA, self.BACKUPS):
            self.assertEqual((self.root / path).stat().st_mode & 0o777, 0o700)
        # Again, as after one that was cut off: what is there is left as it is.
        (self.root / self.DATA).chmod(0o750)
        self.assertEqual(self.dpkg("postinst", "configure", ""), ["systemctl daemon-reload"])
        self.assertEqual((self.root / self.DATA).stat().st_mode & 0o777, 0o750)

    def test_a_container_has_no_systemd_to_speak_to(self):
        self.assertEqual([line.split()[0] for line in self.dpkg("postinst", "configure", "")], ["adduser", "install", "install"])
        for script, *arguments in (("postinst", "configure", "0.1"), ("prerm", "remove"), ("postrm", "remove"), ("postrm", "purge")):
            self.assertEqual(self.dpkg(script, *arguments), [])

    def test_without_the_user_nothing_is_configured(self):
        (self.stubs / "adduser.fails").touch()
        self.assertEqual(self.dpkg("postinst", "configure", "", status=1), [self.ADDED])
        self.assertEqual(self.exist(self.DATA, self.BACKUPS), [False, False])

    def test_an_upgrade_keeps_the_service_and_has_it_run_what_was_installed(self):
        self.dpkg("postinst", "configure", "")
        self.boot()
        self.fill(f"{self.DATA}/CURRENT", f"{self.SETTINGS}/penstock.yaml")
        self.assertEqual(self.dpkg("prerm", "upgrade", "0.2"), [])
        self.assertEqual(self.dpkg("postrm", "upgrade", "0.2"), ["systemctl daemon-reload"])
        # A service that is stopped stays so: only one that runs is restarted.
        self.assertEqual(self.dpkg("postinst", "configure", "0.1"), ["systemctl daemon-reload", "systemctl try-restart penstock.service"])
        self.assertEqual(self.exist(f"{self.DATA}/CURRENT", f"{self.SETTINGS}/penstock.yaml"), [True, True])

    def test_what_is_called_off_changes_nothing(self):
        self.dpkg("postinst", "configure", "")
        self.fill(f"{self.DATA}/CURRENT")
        for script, *arguments in (
                ("postinst", "abort-upgrade", "0.2"), ("postinst", "abort-remove"), ("postinst", "abort-deconfigure", "in-favour", "p", "1"),
                ("postinst", "triggered", "x"), ("prerm", "failed-upgrade", "0.1", "0.2"), ("prerm", "deconfigure", "in-favour", "p", "1"),
                ("postrm", "failed-upgrade", "0.1", "0.2"), ("postrm", "abort-install"), ("postrm", "abort-upgrade", "0.1"),
                ("postrm", "disappear", "p", "1")):
            with self.subTest(script=script, arguments=arguments):
                self.assertEqual(self.dpkg(script, *arguments), [])
        self.assertEqual(self.exist(f"{self.DATA}/CURRENT", self.BACKUPS), [True, True])

    def test_a_removal_ends_the_service_and_keeps_what_it_stored(self):
        self.dpkg("postinst", "configure", "")
        self.boot()
        self.fill(f"{self.DATA}/CURRENT", f"{self.DATA}.before-restore.1/CURRENT", f"{self.SETTINGS}/penstock.yaml")
        self.assertEqual(self.dpkg("prerm", "remove"), ["systemctl disable --now penstock.service"])
        self.assertEqual(self.dpkg("postrm", "remove"), ["systemctl daemon-reload"])
        self.assertEqual(self.exist(f"{self.DATA}/CURRENT", f"{self.DATA}.before-restore.1/CURRENT", f"{self.SETTINGS}/penstock.yaml"),
                         [True, True, True])

    def test_a_purge_takes_the_data_and_neither_backups_nor_the_user(self):
        self.dpkg("postinst", "configure", "")
        self.boot()
        stays = (f"{self.BACKUPS}/monday/manifest", f"{self.SETTINGS}/of-the-administrator", f"{self.DATA}-of-another/CURRENT",
                 "var/lib/other")
        goes = (f"{self.DATA}/CURRENT", f"{self.DATA}.before-restore/CURRENT", f"{self.DATA}.before-restore.1/CURRENT")
        self.fill(*stays, *goes)
        for _ in range(2):
            # The second time there is nothing of it.
            self.assertEqual(self.dpkg("postrm", "purge"), ["systemctl daemon-reload"])
            self.assertEqual(self.exist(*stays), [True] * len(stays))
            self.assertEqual(self.exist(*goes, self.DATA), [False] * (len(goes) + 1))
        self.assertTrue((self.stubs / "penstock.user").exists())
        (self.root / stays[0]).unlink()
        (self.root / stays[0]).parent.rmdir()
        (self.root / stays[1]).unlink()
        self.dpkg("postrm", "purge")
        self.assertEqual(self.exist(self.BACKUPS, self.SETTINGS), [False, False], "empty directories go")

    def test_a_systemd_that_fails_stands_in_nobodys_way(self):
        self.boot()
        (self.stubs / "systemctl.fails").touch()
        for script, *arguments in (("postinst", "configure", ""), ("postinst", "configure", "0.1"), ("prerm", "remove"),
                                   ("postrm", "remove"), ("postrm", "purge")):
            self.assertIn("systemctl", self.dpkg(script, *arguments)[-1])


class Image(unittest.TestCase):
    def test_its_probe_tells_whether_the_server_takes_messages(self):
        text = (PACKAGING / "Dockerfile").read_text().replace("\\\n", " ")
        probe = json.loads(re.search(r"(?m)^HEALTHCHECK .*? CMD (\[.*\])$", text).group(1))
        self.assertEqual(probe[:2], ["/bin/bash", "-c"])
        with tempfile.TemporaryDirectory() as directory:
            # With all that can stand in a client's way.
            with harness.Server(directory, "--allow-host", "penstock.internal", "--auth", "strict", "--credentials-file",
                                SOURCE / "tests/sdk/credentials", "--tls", "self-signed") as server:
                here = [word.replace("/4566", f"/{server.port}") for word in probe]
                self.assertEqual(run(*here).returncode, 0)
                self.assertEqual(server.stop()[0], 0)
                self.assertNotEqual(run(*here).returncode, 0)


class Readme(unittest.TestCase):
    """What README says of CI is run, with tests that print what they were told."""

    TESTS = '#!/bin/sh\nprintenv AWS_ENDPOINT_URL AWS_REGION\nexec penstock queues --json\n'

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = pathlib.Path(temporary.name)
        for name, text in {"run-the-tests": self.TESTS, "penstock": f'#!/bin/sh\nexec "{PENSTOCK}" "$@"\n',
                           "penstock.yaml": "queues: {jobs: {}}\n"}.items():
            (self.directory / name).write_text(text)
            (self.directory / name).chmod(0o755)
        text = (SOURCE / "README.md").read_text()
        self.section = text[text.index("\n## Installed, in CI, in a container\n"):].split("\n## ")[1]

    def blocks(self, language, title):
        return re.findall(rf"(?s)\n```{language}\n(.*?\n)```\n", self.section[self.section.index(f"\n### {title}\n"):])

    def shell(self, commands):
        """Standard output. What is left running ends with the shell, as it does with a job's container."""
        path = f"{self.directory}:{os.environ['PATH']}"
        done = run("bash", "-c", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT; set -e\n" + commands, cwd=self.directory,
                   env={**os.environ, "PATH": path, "GITHUB_ENV": "variables"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_a_run_of_tests(self):
        said = self.shell(self.blocks("sh", "CI")[0]).splitlines()
        self.assertRegex(said[0], r"^http://127\.0\.0\.1:\d+$")
        self.assertIn("jobs", said[2])
        log = (self.directory / "penstock.log").read_text()
        self.assertIn("stopped", log)

    def test_a_job_of_github_actions(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("this machine has no python3-yaml")
        with_package, with_service = (yaml.safe_load(text)["jobs"]["test"] for text in self.blocks("yaml", "CI"))
        steps = [step["run"] for step in with_package["steps"] if "run" in step]
        start = next(step for step in steps if "penstock serve" in step)
        # Each step is a shell of its own, with the variables that those before have left.
        said = self.shell(start + "env -i PATH=\"$PATH\" $(cat variables) ./run-the-tests\n").splitlines()
        self.assertRegex(said[0], r"^http://127\.0\.0\.1:\d+$")
        self.assertIn("jobs", said[2])
        self.assertEqual(with_service["services"]["penstock"]["ports"], ["4566:4566"])

    def test_it_names_only_flags_that_there_are(self):
        known = flags_of("serve")
        lines = re.findall(r"(?m)^.*(?:penstock serve|[\"`]serve ?[\" ]).*$", self.section)
        self.assertGreater(len(lines), 4)
        for line in lines:
            for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]+", line):
                self.assertIn(flag, known, line)
        for name in re.findall(r"(?m)(?:^ *|[`(])penstock ([a-z]+)", self.section):
            self.assertIn(name, commands())


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
        self.assertEqual(set(kinds) - set("FROM WORKDIR COPY RUN USER ENV VOLUME EXPOSE HEALTHCHECK CMD STOPSIGNAL "
                                          "ENTRYPOINT".split()), set())
        self.assertEqual([line.split()[1].split(":")[0] for line in steps.splitlines() if line.startswith("FROM ")], ["debian"] * 2)
        self.assertRegex(steps, r"(?m)^USER penstock$")
        # The user is the package's.
        self.assertLess(steps.index("\nRUN apt-get"), steps.index("\nUSER"))
        self.assertIn("/packages/penstock_*.deb", steps)
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
    harness.PENSTOCK = PENSTOCK
    unittest.main(verbosity=1)


if __name__ == "__main__":
    main()
