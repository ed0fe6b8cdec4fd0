#!/usr/bin/env python3
"""Queues of a running server: the errors that only they themselves know, and messages that go from one to another. Runs
the real binary: test_queues.py --penstock BIN [unittest arguments]."""

import concurrent.futures
import http.client
import json
import time

import harness
from harness import LIMIT, InDirectory, Server, ask, wait_until


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


if __name__ == "__main__":
    harness.main()
