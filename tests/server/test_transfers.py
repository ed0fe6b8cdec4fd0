#!/usr/bin/env python3
"""Exports and imports of what a server has, through the real binary: test_transfers.py --penstock BIN [unittest
arguments]."""

import base64
import hashlib
import http.client
import json
import subprocess
import time

import harness
from harness import InDirectory, wait_until
from state_support import InDirectoryServer, add_function, ask, create_stream, drain, kinesis, records_of, signed


class Transfers(InDirectory):
    def fill(self, server):
        server.create("dead")
        attributes = {"VisibilityTimeout": "7", "MessageRetentionPeriod": "3600", "RedrivePolicy": json.dumps(
            {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead", "maxReceiveCount": 5})}
        # It comes before its dead-letter queue by its name.
        created = server.call("CreateQueue", {"QueueName": "a-jobs", "Attributes": attributes, "tags": {"team": "x"}})
        url = created[1]["QueueUrl"]
        binary = base64.b64encode(bytes(range(256))).decode()
        server.call("SendMessage", {"QueueUrl": url, "MessageBody": "first ü\n\"quoted\"", "MessageAttributes": {
            "Kind": {"DataType": "String", "StringValue": "greeting"},
            "Raw": {"DataType": "Binary", "BinaryValue": binary}}})
        server.call("SendMessage", {"QueueUrl": url, "MessageBody": "later", "DelaySeconds": 600})
        server.call("SendMessage", {"QueueUrl": url, "MessageBody": "of a tenant", "MessageGroupId": "tenant"})
        server.call("ReceiveMessage", {"QueueUrl": url, "VisibilityTimeout": 0})
        attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        fifo = server.call("CreateQueue", {"QueueName": "line.fifo", "Attributes": attributes})[1]["QueueUrl"]
        for number in range(30):
            server.call("SendMessage", {"QueueUrl": fifo, "MessageBody": str(number), "MessageGroupId": str(number % 3)})
        server.call("CreateQueue", {"QueueName": "theirs"}, signed("111111111111", "eu-west-1"))
        create_stream(server, "clicks", 2)
        for number in range(40):
            record = {"StreamName": "clicks", "PartitionKey": f"key{number % 7}",
                      "Data": base64.b64encode(f"{number}".encode()).decode()}
            if number % 10 == 0:
                record["ExplicitHashKey"] = "0"
            kinesis(server, "PutRecord", record)
        kinesis(server, "IncreaseStreamRetentionPeriod", {"StreamName": "clicks", "RetentionPeriodHours": 48})
        stream = kinesis(server, "DescribeStreamSummary", {"StreamName": "clicks"})[1]["StreamDescriptionSummary"]
        kinesis(server, "RegisterStreamConsumer", {"StreamARN": stream["StreamARN"], "ConsumerName": "fan-out"})
        ask(server, "PUT", "/_penstock/streams/clicks/consumers/billing", {"LeaseMillis": 5000})
        add_function(server, "echo")
        ask(server, "PUT", "/2017-10-31/functions/echo/concurrency", {"ReservedConcurrentExecutions": 3})
        ask(server, "PUT", "/_penstock/functions/upper", {"Kind": "exec", "Command": ["tr", "a-z", "A-Z"]})
        mapping = {"EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:dead", "FunctionName": "echo", "BatchSize": 7,
                   "Enabled": False}
        assert ask(server, "POST", "/2015-03-31/event-source-mappings", mapping)[0] == 202

    def export(self, server, *more):
        done = subprocess.run([harness.PENSTOCK, "state", "export", "--endpoint", server.endpoint, *more],
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def import_into(self, server, lines, status=0):
        done = subprocess.run([harness.PENSTOCK, "state", "import", "--endpoint", server.endpoint, "--json"],
                              input=lines, capture_output=True, text=True)
        self.assertEqual(done.returncode, status, done.stderr)
        return json.loads(done.stdout), done.stderr

    def hand_in(self, server, lines, query="", headers=None):
        """Lines as a client hands them in: the status, and what is answered."""
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        try:
            text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
            connection.request("POST", "/_penstock/import" + query, text.encode(), headers or {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def test_what_is_exported_is_made_again_elsewhere_and_is_exported_as_the_same(self):
        with InDirectoryServer() as server, InDirectoryServer("--threads", "3") as other:
            self.fill(server)
            lines = self.export(server, "--data")
            self.assertEqual(self.export(server, "--data"), lines, "it is the same each time")
            self.assertEqual(json.loads(lines.splitlines()[0])["penstock"], "export")
            imported, said = self.import_into(other, lines)
            self.assertEqual(said, "")
            self.assertEqual(imported, {"created": 9, "kept": 0, "messages": 33, "records": 40, "problem_count": 0,
                                        "problems": []})
            self.assertEqual(self.export(other, "--data"), lines)
            url = f"{other.endpoint}/000000000000/a-jobs"
            receive = {"QueueUrl": url, "MaxNumberOfMessages": 10, "AttributeNames": ["All"],
                       "MessageAttributeNames": ["All"]}
            messages = {message["Body"]: message for message in other.call("ReceiveMessage", receive)[1]["Messages"]}
            self.assertEqual(len(messages), 2)
            first = messages["first ü\n\"quoted\""]
            self.assertEqual(first["Attributes"]["ApproximateReceiveCount"], "2")
            raw = first["MessageAttributes"]["Raw"]["BinaryValue"]
            self.assertEqual(base64.b64decode(raw), bytes(range(256)))
            self.assertEqual(messages["of a tenant"]["Attributes"]["MessageGroupId"], "tenant")
            self.assertEqual(sorted(records_of(other, "clicks")), sorted(str(number) for number in range(40)))
            self.assertEqual(records_of(other, "clicks"), records_of(server, "clicks"), "shard by shard in their order")
            self.assertEqual(ask(other, "POST", "/2015-03-31/functions/echo/invocations", 1)[1], {"said": 1})
            for each in (server, other):
                self.assertEqual(each.stop()[0], 0)

    def test_without_data_only_what_there_is_and_what_is_there_is_kept(self):
        with InDirectoryServer() as server:
            self.fill(server)
            lines = self.export(server)
            self.assertNotIn("\"message\"", lines)
            self.assertNotIn("\"record\"", lines)
            before = server.call("GetQueueAttributes", {"QueueUrl": f"{server.endpoint}/000000000000/a-jobs",
                                                        "AttributeNames": ["All"]})[1]
            imported, _ = self.import_into(server, lines)
            self.assertEqual(imported, {"created": 0, "kept": 9, "messages": 0, "records": 0, "problem_count": 0,
                                        "problems": []})
            after = server.call("GetQueueAttributes", {"QueueUrl": f"{server.endpoint}/000000000000/a-jobs",
                                                       "AttributeNames": ["All"]})[1]
            self.assertEqual(after, before)
            self.assertEqual(self.export(server), lines)

    def test_queues_that_are_each_others_dead_letter_queues_come_through(self):
        with InDirectoryServer() as server, InDirectoryServer() as other:
            urls = {name: server.create(name) for name in ("here", "there", "alone", "gone")}
            for name, target in (("here", "there"), ("there", "here"), ("alone", "gone")):
                policy = {"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:000000000000:{target}", "maxReceiveCount": 2}
                attributes = {"RedrivePolicy": json.dumps(policy)}
                server.call("SetQueueAttributes", {"QueueUrl": urls[name], "Attributes": attributes})
            server.call("SendMessage", {"QueueUrl": urls["alone"], "MessageBody": "a"})
            server.call("DeleteQueue", {"QueueUrl": urls["gone"]})
            lines = self.export(server, "--data")
            rings = [line for line in map(json.loads, lines.splitlines()) if isinstance(line.get("create"), list)]
            self.assertEqual([sorted(one["input"]["QueueName"] for one in line["create"]) for line in rings],
                             [["here", "there"]], "what refers to each other is made together")
            imported, said = self.import_into(other, lines)
            self.assertEqual((imported["created"], imported["messages"], imported["problem_count"]), (3, 1, 0), said)
            self.assertEqual(self.export(other, "--data"), lines)
            for name, target in (("here", "there"), ("there", "here"), ("alone", "gone")):
                asked = {"QueueUrl": f"{other.endpoint}/000000000000/{name}", "AttributeNames": ["RedrivePolicy"]}
                attributes = other.call("GetQueueAttributes", asked)[1]["Attributes"]
                self.assertTrue(json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"].endswith(":" + target))
            # One of them was there before: it stays as it is, and the other is made whole.
            with InDirectoryServer() as third:
                url = third.create("here")
                self.assertEqual(self.hand_in(third, rings)[1], {
                    "created": 1, "kept": 1, "messages": 0, "records": 0, "problem_count": 0, "problems": []})
                policies = [third.call("GetQueueAttributes", {"QueueUrl": each, "AttributeNames": ["RedrivePolicy"]})[1]
                            for each in (url, url.replace("/here", "/there"))]
                self.assertEqual([bool(one.get("Attributes")) for one in policies], [False, True])

    def test_what_dead_letter_queues_allow_since_is_no_hindrance(self):
        def policies(server):
            found = {}
            for name in ("a-denied", "b-listed", "c-line.fifo"):
                asked = {"QueueUrl": f"{server.endpoint}/000000000000/{name}", "AttributeNames": ["RedrivePolicy"]}
                found[name] = server.call("GetQueueAttributes", asked)[1]["Attributes"]["RedrivePolicy"]
            return found

        def arn(name):
            return f"arn:aws:sqs:us-east-1:000000000000:{name}"

        with InDirectoryServer() as server, InDirectoryServer() as other:
            def set_attributes(name, attribute, **policy):
                attributes = {attribute: json.dumps(policy)}
                url = f"{server.endpoint}/000000000000/{name}"
                status, answer = server.call("SetQueueAttributes", {"QueueUrl": url, "Attributes": attributes})
                self.assertEqual(status, 200, answer)

            for name in ("a-denied", "b-listed", "denies", "z-lists"):
                server.create(name)
            for name in ("c-line.fifo", "gone.fifo"):
                server.call("CreateQueue", {"QueueName": name, "Attributes": {"FifoQueue": "true"}})
            for name, target in (("a-denied", "denies"), ("b-listed", "z-lists"), ("c-line.fifo", "gone.fifo")):
                set_attributes(name, "RedrivePolicy", deadLetterTargetArn=arn(target), maxReceiveCount=1)
            set_attributes("denies", "RedriveAllowPolicy", redrivePermission="denyAll")
            set_attributes("z-lists", "RedriveAllowPolicy", redrivePermission="byQueue", sourceQueueArns=[arn("b-listed")])
            set_attributes("z-lists", "RedriveAllowPolicy", redrivePermission="byQueue", sourceQueueArns=[arn("another")])
            server.call("DeleteQueue", {"QueueUrl": f"{server.endpoint}/000000000000/gone.fifo"})
            lines = self.export(server, "--data")
            imported, said = self.import_into(other, lines)
            self.assertEqual((imported["created"], imported["problem_count"], said), (5, 0, ""))
            self.assertEqual(policies(other), policies(server))
            self.assertEqual(self.export(other, "--data"), lines)
            # It is in force as it was there.
            url = f"{other.endpoint}/000000000000/a-denied"
            other.call("SendMessage", {"QueueUrl": url, "MessageBody": "a"})
            for _ in range(2):
                other.call("ReceiveMessage", {"QueueUrl": url, "VisibilityTimeout": 0})
            self.assertEqual(drain(other, f"{other.endpoint}/000000000000/denies"), ["a"])
            # Clients are held against what is allowed now, and an import against all that a policy is by itself.
            refused = other.call("SetQueueAttributes", {"QueueUrl": url, "Attributes": {"RedrivePolicy": json.dumps(
                {"deadLetterTargetArn": arn("z-lists"), "maxReceiveCount": 1})}})
            self.assertEqual(refused[0], 400)
            of_another_kind = lines.replace(":gone.fifo", ":gone").replace("c-line.fifo", "d-line.fifo")
            _, said = self.import_into(other, of_another_kind, 1)
            self.assertIn("d-line.fifo: ", said)
            self.assertIn("must be same type", said)

    def test_what_cannot_be_imported_is_told_and_the_rest_is(self):
        with InDirectoryServer() as server:
            message = {"id": "01234567-89ab-cdef-0123-456789abcdef", "sent": 1, "body": "a"}
            here = {"account": "000000000000", "region": "us-east-1"}
            queue = {"service": "sqs", "operation": "CreateQueue", "input": {"QueueName": "jobs"}}
            bad = {"service": "sqs", "operation": "CreateQueue", "input": {"QueueName": "no such name!"}}
            undated = {name: member for name, member in message.items() if name != "sent"}
            lines = [{**here, "create": bad}, "nonsense", {**here, "queue": "none", "message": message},
                     {**here, "create": queue}, {**here, "queue": "jobs", "message": {**message, "body": 5}},
                     {**here, "queue": "jobs", "message": {**message, "sent": 4102444800000}},
                     {**here, "queue": "jobs", "message": {**undated, "body": "b"}}]
            # Nothing of a message is ignored.
            wrong = ({"sent": "x"}, {"sent": 1.5}, {"receives": -1}, {"receives": 1, "arrivals": 2}, {"attributes": 5},
                     {"id": "short"}, {"attributes": [{"name": "a", "type": "Binary", "base64": "!"}]})
            lines += [{**here, "queue": "jobs", "message": {**message, **members}} for members in wrong]
            lines.append({"penstock": "end"})
            text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
            imported, said = self.import_into(server, text, 1)
            self.assertEqual((imported["created"], imported["messages"], imported["problem_count"]), (1, 2, 4 + len(wrong)))
            for part in ("line 1: no such name!", "line 2: it is no JSON", "line 3: there is no queue none",
                         "line 5: it has no message"):
                self.assertIn(part, said)
            self.assertEqual(sorted(drain(server, f"{server.endpoint}/000000000000/jobs")), ["a", "b"])
            imported, said = self.import_into(server, text[:text.rindex("{")], 1)
            self.assertIn("no whole export", said)

    def test_an_import_only_adds(self):
        with InDirectoryServer() as server:
            server.create("jobs")
            here = {"account": "000000000000", "region": "us-east-1"}
            url = f"{server.endpoint}/000000000000/jobs"
            requests = [{"method": "POST", "path": "/_penstock/reset"}, {"method": "GET", "path": "/_penstock/export"},
                        {"method": "POST", "path": "/_penstock/import"}, {"method": "PUT", "path": "/_penstock/export"},
                        {"method": "DELETE", "path": "/2015-03-31/functions/f"}, {"service": "lambda"}, {}, 5,
                        {"service": "sqs", "operation": "DeleteQueue", "input": {"QueueUrl": url}},
                        {"service": "kinesis", "operation": "DeleteStream", "input": {"StreamName": "s"}}]
            lines = "".join(json.dumps({**here, "create": request}) + "\n" for request in requests)
            nowhere = {"create": {"service": "sqs", "operation": "CreateQueue", "input": {"QueueName": "nowhere"}}}
            lines += json.dumps(nowhere) + "\n" + json.dumps({"penstock": "end"}) + "\n"
            imported, said = self.import_into(server, lines, 1)
            self.assertEqual((imported["created"], imported["problem_count"]), (0, len(requests) + 1), said)
            self.assertEqual(said.count("it is no request that exports have"), len(requests))
            self.assertIn("it has no account and region", said)
            self.assertEqual(server.call("ListQueues", {})[1]["QueueUrls"], [url])

    def test_an_export_is_larger_than_what_is_kept_of_it(self):
        with InDirectoryServer() as server, InDirectoryServer() as other:
            url = server.create()
            for number in range(60):
                server.call("SendMessage", {"QueueUrl": url, "MessageBody": str(number) + "x" * 1_000_000})
            lines = self.export(server, "--data")
            self.assertGreater(len(lines), 60_000_000)
            imported, _ = self.import_into(other, lines)
            self.assertEqual((imported["messages"], imported["problem_count"]), (60, 0))
            bodies = drain(other, f"{other.endpoint}/000000000000/jobs")
            self.assertEqual(sorted(int(body.rstrip("x")) for body in bodies), list(range(60)))

    def status_of(self, server, stream):
        return kinesis(server, "DescribeStreamSummary", {"StreamName": stream})[1]["StreamDescriptionSummary"]["StreamStatus"]

    def stream_line(self, lines):
        return next(line for line in map(json.loads, lines.splitlines()) if "CreateStream" in json.dumps(line))

    def test_a_stream_that_is_not_ready_yet_is_exported_as_what_it_will_be(self):
        frozen = ("--clock", "virtual", "--stream-transition", "5000")
        with InDirectoryServer(*frozen) as server, InDirectoryServer() as other, InDirectoryServer(*frozen) as standing:
            for each in (server, standing):
                ask(each, "POST", "/_penstock/clock", {"freeze": True})
            stream = {"StreamName": "clicks", "ShardCount": 3, "Tags": {"team": "x"}}
            self.assertEqual(kinesis(server, "CreateStream", stream)[0], 200)
            self.assertEqual(self.status_of(server, "clicks"), "CREATING")
            lines = self.export(server, "--data")
            self.assertEqual(self.stream_line(lines)["create"]["input"],
                             {**stream, "MaxRecordSizeInKiB": 1024})
            imported, said = self.import_into(other, lines)
            self.assertEqual((imported["created"], imported["problem_count"]), (1, 0), said)
            self.assertEqual(self.export(other, "--data"), lines)
            self.assertEqual(len(kinesis(other, "ListShards", {"StreamName": "clicks"})[1]["Shards"]), 3)

            # Its shards have been split when it is UPDATING, and those before them hold what came before.
            ask(server, "POST", "/_penstock/clock", {"advance": "next"})
            self.assertEqual(self.status_of(server, "clicks"), "ACTIVE")
            put = lambda number: kinesis(server, "PutRecord", {
                "StreamName": "clicks", "PartitionKey": f"key{number}", "Data": base64.b64encode(b"%d" % number).decode()})
            for number in range(20):
                self.assertEqual(put(number)[0], 200)
            update = {"StreamName": "clicks", "TargetShardCount": 6, "ScalingType": "UNIFORM_SCALING"}
            self.assertEqual(kinesis(server, "UpdateShardCount", update)[0], 200)
            self.assertEqual(self.status_of(server, "clicks"), "UPDATING")
            for number in range(20, 40):
                self.assertEqual(put(number)[0], 200)
            lines = self.export(server, "--data")
            self.assertEqual(self.stream_line(lines)["create"]["input"]["ShardCount"], 6)
            # Where the clock stands still, too: it goes on as far as the stream needs.
            imported, said = self.import_into(standing, lines)
            self.assertEqual((imported["created"], imported["records"], imported["problem_count"]), (1, 40, 0), said)
            self.assertEqual(sorted(records_of(standing, "clicks")), sorted(records_of(server, "clicks")))
            self.assertTrue(ask(standing, "GET", "/_penstock/clock")[1]["frozen"])
            self.assertEqual(self.stream_line(self.export(standing, "--data")), self.stream_line(lines))

    def test_what_is_exported_of_a_stream_has_all_its_settings_and_no_empty_ones(self):
        with InDirectoryServer("--stream-transition", "0") as server, InDirectoryServer() as other:
            demand = {"StreamName": "demand", "StreamModeDetails": {"StreamMode": "ON_DEMAND"}, "WarmThroughputMiBps": 50}
            self.assertEqual(kinesis(server, "CreateStream", demand)[0], 200)
            create_stream(server, "plain")
            arn = "arn:aws:kinesis:us-east-1:000000000000:stream/plain"
            self.assertEqual(kinesis(server, "StartStreamEncryption", {
                "StreamName": "plain", "EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"})[0], 200)
            self.assertEqual(kinesis(server, "EnableEnhancedMonitoring", {
                "StreamName": "plain", "ShardLevelMetrics": ["IncomingBytes"]})[0], 200)
            lines = self.export(server)
            self.assertNotIn("PutResourcePolicy", lines, "there is none")
            policy = json.dumps({"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": "*", "Action": "kinesis:GetRecords", "Resource": arn}]})
            self.assertEqual(kinesis(server, "PutResourcePolicy", {"ResourceARN": arn, "Policy": policy})[0], 200)
            lines = self.export(server)
            self.assertIn("PutResourcePolicy", lines)
            imported, said = self.import_into(other, lines)
            self.assertEqual((imported["created"], imported["problem_count"]), (2, 0), said)
            self.assertEqual(self.export(other), lines)

    HERE = {"account": "000000000000", "region": "us-east-1"}

    def test_settings_are_of_what_their_line_makes_and_of_nothing_else(self):
        sqs = lambda operation, **members: {"service": "sqs", "operation": operation, "input": members}
        stream = lambda operation, **members: {"service": "kinesis", "operation": operation, "input": members}
        put = lambda path, **members: {"method": "PUT", "path": path, "input": members}
        function = {"method": "POST", "path": "/2015-03-31/functions", "input": {"FunctionName": "mine"}}
        arn = "arn:aws:kinesis:us-east-1:000000000000:stream/"
        mapping = {"method": "POST", "path": "/2015-03-31/event-source-mappings", "input": {
            "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:theirs", "FunctionName": "mine"}}
        attributes = {"VisibilityTimeout": "7"}
        queue, clicks = sqs("CreateQueue", QueueName="mine"), stream("CreateStream", StreamName="mine", ShardCount=1)
        cases = [
            (queue, sqs("SetQueueAttributes", QueueUrl="http://localhost/000000000000/theirs", Attributes=attributes)),
            (queue, sqs("SetQueueAttributes", QueueUrl="http://localhost/111111111111/mine", Attributes=attributes)),
            (queue, sqs("SetQueueAttributes", QueueUrl="http://sqs.eu-west-1.localhost/000000000000/mine", Attributes=attributes)),
            (queue, sqs("SetQueueAttributes", QueueUrl="theirs", Attributes=attributes)),
            (queue, sqs("SetQueueAttributes", Attributes=attributes)),
            (queue, sqs("DeleteQueue", QueueUrl="mine")),
            (queue, sqs("PurgeQueue", QueueUrl="http://localhost/000000000000/mine")),
            ([queue, clicks], sqs("SetQueueAttributes", QueueUrl="theirs", Attributes=attributes)),
            (queue, stream("IncreaseStreamRetentionPeriod", StreamName="mine", RetentionPeriodHours=48)),
            (clicks, stream("IncreaseStreamRetentionPeriod", StreamName="theirs", RetentionPeriodHours=48)),
            (clicks, stream("IncreaseStreamRetentionPeriod", StreamName="mine", StreamARN=arn + "theirs", RetentionPeriodHours=48)),
            (clicks, stream("IncreaseStreamRetentionPeriod", StreamId="mine", RetentionPeriodHours=48)),
            (clicks, stream("EnableEnhancedMonitoring", StreamARN=arn + "theirs", ShardLevelMetrics=["ALL"])),
            (clicks, stream("StartStreamEncryption", StreamName="theirs", EncryptionType="KMS", KeyId="alias/aws/kinesis")),
            (clicks, stream("PutResourcePolicy", ResourceARN=arn + "theirs", Policy="{}")),
            (clicks, stream("PutResourcePolicy", ResourceARN=arn + "mine/consumer/c:1", Policy="{}")),
            (clicks, stream("RegisterStreamConsumer", StreamARN=arn.replace("us-east-1", "eu-west-1") + "mine", ConsumerName="c")),
            (clicks, stream("DeleteStream", StreamName="mine")),
            (function, put("/2017-10-31/functions/theirs/concurrency", ReservedConcurrentExecutions=0)),
            (function, put("/2017-10-31/functions/mine%2F..%2Ftheirs/concurrency", ReservedConcurrentExecutions=0)),
            (function, put("/2017-10-31/functions/mine/concurrency?FunctionName=theirs", ReservedConcurrentExecutions=0)),
            (function, put("/2019-09-25/functions/theirs/event-invoke-config", MaximumRetryAttempts=0)),
            (function, put("/2015-03-31/functions/mine/configuration", Timeout=5)),
            (put("/_penstock/functions/mine", Kind="exec", Command=["true"]),
             put("/2017-10-31/functions/theirs/concurrency", ReservedConcurrentExecutions=0)),
            (put("/_penstock/functions/mine?x=/theirs", Kind="exec", Command=["true"]),
             put("/2017-10-31/functions/theirs/concurrency", ReservedConcurrentExecutions=0)),
            (put("/_penstock/streams/theirs/consumers/mine"),
             stream("IncreaseStreamRetentionPeriod", StreamName="theirs", RetentionPeriodHours=48)),
            (mapping, put("/2015-03-31/event-source-mappings/0f8fad5b-d9cb-469f-a165-70867728950e", Enabled=False)),
            (mapping, put("/2017-10-31/functions/mine/concurrency", ReservedConcurrentExecutions=0)),
            (queue, 5), (queue, {}),
        ]
        with InDirectoryServer("--stream-transition", "0") as server:
            server.create("theirs")
            create_stream(server, "theirs")
            ask(server, "PUT", "/_penstock/functions/theirs", {"Kind": "exec", "Command": ["true"]})
            before = self.export(server)
            first = {**self.HERE, "create": sqs("CreateQueue", QueueName="first")}
            for create, then in cases:
                with self.subTest(create=create, then=then):
                    line = {**self.HERE, "create": create, "then": [then]}
                    status, answer = self.hand_in(server, [first, line])
                    self.assertEqual((status, answer.get("Error")), (400, "InvalidRequest"), answer)
                    self.assertIn("line 2: its 'then' ", answer["Message"])
                    status, answer = self.hand_in(server, [first, line], "?line=41")
                    self.assertIn("line 42: ", answer["Message"])
            twice = json.dumps({**self.HERE, "create": queue, "then": [cases[0][1]]}).replace(
                '"QueueUrl"', '"QueueUrl": "http://localhost/000000000000/mine", "QueueUrl"')
            self.assertEqual(self.hand_in(server, [twice])[0], 400)
            self.assertEqual(self.hand_in(server, [{**self.HERE, "create": queue, "then": cases[0][1]}])[0], 400)
            self.assertEqual(self.export(server), before, "nothing of it was done")
            # What they are of may be called otherwise.
            lines = [{**self.HERE, "create": queue, "then": [sqs("SetQueueAttributes", QueueUrl="mine", Attributes=attributes)]},
                     {**self.HERE, "create": clicks, "then": [
                         stream("IncreaseStreamRetentionPeriod", StreamARN=arn + "mine", RetentionPeriodHours=48)]},
                     {**self.HERE, "create": put("/_penstock/functions/mine", Kind="exec", Command=["true"]), "then": [
                         put("/2017-10-31/functions/mine/concurrency", ReservedConcurrentExecutions=3),
                         put("/2019-09-25/functions/mine/event-invoke-config", MaximumRetryAttempts=0)]}]
            self.assertEqual(self.hand_in(server, lines), (200, {
                "created": 3, "kept": 0, "messages": 0, "records": 0, "problem_count": 0, "problems": []}))
            for said in ('"VisibilityTimeout":"7"', '"RetentionPeriodHours":48', '"ReservedConcurrentExecutions":3'):
                self.assertIn(said, self.export(server))

    def test_another_format_is_not_read(self):
        queue = {"service": "sqs", "operation": "CreateQueue", "input": {"QueueName": "jobs"}}
        first = {**self.HERE, "create": queue}
        with InDirectoryServer() as server:
            for format in (99, 2, 0, -1, 1.5, "1", None, [1]):
                for lines in ([{"penstock": "export", "format": format}, first], [first, {"format": format}]):
                    with self.subTest(lines=lines):
                        status, answer = self.hand_in(server, lines)
                        self.assertEqual((status, answer.get("Error")), (400, "InvalidRequest"), answer)
                        number = 1 if "format" in lines[0] else 2
                        self.assertIn(f"line {number}: it is of format {json.dumps(format)}, and this version reads format 1",
                                      answer["Message"])
            text = "".join(json.dumps(line) + "\n" for line in ({"penstock": "export", "format": 99}, first, {"penstock": "end"}))
            done = subprocess.run([harness.PENSTOCK, "state", "import", "--endpoint", server.endpoint], input=text,
                                  capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("this version reads format 1", done.stderr)
            self.assertEqual(server.call("ListQueues", {})[1].get("QueueUrls", []), [], "nothing was made")

    def test_what_their_addresses_say_is_known_or_refused(self):
        with InDirectoryServer() as server:
            for method, path, said in (
                    ("GET", "/_penstock/export?data=1", "data has to be one of true, false"),
                    ("GET", "/_penstock/export?data=", "data has to be one of true, false"),
                    ("GET", "/_penstock/export?dta=true", "'dta' is not known; there is only data. Is data meant?"),
                    ("GET", "/_penstock/export?data=true&data=false", "more than once"),
                    ("GET", "/_penstock/export?data=%zz", "."),
                    ("POST", "/_penstock/import?line=x", "line has to be a whole number"),
                    ("POST", "/_penstock/import?line=0", "line has to be at least 1"),
                    ("POST", "/_penstock/import?line=-3", "line has to be at least 1"),
                    ("POST", "/_penstock/import?line=99999999999999999999", "line has to be a whole number"),
                    ("POST", "/_penstock/import?lin=3", "Is line meant?"),
                    ("POST", "/_penstock/reset?service=sqs", "'service' is not known")):
                with self.subTest(path=path):
                    status, answer = ask(server, method, path, {} if method == "POST" else None)
                    self.assertEqual((status, answer["Error"]), (400, "InvalidRequest"), answer)
                    self.assertIn(said, answer["Message"])
            status, answer = ask(server, "POST", "/_penstock/reset", {"servise": "sqs"})
            self.assertEqual(status, 400)
            self.assertIn("there are service, setup. Is service meant?", answer["Message"])
            for query in ("?data=true", "?data=false", ""):
                connection = http.client.HTTPConnection("127.0.0.1", server.port)
                connection.request("GET", "/_penstock/export" + query)
                self.assertEqual(connection.getresponse().status, 200)
                connection.close()

    MESSAGE = {"id": "01234567-89ab-cdef-0123-456789abcdef", "sent": 1, "body": "a"}

    def test_a_message_that_no_client_could_have_sent_is_refused(self):
        attribute = lambda **members: {"attributes": [{"name": "n", "type": "String", "value": "v", **members}]}
        named = lambda name: attribute(name=name)
        cases = [
            ({"body": "a\u0001"}, ""), ({"body": "\ufffe"}, ""), ({"body": ""}, "MessageBody"), ({"body": None}, "body"),
            ({"body": 5}, "its body is no string"), ({"body": "x" * 1_048_577}, "shorter than 1048576 bytes"),
            ({"id": "short"}, "UUID"), ({"id": ""}, "UUID"), ({"id": "0123456789ab-cdef-0123-456789abcdef-"}, "UUID"),
            ({"id": "01234567-89ab-cdef-0123-456789abcdeg"}, "UUID"), ({"id": 5}, "id"),
            (named(""), "non-empty message attribute name"), (named("a b"), "alphanumeric"), (named(".a"), "period"),
            (named("a..b"), "period"), (named("AWS.x"), "AWS-reserved"), (named("n" * 257), "256 characters"),
            (attribute(type=""), "non-empty attribute type"), (attribute(type="Bool"), "type prefixes"),
            (attribute(type="String." + "l" * 256), "256 characters"), (attribute(type="String.\u0001"), ""),
            (attribute(value=""), "non-empty value"), (attribute(value="\u0000"), ""), (attribute(value=5), "no string"),
            (attribute(type="Number"), "must be a number"), (attribute(type="Number", value="1" * 39), "38 digits"),
            (attribute(base64="eA=="), "exactly one value"), (attribute(type="Binary"), "non-empty value of type 'Binary'"),
            ({"attributes": [{"name": "n", "type": "Binary", "base64": "!"}]}, "no base64"),
            ({"attributes": [{"name": "n", "type": "Binary", "base64": ""}]}, "non-empty value"),
            ({"attributes": [{"name": "n", "type": "String", "value": "v"}] * 2}, "contained only once"),
            ({"attributes": [{"name": f"n{i}", "type": "String", "value": "v"} for i in range(11)]}, "exceeds the allowed maximum"),
            ({"attributes": {}}, "attributes"), ({"attributes": ["x"]}, "attribute"), (attribute(valeu="x"), "'value' is meant"),
            ({"group": "a b"}, "alphanumeric and punctuation"), ({"group": ""}, "1 to 128"), ({"group": "g" * 129}, "1 to 128"),
            ({"group": "ü"}, "alphanumeric and punctuation"), ({"deduplication": "d"}, "not valid for this queue type"),
            ({"trace": ""}, "non-empty"), ({"trace": "\u0001"}, ""), ({"sender": ""}, "sender"), ({"sender": "a b"}, "sender"),
            ({"sender": "a/b"}, "sender"), ({"sender": "x" * 129}, "sender"),
            ({"sent": -1}, "sent"), ({"sent": 1.5}, "sent"), ({"sent": "1"}, "sent"), ({"sent": 253370764800001}, "sent"),
            ({"sent": 10**18}, "sent"), ({"visible": -1}, "visible"), ({"visible": 10**18}, "visible"),
            ({"receives": -1}, "receives"), ({"receives": 2**32}, "receives"), ({"receives": 1}, "first"),
            ({"receives": 1, "first_received": -1}, "first_received"), ({"receives": 1, "first_received": 10**18}, "first_received"),
            ({"first_received": 1}, "never received"), ({"receives": 1, "first_received": 1, "visible": 5}, "not delayed"),
            ({"receives": 1, "first_received": 1, "arrivals": 2}, "arrivals"), ({"arrivals": 1}, "arrivals"),
            ({"source": "queue"}, "no queue's ARN"), ({"source": "arn:aws:sqs:us-east-1:000000000000:a b"}, "no queue's ARN"),
            ({"source": "arn:aws:sqs:us-east-1:111111111111:dead"}, "dead letters"),
            ({"source": "arn:aws:sqs:eu-west-1:000000000000:dead"}, "dead letters"),
            ({"source": "arn:aws:sqs:us-east-1:000000000000:dead.fifo"}, "dead letters"),
            ({"source": "arn:aws:sqs:us-east-1:000000000000:jobs"}, "dead letters"),
            ({"Body": "x"}, "'body' is meant"), ({"sequence": 5}, "'sequence'"),
        ]
        fifo = [({}, "MessageGroupId"), ({"group": ""}, "1 to 128"), ({"group": "g", "deduplication": ""}, "1 to 128"),
                ({"group": "g", "deduplication": "a b"}, "alphanumeric"), ({"group": "g", "deduplication": "d" * 129}, "1 to 128")]
        cases = [("jobs", members, said) for members, said in cases] + [("line.fifo", members, said) for members, said in fifo]
        with InDirectoryServer() as server:
            server.create()
            server.call("CreateQueue", {"QueueName": "line.fifo", "Attributes": {"FifoQueue": "true"}})
            lines = [{**self.HERE, "queue": queue, "message": {**self.MESSAGE, **members}} for queue, members, _ in cases]
            good = {**self.HERE, "queue": "jobs", "message": {**self.MESSAGE, "sent": int(time.time() * 1000)}}
            status, answer = self.hand_in(server, [good, *lines, good])
            self.assertEqual((status, answer["messages"], answer["problem_count"]), (200, 2, len(cases)))
            problems = list(answer["problems"])
            for number, (queue, members, said) in enumerate(cases, 2):
                with self.subTest(queue=queue, members=members if len(str(members)) < 200 else "long"):
                    mine = [problem for problem in problems if problem.startswith(f"line {number}: ")]
                    self.assertEqual(len(mine), 1, problems)
                    self.assertIn(said, mine[0])
                    self.assertIn(queue, mine[0])
            twice = json.dumps(lines[0]).replace('"sent": 1', '"sent": 1, "sent": 2')
            for line, said in ((twice, "more than once"), ({**good, "queu": "x"}, "'queue' is meant"),
                               ({**self.HERE, "message": self.MESSAGE}, "no message"), ({**good, "message": 5}, "no object"),
                               ({**good, "queue": "http://localhost/111111111111/jobs"}, "no message"), ({**good, "queue": "a b"}, ""),
                               ({**good, "account": "1"}, "no account"), ({**good, "region": "A B"}, "no account and region")):
                with self.subTest(line=line):
                    answer = self.hand_in(server, [line])[1]
                    self.assertEqual((answer["messages"], answer["problem_count"]), (0, 1), answer)
                    self.assertIn(said, answer["problems"][0])
            # A queue that deduplicates by contents, or whose sender does, names them so.
            message = {**good["message"], "group": "g"}
            self.assertEqual(self.hand_in(server, [{**self.HERE, "queue": "line.fifo", "message": message}])[1]["messages"], 1)
            receive = {"QueueUrl": f"{server.endpoint}/000000000000/line.fifo", "AttributeNames": ["MessageDeduplicationId"]}
            received = server.call("ReceiveMessage", receive)[1]["Messages"][0]
            self.assertEqual(received["Attributes"]["MessageDeduplicationId"], hashlib.sha256(b"a").hexdigest())

    def test_a_record_that_no_client_could_have_put_is_refused(self):
        cases = [
            ({"key": ""}, "partitionKey"), ({"key": "k" * 257}, "partitionKey"), ({"key": None}, "key"), ({"key": 5}, "key"),
            ({"data": None}, "data"), ({"data": "!"}, "no base64"), ({"data": 5}, "data"),
            ({"data": base64.b64encode(bytes(1_048_577)).decode()}, "1048576"),
            ({"hash": "-1"}, "explicitHashKey"), ({"hash": "01"}, "explicitHashKey"), ({"hash": ""}, "explicitHashKey"),
            ({"hash": str(2**128)}, "ExplicitHashKey must be in the range"), ({"hash": 5}, "hash"),
            ({"sequence": "1"}, "'sequence'"), ({"keys": "x"}, "'key' is meant"),
        ]
        record = {"key": "k", "data": "YQ=="}
        with InDirectoryServer() as server:
            create_stream(server, "clicks")
            lines = [{**self.HERE, "stream": "clicks", "record": {**record, **members}} for members, _ in cases]
            for missing in ("key", "data"):
                left = {name: value for name, value in record.items() if name != missing}
                lines.append({**self.HERE, "stream": "clicks", "record": left})
                cases.append(({}, {"key": "partitionKey", "data": "data"}[missing]))
            good = {**self.HERE, "stream": "clicks", "record": record}
            status, answer = self.hand_in(server, [good, *lines, good])
            self.assertEqual((status, answer["records"], answer["problem_count"]), (200, 2, len(cases)), answer["problems"])
            for number, (members, said) in enumerate(cases, 2):
                with self.subTest(members=members if len(str(members)) < 200 else "long"):
                    mine = [problem for problem in answer["problems"] if problem.startswith(f"line {number}: ")]
                    self.assertEqual(len(mine), 1, answer["problems"])
                    self.assertIn(said, mine[0])
            for stream in ("none", "a b", ""):
                answer = self.hand_in(server, [{**good, "stream": stream}] * 2)[1]
                self.assertEqual((answer["records"], answer["problem_count"]), (0, 2))
            self.assertEqual(records_of(server, "clicks"), ["a", "a"])

    def test_what_is_odd_and_right_comes_through(self):
        with InDirectoryServer("--stream-transition", "0") as server, InDirectoryServer() as other:
            url = server.create()
            bodies = ["\t\r\n", " ", "\ud7ff\ue000\ufffd\U00010000\U0010ffff", "\\u0000 \"", "\x7f\x80", "{\"format\":99}", "\u2028"]
            for body in bodies:
                self.assertEqual(server.call("SendMessage", {"QueueUrl": url, "MessageBody": body})[0], 200, body)
            largest = "x" * 1_048_576
            self.assertEqual(server.call("SendMessage", {"QueueUrl": url, "MessageBody": largest})[0], 200)
            names = ["a", "a.b-c_D", "n" * 256, *(f"n{i}" for i in range(6))]
            attributes = {name: {"DataType": "String." + "ü" * 100, "StringValue": "\t\n"} for name in names}
            attributes["N"] = {"DataType": "Number.float", "StringValue": "-.5e+3"}
            attributes["a"] = {"DataType": "Binary.x", "BinaryValue": base64.b64encode(bytes(range(256))).decode()}
            message = {"QueueUrl": url, "MessageBody": "all", "MessageAttributes": attributes, "MessageGroupId": "!~{}" * 32,
                       "MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=ü"}}}
            signing = signed("A" * 128, "us-east-1")
            self.assertEqual(server.call("SendMessage", message, signing)[0], 200)
            # More than the queue takes by now, and what has come from it as a dead letter.
            server.create("dead")
            server.call("ReceiveMessage", {"QueueUrl": url, "VisibilityTimeout": 0})
            policy = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead", "maxReceiveCount": 1}
            server.call("SetQueueAttributes", {"QueueUrl": url, "Attributes": {
                "MaximumMessageSize": "1024", "RedrivePolicy": json.dumps(policy)}})
            server.call("ReceiveMessage", {"QueueUrl": url, "VisibilityTimeout": 0})
            server.call("ReceiveMessage", {"QueueUrl": url, "VisibilityTimeout": 0})
            wait_until(lambda: '"source"' in self.export(server, "--data"))
            for region in ("local", "x-1"):
                self.assertEqual(server.call("CreateQueue", {"QueueName": "far"}, signed("anybody", region))[0], 200)
                far = {"QueueUrl": "far", "MessageBody": region}
                self.assertEqual(server.call("SendMessage", far, signed("anybody", region))[0], 200)
            fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
            line = server.call("CreateQueue", {"QueueName": "line.fifo", "Attributes": fifo})[1]["QueueUrl"]
            for body in ("a", "b"):
                server.call("SendMessage", {"QueueUrl": line, "MessageBody": body, "MessageGroupId": "g"})
            create_stream(server, "clicks", 3)
            record = {"StreamName": "clicks", "PartitionKey": "k", "Data": ""}
            for members in ({}, {"PartitionKey": "\u0000\ud7ff\U0010ffff" * 50}, {"PartitionKey": "ü" * 256},
                            {"Data": base64.b64encode(bytes(1_048_576)).decode()}, {"ExplicitHashKey": str(2**128 - 1)},
                            {"ExplicitHashKey": "0"}):
                status, answer = kinesis(server, "PutRecord", {**record, **members})
                self.assertEqual(status, 200, answer)
            lines = self.export(server, "--data")
            imported, said = self.import_into(other, lines)
            self.assertEqual((imported["problem_count"], imported["records"]), (0, 6), said)
            self.assertEqual(imported["messages"], lines.count('"message":'))
            self.assertEqual(self.export(other, "--data"), lines)

    def test_what_functions_have_sent_comes_through(self):
        """A function's error may have characters that no message has."""
        with InDirectoryServer() as server, InDirectoryServer() as other:
            server.create("dead")
            script = r'''printf '{"errorMessage": "a\\u0000\\uffff", "errorType": "x"}'; exit 1'''
            status, answer = ask(server, "PUT", "/_penstock/functions/failing", {"Kind": "exec", "Command": ["sh", "-c", script]})
            self.assertEqual(status, 200, answer)
            ask(server, "PUT", "/2019-09-25/functions/failing/event-invoke-config", {
                "MaximumRetryAttempts": 0, "DestinationConfig": {
                    "OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:dead"}}})
            status, _ = ask(server, "POST", "/2015-03-31/functions/failing/invocations", "\uffff", {"X-Amz-Invocation-Type": "Event"})
            self.assertEqual(status, 202)
            wait_until(lambda: '"message":' in self.export(server, "--data"))
            lines = self.export(server, "--data")
            imported, said = self.import_into(other, lines)
            self.assertEqual((imported["messages"], imported["problem_count"]), (1, 0), said)
            self.assertEqual(self.export(other, "--data"), lines)

    def test_records_wait_for_the_room_that_their_shard_has(self):
        with InDirectoryServer("--limits", "strict", "--stream-transition", "0") as server:
            create_stream(server, "clicks")
            records = [{**self.HERE, "stream": "clicks", "record": {"key": "k", "data": base64.b64encode(b"%d" % number).decode()}}
                       for number in range(1_500)]
            answer = self.hand_in(server, records)[1]
            self.assertEqual((answer["records"], answer["problem_count"]), (1_500, 0), answer["problems"][:3])
            export = self.export(server, "--data").splitlines()
            data = [base64.b64decode(line["record"]["data"]) for line in map(json.loads, export) if "record" in line]
            self.assertEqual(data, [b"%d" % number for number in range(1_500)])

if __name__ == "__main__":
    harness.main()
