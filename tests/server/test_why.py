"""What became of a message, as somebody asks who wonders where it is."""

import http.client
import json
import unittest

import harness
from harness import InDirectory, Server


def ask(server, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else {}
    finally:
        connection.close()


class Why(InDirectory):
    FLAGS = ("--no-config", "--clock", "virtual:2026-01-01T00:00:00Z")

    def setUp(self):
        super().setUp()
        self.server = Server(self.directory, *self.FLAGS)
        self.addCleanup(self.server.__exit__)
        self.change_clock(freeze=True)

    def change_clock(self, **members):
        status, answer = ask(self.server, "POST", "/_penstock/clock", members)
        self.assertEqual(status, 200, answer)

    def call(self, operation, **members):
        status, answer = self.server.call(operation, members)
        self.assertEqual(status, 200, answer)
        return answer

    def steps(self, message_id):
        status, answer = ask(self.server, "GET", "/_penstock/messages/" + message_id)
        self.assertEqual(status, 200, answer)
        self.assertEqual(answer["message_id"], message_id)
        return answer["steps"]

    def story(self, message_id):
        return [(step["where"], step["what"]) for step in self.steps(message_id)]

    def test_a_message_that_is_received_hidden_and_deleted(self):
        url = self.server.create()
        sent = self.call("SendMessage", QueueUrl=url, MessageBody="a", DelaySeconds=10)["MessageId"]
        other = self.call("SendMessage", QueueUrl=url, MessageBody="b", DelaySeconds=900)["MessageId"]
        self.change_clock(advance="10s")
        handle = self.call("ReceiveMessage", QueueUrl=url, VisibilityTimeout=30)["Messages"][0]["ReceiptHandle"]
        self.call("ChangeMessageVisibility", QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=60)
        self.change_clock(advance="60s")
        handle = self.call("ReceiveMessage", QueueUrl=url)["Messages"][0]["ReceiptHandle"]
        self.call("DeleteMessage", QueueUrl=url, ReceiptHandle=handle)
        self.assertEqual(self.story(sent), [("jobs", what) for what in (
            "sent", "visible", "received", "hidden", "visible", "received", "deleted")])
        self.assertEqual(self.story(other), [("jobs", "sent")])
        steps = self.steps(sent)
        self.assertTrue(steps[0]["at"].startswith("2026-01-01T00:00:0"))
        self.assertEqual(steps[2]["detail"], "by a client, for the 1. time")
        self.assertEqual(steps[5]["detail"], "by a client, for the 2. time")
        self.assertLess(steps[2]["until"], steps[3]["until"])

    def test_the_end_of_a_delay_in_a_fifo_queue(self):
        url = self.call("CreateQueue", QueueName="q.fifo", Attributes={
            "FifoQueue": "true", "ContentBasedDeduplication": "true", "DelaySeconds": "10"})["QueueUrl"]
        first = self.call("SendMessage", QueueUrl=url, MessageBody="a", MessageGroupId="g")["MessageId"]
        self.change_clock(advance="5s")
        second = self.call("SendMessage", QueueUrl=url, MessageBody="b", MessageGroupId="g")["MessageId"]
        self.change_clock(advance="5s")
        handle = self.call("ReceiveMessage", QueueUrl=url, VisibilityTimeout=60)["Messages"][0]["ReceiptHandle"]
        self.change_clock(advance="30s")
        self.assertEqual(self.story(second), [("q.fifo", "sent")], "it cannot be received before the first is gone")
        self.call("DeleteMessage", QueueUrl=url, ReceiptHandle=handle)
        self.assertEqual([what for _, what in self.story(first)], ["sent", "visible", "received", "deleted"])
        self.call("ReceiveMessage", QueueUrl=url, VisibilityTimeout=30)
        self.change_clock(advance="30s")
        self.assertEqual([what for _, what in self.story(second)], ["sent", "visible", "received", "visible"])
        self.assertTrue(self.steps(first)[1]["at"].startswith("2026-01-01T00:00:1"), self.steps(first)[1])
        # Without a delay nothing ends.
        url = self.call("CreateQueue", QueueName="r.fifo", Attributes={
            "FifoQueue": "true", "ContentBasedDeduplication": "true"})["QueueUrl"]
        sent = self.call("SendMessage", QueueUrl=url, MessageBody="a", MessageGroupId="g")["MessageId"]
        self.assertEqual(self.story(sent), [("r.fifo", "sent")])

    def test_one_that_expires_and_one_that_is_purged(self):
        url = self.call("CreateQueue", QueueName="short", Attributes={"MessageRetentionPeriod": "60"})["QueueUrl"]
        expired = self.call("SendMessage", QueueUrl=url, MessageBody="a")["MessageId"]
        self.change_clock(advance="61s")
        purged = self.call("SendMessage", QueueUrl=url, MessageBody="b")["MessageId"]
        self.call("PurgeQueue", QueueUrl=url)
        self.assertEqual(self.story(expired), [("short", "sent"), ("short", "expired")])
        self.assertEqual(self.story(purged), [("short", "sent"), ("short", "purged")])

    def test_one_that_a_function_fails_with_until_it_is_a_dead_letter(self):
        self.call("CreateQueue", QueueName="dead")
        policy = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead", "maxReceiveCount": 2}
        url = self.call("CreateQueue", QueueName="jobs", Attributes={
            "VisibilityTimeout": "60", "RedrivePolicy": json.dumps(policy)})["QueueUrl"]
        ask(self.server, "PUT", "/_penstock/functions/work", {"Kind": "exec", "Command": ["false"]})
        status, mapping = ask(self.server, "POST", "/2015-03-31/event-source-mappings", {
            "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:jobs", "FunctionName": "work",
            "FilterCriteria": {"Filters": [{"Pattern": json.dumps({"body": {"kind": ["order"]}})}]}})
        self.assertEqual(status, 202)
        order = self.call("SendMessage", QueueUrl=url, MessageBody=json.dumps({"kind": "order"}))["MessageId"]
        other = self.call("SendMessage", QueueUrl=url, MessageBody=json.dumps({"kind": "other"}))["MessageId"]
        self.assertTrue(ask(self.server, "GET", "/_penstock/idle?wait=30s")[1]["idle"])
        self.change_clock(advance="5m")
        whats = [step["what"] for step in self.steps(order)]
        self.assertEqual(whats.count("not processed"), 2)
        self.assertEqual(whats.count("received"), 2)
        self.assertEqual(whats[0], "sent")
        self.assertIn("dead-lettered", whats)
        self.assertIn(f"by mapping {mapping['UUID']} for work, for the 2. time", [step.get("detail") for step in self.steps(order)])
        filtered = [step for step in self.steps(other) if step["what"] == "not processed"]
        self.assertIn("no filter", filtered[0]["detail"])

    def test_both_ends_of_a_redrive_name_each_other(self):
        dead = self.call("CreateQueue", QueueName="dead")["QueueUrl"]
        policy = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead", "maxReceiveCount": 1}
        url = self.call("CreateQueue", QueueName="jobs", Attributes={
            "VisibilityTimeout": "10", "RedrivePolicy": json.dumps(policy)})["QueueUrl"]
        sent = self.call("SendMessage", QueueUrl=url, MessageBody="a")["MessageId"]
        self.assertEqual(len(self.call("ReceiveMessage", QueueUrl=url)["Messages"]), 1)
        self.change_clock(advance="10s")
        self.assertNotIn("Messages", self.call("ReceiveMessage", QueueUrl=url))
        self.assertTrue(ask(self.server, "GET", "/_penstock/idle?wait=30s")[1]["idle"])
        self.call("StartMessageMoveTask", SourceArn="arn:aws:sqs:us-east-1:000000000000:dead")
        self.assertTrue(ask(self.server, "GET", "/_penstock/idle?wait=30s")[1]["idle"])
        redriven = self.call("ReceiveMessage", QueueUrl=url)["Messages"][0]["MessageId"]
        self.assertNotEqual(redriven, sent)
        self.assertNotIn("Messages", self.call("ReceiveMessage", QueueUrl=dead))

        details = {(step["where"], step["what"]): step.get("detail") for step in self.steps(sent)}
        self.assertEqual(details["jobs", "moved"], "dead has it now")
        self.assertEqual(details["dead", "dead-lettered"], "it came from jobs")
        self.assertEqual(details["dead", "moved"], "jobs has it now, under the id " + redriven)
        details = {(step["where"], step["what"]): step.get("detail") for step in self.steps(redriven)}
        self.assertEqual(details["jobs", "redriven"], "it came from dead, where its id was " + sent)
        self.assertNotIn(("dead", "moved"), details)

    def test_a_duplicate_is_told_by_the_message_that_was_sent_first(self):
        url = self.call("CreateQueue", QueueName="jobs.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]

        def send(body, dedup):
            return self.call("SendMessage", QueueUrl=url, MessageBody=body, MessageGroupId="g", MessageDeduplicationId=dedup)["MessageId"]

        sent = send("a", "order-7")
        other = send("b", "order-8")
        self.change_clock(advance="90s")
        self.assertEqual(send("a, again", "order-7"), sent)
        step = self.steps(sent)[-1]
        self.assertEqual((step["where"], step["what"]), ("jobs.fifo", "duplicate"))
        self.assertTrue(step["at"].startswith("2026-01-01T00:01:3"), step["at"])
        self.assertIn("deduplication id order-7 was answered with this message, and not stored", step["detail"])
        self.assertEqual(self.story(other), [("jobs.fifo", "sent")])
        # Within a batch, and of one that is long deleted.
        for message in self.call("ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10)["Messages"]:
            self.call("DeleteMessage", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        entry = {"MessageBody": "c", "MessageGroupId": "g"}
        batch = self.call("SendMessageBatch", QueueUrl=url, Entries=[
            {"Id": "0", "MessageDeduplicationId": "order-9", **entry}, {"Id": "1", "MessageDeduplicationId": "order-9", **entry},
            {"Id": "2", "MessageDeduplicationId": "order-7", **entry}])["Successful"]
        self.assertEqual(batch[0]["MessageId"], batch[1]["MessageId"])
        self.assertEqual(batch[2]["MessageId"], sent)
        self.assertEqual(self.story(batch[0]["MessageId"]), [("jobs.fifo", "sent"), ("jobs.fifo", "duplicate")])
        self.call("PurgeQueue", QueueUrl=url)
        self.assertEqual([what for _, what in self.story(sent)], ["sent", "duplicate", "received", "deleted", "duplicate"],
                         "what is gone is purged no more")
        # After five minutes it is a message of its own.
        self.change_clock(advance="5m")
        again = send("a", "order-7")
        self.assertNotEqual(again, sent)
        self.assertEqual(self.story(again), [("jobs.fifo", "sent")])
        # A restart forgets steps, but not for which send an id stands.
        self.assertEqual(self.server.stop()[0], 0)
        self.server = Server(self.directory, *self.FLAGS)
        self.addCleanup(self.server.__exit__)
        self.assertEqual(send("a", "order-7"), again)
        self.assertEqual(self.story(again), [("jobs.fifo", "duplicate")])

    def test_what_nobody_sent_is_not_known(self):
        for message in ("0f8fad5b-d9cb-469f-a165-70867728950e", "nonsense"):
            status, answer = ask(self.server, "GET", "/_penstock/messages/" + message)
            self.assertEqual((status, answer["Error"]), (404, "NotFound"))


class Bounded(Why):
    FLAGS = (*Why.FLAGS, "--trace-messages", "100", "--threads", "1")

    def test_only_the_latest_are_kept(self):
        url = self.server.create()
        ids = [self.call("SendMessage", QueueUrl=url, MessageBody=str(number))["MessageId"] for number in range(150)]
        self.assertEqual(ask(self.server, "GET", "/_penstock/messages/" + ids[0])[0], 404)
        self.assertEqual(self.story(ids[-1]), [("jobs", "sent")])


class Off(InDirectory):
    def test_nothing_is_kept_where_nothing_is_to_be(self):
        with Server(self.directory, "--no-config", "--trace-messages", "0") as server:
            url = server.create()
            sent = server.call("SendMessage", {"QueueUrl": url, "MessageBody": "a"})[1]["MessageId"]
            self.assertEqual(ask(server, "GET", "/_penstock/messages/" + sent)[0], 404)


if __name__ == "__main__":
    harness.main()
