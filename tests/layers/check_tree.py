"""Holds the tree together: what lies at the top, and that no file speaks of the machine it was written on.

    check_tree.py              checks this checkout
    check_tree.py --self-test  plants one violation of each kind in an empty tree and expects each to be reported
"""

import pathlib
import re
import sys
import tempfile

import files

TOP = {"src", "include", "schemas", "tests", "bench", "CMakeLists.txt", "README.md", "dev", "LICENSE"}

# Folders that exist on somebody's machine. Put together here so that this file does not accuse itself.
MACHINE_PATH = re.compile(r"(?<![\w.~})*-])/(?:" + "|".join(["wo" + "rk", "ro" + "ot", "fa" + "rm"]) + r")/")

# A lock file that says where a package was fetched from works only where that place is reached.
RESOLVED = re.compile(r'^\s*"resolved"\s*:')
LOCK_FILES = {"package-lock.json", "npm-shrinkwrap.json"}


def faults_of(root):
    for path in files.project_files(root):
        top = path.parts[0]
        if top not in TOP and not top.startswith("."):
            yield f"{path}: '{top}' has no place at the top; there are only {', '.join(sorted(TOP))} and dotfiles"
        data = (root / path).read_bytes()
        if b"\0" in data:
            continue
        for number, line in enumerate(data.decode(errors="replace").splitlines(), 1):
            found = MACHINE_PATH.search(line)
            if found:
                yield f"{path}:{number}: {found.group()} is a path of one machine"
            if path.name in LOCK_FILES and RESOLVED.match(line):
                yield f'{path}:{number}: "resolved" names a registry; write the lock file without (omit-lockfile-registry-resolved)'


def self_test():
    planted = {
        "notes.txt": "a file at the top\n",
        "scripts/build.sh": "a folder at the top\n",
        "src/core/path.cpp": '"' + "/wo" + 'rk/main/x"\n',
        "tests/sdk/package-lock.json": '  "resolved": "https://example.test/a.tgz",\n',
    }
    innocent = {
        "README.md": "see src/wo" + "rk/x and https://example.test/ro" + "ot/x\n",
        ".dotfile": "\n",
        "tests/sdk/other.json": '"resolved": "yes"\n',
    }
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in (planted | innocent).items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        reported = {fault.split(":")[0] for fault in faults_of(root)}
    for name in sorted(planted.keys() - reported):
        print(f"a planted violation was not reported: {name}")
    for name in sorted(reported - planted.keys()):
        print(f"reported although nothing is wrong with it: {name}")
    return reported == planted.keys()


def main():
    if "--self-test" in sys.argv[1:]:
        return 0 if self_test() else 1
    faults = list(faults_of(files.ROOT))
    print("\n".join(faults) if faults else "the tree holds what it should")
    return 1 if faults else 0


sys.exit(main())
