#!/usr/bin/env python3
"""The program as whoever starts it sees it: its command line, its start and end, and its manners towards clients that
have none. Runs the real binary: test_server.py --penstock BIN [unittest arguments]."""

import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import harness
from harness import LIMIT, Server, ask, request_bytes, read_answer, wait_until, InDirectory, OneServer


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


class Errors(InDirectory):
    """The errors that only the queues themselves know, asked of the running server."""

    ARN = "arn:aws:sqs:us-east-1:000000000000:"
    ENTRY = {"Id": "1", "ReceiptHandle": "x", "VisibilityTimeout": 1, "MessageBody": "b"}
    NO_QUEUE = {
        "AddPermission": {"Label": "l", "AWSAccountIds": ["111122223333"], "Actions": ["SendMessage"]},
        "ChangeMessageVisibility": {"ReceiptHandle": "x", "VisibilityTimeout": 1},
        "ChangeMessageVisibilityBatch": {"Entries": [ENTRY]}, "DeleteMessage": {"ReceiptHandle": "x"},
        "DeleteMessageBatch": {"Entries": [ENTRY]}, "DeleteQueue": {}, "GetQueueAttributes": {},
        "ListDeadLetterSourceQueues": {}, "ListQueueTags": {}, "PurgeQueue": {}, "ReceiveMessage": {},
        "RemovePermission": {"Label": "l"}, "SendMessage": {"MessageBody": "b"}, "SendMessageBatch": {"Entries": [ENTRY]},
        "SetQueueAttributes": {"Attributes": {"DelaySeconds": "1"}}, "TagQueue": {"Tags": {"a": "b"}},
        "UntagQueue": {"TagKeys": ["a"]}}

    def check(self, server, operation, members, status, error, message):
        answer = server.call(operation, members)
        self.assertEqual((answer[0], answer[1]["__type"].split("#")[1], answer[1]["message"]), (status, error, message))

    def test_every_operation_says_that_there_is_no_queue(self):
        with Server(self.directory, "--ephemeral", data_dir=False) as server:
            for operation, members in self.NO_QUEUE.items():
                with self.subTest(operation):
                    self.check(server, operation, {"QueueUrl": "none", **members}, 400, "QueueDoesNotExist",
                               "The specified queue does not exist.")
            self.check(server, "GetQueueUrl", {"QueueName": "none"}, 400, "QueueDoesNotExist",
                       "The specified queue does not exist.")
            for operation in ("StartMessageMoveTask", "ListMessageMoveTasks"):
                for arn in (self.ARN + "none", "arn:aws:sqs:eu-west-1:000000000000:none",
                            "arn:aws:sqs:us-east-1:111122223333:none"):
                    self.check(server, operation, {"SourceArn": arn}, 404, "ResourceNotFoundException",
                               "The resource that you specified for the SourceArn parameter doesn't exist.")

    def test_what_is_wrong_with_a_queue_that_is_there(self):
        with Server(self.directory, "--ephemeral", data_dir=False) as server:
            server.create("jobs")
            for operation, members, error, message in (
                    ("GetQueueAttributes", {"AttributeNames": ["Bogus"]}, "InvalidAttributeName",
                     "Unknown Attribute Bogus."),
                    ("SetQueueAttributes", {"Attributes": {"Bogus": "1"}}, "InvalidAttributeName",
                     "Unknown Attribute Bogus."),
                    ("SetQueueAttributes", {"Attributes": {"DelaySeconds": "901"}}, "InvalidAttributeValue",
                     "Invalid value for the parameter DelaySeconds.")):
                self.check(server, operation, {"QueueUrl": "jobs", **members}, 400, error, message)
            for operation, members in (("DeleteMessage", {}), ("ChangeMessageVisibility", {"VisibilityTimeout": 1})):
                self.check(server, operation, {"QueueUrl": "jobs", "ReceiptHandle": "x", **members}, 404,
                           "ReceiptHandleIsInvalid", 'The input receipt handle "x" is not a valid receipt handle.')
            self.check(server, "CreateQueue", {"QueueName": "jobs", "Attributes": {"DelaySeconds": "7"}}, 400,
                       "QueueNameExists",
                       "A queue already exists with the same name and a different value for attribute DelaySeconds")
            self.check(server, "StartMessageMoveTask", {"SourceArn": self.ARN + "jobs"}, 400,
                       "InvalidParameterValueException", "Source queue must be configured as a Dead Letter Queue.")

    def test_a_queue_is_compared_whatever_became_of_its_dead_letter_queue(self):
        policy = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": self.ARN + "dead", "maxReceiveCount": 3})}
        with Server(self.directory, "--ephemeral", data_dir=False) as server:
            server.create("dead")
            self.assertEqual(server.call("CreateQueue", {"QueueName": "jobs", "Attributes": policy})[0], 200)
            self.assertEqual(server.call("DeleteQueue", {"QueueUrl": "dead"})[0], 200)
            self.assertEqual(server.call("CreateQueue", {"QueueName": "jobs", "Attributes": policy})[0], 200)
            self.assertEqual(server.call("CreateQueue", {"QueueName": "other", "Attributes": policy})[0], 400)

    def test_a_fifo_batch_without_a_group_fails_whatever_else_is_wrong_with_its_entry(self):
        with Server(self.directory, "--ephemeral", data_dir=False) as server:
            server.call("CreateQueue", {"QueueName": "q.fifo", "Attributes": {"FifoQueue": "true"}})
            entries = [{"Id": "a", "MessageBody": "a", "DelaySeconds": 901},
                       {"Id": "b", "MessageBody": "b", "MessageGroupId": "g", "MessageDeduplicationId": "b"}]
            self.check(server, "SendMessageBatch", {"QueueUrl": "q.fifo", "Entries": entries}, 400,
                       "InvalidParameterValueException", "The request must contain the parameter MessageGroupId.")
            self.assertNotIn("Messages", server.call("ReceiveMessage", {"QueueUrl": "q.fifo"})[1])


class Moves(InDirectory):
    """Messages that go from one queue to another, in whichever threads the two live: dead letters and move tasks."""

    def arn(self, server, queue):
        _, body = server.call("GetQueueAttributes", {"QueueUrl": queue, "AttributeNames": ["QueueArn"]})
        return body["Attributes"]["QueueArn"]

    def create_pair(self, server, number, fifo=False):
        """A dead-letter queue, and one whose messages go there when they are received a second time."""
        suffix, kind = (".fifo", {"FifoQueue": "true"}) if fifo else ("", {})
        dead, source = f"dead-{number}{suffix}", f"source-{number}{suffix}"
        self.assertEqual(server.call("CreateQueue", {"QueueName": dead, "Attributes": kind})[0], 200)
        policy = json.dumps({"deadLetterTargetArn": self.arn(server, dead), "maxReceiveCount": 1})
        attributes = {"RedrivePolicy": policy, "VisibilityTimeout": "0", **kind}
        self.assertEqual(server.call("CreateQueue", {"QueueName": source, "Attributes": attributes})[0], 200)
        return source, dead

    def fill(self, server, queue, count):
        for first in range(0, count, 10):
            entries = [{"Id": str(i), "MessageBody": f"{queue} {i}"} for i in range(first, min(first + 10, count))]
            if queue.endswith(".fifo"):
                for entry in entries:
                    entry.update(MessageGroupId=str(int(entry["Id"]) % 7), MessageDeduplicationId=entry["Id"])
            status, body = server.call("SendMessageBatch", {"QueueUrl": queue, "Entries": entries})
            self.assertEqual((status, len(body["Successful"])), (200, len(entries)))

    def peek(self, server, queue, accept="application/json"):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)
        connection.request("GET", f"/_aws/sqs/messages/us-east-1/000000000000/{queue}?ShowInvisible=true&ShowDelayed=true",
                           headers={"Accept": accept})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        self.assertEqual(answer.status, 200, text)
        if accept != "application/json":
            return text.decode()
        found = json.loads(text)["ReceiveMessageResponse"]["ReceiveMessageResult"].get("Message", [])
        found = found if isinstance(found, list) else [found]
        return [message | {"Attributes": {one["Name"]: one["Value"] for one in message["Attribute"]}}
                for message in found]

    def bodies(self, server, queue):
        return sorted(message["Body"] for message in self.peek(server, queue))

    def count(self, server, queue):
        _, body = server.call("GetQueueAttributes", {"QueueUrl": queue, "AttributeNames": [
            "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]})
        return sum(int(value) for value in body["Attributes"].values())

    def drain(self, server, source):
        """Receives until everything has become a dead letter."""
        end = time.monotonic() + LIMIT
        while self.count(server, source) > 0:
            self.assertLess(time.monotonic(), end)
            server.call("ReceiveMessage", {"QueueUrl": source, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0})

    def task(self, server, queue):
        _, body = server.call("ListMessageMoveTasks", {"SourceArn": self.arn(server, queue)})
        return body["Results"][0]

    def wait_for_task(self, server, queue):
        wait_until(lambda: self.task(server, queue)["Status"] != "RUNNING")
        return self.task(server, queue)

    def test_dead_letters_reach_queues_of_any_thread(self):
        with Server(self.directory, "--threads", "2") as server:
            # Enough pairs for each way round, from a thread to itself and to the other.
            for number in range(8):
                source, dead = self.create_pair(server, number, fifo=number >= 6)
                self.fill(server, source, 25)
                sent = self.bodies(server, source)
                self.assertEqual(len(sent), 25)
                self.drain(server, source)
                wait_until(lambda queue=dead: self.count(server, queue) == 25)
                self.assertEqual(self.bodies(server, dead), sent)
                self.assertEqual(self.peek(server, source), [])
                _, body = server.call("ReceiveMessage", {"QueueUrl": dead, "AttributeNames": ["All"]})
                attributes = body["Messages"][0]["Attributes"]
                self.assertEqual(attributes["DeadLetterQueueSourceArn"], self.arn(server, source))
                self.assertEqual(attributes["ApproximateReceiveCount"], "2")
            self.assertEqual(server.stop()[0], 0)

    def test_a_dead_letter_queue_that_is_gone_takes_nothing_with_it(self):
        with Server(self.directory, "--threads", "2") as server:
            for number in range(4):
                source, dead = self.create_pair(server, number)
                self.fill(server, source, 5)
                server.call("DeleteQueue", {"QueueUrl": dead})
                for _ in range(10):
                    server.call("ReceiveMessage", {"QueueUrl": source, "MaxNumberOfMessages": 10})
                wait_until(lambda queue=source: self.count(server, queue) == 5)
                self.assertEqual(len(self.peek(server, source)), 5)

    def test_a_move_task_brings_each_message_back_where_it_came_from(self):
        with Server(self.directory, "--threads", "2") as server:
            shared = server.create("shared-dead")
            policy = json.dumps({"deadLetterTargetArn": self.arn(server, shared), "maxReceiveCount": 1})
            sources = [f"source-{number}" for number in range(6)]
            for source in sources:
                server.call("CreateQueue", {"QueueName": source, "Attributes": {"RedrivePolicy": policy}})
                self.fill(server, source, 50)
            for source in sources:
                self.drain(server, source)
            wait_until(lambda: self.count(server, shared) == 300)
            status, _ = server.call("StartMessageMoveTask", {"SourceArn": self.arn(server, shared)})
            self.assertEqual(status, 200)
            task = self.wait_for_task(server, shared)
            self.assertEqual(task["Status"], "COMPLETED")
            self.assertEqual(task["ApproximateNumberOfMessagesMoved"], 300)
            self.assertEqual(task["ApproximateNumberOfMessagesToMove"], 300)
            self.assertEqual(self.peek(server, "shared-dead"), [])
            for source in sources:
                self.assertEqual(self.bodies(server, source), sorted(f"{source} {i}" for i in range(50)))
                self.assertEqual({message["Attributes"]["ApproximateReceiveCount"]
                                  for message in self.peek(server, source)}, {"0"})
            self.assertEqual(server.stop()[0], 0)

    def test_what_has_to_be_asked_first_is_asked_of_the_queues_own_thread(self):
        with Server(self.directory, "--threads", "2") as server:
            for number in range(6):
                source, dead = self.create_pair(server, number)
                for queue, expected in ((dead, [source]), (source, [])):
                    _, body = server.call("ListDeadLetterSourceQueues", {"QueueUrl": queue})
                    self.assertEqual([url.rsplit("/", 1)[1] for url in body["queueUrls"]], expected)
                status, error = server.call("ListDeadLetterSourceQueues", {"QueueUrl": f"missing-{number}"})
                self.assertEqual((status, error["__type"]), (400, "com.amazonaws.sqs#QueueDoesNotExist"))
                refuse = {"RedriveAllowPolicy": json.dumps({"redrivePermission": "denyAll"})}
                self.assertEqual(server.call("SetQueueAttributes", {"QueueUrl": dead, "Attributes": refuse})[0], 200)
                policy = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": self.arn(server, dead), "maxReceiveCount": 2})}
                status, _ = server.call("CreateQueue", {"QueueName": f"late-{number}", "Attributes": policy})
                self.assertEqual(status, 400)
                self.assertEqual(server.call("GetQueueUrl", {"QueueName": f"late-{number}"})[0], 400)

    def test_a_peek_changes_nothing(self):
        with Server(self.directory, "--threads", "2") as server:
            for queue in ("first", "second", "third"):
                server.create(queue)
                self.fill(server, queue, 3)
                for _ in range(3):
                    self.assertEqual(self.bodies(server, queue), [f"{queue} {i}" for i in range(3)])
                self.assertIn(f"<Body>{queue} 1</Body>", self.peek(server, queue, "application/xml"))
                _, body = server.call("ReceiveMessage", {"QueueUrl": queue, "MaxNumberOfMessages": 10,
                                                         "AttributeNames": ["ApproximateReceiveCount"]})
                self.assertEqual([(message["Body"], message["Attributes"]["ApproximateReceiveCount"])
                                  for message in body["Messages"]], [(f"{queue} {i}", "1") for i in range(3)])
                self.assertEqual(len(self.bodies(server, queue)), 3)

    def test_web_pages_may_not_peek(self):
        with Server(self.directory, "--ephemeral", data_dir=False) as server:
            server.create()
            for headers in ({"Origin": "http://evil.example.com"}, {"Host": "evil.example.com"}):
                connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)
                connection.request("GET", "/_aws/sqs/messages/us-east-1/000000000000/jobs", headers=headers)
                self.assertEqual(connection.getresponse().status, 403)
                connection.close()

    def kill(self, server):
        server.process.kill()
        server.process.communicate()

    def test_dead_letters_are_neither_lost_nor_doubled_by_a_kill(self):
        def receive_all(server, sources):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)
            try:
                while True:
                    for source in sources:
                        ask(connection, "ReceiveMessage", {"QueueUrl": source, "MaxNumberOfMessages": 10})
            except (OSError, http.client.HTTPException):
                connection.close()

        pairs, cut = [], 0
        with Server(self.directory, "--threads", "2") as server:
            for number in range(4):
                pairs.append(self.create_pair(server, number, fifo=number == 3))
                self.fill(server, pairs[-1][0], 400)
            sent = {source: self.bodies(server, source) for source, _ in pairs}
            server.stop()
        for attempt in range(6):
            with Server(self.directory, "--threads", "2") as server:
                with concurrent.futures.ThreadPoolExecutor(4) as pool:
                    for source, _ in pairs:
                        pool.submit(receive_all, server, [source])
                    time.sleep(0.004 * (attempt + 1))
                    self.kill(server)
            with Server(self.directory, "--threads", "2") as server:
                for source, dead in pairs:
                    left, gone = self.bodies(server, source), self.bodies(server, dead)
                    self.assertEqual(sorted(left + gone), sent[source])
                    self.assertEqual((self.count(server, source), self.count(server, dead)), (len(left), len(gone)))
                    cut += 0 < len(gone) < len(sent[source])
                self.kill(server)
        self.assertGreater(cut, 0, "no kill came in the middle")

    def test_a_move_task_goes_on_after_a_kill(self):
        with Server(self.directory, "--threads", "2") as server:
            pairs = [self.create_pair(server, number) for number in range(3)]
            for source, _ in pairs:
                self.fill(server, source, 300)
                self.drain(server, source)
            for source, dead in pairs:
                wait_until(lambda queue=dead: self.count(server, queue) == 300)
                server.call("StartMessageMoveTask", {"SourceArn": self.arn(server, dead),
                                                     "MaxNumberOfMessagesPerSecond": 300})
            self.kill(server)
        for _ in range(3):
            with Server(self.directory, "--threads", "2") as server:
                time.sleep(0.1)
                for source, _ in pairs:
                    back = self.bodies(server, source)
                    self.assertEqual(len(back), len(set(back)))
                self.kill(server)
        with Server(self.directory, "--threads", "2") as server:
            for source, dead in pairs:
                self.assertEqual(self.wait_for_task(server, dead)["Status"], "COMPLETED")
                self.assertEqual(self.bodies(server, dead), [])
                self.assertEqual(self.bodies(server, source), sorted(f"{source} {i}" for i in range(300)))
            self.assertEqual(server.stop()[0], 0)

    def test_a_stop_does_not_wait_for_a_move_task(self):
        with Server(self.directory, "--threads", "2") as server:
            source, dead = self.create_pair(server, 0)
            self.fill(server, source, 200)
            self.drain(server, source)
            wait_until(lambda: self.count(server, dead) == 200)
            server.call("StartMessageMoveTask", {"SourceArn": self.arn(server, dead),
                                                 "MaxNumberOfMessagesPerSecond": 100})
            began = time.monotonic()
            self.assertEqual(server.stop()[0], 0)
            self.assertLess(time.monotonic() - began, 5)
        with Server(self.directory, "--threads", "1") as server:
            self.assertEqual(self.wait_for_task(server, dead)["Status"], "COMPLETED")
            self.assertEqual(self.bodies(server, source), sorted(f"{source} {i}" for i in range(200)))


class Manners(OneServer):
    """Bad input gets the service's own error or a closed connection, and harms nobody else."""

    def setUp(self):
        super().setUp()
        self.url = self.server.create(re.sub(r"\W", "-", self.id().rsplit(".", 1)[1])[:80])

    def exchange(self, data, shut=False):
        with self.server.raw() as connection:
            try:
                connection.sendall(data)
                if shut:
                    connection.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass
            return read_answer(connection)

    def assert_alive(self):
        self.assertEqual(self.server.call("GetQueueAttributes", {"QueueUrl": self.url})[0], 200)

    def test_what_is_not_http_is_refused(self):
        for junk in (b"\x00\x01\x02\x03\r\n\r\n", b"HELO there\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                     b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
                     b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"):
            with self.subTest(junk=junk):
                answer = self.exchange(junk)
                self.assertTrue(answer is None or answer[0] == 400, answer)
        self.assert_alive()

    def test_oversize_headers_get_431(self):
        answer = self.exchange(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Big: " + b"x" * 100_000 + b"\r\n\r\n")
        self.assertEqual(answer[0], 431)
        self.assert_alive()

    def test_oversize_bodies_get_413(self):
        answer = self.exchange(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\nabc")
        self.assertEqual(answer[0], 413)
        endless = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        with self.server.raw() as connection:
            try:
                connection.sendall(endless)
                for _ in range(40):
                    connection.sendall(b"80000\r\n" + b"x" * 0x80000 + b"\r\n")
            except (BrokenPipeError, ConnectionResetError):
                pass
            answer = read_answer(connection)
        self.assertTrue(answer is None or answer[0] == 413, answer)
        self.assert_alive()

    def test_malformed_bodies_get_the_services_error(self):
        for body in (b"{", b"[]", b"nonsense", b"{\"QueueUrl\": 5}", b"\xff\xfe", b"[" * 100_000, b"{\"a\":" * 5_000):
            with self.subTest(body=body[:20]):
                head = ("POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.SendMessage\r\n"
                        f"Content-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n")
                status, headers, text = self.exchange(head.encode() + body)
                self.assertEqual(status, 400)
                self.assertIn("__type", json.loads(text))
                self.assertIn("x-amzn-RequestId", headers)
        self.assert_alive()

    def test_a_client_that_dawdles_keeps_nobody_waiting(self):
        with self.server.raw() as slow:
            for byte in b"POST / HTTP/1.1\r\nHo":
                slow.sendall(bytes([byte]))
                self.assert_alive()

    def test_pipelined_requests_are_answered_in_order(self):
        bodies = [f"m{i}" for i in range(5)]
        with self.server.raw() as connection:
            connection.sendall(b"".join(request_bytes("SendMessage", {"QueueUrl": self.url, "MessageBody": body})
                                        for body in bodies))
            stream = connection.makefile("rb")
            for _ in bodies:
                self.assertTrue(stream.readline().startswith(b"HTTP/1.1 200"))
                length = 0
                while (line := stream.readline()) != b"\r\n":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                self.assertIn(b"MessageId", stream.read(length))
            stream.close()
        _, body = self.server.call("ReceiveMessage", {"QueueUrl": self.url, "MaxNumberOfMessages": 10})
        self.assertEqual([message["Body"] for message in body["Messages"]], bodies)

    def test_expect_continue_is_answered(self):
        text = json.dumps({"QueueUrl": self.url, "MessageBody": "after the go-ahead"}).encode()
        with self.server.raw() as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.SendMessage\r\n"
                               b"Expect: 100-continue\r\nContent-Type: application/x-amz-json-1.0\r\n"
                               + f"Content-Length: {len(text)}\r\n\r\n".encode())
            self.assertEqual(connection.recv(1024), b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.sendall(text)
            self.assertEqual(read_answer(connection)[0], 200)

    def test_connection_close_and_http_1_0(self):
        for request in (b"GET /healthz HTTP/1.0\r\n\r\n", b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n"):
            with self.server.raw() as connection:
                connection.sendall(request)
                answer = b""
                while piece := connection.recv(4096):
                    answer += piece
            self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"))
            self.assertTrue(answer.endswith(b"ok\n"))

    def test_a_message_for_a_client_that_hung_up_goes_to_another(self):
        # The one that has gone waits longest, so it would get the message. Whether the server has noticed by the time
        # of the send, or finds nobody to hand the message to, is up to chance; what comes of it is not.
        for number in range(60):
            gone = self.server.raw()
            gone.sendall(request_bytes("ReceiveMessage", {"QueueUrl": self.url, "WaitTimeSeconds": 20,
                                                          "VisibilityTimeout": 600}))
            time.sleep(0.002)
            gone.close()
            self.server.call("SendMessage", {"QueueUrl": self.url, "MessageBody": str(number)})
            _, body = self.server.call("ReceiveMessage", {"QueueUrl": self.url, "WaitTimeSeconds": 5,
                                                          "VisibilityTimeout": 600,
                                                          "AttributeNames": ["ApproximateReceiveCount"]})
            (message,) = body["Messages"]
            self.assertEqual(message["Body"], str(number))
            self.assertEqual(message["Attributes"]["ApproximateReceiveCount"], "1")

    def test_a_client_that_hangs_up_behind_a_pipelined_request_takes_no_message_with_it(self):
        gone = self.server.raw()
        gone.sendall(request_bytes("ReceiveMessage", {"QueueUrl": self.url, "WaitTimeSeconds": 20,
                                                      "VisibilityTimeout": 600}))
        time.sleep(0.05)
        gone.sendall(request_bytes("ListQueues", {}))
        time.sleep(0.05)
        gone.close()
        self.server.call("SendMessage", {"QueueUrl": self.url, "MessageBody": "once"})
        _, body = self.server.call("ReceiveMessage", {"QueueUrl": self.url, "WaitTimeSeconds": 5})
        self.assertEqual(body["Messages"][0]["Body"], "once")

    def test_closing_one_side_of_a_long_poll_closes_the_connection(self):
        with self.server.raw() as connection:
            connection.sendall(request_bytes("ReceiveMessage", {"QueueUrl": self.url, "WaitTimeSeconds": 20}))
            time.sleep(0.05)
            connection.shutdown(socket.SHUT_WR)
            self.assertEqual(connection.recv(1024), b"")
        self.assert_alive()

    def test_connections_that_move_between_threads_lose_no_request(self):
        # Each is alone with its queue for a while, so it moves to that queue's thread; then all are busy together.
        queues = [self.server.create(f"moving-{number}") for number in range(8)]
        connections = [http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=LIMIT) for _ in queues]

        def send(connection, queue, count):
            for number in range(count):
                status, _ = ask(connection, "SendMessage", {"QueueUrl": queue, "MessageBody": str(number)})
                self.assertEqual(status, 200)

        for connection, queue in zip(connections, queues):
            send(connection, queue, 10)
        with concurrent.futures.ThreadPoolExecutor(len(queues)) as pool:
            list(pool.map(send, connections, queues, [50] * len(queues)))
        for connection, queue in zip(connections, queues):
            _, body = ask(connection, "GetQueueAttributes",
                          {"QueueUrl": queue, "AttributeNames": ["ApproximateNumberOfMessages"]})
            self.assertEqual(body["Attributes"]["ApproximateNumberOfMessages"], "60")
            connection.close()

    def test_many_parked_polls_cost_no_thread_and_block_nobody(self):
        parked = []
        for _ in range(200):
            connection = self.server.raw()
            connection.sendall(request_bytes("ReceiveMessage", {"QueueUrl": self.url, "WaitTimeSeconds": 20}))
            parked.append(connection)
        threads = len(os.listdir(f"/proc/{self.server.process.pid}/task"))
        self.assertLess(threads, 16)
        self.assert_alive()
        for connection in parked:
            connection.close()
        self.assert_alive()

    def test_web_pages_are_kept_out(self):
        cases = [
            ({"Host": "evil.example.com"}, 403),
            ({"Host": "127.0.0.1.evil.example.com:80"}, 403),
            ({"Origin": "http://evil.example.com"}, 403),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Sec-Fetch-Site": "same-site"}, 403),
            ({"Host": "penstock:4566"}, 200),
            ({"Host": "localhost"}, 200),
            ({"Host": "[::1]:4566"}, 200),
            ({"Host": "sqs.us-east-1.amazonaws.com"}, 200),
            ({"Host": "localhost.localstack.cloud:4566"}, 200),
            ({"Host": "notlocalhost.localstack.cloud"}, 403),
            ({"Host": "localhost:1", "Origin": "http://localhost:1", "Sec-Fetch-Site": "same-origin"}, 200),
        ]
        for headers, expected in cases:
            with self.subTest(headers=headers):
                status = self.server_status(headers)
                self.assertEqual(status, expected)

    def test_web_pages_may_not_touch_consumers(self):
        consumers = self.create_consumer("guarded", "billing")
        poll = json.dumps({"Member": "page"})
        position = json.dumps({"Type": "TRIM_HORIZON"})
        page = {"Origin": "http://evil.example.com"}
        form = "application/x-www-form-urlencoded"
        cases = [
            ("POST", "/billing/poll", poll, {**page, "Content-Type": "text/plain"}),
            ("POST", "/billing/poll", poll, {**page, "Content-Type": form}),
            ("POST", "/billing/poll", poll, {"Origin": "null", "Content-Type": form}),
            ("POST", "/billing/poll", poll, {"Sec-Fetch-Site": "cross-site", "Content-Type": form}),
            ("POST", "/billing/poll", poll, {"Sec-Fetch-Site": "same-site"}),
            ("POST", "/billing/reset", position, page),
            ("PUT", "/page", "{}", page),
            ("DELETE", "/billing", None, page),
            ("DELETE", "/billing", None, {"Host": "evil.example.com"}),
            ("OPTIONS", "/billing", None, {**page, "Access-Control-Request-Method": "DELETE"}),
            ("GET", "", None, {"Sec-Fetch-Site": "cross-site"}),
            ("GET", "/billing", None, {"Sec-Fetch-Site": "cross-site"}),
            ("GET", "/billing/lag", None, {"Host": "evil.example.com"}),
        ]
        for method, path, body, headers in cases:
            with self.subTest(method=method, path=path, headers=headers):
                status, sent, _ = self.request(method, consumers + path, body, headers)
                self.assertEqual(status, 403)
                self.assertFalse([name for name in sent if name.lower().startswith("access-control-")])
        self.assertEqual(self.request("GET", "/_penstock/openapi.json", None, {"Sec-Fetch-Site": "cross-site"})[0], 403)
        listed = json.loads(self.request("GET", consumers)[2])["Consumers"]
        self.assertEqual([consumer["ConsumerName"] for consumer in listed], ["billing"])
        self.assertEqual(json.loads(self.request("GET", consumers + "/billing")[2])["Members"], [])

    def test_a_deleted_consumer_is_answered_without_content(self):
        consumers = self.create_consumer("deleted", "billing")
        with self.server.raw() as connection:
            connection.sendall(f"DELETE {consumers}/billing HTTP/1.1\r\nHost: localhost\r\n\r\n"
                               f"GET {consumers} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            both = b""
            while b"HasMoreConsumers" not in both:
                more = connection.recv(4096)
                self.assertTrue(more, both)
                both += more
        first, _, second = both.partition(b"\r\n\r\n")
        self.assertTrue(first.startswith(b"HTTP/1.1 204 No Content\r\n"), first)
        self.assertNotIn(b"content-", first.lower())
        self.assertTrue(second.startswith(b"HTTP/1.1 200 OK\r\n"), second)

    def create_consumer(self, stream, consumer):
        """Of a new stream; the path of that stream's consumers."""
        kinesis = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202.CreateStream"}
        status, answer = self.server.call("CreateStream", {"StreamName": stream, "ShardCount": 1}, kinesis)
        self.assertEqual(status, 200, answer)
        consumers = f"/_penstock/streams/{stream}/consumers"
        wait_until(lambda: self.request("PUT", f"{consumers}/{consumer}", "{}")[0] == 201)
        return consumers

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=LIMIT)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def server_status(self, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=LIMIT)
        connection.request("GET", "/?Action=ListQueues", headers=headers)
        status = connection.getresponse().status
        connection.close()
        return status

    def test_probes(self):
        for path in ("/healthz", "/readyz"):
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=LIMIT)
            connection.request("GET", path)
            self.assertEqual(connection.getresponse().status, 200)
            connection.close()


if __name__ == "__main__":
    harness.main()
