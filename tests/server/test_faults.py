"""Faults that a client has the server have, as programs that are tried against them see them."""

import http.client
import json
import os
import time
import unittest

import boto3
import botocore
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


def client(server, service):
    return boto3.Session().client(service, endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="any",
                        aws_secret_access_key="any", config=botocore.config.Config(retries={"max_attempts": 0}))


class Faults(InDirectory):
    def setUp(self):
        super().setUp()
        self.server = Server(self.directory, "--no-config", "--allow-faults", "--stream-transition", "0")
        self.addCleanup(self.server.__exit__)
        self.sqs = client(self.server, "sqs")

    def tearDown(self):
        self.sqs.close()
        super().tearDown()

    def add(self, *rules):
        status, answer = ask(self.server, "POST", "/_penstock/faults", list(rules))
        self.assertEqual(status, 200, answer)
        return answer["rules"]

    def hits(self):
        return [rule["hits"] for rule in ask(self.server, "GET", "/_penstock/faults")[1]["rules"]]

    def failure_of(self, call, **arguments):
        with self.assertRaises(botocore.exceptions.ClientError) as raised:
            call(**arguments)
        answer = raised.exception.response
        return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]

    def test_an_error_is_answered_to_what_the_rule_names_and_to_nothing_else(self):
        jobs = self.sqs.create_queue(QueueName="jobs")["QueueUrl"]
        other = self.sqs.create_queue(QueueName="other")["QueueUrl"]
        self.add({"service": "sqs", "operation": "SendMessage", "region": "us-east-1", "resource": "jobs",
                  "error": {"statusCode": 503, "code": "ServiceUnavailable"}, "count": 2})
        for _ in range(2):
            self.assertEqual(self.failure_of(self.sqs.send_message, QueueUrl=jobs, MessageBody="a"),
                             ("ServiceUnavailable", 503))
        self.sqs.send_message(QueueUrl=jobs, MessageBody="b")
        self.sqs.send_message(QueueUrl=other, MessageBody="c")
        self.assertEqual(self.hits(), [2])
        self.assertEqual([m["Body"] for m in self.sqs.receive_message(QueueUrl=jobs)["Messages"]], ["b"],
                         "what was answered with an error was not carried out")

    def test_a_rule_of_names_alone_is_an_outage(self):
        kinesis = client(self.server, "kinesis")
        self.addCleanup(kinesis.close)
        self.add({"service": "kinesis", "region": "us-east-1"})
        with self.assertRaises(botocore.exceptions.ClientError) as raised:
            kinesis.describe_stream_summary(StreamName="s")
        answer = raised.exception.response
        self.assertEqual((answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]),
                         ("ServiceUnavailable", 503))
        self.sqs.create_queue(QueueName="jobs")

    def test_a_rule_that_no_request_can_meet_is_refused(self):
        for rule, named in (({"operation": "SendMesage", "throttle": True}, "Is SendMessage meant?"),
                            ({"service": "sqs", "operation": "PutRecord", "throttle": True}, "it is one of kinesis"),
                            ({"operation": "SendMessage", "reorder": True}, "ReceiveMessage"),
                            ({"error": {"code": "E\r\nX-Header: y"}}, "printable")):
            status, answer = ask(self.server, "POST", "/_penstock/faults", [rule])
            self.assertEqual((status, answer["Error"]), (400, "InvalidRequest"))
            self.assertIn(named, answer["Message"])
        self.assertEqual(self.hits(), [])

    def test_what_is_of_receives_alone_counts_these_alone(self):
        jobs = self.sqs.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
        self.add({"duplicate": True, "count": 1})
        self.sqs.send_message(QueueUrl=jobs, MessageBody="a")
        self.assertEqual(self.hits(), [0])
        for _ in range(2):
            self.assertEqual(len(self.sqs.receive_message(QueueUrl=jobs, WaitTimeSeconds=5)["Messages"]), 1)
        self.assertEqual(self.hits(), [1])

    def test_a_large_upload_of_code_has_them_too(self):
        lambda_client = client(self.server, "lambda")
        self.addCleanup(lambda_client.close)
        self.add({"service": "lambda", "operation": "CreateFunction", "resource": "big", "count": 1,
                  "error": {"statusCode": 503, "code": "ServiceException"}})
        creation = {"FunctionName": "big", "Role": "arn:aws:iam::000000000000:role/r", "Runtime": "python3.11",
                    "Handler": "a.b", "Code": {"ZipFile": os.urandom(2_000_000)}}
        self.assertEqual(self.failure_of(lambda_client.create_function, **creation), ("ServiceException", 503))
        self.assertEqual(self.hits(), [1])
        code, status = self.failure_of(lambda_client.create_function, **creation)
        self.assertEqual((code, status), ("InvalidParameterValueException", 400), "it is no zip, which is read now")

    def test_each_service_throttles_in_its_own_words(self):
        jobs = self.sqs.create_queue(QueueName="jobs")["QueueUrl"]
        kinesis = client(self.server, "kinesis")
        kinesis.create_stream(StreamName="s", ShardCount=1)
        self.add({"throttle": True})
        self.assertEqual(self.failure_of(self.sqs.send_message, QueueUrl=jobs, MessageBody="a"),
                         ("RequestThrottled", 400))
        self.assertEqual(self.failure_of(kinesis.put_record, StreamName="s", Data=b"a", PartitionKey="k"),
                         ("ProvisionedThroughputExceededException", 400))
        self.assertEqual(self.failure_of(client(self.server, "lambda").invoke, FunctionName="f"),
                         ("TooManyRequestsException", 429))
        status, answer = ask(self.server, "DELETE", "/_penstock/faults")
        self.assertEqual((status, answer), (200, {"rules": []}))
        self.sqs.send_message(QueueUrl=jobs, MessageBody="a")

    def test_chances_come_again_with_their_seed(self):
        jobs = self.sqs.create_queue(QueueName="jobs")["QueueUrl"]

        def outcomes():
            status, _ = ask(self.server, "PUT", "/_penstock/faults", {"rules": [
                {"operation": "SendMessage", "probability": 0.5, "seed": 11, "error": {"code": "E"}}]})
            self.assertEqual(status, 200)
            failed = []
            for _ in range(40):
                try:
                    self.sqs.send_message(QueueUrl=jobs, MessageBody="a")
                    failed.append(False)
                except botocore.exceptions.ClientError:
                    failed.append(True)
            return failed

        first = outcomes()
        self.assertEqual(outcomes(), first)
        self.assertGreater(sum(first), 5)
        self.assertLess(sum(first), 35)

    def test_latency_and_slow_commits_take_the_time_that_is_said(self):
        jobs = self.sqs.create_queue(QueueName="jobs")["QueueUrl"]

        def seconds(call):
            before = time.monotonic()
            call()
            return time.monotonic() - before

        self.add({"id": "slow", "operation": "GetQueueAttributes", "latency": "300ms"})
        self.assertGreaterEqual(seconds(lambda: self.sqs.get_queue_attributes(QueueUrl=jobs)), 0.3)
        self.add({"id": "disk", "commit_latency": "200ms"})
        self.assertGreaterEqual(seconds(lambda: self.sqs.send_message(QueueUrl=jobs, MessageBody="a")), 0.2)
        # A number alone is of seconds, be it a number of JSON or in a string.
        for given, wanted in ((2, "2000ms"), ("2", "2000ms"), (0.25, "250ms"), (1e0, "1000ms"), ("1.5", "1500ms")):
            for member in ("latency", "commit_latency"):
                with self.subTest(member=member, given=given):
                    added = self.add({"id": "numbered", member: given, **({"operation": "ListQueues"} if member == "latency" else {})})
                    self.assertEqual(added[-1][member], wanted)
                    ask(self.server, "DELETE", "/_penstock/faults/numbered")
        for member, given in (("latency", -1), ("latency", 1e300), ("latency", True), ("latency", [1]), ("commit_latency", 1e9),
                              ("operation", 5), ("id", 5)):
            with self.subTest(member=member, given=given):
                status, answer = ask(self.server, "POST", "/_penstock/faults", [{member: given, "throttle": True}])
                self.assertEqual((status, answer["Error"]), (400, "InvalidRequest"))
                self.assertIn(member, answer["Message"])
        status, answer = ask(self.server, "DELETE", "/_penstock/faults/disk")
        self.assertEqual((status, [rule["id"] for rule in answer["rules"]]), (200, ["slow"]))
        self.assertEqual(ask(self.server, "DELETE", "/_penstock/faults/disk")[0], 404)

    def test_localstacks_own_path_of_them_is_served_as_it_has_it(self):
        path = "/_localstack/chaos/faults"

        def chaos(method, rules=None):
            status, answer = ask(self.server, method, path, rules)
            self.assertEqual(status, 200, answer)
            self.assertIsInstance(answer, list)
            return answer

        kinesis = {"service": "kinesis", "region": "us-east-1"}
        sending = {"service": "sqs", "operation": "SendMessage", "error": {"statusCode": 500, "code": "InternalError"}}
        jobs = self.sqs.create_queue(QueueName="jobs")["QueueUrl"]
        self.assertEqual(chaos("GET"), [])
        # POST sets them all, PATCH adds.
        self.assertEqual([rule["service"] for rule in chaos("POST", [kinesis])], ["kinesis"])
        self.assertEqual([rule["service"] for rule in chaos("POST", [sending])], ["sqs"])
        self.assertEqual([rule["service"] for rule in chaos("PATCH", [kinesis])], ["sqs", "kinesis"])
        self.assertEqual(self.failure_of(self.sqs.send_message, QueueUrl=jobs, MessageBody="a"), ("InternalError", 500))
        self.assertEqual([rule["hits"] for rule in chaos("GET")], [1, 0])
        self.assertEqual(self.hits(), [1, 0], "they are the same rules")
        # DELETE removes those that it names: as they were given, or as they are listed.
        self.assertEqual(len(chaos("DELETE", [{**kinesis, "region": "eu-west-1"}])), 2)
        self.assertEqual(len(chaos("DELETE", [{**sending, "probability": 0.5}, {**kinesis, "error": {"statusCode": 500}}])), 2)
        self.assertEqual([rule["service"] for rule in chaos("DELETE", [kinesis])], ["sqs"])
        self.sqs.list_queues()
        listed = [{name: value for name, value in rule.items() if name != "hits"} for rule in chaos("GET")]
        self.assertEqual(len(chaos("PATCH", [sending])), 2)
        left = chaos("DELETE", listed)
        self.assertEqual([rule["id"] for rule in left], [rule["id"] for rule in left if rule["id"] != listed[0]["id"]])
        self.assertEqual(len(left), 1)
        self.assertEqual(chaos("POST", []), [])
        chaos("POST", [{}])
        self.assertEqual(self.failure_of(self.sqs.send_message, QueueUrl=jobs, MessageBody="a"), ("ServiceUnavailable", 503))
        self.assertEqual(chaos("DELETE"), [])
        self.sqs.send_message(QueueUrl=jobs, MessageBody="a")
        # What is wrong changes nothing.
        chaos("POST", [sending])
        for method in ("POST", "PATCH", "DELETE"):
            for rules in ([{"service": "s3"}], [{"probability": 2}], {"rule": []}, [1]):
                with self.subTest(method=method, rules=rules):
                    status, answer = ask(self.server, method, path, rules)
                    self.assertEqual((status, answer["Error"]), (400, "InvalidRequest"))
        self.assertEqual(len(chaos("GET")), 1)
        status, answer = ask(self.server, "PUT", path, [sending])
        self.assertEqual((status, answer["Error"]), (405, "MethodNotAllowed"))
        self.assertIn("GET, POST, PATCH, DELETE", answer["Message"])
        for other in ("/_localstack/chaos/effects", "/_localstack/chaos", "/_localstack/chaos/faults/", "/_localstack/info"):
            with self.subTest(path=other):
                self.assertEqual(ask(self.server, "GET", other)[1]["Error"], "NotFound")

    def test_what_is_received_is_received_twice(self):
        jobs = self.sqs.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
        self.sqs.send_message(QueueUrl=jobs, MessageBody="a")
        self.add({"operation": "ReceiveMessage", "duplicate": True, "count": 1})
        first = self.sqs.receive_message(QueueUrl=jobs)["Messages"][0]
        second = self.sqs.receive_message(QueueUrl=jobs, WaitTimeSeconds=5)["Messages"][0]
        self.assertEqual(first["MessageId"], second["MessageId"])
        self.assertNotIn("Messages", self.sqs.receive_message(QueueUrl=jobs))

    def test_of_a_fifo_queue_the_second_of_two_deliveries_stays(self):
        jobs = self.sqs.create_queue(QueueName="jobs.fifo", Attributes={
            "FifoQueue": "true", "ContentBasedDeduplication": "true", "VisibilityTimeout": "600"})["QueueUrl"]
        self.add({"operation": "ReceiveMessage", "duplicate": True})
        for body in ("a", "b"):
            self.sqs.send_message(QueueUrl=jobs, MessageBody=body, MessageGroupId="g")

        def receive():
            return self.sqs.receive_message(QueueUrl=jobs, WaitTimeSeconds=5)["Messages"][0]

        for body in ("a", "b"):
            first, second = receive(), receive()
            self.assertEqual((first["Body"], second["Body"]), (body, body))
            self.assertNotIn("Messages", self.sqs.receive_message(QueueUrl=jobs), "its group is locked while it is in flight")
            # What was visible again is what a consumer was too slow with: its handle deletes nothing.
            self.assertEqual(self.failure_of(self.sqs.delete_message, QueueUrl=jobs, ReceiptHandle=first["ReceiptHandle"])[1], 400)
            self.sqs.delete_message(QueueUrl=jobs, ReceiptHandle=second["ReceiptHandle"])
        self.assertNotIn("Messages", self.sqs.receive_message(QueueUrl=jobs))
        # One that is received again later comes twice again.
        self.sqs.send_message(QueueUrl=jobs, MessageBody="c", MessageGroupId="g")
        receive()
        self.sqs.change_message_visibility(QueueUrl=jobs, ReceiptHandle=receive()["ReceiptHandle"], VisibilityTimeout=0)
        receive()
        self.sqs.delete_message(QueueUrl=jobs, ReceiptHandle=receive()["ReceiptHandle"])
        counts = self.sqs.get_queue_attributes(QueueUrl=jobs, AttributeNames=["All"])["Attributes"]
        self.assertEqual((counts["ApproximateNumberOfMessages"], counts["ApproximateNumberOfMessagesNotVisible"]), ("0", "0"))

    def test_what_is_received_is_in_another_order_of_a_standard_queue_only(self):
        standard = self.sqs.create_queue(QueueName="jobs")["QueueUrl"]
        fifo = self.sqs.create_queue(QueueName="jobs.fifo", Attributes={
            "FifoQueue": "true", "ContentBasedDeduplication": "true"})["QueueUrl"]
        bodies = [str(number) for number in range(10)]
        for body in bodies:
            self.sqs.send_message(QueueUrl=standard, MessageBody=body)
            self.sqs.send_message(QueueUrl=fifo, MessageBody=body, MessageGroupId="g")
        self.add({"operation": "ReceiveMessage", "reorder": True, "seed": 3})

        def received(url):
            messages = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
            return [message["Body"] for message in messages]

        shuffled = received(standard)
        self.assertEqual(sorted(shuffled), bodies)
        self.assertNotEqual(shuffled, bodies)
        self.assertEqual(received(fifo), bodies)


class Off(InDirectory):
    def test_there_are_none_unless_they_are_allowed(self):
        with Server(self.directory, "--no-config") as server:
            status, answer = ask(server, "POST", "/_penstock/faults", [{"throttle": True}])
            self.assertEqual((status, answer["Error"]), (409, "NotEnabled"))
            self.assertIn("--allow-faults", answer["Message"])
            self.assertEqual(ask(server, "GET", "/_penstock/faults")[0], 409)
            for method, rules in (("GET", None), ("POST", [{}]), ("PATCH", [{}]), ("DELETE", [{}]), ("DELETE", None)):
                status, answer = ask(server, method, "/_localstack/chaos/faults", rules)
                self.assertEqual((status, answer["Error"]), (409, "NotEnabled"))


if __name__ == "__main__":
    harness.main()
