#!/usr/bin/env python3
"""What a person sees: the commands in a terminal that tmux draws. Runs the real binary:
test_terminal.py --penstock BIN [unittest arguments]."""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import unittest

from commands import LIMIT, Commands, harness, numbers, wait_until

ARN = "arn:aws:sqs:us-east-1:000000000000:"
BOLD = "\x1b[1m"
COLUMNS = 100


@unittest.skipUnless(shutil.which("tmux"), "tmux is not installed")
class Terminal(Commands):
    FLAGS = ("--threads", "2", "--stream-transition", "0")

    def setUp(self):
        super().setUp()
        self.socket = os.path.join(self.directory, "tmux")
        self.ended = pathlib.Path(self.directory, "ended")
        self.environment = {
            "PATH": os.path.dirname(harness.PENSTOCK) + ":" + os.environ["PATH"], "HOME": self.directory, "LANG": "C.UTF-8",
            "PENSTOCK_ENDPOINT": self.server.endpoint, "ENDED": str(self.ended), "SHELL": "/bin/bash"}
        prompt = pathlib.Path(self.directory, "bashrc")
        prompt.write_text("PS1='$ '\n")
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(COLUMNS), "-y", "40",
                  f"exec bash --noprofile --rcfile {shlex.quote(str(prompt))}")
        self.addCleanup(self.tmux, "kill-server", check=False)

    def tmux(self, *arguments, check=True):
        done = subprocess.run(["tmux", "-S", self.socket, *arguments], capture_output=True, text=True, timeout=LIMIT,
                              env=self.environment)
        if check:
            self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def screen(self, *flags):
        """Its lines, without the empty ones at the end. With -e they have their colours."""
        return self.tmux("capture-pane", "-p", *flags).rstrip("\n").split("\n")

    def type(self, line):
        self.ended.unlink(missing_ok=True)
        self.tmux("send-keys", "-l", f"clear; {line}; echo $? >$ENDED.new; mv $ENDED.new $ENDED")
        self.tmux("send-keys", "Enter")

    def status(self):
        wait_until(self.ended.exists)
        return int(self.ended.read_text())

    def run_in_terminal(self, line, *flags, status=0):
        """What the screen shows when a command is over, without the shell's own line."""
        self.type(line)
        self.assertEqual(self.status(), status)
        wait_until(lambda: self.screen()[-1].strip() == "$")
        return [one for one in self.screen(*flags)[:-1]]

    def create(self, suffix="", **attributes):
        name = f"q{next(numbers)}{suffix}"
        self.server.call("CreateQueue", {"QueueName": name, "Attributes": attributes})
        return name

    def test_tables_stand_in_columns(self):
        short, long = self.create(), self.create("-with-a-longer-name", VisibilityTimeout="90")
        for _ in range(12):
            self.run_command("send", long, "x")
        titles, *rows = self.run_in_terminal("penstock queues")
        self.assertNotIn("\t", titles)
        end = titles.index("VISIBLE") + len("VISIBLE")
        rows = {row.split()[0]: row for row in rows}
        # Numbers stand to the right, texts to the left.
        self.assertEqual((rows[short][:end].split()[1], rows[long][:end].split()[1]), ("0", "12"))
        self.assertTrue(all(row[end - 1] != " " and row[end] == " " for row in rows.values()), rows)
        timeout = titles.index("TIMEOUT")
        self.assertEqual((rows[short][timeout:].split()[0], rows[long][timeout:].split()[0]), ("30.0s", "1m30s"))
        # For whoever is no terminal there are tabs.
        self.assertEqual(self.run_in_terminal("penstock queues | grep -c $'\\t'"), [str(len(rows) + 1)])

    def test_titles_and_errors_are_coloured(self):
        self.create()
        self.assertTrue(self.run_in_terminal("penstock queues", "-e")[0].startswith(BOLD + "QUEUE"))
        wrong = self.run_in_terminal("penstock peek nowhere", "-e", status=1)[0]
        self.assertRegex(wrong, r"^\x1b\[1m\x1b\[31mpenstock:\x1b\[0m.* QueueDoesNotExist: ")

    def test_there_are_no_colours_where_nobody_wants_them(self):
        self.create()
        for line in ("NO_COLOR=1 penstock queues", "TERM=dumb penstock queues", "penstock queues | cat", "penstock queues --json"):
            with self.subTest(line=line):
                self.assertNotIn("\x1b", "".join(self.run_in_terminal(line, "-e")))
        self.assertNotIn("\x1b", "".join(self.run_in_terminal("NO_COLOR=1 penstock peek nowhere", "-e", status=1)))
        self.assertNotIn("\x1b", "".join(self.run_in_terminal("penstock peek nowhere 2>&1 | cat", "-e")))
        # An empty NO_COLOR is none.
        self.assertTrue(self.run_in_terminal("NO_COLOR= penstock queues", "-e")[0].startswith(BOLD))

    def dead_letters(self, count):
        dead = self.create("-dead")
        source = self.create(VisibilityTimeout="0",
                             RedrivePolicy=json.dumps({"deadLetterTargetArn": ARN + dead, "maxReceiveCount": 1}))
        self.run_command("send", source, "--lines", stdin="\n".join(f"dead {i}" for i in range(count)).encode())
        url = self.server.call("GetQueueUrl", {"QueueName": source})[1]["QueueUrl"]
        moved = lambda: [row["VISIBLE"] for row in self.rows("queues") if row["QUEUE"] == dead] == [str(count)]
        wait_until(lambda: not self.server.call("ReceiveMessage", {"QueueUrl": url, "MaxNumberOfMessages": 10})[1].get("Messages")
                   and moved())
        return dead

    def test_a_redrive_shows_its_progress_on_one_line_and_clears_it(self):
        dead = self.dead_letters(6)
        self.type(f"penstock redrive {dead} --rate 4")
        seen = set()

        def look():
            lines = [line for line in self.screen() if " moved" in line]
            self.assertLessEqual(len(lines), 1, lines)
            seen.update(lines)
            return len(seen) > 1

        wait_until(look)
        self.assertTrue(all(re.fullmatch(r"\d of 6 moved", line) for line in seen), seen)
        self.assertEqual(self.status(), 0)
        wait_until(lambda: self.screen()[-1].strip() == "$")
        titles, row, _ = self.screen()
        self.assertEqual((titles.split(), row.split()[:3]), (["STATUS", "MOVED", "FROM", "TO"], ["COMPLETED", "6", dead]))

    def test_there_is_no_progress_where_nobody_looks(self):
        dead = self.dead_letters(3)
        err = pathlib.Path(self.directory, "err")
        screen = self.run_in_terminal(f"penstock redrive {dead} --rate 4 2>{shlex.quote(str(err))}")
        self.assertEqual((len(screen), err.read_text()), (2, ""))

    def test_an_interrupted_redrive_leaves_no_half_line(self):
        dead = self.dead_letters(20)
        self.type(f"penstock redrive {dead} --rate 1")
        wait_until(lambda: any("moved" in line for line in self.screen()))
        self.tmux("send-keys", "C-c")
        self.assertEqual(self.status(), 130)
        wait_until(lambda: self.screen()[-1].strip() == "$")
        # The terminal itself shows the key.
        said, _ = self.screen()
        self.assertRegex(said, rf"^(\^C)?penstock: the server goes on moving them; 'penstock redrive {dead} --cancel' ends that$")
        self.run_command("redrive", dead, "--cancel")

    def test_work_on_all_of_the_data_shows_its_progress_and_clears_it(self):
        self.create()
        backup, restored, drawn = (os.path.join(self.directory, name) for name in ("backup", "restored", "drawn"))
        self.assertRegex(self.run_in_terminal(f"penstock backup {backup}")[0], rf"^{backup}: \d+ files with [\d.]+ k?B$")
        self.tmux("pipe-pane", "-o", f"cat >{shlex.quote(drawn)}")
        said = self.run_in_terminal(f"penstock restore {backup} --data-dir {restored} | cut -d: -f1")
        self.assertEqual(said, [f"restored to {restored}"])
        self.assertEqual(self.run_in_terminal(f"penstock check --data-dir {restored} | tail -n 1"), ["sound"])
        state = os.path.join(self.directory, "state")
        self.run_in_terminal(f"penstock state export --data >{state}")
        self.run_in_terminal(f"penstock state import {state} | tail -n 1")
        self.tmux("pipe-pane")
        for what in ("\rverifying: ", "\rreading files", "\rimporting: "):
            self.assertIn(what, pathlib.Path(drawn).read_bytes().decode())

    def completes_by_a_key(self):
        name = self.create("-unique-name")
        for typed, completed in (("penstock purg", "penstock purge"), (f"penstock peek {name[:-4]}", f"penstock peek {name}"),
                                 (f"penstock mapping add queue:{name[:-4]}", f"penstock mapping add queue:{name}")):
            self.tmux("send-keys", "-l", typed)
            self.tmux("send-keys", "Tab")
            wait_until(lambda: self.screen()[-1].rstrip().endswith(completed))
            self.tmux("send-keys", "C-c")
            wait_until(lambda: self.screen()[-1].strip().endswith("$"))

    def test_bash_completes_a_line_by_a_key(self):
        self.run_in_terminal('eval "$(penstock completion bash)"')
        self.completes_by_a_key()

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_completes_a_line_by_a_key(self):
        self.tmux("send-keys", "-l", "PS1='$ ' exec zsh -f")
        self.tmux("send-keys", "Enter")
        self.run_in_terminal('PS1="$ "; autoload -Uz compinit; compinit -D -u; eval "$(penstock completion zsh)"')
        self.completes_by_a_key()

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish_completes_a_line_by_a_key(self):
        start = pathlib.Path(self.directory, "start.fish")
        start.write_text("function fish_prompt; echo -n '$ '; end\nclear\npenstock completion fish | source\n")
        self.tmux("send-keys", "-l", f"exec fish --no-config -C 'source {shlex.quote(str(start))}'")
        self.tmux("send-keys", "Enter")
        wait_until(lambda: self.screen()[-1].strip() == "$")
        self.completes_by_a_key()


if __name__ == "__main__":
    harness.main()
