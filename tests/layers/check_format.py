"""Holds all C++ files against .clang-format.

    check_format.py        reports what is formatted otherwise
    check_format.py --fix  rewrites it
"""

import subprocess
import sys

import files

# Its output differs from version to version, hence the one that Debian 12 names.
CLANG_FORMAT = "clang-format-14"


def main():
    how = ["-i"] if "--fix" in sys.argv[1:] else ["--dry-run", "-Werror"]
    sources = [str(path) for path in files.cpp_files()]
    if not sources:
        return 0
    done = subprocess.run([CLANG_FORMAT, "--style=file", *how, *sources], cwd=files.ROOT)
    if done.returncode:
        print("./dev format rewrites them")
    return done.returncode


sys.exit(main())
