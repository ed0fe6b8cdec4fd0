#!/usr/bin/env python3
"""The examples do what they say: each of them reads a stream while it and the server are killed in turn, and prints
every record, in order, again only where it was killed before it had said that a batch is done.

    test_examples.py --penstock BIN --consumer BIN [unittest arguments]

PENSTOCK_CRASH_ROUNDS says how often something is killed.
"""

import base64
import collections
import http.client
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "server"))

import harness  # noqa: E402
from harness import LIMIT, InDirectory, Server, wait_until  # noqa: E402

ROUNDS = int(os.environ.get("PENSTOCK_CRASH_ROUNDS", "6"))
BATCH = 100  # records of one poll of the examples
KEYS = ("left", "right")
EXAMPLES = {}


def ask(server, method, path, body, headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)
    try:
        connection.request(method, path, json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == 200, text
        return json.loads(text) if text else {}
    finally:
        connection.close()


def kinesis(server, operation, body):
    return ask(server, "POST", "/", body,
               {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202." + operation})


class Example(InDirectory):
    """One example, one stream with two shards, and records "key number" that are numbered by key."""

    def setUp(self):
        super().setUp()
        self.server = Server(self.directory)
        self.endpoint = self.server.endpoint
        self.put_of_key = 0
        self.runs = []  # what each incarnation prints to
        kinesis(self.server, "CreateStream", {"StreamName": "clicks", "ShardCount": 2})
        described = lambda: kinesis(self.server, "DescribeStreamSummary", {"StreamName": "clicks"})
        wait_until(lambda: described()["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE")

    def tearDown(self):
        self.process.kill()
        self.process.wait()
        self.server.__exit__()
        super().tearDown()

    def start(self, argv):
        self.runs.append(pathlib.Path(self.directory, f"printed-{len(self.runs)}"))
        # A group of its own: what a shell has started goes with it.
        with open(self.runs[-1], "wb") as printed, open(pathlib.Path(self.directory, "said"), "ab") as said:
            self.process = subprocess.Popen(
                [*argv, "clicks", "billing", "worker"], stdout=printed, stderr=said, start_new_session=True,
                env={**os.environ, "PENSTOCK_ENDPOINT": self.endpoint})

    def signal(self, number):
        os.killpg(self.process.pid, number)
        return self.process.wait(LIMIT)

    def restart_server(self):
        self.server.process.kill()
        self.server.process.communicate()
        self.server = Server(self.directory, "--port", str(self.server.port))

    def put(self, count):
        """So many of each key, each of which is in a shard of its own."""
        records = [{"Data": base64.b64encode(f"{key} {self.put_of_key + i}".encode()).decode(), "PartitionKey": key,
                    "ExplicitHashKey": str(2 ** 127 * KEYS.index(key))} for i in range(count) for key in KEYS]
        for at in range(0, len(records), 500):
            answer = kinesis(self.server, "PutRecords", {"StreamName": "clicks", "Records": records[at:at + 500]})
            self.assertEqual(answer["FailedRecordCount"], 0)
        self.put_of_key += count

    def printed(self):
        """By incarnation and key, the numbers in order. A line that the end has cut off is none."""
        all_runs = []
        for path in self.runs:
            numbers = collections.defaultdict(list)
            for line in path.read_text().split("\n")[:-1]:
                key, number = line.split(" ")
                numbers[key].append(int(number))
            all_runs.append(numbers)
        return all_runs

    def has_all(self):
        return all(max((run[key][-1] for run in self.printed() if run[key]), default=-1) == self.put_of_key - 1 for key in KEYS)

    def check_order(self):
        for key in KEYS:
            reached = -1
            for run in self.printed():
                if not run[key]:
                    continue
                first, last = run[key][0], run[key][-1]
                self.assertEqual(run[key], list(range(first, last + 1)), f"{key}: skipped or repeated within one run")
                self.assertLessEqual(first, reached + 1, f"{key}: skipped between two runs")
                self.assertGreater(first, reached - BATCH, f"{key}: repeated more than the last batch")
                reached = max(reached, last)
            self.assertEqual(reached, self.put_of_key - 1)

    def exercise(self, argv, leaves=True):
        chance = random.Random(5)
        self.start(argv)
        for round_number in range(ROUNDS):
            self.put(chance.randrange(1, 3 * BATCH))
            before = self.put_of_key
            time.sleep(chance.uniform(0, 0.3))
            if round_number % 2 == 0:
                self.signal(signal.SIGKILL)
                self.start(argv)
            else:
                self.restart_server()
            self.assertIsNone(self.process.poll(), pathlib.Path(self.directory, "said").read_text())
            self.assertEqual(self.put_of_key, before)
        self.put(10)
        wait_until(self.has_all)
        if leaves:
            self.assertEqual(self.signal(signal.SIGTERM), 0, pathlib.Path(self.directory, "said").read_text())
            lag = ask(self.server, "GET", "/_penstock/streams/clicks/consumers/billing/lag", {}, {})
            self.assertEqual(lag["RecordsBehind"], 0, "it has not committed what it has printed")
            self.assertEqual({shard["State"] for shard in lag["Shards"]}, {"FREE"}, "it has not left")
        self.check_order()

    def test_python(self):
        self.exercise([sys.executable, HERE / "consumer.py"])

    def test_javascript(self):
        self.exercise(["node", HERE / "consumer.mjs"])

    def test_shell(self):
        # A loop of six lines does not leave: whoever stops it waits for the lease to be over.
        self.exercise(["sh", HERE / "consumer.sh"], leaves=False)

    def test_cpp(self):
        self.exercise([EXAMPLES["cpp"]])


if __name__ == "__main__":
    at = sys.argv.index("--consumer")
    EXAMPLES["cpp"] = os.path.abspath(sys.argv[at + 1])
    del sys.argv[at:at + 2]
    harness.main()
