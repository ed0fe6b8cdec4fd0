#!/usr/bin/env python3
"""A complete consumer of a stream: it prints every record, at least once, and goes on where it stopped, whatever ended,
the server or itself.

    consumer.py STREAM CONSUMER [MEMBER]

Any number of members share the stream's shards. One that is killed and comes back with its name goes on at once; the
shards of one that does not come back go to the others when its lease time is over.
"""

import base64
import http.client
import json
import os
import random
import signal
import sys
import time
import urllib.error
import urllib.request

STREAM, CONSUMER = sys.argv[1:3]
MEMBER = sys.argv[3] if len(sys.argv) > 3 else f"python-{os.getpid()}"
ENDPOINT = os.environ.get("PENSTOCK_ENDPOINT", "http://127.0.0.1:4566")
URL = f"{ENDPOINT}/_penstock/streams/{STREAM}/consumers/{CONSUMER}"


def handle(data):
    """Replace this by your own. It should take less than the lease time for a whole batch (or send a heartbeat)."""
    print(data.decode(), flush=True)


def ask(method, url, body):
    """Asks until there is an answer. All of these requests may be repeated: a poll with the same token gets the same
    records again."""
    pause = 0.05
    while True:
        try:
            request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method)
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            fault = json.load(error)
            if error.code < 500 and error.code != 429 and fault["Error"] != "ConsumerBusy":
                return fault
        except (OSError, http.client.HTTPException, ValueError):
            pass  # The server is away, or went away within its answer.
        time.sleep(pause * random.uniform(0.5, 1))
        pause = min(2 * pause, 5)


def must(answer):
    if "Error" in answer:
        sys.exit(f"{answer['Error']}: {answer.get('Message')}")
    return answer


stopping = False


def stop(*_):
    global stopping
    stopping = True


signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)

# If it exists, with whatever settings, it is where it was.
created = ask("PUT", URL, {"Start": {"Type": "TRIM_HORIZON"}, "LeaseMillis": 10_000})
if created.get("Error") != "ConsumerExists":
    must(created)

token = ""
while not stopping:
    # One request joins the consumer, says that it is alive and that all that the one before has brought is done, and
    # waits for more.
    polled = must(ask("POST", URL + "/poll", {"Member": MEMBER, "Token": token, "WaitMillis": 2_000, "MaxRecords": 100}))
    for batch in polled["Batches"]:
        for record in batch["Records"]:
            handle(base64.b64decode(record["Data"]))
    token = polled["Token"]

# Commits the last batch, and gives the shards to the others at once.
if token:
    ask("POST", URL + "/leave", {"Member": MEMBER, "Token": token})
