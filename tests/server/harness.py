"""What the tests of the running program share: a server, ways to ask it, and places to keep its data."""

import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

PENSTOCK = ""
LIMIT = 20  # seconds after which something that should happen is taken not to


class Server:
    """A running server on a free port. `answer_limit` bounds every wait for it."""

    def __init__(self, directory, *flags, data_dir=True, binary=None):
        self.ready = pathlib.Path(directory, "ready")
        self.ready.unlink(missing_ok=True)
        argv = [binary or PENSTOCK, "serve", "--port", "0", "--ready-file", str(self.ready)]
        if data_dir:
            argv += ["--data-dir", str(pathlib.Path(directory, "data"))]
        self.process = subprocess.Popen(argv + list(flags), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + LIMIT
        while not self.ready.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the server did not start: " + self.process.communicate()[1])
            time.sleep(0.005)
        self.endpoint = self.ready.read_text().strip()
        self.port = int(self.endpoint.rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def stop(self, number=signal.SIGTERM):
        """Ends it with a signal; its exit status and what it logged."""
        self.process.send_signal(number)
        _, log = self.process.communicate(timeout=LIMIT)
        return self.process.returncode, log

    def call(self, operation, body, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        try:
            return ask(connection, operation, body, headers)
        finally:
            connection.close()

    def create(self, name="jobs"):
        return self.call("CreateQueue", {"QueueName": name})[1]["QueueUrl"]

    def raw(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT)


def ask(connection, operation, body, headers=None):
    connection.request(
        "POST",
        "/",
        json.dumps(body),
        {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS." + operation, **(headers or {})},
    )
    answer = connection.getresponse()
    text = answer.read()
    return answer.status, json.loads(text) if text else {}


def request_bytes(operation, body, extra=""):
    text = json.dumps(body)
    return (
        f"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.{operation}\r\n{extra}"
        f"Content-Type: application/x-amz-json-1.0\r\nContent-Length: {len(text)}\r\n\r\n{text}"
    ).encode()


def read_answer(connection):
    """Status, headers and body of one HTTP answer from a raw socket; None if it was closed instead."""
    answer = http.client.HTTPResponse(connection)
    try:
        answer.begin()
    except (http.client.BadStatusLine, ConnectionError):
        return None
    return answer.status, dict(answer.getheaders()), answer.read()


def wait_until(condition):
    end = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not happen")
        time.sleep(0.005)


class InDirectory(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.directory = self.temporary.name

    def tearDown(self):
        self.temporary.cleanup()

    def run_to_end(self, *arguments, environment=None):
        done = subprocess.run([PENSTOCK, *arguments], capture_output=True, text=True, timeout=LIMIT, env=environment)
        return done.returncode, done.stdout, done.stderr


class OneServer(InDirectory):
    """All of a class's tests ask one server, which stops without a complaint."""

    FLAGS = ("--threads", "2")
    DATA = True

    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.TemporaryDirectory()
        cls.server = Server(cls.home.name, *cls.FLAGS, data_dir=cls.DATA)

    @classmethod
    def tearDownClass(cls):
        status, log = cls.server.stop()
        cls.home.cleanup()
        assert status == 0, log


def main():
    """Runs the tests of the calling module: --penstock BIN [unittest arguments]."""
    global PENSTOCK
    index = sys.argv.index("--penstock")
    PENSTOCK = os.path.abspath(sys.argv[index + 1])
    del sys.argv[index:index + 2]
    unittest.main(module="__main__", verbosity=1)
