#!/usr/bin/env python3
"""Measures Penstock against its yardsticks and prints each as a ratio beside its goal.

Everything runs on loopback and is started and stopped from here. The runs of a comparison are interleaved, so that a
slow minute of the machine hits both sides, and the medians are compared. The load runs on the processors of the server
that it measures, and takes its part of them. Nothing but Python's standard library and the bench programs is needed;
the comparisons with other emulators also take Node and npm, and are left out where they are missing.
"""

import argparse
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
MEGABYTE = 1_000_000
CPUS = os.cpu_count() or 1


class BenchError(Exception):
    """A program that failed or a server that did not come up."""


# ---- Servers


class Process:
    """A child process that is ended by its process id, at the latest when this program ends."""

    running = []

    def __init__(self, argv, log_path, env=None):
        self.log_path = log_path
        self.log = open(log_path, "ab")
        self.started = time.monotonic()
        self.popen = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=self.log,
                                      stderr=self.log, env={**os.environ, **(env or {})})
        Process.running.append(self)

    def check_alive(self):
        if self.popen.poll() is not None:
            tail = pathlib.Path(self.log_path).read_text(errors="replace")[-600:]
            raise BenchError(f"{self.popen.args[0]} ended with {self.popen.returncode}: {tail}")

    def stop(self):
        if self in Process.running:
            Process.running.remove(self)
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(60)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        self.log.close()

    def cpu_seconds(self):
        """What all its threads have used so far, in the kernel and out of it."""
        with open(f"/proc/{self.popen.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, field="VmRSS"):
        """Resident bytes, from the kernel's books."""
        with open(f"/proc/{self.popen.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
        raise BenchError(f"no {field} for process {self.popen.pid}")


class Server(Process):
    """A process that serves SQS or Kinesis at `endpoint`."""

    def __init__(self, argv, log_path, port=None, ready_file=None, env=None):
        super().__init__(argv, log_path, env)
        self.endpoint = f"http://127.0.0.1:{port}" if port else self._await_ready_file(ready_file)
        if port:
            self._await_answer(port)

    def _await_ready_file(self, path):
        while not path.exists():
            self.check_alive()
            if time.monotonic() - self.started > 60:
                raise BenchError("the server was not ready within a minute")
            time.sleep(0.002)
        return path.read_text(encoding="ascii").strip()

    def _await_answer(self, port):
        while True:
            self.check_alive()
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def call(port, operation, body, timeout=30):
    """One JSON request; returns the parsed answer. The connection is refused with OSError while nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("POST", "/", json.dumps(body), {
            "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS." + operation,
            "Authorization": "AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/sqs/aws4_request, "
                             "SignedHeaders=host, Signature=0"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise BenchError(f"{operation} was answered with {answer.status}: {text[:300]}")
        return json.loads(text) if text else {}
    finally:
        connection.close()


class Bench:
    """What every section uses: the programs, the scratch directory, the settings and the results."""

    def __init__(self, args, scratch):
        self.args = args
        self.scratch = scratch
        self.rounds = args.rounds or (3 if args.quick else 5)
        self.seconds = args.seconds or (1.0 if args.quick else 3.0)
        self.count = 0
        self.results = []
        self.notes = []

    def program(self, name):
        for folder in (self.args.build_dir, self.args.build_dir / "bench"):
            if (folder / name).is_file():
                return folder / name
        raise BenchError(f"{name} is not in {self.args.build_dir}: build first")

    def fresh(self, name):
        self.count += 1
        return self.scratch / f"{self.count}-{name}"

    def penstock(self, *flags, data=None, port=0):
        """A running Penstock; on a new empty directory if none is given."""
        ready = self.fresh("ready")
        keeps = [] if "--ephemeral" in flags else ["--data-dir", data or self.fresh("data")]
        argv = [self.args.penstock or self.program("penstock"), "serve", "--host", "127.0.0.1", "--port", port,
                "--ready-file", ready, "--threads", CPUS, "--log-level", "warn", *keeps, *flags]
        return Server(argv, self.fresh("log"), ready_file=ready)

    def load(self, endpoint, scenario, connections, queue="bench", seconds=None, warmup=0.3, messages=0, groups=0,
             flags=()):
        argv = [self.program("bench_http_load"), "--endpoint", endpoint, "--scenario", scenario, "--connections",
                connections, "--queue", queue, "--seconds", self.seconds if seconds is None else seconds, "--warmup",
                warmup, "--messages", messages, "--groups", groups, *flags]
        return self.figures(argv)

    def stream_load(self, endpoint, scenario, connections, *flags, shards=1, **others):
        return self.load(endpoint, scenario, connections, flags=("--shards", shards, *flags), **others)

    def raw(self, threads, batch=1, *flags):
        argv = [self.program("bench_raw_rocksdb"), "--dir", self.fresh("raw"), "--threads", threads, "--batch", batch,
                "--seconds", self.seconds, *flags]
        return self.figures(argv)["rate"]

    def figures(self, argv):
        done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchError(done.stderr.strip() or f"{argv[0]} failed")
        figures = json.loads(done.stdout)
        if figures["errors"]:
            raise BenchError(f"{figures['errors']} errors under load, the first: {figures['first_error']}")
        return figures

    def forget(self, path):
        shutil.rmtree(path, ignore_errors=True)

    # ---- Results

    def ratio(self, name, figure, yardstick, goal=None, unit="/s"):
        """A row that compares a rate with a yardstick's; the goal is the least ratio that is good enough."""
        value = figure / yardstick if yardstick else 0.0
        self._row(name, f"{figure:,.0f} {unit}", f"{yardstick:,.0f} {unit}", value, f"{value:.2f}",
                  None if goal is None else f">= {goal:.2f}", None if goal is None else value >= goal)

    def bound(self, name, figure, limit, unit, digits=1):
        """A row with a figure that is not to be greater than a limit."""
        met = None if limit is None else figure <= limit
        self._row(name, f"{figure:,.{digits}f} {unit}", "", figure, "",
                  None if limit is None else f"<= {limit:g} {unit}", met)

    def _row(self, name, figure, yardstick, value, ratio, goal, met):
        self.results.append({"name": name, "figure": figure, "yardstick": yardstick, "value": value, "goal": goal,
                             "met": met})
        verdict = {None: "", True: "met", False: "MISSED"}[met]
        print(f"  {name:<72}{figure:>16}{yardstick:>16}{ratio:>8}  {goal or '':<14}{verdict}", flush=True)

    def note(self, text):
        self.notes.append(text)
        print(f"  {text}", flush=True)


def interleaved(rounds, **sides):
    """Runs every side once per round, in turns that reverse every other round; returns each side's median."""
    figures = {name: [] for name in sides}
    for number in range(rounds):
        order = list(sides) if number % 2 == 0 else list(reversed(sides))
        for name in order:
            figures[name].append(sides[name]())
    return {name: statistics.median(values) for name, values in figures.items()}


# ---- Sections


def section_start(bench):
    """Start on an empty directory: from exec to the first answered request, and what it takes when it is idle."""
    times = []
    idle = 0
    for number in range(20):
        port = free_port()
        data = bench.fresh("data")
        argv = [bench.args.penstock or bench.program("penstock"), "serve", "--host", "127.0.0.1", "--port", port,
                "--data-dir", data, "--log-level", "warn"]
        process = Process(argv, bench.fresh("log"))
        times.append(first_answer(process, port, "ListQueues", {}) * 1000)
        if number == 19:
            time.sleep(1)
            idle = process.memory()
        process.stop()
        bench.forget(data)
    bench.bound("start on an empty directory to first answer, median of 20", statistics.median(times), 50, "ms")
    bench.bound("the slowest of these", max(times), None, "ms")
    bench.bound("resident when idle", idle / MEGABYTE, 30, "MB")


def first_answer(process, port, operation, body):
    """Seconds from the start of the process to its first answer."""
    while True:
        try:
            answer = call(port, operation, body)
            took = time.monotonic() - process.started
            process.last_answer = answer
            return took
        except (ConnectionRefusedError, ConnectionResetError):
            process.check_alive()
            time.sleep(0.0003)


def section_send(bench):
    """SendMessage of 1 KiB, synced, beside RocksDB alone with as many threads."""
    def penstock(connections):
        def run():
            data = bench.fresh("data")
            with bench.penstock(data=data) as server:
                rate = bench.load(server.endpoint, "send", connections)["rate"]
            bench.forget(data)
            return rate
        return run

    counts = (1, 32, 64)
    sides = {}
    for count in counts:
        sides[f"raw{count}"] = lambda count=count: bench.raw(count)
        sides[f"penstock{count}"] = penstock(count)
    median = interleaved(bench.rounds, **sides)
    goals = {1: 0.75, 32: 0.9, 64: 0.9}
    for count in counts:
        connections = "connection" if count == 1 else "connections"
        bench.ratio(f"send, synced, {count} {connections} : raw RocksDB, {count} threads", median[f"penstock{count}"],
                    median[f"raw{count}"], goals[count])
    bench.ratio("send, synced, 64 connections : a synced write per request", median["penstock64"], median["raw1"], 2.0)


def section_os(bench):
    """Syncing left to the kernel, beside a server that does nothing but HTTP."""
    def bare():
        with bare_server(bench) as server:
            return bench.load(server.endpoint, "send", 64)["rate"]

    def penstock():
        data = bench.fresh("data")
        with bench.penstock("--durability", "os", data=data) as server:
            rate = bench.load(server.endpoint, "send", 64)["rate"]
        bench.forget(data)
        return rate

    median = interleaved(bench.rounds, bare=bare, penstock=penstock)
    bench.ratio("send, --durability os, 64 connections : bare Beast server", median["penstock"], median["bare"], 0.5)


def section_batch(bench):
    """Batches of ten, and taking them out again."""
    received = []

    def penstock():
        data = bench.fresh("data")
        with bench.penstock(data=data) as server:
            sent = bench.load(server.endpoint, "send-batch", 16)
            received.append(bench.load(server.endpoint, "receive-delete", 16, messages=sent["messages_total"])["rate"])
        bench.forget(data)
        return sent["rate"]

    median = interleaved(bench.rounds, raw=lambda: bench.raw(1, batch=100), penstock=penstock)
    bench.ratio("send batches of 10, synced, 16 connections : raw, 100 a sync", median["penstock"], median["raw"], 0.35)
    bench.ratio("receive 10 + delete 10, 16 connections : send batches", statistics.median(received),
                median["penstock"], 0.4)


def section_backlog(bench):
    """The same work with many messages waiting as with an empty queue; memory; restart."""
    backlog = bench.args.backlog or (100_000 if bench.args.quick else 1_000_000)
    full_data = bench.fresh("backlog")
    idle, filling, after_fill = fill_backlog(bench, full_data, backlog)
    restarts, after_restart = restart_with_backlog(bench, full_data)
    with bench.penstock(data=full_data) as full, bench.penstock() as empty:
        rates, after_load = compare_backlog(bench, full, empty)
    bench.forget(full_data)
    label = f"{backlog:,} waiting"
    for phase, title in (("send", "send, 64 connections"), ("send-batch", "send batches of 10, 16 connections"),
                         ("receive-delete", "receive 10 + delete 10, 16 connections")):
        bench.ratio(f"{title}, {label} : empty", statistics.median(rates["full", phase]),
                    statistics.median(rates["empty", phase]), 0.9)
    most = max(max(filling), after_fill, after_restart, after_load["full"])
    limit = 100 if backlog <= 1_000_000 else None
    bench.bound(f"resident, more than when started, {label}", (most - idle) / MEGABYTE, limit, "MB")
    bench.note(f"resident: {idle / MEGABYTE:.1f} MB at start, {after_fill / MEGABYTE:.1f} after filling, "
               f"{after_restart / MEGABYTE:.1f} after a restart, {after_load['full'] / MEGABYTE:.1f} after this load "
               f"({after_load['empty'] / MEGABYTE:.1f} after the same load on the empty one)")
    if len(filling) > 1:
        bench.bound(f"resident while the last million of {backlog:,} is sent, more than for the first",
                    (filling[-1] - filling[0]) / MEGABYTE, 10, "MB")
    bench.bound(f"restart to first message, {label}, median of {len(restarts)}", statistics.median(restarts), 1000,
                "ms")


def fill_backlog(bench, data, backlog):
    """Resident bytes at start, and the median while the first million and (if there are more) the last were sent.

    Medians, because a single look sees write buffers anywhere between empty and full.
    """
    million = 1_000_000
    steps = [backlog] if backlog < 3 * million else [million, backlog - 2 * million, million]
    medians = []
    with bench.penstock("--durability", "os", data=data) as server:
        call(int(server.endpoint.rsplit(":", 1)[1]), "ListQueues", {})
        time.sleep(1)
        idle = server.memory()
        for messages in steps:
            with Sampler(server.memory) as sampler:
                bench.load(server.endpoint, "send-batch", 16, queue="backlog", seconds=0, warmup=0, messages=messages)
            # The first half of a fill is still filling the buffers.
            medians.append(statistics.median(sampler.samples[len(sampler.samples) // 2:]))
        after_fill = server.memory()
    return idle, medians, after_fill


class Sampler:
    """Calls a function ten times a second while the body of a `with` runs, and once at its end."""

    def __init__(self, look):
        self.look = look
        self.samples = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.over.wait(0.1):
            self.samples.append(self.look())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.samples.append(self.look())


def restart_with_backlog(bench, data):
    """Milliseconds from exec to the first message received, a few times over; resident bytes after it."""
    times = []
    for _ in range(bench.rounds):
        port = free_port()
        argv = [bench.args.penstock or bench.program("penstock"), "serve", "--host", "127.0.0.1", "--port", port,
                "--data-dir", data, "--threads", CPUS, "--log-level", "warn"]
        process = Process(argv, bench.fresh("log"))
        url = f"http://127.0.0.1:{port}/000000000000/backlog"
        took = first_answer(process, port, "ReceiveMessage", {"QueueUrl": url, "VisibilityTimeout": 0})
        if not process.last_answer.get("Messages"):
            raise BenchError("the restarted server did not deliver a message")
        times.append(took * 1000)
        resident = process.memory()
        process.stop()
    return times, resident


def compare_backlog(bench, full, empty):
    """Rates of each phase on both servers. What a round sends it takes out again, so that both stay as they are."""
    rates = {(side, phase): [] for side in ("full", "empty") for phase in ("send", "send-batch", "receive-delete")}
    servers = [("full", full), ("empty", empty)]
    for number in range(bench.rounds):
        order = servers if number % 2 == 0 else servers[::-1]
        sent = {"full": 0, "empty": 0}
        for phase, connections in (("send", 64), ("send-batch", 16)):
            for side, server in order:
                figures = bench.load(server.endpoint, phase, connections, queue="backlog")
                rates[side, phase].append(figures["rate"])
                sent[side] += figures["messages_total"]
        for side, server in order:
            figures = bench.load(server.endpoint, "receive-delete", 16, queue="backlog", seconds=0, warmup=0,
                                 messages=sent[side])
            rates[side, "receive-delete"].append(figures["rate"])
    return rates, {"full": full.memory(), "empty": empty.memory()}


def section_fifo(bench):
    """A FIFO queue over 1,000 groups beside a standard queue; and with 200,000 messages waiting in 20,000 groups."""
    phases = (("send", 32), ("receive-delete", 16))
    rates = {(queue, phase): [] for queue in ("standard", "fifo", "waiting") for phase, _ in phases}
    waiting_data = bench.fresh("waiting")
    with bench.penstock("--durability", "os", data=waiting_data) as server:
        bench.load(server.endpoint, "send-batch", 16, queue="q.fifo", seconds=0, warmup=0, messages=200_000,
                   groups=20_000)
    with bench.penstock() as small, bench.penstock(data=waiting_data) as full:
        sides = [("standard", small, "q", 0), ("fifo", small, "q.fifo", 1_000), ("waiting", full, "q.fifo", 1_000)]
        for number in range(bench.rounds):
            sent = {}
            for side, server, queue, groups in sides if number % 2 == 0 else sides[::-1]:
                figures = bench.load(server.endpoint, "send", 32, queue=queue, groups=groups)
                rates[side, "send"].append(figures["rate"])
                sent[side] = figures["messages_total"]
            for side, server, queue, _ in sides if number % 2 == 0 else sides[::-1]:
                figures = bench.load(server.endpoint, "receive-delete", 16, queue=queue, seconds=0, warmup=0,
                                     messages=sent[side])
                rates[side, "receive-delete"].append(figures["rate"])
    bench.forget(waiting_data)
    medians = {key: statistics.median(values) for key, values in rates.items()}
    for phase, title in (("send", "send, synced, 32 connections"),
                         ("receive-delete", "receive 10 + delete 10, 16 connections")):
        bench.ratio(f"{title}, FIFO with 1,000 groups : standard", medians["fifo", phase], medians["standard", phase],
                    0.7)
        bench.ratio(f"{title}, FIFO with 200,000 waiting : without", medians["waiting", phase], medians["fifo", phase],
                    0.9)


def section_fauxqs(bench):
    """Beside another emulator, which keeps its queues in memory, under the same load."""
    folder = install_peers(bench)
    if folder is None:
        return
    loads = (("send", 1), ("send", 64), ("send-batch", 16), ("receive-delete", 16))

    def run_all(server):
        rates = []
        total = 0
        for scenario, connections in loads:
            # The queue is filled for the receives by what the batches before them sent.
            queue = "single" if scenario == "send" else "batch"
            figures = bench.load(server.endpoint, scenario, connections, queue=queue, messages=total
                                 if scenario == "receive-delete" else 0)
            total = figures["messages_total"]
            rates.append(figures["rate"])
        return rates

    def fauxqs():
        port = free_port()
        # Its own command logs every request; without that it is faster.
        code = f"import('{folder}/node_modules/fauxqs/dist/app.js').then(m => m.startFauxqs({{port: {port}, " \
               "host: '127.0.0.1', logger: false}))"
        with Server(["node", "--input-type=module", "-e", code], bench.fresh("log"), port=port) as server:
            return run_all(server)

    def penstock(*flags):
        def run():
            data = bench.fresh("data")
            with bench.penstock(*flags, data=data) as server:
                rates = run_all(server)
            bench.forget(data)
            return rates
        return run

    rates = {"fauxqs": [], "synced": [], "ephemeral": []}
    sides = {"fauxqs": fauxqs, "synced": penstock(), "ephemeral": penstock("--ephemeral")}
    for number in range(max(1, bench.rounds - 2)):
        for side in (list(sides) if number % 2 == 0 else list(reversed(sides))):
            rates[side].append(sides[side]())
    for index, (scenario, connections) in enumerate(loads):
        peer = statistics.median(run[index] for run in rates["fauxqs"])
        for side in ("synced", "ephemeral"):
            own = statistics.median(run[index] for run in rates[side])
            plural = "" if connections == 1 else "s"
            bench.ratio(f"{scenario}, {connections} connection{plural}, {side} : fauxqs", own, peer)


# ---- Sections about streams

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


def bare_server(bench):
    ready = bench.fresh("ready")
    argv = [bench.program("bench_bare_server"), "--threads", CPUS, "--ready-file", ready]
    return Server(argv, bench.fresh("log"), ready_file=ready)


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


# ---- Peers


def install_peers(bench):
    """The peers' folder outside the tree, as the lock file pins it; None, with a note why, if it cannot be had."""
    if not shutil.which("node") or not shutil.which("npm"):
        bench.note("left out: it needs Node and npm")
        return None
    major = int(subprocess.run(["node", "-p", "process.versions.node.split('.')[0]"], capture_output=True, text=True,
                               check=True).stdout)
    if major < 20:
        bench.note(f"left out: the peers need Node 20, and this is {major}")
        return None
    here = pathlib.Path(__file__).resolve().parent
    lock = (here / "package-lock.json").read_bytes()
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "penstock-bench"
    folder = cache / hashlib.sha256(lock).hexdigest()[:16]
    if (folder / "installed").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(here / name, folder / name)
    done = subprocess.run(["npm", "ci", "--prefix", str(folder), "--no-audit", "--no-fund", "--loglevel", "error"],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        bench.note(f"left out: npm ci failed: {done.stderr.strip()[-200:]}")
        return None
    (folder / "installed").touch()
    return folder


SECTIONS = {"start": section_start, "send": section_send, "os": section_os, "batch": section_batch,
            "backlog": section_backlog, "fifo": section_fifo, "fauxqs": section_fauxqs,
            "put-records": section_put_records, "put-record": section_put_record, "get-records": section_get_records,
            "tail": section_tail, "stream-memory": section_stream_memory, "kinesis-peers": section_kinesis_peers}


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="shorter runs and a smaller backlog, about two minutes")
    parser.add_argument("--rounds", type=int, help="runs of each side, of which the median counts")
    parser.add_argument("--seconds", type=float, help="counted time of each run")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="this section; may be given again")
    parser.add_argument("--backlog", type=int, help="messages waiting; 10000000 shows that memory stays the same")
    parser.add_argument("--stream-gb", type=float, help="how large the stream of stream-memory becomes (default: 1)")
    parser.add_argument("--build-dir", type=pathlib.Path, default=ROOT / "build", help="where the programs are")
    parser.add_argument("--penstock", type=pathlib.Path, help="another server binary")
    parser.add_argument("--dir", type=pathlib.Path, help="where data is written (default: bench-data in the build dir)")
    parser.add_argument("--json", type=pathlib.Path, help="write the results here too")
    parser.add_argument("--check", action="store_true", help="exit 1 if a goal was missed")
    return parser.parse_args()


def main():
    args = parse_args()
    parent = args.dir or args.build_dir / "bench-data"
    parent.mkdir(parents=True, exist_ok=True)
    scratch = pathlib.Path(tempfile.mkdtemp(dir=parent))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    bench = Bench(args, scratch)
    started = time.monotonic()
    try:
        for name in args.only or SECTIONS:
            print(f"{name}: {SECTIONS[name].__doc__.splitlines()[0]}", flush=True)
            SECTIONS[name](bench)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        for process in list(Process.running):
            process.stop()
        shutil.rmtree(scratch, ignore_errors=True)
    missed = [row["name"] for row in bench.results if row["met"] is False]
    judged = sum(row["met"] is not None for row in bench.results)
    print(f"{judged - len(missed)} of {judged} goals met, {bench.rounds} rounds of {bench.seconds:g} s on {CPUS} "
          f"processors, {time.monotonic() - started:.0f} s in all")
    if args.json:
        args.json.write_text(json.dumps({"machine": platform.machine(), "processors": CPUS, "rounds": bench.rounds,
                                         "seconds": bench.seconds, "results": bench.results, "notes": bench.notes},
                                        indent=2) + "\n", encoding="utf-8")
    return 1 if missed and args.check else 0


if __name__ == "__main__":
    sys.exit(main())
