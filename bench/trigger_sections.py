"""The sections of the benchmark about triggers: functions that are run for what arrives."""

import base64
import http.client
import json
import statistics
import time

from harness import BenchError, call, interleaved

PER_BATCH = 10
BODY_BYTES = 100
# Of the trace of such a body: a space, nanoseconds since a start of less than a second ago, and the end.
LINE_BYTES_MIN = BODY_BYTES + 11
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

    def create_stream(self, name, shards):
        self.kinesis("CreateStream", StreamName=name, ShardCount=shards)
        while self.kinesis("DescribeStreamSummary", StreamName=name)["StreamDescriptionSummary"]["StreamStatus"] != "ACTIVE":
            time.sleep(0.005)

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


def await_count(path, count, seconds=60, offset=0, line_bytes_min=0):
    until = time.monotonic() + seconds
    # The file is read when it is long enough, since this runs beside what is measured.
    while not path.exists() or path.stat().st_size - offset < count * line_bytes_min:
        if time.monotonic() > until:
            break
        time.sleep(0.05)
    while not path.exists() or path.read_bytes()[offset:].count(b"\n") < count:
        if time.monotonic() > until:
            raise BenchError(f"only {len(traced(path, offset)):,} of {count:,} messages reached the function")
        time.sleep(0.05)
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
    api.create_stream("bench", ENVIRONMENTS // LANES_OF_SHARD)
    uuid = api.map("bench", "bench", source="kinesis:{region}:{account}:stream/", BatchSize=per_batch, Enabled=False,
                   StartingPosition="TRIM_HORIZON", ParallelizationFactor=LANES_OF_SHARD)
    return uuid, api.fill_stream


def message_event(number):
    """A message in an event, as a mapping of a queue has it."""
    return {"messageId": "2e97aea2-dfc4-4220-a062-10b856c5af7e", "receiptHandle": "0123456789abcdef" * 4,
            "body": f"{number:0{BODY_BYTES}}",
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1700000000000",
                           "SenderId": "AIDAIENQZJOLO23YVJ4VO", "ApproximateFirstReceiveTimestamp": "1700000000001"},
            "messageAttributes": {}, "md5OfBody": "0123456789abcdef" * 2, "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:bench", "awsRegion": "us-east-1"}


def record_event(number):
    """The same of a record and a mapping of a stream."""
    sequence_number = "49590338271490256608559692538361571095921575989136588898"
    return {"kinesis": {"kinesisSchemaVersion": "1.0", "partitionKey": str(number), "sequenceNumber": sequence_number,
                        "data": base64.b64encode(f"{number:0{BODY_BYTES}}".encode()).decode(),
                        "approximateArrivalTimestamp": 1700000000.123},
            "eventSource": "aws:kinesis", "eventVersion": "1.0", "eventID": f"shardId-000000000006:{sequence_number}",
            "eventName": "aws:kinesis:record", "invokeIdentityArn": "arn:aws:iam::000000000000:role/lambda-role",
            "awsRegion": "us-east-1", "eventSourceARN": "arn:aws:kinesis:us-east-1:000000000000:stream/bench"}


def section_trigger_rate(bench):
    """Batches per second through 64 warm environments, beside the same processes that get the same events from a bare
    Runtime API. The functions note what they get on both sides. Penstock runs environments beyond one for each processor
    under SCHED_BATCH; those of the bare side run as what is started usually does, and what it would gain by the same is
    said beside the ratio."""
    function = bench.program("bench_native_function")

    def measure(name, fill_and_map, per_batch, item):
        # More than a second of them, so that the number of batches at a time has grown for the most part.
        count = (5_000 if bench.args.quick else 15_000) * per_batch
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
                    arrived = await_count(trace, items, offset=offset, line_bytes_min=LINE_BYTES_MIN)
                    api.set_enabled(uuid, False)
            moments = sorted(set(arrived.values()))
            sizes.append(count / len(moments))
            return (len(moments) - 1) / ((moments[-1] - moments[0]) / 1e9)

        def pong(*options):
            event = bench.fresh("event")
            event.write_text(json.dumps({"Records": [item(number) for number in range(per_batch)]},
                                        separators=(",", ":")))
            return bench.figures([bench.program("bench_runtime_pong"), "--function", function,
                                  "--processes", ENVIRONMENTS, "--event", event, "--trace", bench.fresh("trace"),
                                  "--seconds", bench.seconds, *options])["rate"]

        median = interleaved(bench.rounds, batches=batches, pong=pong, yielding=lambda: pong("--yields"))
        bench.ratio(f"batches of {name}, {ENVIRONMENTS} environments : bare Runtime API", median["batches"],
                    median["pong"], 0.5)
        bench.note(f"in a batch: {statistics.median(sizes):.1f}; {median['batches'] * statistics.median(sizes):,.0f} /s; "
                   f"with the bare side under SCHED_BATCH too, {median['yielding']:,.0f} /s: "
                   f"{median['batches'] / median['yielding']:.2f}")

    measure("1 message", filled_queue, 1, message_event)
    measure(f"{PER_BATCH} records", filled_stream, PER_BATCH, record_event)
    measure(f"{PER_BATCH} messages", filled_queue, PER_BATCH, message_event)


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
    """Ten thousand mappings, to which nothing comes: half of them of a queue each, the others of one stream to a function
    each."""
    count = 1_000 if bench.args.quick else 10_000
    with bench.penstock("--durability", "os", data=bench.fresh("data")) as server:
        api = Api(server.endpoint)
        function = bench.program("bench_native_function")
        api.add_function("bench", function)
        api.create_stream("bench", 1)
        for number in range(count // 2):
            api.create_queue(f"bench-{number}")
            api.add_function(f"bench-{number}", function)
        before = server.memory()
        for number in range(count // 2):
            api.map(f"bench-{number}", "bench")
            api.map("bench", f"bench-{number}", source="kinesis:{region}:{account}:stream/", StartingPosition="LATEST")
        time.sleep(1)
        grown = server.memory() - before
        used = server.cpu_seconds()
        time.sleep(5)
        used = (server.cpu_seconds() - used) / 5
    bench.bound(f"{count:,} idle mappings, processor", used * 100, 0.5, "%", digits=2)
    bench.bound(f"{count:,} idle mappings, resident, each", grown / count / 1024, None, "KiB")
