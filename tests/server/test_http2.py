#!/usr/bin/env python3
"""HTTP/2 and TLS as clients find them on the program's port, and what it does about clients that flood it. Runs the
real binary: test_http2.py --penstock BIN [unittest arguments]."""

import hashlib
import http.client
import json
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
import warnings

import h2.config
import h2.connection
import h2.errors
import h2.events
import hpack
import hyperframe.frame as frames

import harness
from harness import LIMIT, InDirectory, OneServer, Server, ask, request_bytes, wait_until

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
CALM = h2.errors.ErrorCodes.ENHANCE_YOUR_CALM


class Http2:
    """A client of one connection that leaves the protocol to the h2 library."""

    def __init__(self, connected):
        self.socket = connected
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.flush()
        self.answers = {}  # stream: [status, headers, body, whether it has ended]
        self.sent_away = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def begin(self, operation, body, scheme="http"):
        """Asks without waiting for the answer; the number of the stream."""
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, [(":method", "POST"), (":path", "/"), (":scheme", scheme),
                                      (":authority", "localhost:%d" % self.socket.getpeername()[1]),
                                      ("content-type", "application/x-amz-json-1.0"),
                                      ("x-amz-target", "AmazonSQS." + operation)])
        text = json.dumps(body).encode()
        for at in range(0, len(text), self.h2.max_outbound_frame_size):
            while self.h2.local_flow_control_window(stream) < self.h2.max_outbound_frame_size:
                self.receive()
            self.h2.send_data(stream, text[at:at + self.h2.max_outbound_frame_size])
            self.flush()
        self.h2.end_stream(stream)
        self.flush()
        return stream

    def receive(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        for event in self.h2.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                headers = dict(event.headers)
                self.answers[event.stream_id] = [int(headers[":status"]), headers, b"", False]
            elif isinstance(event, h2.events.DataReceived):
                self.answers[event.stream_id][2] += event.data
                if event.flow_controlled_length:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                self.answers[event.stream_id][3] = True
            elif isinstance(event, h2.events.ConnectionTerminated):
                self.sent_away = event.error_code
        self.flush()

    def finish(self, stream):
        while not (stream in self.answers and self.answers[stream][3]):
            self.receive()
        status, _, body, _ = self.answers[stream]
        return status, json.loads(body) if body else {}

    def call(self, operation, body, scheme="http"):
        return self.finish(self.begin(operation, body, scheme))


class Flooder:
    """A client that sends frames as it pleases and reads beside, so that what ends it is not that it does not read."""

    def __init__(self, server, reads=True, settings=()):
        self.socket = server.raw()
        self.received = b""
        self.encoder = hpack.Encoder()
        first = frames.SettingsFrame(0, dict(settings))
        self.socket.sendall(PREFACE + first.serialize() + frames.SettingsFrame(0, flags=["ACK"]).serialize())
        self.reader = threading.Thread(target=self._read)
        if reads:
            self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        if self.reader.ident:
            self.reader.join()
        self.socket.close()

    def _read(self):
        try:
            while data := self.socket.recv(65536):
                self.received += data
        except OSError:
            pass

    def send(self, *all_frames):
        """False once the server takes no more."""
        try:
            self.socket.sendall(b"".join(f if isinstance(f, bytes) else f.serialize() for f in all_frames))
        except OSError:
            return False
        return True

    def head(self, stream, method="GET", path="/healthz", ended=True, more=()):
        block = self.encoder.encode([(":method", method), (":path", path), (":scheme", "http"),
                                     (":authority", "localhost"), *more])
        return frames.HeadersFrame(stream, block, flags=["END_HEADERS"] + ["END_STREAM"] * ended)

    def flood(self, make, times=30_000):
        for i in range(times):
            if not self.send(*make(i)):
                break
        self.reader.join(LIMIT)

    def frames(self):
        """What has come whole, without the bodies of other frames than GOAWAY."""
        rest = memoryview(self.received)
        while len(rest) >= 9:
            frame, length = frames.Frame.parse_frame_header(rest[:9])
            if len(rest) < 9 + length:
                return
            if isinstance(frame, frames.GoAwayFrame):
                frame.parse_body(rest[9 : 9 + length])
            yield frame
            rest = rest[9 + length :]

    def count(self, kind):
        return sum(isinstance(frame, kind) for frame in self.frames())

    def goaway(self):
        """The code with which the server sent it away; None if it was not."""
        codes = [frame.error_code for frame in self.frames() if isinstance(frame, frames.GoAwayFrame)]
        return codes[-1] if codes else None


def asking(operation):
    return [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "AmazonSQS." + operation)]


def resident_kib(process):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text()).group(1))


class Protocol(OneServer):
    def test_curl_gets_http2_and_http1_on_one_port(self):
        for flag, version in (("--http2-prior-knowledge", "2"), ("--http1.1", "1.1")):
            done = subprocess.run(["curl", "-sS", flag, "-w", "%{http_version}", self.server.endpoint + "/healthz"],
                                  capture_output=True, text=True, timeout=LIMIT)
            self.assertEqual(done.stdout, "ok\n" + version, done.stderr)

    def test_calls_are_answered_as_over_http1(self):
        with Http2(self.server.raw()) as client:
            status, answer = client.call("CreateQueue", {"QueueName": "two"})
            self.assertEqual((status, answer["QueueUrl"]),
                             (200, f"http://localhost:{self.server.port}/000000000000/two"))
            self.assertEqual(client.call("SendMessage", {"QueueUrl": answer["QueueUrl"], "MessageBody": "x"})[0], 200)
            status, fault = client.call("GetQueueUrl", {"QueueName": "none"})
            self.assertEqual(status, 400)
            self.assertIn("QueueDoesNotExist", fault["__type"])

    def test_a_long_poll_holds_up_nobody_and_is_answered(self):
        with Http2(self.server.raw()) as client:
            url = client.call("CreateQueue", {"QueueName": "poll"})[1]["QueueUrl"]
            poll = client.begin("ReceiveMessage", {"QueueUrl": url, "WaitTimeSeconds": 20})
            self.assertEqual(client.call("SendMessage", {"QueueUrl": url, "MessageBody": "now"})[0], 200)
            self.assertEqual(client.finish(poll)[1]["Messages"][0]["Body"], "now")

    def test_a_poll_that_is_taken_back_takes_no_message_with_it(self):
        with Http2(self.server.raw()) as client:
            url = client.call("CreateQueue", {"QueueName": "back"})[1]["QueueUrl"]
            poll = client.begin("ReceiveMessage", {"QueueUrl": url, "WaitTimeSeconds": 20})
            # Answered behind the poll on the same connection, so the poll is parked by then.
            client.call("GetQueueAttributes", {"QueueUrl": url})
            client.h2.reset_stream(poll)
            client.flush()
            client.call("SendMessage", {"QueueUrl": url, "MessageBody": "kept"})
            status, answer = client.call("ReceiveMessage", {"QueueUrl": url, "WaitTimeSeconds": 10})
            self.assertEqual(answer["Messages"][0]["Body"], "kept")

    def test_long_messages_and_batches(self):
        with Http2(self.server.raw()) as client:
            url = client.call("CreateQueue", {"QueueName": "long"})[1]["QueueUrl"]
            body = "x" * 900_000
            self.assertEqual(client.call("SendMessage", {"QueueUrl": url, "MessageBody": body})[0], 200)
            self.assertEqual(client.call("ReceiveMessage", {"QueueUrl": url})[1]["Messages"][0]["Body"], body)

    def test_many_streams(self):
        done = subprocess.run(["h2load", "-n", "20000", "-c", "4", "-m", "200", self.server.endpoint + "/healthz"],
                              capture_output=True, text=True, timeout=LIMIT)
        self.assertIn("20000 succeeded, 0 failed, 0 errored", done.stdout)

    def test_web_pages_are_kept_out_here_too(self):
        with Flooder(self.server) as client:
            client.send(client.head(1, more=[("origin", "https://example.org")]))
            wait_until(lambda: b"other origins" in client.received)


class Stop(InDirectory):
    def test_parked_polls_are_answered_and_idle_connections_do_not_hold_it_up(self):
        with Server(self.directory, "--threads", "2") as server:
            url = server.create()
            body = json.dumps({"QueueUrl": url, "WaitTimeSeconds": 20}).encode()
            # The h2 library takes no answers after a GOAWAY, hence by hand.
            with Flooder(server) as client, Http2(server.raw()) as idle:
                idle.call("ListQueues", {})
                for stream in (1, 3, 5):
                    client.send(client.head(stream, "POST", "/", ended=False, more=asking("ReceiveMessage")),
                                frames.DataFrame(stream, body, flags=["END_STREAM"]))
                client.send(client.head(7))
                wait_until(lambda: b"ok\n" in client.received)
                begun = time.monotonic()
                server.process.terminate()
                self.assertEqual(server.process.wait(LIMIT), 0)
                self.assertLess(time.monotonic() - begun, 5)
                client.reader.join(LIMIT)
                self.assertEqual(client.goaway(), h2.errors.ErrorCodes.NO_ERROR)
                self.assertEqual(client.count(frames.HeadersFrame), 4)
                with self.assertRaises(ConnectionError):
                    while True:
                        idle.receive()
                self.assertEqual(idle.sent_away, h2.errors.ErrorCodes.NO_ERROR)


class Tls(InDirectory):
    def setUp(self):
        super().setUp()
        self.ca = pathlib.Path(self.directory, "ca.pem")

    def serve(self, *flags):
        return Server(self.directory, "--threads", "2", *(flags or ("--tls", "self-signed", "--tls-ca-file",
                                                                    str(self.ca))))

    def connect(self, server, *protocols, name="localhost", version=None):
        context = ssl.create_default_context(cafile=self.ca)
        if protocols:
            context.set_alpn_protocols(protocols)
        if version:
            context.minimum_version = context.maximum_version = version
        return context.wrap_socket(server.raw(), server_hostname=name)

    def test_both_protocols_and_plaintext_on_one_port(self):
        with self.serve() as server:
            with Http2(self.connect(server, "h2", "http/1.1")) as client:
                self.assertEqual(client.socket.selected_alpn_protocol(), "h2")
                self.assertEqual(client.call("CreateQueue", {"QueueName": "q"}, "https")[1]["QueueUrl"],
                                 f"https://localhost:{server.port}/000000000000/q")
            for protocols, name in (((), "localhost"), (("http/1.1",), "127.0.0.1"), (("h3",), "localhost")):
                context = ssl.create_default_context(cafile=self.ca)
                if protocols:
                    context.set_alpn_protocols(protocols)
                connection = http.client.HTTPSConnection(name, server.port, timeout=LIMIT, context=context)
                for _ in range(2):
                    status, answer = ask(connection, "GetQueueUrl", {"QueueName": "q"})
                    self.assertEqual(answer.get("QueueUrl"), f"https://{name}:{server.port}/000000000000/q")
                connection.close()
            self.assertEqual(server.call("GetQueueUrl", {"QueueName": "q"})[1]["QueueUrl"],
                             f"http://127.0.0.1:{server.port}/000000000000/q")
            with Http2(server.raw()) as client:
                self.assertEqual(client.call("ListQueues", {})[0], 200)
            for flag, version in (("--http2", "2"), ("--http1.1", "1.1")):
                done = subprocess.run(["curl", "-sS", flag, "--cacert", self.ca, "-w", "%{http_version}",
                                       f"https://localhost:{server.port}/healthz"],
                                      capture_output=True, text=True, timeout=LIMIT)
                self.assertEqual(done.stdout, "ok\n" + version, done.stderr)
            status, log = server.stop()
            self.assertEqual(status, 0)
            fingerprint = re.search("fingerprint is ([0-9A-F:]{95})", log).group(1)
            der = ssl.PEM_cert_to_DER_cert(self.ca.read_text())
            self.assertEqual(colons(hashlib.sha256(der).hexdigest()), fingerprint)

    def test_versions_before_1_2_are_refused(self):
        with self.serve() as server:
            with self.connect(server, version=ssl.TLSVersion.TLSv1_2):
                pass
            context = ssl.create_default_context(cafile=self.ca)
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = ssl.TLSVersion.TLSv1
                context.maximum_version = ssl.TLSVersion.TLSv1_1
            with self.assertRaises(OSError):
                context.wrap_socket(server.raw(), server_hostname="localhost")

    def test_a_message_for_a_client_that_hung_up_goes_to_another(self):
        with self.serve() as server:
            url = server.create()
            for politely in (True, False):
                connected = self.connect(server)
                connected.sendall(request_bytes("ReceiveMessage", {"QueueUrl": url, "WaitTimeSeconds": 20}))
                if politely:
                    connected.settimeout(0)
                    try:
                        connected.unwrap()
                    except OSError:
                        pass
                connected.close()
                self.assertEqual(server.call("SendMessage", {"QueueUrl": url, "MessageBody": "m"})[0], 200)
                status, answer = server.call("ReceiveMessage", {"QueueUrl": url, "WaitTimeSeconds": 10})
                self.assertEqual(answer["Messages"][0]["Body"], "m")

    def test_what_comes_behind_a_long_poll_is_answered_after_it(self):
        with self.serve() as server:
            url = server.create()
            with self.connect(server) as connected:
                connected.sendall(request_bytes("ReceiveMessage", {"QueueUrl": url, "WaitTimeSeconds": 20}))
                connected.sendall(request_bytes("GetQueueUrl", {"QueueName": "jobs"}))
                server.call("SendMessage", {"QueueUrl": url, "MessageBody": "m"})
                text = b""
                while text.count(b"HTTP/1.1 200") < 2 or not text.endswith(b"}"):
                    text += connected.recv(65536)
                self.assertLess(text.index(b"Messages"), text.index(b"QueueUrl"))

    def test_long_bodies_over_both_protocols(self):
        with self.serve() as server:
            url, body = server.create(), "x" * 900_000
            with Http2(self.connect(server, "h2")) as client:
                self.assertEqual(client.call("SendMessage", {"QueueUrl": url, "MessageBody": body})[0], 200)
                self.assertEqual(client.call("ReceiveMessage", {"QueueUrl": url})[1]["Messages"][0]["Body"], body)
            context = ssl.create_default_context(cafile=self.ca)
            connection = http.client.HTTPSConnection("localhost", server.port, timeout=LIMIT, context=context)
            self.assertEqual(ask(connection, "SendMessage", {"QueueUrl": url, "MessageBody": body})[0], 200)
            self.assertEqual(ask(connection, "ReceiveMessage", {"QueueUrl": url})[1]["Messages"][0]["Body"], body)
            connection.close()

    def test_a_handshake_that_comes_to_nothing_harms_nobody(self):
        with self.serve() as server:
            with server.raw() as stuck, server.raw() as junk:
                stuck.sendall(b"\x16\x03\x01")
                junk.sendall(b"\x16" + b"x" * 1_000)
                self.assertNotEqual(junk.recv(100)[:4], b"HTTP")
                self.assertEqual(server.call("ListQueues", {})[0], 200)
                # It is closed by itself.
                self.assertEqual(stuck.recv(1), b"")

    def test_given_certificates(self):
        cert, key, other = (pathlib.Path(self.directory, name) for name in ("cert.pem", "key.pem", "other.pem"))
        for key_file, cert_file in ((key, cert), (other, pathlib.Path(self.directory, "other-cert.pem"))):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
                            "-addext", "subjectAltName=DNS:localhost", "-keyout", key_file, "-out", cert_file],
                           check=True, capture_output=True)
        shutil.copy(cert, self.ca)
        with self.serve("--tls-cert", str(cert), "--tls-key", str(key)) as server:
            with Http2(self.connect(server, "h2")) as client:
                self.assertEqual(client.call("ListQueues", {}, "https")[0], 200)
        junk = pathlib.Path(self.directory, "junk")
        junk.write_text("junk")
        cases = {
            ("--tls-cert", cert): "--tls-key",
            ("--tls-key", key): "--tls-cert",
            ("--tls-cert", cert, "--tls-key", other): "--tls-key",
            ("--tls-cert", junk, "--tls-key", key): "--tls-cert",
            ("--tls-cert", cert, "--tls-key", junk): "--tls-key",
            ("--tls-cert", self.directory + "/none", "--tls-key", key): "--tls-cert",
            ("--tls", "self-signed", "--tls-cert", cert, "--tls-key", key): "--tls",
            ("--tls", "maybe"): "--tls",
            ("--tls-ca-file", junk): "--tls-ca-file",
            ("--tls", "self-signed", "--tls-ca-file", self.directory + "/none/ca"): "--tls-ca-file",
        }
        for flags, named in cases.items():
            with self.subTest(flags=flags):
                status, out, err = self.run_to_end("serve", "--port", "0", "--ephemeral", "--log-level", "off",
                                                   *map(str, flags))
                self.assertEqual((status, out), (2, ""))
                self.assertIn(named, err.splitlines()[0])


def colons(digest):
    return ":".join(digest[i:i + 2] for i in range(0, len(digest), 2)).upper()


class Floods(OneServer):
    """Each ends in a GOAWAY that says why, or in an answer that refuses, and leaves the server as it was."""

    FLAGS = ("--threads", "1", "--ephemeral")
    DATA = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.call("ListQueues", {})
        cls.memory = resident_kib(cls.server.process)

    def tearDown(self):
        self.assert_bounded()
        super().tearDown()

    def assert_bounded(self):
        """Whatever was sent before: the budgets of the one thread, and what the allocator needs to keep to them."""
        # Sanitizers keep what was freed.
        if not re.search("build-[at]san", harness.PENSTOCK):
            self.assertLess(resident_kib(self.server.process) - self.memory, 700 * 1024)

    def check(self, make, times=30_000, code=CALM):
        with Flooder(self.server) as client:
            client.send(client.head(1, "POST", "/", ended=False))
            client.flood(lambda i: make(client, i), times)
            self.assertEqual(client.goaway(), code)
        self.assertEqual(self.server.call("ListQueues", {})[0], 200)

    def test_frames_that_carry_nothing(self):
        ping = frames.PingFrame(0, b"12345678").serialize() * 10
        settings = frames.SettingsFrame(0).serialize() * 10
        empty = frames.DataFrame(1).serialize() * 10
        window = frames.WindowUpdateFrame(0, 1).serialize() * 10
        priority = frames.PriorityFrame(5, depends_on=3, stream_weight=1).serialize() * 10
        for name, frame in dict(ping=ping, settings=settings, empty=empty, window=window, priority=priority).items():
            with self.subTest(name):
                self.check(lambda client, i: [frame])

    def test_rapid_reset(self):
        self.check(lambda client, i: [client.head(2 * i + 3, "POST", "/", ended=False),
                                      frames.RstStreamFrame(2 * i + 3, 8)])

    def test_continuations(self):
        self.check(lambda client, i: [frames.HeadersFrame(3, b"") if i == 0 else frames.ContinuationFrame(3)])

    def test_headers_that_are_too_long(self):
        with Flooder(self.server) as client:
            client.send(client.head(1, more=[(f"x-{i}", "x" * 1_000) for i in range(14)]))
            wait_until(lambda: b"ok\n" in client.received)
            block = client.encoder.encode([(":method", "GET"), (":path", "/"), (":scheme", "http"),
                                           (":authority", "localhost"), *((f"x-{i}", "~" * 3_000) for i in range(12))])
            parts = [block[at:at + 16_000] for at in range(0, len(block), 16_000)]
            client.send(frames.HeadersFrame(3, parts[0], flags=["END_STREAM"]),
                        *(frames.ContinuationFrame(3, part) for part in parts[1:-1]),
                        frames.ContinuationFrame(3, parts[-1], flags=["END_HEADERS"]))
            wait_until(lambda: b"Request Header Fields Too Large" in client.received)
            self.assertIsNone(client.goaway())

    def test_answers_that_no_window_is_given_for_are_bounded(self):
        url = self.server.create("wide")
        for _ in range(10):
            self.server.call("SendMessage", {"QueueUrl": url, "MessageBody": "x" * 100_000})
        body = json.dumps({"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0}).encode()
        with Flooder(self.server, settings={frames.SettingsFrame.INITIAL_WINDOW_SIZE: 0}) as client:
            for i in range(900):
                client.send(client.head(2 * i + 1, "POST", "/", ended=False, more=asking("ReceiveMessage")),
                            frames.DataFrame(2 * i + 1, body, flags=["END_STREAM"]))
            # Over the budget the answers are short and say so, and none of it is more than the budget.
            wait_until(lambda: client.count(frames.HeadersFrame) == 900)
            self.assert_bounded()
            self.assertEqual(self.server.call("ListQueues", {})[0], 200)

    def test_many_streams_with_huge_bodies_are_bounded(self):
        part = frames.DataFrame(1, b"x" * 16_384).serialize()
        with Flooder(self.server) as client:
            for i in range(100):
                client.send(client.head(2 * i + 1, "POST", "/", ended=False))
            # 600 MiB in all, of which a thread takes 256.
            for _ in range(384):
                for i in range(100):
                    client.send(part[:5] + (2 * i + 1).to_bytes(4, "big") + part[9:])
            self.assertEqual(self.server.call("ListQueues", {})[0], 200)
            self.assert_bounded()
        self.assertIsNone(client.goaway())


if __name__ == "__main__":
    harness.main()
