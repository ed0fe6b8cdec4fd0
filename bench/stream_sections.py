"""The sections of the benchmark about streams."""

import statistics
import time

from harness import CPUS, MEGABYTE, Sampler, Server, bare_server, call, free_port, install_peers, interleaved

# Of a stream, over which the partition keys of the load are spread at random.
SHARDS = 4


def section_put_records(bench):
    """PutRecords of 500 records of 1 KiB over 4 connections, synced, beside RocksDB with 500 puts a sync."""
    costs = []

    def penstock(*flags):
        def run():
            data = bench.fresh("data")
            with bench.penstock(data=data) as server:
                bench.stream_load(server.endpoint, "put-records", 4, shards=SHARDS, seconds=0.2, warmup=0)
                before = server.cpu_seconds()
                put = bench.stream_load(server.endpoint, "put-records", 4, *flags, shards=SHARDS)
                if not flags:
                    costs.append((server.cpu_seconds() - before, put))
            bench.forget(data)
            return put["rate"]
        return run

    def bare():
        with bare_server(bench) as server:
            return bench.stream_load(server.endpoint, "put-records", 4, shards=SHARDS)["rate"]

    # The yardstick is whichever serves RocksDB best: its own options or those of Penstock's table, and one thread that
    # writes or four.
    raw = {f"raw, {title}, {threads} thread{'s' if threads > 1 else ''}":
           lambda threads=threads, flags=flags: bench.raw(threads, 500, *flags)
           for title, flags in (("own options", ()), ("options of the table", ("--like-records",)))
           for threads in (1, 4)}
    median = interleaved(bench.rounds, **raw, bare=bare, json=penstock(), cbor=penstock("--cbor"))
    best = max(raw, key=median.get)
    bench.note("RocksDB, 500 puts a sync: " + "; ".join(f"{name[5:]} {median[name]:,.0f}/s" for name in raw))
    bench.ratio(f"PutRecords of 500, JSON, 4 connections : {best}", median["json"], median[best], 0.5)
    bench.ratio(f"PutRecords of 500, CBOR, 4 connections : {best}", median["cbor"], median[best], 0.5)
    bench.ratio("PutRecords of 500, JSON, 4 connections : bare Beast server", median["json"], median["bare"])
    break_down(bench, median, costs)


def break_down(bench, median, costs):
    """Where the time of a PutRecords goes: each step by itself over the same bytes, beside what the server used."""
    total = statistics.median(cpu * 1e6 / (put["messages_total"] / 500) for cpu, put in costs)
    load = statistics.median(put["generator_cpu_seconds"] * 1e6 / (put["messages_total"] / 500) for _, put in costs)
    wall = 500e6 / median["json"]
    bench.note(f"a PutRecords of 500 in JSON: {wall:,.0f} us from one to the next; the server's threads use "
               f"{total:,.0f} us of the {CPUS} processors, the load {load:,.0f} us")
    for title, flags in (("JSON", ()), ("CBOR", ("--cbor",))):
        argv = [bench.program("bench_stream_steps"), "--dir", bench.fresh("steps"), "--seconds", bench.seconds / 2]
        step = statistics_of_steps([bench.figures([*argv, *flags]) for _ in range(bench.rounds)])
        whole = step["prepare"] + step["engine"] + step["encode"] + step["answer"] + step["free"] + \
            step["commit_synced"]
        shares = {"parse": step["parse"], "base64": step["base64"], "MD5": step["md5"],
                  "strings and checks": step["prepare"] - step["parse"] - step["base64"] - step["md5"],
                  "engine": step["engine"], "encode": step["encode"], "answer": step["answer"], "free": step["free"],
                  "store, without sync": step["commit"], "sync": step["commit_synced"] - step["commit"]}
        bench.note(f"its steps by themselves, {title}, without HTTP: {whole:,.0f} us in one thread: " +
                   ", ".join(f"{name} {value:,.0f} ({100 * value / whole:.0f} %)" for name, value in shares.items()
                             if name != "base64" or value))


def statistics_of_steps(runs):
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def section_put_record(bench):
    """PutRecord of 1 KiB at 32 connections, synced, beside RocksDB with 32 threads."""
    def penstock():
        data = bench.fresh("data")
        with bench.penstock(data=data) as server:
            rate = bench.stream_load(server.endpoint, "put-record", 32, shards=SHARDS)["rate"]
        bench.forget(data)
        return rate

    median = interleaved(bench.rounds, raw=lambda: bench.raw(32), like=lambda: bench.raw(32, 1, "--like-records"),
                         penstock=penstock)
    best = max(("raw", "like"), key=median.get)
    options = "own options" if best == "raw" else "options of the table"
    bench.ratio(f"PutRecord, synced, 32 connections : raw, {options}, 32 threads", median["penstock"], median[best],
                0.9)


def section_get_records(bench):
    """GetRecords in pages of 10 MiB, one connection and one shard, beside RocksDB's iterator over the same files."""
    data = bench.fresh("data")
    records = 100_000 if bench.args.quick else 300_000
    with bench.penstock("--durability", "os", data=data) as server:
        bench.stream_load(server.endpoint, "put-records", 4, seconds=0, warmup=0, messages=records)

    def penstock(connections, *flags):
        def run():
            with bench.penstock(data=data) as server:
                # Every run reads what is in the kernel's cache: this goes through all of it first.
                bench.stream_load(server.endpoint, "get-records", 1, seconds=0, warmup=0, messages=records)
                return bench.stream_load(server.endpoint, "get-records", connections, *flags)["rate"]
        return run

    scan = [bench.program("bench_raw_scan"), "--dir", data, "--seconds", bench.seconds]
    median = interleaved(bench.rounds, raw=lambda: bench.figures(scan)["rate"], json=penstock(1), four=penstock(4),
                         cbor=penstock(1, "--cbor"))
    bench.forget(data)
    bench.ratio("GetRecords, full pages, warm, JSON, 1 connection : raw scan", median["json"], median["raw"], 0.15)
    bench.ratio("GetRecords, full pages, warm, CBOR, 1 connection : raw scan", median["cbor"], median["raw"], 0.15)
    bench.ratio("GetRecords, full pages, warm, JSON, 4 connections : raw scan", median["four"], median["raw"])


def section_tail(bench):
    """From the acknowledgement of a put to the record at a consumer that follows: what that adds to the commit."""
    records = 500 if bench.args.quick else 1_000
    modes = {"pushed": (), "polled": ("--poll",)}
    runs = {mode: [] for mode in modes}
    for number in range(bench.rounds):
        for mode in (list(modes) if number % 2 == 0 else list(reversed(modes))):
            data = bench.fresh("data")
            with bench.penstock(data=data) as server:
                argv = [bench.program("bench_stream_tail"), "--endpoint", server.endpoint, "--records", records,
                        *modes[mode]]
                runs[mode].append(bench.figures(argv))
            bench.forget(data)
    for mode, title in (("pushed", "SubscribeToShard"), ("polled", "GetRecords without a pause")):
        for figure, limit in (("p50_us", None), ("p99_us", 5)):
            took = statistics.median(run[figure] for run in runs[mode]) / 1000
            bench.bound(f"{title}, 400 puts a second, after the ack, {figure[:3]}", took, limit, "ms", digits=2)
    put = statistics.median(run["put_p50_us"] for run in runs["pushed"])
    bench.note(f"the puts themselves, synced, meanwhile: p50 {put / 1000:.2f} ms")


def section_stream_memory(bench):
    """Resident memory while a stream grows: with --stream-gb 10 that it stays the same."""
    gigabytes = bench.args.stream_gb or (0.3 if bench.args.quick else 1)
    data = bench.fresh("data")
    idle, growing, after_read = grow_stream(bench, data, gigabytes)
    started = time.monotonic()
    with bench.penstock(data=data):
        restart = time.monotonic() - started
    bench.forget(data)
    grown = f"stream of {gigabytes:g} GB"
    bench.bound(f"resident, more than when started, {grown}", (max(growing) - idle) / MEGABYTE, 128, "MB")
    if len(growing) > 1:
        bench.bound(f"resident while the last GB of {gigabytes:g} is put, more than for the first",
                    (growing[-1] - growing[0]) / MEGABYTE, 10, "MB")
    bench.bound(f"start until ready, {grown}", restart * 1000, 1000, "ms")
    bench.note(f"resident: {idle / MEGABYTE:.1f} MB at start; while it grew " +
               ", ".join(f"{median / MEGABYTE:.1f}" for median in growing) +
               f"; {after_read / MEGABYTE:.1f} after pages of 10 MiB were read")


def grow_stream(bench, data, gigabytes):
    """Resident bytes at start, the medians while the first gigabyte and (if there are more) the last were put, and
    what it is after a read."""
    million = 1_000_000
    records = int(gigabytes * million)
    steps = [records] if records < 3 * million else [million, records - 2 * million, million]
    medians = []
    with bench.penstock("--durability", "os", data=data) as server:
        call(int(server.endpoint.rsplit(":", 1)[1]), "ListQueues", {})
        time.sleep(1)
        idle = server.memory()
        for count in steps:
            with Sampler(server.memory) as sampler:
                bench.stream_load(server.endpoint, "put-records", 4, shards=SHARDS, seconds=0, warmup=0,
                                  messages=count)
            # The first half is still filling the buffers.
            medians.append(statistics.median(sampler.samples[len(sampler.samples) // 2:]))
        bench.stream_load(server.endpoint, "get-records", 1, shards=SHARDS)
        return idle, medians, server.memory()


def section_kinesis_peers(bench):
    """Beside other emulators of Kinesis, which keep their streams in memory, under the same load."""
    folder = install_peers(bench)
    if folder is None:
        return

    def kinesalite():
        port = free_port()
        argv = ["node", folder / "node_modules/kinesalite/cli.js", "--port", port, "--createStreamMs", 10,
                "--shardLimit", 100]
        return Server(argv, bench.fresh("log"), port=port)

    def kinesis_local():
        port = free_port()
        env = {"KINESIS_MOCK_PLAIN_PORT": str(port), "KINESIS_MOCK_TLS_PORT": str(free_port()), "LOG_LEVEL": "ERROR",
               "CREATE_STREAM_DURATION": "10ms",
               "KINESIS_MOCK_CERT_PATH": str(folder / "node_modules/kinesis-local/server.json")}
        argv = ["node", folder / "node_modules/kinesis-local/main.js"]
        return Server(argv, bench.fresh("log"), port=port, env=env)

    loads = (("put-record", 1), ("put-record", 32), ("put-records", 4), ("get-records", 1))

    def run_all(server):
        rates = []
        for scenario, connections in loads:
            # Each has its own stream; what is read is what was put in batches.
            stream = "single" if scenario == "put-record" else "batch"
            rates.append(bench.stream_load(server.endpoint, scenario, connections, "--stream", stream,
                                           shards=SHARDS)["rate"])
        return rates

    def on(start):
        def run():
            with start() as server:
                return run_all(server)
        return run

    def synced():
        data = bench.fresh("data")
        with bench.penstock(data=data) as server:
            rates = run_all(server)
        bench.forget(data)
        return rates

    peers = {"kinesalite": on(kinesalite), "kinesis-local": on(kinesis_local)}
    sides = {**peers, "synced": synced, "ephemeral": on(lambda: bench.penstock("--ephemeral"))}
    rates = {side: [] for side in sides}
    for number in range(max(1, bench.rounds - 2)):
        for side in (list(sides) if number % 2 == 0 else list(reversed(sides))):
            rates[side].append(sides[side]())
    for index, (scenario, connections) in enumerate(loads):
        median = {side: statistics.median(run[index] for run in rates[side]) for side in sides}
        for peer in peers:
            for side in ("synced", "ephemeral"):
                plural = "" if connections == 1 else "s"
                bench.ratio(f"{scenario}, {connections} connection{plural}, {side} : {peer}", median[side],
                            median[peer])
