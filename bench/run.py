#!/usr/bin/env python3
"""Measures Penstock against its yardsticks and prints each as a ratio beside its goal.

Everything runs on loopback and is started and stopped from here. The runs of a comparison are interleaved, so that a
slow minute of the machine hits both sides, and the medians are compared. The load runs on the processors of the server
that it measures, and takes its part of them. Nothing but Python's standard library and the bench programs is needed;
the comparisons with other emulators also take Node and npm, and are left out where they are missing.
"""

import argparse
import json
import pathlib
import platform
import shutil
import signal
import sys
import tempfile
import time

import consumer_sections as consumers
import queue_sections as queues
import stream_sections as streams
import trigger_sections as triggers
from harness import CPUS, ROOT, Bench, BenchError, Process

SECTIONS = {
    "start": queues.section_start,
    "send": queues.section_send,
    "os": queues.section_os,
    "batch": queues.section_batch,
    "backlog": queues.section_backlog,
    "fifo": queues.section_fifo,
    "fauxqs": queues.section_fauxqs,
    "put-records": streams.section_put_records,
    "put-record": streams.section_put_record,
    "get-records": streams.section_get_records,
    "tail": streams.section_tail,
    "stream-memory": streams.section_stream_memory,
    "consumer": consumers.section_consumer,
    "takeover": consumers.section_takeover,
    "many-consumers": consumers.section_many_consumers,
    "trigger-latency": triggers.section_trigger_latency,
    "trigger-rate": triggers.section_trigger_rate,
    "cold-start": triggers.section_cold_start,
    "idle-mappings": triggers.section_idle_mappings,
    "kinesis-peers": streams.section_kinesis_peers,
}


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
