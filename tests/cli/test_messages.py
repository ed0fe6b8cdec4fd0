#!/usr/bin/env python3
"""The commands about queues and what is in them, against a running server. Runs the real binary:
test_messages.py --penstock BIN [unittest arguments]."""

import base64
import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.request

from commands import LIMIT, Commands, Server, command, end, harness, numbers, read_lines, start, wait_until

ARN = "arn:aws:sqs:us-east-1:000000000000:"


class Messages(Commands):
    def queue(self, suffix="", **attributes):
        name = f"queue-{next(numbers)}{suffix}"
        status, answer = self.server.call("CreateQueue", {"QueueName": name, "Attributes": attributes})
        self.assertEqual(status, 200, answer)
        return name

    def url(self, name):
        return self.server.call("GetQueueUrl", {"QueueName": name})[1]["QueueUrl"]

    def ask(self, operation, name, **more):
        status, answer = self.server.call(operation, {"QueueUrl": self.url(name), **more})
        self.assertEqual(status, 200, answer)
        return answer

    def counts(self, name):
        """Visible, in flight, delayed."""
        found = self.ask("GetQueueAttributes", name, AttributeNames=["All"])["Attributes"]
        return tuple(int(found["ApproximateNumberOfMessages" + kind]) for kind in ("", "NotVisible", "Delayed"))

    def take(self, name):
        """All that is visible, without waiting."""
        out = []
        while more := self.ask("ReceiveMessage", name, MaxNumberOfMessages=10, MessageAttributeNames=["All"],
                               AttributeNames=["All"]).get("Messages"):
            out += more
        return out


class Send(Messages):
    def test_sends_a_body_and_prints_its_id(self):
        queue = self.queue()
        id, = self.lines("send", queue, "Grüße, 世界")
        message, = self.take(queue)
        self.assertEqual((message["MessageId"], message["Body"]), (id, "Grüße, 世界"))
        self.assertEqual(self.said, "")

    def test_takes_a_url_for_a_name(self):
        queue = self.queue()
        self.lines("send", self.url(queue), "x")
        self.assertEqual(self.lines("receive", self.url(queue)), ["x"])

    def test_takes_a_body_that_looks_like_a_flag(self):
        queue = self.queue()
        self.lines("send", queue, "--", "--json")
        self.assertEqual(self.take(queue)[0]["Body"], "--json")

    def test_takes_standard_input_as_one_body(self):
        queue = self.queue()
        self.lines("send", queue, stdin=b"two\nlines\n")
        self.lines("send", queue, stdin=b"no break")
        self.assertEqual(sorted(one["Body"] for one in self.take(queue)), ["no break", "two\nlines"])

    def test_tells_all_as_json(self):
        queue = self.queue(".fifo", FifoQueue="true")
        sent = self.document("send", queue, "x", "--group", "g", "--dedup-id", "d")
        self.assertEqual(set(sent), {"MessageId", "MD5OfMessageBody", "SequenceNumber"})
        self.assertEqual(self.document("send", queue, "y", "--group", "g", "--dedup-id", "d"), sent | {
            "MD5OfMessageBody": self.document("send", queue, "y", "--group", "g", "--dedup-id", "d")["MD5OfMessageBody"]})
        message, = self.take(queue)
        self.assertEqual((message["Attributes"]["MessageGroupId"], message["Attributes"]["MessageDeduplicationId"]), ("g", "d"))

    def test_sends_attributes_with_their_types(self):
        queue = self.queue()
        self.lines("send", queue, "x", "--attribute", "Kind=a=b,c", "--attribute", "Count:Number.int=5", "--attribute",
                   "Bytes:Binary=" + base64.b64encode(b"\x00\xff").decode(), "--delay", "0")
        self.assertEqual(self.take(queue)[0]["MessageAttributes"], {
            "Kind": {"DataType": "String", "StringValue": "a=b,c"},
            "Count": {"DataType": "Number.int", "StringValue": "5"},
            "Bytes": {"DataType": "Binary", "BinaryValue": "AP8="}})

    def test_delays(self):
        queue = self.queue()
        self.lines("send", queue, "later", "--delay", "900")
        self.assertEqual(self.counts(queue), (0, 0, 1))

    def test_sends_each_line(self):
        queue = self.queue(".fifo", FifoQueue="true", ContentBasedDeduplication="true")
        bodies = [f"line {i}" for i in range(25)]
        ids = self.lines("send", queue, "--lines", "--group", "g", stdin="\n".join(bodies).encode())
        messages = []
        for _ in range(3):
            got = self.ask("ReceiveMessage", queue, MaxNumberOfMessages=10)["Messages"]
            messages += got
            self.ask("DeleteMessageBatch", queue, Entries=[{"Id": str(i), "ReceiptHandle": one["ReceiptHandle"]}
                                                           for i, one in enumerate(got)])
        self.assertEqual([one["Body"] for one in messages], bodies)
        self.assertEqual([one["MessageId"] for one in messages], ids)

    def test_leaves_empty_lines_out_and_says_so(self):
        queue = self.queue()
        self.assertEqual(len(self.documents("send", queue, "--lines", stdin=b"one\n\n\ntwo\n")), 2)
        self.assertIn("2 empty lines", self.said)

    def test_fills_batches_up_to_what_one_may_have(self):
        queue = self.queue()
        lines = [str(i) * 400_000 for i in range(5)]
        self.assertEqual(len(self.lines("send", queue, "--lines", "--attribute", "k=v", stdin="\n".join(lines).encode())), 5)
        self.assertEqual(sorted(one["Body"] for one in self.take(queue)), lines)

    def test_tells_which_lines_are_refused_and_goes_on(self):
        queue = self.queue()
        out = self.lines("send", queue, "--lines", stdin=b"good\nbad \x01\nfine\n", status=1)
        self.assertEqual(len(out), 2)
        self.assertRegex(self.said, r"^penstock: line 2: InvalidMessageContents: .+\n$")
        self.assertEqual(sorted(one["Body"] for one in self.take(queue)), ["fine", "good"])

    def test_sends_what_is_before_a_line_that_is_too_long(self):
        queue = self.queue()
        out = self.lines("send", queue, "--lines", stdin=b"good\n" + b"x" * (2 ** 20 + 1) + b"\nafter\n", status=1)
        self.assertEqual(len(out), 1)
        self.assertIn("line 2 has more than 1048576 bytes", self.said)
        self.assertEqual([one["Body"] for one in self.take(queue)], ["good"])

    def test_a_line_is_sent_before_the_next_one_comes(self):
        queue = self.queue()
        process = subprocess.Popen(command(self.server, "send", queue, "--lines"), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        for body in (b"one\n", b"two\n"):
            process.stdin.write(body)
            process.stdin.flush()
            self.assertRegex(read_lines(process, 1)[0], "^[0-9a-f-]{36}$")
        # Half a line is no message.
        process.stdin.write(b"thr")
        process.stdin.flush()
        status, out, err = end(process)
        self.assertEqual((status, out, err), (130, [], ""))
        self.assertEqual(sorted(one["Body"] for one in self.take(queue)), ["one", "two"])

    def test_of_no_queue_is_an_error(self):
        for arguments in (("send", "nowhere", "x"), ("send", "nowhere", "--lines"), ("receive", "nowhere"), ("peek", "nowhere"),
                          ("purge", "nowhere"), ("redrive", "nowhere"), ("queues", "nowhere")):
            with self.subTest(arguments=arguments):
                self.refused(*arguments, code="QueueDoesNotExist", stdin=b"x\n")


class Receive(Messages):
    def fill(self, queue, count):
        bodies = [f"body {i}" for i in range(count)]
        self.lines("send", queue, "--lines", stdin="\n".join(bodies).encode())
        return sorted(bodies)

    def test_prints_bodies_and_leaves_them_in_flight(self):
        queue = self.queue()
        bodies = self.fill(queue, 25)
        first = self.lines("receive", queue)
        self.assertEqual(len(first), 1)
        rest = self.lines("receive", queue, "--max", "1000")
        self.assertEqual(sorted(first + rest), bodies)
        self.assertEqual(self.counts(queue), (0, 25, 0))

    def test_takes_no_more_than_it_is_told(self):
        queue = self.queue()
        self.fill(queue, 25)
        self.assertEqual(len(self.lines("receive", queue, "--max", "13")), 13)
        self.assertEqual(self.counts(queue), (12, 13, 0))

    def test_deletes_what_it_has_printed(self):
        queue = self.queue()
        bodies = self.fill(queue, 12)
        self.assertEqual(sorted(self.lines("receive", queue, "--max", "100", "--delete")), bodies)
        self.assertEqual(self.counts(queue), (0, 0, 0))

    def test_ends_with_4_where_there_is_nothing(self):
        queue = self.queue()
        self.assertEqual(self.run_command("receive", queue, status=4), b"")
        self.assertEqual(self.said, "")
        began = time.monotonic()
        self.run_command("receive", queue, "--wait", "1", status=4)
        self.assertGreaterEqual(time.monotonic() - began, 1)

    def test_waits_for_a_first_message(self):
        queue = self.queue()
        process = start(self.server, "receive", queue, "--wait", "60", "--max", "5")
        self.lines("send", queue, "here")
        out, err = process.communicate(timeout=LIMIT)
        self.assertEqual((process.returncode, out, err), (0, b"here\n", b""))

    def test_hides_them_as_long_as_it_is_told(self):
        queue = self.queue()
        self.fill(queue, 1)
        self.lines("receive", queue, "--visibility", "0")
        self.assertEqual(self.counts(queue), (1, 0, 0))

    def test_tells_all_as_json(self):
        queue = self.queue()
        self.lines("send", queue, "x\ny", "--attribute", "Kind=k")
        message, = self.documents("receive", queue)
        self.assertEqual((message["Body"], message["MessageAttributes"]["Kind"]["StringValue"]), ("x\ny", "k"))
        self.assertEqual(message["Attributes"]["ApproximateReceiveCount"], "1")
        self.ask("DeleteMessage", queue, ReceiptHandle=message["ReceiptHandle"])
        self.assertEqual(self.counts(queue), (0, 0, 0))

    def test_follows_until_it_is_interrupted(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            queue = self.queue()
            process = start(self.server, "receive", queue, "--follow", "--delete")
            self.lines("send", queue, "one")
            self.assertEqual(read_lines(process, 1), ["one"])
            self.lines("send", queue, "two")
            self.assertEqual(read_lines(process, 1), ["two"])
            wait_until(lambda: self.counts(queue) == (0, 0, 0))
            self.assertEqual(end(process, number), (128 + number, [], ""))

    def test_follows_as_many_as_it_is_told(self):
        queue = self.queue()
        process = start(self.server, "receive", queue, "-f", "--max", "2")
        self.fill(queue, 3)
        out, _ = process.communicate(timeout=LIMIT)
        self.assertEqual((process.returncode, len(out.splitlines())), (0, 2))

    def test_of_a_closed_output_is_no_crash_and_deletes_nothing_unseen(self):
        queue = self.queue(VisibilityTimeout="0")
        self.lines("send", queue, "--lines", stdin=b"\n".join(b"x" * 60_000 for _ in range(20)))
        process = start(self.server, "receive", queue, "--max", "1000", "--delete")
        process.stdout.close()
        _, err = process.communicate(timeout=LIMIT)
        self.assertEqual((process.returncode, err), (0, b""))
        self.assertEqual(self.counts(queue)[0], 20)


class Peek(Messages):
    def test_prints_bodies_and_changes_nothing(self):
        queue = self.queue()
        self.lines("send", queue, "--lines", stdin=b"one\ntwo\nthree\n")
        for _ in range(2):
            self.assertEqual(self.lines("peek", queue), ["one", "two", "three"])
        self.assertEqual(self.lines("peek", queue, "--max", "2"), ["one", "two"])
        self.assertEqual(self.counts(queue), (3, 0, 0))
        seen = self.documents("peek", queue)
        self.assertEqual([one["Body"] for one in seen], ["one", "two", "three"])
        self.assertEqual({one["Attributes"]["ApproximateReceiveCount"] for one in seen}, {"0"})
        self.assertNotIn("ReceiptHandle", seen[0])

    def test_ends_with_4_where_there_is_nothing(self):
        self.assertEqual(self.run_command("peek", self.queue(), status=4), b"")

    def test_shows_what_is_in_flight_and_delayed_where_it_is_told(self):
        queue = self.queue()
        self.lines("send", queue, "taken")
        self.lines("receive", queue)
        self.lines("send", queue, "later", "--delay", "900")
        self.lines("send", queue, "here")
        self.assertEqual(self.lines("peek", queue), ["here"])
        self.assertEqual(sorted(self.lines("peek", queue, "--invisible")), ["here", "taken"])
        rows = {row["BODY"]: row for row in self.rows("peek", queue, "--invisible", "--delayed", "--long")}
        self.assertEqual({body: row["STATE"] for body, row in rows.items()},
                         {"here": "VISIBLE", "taken": "IN FLIGHT", "later": "DELAYED"})
        self.assertEqual((rows["taken"]["RECEIVES"], rows["here"]["RECEIVES"], rows["here"]["GROUP"]), ("1", "0", "-"))

    def test_a_table_has_the_beginning_of_a_body_on_one_line(self):
        queue = self.queue()
        self.lines("send", queue, "first\nsecond " + "ü" * 100)
        row, = self.rows("peek", queue, "-l")
        self.assertTrue(row["BODY"].startswith("first\\nsecond ü"), row)
        self.assertTrue(row["BODY"].endswith("ü..."), row)

    def test_ages_go_by_the_clock_of_the_server(self):
        with tempfile.TemporaryDirectory() as home, Server(home, "--clock", "virtual") as near:
            near.call("SendMessage", {"QueueUrl": near.create(), "MessageBody": "x"})
            urllib.request.urlopen(near.endpoint + "/_penstock/clock", b'{"advance": "2h5m"}', timeout=LIMIT).read()
            done = subprocess.run(command(near, "peek", "jobs", "-l"), capture_output=True, text=True, timeout=LIMIT)
            self.assertEqual(done.stdout.splitlines()[1].split("\t")[2], "2h05m", done)

    def test_of_large_messages(self):
        queue = self.queue()
        body = '"' * 1_000_000
        for _ in range(20):
            self.lines("send", queue, stdin=body.encode())
        seen = self.lines("peek", queue)
        self.assertGreaterEqual(len(seen), 16)
        self.assertEqual(set(seen), {body})


class Purge(Messages):
    def test_empties_a_queue(self):
        queue = self.queue()
        self.lines("send", queue, "--lines", stdin=b"one\ntwo\n")
        self.assertEqual(self.run_command("purge", queue), b"")
        self.assertEqual(self.counts(queue), (0, 0, 0))
        self.assertEqual(self.document("purge", queue), {"QueueUrl": self.url(queue)})


class Redrive(Messages):
    def dead_letters(self, count):
        """A queue, and its dead-letter queue with so many that were its messages."""
        dead = self.queue("-dead")
        source = self.queue(VisibilityTimeout="0", RedrivePolicy=json.dumps(
            {"deadLetterTargetArn": ARN + dead, "maxReceiveCount": 1}))
        if count:
            self.lines("send", source, "--lines", stdin="\n".join(f"dead {i}" for i in range(count)).encode())
            wait_until(lambda: not self.ask("ReceiveMessage", source, MaxNumberOfMessages=10).get("Messages")
                       and self.counts(dead)[0] == count)
        return source, dead

    def test_brings_messages_back(self):
        source, dead = self.dead_letters(30)
        row, = self.rows("redrive", dead)
        self.assertEqual((row["STATUS"], row["MOVED"], row["FROM"]), ("COMPLETED", "30", dead))
        self.assertEqual(self.said, "")
        self.assertEqual((self.counts(source)[0], self.counts(dead)[0]), (30, 0))

    def test_brings_them_elsewhere(self):
        source, dead = self.dead_letters(3)
        other = self.queue()
        done = self.document("redrive", dead, "--to", other)
        self.assertEqual((done["Status"], done["ApproximateNumberOfMessagesMoved"], done["DestinationArn"]),
                         ("COMPLETED", 3, ARN + other))
        self.assertEqual((self.counts(other)[0], self.counts(source)[0]), (3, 0))
        self.refused("redrive", dead, "--to", "nowhere", code="QueueDoesNotExist")

    def test_of_what_is_no_dead_letter_queue_is_an_error(self):
        self.refused("redrive", self.queue(), code="[A-Za-z.]+")

    def test_goes_on_after_it_was_interrupted_and_is_cancelled(self):
        source, dead = self.dead_letters(20)
        process = start(self.server, "redrive", dead, "--rate", "1")
        tasks = lambda: self.server.call("ListMessageMoveTasks", {"SourceArn": ARN + dead})[1].get("Results", [])
        wait_until(lambda: tasks() and tasks()[0]["Status"] == "RUNNING" and self.counts(source)[0] > 0)
        status, out, err = end(process)
        self.assertEqual((status, out), (130, []))
        self.assertIn(f"'penstock redrive {dead} --cancel'", err)
        self.assertEqual(err.count("\n"), 1, err)
        self.assertEqual(tasks()[0]["Status"], "RUNNING")
        # One at a time.
        self.refused("redrive", dead, code="[A-Za-z.]+")
        row, = self.rows("redrive", dead, "--cancel")
        self.assertEqual(row["STATUS"], "CANCELLED")
        self.assertEqual(self.counts(source)[0] + self.counts(dead)[0], 20)
        self.assertGreater(self.counts(dead)[0], 0)
        self.run_command("redrive", dead, "--cancel", status=1)
        self.assertIn("no messages of it are being moved", self.said)


class Queues(Messages):
    def test_lists_what_is_in_them(self):
        dead = self.queue("-dead")
        queue = self.queue(VisibilityTimeout="90", RedrivePolicy=json.dumps(
            {"deadLetterTargetArn": ARN + dead, "maxReceiveCount": 3}))
        self.lines("send", queue, "--lines", stdin=b"one\ntwo\nthree\n")
        self.lines("send", queue, "later", "--delay", "900")
        self.lines("receive", queue)
        rows = {row["QUEUE"]: row for row in self.rows("queues")}
        self.assertEqual(rows[queue], {"QUEUE": queue, "VISIBLE": "2", "IN FLIGHT": "1", "DELAYED": "1", "TIMEOUT": "1m30s",
                                       "RETENTION": "4d00h", "DEAD LETTERS": dead})
        self.assertEqual(rows[dead]["DEAD LETTERS"], "-")
        self.assertEqual([row["QUEUE"] for row in self.rows("queues", "--prefix", queue)], [queue])
        listed = {one["QueueName"]: one for one in self.document("queues")["Queues"]}
        self.assertEqual(listed[queue]["Attributes"]["VisibilityTimeout"], "90")

    def test_tells_all_about_one(self):
        queue = self.queue(MessageRetentionPeriod="60")
        self.ask("TagQueue", queue, Tags={"team": "shop"})
        rows = {row["SETTING"]: row["VALUE"] for row in self.rows("queues", queue)}
        self.assertEqual((rows["QueueUrl"], rows["MessageRetentionPeriod"], rows["tag team"]), (self.url(queue), "60", "shop"))
        document = self.document("queues", self.url(queue))
        self.assertEqual((document["QueueName"], document["Attributes"]["QueueArn"], document["Tags"]),
                         (queue, ARN + queue, {"team": "shop"}))

    def test_follows_all_pages(self):
        prefix = f"many-{next(numbers)}-"
        for i in range(1_050):
            self.server.call("CreateQueue", {"QueueName": f"{prefix}{i}"})
        self.assertEqual(len(self.rows("queues", "--prefix", prefix)), 1_050)

    def test_of_another_region_and_account_are_others(self):
        name = f"there-{next(numbers)}"
        self.server.call("CreateQueue", {"QueueName": name}, {
            "Authorization": "AWS4-HMAC-SHA256 Credential=111111111111/20300101/eu-west-1/sqs/aws4_request, "
                             "SignedHeaders=host, Signature=0"})
        there = ("--region", "eu-west-1", "--account", "111111111111")
        self.lines("send", name, "x", *there)
        self.assertEqual([row["QUEUE"] for row in self.rows("queues", *there)], [name])
        self.assertEqual(self.lines("peek", name, *there), ["x"])
        self.assertEqual(self.lines("receive", name, *there, "--delete"), ["x"])
        self.refused("send", name, "x", code="QueueDoesNotExist")
        environment = {**os.environ, "PENSTOCK_REGION": "eu-west-1", "PENSTOCK_ACCOUNT": "111111111111"}
        done = subprocess.run(command(self.server, "queues", "--json"), capture_output=True, env=environment, timeout=LIMIT)
        self.assertEqual([one["QueueName"] for one in json.loads(done.stdout)["Queues"]], [name])


class Outputs(Messages):
    """What holds of all commands that print something."""

    def commands(self):
        queue = self.queue()
        self.lines("send", queue, "x")
        return [("queues",), ("queues", queue), ("peek", queue), ("peek", queue, "-l"), ("receive", queue, "--visibility", "0"),
                ("send", queue, "y"), ("streams",), ("functions",), ("function", "list"), ("mapping", "list"), ("env",),
                ("completion", "bash"), ("redrive", "--help"), ("config", "check", os.path.join(self.directory, "penstock.yaml"))]

    def setUp(self):
        super().setUp()
        with open(os.path.join(self.directory, "penstock.yaml"), "w", encoding="utf-8") as file:
            file.write("queues: {jobs: }\n")

    def test_a_closed_output_is_no_crash(self):
        for arguments in self.commands():
            with self.subTest(arguments=arguments):
                read, write = os.pipe()
                os.close(read)
                done = subprocess.run(command(self.server, *arguments), stdout=write, stderr=subprocess.PIPE, timeout=LIMIT)
                os.close(write)
                self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_a_full_disk_is_told(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(command(self.server, "queues"), stdout=full, stderr=subprocess.PIPE, timeout=LIMIT)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output", done.stderr)

    def test_data_are_on_standard_output_and_nothing_else_is(self):
        for arguments in self.commands():
            with self.subTest(arguments=arguments):
                self.assertNotEqual(self.run_command(*arguments), b"")
                self.assertEqual(self.said, "")

    def test_everything_is_json_where_it_is_told(self):
        for arguments in self.commands():
            with self.subTest(arguments=arguments):
                for line in self.lines(*arguments, "--json") if "--help" not in arguments else ():
                    self.assertIsInstance(json.loads(line), dict)

    def test_an_interrupted_invoke_ends_at_once(self):
        name = f"sleeper-{next(numbers)}"
        self.run_command("function", "add", name, "--exec", "--timeout", "60", "--", "sh", "-c", "echo awake >&2; sleep 60")
        process = start(self.server, "invoke", name)
        logs = lambda: subprocess.run(command(self.server, "logs", name), capture_output=True, text=True, timeout=LIMIT).stdout
        wait_until(lambda: "awake" in logs())
        began = time.monotonic()
        self.assertEqual(end(process), (130, [], ""))
        self.assertLess(time.monotonic() - began, 5)


if __name__ == "__main__":
    harness.main()
