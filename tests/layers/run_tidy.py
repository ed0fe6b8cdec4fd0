"""Runs clang-tidy over every file of src/, in parallel, and not again over what it has already found in order.

    run_tidy.py --build build              checks this checkout with that tree's compile commands
    run_tidy.py --build build src/core     only files whose path contains one of these words
    run_tidy.py --build build --self-test  expects a planted mistake to be reported

A file is in order for good as long as everything that decides the outcome is the same: its text, that of all headers of
ours that it includes, its compile command, .clang-tidy, clang-tidy's version, and the versions of the libraries
installed. A hash of all that names an empty file in the cache ($XDG_CACHE_HOME/penstock/tidy, shared by all checkouts).
"""

import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time

import files

CLANG_TIDY = "clang-tidy-14"
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
CACHE_DAYS_MAX = 30


def clang_arguments(entry):
    """The compile command as clang understands it: no launcher, no precompiled header of GCC, no warnings of GCC."""
    words = shlex.split(entry["command"])
    while not words[0].endswith(("g++", "c++", "clang++")):
        words.pop(0)
    kept, skip = [], False
    for word, after in zip(words, [*words[1:], ""]):
        if skip:
            skip = False
        elif word == "-include" and "cmake_pch" in after:
            skip = True
        elif word in ("-o", "-MF", "-MT"):
            skip = True
        elif not word.startswith(("-Winvalid-pch", "-fpch-", "-W", "-MD", "-fsanitize")):
            kept.append(word)
    return kept


def closure(path, roots):
    """The file and every header of ours that it includes, directly or not."""
    seen, waiting = set(), [path]
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        for name in INCLUDE.findall(text_of(here)):
            for root in (here.parent, *roots):
                if (root / name).is_file():
                    waiting.append((root / name).resolve())
                    break
    return sorted(seen)


@functools.cache
def text_of(path):
    return path.read_text(errors="replace")


@functools.cache
def surroundings():
    """What is the same for all files and decides the outcome too."""
    version = subprocess.run([CLANG_TIDY, "--version"], capture_output=True, text=True, check=True).stdout
    libraries = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", "lib*-dev", "rapidjson-dev"], capture_output=True, text=True
    ).stdout
    return version + libraries + text_of(files.ROOT / ".clang-tidy") + text_of(pathlib.Path(__file__).resolve())


def key_of(path, arguments, build):
    digest = hashlib.sha256(surroundings().encode())
    here = {str(files.ROOT): "<source>", str(build): "<build>"}
    for word in arguments:
        for place, name in sorted(here.items(), key=lambda item: -len(item[0])):
            word = word.replace(place, name)
        digest.update(word.encode() + b"\0")
    for part in closure(path, [files.ROOT / "include", files.ROOT / "src", build / "generated"]):
        digest.update(part.name.encode() + b"\0" + text_of(part).encode() + b"\0")
    return digest.hexdigest()


def tidy(path, commands_folder):
    """(whether all is well, what clang-tidy said)"""
    extra = []
    if re.search(r"\bco_(await|return|yield)\b", text_of(path)):
        # A coroutine takes its parameters by value so that they live as long as it does.
        extra.append("--checks=-performance-unnecessary-value-param")
    done = subprocess.run(
        [CLANG_TIDY, "--quiet", "-p", commands_folder, *extra, str(path)], capture_output=True, text=True, cwd=files.ROOT
    )
    said = done.stdout + "\n".join(
        line for line in done.stderr.splitlines() if not re.fullmatch(r"\d+ warnings?( and \d+ errors?)? generated\.", line)
    )
    return done.returncode == 0, said.strip()


def check(entries, build, cache):
    """Checks what the cache does not know to be in order; the number of files with faults."""
    waiting = []
    for path, entry in sorted(entries.items()):
        arguments = clang_arguments(entry)
        done = cache / key_of(path, arguments, build)
        if done.exists():
            done.touch()
        else:
            waiting.append((path, arguments, done))
    print(f"{len(entries)} files, {len(entries) - len(waiting)} of them unchanged since they were found in order", flush=True)

    # Files that include Asio take longest; starting with them keeps both processors busy until the end.
    waiting.sort(key=lambda item: "/net/" not in str(item[0]) and "/server/" not in str(item[0]))
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        commands = [{"directory": str(build), "file": str(p), "arguments": a} for p, a, _ in waiting]
        (pathlib.Path(folder) / "compile_commands.json").write_text(json.dumps(commands))
        with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            running = {pool.submit(tidy, path, folder): (path, done) for path, _, done in waiting}
            for future in concurrent.futures.as_completed(running):
                path, done = running[future]
                well, said = future.result()
                if well:
                    done.touch()
                else:
                    wrong += 1
                    print(f"--- {path.relative_to(files.ROOT)}\n{said}\n", flush=True)
    return wrong


def forget_old(cache):
    oldest = time.time() - CACHE_DAYS_MAX * 86400
    for entry in cache.iterdir():
        if entry.stat().st_mtime < oldest:
            entry.unlink(missing_ok=True)


def self_test(build):
    with tempfile.TemporaryDirectory() as folder:
        for name, text, expected in (
            ("planted.cpp", "#include <string>\nbool f(const std::string& s) { return s.size() == 0; }\n", False),
            ("innocent.cpp", "#include <string>\nbool f(const std::string& s) { return s.empty(); }\n", True),
        ):
            path = pathlib.Path(folder) / name
            path.write_text(text)
            config = f"--config-file={files.ROOT / '.clang-tidy'}"
            done = subprocess.run([CLANG_TIDY, "--quiet", config, path, "--", "-std=c++20"], capture_output=True, text=True)
            if (done.returncode == 0) != expected:
                print(f"{name} was {'accepted' if done.returncode == 0 else 'refused'}\n{done.stdout}{done.stderr}")
                return False
    entry = {"command": "ccache /usr/bin/c++ -Winvalid-pch -include x/cmake_pch.hxx -I. -Wall -o a.o -c a.cpp"}
    return clang_arguments(entry) == ["/usr/bin/c++", "-I.", "-c", "a.cpp"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    build = options.build.resolve()
    if options.self_test:
        return 0 if self_test(build) else 1

    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "penstock" / "tidy"
    cache.mkdir(parents=True, exist_ok=True)
    forget_old(cache)
    entries = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"]).resolve()
        if (files.ROOT / "src") in path.parents and path.name != "asio_impl.cpp":  # that one is none of ours
            if not options.words or any(word in str(path.relative_to(files.ROOT)) for word in options.words):
                entries[path] = entry
    wrong = check(entries, build, cache)
    print(f"{wrong} files with faults" if wrong else "all in order")
    return 1 if wrong else 0


sys.exit(main())
