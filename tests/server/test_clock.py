"""The clock that a client is in charge of, and waiting until there is nothing left to do, as users have them."""

import email.utils
import http.client
import json
import os
import pathlib
import threading
import time
import unittest

import harness
from harness import InDirectory, Server

FUNCTION = """
import json

def handler(event, context):
    for record in event["Records"]:
        if record.get("body") == "poison":
            raise ValueError("poison")
    return {}
"""


def ask(server, method, path, body=None, target=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target} if target else {}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else {}
    finally:
        connection.close()


def change(server, **members):
    status, answer = ask(server, "POST", "/_penstock/clock", members)
    assert status == 200, answer
    return answer


def attribute(server, url, name):
    return server.call("GetQueueAttributes", {"QueueUrl": url, "AttributeNames": [name]})[1]["Attributes"][name]


def wait_until_parked(server, receives):
    def parked():
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return f"\npenstock_queue_parked_receives {receives}\n" in text
    harness.wait_until(parked)


class VirtualClock(InDirectory):
    def start(self, *flags):
        return Server(self.directory, "--no-config", "--clock", "virtual:2026-01-01T00:00:00Z", *flags)

    def test_twelve_hours_of_visibility_take_no_time(self):
        with self.start() as server:
            url = server.create()
            server.call("SendMessage", {"QueueUrl": url, "MessageBody": "a"})
            receive = {"QueueUrl": url, "VisibilityTimeout": 43200, "AttributeNames": ["All"]}
            first = server.call("ReceiveMessage", receive)[1]["Messages"][0]
            self.assertTrue(first["Attributes"]["SentTimestamp"].startswith("17672256"), "2026-01-01")
            change(server, freeze=True)
            before = time.monotonic()
            self.assertTrue(change(server, advance="11h59m")["settled"])
            self.assertNotIn("Messages", server.call("ReceiveMessage", receive)[1])
            change(server, advance="1m")
            again = server.call("ReceiveMessage", receive)[1]["Messages"][0]
            self.assertLess(time.monotonic() - before, 10)
            self.assertEqual(again["Attributes"]["ApproximateReceiveCount"], "2")
            self.assertEqual(server.stop()[0], 0)

    def test_the_next_moment_and_what_is_said_of_it(self):
        with self.start() as server:
            change(server, freeze=True)
            url = server.create()
            server.call("SendMessage", {"QueueUrl": url, "MessageBody": "a", "DelaySeconds": 600})
            clock = ask(server, "GET", "/_penstock/clock")[1]
            self.assertEqual(clock["mode"], "virtual")
            self.assertTrue(clock["frozen"])
            moved = change(server, advance="next")
            self.assertEqual(moved["now"], clock["next"])
            self.assertEqual(moved["now_ms"] - clock["now_ms"], 600_000)
            self.assertEqual(moved["steps"], 1)
            self.assertEqual(attribute(server, url, "ApproximateNumberOfMessages"), "1")

    def test_the_next_moment_is_one_at_which_a_client_could_see_something(self):
        with self.start() as server:
            begin = change(server, freeze=True)["now_ms"]
            url = server.create()
            # A long poll ends and a deduplication window is over before anything can be seen.
            fifo = server.call("CreateQueue", {"QueueName": "q.fifo", "Attributes": {"FifoQueue": "true"}})[1]["QueueUrl"]
            server.call("SendMessage", {"QueueUrl": fifo, "MessageBody": "a", "MessageGroupId": "g", "MessageDeduplicationId": "d"})
            once = server.call("ReceiveMessage", {"QueueUrl": fifo})[1]["Messages"][0]
            server.call("DeleteMessage", {"QueueUrl": fifo, "ReceiptHandle": once["ReceiptHandle"]})
            server.call("SendMessage", {"QueueUrl": url, "MessageBody": "a"})
            server.call("ReceiveMessage", {"QueueUrl": url, "VisibilityTimeout": 600})
            poll = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            poll.request("POST", "/", json.dumps({"QueueUrl": fifo, "WaitTimeSeconds": 20}), {
                "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.ReceiveMessage"})
            wait_until_parked(server, 1)
            clock = ask(server, "GET", "/_penstock/clock")[1]
            moved = change(server, advance="next")
            self.assertEqual((moved["now"], moved["settled"]), (clock["next"], True))
            self.assertEqual(moved["now_ms"] - begin, 600_000)
            self.assertEqual(moved["steps"], 3, "and there passes what is due on the way")
            answer = poll.getresponse()
            self.assertEqual((answer.status, json.loads(answer.read())), (200, {}))
            poll.close()
            again = server.call("ReceiveMessage", {"QueueUrl": url})[1]["Messages"][0]
            server.call("DeleteMessage", {"QueueUrl": url, "ReceiptHandle": again["ReceiptHandle"]})
            # Where nothing will happen it stays.
            clock = ask(server, "GET", "/_penstock/clock")[1]
            self.assertNotIn("next", clock)
            moved = change(server, advance="next")
            self.assertEqual((moved["now"], moved["settled"], moved["steps"]), (clock["now"], True, 0))

    def consumer_of_stream(self, server, lease):
        status, _ = ask(server, "POST", "/", {"StreamName": "s", "ShardCount": 1}, "Kinesis_20131202.CreateStream")
        self.assertEqual(status, 200)
        consumer = "/_penstock/streams/s/consumers/c"
        self.assertEqual(ask(server, "PUT", consumer, {"LeaseMillis": lease})[0], 201)
        return consumer

    def test_a_member_that_polls_keeps_its_lease_however_far_a_leap_goes(self):
        with self.start("--stream-transition", "0") as server:
            begin = change(server, freeze=True)["now_ms"]
            consumer = self.consumer_of_stream(server, 10_000)
            epochs, is_over = set(), threading.Event()

            def work():
                body = {"Member": "m", "WaitMillis": 20_000}
                while not is_over.is_set():
                    status, answer = ask(server, "POST", consumer + "/poll", body)
                    if status != 200:
                        epochs.add(answer.get("Error"))
                        continue
                    epochs.update(lease["Epoch"] for lease in answer["Leases"])
                    epochs.update("lost" for _ in answer.get("LostLeases", []))
                    body["Token"] = answer["Token"]
                    # As one that is written in a shell.
                    time.sleep(0.02)

            worker = threading.Thread(target=work)
            worker.start()
            self.addCleanup(worker.join)
            self.addCleanup(is_over.set)
            harness.wait_until(lambda: ask(server, "GET", consumer)[1]["Members"])
            url = server.create()
            now = begin
            for delay in (900, 11, 600, 900):
                server.call("SendMessage", {"QueueUrl": url, "MessageBody": "a", "DelaySeconds": delay})
                moved = change(server, advance="next")
                now += delay * 1000
                self.assertEqual((moved["now_ms"], moved["settled"], moved["steps"]), (now, True, 1))
            for by, length in (("1h", 3_600_000), ("11s", 11_000), ("24h", 86_400_000), ("24h", 86_400_000)):
                moved = change(server, advance=by)
                now += length
                self.assertEqual((moved["now_ms"], moved["settled"]), (now, True))
                self.assertLess(moved["steps"], 10)
            is_over.set()
            change(server, advance="5s")
            worker.join()
            self.assertEqual(len(epochs), 1, epochs)

    def test_a_member_that_does_not_poll_again_loses_its_lease_to_a_leap(self):
        with self.start("--stream-transition", "0") as server:
            begin = change(server, freeze=True)["now_ms"]
            consumer = self.consumer_of_stream(server, 10_000)
            poll = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            poll.request("POST", consumer + "/poll", json.dumps({"Member": "m", "WaitMillis": 0}))
            first = json.loads(poll.getresponse().read())
            token, epoch = first["Token"], first["Leases"][0]["Epoch"]
            poll.request("POST", consumer + "/poll", json.dumps({"Member": "m", "Token": token, "WaitMillis": 20_000}))
            harness.wait_until(lambda: "next" not in ask(server, "GET", "/_penstock/clock")[1])
            change(server, advance="1h")
            self.assertEqual(poll.getresponse().status, 200)
            poll.close()
            # It was waited for, and its lease goes on from where the leap ended.
            moved = change(server, advance="next")
            self.assertEqual(moved["now_ms"] - begin, 3_610_000)
            self.assertEqual(ask(server, "GET", consumer)[1]["Members"], [])
            other = ask(server, "POST", consumer + "/poll", {"Member": "n", "WaitMillis": 0})[1]
            self.assertEqual(other["Leases"][0]["Epoch"], epoch + 1)
            # So does one whose poll is given up, from when it began that.
            poll = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            poll.request("POST", consumer + "/poll", json.dumps({"Member": "o", "WaitMillis": 20_000}))
            harness.wait_until(lambda: len(ask(server, "GET", consumer)[1]["Members"]) == 2)
            poll.close()
            change(server, advance="1h")
            self.assertEqual(ask(server, "GET", consumer)[1]["Members"], [])

    def test_next_is_not_what_a_move_task_that_is_over_would_have_done(self):
        with self.start() as server:
            begin = change(server, freeze=True)["now_ms"]
            dead = server.call("CreateQueue", {"QueueName": "dead"})[1]["QueueUrl"]
            policy = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead", "maxReceiveCount": 1}
            server.call("CreateQueue", {"QueueName": "jobs", "Attributes": {"RedrivePolicy": json.dumps(policy)}})
            task = {"SourceArn": "arn:aws:sqs:us-east-1:000000000000:dead", "MaxNumberOfMessagesPerSecond": 1,
                    "DestinationArn": "arn:aws:sqs:us-east-1:000000000000:jobs"}
            server.call("SendMessage", {"QueueUrl": dead, "MessageBody": "a"})
            server.call("SendMessage", {"QueueUrl": dead, "MessageBody": "b"})
            self.assertEqual(server.call("StartMessageMoveTask", task)[0], 200)
            status = lambda: server.call("ListMessageMoveTasks", {"SourceArn": task["SourceArn"]})[1]["Results"][0]["Status"]
            self.assertEqual(change(server, advance="next")["now_ms"] - begin, 1_000)
            harness.wait_until(lambda: status() == "COMPLETED")
            # What is next is that they expire.
            self.assertGreater(change(server, advance="next")["now_ms"] - begin, 86_400_000)

    def test_next_goes_through_the_life_of_a_stream(self):
        def kinesis(operation, **members):
            status, answer = ask(server, "POST", "/", {"StreamName": "s", **members}, "Kinesis_20131202." + operation)
            self.assertEqual(status, 200, answer)
            return answer

        with self.start() as server:
            begin = change(server, freeze=True)["now_ms"]
            kinesis("CreateStream", ShardCount=1)
            created = change(server, advance="next")
            self.assertEqual(created["now_ms"] - begin, 100)
            self.assertEqual(kinesis("DescribeStreamSummary")["StreamDescriptionSummary"]["StreamStatus"], "ACTIVE")
            calls = self.directory + "/calls"
            ask(server, "PUT", "/_penstock/functions/fails", {
                "Kind": "exec", "Command": ["sh", "-c", "echo called >> " + calls + "; exit 1"]})
            status, answer = ask(server, "POST", "/2015-03-31/event-source-mappings", {
                "EventSourceArn": "arn:aws:kinesis:us-east-1:000000000000:stream/s", "FunctionName": "fails",
                "StartingPosition": "TRIM_HORIZON", "MaximumBatchingWindowInSeconds": 300, "MaximumRetryAttempts": 2})
            self.assertEqual(status, 202, answer)
            kinesis("PutRecord", Data="YQ==", PartitionKey="k")
            # The window is over, and then it is tried again after one second and after two.
            at = created["now_ms"]
            for tried, later in enumerate((300_000, 1_000, 2_000), start=1):
                moved = change(server, advance="next")
                self.assertEqual((moved["settled"], moved["now_ms"] - at), (True, later))
                self.assertEqual(len(pathlib.Path(calls).read_text().splitlines()), tried)
                at = moved["now_ms"]
            # A member of a consumer is there until its lease is over.
            consumer = "/_penstock/streams/s/consumers/c"
            self.assertEqual(ask(server, "PUT", consumer, {"LeaseMillis": 60_000})[0], 201)
            self.assertEqual(ask(server, "POST", consumer + "/poll", {"Member": "m", "WaitMillis": 0})[0], 200)
            moved = change(server, advance="next")
            self.assertEqual(moved["now_ms"] - at, 60_000)
            self.assertEqual(ask(server, "GET", consumer)[1]["Members"], [])
            # And the record until its retention is.
            iterator = {"ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
            self.assertEqual(change(server, advance="next")["now_ms"] - created["now_ms"], 86_400_000)
            iterator = kinesis("GetShardIterator", **iterator)["ShardIterator"]
            status, answer = ask(server, "POST", "/", {"ShardIterator": iterator}, "Kinesis_20131202.GetRecords")
            self.assertEqual((status, answer["Records"]), (200, []))

    def test_it_goes_forward_only_and_runs_as_fast_as_it_is_told(self):
        with self.start() as server:
            change(server, freeze=True)
            set_to = change(server, set="2026-03-01T00:00:00Z")
            self.assertEqual(set_to["now"], "2026-03-01T00:00:00.000Z")
            status, answer = ask(server, "POST", "/_penstock/clock", {"set": "2026-02-01T00:00:00Z"})
            self.assertEqual((status, answer["Error"]), (400, "InvalidRequest"))
            self.assertIn("shows 2026-03-01T00:00:00.000Z and only goes forward", answer["Message"])
            self.assertEqual(change(server, set="2026-03-01T00:00:00Z")["now"], set_to["now"])
            time.sleep(0.05)
            self.assertEqual(ask(server, "GET", "/_penstock/clock")[1]["now"], set_to["now"], "it stands still")
            self.assertEqual(change(server, speed=3600)["speed"], 3600)
            change(server, freeze=False)
            url = server.create()
            server.call("SendMessage", {"QueueUrl": url, "MessageBody": "a", "DelaySeconds": 900})
            # A quarter of an hour passes in a quarter of a second.
            got = server.call("ReceiveMessage", {"QueueUrl": url, "WaitTimeSeconds": 20})[1].get("Messages")
            end = time.monotonic() + harness.LIMIT
            while not got and time.monotonic() < end:
                got = server.call("ReceiveMessage", {"QueueUrl": url, "WaitTimeSeconds": 20})[1].get("Messages")
            self.assertTrue(got)

    def test_a_restart_goes_on_where_it_was(self):
        with self.start() as server:
            change(server, freeze=True)
            url = server.create()
            server.call("SendMessage", {"QueueUrl": url, "MessageBody": "a", "DelaySeconds": 900})
            at = change(server, advance="10m")["now"]
            server.stop(9)
        with self.start() as server:
            self.assertEqual(ask(server, "GET", "/_penstock/clock")[1]["now"], at)
            change(server, advance="4m50s")
            self.assertEqual(attribute(server, url, "ApproximateNumberOfMessages"), "0")
            change(server, advance="10s")
            self.assertEqual(attribute(server, url, "ApproximateNumberOfMessages"), "1")

    def test_a_restart_goes_on_as_it_was(self):
        with Server(self.directory, "--no-config", "--clock", "virtual:2020-01-01T00:00:00Z") as server:
            change(server, speed=60)
            at = change(server, freeze=True)["now"]
            self.assertEqual(server.stop()[0], 0)
        # Without a time, the real one is of no matter.
        with Server(self.directory, "--no-config", "--clock", "virtual") as server:
            clock = ask(server, "GET", "/_penstock/clock")[1]
            self.assertEqual((clock["now"], clock["frozen"], clock["speed"]), (at, True, 60))
            change(server, freeze=False)
            self.assertEqual(server.stop()[0], 0)
        with Server(self.directory, "--no-config", "--clock", "virtual") as server:
            clock = ask(server, "GET", "/_penstock/clock")[1]
            self.assertEqual((clock["frozen"], clock["speed"]), (False, 60))
            self.assertGreater(clock["now"], at)
            self.assertTrue(clock["now"].startswith("2020-01-01T"), clock["now"])

    def test_a_clock_that_runs_never_shows_less_after_a_restart(self):
        for speed in (1, 3600):
            with self.start() as server:
                change(server, speed=speed)
                time.sleep(1.2)
                shown = ask(server, "GET", "/_penstock/clock")[1]["now_ms"]
                server.stop(9)
            with self.start() as server:
                again = ask(server, "GET", "/_penstock/clock")[1]["now_ms"]
                self.assertGreaterEqual(again, shown)
                self.assertLess(again - shown, harness.LIMIT * 1000 * speed)

    def test_data_of_the_real_clock_are_not_of_the_future(self):
        with Server(self.directory, "--no-config", "--clock", "virtual:2020-01-01T00:00:00Z") as server:
            change(server, freeze=True)
        with Server(self.directory, "--no-config") as server:
            self.assertEqual(server.stop()[0], 0)
        with Server(self.directory, "--no-config", "--clock", "virtual") as server:
            self.assertLess(abs(ask(server, "GET", "/_penstock/clock")[1]["now_ms"] / 1000 - time.time()), 60)

    def hang(self, server):
        ask(server, "PUT", "/_penstock/functions/hang", {"Kind": "exec", "Command": ["sleep", "60"]})
        status = self.invoke(server, "hang")
        self.assertEqual(status, 202)

    def invoke(self, server, name):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        try:
            connection.request("POST", f"/2015-03-31/functions/{name}/invocations", "{}", {"X-Amz-Invocation-Type": "Event"})
            return connection.getresponse().status
        finally:
            connection.close()

    def test_an_advance_that_does_not_settle_is_not_stored_as_if_it_had(self):
        with self.start() as server:
            before = change(server, freeze=True)["now"]
            self.hang(server)
            answer = change(server, advance="48h", wait="1s")
            self.assertEqual((answer["settled"], answer["now"]), (False, before))
            self.assertEqual(answer["target"][:10], "2026-01-03")
            server.stop(9)
        with self.start() as server:
            self.assertEqual(ask(server, "GET", "/_penstock/clock")[1]["now"], before)

    def test_an_advance_that_stops_on_the_way_says_how_far_it_was_to_go(self):
        with self.start() as server:
            change(server, freeze=True)
            url = server.create()
            ask(server, "PUT", "/_penstock/functions/hang", {"Kind": "exec", "Command": ["sleep", "60"]})
            status, _ = ask(server, "POST", "/2015-03-31/event-source-mappings", {
                "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:jobs", "FunctionName": "hang"})
            self.assertEqual(status, 202)
            server.call("SendMessage", {"QueueUrl": url, "MessageBody": "a", "DelaySeconds": 600})
            begin = ask(server, "GET", "/_penstock/clock")[1]["now_ms"]
            answer = change(server, advance="1h", wait="2s")
            self.assertFalse(answer["settled"])
            self.assertGreaterEqual(answer["now_ms"] - begin, 600_000)
            self.assertLess(answer["now_ms"] - begin, 3_600_000)
            self.assertGreater(answer["target"], answer["now"])
            server.stop(9)
        with self.start() as server:
            self.assertEqual(ask(server, "GET", "/_penstock/clock")[1]["now"], answer["now"])

    def test_it_ends_before_times_cannot_be_written(self):
        with self.start() as server:
            change(server, freeze=True)
            status, answer = ask(server, "POST", "/_penstock/clock", {"set": "9999-12-31T23:59:59Z"})
            self.assertEqual((status, answer["Error"]), (400, "InvalidRequest"))
            self.assertIn("up to 9999-01-01T00:00:00.000Z", answer["Message"])
            end = change(server, set="9999-01-01T00:00:00Z")["now"]
            self.assertEqual(ask(server, "POST", "/_penstock/clock", {"advance": "1ms"})[0], 400)
            change(server, speed=1_000_000)
            self.assertEqual(change(server, freeze=False)["now"], end)
            self.assertEqual(ask(server, "GET", "/_penstock/clock")[1]["now"], end)
        status, _, errors = self.run_to_end("serve", "--clock", "virtual:9999-12-31T23:59:59Z")
        self.assertEqual(status, 2)
        self.assertIn("up to 9999-01-01T00:00:00.000Z", errors)

    def test_the_date_of_answers_is_the_real_one(self):
        with self.start() as server:
            change(server, freeze=True)
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            connection.request("GET", "/_penstock/clock")
            answer = connection.getresponse()
            answer.read()
            connection.close()
            date = email.utils.parsedate_to_datetime(answer.getheader("Date")).timestamp()
            self.assertLess(abs(date - time.time()), 60)

    def test_windows_and_retries_of_streams_go_by_the_clock(self):
        with self.start("--stream-transition", "0") as server:
            change(server, freeze=True)
            ask(server, "POST", "/", {"StreamName": "s", "ShardCount": 1}, "Kinesis_20131202.CreateStream")
            calls = self.directory + "/calls"
            ask(server, "PUT", "/_penstock/functions/fails", {
                "Kind": "exec", "Command": ["sh", "-c", "echo called >> " + calls + "; exit 1"]})
            status, answer = ask(server, "POST", "/2015-03-31/event-source-mappings", {
                "EventSourceArn": "arn:aws:kinesis:us-east-1:000000000000:stream/s", "FunctionName": "fails",
                "StartingPosition": "TRIM_HORIZON", "BatchSize": 100, "MaximumBatchingWindowInSeconds": 300,
                "MaximumRetryAttempts": 2})
            self.assertEqual(status, 202, answer)
            ask(server, "POST", "/", {"StreamName": "s", "Data": "YQ==", "PartitionKey": "k"},
                "Kinesis_20131202.PutRecord")

            def called():
                return len(pathlib.Path(calls).read_text().splitlines()) if os.path.exists(calls) else 0

            self.assertTrue(change(server, advance="299s")["settled"])
            self.assertEqual(called(), 0, "the window is open")
            self.assertTrue(change(server, advance="1s")["settled"])
            self.assertEqual(called(), 1)
            # Tried again after one second, then after two.
            self.assertTrue(change(server, advance="999ms")["settled"])
            self.assertEqual(called(), 1)
            change(server, advance="1ms")
            self.assertEqual(called(), 2)
            change(server, advance="1s")
            self.assertEqual(called(), 2)
            change(server, advance="1s")
            self.assertEqual(called(), 3)
            change(server, advance="1h")
            self.assertEqual(called(), 3, "no more than it was to be tried")
            self.assertTrue(ask(server, "GET", "/_penstock/idle?wait=10s")[1]["idle"])

    def test_triggers_retries_and_dead_letters_have_settled_when_it_is_answered(self):
        with self.start() as server:
            change(server, freeze=True)
            dead = server.call("CreateQueue", {"QueueName": "dead"})[1]["QueueUrl"]
            policy = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead", "maxReceiveCount": 3}
            jobs = server.call("CreateQueue", {"QueueName": "jobs", "Attributes": {
                "VisibilityTimeout": "3600", "RedrivePolicy": json.dumps(policy)}})[1]["QueueUrl"]
            source = self.directory + "/app.py"
            with open(source, "w", encoding="utf-8") as file:
                file.write(FUNCTION)
            status, answer = ask(server, "PUT", "/_penstock/functions/work", {
                "Kind": "handler", "Runtime": "python3.11", "Handler": "app.handler", "Directory": self.directory})
            self.assertEqual(status, 200, answer)
            status, answer = ask(server, "POST", "/2015-03-31/event-source-mappings", {
                "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:jobs", "FunctionName": "work", "BatchSize": 1})
            self.assertEqual(status, 202, answer)
            server.call("SendMessage", {"QueueUrl": jobs, "MessageBody": "poison"})
            server.call("SendMessage", {"QueueUrl": jobs, "MessageBody": "fine"})
            self.assertTrue(ask(server, "GET", "/_penstock/idle?wait=30s")[1]["idle"])
            self.assertEqual(attribute(server, jobs, "ApproximateNumberOfMessagesNotVisible"), "1")
            # Three tries, an hour apart.
            moved = change(server, advance="3h")
            self.assertTrue(moved["settled"])
            self.assertGreaterEqual(moved["steps"], 3)
            self.assertEqual(attribute(server, jobs, "ApproximateNumberOfMessagesNotVisible"), "0")
            self.assertEqual(attribute(server, dead, "ApproximateNumberOfMessages"), "1")
            self.assertEqual(server.stop()[0], 0)

    def test_long_polls_end_when_the_clock_says_so(self):
        with self.start() as server:
            change(server, freeze=True)
            url = server.create()
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            connection.request("POST", "/", json.dumps({"QueueUrl": url, "WaitTimeSeconds": 20}), {
                "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.ReceiveMessage"})
            wait_until_parked(server, 1)
            change(server, advance="20s")
            answer = connection.getresponse()
            self.assertEqual((answer.status, json.loads(answer.read())), (200, {}))
            connection.close()


SETUP = """
streams:
  clicks: {ShardCount: 1, Consumers: [fan-out]}
functions:
  work: {Kind: exec, Command: [cat]}
mappings:
  - {EventSource: stream:clicks/fan-out, FunctionName: work, StartingPosition: TRIM_HORIZON}
"""


class SetupUnderIt(InDirectory):
    def setUp(self):
        super().setUp()
        self.file = self.directory + "/penstock.yaml"
        pathlib.Path(self.file).write_text(SETUP)

    def mappings(self, server):
        return len(ask(server, "GET", "/2015-03-31/event-source-mappings")[1]["EventSourceMappings"])

    def test_a_start_makes_it_though_the_clock_stood_still(self):
        flags = ("--clock", "virtual:2026-01-01T00:00:00Z")
        with Server(self.directory, "--no-config", *flags) as server:
            change(server, freeze=True)
            self.assertEqual(server.stop()[0], 0)
        with Server(self.directory, "--config", self.file, *flags) as server:
            self.assertEqual(self.mappings(server), 1)
            self.assertTrue(ask(server, "GET", "/_penstock/clock")[1]["frozen"])
            # A reset makes it again.
            status, answer = ask(server, "POST", "/_penstock/reset", {"setup": True})
            self.assertEqual(status, 200, answer)
            self.assertEqual(self.mappings(server), 1)
            self.assertTrue(ask(server, "GET", "/_penstock/clock")[1]["frozen"])

    def test_what_is_applied_by_hand_says_that_the_clock_stands_still(self):
        with Server(self.directory, "--no-config", "--clock", "virtual:2026-01-01T00:00:00Z") as server:
            change(server, freeze=True)
            apply = ("config", "apply", self.file, "--endpoint", server.endpoint)
            status, _, errors = self.run_to_end(*apply)
            self.assertEqual(status, 1)
            self.assertIn("clock stands still", errors)
            change(server, advance="1s")
            change(server, freeze=False)
            status, _, errors = self.run_to_end(*apply)
            self.assertEqual((status, errors), (0, ""))
            self.assertEqual(self.mappings(server), 1)


class RealClock(InDirectory):
    def test_it_cannot_be_changed(self):
        with Server(self.directory, "--no-config") as server:
            clock = ask(server, "GET", "/_penstock/clock")[1]
            self.assertEqual(clock["mode"], "real")
            self.assertLess(abs(clock["now_ms"] / 1000 - time.time()), 60)
            status, answer = ask(server, "POST", "/_penstock/clock", {"advance": "1s"})
            self.assertEqual((status, answer["Error"]), (409, "NotEnabled"))

    def test_wrong_flags_are_named(self):
        status, _, errors = self.run_to_end("serve", "--clock", "fast")
        self.assertEqual(status, 2)
        self.assertIn("--clock is real, virtual, or virtual:TIME", errors)


class Idle(InDirectory):
    def test_consumers_that_lag_are_named(self):
        with Server(self.directory, "--no-config", "--stream-transition", "0") as server:
            ask(server, "POST", "/", {"StreamName": "s", "ShardCount": 1}, "Kinesis_20131202.CreateStream")
            consumer = "/_penstock/streams/s/consumers/c"
            ask(server, "PUT", consumer, {})
            self.assertTrue(ask(server, "GET", "/_penstock/idle")[1]["idle"])
            ask(server, "POST", "/", {"StreamName": "s", "Data": "YQ==", "PartitionKey": "k"},
                "Kinesis_20131202.PutRecord")
            answer = ask(server, "GET", "/_penstock/idle")[1]
            self.assertFalse(answer["idle"])
            self.assertEqual([(part["kind"], part["name"]) for part in answer["busy"]], [("consumer", "s/c")])
            polled = ask(server, "POST", consumer + "/poll", {"Member": "m"})[1]
            ask(server, "POST", consumer + "/poll", {"Member": "m", "Token": polled["Token"], "WaitMillis": 0})
            self.assertTrue(ask(server, "GET", "/_penstock/idle?wait=10s")[1]["idle"])

    def test_what_it_is_asked_for(self):
        with Server(self.directory, "--no-config") as server:
            status, answer = ask(server, "GET", "/_penstock/idle?wait=10m1s")
            self.assertEqual((status, answer["Message"]), (400, "wait is at most 10m."))
            self.assertEqual(ask(server, "GET", "/_penstock/idle?wait=soon")[0], 400)
            status, answer = ask(server, "GET", "/_penstock/idle?weight=1s")
            self.assertEqual(status, 400)
            self.assertIn("; there is only wait.", answer["Message"])

    def test_consumers_by_their_endpoint_are_waited_for(self):
        with Server(self.directory, "--no-config", "--stream-transition", "0") as server:
            def kinesis(operation, body, path="/@consumer/billing"):
                status, answer = ask(server, "POST", path, body, "Kinesis_20131202." + operation)
                self.assertEqual(status, 200, answer)
                return answer

            def read(iterator):
                return kinesis("GetRecords", {"ShardIterator": iterator})["NextShardIterator"]

            kinesis("CreateStream", {"StreamName": "s", "ShardCount": 1}, "/")
            iterator = kinesis("GetShardIterator", {
                "StreamName": "s", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"})["ShardIterator"]
            iterator = read(iterator)
            self.assertTrue(ask(server, "GET", "/_penstock/idle")[1]["idle"])
            kinesis("PutRecord", {"StreamName": "s", "Data": "YQ==", "PartitionKey": "k"}, "/")
            answer = ask(server, "GET", "/_penstock/idle")[1]
            self.assertEqual([(part["kind"], part["name"]) for part in answer["busy"]], [("consumer", "s/billing")])
            # Asking for what comes next tells that these have been processed.
            iterator = read(iterator)
            self.assertFalse(ask(server, "GET", "/_penstock/idle")[1]["idle"])
            read(iterator)
            self.assertTrue(ask(server, "GET", "/_penstock/idle?wait=10s")[1]["idle"])

    def test_a_wait_ends_when_the_work_does(self):
        with Server(self.directory, "--no-config") as server:
            url = server.create()
            ask(server, "PUT", "/_penstock/functions/slow", {"Kind": "exec", "Command": ["sleep", "0.5"]})
            ask(server, "POST", "/2015-03-31/event-source-mappings", {
                "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:jobs", "FunctionName": "slow"})
            self.assertTrue(ask(server, "GET", "/_penstock/idle?wait=10s")[1]["idle"])
            server.call("SendMessage", {"QueueUrl": url, "MessageBody": "a"})
            now = ask(server, "GET", "/_penstock/idle")[1]
            self.assertFalse(now["idle"])
            self.assertTrue(ask(server, "GET", "/_penstock/idle?wait=30s")[1]["idle"])
            self.assertEqual(attribute(server, url, "ApproximateNumberOfMessagesNotVisible"), "0")


if __name__ == "__main__":
    harness.main()
