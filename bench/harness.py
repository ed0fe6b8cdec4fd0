"""What the benchmark's sections share: processes, loads, peers, and the ratios that are printed."""

import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
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


def call(port, operation, body, timeout=30, target="AmazonSQS"):
    """One JSON request; returns the parsed answer. The connection is refused with OSError while nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("POST", "/", json.dumps(body), {
            "Content-Type": f"application/x-amz-json-{'1.0' if target == 'AmazonSQS' else '1.1'}", "X-Amz-Target": f"{target}.{operation}",
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


def bare_server(bench):
    ready = bench.fresh("ready")
    argv = [bench.program("bench_bare_server"), "--threads", CPUS, "--ready-file", ready]
    return Server(argv, bench.fresh("log"), ready_file=ready)
