#!/usr/bin/env python3
"""What shells are told: variables, and completions that complete. Runs the real binary in bash, and in zsh and fish where they
are installed: test_shells.py --penstock BIN [unittest arguments]."""

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import unittest

from commands import LIMIT, Commands, InDirectory, Server, create_stream, harness

BASH = """
source <("$PENSTOCK" completion bash) || exit 1
complete() { :; }
COMP_LINE=$1 COMP_POINT=${#1}
# As readline splits a line: at colons and equals signs too.
mapfile -t COMP_WORDS < <(grep -oE '[:=]|[^ :=]+' <<<"$1")
[[ $1 == *[\\ :=] ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_penstock "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""

ZSH = """
source <("$PENSTOCK" completion zsh)
# Outside of its line editor there is no completion to be had: what it would be told is printed.
compadd() { shift 4; print -l -- $@ }
_files() { print files }
words=("${(@s: :)1}") CURRENT=${#words}
_penstock
"""


def without(shell):
    return unittest.skipUnless(shutil.which(shell), f"{shell} is not installed")


class Environment(InDirectory):
    NAMES = {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_KINESIS", "AWS_ENDPOINT_URL_LAMBDA", "AWS_ACCESS_KEY_ID",
             "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION"}

    def variables(self, shell, *arguments, then=""):
        """Those that a shell has after it was told them."""
        flags = shlex.join([*arguments, "--shell", shell])
        text = f'eval "$("$PENSTOCK" env {flags})"\n{then}\nenv' if shell != "fish" else \
            f'"$PENSTOCK" env {flags} | source\n{then}\nenv'
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PENSTOCK"))}
        done = subprocess.run([shell, "-c", text], capture_output=True, text=True, timeout=LIMIT,
                              env={**kept, "PENSTOCK": harness.PENSTOCK, "HOME": self.directory})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        told = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        return {name: value for name, value in told.items() if name.startswith(("AWS_", "PENSTOCK_"))}

    def holds_in(self, shell):
        told = self.variables(shell, "--endpoint", "http://localhost:9/@consumer/it's")
        self.assertEqual(set(told) - {"PENSTOCK_ENDPOINT"}, self.NAMES)
        self.assertEqual(told["AWS_ENDPOINT_URL_KINESIS"], "http://localhost:9/@consumer/it's")
        self.assertEqual(told["AWS_DEFAULT_REGION"], "us-east-1")
        told = self.variables(shell, "--region", "eu-west-1", "--account", "111111111111")
        self.assertEqual((told["AWS_REGION"], told["AWS_ACCESS_KEY_ID"], told["PENSTOCK_REGION"], told["PENSTOCK_ACCOUNT"],
                          told["AWS_ENDPOINT_URL"]), ("eu-west-1", "111111111111", "eu-west-1", "111111111111",
                                                      "http://127.0.0.1:4566"))
        unset = '"$PENSTOCK" env --unset --shell fish | source' if shell == "fish" else 'eval "$("$PENSTOCK" env --unset)"'
        self.assertEqual(self.variables(shell, then=unset), {})

    def test_in_bash(self):
        self.holds_in("bash")

    def test_in_sh(self):
        self.holds_in("sh")

    @without("zsh")
    def test_in_zsh(self):
        self.holds_in("zsh")

    @without("fish")
    def test_in_fish(self):
        self.holds_in("fish")

    def calls(self, shell, then):
        """The words that an AWS CLI was given in a shell that was told of the server."""
        tools = pathlib.Path(self.directory, "tools")
        tools.mkdir(exist_ok=True)
        tool = tools / "aws"
        tool.write_text("#!/bin/sh\nfor word; do printf '<%s>' \"$word\"; done; echo\n")
        tool.chmod(0o755)
        told = '"$PENSTOCK" env --aws-function --shell fish | source' if shell == "fish" else \
            f'eval "$("$PENSTOCK" env --aws-function --shell {shell})"'
        done = subprocess.run([shell, "-c", f"{told}\n{then}"], capture_output=True, text=True, timeout=LIMIT,
                              env={**os.environ, "PENSTOCK": harness.PENSTOCK, "HOME": self.directory,
                                   "PENSTOCK_ENDPOINT": "http://localhost:9", "PATH": f"{tools}:{os.environ['PATH']}"})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def has_function(self, shell):
        forget = '"$PENSTOCK" env --aws-function --unset --shell fish | source' if shell == "fish" else \
            'eval "$("$PENSTOCK" env --aws-function --unset)"'
        variable = "set -e AWS_ENDPOINT_URL" if shell == "fish" else "unset AWS_ENDPOINT_URL"
        sends = "aws sqs send-message --message-body 'a  b' ''"
        self.assertEqual(self.calls(shell, f"{sends}\n{variable}\n{sends}\n{forget}\n{sends}"), [
            "<--endpoint-url=http://localhost:9><sqs><send-message><--message-body><a  b><>",
            *["<sqs><send-message><--message-body><a  b><>"] * 2])

    def test_an_older_cli_is_told_in_bash(self):
        self.has_function("bash")
        # An alias stays out of the way, and so does a shell that ends with what fails.
        then = 'set -e; shopt -s expand_aliases\nalias aws=false\neval "$("$PENSTOCK" env --aws-function)"\naws x'
        self.assertEqual(self.calls("bash", then), ["<--endpoint-url=http://localhost:9><x>"])

    def test_an_older_cli_is_told_in_sh(self):
        self.has_function("sh")

    @without("zsh")
    def test_an_older_cli_is_told_in_zsh(self):
        self.has_function("zsh")

    @without("fish")
    def test_an_older_cli_is_told_in_fish(self):
        self.has_function("fish")

    @unittest.skipUnless(os.access("/usr/bin/aws", os.X_OK), "the system has no AWS CLI")
    def test_the_cli_of_the_system_gets_there(self):
        with Server(self.directory) as server:
            text = """
                eval "$("$PENSTOCK" env --endpoint "$1" --aws-function)"
                aws sqs create-queue --queue-name made >/dev/null
                aws sqs list-queues --output text
                # Of two the last one holds.
                aws sqs list-queues --endpoint-url http://127.0.0.1:1 2>&1"""
            done = subprocess.run(["bash", "-c", text, "bash", server.endpoint], capture_output=True, text=True, timeout=LIMIT,
                                  env={"PATH": "/usr/bin:/bin", "PENSTOCK": harness.PENSTOCK, "HOME": self.directory})
            self.assertIn(f"QUEUEURLS\t{server.endpoint}/000000000000/made\n", done.stdout)
            self.assertIn("http://127.0.0.1:1/", done.stdout)

    def test_as_json(self):
        status, out, err = self.run_to_end("env", "--json")
        self.assertEqual((status, err), (0, ""))
        self.assertLessEqual(self.NAMES, set(json.loads(out)["Set"]))
        self.assertLessEqual(self.NAMES, set(json.loads(self.run_to_end("env", "--unset", "--json")[1])["Unset"]))

    def test_points_an_sdk_and_these_commands_at_the_server(self):
        with Server(self.directory) as server:
            text = """
                eval "$("$PENSTOCK" env --endpoint "$1" --region eu-west-1 --account 111111111111)"
                /usr/bin/python3 -c 'import boto3; boto3.client("sqs", endpoint_url=__import__("os").environ["AWS_ENDPOINT_URL_SQS"]
                    ).create_queue(QueueName="made")'
                "$PENSTOCK" queues --json"""
            done = subprocess.run(["bash", "-c", text, "bash", server.endpoint], capture_output=True, text=True, timeout=LIMIT,
                                  env={**os.environ, "PENSTOCK": harness.PENSTOCK})
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            queue, = json.loads(done.stdout)["Queues"]
            self.assertEqual(queue["Attributes"]["QueueArn"], "arn:aws:sqs:eu-west-1:111111111111:made")


class Scripts(InDirectory):
    def checked_by(self, *command):
        shell = command[0]
        script = pathlib.Path(self.directory, "script")
        status, out, err = self.run_to_end("completion", shell)
        self.assertEqual((status, err), (0, ""))
        script.write_text(out)
        done = subprocess.run([*command, str(script)], capture_output=True, text=True, timeout=LIMIT)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        shown = json.loads(self.run_to_end("completion", shell, "--json")[1])
        self.assertEqual(shown, {"Shell": shell, "Script": out})

    def test_of_bash(self):
        self.checked_by("bash", "-n")

    @without("zsh")
    def test_of_zsh(self):
        self.checked_by("zsh", "-n")

    @without("fish")
    def test_of_fish(self):
        self.checked_by("fish", "-n")


class Completion(Commands):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ("orders", "orders-dead", "other"):
            cls.server.create(name)
        cls.stream = create_stream(cls.server)

    def run_shell(self, *command, endpoint=None):
        environment = {**os.environ, "PENSTOCK": harness.PENSTOCK, "PENSTOCK_ENDPOINT": endpoint or self.server.endpoint,
                       "PATH": os.path.dirname(harness.PENSTOCK) + ":" + os.environ["PATH"], "HOME": self.directory}
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, env=environment)
        self.assertEqual(done.stderr, "")
        return sorted(line for line in done.stdout.splitlines() if line)

    def in_bash(self, line, **more):
        return self.run_shell("bash", "-c", BASH, "bash", line, **more)

    def all_in_bash(self):
        names = self.run_shell("bash", "-c", '"$PENSTOCK" help | sed -n "s/^  \\([a-z]*\\).*/\\1/p"')
        self.assertEqual(self.in_bash("penstock "), sorted([*names, "help"]))

    def test_bash_completes_commands(self):
        self.all_in_bash()
        self.assertEqual(self.in_bash("penstock re"), ["receive", "redrive", "reset", "restore"])
        self.assertEqual(self.in_bash("penstock help pu"), ["purge", "put"])

    def test_bash_completes_flags_of_each_command(self):
        self.assertEqual(self.in_bash("penstock receive orders --d"), ["--delete"])
        self.assertIn("--json", self.in_bash("penstock lag --"))
        self.assertIn("--data-dir", self.in_bash("penstock serve --"))
        # One that may be given once is offered once.
        self.assertNotIn("--max", self.in_bash("penstock receive --max 5 --"))
        self.assertIn("--attribute", self.in_bash("penstock send --attribute a=b --"))

    def test_bash_completes_names_that_the_server_has(self):
        self.assertEqual(self.in_bash("penstock send or"), ["orders", "orders-dead"])
        self.assertEqual(self.in_bash("penstock redrive orders-dead --to ot"), ["other"])
        self.assertEqual(self.in_bash("penstock tail "), [self.stream])
        self.tail(self.stream, "--consumer", "billing")
        self.assertEqual(self.in_bash(f"penstock tail {self.stream} --consumer b"), ["billing"])
        self.assertEqual(self.in_bash(f"penstock lag --consumer=b"), [])
        self.assertEqual(self.in_bash(f"penstock lag {self.stream} --consumer=b"), ["billing"])
        self.run_command("function", "add", "upper", "--exec", "--", "tr", "a-z", "A-Z")
        self.assertEqual(self.in_bash("penstock invoke "), ["upper"])
        self.assertEqual(self.in_bash("penstock function remove "), ["upper"])
        uuid, = self.lines("mapping", "add", "queue:other", "upper")
        self.assertEqual(self.in_bash("penstock mapping remove "), [uuid])
        self.run_command("mapping", "remove", uuid)

    def test_bash_completes_behind_a_colon(self):
        self.assertEqual(self.in_bash("penstock mapping add queue:or"), ["orders", "orders-dead"])
        self.assertEqual(self.in_bash("penstock mapping add stream:"), [self.stream])

    def test_bash_completes_words_and_choices(self):
        self.assertEqual(self.in_bash("penstock function "), ["add", "list", "remove", "show"])
        self.assertEqual(self.in_bash("penstock completion "), ["bash", "fish", "zsh"])
        self.assertEqual(self.in_bash("penstock env --shell f"), ["fish"])
        self.assertEqual(self.in_bash(f"penstock tail {self.stream} --from "), ["horizon", "latest"])
        self.assertEqual(self.in_bash("penstock serve --durability "), ["fsync", "os"])

    def test_bash_asks_the_server_that_the_line_names(self):
        with Server(self.directory) as near:
            near.create("near")
            self.assertEqual(self.in_bash(f"penstock peek --endpoint {near.endpoint} n"), ["near"])
        # It is gone.
        self.assertEqual(self.in_bash("penstock peek ", endpoint=near.endpoint), [])
        self.assertEqual(self.in_bash("penstock re", endpoint=near.endpoint), ["receive", "redrive", "reset", "restore"])

    def test_a_server_that_does_not_answer_is_given_up(self):
        import socket
        import time
        with socket.create_server(("127.0.0.1", 0)) as silent:
            began = time.monotonic()
            self.assertEqual(self.in_bash("penstock peek ", endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}"), [])
            self.assertLess(time.monotonic() - began, 5)

    @without("zsh")
    def test_zsh_completes(self):
        for line, expected in (("penstock send or", ["orders", "orders-dead"]), ("penstock re", ["receive", "redrive", "reset", "restore"]),
                               ("penstock mapping add queue:ot", ["queue:other"]), ("penstock config check ", ["files"])):
            self.assertEqual(self.run_shell("zsh", "-f", "-c", ZSH, "zsh", line), expected)

    @without("fish")
    def test_fish_completes(self):
        for line, expected in (("penstock send or", ["orders", "orders-dead"]), ("penstock mapping add queue:ot", ["queue:other"])):
            found = self.run_shell("fish", "-c", '"$PENSTOCK" completion fish | source; complete -C $argv[1]', line)
            self.assertEqual(found, expected)
        found = self.run_shell("fish", "-c", '"$PENSTOCK" completion fish | source; complete -C "penstock rec"')
        self.assertEqual(found, ["receive\treceive messages and print their bodies"])


if __name__ == "__main__":
    harness.main()
