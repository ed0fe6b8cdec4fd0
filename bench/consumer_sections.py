"""The sections of the benchmark about consumers whose positions the server keeps."""

import http.client
import json
import statistics
import time

from harness import MEGABYTE, call, interleaved

BATCH = 1_000
LEASE_MS = 1_000


class Api:
    """Asks for what stands under a stream's consumers, over one connection."""

    def __init__(self, endpoint, stream="bench"):
        self.connection = http.client.HTTPConnection("127.0.0.1", int(endpoint.rsplit(":", 1)[1]), timeout=30)
        self.base = f"/_penstock/streams/{stream}/consumers"

    def ask(self, method, path, body=None):
        self.connection.request(method, self.base + path, None if body is None else json.dumps(body))
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status // 100 != 2:
            raise RuntimeError(f"{path} was answered with {answer.status}: {text[:300]}")
        return json.loads(text) if text else {}

    def kinesis(self, operation, **body):
        self.connection.request("POST", "/", json.dumps(body), {
            "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202." + operation})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{operation} was answered with {answer.status}: {text[:300]}")
        return json.loads(text) if text else {}


def section_consumer(bench):
    """A consumer that commits every batch of 1,000, synced, beside plain GetRecords with the same Limit."""
    records = 100_000 if bench.args.quick else 300_000
    for size, title in ((1024, "1 KiB"), (100, "100 bytes")):
        data = bench.fresh("data")
        body = ("--body-bytes", size, "--page-records", BATCH)
        with bench.penstock("--durability", "os", data=data) as server:
            bench.stream_load(server.endpoint, "put-records", 4, "--body-bytes", size, seconds=0, warmup=0,
                              messages=records)

        def run(scenario, *flags, data=data, body=body):
            def once():
                with bench.penstock(data=data) as server:
                    # Every run reads what is in the kernel's cache: this goes through all of it first.
                    bench.stream_load(server.endpoint, "get-records", 1, "--body-bytes", body[1], seconds=0, warmup=0,
                                      messages=records)
                    return bench.stream_load(server.endpoint, scenario, 1, *body, *flags)["rate"]
            return once

        median = interleaved(bench.rounds, plain=run("get-records"), poll=run("poll", "--consumer", "polls"),
                             endpoint=run("get-records", "--consumer", "reads"))
        bench.forget(data)
        goal = 0.8 if size == 1024 else None
        bench.ratio(f"poll, batches of {BATCH:,} records of {title} : GetRecords", median["poll"], median["plain"],
                    goal)
        bench.ratio(f"GetRecords at /@consumer/…, the same : GetRecords", median["endpoint"], median["plain"], goal)


def section_takeover(bench):
    """From the death of a member to the first record of its shard at another, beyond the lease time."""
    took = []
    for _ in range(bench.rounds):
        with bench.penstock("--stream-transition", "0", data=bench.fresh("data")) as server:
            took.append(take_over(server.endpoint))
    bench.bound(f"takeover of a member that died, lease of {LEASE_MS / 1000:g} s", statistics.median(took) * 1000,
                LEASE_MS + 100, "ms")
    bench.note("single takeovers: " + ", ".join(f"{each * 1000:,.0f}" for each in sorted(took)) + " ms")


def take_over(endpoint):
    """Seconds from a member's last sign of life, after which its process is taken to be gone, to what comes of it."""
    producer, first, second = Api(endpoint), Api(endpoint), Api(endpoint)
    producer.kinesis("CreateStream", StreamName="bench", ShardCount=1)
    producer.ask("PUT", "/c", {"LeaseMillis": LEASE_MS})
    producer.kinesis("PutRecord", StreamName="bench", PartitionKey="k", Data="eA==")
    batch = first.ask("POST", "/c/poll", {"Member": "first", "WaitMillis": 0})
    died = time.monotonic()
    if not batch["Batches"]:
        raise RuntimeError("the first member got nothing")
    token = ""
    while True:
        answer = second.ask("POST", "/c/poll", {"Member": "second", "Token": token, "WaitMillis": 20_000})
        if answer["Batches"]:
            return time.monotonic() - died
        token = answer["Token"]


def section_many_consumers(bench):
    """Ten thousand consumers of one stream: what they cost while they do nothing."""
    count = 1_000 if bench.args.quick else 10_000
    data = bench.fresh("data")
    with bench.penstock("--durability", "os", "--stream-transition", "0", data=data) as server:
        api = Api(server.endpoint)
        api.kinesis("CreateStream", StreamName="bench", ShardCount=1)
        api.kinesis("PutRecord", StreamName="bench", PartitionKey="k", Data="eA==")
        call(int(server.endpoint.rsplit(":", 1)[1]), "ListQueues", {})
        time.sleep(0.5)
        before = server.memory()
        for number in range(count):
            api.ask("PUT", f"/consumer-{number}", {"Start": {"Type": "LATEST"}})
        grown = server.memory() - before
        idle = idle_cpu(server)
        with bench.penstock("--durability", "os", data=bench.fresh("data")) as plain:
            rate = interleaved(bench.rounds,
                               beside=lambda: bench.stream_load(server.endpoint, "put-record", 8)["rate"],
                               alone=lambda: bench.stream_load(plain.endpoint, "put-record", 8)["rate"])
    started = time.monotonic()
    with bench.penstock(data=data) as server:
        restart = time.monotonic() - started
        resident = server.memory()
    bench.forget(data)
    bench.bound(f"{count:,} consumers of one shard, resident, each", grown / count / 1024, 2, "KiB", digits=2)
    bench.bound(f"{count:,} idle consumers, processor", idle * 100, 0.5, "%", digits=2)
    bench.bound(f"start until ready, {count:,} consumers", restart * 1000, 1000, "ms")
    bench.ratio(f"PutRecord beside {count:,} consumers : beside none", rate["beside"], rate["alone"])
    bench.note(f"resident after the start: {resident / MEGABYTE:.1f} MB")


def idle_cpu(server, seconds=3):
    """The part of one processor that the server uses while nobody asks it anything."""
    time.sleep(0.5)
    before = server.cpu_seconds()
    time.sleep(seconds)
    return (server.cpu_seconds() - before) / seconds
