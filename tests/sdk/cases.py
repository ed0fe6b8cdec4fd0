"""What the Python clients share: cases that run in the order they stand in, and checks that say what they saw."""

import hashlib
import os
import struct
import sys
import traceback

ENDPOINT = os.environ["PENSTOCK_ENDPOINT"]
NON_ASCII = "Grüße, 世界 🌍 & <tag> \"quoted\" 100% +plus\ttab\nline"
ALL_BYTES = bytes(range(256))

_cases = []


def case(function):
    _cases.append(function)
    return function


def run():
    failures = 0
    for function in _cases:
        try:
            function()
            print(f"  PASS {function.__name__}", flush=True)
        except Exception:  # Whatever it is, it is this case that failed.
            failures += 1
            print(f"  FAIL {function.__name__}\n{traceback.format_exc()}", flush=True)
    sys.exit(1 if failures else 0)


def equal(seen, expected):
    if seen != expected:
        raise AssertionError(f"{seen!r} instead of {expected!r}")


def true(condition, what):
    if not condition:
        raise AssertionError(what)


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
