"""Functions that are run for a queue and for a stream, and the server that runs them killed with SIGKILL again and again,
in the middle of batches. Every batch is worked on for a while, some fail, and some leave a process behind that has
detached itself. What a function has seen to the end stands in a journal. In the end:

- every message and every record that was acknowledged was seen to the end at least once;
- of the records of one key none was seen to the end for the first time before an earlier one;
- no process of a function outlived its server, however it had detached itself.

PENSTOCK_CRASH_ROUNDS says how often the server is killed, PENSTOCK_CRASH_SEED when (random, printed).
"""

import argparse
import base64
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid

LIMIT_S = 120  # for what was sent to be gone through, once nothing is killed any more
GONE_S = 15  # for the processes of a server that was killed to be gone
QUEUE, STREAM = "orders", "clicks"
VISIBILITY_S = 3
KEYS = 8
MARK = "PENSTOCK_CRASH_MARK"

FUNCTION = """
import base64, os, random, subprocess, time

def note(name, lines):
    file = os.open(os.environ["JOURNAL"] + name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, "".join(line + "\\n" for line in lines).encode())
    os.close(file)

def handler(event, context):
    note(".batches", ["begun " + context.aws_request_id])
    try:
        work(event)
    finally:
        note(".batches", ["over " + context.aws_request_id])

def work(event):
    if random.random() < 0.05:
        subprocess.Popen(["sleep", "600"], start_new_session=True)
    time.sleep(random.uniform(0, 0.05))
    if random.random() < 0.1:
        raise RuntimeError("this one fails")
    lines = []
    for record in event["Records"]:
        if "kinesis" in record:
            lines.append("record " + base64.b64decode(record["kinesis"]["data"]).decode())
        else:
            lines.append("message " + record["body"])
    note("", lines)
"""


class Client:
    """Asks again until there is an answer: the server may be away at any moment."""

    def __init__(self, port):
        self.port = port
        self.connection = None

    def once(self, method, path, body=None, headers=None):
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            self.connection.request(method, path, None if body is None else json.dumps(body), headers or {})
            answer = self.connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else {}
        except (OSError, http.client.HTTPException, ValueError):
            self.connection.close()
            self.connection = None
            raise

    def until_answered(self, method, path, body=None, headers=None):
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            try:
                status, answer = self.once(method, path, body, headers)
                if status != 503:
                    return status, answer
            except (OSError, http.client.HTTPException, ValueError):
                pass
            time.sleep(0.01)
        raise AssertionError(f"nobody answers {path}")

    def expect(self, wanted, *request):
        status, answer = self.until_answered(*request)
        assert status == wanted, f"{request[:2]}: {status} {answer}"
        return answer


def service_headers(service, operation):
    if service == "sqs":
        return {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS." + operation}
    return {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202." + operation}


class Server:
    def __init__(self, binary, directory, port):
        self.argv = [binary, "serve", "--port", str(port), "--data-dir", str(directory / "data"), "--log-level",
                     "warn", "--stream-transition", "0"]
        self.log_path = directory / "server.log"
        self.log = open(self.log_path, "ab")
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.argv, stdout=self.log, stderr=self.log)

    def kill(self):
        assert self.process.poll() is None, f"the server ended by itself: {self.log_path.read_text()[-2000:]}"
        self.process.kill()
        self.process.wait()


class Producer(threading.Thread):
    """Sends messages or puts records with numbers, and knows which of them were acknowledged."""

    def __init__(self, port, service, seed):
        super().__init__(daemon=True)
        self.client, self.service, self.random = Client(port), service, random.Random(seed)
        self.acknowledged, self.failure, self.over = set(), None, threading.Event()

    def request(self, numbers):
        if self.service == "sqs":
            entries = [{"Id": str(each), "MessageBody": str(each)} for each in numbers]
            return "SendMessageBatch", {"QueueUrl": f"/000000000000/{QUEUE}", "Entries": entries}, "Successful"
        records = [{"Data": base64.b64encode(f"{each % KEYS} {each}".encode()).decode(), "PartitionKey": str(each % KEYS)}
                   for each in numbers]
        return "PutRecords", {"StreamName": STREAM, "Records": records}, "Records"

    def run(self):
        number = 0
        while not self.over.is_set():
            numbers = range(number, number + self.random.randint(1, 10))
            number = numbers.stop
            operation, body, list_name = self.request(numbers)
            try:
                status, answer = self.client.once("POST", "/", body, service_headers(self.service, operation))
                if status == 200 and len(answer[list_name]) == len(numbers):
                    self.acknowledged.update(numbers)
                elif status != 503:
                    self.failure = f"{status} {answer}"
            except (OSError, http.client.HTTPException, ValueError):
                pass  # whether they are there nobody knows
            time.sleep(0.02)


def marked_processes(mark):
    """Those that have the mark in their environment: functions, and whatever they have started."""
    found = []
    wanted = f"{MARK}={mark}".encode()
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                pass  # it has gone, or is another's
    return found


def wait_until_gone(mark):
    end = time.monotonic() + GONE_S
    while left := marked_processes(mark):
        assert time.monotonic() < end, f"processes outlive their server: {left}"
        time.sleep(0.01)


def register(client, directory, mark):
    code = directory / "code"
    code.mkdir()
    (code / "app.py").write_text(FUNCTION)
    settings = {"Kind": "handler", "Runtime": "python3.11", "Handler": "app.handler", "Directory": str(code), "Timeout": 2,
                "Environment": {"JOURNAL": str(directory / "journal"), MARK: mark}}
    client.expect(200, "PUT", "/_penstock/functions/work", settings)
    client.expect(200, "POST", "/", {"QueueName": QUEUE, "Attributes": {"VisibilityTimeout": str(VISIBILITY_S)}},
                  service_headers("sqs", "CreateQueue"))
    client.expect(200, "POST", "/", {"StreamName": STREAM, "ShardCount": 2}, service_headers("kinesis", "CreateStream"))
    for settings in (
            {"EventSourceArn": f"arn:aws:sqs:us-east-1:000000000000:{QUEUE}", "BatchSize": 10},
            {"EventSourceArn": f"arn:aws:kinesis:us-east-1:000000000000:stream/{STREAM}", "BatchSize": 20,
             "StartingPosition": "TRIM_HORIZON", "ParallelizationFactor": 2}):
        client.expect(202, "POST", "/2015-03-31/event-source-mappings/", {"FunctionName": "work", **settings})


def read_journal(path):
    """Numbers of messages, and of records by key, in the order in which they were seen to the end first."""
    messages, records = set(), {}
    for line in path.read_text().splitlines() if path.exists() else []:
        kind, *rest = line.split(" ")
        if kind == "message":
            messages.add(int(rest[0]))
        else:
            records.setdefault(int(rest[0]), {})[int(rest[1])] = True
    return messages, {key: list(numbers) for key, numbers in records.items()}


def batches_cut_off(path):
    """How many batches were begun with, and never came to their end."""
    begun, over = set(), set()
    for line in path.read_text().splitlines() if path.exists() else []:
        what, request_id = line.split(" ")
        (begun if what == "begun" else over).add(request_id)
    return len(begun - over)


def wait_until_seen(path, sent, put):
    end = time.monotonic() + LIMIT_S
    while True:
        messages, records = read_journal(path)
        seen = {number for numbers in records.values() for number in numbers}
        if sent <= messages and put <= seen:
            return messages, records
        assert time.monotonic() < end, (f"{len(sent - messages)} messages and {len(put - seen)} records were not seen to "
                                        f"the end, such as {sorted(sent - messages)[:5]} and {sorted(put - seen)[:5]}")
        time.sleep(0.1)


def run(binary, rounds, seed, directory):
    dice = random.Random(seed)
    mark = uuid.uuid4().hex
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(binary, directory, port)
    server.start()
    client = Client(port)
    producers = [Producer(port, service, seed) for service in ("sqs", "kinesis")]
    in_the_middle = cut_before = 0
    try:
        register(client, directory, mark)
        for producer in producers:
            producer.start()
        for _ in range(rounds):
            time.sleep(dice.uniform(0.5, 1.5))
            server.kill()
            wait_until_gone(mark)
            cut = batches_cut_off(directory / "journal.batches")
            in_the_middle, cut_before = in_the_middle + (cut > cut_before), cut
            server.start()
        for producer in producers:
            producer.over.set()
            producer.join()
            assert producer.failure is None, producer.failure
            assert producer.acknowledged
        sent, put = (producer.acknowledged for producer in producers)
        messages, records = wait_until_seen(directory / "journal", sent, put)
        for key, numbers in records.items():
            assert numbers == sorted(numbers), f"the records of key {key} were seen in another order: {numbers}"
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(LIMIT_S) == 0, server.log_path.read_text()[-2000:]
        assert not (left := marked_processes(mark)), f"processes outlive their server: {left}"
    finally:
        for producer in producers:
            producer.over.set()
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
    assert in_the_middle > 0, "no batch was ever under way when the server was killed"
    print(f"{rounds} rounds, in {in_the_middle} of which batches were under way when the server was killed; {len(sent)} messages "
          f"and {len(put)} records acknowledged, all of them seen to the end")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--penstock", required=True)
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("PENSTOCK_CRASH_ROUNDS", "6")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("PENSTOCK_CRASH_SEED",
                                                                       random.randrange(2 ** 32))))
    args = parser.parse_args()
    print(f"PENSTOCK_CRASH_SEED={args.seed} replays the choices", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        run(args.penstock, args.rounds, args.seed, pathlib.Path(directory))
    return 0


sys.exit(main())
