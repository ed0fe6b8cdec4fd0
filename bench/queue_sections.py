"""The sections of the benchmark about the start and about queues."""

import statistics
import time

from harness import (CPUS, MEGABYTE, BenchError, Process, Sampler, Server, bare_server, call, free_port,
                     install_peers, interleaved)


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
