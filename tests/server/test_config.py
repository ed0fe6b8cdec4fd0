#!/usr/bin/env python3
"""A server that is set up by a file: what comes of it as boto3 sees it, what a second start changes (nothing), what is
refused and where. Runs the real binary: test_config.py --penstock BIN [unittest arguments]."""

import http.client
import json
import os
import pathlib
import signal
import subprocess
import unittest.mock
import zipfile

import boto3
from botocore.config import Config

import harness
from harness import LIMIT, InDirectory, Server, wait_until

FILE = """
settings: {region: eu-central-1, account: "123456789012"}
queues:
  orders:
    VisibilityTimeout: 60
    RedrivePolicy: {deadLetterTargetArn: orders-dead, maxReceiveCount: 3}
    Tags: {team: shop}
  orders-dead:
  done:
  left: {RedrivePolicy: {deadLetterTargetArn: right, maxReceiveCount: 1}}
  right: {RedrivePolicy: {deadLetterTargetArn: left, maxReceiveCount: 1}}
  line.fifo: {ContentBasedDeduplication: true}
streams:
  sales: {ShardCount: 2, RetentionPeriodHours: 48, Consumers: [fan-out], Tags: {team: shop}}
  clicks: {StreamModeDetails: {StreamMode: ON_DEMAND}, StreamEncryption: {EncryptionType: KMS, KeyId: alias/one}, ShardLevelMetrics: [IncomingBytes]}
consumers:
  sales:
    billing: {LeaseMillis: 5000, CommitMode: ON_COMMIT, Start: {Type: LATEST}}
functions:
  take:
    Runtime: python3.11
    Handler: app.handler
    Code: ./code
    Timeout: 20
    Environment: {QUEUE: done}
    Description: Takes orders.
    ReservedConcurrentExecutions: 5
    Tags: {team: shop}
  packed: {Runtime: python3.11, Handler: app.handler, Code: code.zip, MemorySize: 256, Architectures: [arm64]}
  once: {Kind: exec, Command: [cat], EventInvokeConfig: {MaximumRetryAttempts: 1, DestinationConfig: {OnFailure: {Destination: done}}}}
mappings:
  - EventSource: queue:orders
    FunctionName: take
    BatchSize: 5
    Tags: {stage: test}
    FilterCriteria: {Filters: [{Pattern: {body: {kind: [order]}}}]}
  - EventSource: stream:sales
    FunctionName: packed
    StartingPosition: LATEST
    DestinationConfig: {OnFailure: {Destination: orders-dead}}
  - {EventSource: stream:sales/fan-out, FunctionName: packed, StartingPosition: TRIM_HORIZON, Enabled: false}
"""

HANDLER = """
import json, os, urllib.request
def handler(event, context):
    for record in event["Records"]:
        body = {"QueueUrl": "http://any/123456789012/" + os.environ["QUEUE"], "MessageBody": record["body"]}
        key = "AWS4-HMAC-SHA256 Credential=123456789012/20300101/eu-central-1/sqs/aws4_request"
        urllib.request.urlopen(urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], json.dumps(body).encode(), {
            "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.SendMessage",
            "Authorization": key + ", SignedHeaders=host, Signature=0"}), timeout=5).close()
"""


HOME = 'settings: {region: eu-central-1, account: "123456789012"}\n'


class ConfiguredBy(InDirectory):
    def setUp(self):
        super().setUp()
        self.file = pathlib.Path(self.directory, "penstock.yaml")
        code = pathlib.Path(self.directory, "code")
        code.mkdir()
        (code / "app.py").write_text(HANDLER)
        self.pack("1")
        self.clients = []

    def tearDown(self):
        for client in self.clients:
            client.close()
        super().tearDown()

    def pack(self, version):
        with zipfile.ZipFile(pathlib.Path(self.directory, "code.zip"), "w") as archive:
            archive.writestr(zipfile.ZipInfo("app.py"), f"def handler(event, context):\n    return {version}\n")

    def start(self, text=FILE, *flags):
        self.file.write_text(text)
        return Server(self.directory, "--config", str(self.file), *flags)

    def client(self, server, service):
        client = boto3.client(service, endpoint_url=server.endpoint, region_name="eu-central-1",
                              aws_access_key_id="123456789012", aws_secret_access_key="any",
                              config=Config(retries={"max_attempts": 0}))
        self.clients.append(client)
        return client

    def refused(self, text, *flags):
        """What a start says that fails, without the name of the directory."""
        self.file.write_text(text)
        status, out, log = self.run_to_end("serve", "--port", "0", "--data-dir", self.directory + "/data", "--log-level",
                                           "off", "--config", str(self.file), *flags)
        self.assertEqual((status, out), (1, ""), log)
        return log.replace(self.directory + "/", "").splitlines()

    def described(self, server):
        """All that the file makes, as clients see it."""
        sqs, kinesis, functions = (self.client(server, name) for name in ("sqs", "kinesis", "lambda"))
        queues = {url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
                  for url in sqs.list_queues().get("QueueUrls", [])}
        streams = {name: kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
                   for name in kinesis.list_streams()["StreamNames"]}
        known = [functions.get_function(FunctionName=function["FunctionName"])
                 for function in functions.list_functions()["Functions"]]
        for function in known:
            function.pop("ResponseMetadata")
            function["Code"].pop("Location", None)
        mappings = functions.list_event_source_mappings()["EventSourceMappings"]
        for queue in queues.values():
            for count in [name for name in queue if name.startswith("Approximate")]:
                queue.pop(count)
        return {url.rsplit("/", 1)[1]: queue for url, queue in queues.items()}, streams, known, mappings


class Apply(ConfiguredBy):
    def test_everything_is_there_when_the_server_is_ready(self):
        with self.start() as server:
            queues, streams, functions, mappings = self.described(server)
            self.assertEqual(sorted(queues), ["done", "left", "line.fifo", "orders", "orders-dead", "right"])
            orders = queues["orders"]
            self.assertEqual(orders["VisibilityTimeout"], "60")
            self.assertEqual(orders["QueueArn"], "arn:aws:sqs:eu-central-1:123456789012:orders")
            self.assertEqual(json.loads(orders["RedrivePolicy"]), {
                "deadLetterTargetArn": "arn:aws:sqs:eu-central-1:123456789012:orders-dead", "maxReceiveCount": 3})
            self.assertTrue(json.loads(queues["left"]["RedrivePolicy"])["deadLetterTargetArn"].endswith(":right"))
            self.assertTrue(json.loads(queues["right"]["RedrivePolicy"])["deadLetterTargetArn"].endswith(":left"))
            self.assertEqual(queues["line.fifo"]["FifoQueue"], "true")
            sqs, kinesis = self.clients[:2]
            url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
            self.assertEqual(sqs.list_queue_tags(QueueUrl=url)["Tags"], {"team": "shop"})

            self.assertEqual({name: (one["StreamStatus"], one["OpenShardCount"], one["RetentionPeriodHours"])
                              for name, one in streams.items()},
                             {"sales": ("ACTIVE", 2, 48), "clicks": ("ACTIVE", 4, 24)})
            self.assertEqual(streams["clicks"]["StreamModeDetails"], {"StreamMode": "ON_DEMAND"})
            self.assertEqual((streams["clicks"]["EncryptionType"], streams["clicks"]["KeyId"],
                              streams["clicks"]["EnhancedMonitoring"]),
                             ("KMS", "alias/one", [{"ShardLevelMetrics": ["IncomingBytes"]}]))
            consumers = kinesis.list_stream_consumers(StreamARN=streams["sales"]["StreamARN"])["Consumers"]
            self.assertEqual([(one["ConsumerName"], one["ConsumerStatus"]) for one in consumers], [("fan-out", "ACTIVE")])
            self.assertEqual(self.own_consumer(server)["LeaseMillis"], 5000)

            once, packed, take = functions
            self.assertEqual(take["Configuration"]["Description"], "Takes orders.")
            self.assertEqual(take["Configuration"]["Timeout"], 20)
            self.assertEqual(take["Configuration"]["Environment"], {"Variables": {"QUEUE": "done"}})
            self.assertEqual(take["Concurrency"], {"ReservedConcurrentExecutions": 5})
            self.assertEqual(take["Tags"], {"team": "shop"})
            self.assertEqual(packed["Configuration"]["MemorySize"], 256)
            self.assertEqual(packed["Configuration"]["Architectures"], ["arm64"])
            self.assertEqual(once["Configuration"]["FunctionName"], "once")
            invokes = self.clients[2].get_function_event_invoke_config(FunctionName="once")
            self.assertEqual((invokes["MaximumRetryAttempts"], invokes["MaximumEventAgeInSeconds"],
                              invokes["DestinationConfig"]["OnFailure"]["Destination"]),
                             (1, 21600, "arn:aws:sqs:eu-central-1:123456789012:done"))

            by_source = {one["EventSourceArn"].rsplit(":", 1)[1]: one for one in mappings}
            self.assertEqual(len(mappings), 3)
            self.assertEqual(by_source["orders"]["BatchSize"], 5)
            self.assertEqual(json.loads(by_source["orders"]["FilterCriteria"]["Filters"][0]["Pattern"]),
                             {"body": {"kind": ["order"]}})
            self.assertEqual(by_source["stream/sales"]["DestinationConfig"]["OnFailure"]["Destination"],
                             "arn:aws:sqs:eu-central-1:123456789012:orders-dead")
            self.assertIn(consumers[0]["ConsumerARN"], [one["EventSourceArn"] for one in mappings])

    def own_consumer(self, server):
        status, _, text = request(server, "GET", "/_penstock/streams/sales/consumers/billing")
        self.assertEqual(status, 200, text)
        return json.loads(text)

    def test_a_function_and_a_mapping_of_the_file_process_a_message(self):
        with self.start() as server:
            sqs = self.client(server, "sqs")
            orders, done = (sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in ("orders", "done"))
            body = json.dumps({"kind": "order", "id": 7})
            sqs.send_message(QueueUrl=orders, MessageBody=body)
            messages = sqs.receive_message(QueueUrl=done, WaitTimeSeconds=20)["Messages"]
            self.assertEqual([message["Body"] for message in messages], [body])

    def test_a_second_start_changes_nothing(self):
        with self.start() as server:
            before = self.described(server)
            self.assertEqual(server.stop()[0], 0)
        with self.start() as server:
            self.assertEqual(self.described(server), before)
            status, log = server.stop()
            self.assertEqual(status, 0)
            self.assertIn("0 created, 0 updated, 15 as they were", log)

    def test_what_differs_is_changed_and_the_rest_left_alone(self):
        with self.start() as server:
            before = self.described(server)
            sqs, _, functions = self.clients
            orders = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
            # What the file does not name.
            sqs.set_queue_attributes(QueueUrl=orders, Attributes={"DelaySeconds": "5"})
            sqs.tag_queue(QueueUrl=orders, Tags={"mine": "yes"})
            sqs.create_queue(QueueName="mine")
            functions.update_function_configuration(FunctionName="packed", Timeout=77)
            functions.update_function_event_invoke_config(FunctionName="once", MaximumEventAgeInSeconds=60)
            server.stop()
        self.pack("2")
        changed = FILE
        for old, new in (("VisibilityTimeout: 60", "VisibilityTimeout: 90"), ("maxReceiveCount: 3", "maxReceiveCount: 4"),
                         ("team: shop}\n  orders-dead", "team: mill}\n  orders-dead"),
                         ("ShardCount: 2, RetentionPeriodHours: 48", "ShardCount: 4, RetentionPeriodHours: 24"),
                         ("Consumers: [fan-out]", "Consumers: [fan-out, other]"),
                         ("Timeout: 20", "Timeout: 30"), ("Environment: {QUEUE: done}", "Environment: {OTHER: done}"),
                         ("ReservedConcurrentExecutions: 5", "ReservedConcurrentExecutions: 6"),
                         ("MemorySize: 256", "MemorySize: 512"), ("Command: [cat]", "Command: [cat, '-']"),
                         ("KeyId: alias/one", "KeyId: alias/two"), ("[IncomingBytes]", "[OutgoingBytes, OutgoingRecords]"),
                         ("Architectures: [arm64]", "Architectures: [x86_64]"),
                         ("MaximumRetryAttempts: 1", "MaximumRetryAttempts: 0"), ("stage: test", "stage: live, new: yes"),
                         ("BatchSize: 5", "BatchSize: 6"), ("kind: [order]", "kind: [offer]"),
                         ("Enabled: false", "Enabled: true")):
            self.assertIn(old, changed)
            changed = changed.replace(old, new)
        with self.start(changed) as server:
            queues, streams, functions, mappings = self.described(server)
            self.assertEqual((queues["orders"]["VisibilityTimeout"], queues["orders"]["DelaySeconds"]), ("90", "5"))
            self.assertEqual(json.loads(queues["orders"]["RedrivePolicy"])["maxReceiveCount"], 4)
            self.assertIn("mine", queues)
            sqs = self.client(server, "sqs")
            self.assertEqual(sqs.list_queue_tags(QueueUrl=sqs.get_queue_url(QueueName="orders")["QueueUrl"])["Tags"],
                             {"team": "mill", "mine": "yes"})
            self.assertEqual((streams["sales"]["OpenShardCount"], streams["sales"]["RetentionPeriodHours"],
                              streams["sales"]["ConsumerCount"]), (4, 24, 2))
            self.assertEqual((streams["clicks"]["KeyId"], streams["clicks"]["EnhancedMonitoring"]),
                             ("alias/two", [{"ShardLevelMetrics": ["OutgoingBytes", "OutgoingRecords"]}]))
            once, packed, take = functions
            known = self.client(server, "lambda")
            invokes = known.get_function_event_invoke_config(FunctionName="once")
            self.assertEqual((invokes["MaximumRetryAttempts"], invokes["MaximumEventAgeInSeconds"]), (0, 60))
            self.assertEqual(packed["Configuration"]["Architectures"], ["x86_64"])
            [of_orders] = [one for one in mappings if one["EventSourceArn"].endswith(":orders")]
            # Debian's client is older than the member that tells the ARN.
            arn = of_orders["FunctionArn"].split(":function:")[0] + ":event-source-mapping:" + of_orders["UUID"]
            self.assertEqual(known.list_tags(Resource=arn)["Tags"],
                             {"stage": "live", "new": "yes"})
            self.assertEqual((take["Configuration"]["Timeout"], take["Configuration"]["Environment"]["Variables"]),
                             (30, {"OTHER": "done"}))
            self.assertEqual(take["Configuration"]["Description"], "Takes orders.")
            self.assertEqual(take["Concurrency"]["ReservedConcurrentExecutions"], 6)
            self.assertEqual((packed["Configuration"]["MemorySize"], packed["Configuration"]["Timeout"]), (512, 77))
            self.assertNotEqual(packed["Configuration"]["CodeSha256"], before[2][1]["Configuration"]["CodeSha256"])
            by_id = {one["UUID"]: one for one in before[3]}
            for mapping in mappings:
                self.assertIn(mapping["UUID"], by_id)
            self.assertEqual([one["BatchSize"] for one in mappings if one["EventSourceArn"].endswith(":orders")], [6])
            wait_until(lambda: {one["State"] for one in self.described(server)[3]} == {"Enabled"})
            status, log = server.stop()
            self.assertEqual(status, 0)
            self.assertIn("0 created, 8 updated, 7 as they were", log)

    def test_a_fault_of_an_update_leaves_the_others_their_state(self):
        with self.start() as server:
            server.stop()
        for old, new, place in (
                ("StartingPosition: LATEST", "StartingPosition: TRIM_HORIZON", "stream:sales"),
                ("LeaseMillis: 5000", "LeaseMillis: 6000", "billing"),
                ("ShardCount: 2", "ShardCount: 9", "sales")):
            lines = self.refused(FILE.replace(old, new).replace("VisibilityTimeout: 60", "VisibilityTimeout: 61"))
            self.assertEqual(len(lines), 1, lines)
            number = next(n for n, line in enumerate(FILE.splitlines(), 1) if old in line)
            self.assertRegex(lines[0], rf"^penstock\.yaml:{number}:\d+: .*")
        with Server(self.directory, "--no-config", "--region", "eu-central-1", "--account", "123456789012") as server:
            sqs = self.client(server, "sqs")
            url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
            attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            self.assertEqual(attributes["VisibilityTimeout"], "60")

    def test_a_zip_may_become_a_directory_but_not_the_other_way_round(self):
        settings = "Runtime: python3.11, Handler: app.handler, Description: kept, MemorySize: 192"
        with self.start(HOME + "functions: {f: {" + settings + ", Code: code.zip}}\n") as server:
            self.client(server, "lambda").update_function_configuration(FunctionName="f", Timeout=9)
            server.stop()
        directory = HOME + "functions:\n  f: {Runtime: python3.11, Handler: app.handler, Code: ./code}\n"
        for summary in ("0 created, 1 updated, 0 as they were", "0 created, 0 updated, 1 as they were"):
            with self.start(directory) as server:
                function = self.client(server, "lambda").get_function_configuration(FunctionName="f")
                self.assertEqual([function[name] for name in ("Timeout", "MemorySize", "Description")], [9, 192, "kept"])
                _, _, text = request(server, "GET", "/_penstock/functions/f")
                self.assertEqual(json.loads(text)["Directory"], self.directory + "/code")
                self.assertIn(summary, server.stop()[1])
        self.assertEqual(self.refused(directory.replace("./code", "code.zip")), [
            "penstock.yaml:3:56: the function 'f' is registered without a zip, and cannot be changed to one; remove it "
            "before"])

    def test_settings_that_only_lambda_has_stay_when_another_command_is_registered(self):
        text = HOME + "functions: {f: {Kind: exec, Command: [cat], Description: Echoes., Timeout: 7}}\n"
        with self.start(text) as server:
            server.stop()
        with self.start(text.replace("Command: [cat], Description: Echoes., Timeout: 7", "Command: [tee]")) as server:
            function = self.client(server, "lambda").get_function_configuration(FunctionName="f")
            self.assertEqual([function[name] for name in ("Timeout", "Description")], [7, "Echoes."])

    def test_a_mapping_may_begin_at_a_date(self):
        text = HOME + ("streams: {s: }\nfunctions: {f: {Kind: exec, Command: [cat]}}\nmappings:\n  - {EventSource: stream:s, "
                       "FunctionName: f, StartingPosition: AT_TIMESTAMP, StartingPositionTimestamp: 2020-01-31T12:00:00+01:00}\n")
        for summary in ("3 created, 0 updated, 0 as they were", "0 created, 0 updated, 3 as they were"):
            with self.start(text) as server:
                [mapping] = self.described(server)[3]
                self.assertEqual(mapping["StartingPositionTimestamp"].timestamp(), 1580468400)
                self.assertIn(summary, server.stop()[1])

    def test_what_was_encrypted_and_measured_can_be_so_no_more(self):
        text = HOME + "streams: {s: {StreamEncryption: {EncryptionType: KMS, KeyId: k}, ShardLevelMetrics: [ALL]}}\n"
        with self.start(text) as server:
            stream = self.described(server)[1]["s"]
            self.assertEqual((stream["EncryptionType"], len(stream["EnhancedMonitoring"][0]["ShardLevelMetrics"])), ("KMS", 7))
            server.stop()
        for old, new in (("KMS, KeyId: k", "NONE"), ("[ALL]", "[]")):
            text = text.replace(old, new)
        for summary in ("0 created, 1 updated, 0 as they were", "0 created, 0 updated, 1 as they were"):
            with self.start(text) as server:
                stream = self.described(server)[1]["s"]
                self.assertEqual((stream["EncryptionType"], stream["EnhancedMonitoring"]), ("NONE", [{"ShardLevelMetrics": []}]))
                self.assertIn(summary, server.stop()[1])


class Refuse(ConfiguredBy):
    def test_all_problems_are_told_with_their_places(self):
        lines = self.refused("settings: {port: many, colour: red}\nqueues:\n  q: {VisibilityTimeout: 99999}\n  r: {Colour: x}\n"
                             "streams:\n  s: {ShardCount: x}\nnothing: 1\n")
        self.assertEqual([line.split(" ")[0] for line in lines],
                         ["penstock.yaml:1:18:", "penstock.yaml:1:32:", "penstock.yaml:3:26:", "penstock.yaml:4:7:",
                          "penstock.yaml:6:19:", "penstock.yaml:7:1:"], lines)
        self.assertFalse(pathlib.Path(self.directory, "data").exists())

    def test_names_that_nobody_has_are_told_before_anything_is_made(self):
        lines = self.refused("queues:\n  q: {RedrivePolicy: {deadLetterTargetArn: none, maxReceiveCount: 2}}\n"
                             "mappings:\n  - {EventSource: 'queue:none', FunctionName: nobody}\n"
                             "  - {EventSource: 'stream:none', FunctionName: nobody, StartingPosition: LATEST}\n"
                             "consumers: {none: {c: {}}}\n")
        self.assertEqual(lines, [
            "penstock.yaml:2:22: there is no queue 'none', neither in the file nor on the server",
            "penstock.yaml:4:19: there is no queue 'none', neither in the file nor on the server",
            "penstock.yaml:4:47: there is no function 'nobody', neither in the file nor on the server",
            "penstock.yaml:5:19: there is no stream 'none', neither in the file nor on the server",
            "penstock.yaml:5:48: there is no function 'nobody', neither in the file nor on the server",
            "penstock.yaml:6:20: there is no stream 'none', neither in the file nor on the server"])
        with Server(self.directory) as server:
            self.assertEqual(server.call("ListQueues", {})[1].get("QueueUrls", []), [])

    def test_a_function_that_cannot_run_here_is_told_before_anything_is_made(self):
        with unittest.mock.patch.dict(os.environ, {"PATH": "/nowhere"}):
            lines = self.refused("queues: {q: }\nfunctions:\n  f: {Runtime: nodejs20.x, Handler: a.b, Code: .}\n")
        self.assertEqual(lines, ["penstock.yaml:3:16: The runtime nodejs20.x needs node or nodejs on this server's PATH, "
                                 "and there is none."])
        self.assertFalse(pathlib.Path(self.directory, "data").exists())

    def test_what_the_server_refuses_only_then_is_told_with_its_place(self):
        lines = self.refused("functions:\n  f: {Command: [cat], ReservedConcurrentExecutions: 99}\n")
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex(lines[0], r"^penstock\.yaml:2:53: .*ReservedConcurrentExecutions")

    def test_what_does_not_go_together_is_told_before_anything_is_made(self):
        text = ("queues:\n  a: {VisibilityTimeout: 1}\n  q: {RedrivePolicy: {deadLetterTargetArn: qd, maxReceiveCount: 3}}\n"
                "  qd: {RedriveAllowPolicy: {redrivePermission: denyAll}}\n"
                "functions:\n  e: {Kind: exec, Command: [cat], ReservedConcurrentExecutions: 500}\n"
                "mappings: [{EventSource: 'queue:a', FunctionName: e}]\n")
        with Server(self.directory) as server:
            for words in (("check",), ("plan",), ("apply",), ("apply", "--dry-run")):
                status, out, log = self.config(*words, str(self.file), server=server, text=text)
                self.assertEqual((status, out), (1, ""))
                self.check_what_does_not_go_together(log.replace(self.directory + "/", "").splitlines())
            self.assertEqual(server.call("ListQueues", {})[1].get("QueueUrls", []), [])
        self.check_what_does_not_go_together(self.refused(text))

    def config(self, *arguments, server, text):
        self.file.write_text(text)
        return self.run_to_end("config", *arguments, "--endpoint", server.endpoint)

    def check_what_does_not_go_together(self, lines):
        self.assertEqual(len(lines), 3, lines)
        self.assertRegex(lines[0], r"^penstock\.yaml:3:22: Value .* does not allow this source queue\.$")
        self.assertEqual(lines[1], "penstock.yaml:6:65: Specified ReservedConcurrentExecutions for function decreases account's "
                                   "UnreservedConcurrentExecution below its minimum value of [10].")
        self.assertEqual(lines[2], "penstock.yaml:7:12: Queue visibility timeout: 1 seconds is less than Function timeout: 3 "
                                   "seconds")

    def test_a_plan_judges_by_what_the_server_has(self):
        """Each edit of a file that was applied: what plan says of it is what apply does."""
        base = ("queues: {a: {VisibilityTimeout: 60}}\nfunctions: {e: {Kind: exec, Command: [cat], Timeout: 60}}\n"
                "mappings: [{EventSource: 'queue:a', FunctionName: e, BatchSize: 5}]\n")
        short = r"penstock\.yaml:{}: Queue visibility timeout: {} seconds is less than Function timeout: {} seconds"
        with Server(self.directory, "--concurrency", "20") as server:
            self.assertEqual(self.config("apply", str(self.file), server=server, text=base)[0], 0)
            for text, expected in (
                    # The server's values stand where the file has none.
                    (base.replace("{VisibilityTimeout: 60}", ""), None),
                    (base.replace(", Timeout: 60", ""), None),
                    ("functions: {f: {Kind: exec, Command: [cat], Timeout: 60}}\n"
                     "mappings: [{EventSource: 'queue:a', FunctionName: f, Enabled: false}]\n", None),
                    ("functions: {g: {Kind: exec, Command: [cat], Timeout: 61}}\n"
                     "mappings: [{EventSource: 'queue:a', FunctionName: g}]\n", short.format("2:12", 60, 61)),
                    # A function that is to run for longer, with a queue that the file names, and with one that it does not.
                    (base.replace("Timeout: 60", "Timeout: 61"), None),
                    (base.replace(", Timeout: 60}", ", Timeout: 62}"), short.format("2:54", 60, 62)),
                    ("functions: {e: {Kind: exec, Command: [cat], Timeout: 62}}\n", short.format("1:54", 61, 62)),
                    ("functions: {e: {Kind: exec, Command: [cat, '-'], Timeout: 62}}\n", short.format("1:59", 61, 62)),
                    # Both at once; and a queue alone, which knows nothing of mappings, until the mapping changes.
                    (base.replace("Timeout: 60", "Timeout: 62"), None),
                    (base.replace("VisibilityTimeout: 60", "VisibilityTimeout: 1").replace(", Timeout: 60", ""), None),
                    (base.replace("VisibilityTimeout: 60", "VisibilityTimeout: 2").replace("BatchSize: 5", "BatchSize: 6"),
                     short.format("3:12", 2, 60)),
                    (base.replace("VisibilityTimeout: 60", "VisibilityTimeout: 2").replace(", BatchSize: 5", ", Enabled: false"),
                     None),
                    (base.replace("VisibilityTimeout: 60", "VisibilityTimeout: 2").replace("BatchSize: 5", "BatchSize: 7"), None),
                    (base.replace("VisibilityTimeout: 60", "VisibilityTimeout: 2").replace("BatchSize: 5", "Enabled: true"),
                     short.format("3:12", 2, 60)),
                    # Dead letters.
                    ("queues: {d: {RedriveAllowPolicy: {redrivePermission: denyAll}}}\n", None),
                    ("queues: {s: {RedrivePolicy: {deadLetterTargetArn: d, maxReceiveCount: 3}}}\n", "does not allow this source"),
                    ("queues: {a: {RedrivePolicy: {deadLetterTargetArn: d, maxReceiveCount: 3}}}\n", "does not allow this source"),
                    ("queues: {a: {RedrivePolicy: {deadLetterTargetArn: d, maxReceiveCount: 3}}, "
                     "d: {RedriveAllowPolicy: {redrivePermission: byQueue, sourceQueueArns: [a]}}}\n", None),
                    ("queues: {d: {RedriveAllowPolicy: {redrivePermission: denyAll}}}\n", None),
                    ("queues: {a: {RedrivePolicy: {deadLetterTargetArn: d, maxReceiveCount: 3}}}\n", None),
                    # Concurrency: 18 of the 20 are to be had, in the order of the file.
                    ("functions: {e: {Kind: exec, Command: [cat], ReservedConcurrentExecutions: 19}}\n", "minimum value of .2."),
                    ("functions: {e: {Kind: exec, Command: [cat], ReservedConcurrentExecutions: 18}}\n", None),
                    ("functions: {f: {Kind: exec, Command: [cat], ReservedConcurrentExecutions: 9}, "
                     "e: {Kind: exec, Command: [cat], ReservedConcurrentExecutions: 9}}\n", "minimum value of .2."),
                    ("functions: {e: {Kind: exec, Command: [cat], ReservedConcurrentExecutions: 9}, "
                     "f: {Kind: exec, Command: [cat], ReservedConcurrentExecutions: 9}}\n", None)):
                planned = self.config("plan", str(self.file), server=server, text=text)
                applied = self.config("apply", str(self.file), server=server, text=text)
                self.assertEqual((planned[0], applied[0]), (0, 0) if expected is None else (1, 1), (text, planned, applied))
                self.assertEqual(planned[2], applied[2])
                self.assertRegex(planned[2], expected or "^$", text)
                self.settle(server)

    def settle(self, server):
        """A mapping that changes may not be changed anew."""
        functions = self.client(server, "lambda")
        wait_until(lambda: all(mapping["State"] in ("Enabled", "Disabled")
                               for mapping in functions.list_event_source_mappings()["EventSourceMappings"]))

    def test_all_that_is_wrong_with_one_is_told_at_once(self):
        lines = self.refused("queues:\n  q: {FifoQueue: maybe, VisibilityTimeout: abc, DelaySeconds: 901}\n"
                             "functions:\n  f: {Kind: exec, Command: [cat], Environment: {B: x}, Timeout: no, MemorySize: 1}\n")
        self.assertEqual([line.split(" ")[0] for line in lines],
                         ["penstock.yaml:2:18:", "penstock.yaml:2:44:", "penstock.yaml:2:63:", "penstock.yaml:4:52:",
                          "penstock.yaml:4:65:", "penstock.yaml:4:81:"], lines)

    def test_a_file_that_is_not_there(self):
        status, _, log = self.run_to_end("serve", "--config", self.directory + "/none.yaml")
        self.assertEqual((status, log), (1, self.directory + "/none.yaml: cannot be read: No such file or directory\n"))

    def test_a_signal_ends_a_start(self):
        self.file.write_text("streams: {a: , b: }\n")
        process = subprocess.Popen([harness.PENSTOCK, "serve", "--port", "0", "--data-dir", self.directory + "/data",
                                    "--stream-transition", "600000", "--config", str(self.file)],
                                   stderr=subprocess.PIPE, text=True)
        def caught():
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            return int(status.split("SigCgt:")[1].split()[0], 16)
        wait_until(lambda: caught() & 1 << signal.SIGTERM - 1)
        process.terminate()
        _, log = process.communicate(timeout=LIMIT)
        self.assertEqual(process.returncode, 0, log)


class Settings(ConfiguredBy):
    def test_a_file_in_the_working_directory_is_found(self):
        self.file.write_text("settings: {port: 0, data-dir: ./mine, ready-file: here}\nqueues: {found: }\n")
        process = subprocess.Popen([harness.PENSTOCK, "serve"], cwd=self.directory, stderr=subprocess.PIPE, text=True)
        ready = pathlib.Path(self.directory, "here")
        try:
            wait_until(ready.exists)
            self.assertTrue(pathlib.Path(self.directory, "mine").is_dir())
        finally:
            process.terminate()
            _, log = process.communicate(timeout=LIMIT)
        self.assertEqual(process.returncode, 0)
        self.assertIn("set up by penstock.yaml", log)
        self.assertIn("queue found: create", log)

    def test_a_flag_wins_over_a_setting(self):
        with self.start("settings: {region: eu-west-3, data-dir: other, threads: 1}\nqueues: {a: }\n", "--region",
                        "eu-north-1") as server:
            url = server.call("GetQueueUrl", {"QueueName": "a"})[1]["QueueUrl"]
            arn = server.call("GetQueueAttributes", {"QueueUrl": url, "AttributeNames": ["QueueArn"]})[1]
            self.assertEqual(arn["Attributes"]["QueueArn"], "arn:aws:sqs:eu-north-1:000000000000:a")
        self.assertFalse(pathlib.Path(self.directory, "other").exists())

    def test_what_holds_anchors_is_passed_over(self):
        with self.start(HOME + "x-usual: &usual {VisibilityTimeout: 77}\nqueues: {q: {<<: *usual}}\n") as server:
            self.assertEqual(self.described(server)[0]["q"]["VisibilityTimeout"], "77")

    def test_functions_of_the_file_run_where_others_may_not_be_registered(self):
        with self.start("functions: {f: {Kind: exec, Command: [cat]}}\n", "--host", "0.0.0.0") as server:
            status, _, text = request(server, "POST", "/2015-03-31/functions/f/invocations", '{"a":1}', scope=None)
            self.assertEqual((status, json.loads(text)), (200, {"a": 1}))
            status, _, _ = request(server, "PUT", "/_penstock/functions/g", '{"Kind":"exec","Command":["cat"]}')
            self.assertEqual(status, 401)


class CommandLine(ConfiguredBy):
    def config(self, *arguments, server=None):
        endpoint = ["--endpoint", server.endpoint] if server else []
        return self.run_to_end("config", *arguments, *endpoint)

    def test_check_prints_what_there_is_to_be(self):
        self.file.write_text(FILE)
        status, out, log = self.config("check", str(self.file))
        self.assertEqual((status, log), (0, ""))
        rows = [line.split("\t") for line in out.splitlines()]
        self.assertEqual(rows[0], ["KIND", "NAME", "LINE"])
        self.assertIn(["queue", "orders", "4"], rows)
        self.assertIn(["mapping", "queue:orders take", "32"], rows)
        self.assertEqual(len(rows), 16)
        status, out, _ = self.config("check", str(self.file), "--json")
        self.assertEqual(json.loads(out)["Resources"][0], {"Kind": "queue", "Name": "orders", "Line": 4})

    def test_check_tells_all_problems(self):
        self.file.write_text("settings: {colour: red}\nqueues: {q: {DelaySeconds: 901}}\n")
        status, out, log = self.config("check", str(self.file))
        self.assertEqual((status, out), (1, ""))
        self.assertEqual(len(log.splitlines()), 2, log)

    def test_one_bad_setting_makes_no_errors_elsewhere(self):
        rest = FILE.replace('settings: {region: eu-central-1, account: "123456789012"}\n', "")
        self.assertNotEqual(rest, FILE)
        self.file.write_text("settings: {account: 12, region: eu-west-1}\n" + rest)
        for words in (("config", "check", str(self.file)), ("serve", "--config", str(self.file), "--ephemeral")):
            status, _, log = self.run_to_end(*words)
            self.assertEqual((status, len(log.splitlines())), (1, 1), log)
            self.assertIn("'account' is 12 digits", log)
        arn = "arn:aws:sqs:eu-west-1:000000000000:dead"
        self.file.write_text("settings: {account: 12, region: eu-west-1}\nqueues:\n  dead:\n  q:\n    RedrivePolicy: "
                             "{deadLetterTargetArn: '" + arn + "', maxReceiveCount: 3}\n")
        for words in (("config", "check", str(self.file)), ("serve", "--config", str(self.file), "--ephemeral")):
            self.assertEqual(len(self.run_to_end(*words)[2].splitlines()), 1)

    def test_convert_prints_yaml_or_json_and_reads_standard_input(self):
        text = "queues { jobs { delay = 5 seconds } }"
        self.file.write_text(text)
        status, yaml, log = self.config("convert", str(self.file))
        self.assertEqual((status, log), (0, ""))
        self.assertTrue(yaml.startswith("# Made of a file of ElasticMQ"), yaml)
        status, out, _ = self.config("convert", str(self.file), "--json")
        self.assertEqual((status, json.loads(out)), (0, {"queues": {"jobs": {"DelaySeconds": 5}}}))
        for flags, expected in (((), yaml), (("--json",), out)):
            run = subprocess.run([harness.PENSTOCK, "config", "convert", "-", *flags], input=text, text=True,
                                 capture_output=True, timeout=60)
            self.assertEqual((run.returncode, run.stdout, run.stderr), (0, expected, ""))
        run = subprocess.run([harness.PENSTOCK, "config", "convert", "-"], input="queues {", text=True,
                             capture_output=True, timeout=60)
        self.assertEqual((run.returncode, run.stderr.split(":")[0]), (1, "standard input"))

    def test_plan_tells_what_would_be_done_and_apply_does_it(self):
        self.file.write_text(FILE)
        with Server(self.directory) as server:
            for words in (("plan",), ("apply", "--dry-run")):
                status, out, log = self.config(*words, str(self.file), server=server)
                self.assertEqual((status, log), (0, ""))
                self.assertEqual([line.split("\t")[3] for line in out.splitlines()], ["ACTION"] + 15 * ["create"])
            self.assertNotIn("QueueUrls", self.client(server, "sqs").list_queues())
            status, _, log = self.config("apply", str(self.file), server=server)
            self.assertEqual((status, log), (0, ""))
            self.assertEqual(len(self.described(server)[3]), 3)
            self.file.write_text(FILE.replace("BatchSize: 5", "BatchSize: 6"))
            status, out, _ = self.config("plan", str(self.file), "--json", server=server)
            changed = [one for one in json.loads(out)["Resources"] if one["Action"] != "keep"]
            self.assertEqual([(one["Name"], one["Action"], one["Changes"]) for one in changed],
                             [("queue:orders take", "update", ["BatchSize"])])

    def test_usage(self):
        self.assertEqual(self.config("frobnicate")[0], 2)
        self.file.write_text("")
        self.assertEqual(self.config("plan", str(self.file), "--endpoint", "http://127.0.0.1:1")[0], 0)
        self.file.write_text("queues: {a: }")
        self.assertEqual(self.config("plan", str(self.file), "--endpoint", "http://127.0.0.1:1")[0], 3)
        self.assertEqual(self.run_to_end("serve", "--config", "x", "--no-config")[0], 2)


def request(server, method, path, body=None, scope="123456789012/20300101/eu-central-1"):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}/any/aws4_request"} if scope else {}
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


if __name__ == "__main__":
    harness.main()
