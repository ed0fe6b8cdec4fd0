"""Consumers whose positions the server keeps, killed with SIGKILL, and the server with them, again and again.

Members of one consumer read a stream whose shards are split and merged under them; members of another carry it over
into a second stream by transactions. All of them are processes that only know their own name. What they have seen and
what the server has answered stands in one journal, in the order in which it happened. In the end:

- every record that was acknowledged was seen, and none was skipped;
- what the server had taken as done never came again under the same or a later lease;
- the second stream has each record of the first once: nothing is carried over twice, and nothing is left out.

PENSTOCK_CRASH_ROUNDS says how often something is killed, PENSTOCK_CRASH_SEED in which way (random, printed).
"""

import argparse
import base64
import collections
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

LIMIT_S = 120  # for what was put to be gone through, once nothing is killed any more
LEASE_MS = 1_000
SOURCE, TARGET = "orders", "bills"
READERS, CARRIERS = 3, 2
WORK_S = 0.01  # that a batch takes, in which whoever has it may be killed
SHARDS_MAX = 6


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

    def kinesis(self, operation, **body):
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202." + operation}
        return self.until_answered("POST", "/", body, headers)


def path_of(consumer, action=""):
    return f"/_penstock/streams/{SOURCE}/consumers/{consumer}{action}"


# ---- The consumers' processes.


class Journal:
    """Lines of all processes in the order in which they were written: each is one write to the end of one file."""

    def __init__(self, path):
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def write(self, *lines):
        if lines:
            os.write(self.file, "".join(line + "\n" for line in lines).encode())


def consume(port, consumer, member, journal, carry):
    """Reads for ever. A journal's line is `seen shard epoch number data` or `done shard epoch number`."""
    client, journal, token, handed = Client(port), Journal(journal), "", {}
    while True:
        body = {"Member": member, "Token": token, "WaitMillis": 5_000, "MaxRecords": 50}
        status, answer = client.until_answered("POST", path_of(consumer, "/poll"), body)
        if status == 409 and answer["Error"] == "ConsumerBusy":
            continue
        if status != 200:
            sys.exit(f"{member}: {status} {answer}")
        lost = {(each["ShardId"], each["Epoch"]) for each in answer["Revoked"]}
        journal.write(*(f"done {shard} {epoch} {number}" for (shard, epoch), number in handed.items()
                        if (shard, epoch) not in lost))
        token, handed = answer["Token"], {}
        for batch in answer["Batches"]:
            shard, epoch = batch["ShardId"], batch["Epoch"]
            records = batch["Records"]
            if records:
                handed[shard, epoch] = records[-1]["SequenceNumber"]
            journal.write(*(f"seen {shard} {epoch} {each['SequenceNumber']} {base64.b64decode(each['Data']).decode()}"
                            for each in records))
        time.sleep(WORK_S)
        if carry and handed and not carry_over(client, consumer, answer["Batches"]):
            # Of what was refused some may still be its own: joining anew begins where all of it is committed to.
            token, handed = "", {}


def carry_over(client, consumer, batches):
    """The records of all batches into the other stream, with their positions, or nothing."""
    records, positions = [], []
    for batch in batches:
        for each in batch["Records"]:
            data = f"{batch['ShardId']} {each['SequenceNumber']}"
            records.append({"Data": base64.b64encode(data.encode()).decode(), "PartitionKey": each["PartitionKey"]})
        if batch["Records"]:
            positions.append({"ShardId": batch["ShardId"], "Epoch": batch["Epoch"],
                              "SequenceNumber": batch["Records"][-1]["SequenceNumber"]})
    body = {"Positions": positions, "StreamName": TARGET, "Records": records}
    while True:
        status, answer = client.until_answered("POST", path_of(consumer, "/transact"), body)
        if status == 200:
            return True
        if answer["Error"] in ("LeaseLost", "PositionConflict"):
            # Taken over; or it was carried over, and the answer lost with the server.
            return False
        if answer["Error"] != "ConsumerBusy":
            sys.exit(f"transact: {status} {answer}")


# ---- What is killed.


class Server:
    def __init__(self, binary, directory, port):
        self.argv = [binary, "serve", "--port", str(port), "--data-dir", str(directory / "data"), "--log-level",
                     "warn", "--stream-transition", "0"]
        self.log = open(directory / "server.log", "ab")
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.argv, stdout=self.log, stderr=self.log)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Member:
    def __init__(self, number, port, journal):
        self.consumer = "read" if number < READERS else "carry"
        self.argv = [sys.executable, __file__, "--consume", self.consumer, "--member", f"m{number}", "--port", str(port),
                     "--journal", str(journal)]
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.argv, stderr=subprocess.PIPE)

    def kill(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.argv} ended by itself: {self.process.stderr.read().decode()}")
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


class Producer(threading.Thread):
    """Puts records with numbers, and knows which of them were acknowledged."""

    def __init__(self, port, seed):
        super().__init__(daemon=True)
        self.client, self.random = Client(port), random.Random(seed)
        self.acknowledged, self.failure, self.over = set(), None, threading.Event()

    def run(self):
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202.PutRecords"}
        number = 0
        while not self.over.is_set():
            numbers = range(number, number + self.random.randint(1, 20))
            number = numbers.stop
            records = [{"Data": base64.b64encode(str(each).encode()).decode(),
                        "PartitionKey": str(self.random.randint(0, 99))} for each in numbers]
            try:
                status, answer = self.client.once("POST", "/", {"StreamName": SOURCE, "Records": records}, headers)
                if status == 200 and answer["FailedRecordCount"] == 0:
                    self.acknowledged.update(str(each) for each in numbers)
                elif status != 503:
                    self.failure = f"{status} {answer}"
            except (OSError, http.client.HTTPException, ValueError):
                pass  # whether they are there nobody knows
            time.sleep(0.002)


def reshape(client, dice):
    """Splits a shard or merges two, as far as there are not too many."""
    status, answer = client.kinesis("ListShards", StreamName=SOURCE, ShardFilter={"Type": "AT_LATEST"})
    if status != 200:
        return
    shards = sorted(answer["Shards"], key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))
    at = dice.randrange(len(shards))
    if len(shards) < SHARDS_MAX and (len(shards) == 1 or dice.random() < 0.5):
        low, high = (int(shards[at]["HashKeyRange"][end]) for end in ("StartingHashKey", "EndingHashKey"))
        client.kinesis("SplitShard", StreamName=SOURCE, ShardToSplit=shards[at]["ShardId"],
                       NewStartingHashKey=str((low + high) // 2))
    elif len(shards) > 1:
        at = min(at, len(shards) - 2)
        client.kinesis("MergeShards", StreamName=SOURCE, ShardToMerge=shards[at]["ShardId"],
                       AdjacentShardToMerge=shards[at + 1]["ShardId"])


# ---- The accounts.


def check_journal(path, acknowledged):
    """What the readers have seen; the carriers' lines are left out, since they show by the other stream."""
    seen = collections.defaultdict(set)
    done = {}
    repeats = 0
    for line in path.read_text().splitlines():
        kind, shard, epoch, number, *data = line.split(" ")
        epoch, number = int(epoch), int(number)
        if kind == "done":
            done[shard] = max(done.get(shard, (0, 0)), (number, epoch))
            continue
        if number in seen[shard]:
            repeats += 1
        seen[shard].add(number)
        upto, under = done.get(shard, (0, 0))
        # A line of a lease that was over is late: its process was slow to write what it had been given before.
        assert number > upto or epoch < under, f"{line}: all up to {upto} was done under epoch {under}"
    data_seen = {line.split(" ")[4] for line in path.read_text().splitlines() if line.startswith("seen ")}
    missing = acknowledged - data_seen
    assert not missing, f"{len(missing)} acknowledged records were skipped, such as {sorted(missing)[:5]}"
    return seen, repeats


def read_stream(client, stream):
    """Data of all records of a stream, in every shard that it has."""
    found = []
    _, answer = client.kinesis("ListShards", StreamName=stream)
    for shard in answer["Shards"]:
        _, answer = client.kinesis("GetShardIterator", StreamName=stream, ShardId=shard["ShardId"],
                                   ShardIteratorType="TRIM_HORIZON")
        iterator = answer["ShardIterator"]
        while iterator:
            _, page = client.kinesis("GetRecords", ShardIterator=iterator)
            found += [(shard["ShardId"], each["SequenceNumber"], base64.b64decode(each["Data"]).decode())
                      for each in page["Records"]]
            if not page["Records"] and page["MillisBehindLatest"] == 0:
                break
            iterator = page.get("NextShardIterator")
    return found


def check_carried(client):
    source = collections.Counter(f"{shard} {number}" for shard, number, _ in read_stream(client, SOURCE))
    target = collections.Counter(data for _, _, data in read_stream(client, TARGET))
    twice = [each for each, count in target.items() if count > 1]
    assert not twice, f"{len(twice)} records were carried over more than once, such as {twice[:5]}"
    assert target == source, (f"{len(source - target)} records were not carried over, "
                              f"{len(target - source)} were that are none")
    return len(target)


def wait_for_no_lag(client):
    end = time.monotonic() + LIMIT_S
    for consumer in ("read", "carry"):
        while True:
            status, lag = client.until_answered("GET", path_of(consumer, "/lag"))
            assert status == 200, lag
            assert lag["LostRecords"] == 0, lag
            if lag["RecordsBehind"] == 0:
                break
            assert time.monotonic() < end, f"{consumer} does not get on: {lag}"
            time.sleep(0.02)


def run(binary, rounds, seed, directory):
    dice = random.Random(seed)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(binary, directory, port)
    server.start()
    client = Client(port)
    for stream, shards in ((SOURCE, 2), (TARGET, 2)):
        client.kinesis("CreateStream", StreamName=stream, ShardCount=shards)
    for consumer, mode in (("read", "ON_POLL"), ("carry", "ON_COMMIT")):
        settings = {"LeaseMillis": LEASE_MS, "CommitMode": mode}
        status, answer = client.until_answered("PUT", path_of(consumer), settings)
        assert status in (200, 201), answer
    journals = {"read": directory / "read.journal", "carry": directory / "carry.journal"}
    members = [Member(number, port, journals["read" if number < READERS else "carry"])
               for number in range(READERS + CARRIERS)]
    producer = Producer(port, seed)
    killed = collections.Counter()
    try:
        for member in members:
            member.start()
        producer.start()
        for _ in range(rounds):
            time.sleep(dice.uniform(0.1, 0.8))
            if dice.random() < 0.4:
                reshape(client, dice)
            victims = dice.sample(members, dice.randint(0, 2))
            with_server = not victims or dice.random() < 0.5
            for member in victims:
                member.kill()
            if with_server:
                server.kill()
                killed["server"] += 1
                server.start()
            killed["members"] += len(victims)
            for member in victims:
                member.start()
        producer.over.set()
        producer.join()
        assert producer.failure is None, producer.failure
        wait_for_no_lag(client)
    finally:
        producer.over.set()
        for process in (*members, server):
            if process.process is not None and process.process.poll() is None:
                process.process.kill()
                process.process.wait()
    server.start()
    try:
        assert len(producer.acknowledged) > 0
        seen, repeats = check_journal(journals["read"], producer.acknowledged)
        carried = check_carried(client)
    finally:
        server.process.send_signal(signal.SIGTERM)
        server.process.wait()
    print(f"{rounds} rounds: the server was killed {killed['server']} times, members {killed['members']} times; "
          f"{len(producer.acknowledged)} records acknowledged, {sum(map(len, seen.values()))} seen in {len(seen)} "
          f"shards, {repeats} of them again; {carried} carried over, each once")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--penstock")
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("PENSTOCK_CRASH_ROUNDS", "8")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("PENSTOCK_CRASH_SEED",
                                                                       random.randrange(2 ** 32))))
    parser.add_argument("--consume")
    parser.add_argument("--member")
    parser.add_argument("--port", type=int)
    parser.add_argument("--journal")
    args = parser.parse_args()
    if args.consume:
        return consume(args.port, args.consume, args.member, args.journal, args.consume == "carry")
    print(f"PENSTOCK_CRASH_SEED={args.seed} replays the choices", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        run(args.penstock, args.rounds, args.seed, pathlib.Path(directory))
    return 0


sys.exit(main())
