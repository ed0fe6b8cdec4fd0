#!/usr/bin/env python3
"""What README says of triggers holds: its own commands are run, one after the other, by a shell.

    test_readme.py --penstock BIN [unittest arguments]
"""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "server"))

import harness  # noqa: E402
from harness import InDirectory, Server  # noqa: E402

README = HERE.parent.parent / "README.md"
LIMIT = 120  # seconds

# What the tour has before it comes to triggers. Its server is at another port here.
BEFORE = """
set -eu
shopt -s expand_aliases
export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_DEFAULT_REGION=us-east-1
alias sqs="aws --endpoint-url $PENSTOCK_ENDPOINT sqs"
sqs create-queue --queue-name jobs >created
URL=$PENSTOCK_ENDPOINT/000000000000/jobs
"""

# The binary as README has it, but that what follows a log ends when an invocation has.
BINARY = """#!/bin/sh
case "$*" in
  *" -f") exec "$PENSTOCK_REAL" "$@" --limit 4 ;;
  *) exec "$PENSTOCK_REAL" "$@" ;;
esac
"""


def commands_after(line):
    """The first block of shell commands that comes after a line which begins so."""
    text = README.read_text()
    at = text.index("\n" + line)
    begin = text.index("```sh\n", at) + len("```sh\n")
    return text[begin:text.index("\n```\n", begin) + 1]


class Tour(InDirectory):
    def test_its_triggers_do_what_it_says(self):
        commands = commands_after("Triggers: ")
        self.assertIn("function add", commands)
        binary = pathlib.Path(self.directory, "build", "penstock")
        binary.parent.mkdir()
        binary.write_text(BINARY)
        binary.chmod(0o755)
        with Server(self.directory) as server:
            done = subprocess.run(
                ["bash", "-c", BEFORE + commands], cwd=self.directory, capture_output=True, text=True, timeout=LIMIT,
                env={**os.environ, "PENSTOCK_ENDPOINT": server.endpoint, "PENSTOCK_REAL": harness.PENSTOCK})
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("\ngot work\n", done.stdout)
            self.assertEqual(done.stdout.splitlines()[-1], '"HELLO"')
            self.assertEqual(server.stop()[0], 0)


if __name__ == "__main__":
    harness.main()
