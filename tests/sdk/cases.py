"""What the Python clients share: cases that run in the order they stand in, and checks that say what they saw."""

import concurrent.futures
import hashlib
import os
import struct
import sys
import time
import traceback

ENDPOINT = os.environ["PENSTOCK_ENDPOINT"]
NON_ASCII = "Grüße, 世界 🌍 & <tag> \"quoted\" 100% +plus\ttab\nline"
ALL_BYTES = bytes(range(256))

_cases = []


def case(function):
    _cases.append(function)
    return function


def run(at_once=1):
    def passed(function):
        try:
            function()
        except Exception:  # Whatever it is, it is this case that failed.
            print(f"  FAIL {function.__name__}\n{traceback.format_exc()}", flush=True)
            return False
        print(f"  PASS {function.__name__}", flush=True)
        return True

    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        sys.exit(0 if all(list(pool.map(passed, _cases))) else 1)


def comes_after(seconds, started, receive):
    """`receive` (wait_seconds -> messages) gets one message, and not before so many seconds after `started`. A machine
    that was busy meanwhile may get it at the first call."""
    got = receive(0) or receive(20)
    took = time.monotonic() - started
    equal(len(got), 1)
    # What the server counts begins after `started`; its clock is another than ours, and may be corrected.
    true(took >= seconds - 0.02, f"it came after {took:.3f} of {seconds} s")
    true(took < seconds + 15, f"it came only after {took:.1f} of {seconds} s")
    return got[0]


def equal(seen, expected):
    if seen != expected:
        raise AssertionError(f"{seen!r} instead of {expected!r}")


def true(condition, what):
    if not condition:
        raise AssertionError(what)


def until(probe, what, seconds=30):
    """What `probe` answers as soon as that is true."""
    limit = time.monotonic() + seconds
    while not (seen := probe()):
        true(time.monotonic() < limit, f"after {seconds} s there is still not: {what}")
        time.sleep(0.01)
    return seen


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def attributes_md5(attributes):
    """As the service's guide describes it: from name, type and value of each attribute, sorted by name."""
    digest = hashlib.md5()
    for name in sorted(attributes):
        kind = attributes[name]["DataType"]
        binary = kind.startswith("Binary")
        value = attributes[name]["BinaryValue"] if binary else attributes[name]["StringValue"].encode()
        for part in (name.encode(), kind.encode()):
            digest.update(struct.pack(">I", len(part)) + part)
        digest.update(b"\x02" if binary else b"\x01")
        digest.update(struct.pack(">I", len(value)) + value)
    return digest.hexdigest()
