#!/usr/bin/env python3
"""The commands that a person gives by hand, against a running server: what they print, where they go on, and what they
end with. Runs the real binary: test_cli.py --penstock BIN [unittest arguments]."""

import base64
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

from commands import (
    FIRST, LIMIT, Commands, InDirectory, OneServer, Server, command, command_line, create_stream, end, harness, kinesis,
    names, numbers, put, read_lines, start, wait_until)

NAMES = """serve config queues streams functions send receive peek purge redrive put tail consumers lag reset function mapping
    invoke logs clock idle why fault env backup restore check state completion""".split()


class CommandLine(InDirectory):
    def test_wrong_command_lines_are_named_and_exit_2(self):
        cases = {
            ("tail",): "stream",
            ("tail", "s", "t"): "'t'",
            ("tail", "s", "--no-such-flag"): "no-such-flag",
            ("tail", "s", "--limit", "0"): "--limit",
            ("tail", "s", "--limit", "x"): "--limit",
            ("tail", "s", "--from", "yesterday"): "--from",
            ("tail", "s", "--consumer", "a/b"): "a/b",
            ("tail", "s", "--endpoint", "https://localhost"): "https://localhost",
            ("lag",): "stream",
            ("lag", "s", "--endpoint", "localhost:4566"): "localhost:4566",
            ("consumers",): "stream",
            ("consumers", "s", "--region", "US EAST"): "--region",
            ("consumers", "s", "--account", "12"): "--account",
            ("reset", "s"): "--consumer",
            ("reset", "s", "--consumer", "c"): "--to",
            ("reset", "s", "--consumer", "c", "--to", "noon"): "--to",
            ("reset", "s", "--consumer", "c", "--to", "4" * 56): "--shard",
            ("tail", "s", "--", "t"): "'t'",
            ("function",): "add, list, show or remove",
            ("function", "make", "f"): "make",
            ("function", "add"): "function",
            ("function", "add", "f"): "--runtime",
            ("function", "add", "f", "--runtime", "python3.11", "--url", "http://localhost"): "exclude",
            ("function", "add", "f", "--exec"): "--exec",
            ("function", "add", "f", "--timeout", "x", "--", "true"): "--timeout",
            ("function", "add", "f", "--env", "x", "--", "true"): "--env",
            ("function", "add", "f", "--directory", "/no/such/directory", "--", "true"): "/no/such/directory",
            ("function", "list", "f"): "'f'",
            ("function", "show", "f", "--", "true"): "command",
            ("mapping", "add", "orders"): "function",
            ("mapping", "add", "orders", "f"): "queue:NAME",
            ("mapping", "remove"): "UUID",
            ("invoke",): "function",
            ("logs", "f", "--since", "yesterday"): "--since",
            ("queues", "q", "r"): "'r'",
            ("queues", "q", "--prefix", "p"): "--prefix",
            ("queues", ""): "which queue",
            ("send",): "queue",
            ("send", "q", "one", "two"): "'two'",
            ("send", "q", "one", "--", "two"): "one body",
            ("send", "q", "one", "--lines"): "--lines",
            ("send", "q", "--lines", "--dedup-id", "d"): "--dedup-id",
            ("send", "q", "b", "--delay", "soon"): "--delay",
            ("send", "q", "b", "--attribute", "x"): "NAME=VALUE",
            ("send", "q", "b", "--attribute", "=x"): "name",
            ("send", "q", "b", "--attribute", "x:=y"): "type",
            ("send", "q", "b", "--attribute", "x:Binary=*"): "base64",
            ("receive",): "queue",
            ("receive", "q", "--max", "0"): "--max",
            ("receive", "q", "--follow", "--wait", "5"): "--wait",
            ("peek", "q", "--max", "many"): "--max",
            ("purge",): "queue",
            ("redrive",): "dead-letter queue",
            ("redrive", "q", "--rate", "0"): "--rate",
            ("redrive", "q", "--cancel", "--to", "r"): "--cancel",
            ("put",): "stream",
            ("put", "s", "data", "--lines"): "--lines",
            ("backup",): "directory",
            ("restore",): "backup",
            ("restore", "b", "--verify", "--force"): "--verify",
            ("check", "d"): "'d'",
            ("check", "--data-dir", ""): "--data-dir",
            ("state",): "reset, export or import",
            ("state", "save"): "save",
            ("state", "reset", "--service", "s3"): "'s3'",
            ("state", "reset", "--data"): "--data",
            ("state", "export", "--service", "sqs"): "--service",
            ("state", "export", "all.jsonl"): "a file goes with import",
            ("state", "import", "one", "two"): "'two'",
            ("env", "--shell", "tcsh"): "tcsh",
            ("env", "--endpoint", "localhost"): "localhost",
            ("env", "--aws-function", "--json"): "--json",
            ("clock", "set", "yesterday"): "yesterday",
            ("idle", "--wait", "bad"): "bad",
            ("completion",): "bash, zsh or fish",
            ("completion", "tcsh"): "tcsh",
            ("qeues",): "'queues' is meant",
            ("help", "recieve"): "'receive' is meant",
            ("nothing-like-it",): "nothing-like-it",
            ("tail", "s", "--limt", "3"): "'--limit' is meant",
            ("receive", "q", "-x"): "'-x'",
            ("serve", "--data-dri", "x"): "'--data-dir' is meant",
        }
        for arguments, named in cases.items():
            with self.subTest(arguments=arguments):
                status, out, err = self.run_to_end(*arguments)
                self.assertEqual(status, 2, err)
                self.assertIn(named, err)
                self.assertEqual(out, "")

    def test_help(self):
        for arguments in (("help",), ("--help",)):
            status, out, _ = self.run_to_end(*arguments)
            self.assertEqual(status, 0)
            for name in NAMES:
                self.assertRegex(out, rf"(?m)^  {name}( |$)")
            titles = [line[:-1] for line in out.splitlines() if line[:1].isupper() and line.endswith(":")]
            self.assertEqual(titles, ["Serve", "Look", "Send and receive", "Streams", "Functions", "Operate"])
        for name in NAMES:
            for arguments in ((name, "--help"), (name, "-h") if name != "serve" else (name, "--help"), ("help", name)):
                status, out, _ = self.run_to_end(*arguments)
                self.assertEqual(status, 0)
                self.assertIn(f"penstock {name}", out)

    def test_exits_3_where_there_is_no_server(self):
        with Server(self.directory) as server:
            endpoint = server.endpoint
        for arguments in (
                ("consumers", "s"), ("lag", "s"), ("tail", "s"), ("reset", "s", "--consumer", "c", "--to", "latest"), ("queues",),
                ("queues", "q"), ("streams",), ("streams", "s"), ("functions",), ("send", "q", "body"), ("receive", "q"),
                ("receive", "q", "--follow"), ("peek", "q"), ("purge", "q"), ("redrive", "q"), ("put", "s", "data"), ("invoke", "f"),
                ("logs", "f"), ("logs", "f", "-f"), ("function", "list"), ("mapping", "list"),
                ("backup", "b"), ("state", "reset"), ("state", "export")):
            with self.subTest(arguments=arguments):
                environment = {**os.environ, "PENSTOCK_ENDPOINT": endpoint}
                status, out, err = self.run_to_end(*arguments, environment=environment)
                self.assertEqual(status, 3, err)
                self.assertIn(endpoint, err)
                self.assertEqual(out, "")


class Tail(Commands):
    def test_prints_all_of_a_stream_and_leaves_nothing_behind(self):
        stream = create_stream(self.server, shards=3)
        put(self.server, stream, names(0, 2_500))
        self.assertEqual(sorted(self.tail(stream)), sorted(names(0, 2_500)))
        self.assertEqual(self.document("consumers", stream), {"Consumers": []})

    def test_prints_data_as_it_is(self):
        stream = create_stream(self.server)
        put(self.server, stream, [b"\x00\xff\x80", "Grüße, 世界".encode(), b""], key="k")
        self.assertEqual(self.run_command("tail", stream, "--no-follow"), b"\x00\xff\x80\n" + "Grüße, 世界\n".encode() + b"\n")

    def test_as_json_has_all_of_a_record(self):
        stream = create_stream(self.server)
        put(self.server, stream, [b"\x00\xff", "two"], key="k")
        before = time.time()
        first, second = [json.loads(line) for line in self.tail(stream, "--json")]
        self.assertEqual(base64.b64decode(first["Data"]), b"\x00\xff")
        self.assertEqual((first["ShardId"], first["PartitionKey"]), (FIRST, "k"))
        self.assertLess(abs(first["ApproximateArrivalTimestamp"] - before), LIMIT)
        self.assertLess(int(first["SequenceNumber"]), int(second["SequenceNumber"]))

    def test_with_a_name_goes_on_behind_the_last_line(self):
        stream = create_stream(self.server)
        put(self.server, stream, names(0, 1_500), key="k")
        self.assertEqual(self.tail(stream, "--consumer", "c", "--limit", "3"), names(0, 3))
        self.assertEqual(self.tail(stream, "--consumer", "c", "--limit", "1200"), names(3, 1_203))
        self.assertEqual(self.tail(stream, "--consumer", "c"), names(1_203, 1_500))
        self.assertEqual(self.tail(stream, "--consumer", "c"), [])
        self.assertEqual(self.tail(stream, "--consumer", "other", "--limit", "1"), names(0, 1))

    def test_follows_until_it_is_interrupted_and_then_goes_on_there(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            stream = create_stream(self.server)
            put(self.server, stream, names(0, 2), key="k")
            process = start(self.server, "tail", stream, "--consumer", "c")
            self.assertEqual(read_lines(process, 2), names(0, 2))
            put(self.server, stream, names(2, 4), key="k")
            self.assertEqual(read_lines(process, 2), names(2, 4))
            status, more, err = end(process, number)
            self.assertEqual((status, more, err), (128 + number, [], ""))
            put(self.server, stream, names(4, 6), key="k")
            # At once: it has left.
            began = time.monotonic()
            self.assertEqual(self.tail(stream, "--consumer", "c"), names(4, 6))
            self.assertLess(time.monotonic() - began, 5)

    def test_of_a_closed_output_is_no_crash_and_skips_nothing(self):
        stream = create_stream(self.server)
        put(self.server, stream, names(0, 20_000), key="k")
        process = start(self.server, "tail", stream, "--consumer", "c")
        self.assertEqual(read_lines(process, 1), names(0, 1))
        process.stdout.close()
        _, err = process.communicate(timeout=LIMIT)
        self.assertEqual((process.returncode, err), (0, b""))
        rest = self.tail(stream, "--consumer", "c")
        self.assertEqual(rest[-1], "line 19999")
        self.assertEqual(rest, names(20_000 - len(rest), 20_000))

    def test_begins_where_it_is_told(self):
        stream = create_stream(self.server)
        put(self.server, stream, names(0, 2), key="k")
        time.sleep(0.05)
        moment = time.time()
        time.sleep(0.05)
        put(self.server, stream, names(2, 4), key="k")
        self.assertEqual(self.tail(stream, "--from", f"{moment:.3f}"), names(2, 4))
        self.assertEqual(self.tail(stream, "--from", "latest"), [])
        self.assertEqual(self.tail(stream, "--from", "1970-01-01T00:00:00Z"), names(0, 4))
        self.assertEqual(self.tail(stream, "--consumer", "c", "--from", "latest"), [])
        put(self.server, stream, names(4, 5), key="k")
        # Where a consumer begins is of no more use to one that exists.
        self.assertEqual(self.tail(stream, "--consumer", "c", "--from", "horizon"), names(4, 5))

    def test_two_of_one_name_share_the_shards(self):
        stream = create_stream(self.server, shards=2)
        both = [start(self.server, "tail", stream, "--consumer", "c") for _ in range(2)]
        owners = lambda: {row["OWNER"] for row in self.rows("lag", stream, "--consumer", "c")} - {"-"}
        wait_until(lambda: self.document("consumers", stream)["Consumers"] and len(owners()) == 2)
        put(self.server, stream, names(0, 200))
        wait_until(lambda: self.document("lag", stream, "--consumer", "c")["RecordsBehind"] == 0)
        ended = [end(process) for process in both]
        self.assertEqual([status for status, _, _ in ended], [130, 130])
        self.assertTrue(all(lines for _, lines, _ in ended))
        self.assertEqual(sorted(ended[0][1] + ended[1][1]), sorted(names(0, 200)))

    def test_reads_parents_before_children(self):
        stream = create_stream(self.server)
        put(self.server, stream, names(0, 100), key="k")
        kinesis(self.server, "SplitShard", {"StreamName": stream, "ShardToSplit": FIRST, "NewStartingHashKey": str(2 ** 127)})
        put(self.server, stream, names(100, 200), key="k")
        self.assertEqual(self.tail(stream, "--consumer", "c", "--limit", "50"), names(0, 50))
        self.assertEqual(self.tail(stream, "--consumer", "c"), names(50, 200))

    def test_of_another_region(self):
        stream = create_stream(self.server, region="eu-west-1")
        put(self.server, stream, ["there"], region="eu-west-1")
        self.assertEqual(self.tail(stream, "--region", "eu-west-1"), ["there"])
        self.run_command("tail", stream, "--no-follow", status=1)

    def test_of_no_stream_is_an_error(self):
        for arguments in (("tail", "no-such-stream"), ("consumers", "no-such-stream"), ("lag", "no-such-stream")):
            done = subprocess.run(command(self.server, *arguments), capture_output=True, text=True, timeout=LIMIT)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("StreamNotFound", done.stderr)


class Positions(Commands):
    def test_consumers_and_their_lag_are_listed(self):
        stream = create_stream(self.server, shards=2)
        self.assertEqual(self.rows("consumers", stream), [])
        put(self.server, stream, names(0, 10))
        printed = self.tail(stream, "--consumer", "b", "--limit", "4")
        self.tail(stream, "--consumer", "a")
        a, b = self.rows("consumers", stream)
        self.assertEqual((a["CONSUMER"], a["MODE"], a["MEMBERS"], a["SHARDS"], a["BEHIND"], a["LAG"], a["LOST"]),
                         ("a", "ON_POLL", "0", "2", "0", "0", "0"))
        self.assertEqual((b["CONSUMER"], b["BEHIND"]), ("b", str(10 - len(printed))))
        self.assertNotEqual(b["LAG"], "0")

        rows = self.rows("lag", stream)
        self.assertEqual([row["CONSUMER"] for row in rows], ["a", "a", "b", "b"])
        self.assertEqual(sum(int(row["BEHIND"]) for row in rows), 10 - len(printed))
        untimed = lambda all_rows: [{**row, "LAG": ""} for row in all_rows]
        self.assertEqual(untimed(self.rows("lag", stream, "--consumer", "b")), untimed(rows[2:]))
        lag = self.document("lag", stream, "--consumer", "b")
        self.assertEqual((lag["ConsumerName"], lag["RecordsBehind"]), ("b", 10 - len(printed)))
        self.assertEqual([shard["ShardId"] for shard in lag["Shards"]], [row["SHARD"] for row in rows[2:]])
        self.assertEqual([one["ConsumerName"] for one in self.document("lag", stream)["Consumers"]], ["a", "b"])
        one = self.document("consumers", stream)["Consumers"][1]
        self.assertEqual((one["ConsumerName"], one["Shards"], one["RecordsBehind"]), ("b", 2, 10 - len(printed)))

    def test_the_member_that_reads_is_named(self):
        stream = create_stream(self.server)
        process = start(self.server, "tail", stream, "--consumer", "c")
        held = lambda: [row for row in self.rows("lag", stream) if row["STATE"] == "LEASED"]
        wait_until(held)
        self.assertEqual(self.rows("consumers", stream)[0]["MEMBERS"], "1")
        self.assertIn(str(process.pid), held()[0]["OWNER"])
        self.assertEqual(end(process)[0], 130)
        self.assertEqual(self.rows("lag", stream)[0]["STATE"], "FREE")

    def test_lag_of_no_consumer_is_an_error(self):
        stream = create_stream(self.server)
        done = subprocess.run(command(self.server, "lag", stream, "--consumer", "c"), capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("ConsumerNotFound", done.stderr)

    def test_reset_moves_a_consumer_and_first_tells_what_it_would_do(self):
        stream = create_stream(self.server)
        put(self.server, stream, names(0, 10), key="k")
        records = [json.loads(line) for line in self.tail(stream, "--json")]
        self.assertEqual(len(self.tail(stream, "--consumer", "c", "--limit", "6")), 6)

        row, = self.rows("reset", stream, "--consumer", "c", "--to", "horizon", "--dry-run")
        self.assertEqual((row["SHARD"], row["REPEATED"], row["SKIPPED"], row["AFTER"]), (FIRST, "6", "0", "-"))
        self.assertEqual(row["BEFORE"], records[5]["SequenceNumber"])
        self.assertEqual(self.document("lag", stream, "--consumer", "c")["RecordsBehind"], 4)
        self.assertEqual(self.rows("reset", stream, "--consumer", "c", "--to", "horizon"), [row])
        self.assertEqual(self.tail(stream, "--consumer", "c", "--limit", "1"), names(0, 1))

        done = self.document("reset", stream, "--consumer", "c", "--to", "latest")
        self.assertEqual((done["DryRun"], done["Shards"][0]["RecordsSkipped"]), (False, 9))
        self.assertEqual(self.tail(stream, "--consumer", "c"), [])

        self.lines("reset", stream, "--consumer", "c", "--shard", FIRST, "--to", records[7]["SequenceNumber"])
        self.assertEqual(self.tail(stream, "--consumer", "c"), names(7, 10))
        self.lines("reset", stream, "--consumer", "c", "--to", "1970-01-01")
        self.assertEqual(self.tail(stream, "--consumer", "c"), names(0, 10))


class Restarts(InDirectory):
    """The server is killed under a tail, and comes back on its old port."""

    def setUp(self):
        super().setUp()
        self.server = Server(self.directory)

    def tearDown(self):
        self.server.__exit__()
        super().tearDown()

    def restart(self):
        self.server.process.kill()
        self.server.process.communicate()
        self.server = Server(self.directory, "--port", str(self.server.port))

    def test_a_tail_that_follows_goes_on(self):
        for arguments in ((), ("--consumer", "c"), ("--from", "latest")):
            with self.subTest(arguments=arguments):
                stream = create_stream(self.server)
                put(self.server, stream, names(0, 3), key="k")
                process = start(self.server, "tail", stream, *arguments)
                first = 3 if "latest" in arguments else 0
                # It has its place once it is a member.
                held = lambda: subprocess.run(command(self.server, "lag", stream), capture_output=True, text=True).stdout
                wait_until(lambda: "LEASED" in held())
                put(self.server, stream, names(3, 5), key="k")
                self.assertEqual(read_lines(process, 5 - first), names(first, 5))
                self.restart()
                put(self.server, stream, names(5, 8), key="k")
                # The batch before may come again, if the server had not heard yet that it is done.
                seen = []
                while not seen or seen[-1] != "line 7":
                    seen += read_lines(process, 1)
                self.assertEqual(seen[-3:], names(5, 8))
                status, more, err = end(process)
                self.assertEqual((status, more), (130, []))
                self.assertEqual(err.count("trying again"), 1, err)

    def test_a_place_survives(self):
        stream = create_stream(self.server)
        put(self.server, stream, names(0, 10), key="k")
        tail = lambda *more: subprocess.run(command(self.server, "tail", stream, "--consumer", "c", *more), capture_output=True,
                                            text=True, timeout=LIMIT).stdout.splitlines()
        self.assertEqual(tail("--limit", "4"), names(0, 4))
        self.restart()
        self.assertEqual(tail("--no-follow"), names(4, 10))


HANDLER = """
import json
def handler(event, context):
    print("handling", json.dumps(event)[:100])
    if event.get("fail"):
        raise ValueError("as it was told")
    return {"got": event, "env": __import__("os").environ.get("GREETING")}
"""


class Functions(OneServer):
    FLAGS = ("--threads", "2", "--stream-transition", "0")

    def setUp(self):
        super().setUp()
        pathlib.Path(self.directory, "app.py").write_text(HANDLER)

    def run_command(self, *arguments, status=0, stdin=None, cwd=None):
        done = subprocess.run(command_line(self.server, *arguments), capture_output=True, text=True, timeout=LIMIT,
                              input=stdin, cwd=cwd)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout, done.stderr

    def add_handler(self, *more):
        name = f"handler-{next(numbers)}"
        self.run_command("function", "add", name, "--runtime", "python3.11", "--handler", "app.handler", *more,
                         cwd=self.directory)
        return name

    def test_a_handler_of_the_working_directory_is_registered_and_invoked(self):
        name = self.add_handler("--env", "GREETING=a,b=c", "--timeout", "9")
        out, _ = self.run_command("invoke", name, "--payload", '{"n": 1}')
        self.assertEqual(json.loads(out), {"got": {"n": 1}, "env": "a,b=c"})
        out, _ = self.run_command("invoke", name, "--payload", "-", stdin='{"n": 2}')
        self.assertEqual(json.loads(out)["got"], {"n": 2})
        pathlib.Path(self.directory, "event.json").write_text('{"n": 3}')
        out, err = self.run_command("invoke", name, "--payload", "@event.json", "--log", cwd=self.directory)
        self.assertEqual(json.loads(out)["got"], {"n": 3})
        self.assertIn('handling {"n": 3}', err)
        shown = json.loads(self.run_command("function", "show", name, "--json")[0])
        self.assertEqual((shown["Kind"], shown["Directory"], shown["Timeout"]),
                         ("handler", os.path.realpath(self.directory), 9))
        self.assertIn(name, self.run_command("function", "list")[0])
        self.run_command("function", "remove", name)
        self.assertNotIn(name, self.run_command("function", "list")[0])
        _, err = self.run_command("invoke", name, status=1)
        self.assertIn("ResourceNotFoundException", err)

    def test_a_function_that_fails_is_told(self):
        name = self.add_handler()
        out, err = self.run_command("invoke", name, "--payload", '{"fail": true}', status=1)
        self.assertEqual(json.loads(out)["errorMessage"], "as it was told")
        self.assertIn("Unhandled", err)
        out, _ = self.run_command("invoke", name, "--payload", '{"fail": true}', "--json", status=1)
        self.assertEqual(json.loads(out)["FunctionError"], "Unhandled")

    def test_a_command_is_run_once_for_each_event(self):
        name = f"exec-{next(numbers)}"
        self.run_command("function", "add", name, "--exec", "--", "sh", "-c", 'read line; echo "{\\"seen\\": $line}"')
        out, _ = self.run_command("invoke", name, "--payload", "[1,2]\n")
        self.assertEqual(json.loads(out), {"seen": [1, 2]})

    def test_what_it_writes_is_printed_and_followed(self):
        name = self.add_handler()
        self.run_command("invoke", name, "--payload", '{"n": "first"}')
        out, _ = self.run_command("logs", name)
        lines = out.splitlines()
        self.assertTrue(lines[0].startswith("START RequestId: "), lines)
        self.assertIn('handling {"n": "first"}', lines)
        self.assertTrue(any(line.startswith("REPORT RequestId: ") for line in lines), lines)
        self.assertEqual(self.run_command("logs", name, "--since", str(time.time() + 100), status=4)[0], "")
        self.assertEqual(len(self.run_command("logs", name, "--limit", "2", "--json")[0].splitlines()), 2)
        process = start(self.server, "logs", name, "-f")
        try:
            self.assertEqual(read_lines(process, len(lines)), lines)
            self.run_command("invoke", name, "--payload", '{"n": "second"}')
            self.assertIn('handling {"n": "second"}', read_lines(process, 2))
        finally:
            status, _, err = end(process)
        self.assertEqual((status, err), (130, ""))

    def test_a_queue_is_mapped_to_a_function(self):
        name = self.add_handler()
        queue = f"queue-{next(numbers)}"
        url = self.server.create(queue)
        uuid = self.run_command("mapping", "add", f"queue:{queue}", name, "--batch-size", "2", "--filter",
                                '{"body": [{"prefix": "a"}, {"prefix": "b"}]}')[0].strip()
        listed = json.loads(self.run_command("mapping", "list", "--json")[0])["EventSourceMappings"]
        [mapping] = [one for one in listed if one["UUID"] == uuid]
        self.assertEqual(mapping["BatchSize"], 2)
        self.assertIn(uuid, self.run_command("mapping", "list")[0])
        self.server.call("SendMessage", {"QueueUrl": url, "MessageBody": "abc"})
        logs = lambda: subprocess.run(command(self.server, "logs", name), capture_output=True, text=True, timeout=LIMIT)
        wait_until(lambda: "handling" in logs().stdout)
        self.assertEqual(logs().returncode, 0)
        self.run_command("mapping", "remove", uuid)
        wait_until(lambda: uuid not in self.run_command("mapping", "list")[0])
        _, err = self.run_command("mapping", "remove", uuid, status=1)
        self.assertIn("ResourceNotFoundException", err)

    def test_a_queue_is_mapped_to_a_function_that_another_emulator_runs(self):
        with tempfile.TemporaryDirectory() as home, Server(home, "--lambda-endpoint", self.server.endpoint) as near:
            name = self.add_handler()
            near.create("far")
            command = lambda *arguments: subprocess.run(
                [harness.PENSTOCK, *arguments, "--endpoint", near.endpoint], capture_output=True, text=True, timeout=LIMIT)
            made = command("mapping", "add", "queue:far", name)
            self.assertEqual(made.returncode, 0, made.stderr)
            near.call("SendMessage", {"QueueUrl": "/000000000000/far", "MessageBody": "abc"})
            wait_until(lambda: "REPORT RequestId: " in command("logs", name).stdout)
            missing = command("mapping", "add", "queue:nowhere", name)
            self.assertEqual(missing.returncode, 1)
            self.assertIn("does not exist", missing.stderr)

    def test_the_source_of_a_mapping_is_where_its_function_is(self):
        name = self.add_handler("--region", "eu-west-1")
        self.server.call("CreateQueue", {"QueueName": "west"}, {
            "Authorization": "AWS4-HMAC-SHA256 Credential=any/20300101/eu-west-1/sqs/aws4_request, SignedHeaders=host, Signature=0"})
        arn = f"arn:aws:lambda:eu-west-1:000000000000:function:{name}"
        self.run_command("mapping", "add", "queue:west", arn, "--region", "eu-west-1")
        _, err = self.run_command("mapping", "add", "queue:west", name, status=1)
        self.assertIn("does not exist", err)

    def test_a_function_of_another_region_is_another(self):
        name = self.add_handler("--region", "eu-west-1", "--account", "111111111111")
        _, err = self.run_command("function", "show", name, status=1)
        self.assertIn("Function not found", err)
        out, _ = self.run_command("invoke", name, "--region", "eu-west-1", "--account", "111111111111")
        self.assertEqual(json.loads(out)["got"], {})


if __name__ == "__main__":
    harness.main()
