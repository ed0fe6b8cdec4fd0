"""The commands by which a person is in charge of a server: its clock, its rest, its faults, and what became of a message."""

import http.server
import json
import pathlib
import socket
import subprocess
import threading
import time

from commands import InDirectory, Server, harness


class Operate(InDirectory):
    def setUp(self):
        super().setUp()
        self.server = Server(self.directory, "--no-config", "--clock", "virtual:2026-01-01T00:00:00Z", "--allow-faults")
        self.addCleanup(self.server.__exit__)

    def run_command(self, *words):
        # What is behind -- is a command line of its own.
        return self.run_to_end(words[0], "--endpoint", self.server.endpoint, *words[1:])

    def expect(self, status, *words):
        got, out, errors = self.run_command(*words)
        self.assertEqual(got, status, errors)
        return out, errors

    def test_the_clock_is_read_and_changed(self):
        out, _ = self.expect(0, "clock", "freeze")
        self.assertIn("virtual, frozen", out)
        url = self.server.create()
        self.server.call("SendMessage", {"QueueUrl": url, "MessageBody": "a", "DelaySeconds": 900})
        before = json.loads(self.expect(0, "clock", "--json")[0])
        after = json.loads(self.expect(0, "clock", "advance", "next", "--json")[0])
        self.assertEqual(after["now"], before["next"])
        self.assertEqual(after["now_ms"] - before["now_ms"], 900_000)
        self.assertIn("2026-02-01T00:00:00.000Z", self.expect(0, "clock", "set", "2026-02-01T00:00:00Z")[0])
        self.assertIn("60 times as fast", self.expect(0, "clock", "speed", "60")[0])
        self.assertNotIn("frozen", self.expect(0, "clock", "thaw")[0])
        for words in (("advance",), ("set",), ("turn",), ("speed", "fast"), ("speed", "0"), ("speed", "1000001"), ("freeze", "now"),
                      ("advance", "soon"), ("set", "yesterday"), ("advance", "1s", "--wait", "bad"),
                      ("advance", "1s", "--wait", "11m")):
            errors = self.expect(2, "clock", *words)[1]
            self.assertIn(f"'{words[-1]}'" if len(words) > 1 else words[0], errors)

    def test_a_clock_that_does_not_get_there_says_so(self):
        self.expect(0, "clock", "freeze")
        errors = self.expect(1, "clock", "set", "2025-01-01T00:00:00Z")[1]
        self.assertIn("only goes forward", errors)
        self.expect(0, "function", "add", "hang", "--exec", "--", "sleep", "60")
        self.expect(0, "invoke", "hang", "--event")
        out, errors = self.expect(4, "clock", "advance", "48h", "--wait", "1s")
        self.assertTrue(out.startswith("2026-01-01T"), out)
        self.assertIn("has not come to rest in time: the clock shows 2026-01-01T", errors)
        self.assertIn("has not gone on to 2026-01-03T", errors)

    def test_a_receive_ends_though_the_clock_stands_still(self):
        self.expect(0, "clock", "freeze")
        self.server.create()
        begin = time.monotonic()
        self.assertEqual(self.expect(4, "receive", "jobs", "--wait", "1"), ("", ""))
        self.assertLess(time.monotonic() - begin, 10)

    def test_a_receive_that_waits_as_the_queue_says_ends_too(self):
        self.expect(0, "clock", "freeze")
        self.server.call("CreateQueue", {"QueueName": "jobs", "Attributes": {"ReceiveMessageWaitTimeSeconds": "2"}})
        begin = time.monotonic()
        self.assertEqual(self.expect(4, "receive", "jobs"), ("", ""))
        self.assertTrue(2 <= time.monotonic() - begin < 15, time.monotonic() - begin)
        self.expect(0, "send", "jobs", "a")
        self.assertEqual(self.expect(0, "receive", "jobs"), ("a\n", ""))

    def test_a_redrive_that_waits_for_a_clock_that_stands_still_says_so(self):
        self.expect(0, "clock", "freeze")
        dead = self.server.create("dead")
        self.server.create("jobs")
        policy = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead", "maxReceiveCount": 1}
        self.server.call("CreateQueue", {"QueueName": "main", "Attributes": {"RedrivePolicy": json.dumps(policy)}})
        for body in "abc":
            self.server.call("SendMessage", {"QueueUrl": dead, "MessageBody": body})
        begin = time.monotonic()
        out, errors = self.expect(4, "redrive", "dead", "--to", "jobs", "--rate", "1")
        self.assertLess(time.monotonic() - begin, 10)
        self.assertEqual(out.splitlines()[1].split("\t")[:2], ["RUNNING", "1"])
        self.assertIn("clock stands still: advance or thaw it", errors)
        self.expect(0, "clock", "advance", "2s")
        self.assertEqual(self.expect(0, "receive", "jobs", "--max", "3")[0], "a\nb\nc\n")

    def test_a_receive_takes_an_answer_that_comes_late(self):
        clock = {"now": "2026-01-01T00:00:00.000Z", "now_ms": 1767225600000, "mode": "real", "frozen": False, "speed": 1}

        class Late(http.server.BaseHTTPRequestHandler):
            def answer(self, body):
                text = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def do_GET(self):
                self.answer(clock)

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["X-Amz-Target"] != "AmazonSQS.ReceiveMessage":
                    return self.answer({"QueueUrl": "http://localhost/000000000000/jobs"})
                # Of a machine that has much to do: later than its wait by more than somebody who is impatient gives it.
                time.sleep(5)
                self.answer({"Messages": [{"MessageId": "m", "ReceiptHandle": "r", "Body": "late"}]})

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Late)
        self.addCleanup(server.server_close)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        endpoint = f"http://127.0.0.1:{server.server_port}"
        self.assertEqual(self.run_to_end("receive", "--endpoint", endpoint, "jobs", "--wait", "1"), (0, "late\n", ""))

    def test_what_a_status_of_three_is_told_apart(self):
        listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listening.close)

        def hang_up():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                connection.recv(1000)
                connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        port = listening.getsockname()[1]
        status, _, errors = self.run_to_end("queues", "--endpoint", f"http://127.0.0.1:{port}")
        self.assertEqual(status, 3)
        self.assertIn("was reached, but", errors)
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            free = nobody.getsockname()[1]
        status, _, errors = self.run_to_end("queues", "--endpoint", f"http://127.0.0.1:{free}")
        self.assertEqual(status, 3)
        self.assertIn("cannot be reached", errors)

    def test_a_length_of_time_that_is_none_is_a_wrong_command_line(self):
        for wait in ("bad", "11m"):
            self.assertIn(f"--wait is {'at most 600s' if wait == '11m' else 'a length of time'}",
                          self.expect(2, "idle", "--wait", wait)[1])

    def test_words_that_the_server_judges_are_a_wrong_command_line_too(self):
        for words in (("function", "add", "f", "--timeout", "9999", "--exec", "--", "true"), ("function", "show", "x y"),
                      ("logs", "x y"), ("lag", "s", "--consumer", "a b")):
            self.assertIn(" has to ", self.expect(2, *words)[1])
        # What a service refuses says so by its code.
        self.server.create()
        self.assertIn("penstock: InvalidParameterValue", self.expect(1, "send", "jobs", "a", "--delay", "901")[1])

    def test_idle_says_what_is_not(self):
        self.assertEqual(self.expect(0, "idle")[0], "")
        self.expect(0, "function", "add", "slow", "--exec", "--", "sleep", "1")
        url = self.server.create()
        self.expect(0, "mapping", "add", "queue:jobs", "slow")
        self.expect(0, "idle", "--wait", "10s")
        self.server.call("SendMessage", {"QueueUrl": url, "MessageBody": "a"})
        out, _ = self.expect(4, "idle")
        self.assertIn("mapping", out)
        self.assertFalse(json.loads(self.expect(4, "idle", "--json")[0])["idle"])
        self.expect(0, "idle", "--wait", "30s")

    def test_why_tells_a_messages_story(self):
        url = self.server.create()
        sent = self.server.call("SendMessage", {"QueueUrl": url, "MessageBody": "a"})[1]["MessageId"]
        self.server.call("ReceiveMessage", {"QueueUrl": url})
        out, _ = self.expect(0, "why", sent)
        self.assertEqual([line.split("\t")[2] for line in out.splitlines()[1:]], ["sent", "received"])
        self.assertEqual(len(json.loads(self.expect(0, "why", sent, "--json")[0])["steps"]), 2)
        self.assertIn("NotFound", self.expect(1, "why", "0f8fad5b-d9cb-469f-a165-70867728950e")[1])

    def test_what_is_imported_is_in_a_file_or_comes_from_standard_input(self):
        self.server.create()
        self.server.call("SendMessage", {"QueueUrl": "jobs", "MessageBody": "a"})
        lines = self.expect(0, "state", "export", "--data")[0]
        file = pathlib.Path(self.directory, "all.jsonl")
        file.write_text(lines)
        self.expect(0, "state", "reset")
        row = lambda out: out.splitlines()[1].split("\t")
        self.assertEqual(row(self.expect(0, "state", "import", str(file))[0]), ["1", "0", "1", "0", "0"])
        self.assertEqual(self.expect(0, "state", "export", "--data")[0], lines)
        for words in (("-",), ()):
            done = subprocess.run([harness.PENSTOCK, "state", "import", *words, "--endpoint", self.server.endpoint], input=lines,
                                  capture_output=True, text=True, timeout=harness.LIMIT)
            self.assertEqual((done.returncode, row(done.stdout)), (0, ["0", "1", "1", "0", "0"]), done.stderr)
        for name in ("none.jsonl", "."):
            errors = self.expect(1, "state", "import", str(pathlib.Path(self.directory, name)))[1]
            self.assertIn(str(pathlib.Path(self.directory, name)), errors)
        cut = pathlib.Path(self.directory, "cut.jsonl")
        cut.write_text(lines[:lines.rindex("{")])
        self.assertIn("no whole export", self.expect(1, "state", "import", str(cut))[1])

    def test_an_import_that_is_stopped_says_what_came_before(self):
        queue = {"service": "sqs", "operation": "CreateQueue", "input": {"QueueName": "jobs"}}
        here = {"account": "000000000000", "region": "us-east-1"}
        message = {"id": "01234567-89ab-cdef-0123-456789abcdef", "body": "x" * 1_000_000}
        lines = [{**here, "create": queue}, {**here, "queue": "jobs", "message": message}, {**here, "queue": "jobs", "message": message},
                 {"penstock": "export", "format": 2}]
        file = pathlib.Path(self.directory, "all.jsonl")
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        errors = self.expect(1, "state", "import", str(file))[1]
        self.assertIn("1 thing made, 1 message, 0 records", errors)
        self.assertIn("line 4: it is of format 2, and this version reads format 1", errors)

    def test_faults_are_added_listed_and_removed(self):
        rule = '{"id": "x", "operation": "SendMessage", "throttle": true, "probability": 0.5}'
        self.assertIn("SendMessage", self.expect(0, "fault", "add", rule)[0])
        self.expect(0, "fault", "add", '[{"latency": "1ms"}]')
        self.assertEqual(len(self.expect(0, "fault", "list")[0].splitlines()), 3)
        self.assertEqual(json.loads(self.expect(0, "fault", "list", "--json")[0])["rules"][0]["probability"], 0.5)
        self.assertEqual(len(self.expect(0, "fault", "remove", "x")[0].splitlines()), 2)
        self.expect(1, "fault", "remove", "x")
        self.assertEqual(len(self.expect(0, "fault", "clear")[0].splitlines()), 1)
        for words in (("add",), ("remove",), ("list", "x"), ("break",)):
            self.expect(2, "fault", *words)
        for rule, named in (('{"trottle": true}', "trottle"), ("often", "JSON"), ('{"latency": "soon"}', "'soon'"),
                            ('{"operation": "SendMesage", "throttle": true}', "Is SendMessage meant?"), ("[1]", "rules")):
            self.assertIn(named, self.expect(2, "fault", "add", rule)[1])
        self.expect(0, "fault", "add", '{"id": "x"}')
        self.assertIn("already", self.expect(1, "fault", "add", '{"id": "x"}')[1])


if __name__ == "__main__":
    harness.main()
