#!/usr/bin/env python3
"""Functions of a running server: their processes, what is left of them, and who may register them. Runs the real
binary: test_functions.py --penstock BIN [unittest arguments]."""

import base64
import http.client
import http.server
import io
import json
import os
import pathlib
import resource
import signal
import threading
import time
import unittest.mock
import uuid
import zipfile

import harness
from harness import LIMIT, InDirectory, Server, wait_until

HANDLER = """
import os, subprocess, time
def handler(event, context):
    if event.get("detach"):
        subprocess.Popen(["sleep", "600"], start_new_session=True)
    time.sleep(event.get("sleep", 0))
    if event.get("file"):
        open(event["file"], "w").close()
    return {"pid": os.getpid(), "size": len(str(event))}
"""
MARK = "PENSTOCK_TEST_MARK"


def request(server, method, path, body=None, headers=None, limit=LIMIT, address="127.0.0.1"):
    connection = http.client.HTTPConnection(address, server.port, timeout=limit)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def ask(server, method, path, body=None, **more):
    status, _, text = request(server, method, path, None if body is None else json.dumps(body), **more)
    return status, json.loads(text) if text else {}


def zipped(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def creation(name, zip_bytes, **more):
    return {"FunctionName": name, "Runtime": "python3.11", "Handler": "app.handler",
            "Role": "arn:aws:iam::000000000000:role/any", "Code": {"ZipFile": base64.b64encode(zip_bytes).decode()}, **more}


def invoke(server, name, event, **more):
    status, _, text = request(server, "POST", f"/2015-03-31/functions/{name}/invocations", json.dumps(event), **more)
    return status, json.loads(text)


def marked(mark):
    """Processes that have the mark in their environment."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"{MARK}={mark}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            pass
    return found


class Processes(InDirectory):
    def register(self, server, **more):
        mark = uuid.uuid4().hex
        pathlib.Path(self.directory, "app.py").write_text(HANDLER)
        settings = {"Kind": "handler", "Runtime": "python3.11", "Handler": "app.handler", "Directory": self.directory,
                    "Timeout": 20, "Environment": {MARK: mark}, **more}
        status, answer = ask(server, "PUT", "/_penstock/functions/worker", settings)
        self.assertEqual(status, 200, answer)
        return mark

    def begin_invoke(self, server, event):
        """Its connection, when the function runs."""
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)
        connection.request("POST", "/2015-03-31/functions/worker/invocations", json.dumps(event))
        return connection

    def test_none_is_there_before_the_first_event(self):
        with Server(self.directory) as server:
            mark = self.register(server)
            children = pathlib.Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
            self.assertEqual(children.read_text(), "")
            self.assertEqual(marked(mark), [])
            self.assertEqual(invoke(server, "worker", {})[0], 200)
            self.assertEqual(len(marked(mark)), 1)

    def test_it_stays_warm_and_goes_when_it_is_idle(self):
        with Server(self.directory, "--function-idle-time", "1") as server:
            mark = self.register(server)
            first, again = (invoke(server, "worker", {})[1]["pid"] for _ in range(2))
            self.assertEqual(first, again)
            wait_until(lambda: marked(mark) == [])

    def test_a_stop_lets_what_runs_end(self):
        with Server(self.directory) as server:
            mark = self.register(server)
            connection = self.begin_invoke(server, {"sleep": 1, "detach": True})
            wait_until(lambda: len(marked(mark)) >= 2)
            status, log = server.stop()
            self.assertEqual(status, 0, log)
            self.assertEqual(connection.getresponse().status, 200)
            self.assertEqual(marked(mark), [])

    def test_a_stop_does_not_wait_for_ever(self):
        with Server(self.directory) as server:
            mark = self.register(server, Timeout=600)
            connection = self.begin_invoke(server, {"sleep": 600})
            wait_until(lambda: marked(mark))
            began = time.monotonic()
            status, log = server.stop()
            self.assertEqual(status, 0, log)
            self.assertLess(time.monotonic() - began, 15)
            self.assertEqual(marked(mark), [])
            connection.close()

    def test_a_stop_loses_no_event_that_may_be_tried_once(self):
        done = pathlib.Path(self.directory, "done")
        with Server(self.directory) as server:
            mark = self.register(server, Timeout=600)
            configuration = {"MaximumRetryAttempts": 0}
            status, answer = ask(server, "PUT", "/2019-09-25/functions/worker/event-invoke-config", configuration)
            self.assertEqual(status, 200, answer)
            status, _, _ = request(server, "POST", "/2015-03-31/functions/worker/invocations",
                                   json.dumps({"sleep": 600, "file": str(done)}), {"X-Amz-Invocation-Type": "Event"})
            self.assertEqual(status, 202)
            wait_until(lambda: marked(mark))
            status, log = server.stop()
            self.assertEqual(status, 0, log)
            self.assertFalse(done.exists())
        # The code lies where it did, and now is quick.
        pathlib.Path(self.directory, "app.py").write_text(HANDLER.replace("time.sleep(", "("))
        with Server(self.directory) as server:
            wait_until(done.exists)
            self.assertEqual(server.stop()[0], 0)

    def test_nothing_outlives_a_server_that_is_killed(self):
        with Server(self.directory) as server:
            mark = self.register(server)
            connection = self.begin_invoke(server, {"sleep": 600, "detach": True})
            wait_until(lambda: len(marked(mark)) >= 2)
            server.stop(signal.SIGKILL)
            wait_until(lambda: marked(mark) == [])
            connection.close()

    def test_functions_and_their_code_survive_a_restart(self):
        with Server(self.directory) as server:
            status, made = ask(server, "POST", "/2015-03-31/functions", creation("kept", zipped({"app.py": HANDLER})))
            self.assertEqual(status, 201, made)
            server.stop(signal.SIGKILL)
        with Server(self.directory) as server:
            self.assertEqual(invoke(server, "kept", {})[0], 200)
            status, _ = ask(server, "DELETE", "/2015-03-31/functions/kept")
            self.assertEqual(status, 204)
            wait_until(lambda: not list(pathlib.Path(self.directory, "data", "functions").rglob("app.py")))
            self.assertEqual(server.stop()[0], 0)

    def test_an_ephemeral_server_leaves_no_code(self):
        environment = {**os.environ, "TMPDIR": self.directory}
        with unittest.mock.patch.dict(os.environ, environment), Server(self.directory, "--ephemeral", data_dir=False) as server:
            ask(server, "POST", "/2015-03-31/functions", creation("gone", zipped({"app.py": HANDLER})))
            self.assertEqual(invoke(server, "gone", {})[0], 200)
            self.assertEqual(server.stop()[0], 0)
        self.assertEqual([name for name in os.listdir(self.directory) if name.startswith("penstock-")], [])

    def test_another_emulator_runs_what_is_not_registered_here(self):
        with Server(self.directory, data_dir=False) as other, Server(
                self.directory, "--lambda-endpoint", other.endpoint) as server:
            mark = self.register(other)
            status, _ = server.call("CreateQueue", {"QueueName": "jobs"})
            status, made = ask(server, "POST", "/2015-03-31/event-source-mappings", {
                "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:jobs", "FunctionName": "worker"})
            self.assertEqual(status, 202, made)
            server.call("SendMessage", {"QueueUrl": "/000000000000/jobs", "MessageBody": "m"})
            wait_until(lambda: marked(mark))
            counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            wait_until(lambda: set(server.call("GetQueueAttributes", {
                "QueueUrl": "/000000000000/jobs", "AttributeNames": counts})[1]["Attributes"].values()) == {"0"})

    def test_another_emulator_is_asked_for_the_alias_that_was_invoked(self):
        asked = []

        class Emulator(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                asked.append(self.path)
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Emulator) as other:
            threading.Thread(target=other.serve_forever, daemon=True).start()
            with Server(self.directory, "--lambda-endpoint", f"http://127.0.0.1:{other.server_port}") as server:
                self.assertEqual(invoke(server, "worker:live", {}), (200, {}))
                self.assertEqual(invoke(server, "worker", {}), (200, {}))
            other.shutdown()
        path = "/2015-03-31/functions/worker/invocations"
        self.assertEqual(asked, [path + "?Qualifier=live", path])

    def test_the_next_server_removes_what_one_that_was_killed_has_left(self):
        environment = {**os.environ, "TMPDIR": self.directory}
        left = lambda: sorted(name for name in os.listdir(self.directory) if name.startswith("penstock-functions-"))
        with unittest.mock.patch.dict(os.environ, environment), Server(self.directory, "--ephemeral", data_dir=False) as alive:
            [of_alive] = left()
            with Server(self.directory, "--ephemeral", data_dir=False) as killed:
                ask(killed, "POST", "/2015-03-31/functions", creation("gone", zipped({"app.py": HANDLER})))
                self.assertEqual(len(left()), 2)
                killed.stop(signal.SIGKILL)
            with Server(self.directory, "--ephemeral", data_dir=False) as server:
                self.assertEqual(len(left()), 2)
                self.assertIn(of_alive, left(), "its server lives")
                self.assertEqual(server.stop()[0], 0)
            self.assertEqual(left(), [of_alive])
            self.assertEqual(alive.stop()[0], 0)

    def test_code_is_dropped_when_it_is_replaced_also_under_load(self):
        codes = lambda: [name for name in os.listdir(pathlib.Path(self.directory, "data", "functions", "code"))]
        with Server(self.directory) as server:
            self.assertEqual(ask(server, "POST", "/2015-03-31/functions",
                                 creation("busy", zipped({"app.py": HANDLER}), Timeout=60))[0], 201)
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)
            connection.request("POST", "/2015-03-31/functions/busy/invocations", json.dumps({"sleep": 3}))
            wait_until(lambda: "START" in json.dumps(ask(server, "GET", "/_penstock/functions/busy/logs")[1]))
            for number in range(4):
                code = base64.b64encode(zipped({"app.py": HANDLER + f"\n# {number}"})).decode()
                dry = base64.b64encode(zipped({"app.py": HANDLER + f"\n# dry {number}"})).decode()
                for body in ({"ZipFile": code}, {"ZipFile": dry, "DryRun": True}):
                    status, answer = ask(server, "PUT", "/2015-03-31/functions/busy/code", body)
                    self.assertEqual(status, 200, answer)
            # What runs, and what is to run next.
            wait_until(lambda: len(codes()) == 2)
            with connection.getresponse() as answer:
                self.assertEqual(answer.status, 200)
            connection.close()
            # What ran has ended.
            wait_until(lambda: len(codes()) == 1)

    def test_a_function_may_have_as_many_files_open_as_the_server_was_started_with(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
        try:
            server = Server(self.directory)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        with server:
            settings = {"Kind": "exec", "Command": ["sh", "-c", "ulimit -Sn"]}
            self.assertEqual(ask(server, "PUT", "/_penstock/functions/limit", settings)[0], 200)
            self.assertEqual(invoke(server, "limit", {})[1], 300)

    def test_who_follows_a_log_goes_on_with_the_next_server(self):
        settings = {"Kind": "exec", "Command": ["echo", "1"]}
        numbers = []
        for _ in range(2):
            with Server(self.directory) as server:
                self.assertEqual(ask(server, "PUT", "/_penstock/functions/f", settings)[0], 200)
                self.assertEqual(invoke(server, "f", {})[0], 200)
                after = numbers[-1] if numbers else 0
                _, log = ask(server, "GET", f"/_penstock/functions/f/logs?After={after}")
                self.assertEqual(log["DroppedLines"], 0)
                self.assertEqual(len(log["Lines"]), 3, log)
                numbers += [line["Number"] for line in log["Lines"]]
                self.assertEqual(server.stop()[0], 0)
        self.assertEqual(numbers, sorted(set(numbers)))


COUNTING = """
import json
def handler(event, context):
    with open("events", "a") as file:
        file.write(json.dumps(event) + "\\n")
    if "window" in event:
        return {"state": {"count": event["state"].get("count", 0) + len(event["Records"])}}
"""


class Windows(InDirectory):
    def test_one_that_is_open_comes_to_its_end_when_there_are_to_be_no_more(self):
        pathlib.Path(self.directory, "app.py").write_text(COUNTING)
        events = pathlib.Path(self.directory, "events")

        def seen():
            return [json.loads(line) for line in events.read_text().splitlines()] if events.exists() else []

        with Server(self.directory) as server:
            def kinesis(operation, **members):
                status, answer = server.call(operation, {"StreamName": "s", **members}, {
                    "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202." + operation})
                self.assertEqual(status, 200, answer)
                return answer

            def put(data):
                kinesis("PutRecord", PartitionKey="k", Data=data)

            ask(server, "PUT", "/_penstock/functions/count", {
                "Kind": "handler", "Runtime": "python3.11", "Handler": "app.handler", "Directory": self.directory})
            kinesis("CreateStream", ShardCount=1)
            wait_until(lambda: kinesis("DescribeStreamSummary")["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE")
            status, mapping = ask(server, "POST", "/2015-03-31/event-source-mappings", {
                "EventSourceArn": "arn:aws:kinesis:us-east-1:000000000000:stream/s", "FunctionName": "count",
                "StartingPosition": "TRIM_HORIZON", "TumblingWindowInSeconds": 4})
            self.assertEqual(status, 202, mapping)
            put("YQ==")
            wait_until(seen)
            self.assertEqual(seen()[0]["state"], {})
            status, changed = ask(server, "PUT", f"/2015-03-31/event-source-mappings/{mapping['UUID']}",
                                  {"TumblingWindowInSeconds": 0})
            self.assertEqual(status, 202, changed)
            wait_until(lambda: seen()[-1].get("isFinalInvokeForWindow"))
            final = seen()[-1]
            self.assertEqual((final["Records"], final["state"], final["window"]),
                             ([], {"count": 1}, seen()[0]["window"]))
            put("Yg==")
            wait_until(lambda: seen()[-1]["Records"])
            self.assertNotIn("window", seen()[-1])
            self.assertEqual(len(seen()), 3, "none was tried twice")


class Registration(InDirectory):
    def test_is_refused_where_the_server_listens_beyond_its_machine(self):
        for flags, wanted in (((), 401), (("--allow-remote-functions",), 200)):
            with self.subTest(flags=flags), Server(self.directory, "--host", "0.0.0.0", *flags) as server:
                settings = {"Kind": "exec", "Command": ["true"]}
                status, answer = ask(server, "PUT", "/_penstock/functions/f", settings)
                self.assertEqual(status, wanted, answer)
                status, answer = ask(server, "POST", "/2015-03-31/functions", creation("g", zipped({"app.py": HANDLER})))
                self.assertEqual(status, 401 if wanted == 401 else 201, answer)

    def test_a_large_zip_is_taken_and_a_larger_body_elsewhere_is_not(self):
        noise = os.urandom(20_000_000)
        with Server(self.directory) as server:
            body = json.dumps(creation("large", zipped({"app.py": HANDLER, "noise": noise})))
            status, _, text = request(server, "POST", "/2015-03-31/functions", body)
            self.assertEqual(status, 201, text)
            status, _, code = request(server, "GET", "/_penstock/functions/large/code")
            self.assertEqual(status, 200)
            with zipfile.ZipFile(io.BytesIO(code)) as archive:
                self.assertEqual(archive.read("noise"), noise)
            # Elsewhere, and from a web page, it is refused before its body is there, and the connection with it.
            for method, path, headers in (("POST", "/", {"X-Amz-Target": "AmazonSQS.SendMessage"}),
                                          ("POST", "/2015-03-31/functions/large/invocations", {}),
                                          ("PUT", "/2015-03-31/functions/large/configuration", {}),
                                          ("POST", "/2015-03-31/functions", {"Host": "evil.example"}),
                                          ("POST", "/2015-03-31/functions", {"Origin": "http://evil.example"})):
                status, _, _ = request(server, method, path, None, {"Content-Length": "20000000", **headers})
                self.assertEqual(status, 413, (method, path, headers))

    def test_of_a_directory_that_is_not_there_is_refused(self):
        with Server(self.directory) as server:
            settings = {"Kind": "exec", "Command": ["true"], "Directory": "/no/such/directory"}
            status, answer = ask(server, "PUT", "/_penstock/functions/f", settings)
            self.assertEqual(status, 400, answer)
            self.assertIn("/no/such/directory", json.dumps(answer))


class Flags(InDirectory):
    def test_wrong_ones_are_named_and_exit_2(self):
        for flag, value in (("--lambda-endpoint", "localhost:3001"), ("--lambda-endpoint", ""), ("--concurrency", "0"),
                            ("--concurrency", "many"), ("--function-idle-time", "0")):
            with self.subTest(flag=flag, value=value):
                status, _, err = self.run_to_end("serve", f"{flag}={value}")
                self.assertEqual(status, 2, err)
                self.assertIn(flag, err)

    def test_concurrency_bounds_invocations(self):
        with Server(self.directory, "--concurrency", "1") as server:
            pathlib.Path(self.directory, "app.py").write_text(HANDLER)
            settings = {"Kind": "handler", "Runtime": "python3.11", "Handler": "app.handler", "Directory": self.directory}
            self.assertEqual(ask(server, "PUT", "/_penstock/functions/worker", settings)[0], 200)
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)
            connection.request("POST", "/2015-03-31/functions/worker/invocations", json.dumps({"sleep": 1}))
            wait_until(lambda: invoke(server, "worker", {})[0] == 429)
            self.assertEqual(connection.getresponse().status, 200)


if __name__ == "__main__":
    harness.main()
