"""The clock that a client is in charge of, and waiting until there is nothing left to do, as users have them."""

import http.client
import json
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

    def test_it_goes_forward_only_and_runs_as_fast_as_it_is_told(self):
        with self.start() as server:
            change(server, freeze=True)
            set_to = change(server, set="2026-03-01T00:00:00Z")
            self.assertEqual(set_to["now"], "2026-03-01T00:00:00.000Z")
            self.assertEqual(change(server, set="2026-02-01T00:00:00Z")["now"], set_to["now"])
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
            change(server, advance="10m")
            server.stop(9)
        with self.start() as server:
            change(server, freeze=True)
            self.assertTrue(ask(server, "GET", "/_penstock/clock")[1]["now"].startswith("2026-01-01T00:10:0"))
            change(server, advance="4m50s")
            self.assertEqual(attribute(server, url, "ApproximateNumberOfMessages"), "0")
            change(server, advance="10s")
            self.assertEqual(attribute(server, url, "ApproximateNumberOfMessages"), "1")

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
            harness.wait_until(lambda: "next" in ask(server, "GET", "/_penstock/clock")[1])
            change(server, advance="20s")
            answer = connection.getresponse()
            self.assertEqual((answer.status, json.loads(answer.read())), (200, {}))
            connection.close()


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
