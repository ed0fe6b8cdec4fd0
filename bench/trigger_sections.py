"""The sections of the benchmark about triggers: functions that are run for what arrives."""

import base64
import http.client
import json
import statistics
import time

from harness import BenchError, call, interleaved

PER_BATCH = 10
BODY_BYTES = 100
# What a message or record of that size is in an event.
MESSAGE_EVENT_BYTES = BODY_BYTES + 480
RECORD_EVENT_BYTES = BODY_BYTES + 500
ENVIRONMENTS = 64
LANES_OF_SHARD = 8


class Api:
    """Asks for functions and mappings, over one connection."""

    def __init__(self, endpoint):
        self.port = int(endpoint.rsplit(":", 1)[1])
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self, method, path, body=None, headers=None):
        self.connection.request(method, path, None if body is None else json.dumps(body), headers or {})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status // 100 != 2:
            raise BenchError(f"{method} {path} was answered with {answer.status}: {text[:300]}")
        return json.loads(text) if text else {}

    def add_function(self, name, program, **members):
        self.ask("PUT", f"/_penstock/functions/{name}",
                 {"Kind": "runtime", "Command": [str(program)], "Timeout": 10, **members})

    def invoke(self, name):
        return self.ask("POST", f"/2015-03-31/functions/{name}/invocations", {})

    def map(self, name, function, source="sqs:{region}:{account}:", **members):
        arn = "arn:aws:" + source.format(region="us-east-1", account="000000000000") + name
        return self.ask("POST", "/2015-03-31/event-source-mappings", {
            "EventSourceArn": arn, "FunctionName": function, **members})["UUID"]

    def set_enabled(self, uuid, enabled):
        self.ask("PUT", f"/2015-03-31/event-source-mappings/{uuid}", {"Enabled": enabled})
        wanted = "Enabled" if enabled else "Disabled"
        while self.ask("GET", f"/2015-03-31/event-source-mappings/{uuid}")["State"] != wanted:
            time.sleep(0.005)

    def sqs(self, operation, **body):
        return call(self.port, operation, body, timeout=60)

    def create_queue(self, name):
        return self.sqs("CreateQueue", QueueName=name, Attributes={"VisibilityTimeout": "60"})["QueueUrl"]

    def kinesis(self, operation, **body):
        return call(self.port, operation, body, timeout=60, target="Kinesis_20131202")

    def fill_stream(self, count):
        """So many records, numbered, spread over all shards and lanes."""
        for first in range(0, count, 500):
            self.kinesis("PutRecords", StreamName="bench", Records=[
                {"Data": base64.b64encode(f"{number:0{BODY_BYTES}}".encode()).decode(), "PartitionKey": str(number)}
                for number in range(first, min(first + 500, count))])

    def fill(self, url, count):
        """So many messages, numbered, whose bodies are all equally long."""
        for first in range(0, count, 10):
            self.sqs("SendMessageBatch", QueueUrl=url, Entries=[
                {"Id": str(number), "MessageBody": f"{number:0{BODY_BYTES}}"}
                for number in range(first, min(first + 10, count))])


def traced(path, offset=0):
    """When the function had each message, in nanoseconds of the monotonic clock, by what stands behind the offset."""
    arrived = {}
    if path.exists():
        for line in path.read_bytes()[offset:].decode("ascii").split("\n")[:-1]:
            content, at = line.split(" ")
            # Records' data is in base64, whose text for a number of this length is longer than the number.
            arrived[int(content if len(content) <= BODY_BYTES else base64.b64decode(content))] = int(at)
    return arrived


def await_count(path, count, seconds=60, offset=0):
    until = time.monotonic() + seconds
    # Lines are counted before they are read: this runs beside what is measured.
    while not path.exists() or path.read_bytes()[offset:].count(b"\n") < count:
        if time.monotonic() > until:
            raise BenchError(f"only {len(traced(path, offset)):,} of {count:,} messages reached the function")
        time.sleep(0.1)
    while len(arrived := traced(path, offset)) < count and time.monotonic() < until:
        time.sleep(0.1)
    return arrived


def section_trigger_latency(bench):
    """From the answer to a SendMessage, which is durable then, to the function's having it; its environment is warm."""
    count = 300 if bench.args.quick else 1_000
    beyond, from_send = [], []
    for _ in range(bench.rounds):
        trace = bench.fresh("trace")
        with bench.penstock() as server:
            api = Api(server.endpoint)
            url = api.create_queue("bench")
            api.add_function("bench", bench.program("bench_native_function"), Environment={
                "PENSTOCK_BENCH_TRACE": str(trace)})
            api.map("bench", "bench", BatchSize=1)
            sent = {}
            warm = 20
            for number in range(count + warm):
                before = time.monotonic_ns()
                api.sqs("SendMessage", QueueUrl=url, MessageBody=str(number))
                sent[number] = (before, time.monotonic_ns())
                time.sleep(0.002)
            arrived = await_count(trace, count + warm)
        for number in range(warm, count + warm):
            from_send.append((arrived[number] - sent[number][0]) / 1e6)
            beyond.append((arrived[number] - sent[number][1]) / 1e6)
    hundredths = statistics.quantiles(beyond, n=100)
    bench.bound("from a durable send to the function, p50", hundredths[49], 2, "ms", digits=2)
    bench.bound("from a durable send to the function, p99", hundredths[98], 10, "ms", digits=2)
    bench.note(f"from the beginning of the send: p50 {statistics.median(from_send):.2f} ms, "
               f"p99 {statistics.quantiles(from_send, n=100)[98]:.2f} ms")


def filled_queue(api, per_batch):
    """Fills a queue, and maps it; its batches have so many messages."""
    url = api.create_queue("bench")
    uuid = api.map("bench", "bench", BatchSize=per_batch, Enabled=False,
                   ScalingConfig={"MaximumConcurrency": ENVIRONMENTS})
    return uuid, lambda count: api.fill(url, count)


def filled_stream(api, per_batch):
    """Fills a stream of as many lanes as there are environments, and maps it."""
    api.kinesis("CreateStream", StreamName="bench", ShardCount=ENVIRONMENTS // LANES_OF_SHARD)
    while api.kinesis("DescribeStreamSummary", StreamName="bench")["StreamDescriptionSummary"]["StreamStatus"] != "ACTIVE":
        time.sleep(0.005)
    uuid = api.map("bench", "bench", source="kinesis:{region}:{account}:stream/", BatchSize=per_batch, Enabled=False,
                   StartingPosition="TRIM_HORIZON", ParallelizationFactor=LANES_OF_SHARD)
    return uuid, api.fill_stream


def section_trigger_rate(bench):
    """Batches per second through 64 warm environments, beside the same processes against a bare Runtime API."""
    function = bench.program("bench_native_function")

    def measure(name, fill_and_map, per_batch, item_bytes):
        count = (5_000 if bench.args.quick else 15_000) * min(per_batch, 4)
        sizes = []

        def batches():
            trace = bench.fresh("trace")
            with bench.penstock("--concurrency", ENVIRONMENTS) as server:
                api = Api(server.endpoint)
                api.add_function("bench", function, Environment={"PENSTOCK_BENCH_TRACE": str(trace)})
                uuid, fill = fill_and_map(api, per_batch)
                # What comes first starts the environments; the rest finds them warm.
                for items in (1_000 * per_batch, count):
                    fill(items)
                    offset = trace.stat().st_size if trace.exists() else 0
                    api.set_enabled(uuid, True)
                    arrived = await_count(trace, items, offset=offset)
                    api.set_enabled(uuid, False)
            moments = sorted(set(arrived.values()))
            sizes.append(count / len(moments))
            return (len(moments) - 1) / ((moments[-1] - moments[0]) / 1e9)

        def pong():
            return bench.figures([bench.program("bench_runtime_pong"), "--function", function,
                                  "--processes", ENVIRONMENTS, "--event-bytes", per_batch * item_bytes,
                                  "--seconds", bench.seconds])["rate"]

        median = interleaved(bench.rounds, batches=batches, pong=pong)
        bench.ratio(f"batches of {name}, {ENVIRONMENTS} environments : bare Runtime API", median["batches"],
                    median["pong"], 0.5)
        bench.note(f"in a batch: {statistics.median(sizes):.1f}; {median['batches'] * statistics.median(sizes):,.0f} /s")

    measure("1 message", filled_queue, 1, MESSAGE_EVENT_BYTES)
    measure(f"{PER_BATCH} records", filled_stream, PER_BATCH, RECORD_EVENT_BYTES)
    measure(f"{PER_BATCH} messages", filled_queue, PER_BATCH, MESSAGE_EVENT_BYTES)


def section_cold_start(bench):
    """Invoke of a native function that has no environment yet."""
    count = 10 if bench.args.quick else 30
    with bench.penstock() as server:
        api = Api(server.endpoint)
        for number in range(count):
            api.add_function(f"f{number}", bench.program("bench_native_function"))
        api.invoke("f0")
        cold, warm = [], []
        for number in range(1, count):
            for times in (cold, warm):
                before = time.monotonic()
                api.invoke(f"f{number}")
                times.append((time.monotonic() - before) * 1000)
    bench.bound("Invoke with a cold start, median", statistics.median(cold), 30, "ms", digits=2)
    bench.note(f"the slowest {max(cold):.1f} ms; warm, median {statistics.median(warm):.2f} ms")


def section_idle_mappings(bench):
    """Ten thousand mappings, each of a queue of its own, to which nothing comes."""
    count = 1_000 if bench.args.quick else 10_000
    with bench.penstock("--durability", "os", data=bench.fresh("data")) as server:
        api = Api(server.endpoint)
        api.add_function("bench", bench.program("bench_native_function"))
        for number in range(count):
            api.create_queue(f"bench-{number}")
        before = server.memory()
        for number in range(count):
            api.map(f"bench-{number}", "bench")
        time.sleep(1)
        grown = server.memory() - before
        used = server.cpu_seconds()
        time.sleep(5)
        used = (server.cpu_seconds() - used) / 5
    bench.bound(f"{count:,} idle mappings, processor", used * 100, 0.5, "%", digits=2)
    bench.bound(f"{count:,} idle mappings, resident, each", grown / count / 1024, None, "KiB")
