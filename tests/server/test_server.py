#!/usr/bin/env python3
"""The program as whoever starts it sees it: its command line, its start and its end. Runs the real binary:
test_server.py --penstock BIN [unittest arguments]."""

import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import unicodedata

import harness
from harness import LIMIT, InDirectory, Server, read_answer, request_bytes, wait_until


class CommandLine(InDirectory):
    def test_wrong_flags_are_named_and_exit_2(self):
        cases = {
            ("serve", "--no-such-flag"): "no-such-flag",
            ("serve", "--port", "70000"): "--port",
            ("serve", "--port", "x"): "--port",
            ("serve", "--threads", "0"): "--threads",
            ("serve", "--durability", "maybe"): "--durability",
            ("serve", "--limits", "none"): "--limits",
            ("serve", "--stream-transition", "-1"): "--stream-transition",
            ("serve", "--stream-transition", "600001"): "--stream-transition",
            ("serve", "--stream-transition", "1s"): "--stream-transition",
            ("serve", "--log-format", "xml"): "--log-format",
            ("serve", "--log-level", "loud"): "--log-level",
            ("serve", "--account", "12"): "--account",
            ("serve", "--region", "US EAST"): "--region",
            ("serve", "--ephemeral", "--data-dir", "x"): "--ephemeral",
            ("serve", "stray"): "stray",
            ("fly",): "fly",
            (): "Usage",
        }
        for arguments, named in cases.items():
            with self.subTest(arguments=arguments):
                status, out, err = self.run_to_end(*arguments)
                self.assertEqual(status, 2)
                self.assertIn(named, err)
                self.assertEqual(out, "")

    def test_help_and_version(self):
        status, out, _ = self.run_to_end("serve", "--help")
        self.assertEqual(status, 0)
        for flag in ("host port ready-file data-dir ephemeral durability threads account region log-level log-format "
                     "limits stream-transition tls-cert tls-key tls tls-ca-file").split():
            self.assertIn("--" + flag, out)
        self.assertNotIn('(default: "")', out)
        self.assertNotRegex(out, r"\(default: [^)]*\)\s+\(default")
        self.assertRegex(self.run_to_end("--version")[1], r"^penstock \d+\.\d+\.\d+\n$")


class Start(InDirectory):
    def test_the_ready_file_holds_an_endpoint_that_answers(self):
        with Server(self.directory) as server:
            self.assertRegex(server.ready.read_text(), r"^http://127\.0\.0\.1:\d+\n$")
            self.assertEqual(server.create(), f"http://127.0.0.1:{server.port}/000000000000/jobs")
            self.assertEqual(server.stop()[0], 0)

    def test_listens_on_both_loopback_addresses_by_default(self):
        if not socket.has_ipv6 or not pathlib.Path("/proc/net/if_inet6").exists():
            self.skipTest("this machine has no IPv6")
        with Server(self.directory) as server:
            connection = http.client.HTTPConnection("::1", server.port, timeout=LIMIT)
            connection.request("GET", "/healthz")
            self.assertEqual(connection.getresponse().status, 200)
            connection.close()

    def test_a_data_directory_in_use_is_one_line_and_exit_1(self):
        with Server(self.directory):
            status, _, err = self.run_to_end("serve", "--port", "0", "--data-dir", self.directory + "/data",
                                             "--log-level", "off")
        self.assertEqual(status, 1)
        self.assertEqual(err.count("\n"), 1)
        self.assertIn("in use", err)
        self.assertIn(self.directory + "/data", err)

    def test_a_port_in_use_is_one_line_and_exit_1(self):
        with Server(self.directory) as server:
            status, _, err = self.run_to_end("serve", "--port", str(server.port), "--ephemeral", "--log-level", "off")
        self.assertEqual(status, 1)
        self.assertEqual(err.count("\n"), 1)
        self.assertIn(f"cannot listen on 127.0.0.1:{server.port}", err)

    def test_a_data_directory_that_cannot_be_made_is_one_line_and_exit_1(self):
        path = pathlib.Path(self.directory, "file")
        path.write_text("")
        for data_dir in (path, path / "below"):
            with self.subTest(data_dir=data_dir):
                status, _, err = self.run_to_end("serve", "--port", "0", "--data-dir", str(data_dir),
                                                 "--log-level", "off")
                self.assertEqual(status, 1)
                self.assertEqual(err.count("\n"), 1, err)
                self.assertIn(str(data_dir), err)

    def test_an_unwritable_data_directory_is_one_line_and_exit_1(self):
        path = pathlib.Path(self.directory, "read-only")
        path.mkdir(mode=0o555)
        command = [harness.PENSTOCK, "serve", "--port", "0", "--data-dir", str(path), "--log-level", "off"]
        if os.geteuid() == 0:
            # Root may write everywhere; nobody may not, but must be able to get there.
            os.chmod(self.directory, 0o755)
            if not pathlib.Path("/usr/bin/setpriv").exists() or not os.access(harness.PENSTOCK, os.X_OK):
                self.skipTest("root cannot take on another user's place here")
            command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
            probe = subprocess.run(command[:4] + [harness.PENSTOCK, "--version"], capture_output=True)
            if probe.returncode != 0:
                self.skipTest("another user cannot run the binary where it lies")
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn("cannot write to the data directory " + str(path), done.stderr)

    def test_says_where_data_is_kept_and_follows_xdg(self):
        environment = {**os.environ, "XDG_DATA_HOME": self.directory + "/xdg"}
        ready = pathlib.Path(self.directory, "ready")
        process = subprocess.Popen([harness.PENSTOCK, "serve", "--port", "0", "--ready-file", str(ready)],
                                   stderr=subprocess.PIPE, text=True, env=environment)
        wait_until(lambda: ready.exists() or process.poll() is not None)
        process.terminate()
        _, log = process.communicate(timeout=LIMIT)
        self.assertIn(self.directory + "/xdg/penstock", log)
        self.assertTrue(pathlib.Path(self.directory, "xdg/penstock").is_dir())

    def test_a_line_of_the_log_is_one_line_whatever_it_tells(self):
        odd = "x\n2026-01-01T00:00:00.000Z critical forged\r\x1b[31m\x07\x7f\u009b2J\u0085ü\ty"
        with Server(self.directory) as server:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)
            connection.request("POST", "/_penstock/backup", json.dumps({"directory": f"{self.directory}/{odd}"}))
            self.assertEqual(connection.getresponse().status, 200)
            connection.close()
            _, log = server.stop()
        about = [line for line in log.split("\n") if "making a backup in" in line]
        self.assertEqual(len(about), 1, log)
        self.assertTrue(about[0].endswith(
            r"/x\n2026-01-01T00:00:00.000Z critical forged\x0d\x1b[31m\x07\x7f\x9b2J\x85ü" + "\ty"), about[0])
        self.assertEqual([line for line in log.splitlines() if not line.startswith("20")], [])
        self.assertEqual([c for c in log if c != "\n" and c != "\t" and unicodedata.category(c) == "Cc"], [])
        # Nor is what ends the program, which has no time before it.
        status, _, err = self.run_to_end("serve", "--port", "0", "--data-dir", "/proc/\x1b[31m\nforged")
        self.assertEqual(status, 1)
        self.assertEqual(err.count("\n"), 1, err)
        self.assertNotIn("\x1b", err)

    def test_logs_as_json_lines(self):
        with Server(self.directory, "--log-format", "json") as server:
            _, log = server.stop()
        for line in log.splitlines():
            record = json.loads(line)
            self.assertEqual(sorted(record), ["level", "message", "time"])
            self.assertRegex(record["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    def test_ephemeral_keeps_nothing(self):
        with Server(self.directory, "--ephemeral", data_dir=False) as server:
            server.create()
            self.assertEqual(server.stop()[0], 0)
        self.assertEqual(sorted(os.listdir(self.directory)), ["ready"])
        with Server(self.directory, "--ephemeral", data_dir=False) as server:
            self.assertEqual(server.call("ListQueues", {})[1], {})

    def test_account_and_region_of_unsigned_requests(self):
        with Server(self.directory, "--account", "123456789012", "--region", "eu-west-3") as server:
            url = server.create()
            self.assertTrue(url.endswith("/123456789012/jobs"))
            _, body = server.call("GetQueueAttributes", {"QueueUrl": url, "AttributeNames": ["QueueArn"]})
            self.assertEqual(body["Attributes"]["QueueArn"], "arn:aws:sqs:eu-west-3:123456789012:jobs")

    def test_queues_survive_a_change_of_the_number_of_threads(self):
        names = [f"q{i}" for i in range(20)]
        with Server(self.directory, "--threads", "1") as server:
            for name in names:
                server.call("SendMessage", {"QueueUrl": server.create(name), "MessageBody": name})
            server.stop()
        with Server(self.directory, "--threads", "3") as server:
            self.assertEqual(len(server.call("ListQueues", {})[1]["QueueUrls"]), 20)
            for name in names:
                _, body = server.call("ReceiveMessage", {"QueueUrl": name})
                self.assertEqual(body["Messages"][0]["Body"], name)

    def test_strict_limits_hold_a_deleted_name_back(self):
        with Server(self.directory, "--limits", "strict") as server:
            url = server.create()
            server.call("DeleteQueue", {"QueueUrl": url})
            status, body = server.call("CreateQueue", {"QueueName": "jobs"})
            self.assertEqual((status, body["__type"]), (400, "com.amazonaws.sqs#QueueDeletedRecently"))


class DiskSpace(InDirectory):
    def setUp(self):
        super().setUp()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=192m", "tmpfs", self.directory], capture_output=True)
        if mounted.returncode != 0:
            super().tearDown()
            self.skipTest("no file system of a small size can be mounted here")

    def tearDown(self):
        subprocess.run(["umount", "-l", self.directory], check=True)
        super().tearDown()

    def test_a_full_disk_refuses_sends_lets_receives_go_on_and_recovers(self):
        def ready():
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)
            connection.request("GET", "/readyz")
            status = connection.getresponse().status
            connection.close()
            return status == 200

        with Server(self.directory) as server:
            url = server.create()
            for body in ("one", "two"):
                server.call("SendMessage", {"QueueUrl": url, "MessageBody": body})
            filler = pathlib.Path(self.directory, "filler")
            filler.write_bytes(b"x" * (90 << 20))
            wait_until(lambda: not ready())
            status, error = server.call("SendMessage", {"QueueUrl": url, "MessageBody": "three"})
            self.assertEqual(status, 503)
            self.assertIn("ServiceUnavailable", error["__type"])
            _, body = server.call("ReceiveMessage", {"QueueUrl": url})
            (message,) = body["Messages"]
            self.assertEqual(message["Body"], "one")
            handle = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
            self.assertEqual(server.call("DeleteMessage", handle)[0], 200)
            filler.unlink()
            wait_until(ready)
            self.assertEqual(server.call("SendMessage", {"QueueUrl": url, "MessageBody": "four"})[0], 200)
            self.assertEqual(server.stop()[0], 0)


class End(InDirectory):
    def test_both_signals_end_it_with_status_0_and_everything_kept(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number=number):
                with Server(self.directory) as server:
                    url = server.create()
                    server.call("SendMessage", {"QueueUrl": url, "MessageBody": str(number)})
                    status, log = server.stop(number)
                    self.assertEqual(status, 0, log)
                with Server(self.directory) as server:
                    _, body = server.call("ReceiveMessage", {"QueueUrl": "jobs"})
                    self.assertEqual(body["Messages"][0]["Body"], str(number))
                    server.call("PurgeQueue", {"QueueUrl": "jobs"})

    def test_parked_long_polls_are_answered_empty(self):
        with Server(self.directory) as server:
            url = server.create()
            connection = server.raw()
            connection.sendall(request_bytes("ReceiveMessage", {"QueueUrl": url, "WaitTimeSeconds": 20}))
            # Answered behind the poll on another connection: the poll is parked by then, if both share a thread or not.
            server.call("GetQueueAttributes", {"QueueUrl": url})
            time.sleep(0.1)
            status, log = server.stop()
            self.assertEqual(status, 0, log)
            answer = read_answer(connection)
            self.assertIsNotNone(answer)
            self.assertEqual((answer[0], answer[2]), (200, b"{}"))
            connection.close()

    def test_idle_connections_do_not_hold_it_up(self):
        with Server(self.directory) as server:
            connections = [server.raw() for _ in range(5)]
            began = time.monotonic()
            self.assertEqual(server.stop()[0], 0)
            self.assertLess(time.monotonic() - began, 5)
            for connection in connections:
                connection.close()

    def test_a_second_signal_ends_it_at_once(self):
        with Server(self.directory) as server:
            # A request that never ends keeps the first signal waiting.
            connection = server.raw()
            connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Le")
            server.call("ListQueues", {})
            server.process.send_signal(signal.SIGTERM)
            line = ""
            while "stopping" not in line:
                line = server.process.stderr.readline()
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(LIMIT)
            self.assertLess(time.monotonic() - began, 5)
            self.assertEqual(server.process.returncode, -signal.SIGTERM)
            connection.close()


if __name__ == "__main__":
    harness.main()
