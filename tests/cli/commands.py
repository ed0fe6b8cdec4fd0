"""What the tests of the commands share: a server to give them to, and ways to give them."""

import base64
import http.client
import itertools
import json
import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "server"))

import harness  # noqa: E402
from harness import LIMIT, InDirectory, OneServer, Server, wait_until  # noqa: E402

FIRST = "shardId-000000000000"
numbers = itertools.count()


def kinesis(server, operation, body, region="us-east-1"):
    """An answer of the service's JSON protocol, which has to be a success."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)
    try:
        scope = f"AWS4-HMAC-SHA256 Credential=anybody/20300101/{region}/kinesis/aws4_request, SignedHeaders=host, Signature=0"
        connection.request("POST", "/", json.dumps(body), {
            "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202." + operation, "Authorization": scope})
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == 200, text
        return json.loads(text) if text else {}
    finally:
        connection.close()


def create_stream(server, shards=1, region="us-east-1"):
    name = f"stream-{next(numbers)}"
    kinesis(server, "CreateStream", {"StreamName": name, "ShardCount": shards}, region)
    described = lambda: kinesis(server, "DescribeStreamSummary", {"StreamName": name}, region)["StreamDescriptionSummary"]
    wait_until(lambda: described()["StreamStatus"] == "ACTIVE")
    return name


def put(server, stream, lines, key=None, region="us-east-1"):
    """Each line is a record. They keep their order if they have one key."""
    for at in range(0, len(lines), 500):
        records = [{"Data": base64.b64encode(line if isinstance(line, bytes) else line.encode()).decode(),
                    "PartitionKey": key or f"key-{line}"} for line in lines[at:at + 500]]
        answer = kinesis(server, "PutRecords", {"StreamName": stream, "Records": records}, region)
        assert answer["FailedRecordCount"] == 0, answer


def names(first, last):
    return [f"line {i}" for i in range(first, last)]


def command(server, *arguments):
    return [harness.PENSTOCK, *arguments, "--endpoint", server.endpoint]


def command_line(server, *arguments):
    """The same of one that may have a command of its own behind `--`."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return [harness.PENSTOCK, *arguments[:end], "--endpoint", server.endpoint, *arguments[end:]]


def start(server, *arguments):
    """A command that goes on by itself."""
    return subprocess.Popen(command(server, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def read_lines(process, count):
    return [process.stdout.readline().decode().rstrip("\n") for _ in range(count)]


def end(process, number=signal.SIGINT):
    """Its status, and what else it printed."""
    process.send_signal(number)
    out, err = process.communicate(timeout=LIMIT)
    return process.returncode, out.decode().splitlines(), err.decode()


class Commands(OneServer):
    def run_command(self, *arguments, status=0, stdin=b""):
        """What it prints as data. What it says besides is left in `said`."""
        done = subprocess.run(command_line(self.server, *arguments), capture_output=True, timeout=LIMIT, input=stdin)
        self.said = done.stderr.decode()
        self.assertEqual(done.returncode, status, self.said)
        return done.stdout

    def lines(self, *arguments, **how):
        return self.run_command(*arguments, **how).decode().splitlines()

    def document(self, *arguments, **how):
        return json.loads(self.run_command(*arguments, "--json", **how))

    def documents(self, *arguments, **how):
        """One on each line."""
        return [json.loads(line) for line in self.lines(*arguments, "--json", **how)]

    def refused(self, *arguments, code, **how):
        """It fails with the service's code, and prints nothing."""
        self.assertEqual(self.run_command(*arguments, status=1, **how), b"")
        self.assertRegex(self.said, rf"(?m)^penstock: {code}: .")

    def rows(self, *arguments):
        """Of a table, by the titles of its columns."""
        titles, *rows = [line.split("\t") for line in self.lines(*arguments)]
        return [dict(zip(titles, row)) for row in rows]

    def tail(self, stream, *arguments):
        done = subprocess.run(command(self.server, "tail", stream, "--no-follow", *arguments), capture_output=True, text=True,
                              timeout=LIMIT)
        self.assertEqual(done.returncode, 0 if done.stdout else 4, done.stderr)
        return done.stdout.splitlines()
