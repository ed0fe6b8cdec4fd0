#!/usr/bin/env python3
"""A server that is set up by a CloudFormation or SAM template: what comes of it as boto3 sees it, that its functions run,
what a second start changes (nothing), what is passed over and what is refused. Runs the real binary: test_templates.py
--penstock BIN [unittest arguments]."""

import json
import os
import pathlib
import unittest.mock

import boto3
from botocore.config import Config

import harness
from harness import InDirectory, Server

TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev}
  Words: {Type: CommaDelimitedList, Default: "a,b"}
Conditions:
  IsLive: !Equals [!Ref Stage, live]
Globals:
  Function: {Runtime: python3.11, Timeout: 20}
Resources:
  Orders:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "orders-${Stage}"
      VisibilityTimeout: 60
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
      Tags: [{Key: team, Value: shop}]
  Dead: {Type: AWS::SQS::Queue}
  Done: {Type: AWS::SQS::Queue}
  Line: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}
  Live: {Type: AWS::SQS::Queue, Condition: IsLive}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Orders]
      PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: "*", Action: "sqs:*", Resource: !GetAtt Orders.Arn}]}
  Sales: {Type: AWS::Kinesis::Stream, Properties: {ShardCount: 2, RetentionPeriodHours: 48}}
  FanOut: {Type: AWS::Kinesis::StreamConsumer, Properties: {ConsumerName: fan-out, StreamARN: !GetAtt Sales.Arn}}
  Take:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ./code
      Handler: app.handler
      Policies: [AWSLambdaBasicExecutionRole]
      Environment: {Variables: {QUEUE: !GetAtt Done.QueueName, WORDS: !Join ["+", !Ref Words], URL: !Ref Done}}
      EventInvokeConfig: {MaximumRetryAttempts: 1}
      Tags: {team: shop}
      Events:
        Orders: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn, BatchSize: 5}}
        Sales: {Type: Kinesis, Properties: {Stream: !Ref FanOut, StartingPosition: TRIM_HORIZON, Enabled: false}}
        Web: {Type: Api, Properties: {Path: /, Method: get}}
  Echo:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code:
        ZipFile: |
          import os
          def handler(event, context):
              return [event, os.environ["STAGE"]]
      Environment: {Variables: {STAGE: !Ref Stage}}
  EchoSales:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt Sales.Arn, FunctionName: !Ref Echo, StartingPosition: LATEST, Enabled: false}
  Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}}}
Outputs:
  Url: {Value: !Ref Orders}
"""

HANDLER = """
import json, os, urllib.request
def handler(event, context):
    for record in event["Records"]:
        body = {"QueueUrl": "http://any/000000000000/" + os.environ["QUEUE"], "MessageBody": record["body"] + os.environ["WORDS"]}
        key = "AWS4-HMAC-SHA256 Credential=any/20300101/us-east-1/sqs/aws4_request"
        urllib.request.urlopen(urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], json.dumps(body).encode(), {
            "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.SendMessage",
            "Authorization": key + ", SignedHeaders=host, Signature=0"}), timeout=5).close()
"""


class Templates(InDirectory):
    def setUp(self):
        super().setUp()
        self.file = pathlib.Path(self.directory, "template.yaml")
        self.file.write_text(TEMPLATE)
        code = pathlib.Path(self.directory, "code")
        code.mkdir()
        (code / "app.py").write_text(HANDLER)
        self.clients = []

    def tearDown(self):
        for client in self.clients:
            client.close()
        super().tearDown()

    def start(self, *flags):
        return Server(self.directory, "--config", str(self.file), *flags)

    def client(self, server, service):
        client = boto3.client(service, endpoint_url=server.endpoint, region_name="us-east-1", aws_access_key_id="any",
                              aws_secret_access_key="any", config=Config(retries={"max_attempts": 0}))
        self.clients.append(client)
        return client

    def described(self, server):
        """All that the template makes, as clients see it."""
        sqs, kinesis, functions = (self.client(server, name) for name in ("sqs", "kinesis", "lambda"))
        queues = {url.rsplit("/", 1)[1]: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
                  for url in sqs.list_queues()["QueueUrls"]}
        for queue in queues.values():
            for count in [name for name in queue if name.startswith("Approximate")]:
                queue.pop(count)
        streams = {name: kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
                   for name in kinesis.list_streams()["StreamNames"]}
        known = {function["FunctionName"]: function for function in functions.list_functions()["Functions"]}
        return queues, streams, known, functions.list_event_source_mappings()["EventSourceMappings"]

    def config(self, *arguments, server=None):
        endpoint = ["--endpoint", server.endpoint] if server else []
        return self.run_to_end("config", *arguments, *endpoint)


class Apply(Templates):
    def test_boto3_sees_what_the_template_declares(self):
        with self.start() as server:
            queues, streams, functions, mappings = self.described(server)
            sqs, kinesis, known = self.clients
            self.assertEqual(sorted(queues), ["Dead", "Done", "Line.fifo", "orders-dev"])
            orders = queues["orders-dev"]
            self.assertEqual(orders["VisibilityTimeout"], "60")
            self.assertEqual(json.loads(orders["RedrivePolicy"]),
                             {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:Dead", "maxReceiveCount": 3})
            self.assertEqual(json.loads(orders["Policy"])["Statement"][0]["Resource"],
                             "arn:aws:sqs:us-east-1:000000000000:orders-dev")
            url = sqs.get_queue_url(QueueName="orders-dev")["QueueUrl"]
            self.assertEqual(sqs.list_queue_tags(QueueUrl=url)["Tags"], {"team": "shop"})

            self.assertEqual([(name, one["StreamStatus"], one["OpenShardCount"], one["RetentionPeriodHours"])
                              for name, one in streams.items()], [("Sales", "ACTIVE", 2, 48)])
            [consumer] = kinesis.list_stream_consumers(StreamARN=streams["Sales"]["StreamARN"])["Consumers"]
            self.assertEqual(consumer["ConsumerName"], "fan-out")

            self.assertEqual(sorted(functions), ["Echo", "Take"])
            self.assertEqual(functions["Take"]["Timeout"], 20)
            self.assertEqual(functions["Take"]["Environment"]["Variables"],
                             {"QUEUE": "Done", "WORDS": "a+b", "URL": "http://127.0.0.1:4566/000000000000/Done"})
            self.assertEqual(functions["Echo"]["Role"], "arn:aws:iam::000000000000:role/Role")
            self.assertEqual(known.get_function(FunctionName="Take")["Tags"], {"team": "shop"})
            self.assertEqual(known.get_function_event_invoke_config(FunctionName="Take")["MaximumRetryAttempts"], 1)

            by_source = {one["EventSourceArn"]: one for one in mappings}
            self.assertEqual(sorted(by_source), sorted([orders["QueueArn"], streams["Sales"]["StreamARN"],
                                                        consumer["ConsumerARN"]]))
            self.assertEqual(by_source[orders["QueueArn"]]["BatchSize"], 5)
            self.assertEqual(by_source[consumer["ConsumerARN"]]["StartingPosition"], "TRIM_HORIZON")

            answer = known.invoke(FunctionName="Echo", Payload=b'{"a":1}')
            self.assertEqual(json.loads(answer["Payload"].read()), [{"a": 1}, "dev"])
            sqs.send_message(QueueUrl=url, MessageBody="work")
            done = sqs.get_queue_url(QueueName="Done")["QueueUrl"]
            messages = sqs.receive_message(QueueUrl=done, WaitTimeSeconds=20)["Messages"]
            self.assertEqual([message["Body"] for message in messages], ["worka+b"])

            status, log = server.stop()
            self.assertEqual(status, 0)
            self.assertIn("template.yaml:41:9: events of the type Api are not offered here: the event 'Web' of 'Take' is skipped", log)
            self.assertIn("template.yaml:57:3: AWS::IAM::Role is not offered here: 'Role' is skipped", log)
            self.assertIn("10 created, 0 updated, 0 as they were", log)

    def test_a_second_start_changes_nothing(self):
        with self.start() as server:
            before = self.described(server)
            server.stop()
        with self.start() as server:
            self.assertEqual(self.described(server), before)
            self.assertIn("0 created, 0 updated, 10 as they were", server.stop()[1])

    def test_parameters_and_flags_change_it(self):
        with self.start("--parameter", "Stage=live", "--parameter", "Words=x,y,z") as server:
            queues, _, functions, _ = self.described(server)
            self.assertEqual(sorted(queues), ["Dead", "Done", "Line.fifo", "Live", "orders-live"])
            self.assertEqual(functions["Take"]["Environment"]["Variables"]["WORDS"], "x+y+z")

    def test_json_is_taken_too(self):
        self.file = pathlib.Path(self.directory, "template.json")
        self.file.write_text(json.dumps({"Resources": {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "${AWS::StackName}-jobs"}}}}}, indent="\t"))
        with self.start("--parameter", "AWS::StackName=shop") as server:
            self.assertEqual(server.call("GetQueueUrl", {"QueueName": "shop-jobs"})[0], 200)

    def test_truth_values_are_those_of_yaml_11(self):
        self.file.write_text("Resources:\n  Q: {Type: AWS::SQS::Queue, Properties: {FifoQueue: yes, ContentBasedDeduplication: On}}\n"
                             "  P: {Type: AWS::SQS::Queue, Properties: {FifoQueue: no, SqsManagedSseEnabled: Off}}\n")
        with self.start() as server:
            queues = self.described(server)[0]
            self.assertEqual(sorted(queues), ["P", "Q.fifo"])
            self.assertEqual(queues["Q.fifo"]["ContentBasedDeduplication"], "true")
            self.assertEqual(queues["P"]["SqsManagedSseEnabled"], "false")

    def test_a_change_of_inline_code_is_an_update(self):
        with self.start() as server:
            server.stop()
        self.file.write_text(TEMPLATE.replace("return [event,", "return ['new',"))
        with self.start() as server:
            answer = self.client(server, "lambda").invoke(FunctionName="Echo", Payload=b"{}")
            self.assertEqual(json.loads(answer["Payload"].read()), ["new", "dev"])
            self.assertIn("0 created, 1 updated, 9 as they were", server.stop()[1])


class Refuse(Templates):
    def refused(self, text, *flags):
        self.file.write_text(text)
        status, out, log = self.run_to_end("serve", "--port", "0", "--data-dir", self.directory + "/data", "--log-level", "off",
                                           "--config", str(self.file), *flags)
        self.assertEqual((status, out), (1, ""), log)
        self.assertFalse(pathlib.Path(self.directory, "data").exists())
        return log.replace(self.directory + "/", "").splitlines()

    def test_all_problems_are_told_with_their_places(self):
        self.assertEqual(self.refused(TEMPLATE.replace("Default: dev}", "}").replace("VisibilityTimeout", "VisibilityTimout")), [
            "template.yaml:4:3: the parameter 'Stage' has no value and no Default; give it one with --parameter Stage=VALUE",
            "template.yaml:15:7: there is no 'VisibilityTimout'; 'VisibilityTimeout' is meant, perhaps"])

    def test_all_that_is_wrong_with_a_resource_is_told_at_once(self):
        lines = self.refused("Resources:\n  F: {Type: AWS::Serverless::Function, Properties: {Runtime: ruby3.2, Handler: a.b}}\n"
                             "  Q: {Type: AWS::SQS::Queue, Properties: {FifoQueue: maybe, VisibilityTimeout: abc, DelaySeconds: "
                             "901}}\n")
        self.assertEqual([line.split(" ")[0] for line in lines],
                         ["template.yaml:2:3:", "template.yaml:2:62:", "template.yaml:3:54:", "template.yaml:3:80:",
                          "template.yaml:3:99:"], lines)

    def test_parameters_that_nobody_asks_for(self):
        self.assertEqual(self.refused(TEMPLATE, "--parameter", "Stag=x"),
                         ["template.yaml: of the template's parameters there is no 'Stag'; 'Stage' is meant, perhaps"])
        self.assertEqual(self.refused("queues: {a: }\n", "--parameter", "A=b"),
                         ["template.yaml: it is no template, and has no parameters"])
        for flags in (["--parameter", "A=b", "--no-config"], ["--parameter", "A", "--config", str(self.file)]):
            self.assertEqual(self.run_to_end("serve", *flags)[0], 2)

    def test_a_function_that_cannot_run_here(self):
        with unittest.mock.patch.dict(os.environ, {"PATH": "/nowhere"}):
            lines = self.refused(TEMPLATE)
        self.assertEqual(len(lines), 2, lines)
        self.assertRegex(lines[0], r"^template\.yaml:9:\d+: The runtime python3\.11 needs python3\.11 or python3 on this server's PATH")


class CommandLine(Templates):
    def test_check_prints_what_there_is_to_be(self):
        status, out, log = self.config("check", str(self.file))
        self.assertEqual(status, 0)
        self.assertEqual(len(log.splitlines()), 2, log)
        rows = [line.split("\t") for line in out.splitlines()]
        self.assertIn(["queue", "orders-dev", "11"], rows)
        self.assertIn(["mapping", "stream:Sales/fan-out Take", "40"], rows)
        status, out, _ = self.config("check", str(self.file), "--parameter", "Stage=live", "--json")
        self.assertIn({"Kind": "queue", "Name": "Live", "Line": 21}, json.loads(out)["Resources"])
        self.assertEqual(self.config("check", str(self.file), "--parameter", "Stage")[0], 2)

    def test_plan_and_apply_do_as_a_start_does(self):
        with Server(self.directory) as server:
            status, out, _ = self.config("plan", str(self.file), server=server)
            self.assertEqual((status, [line.split("\t")[3] for line in out.splitlines()]), (0, ["ACTION"] + 10 * ["create"]))
            self.assertEqual(self.config("apply", str(self.file), server=server)[0], 0)
            status, out, _ = self.config("plan", str(self.file), server=server)
            self.assertEqual([line.split("\t")[3] for line in out.splitlines()], ["ACTION"] + 10 * ["keep"])

    def test_check_looks_for_interpreters(self):
        yaml = pathlib.Path(self.directory, "penstock.yaml")
        yaml.write_text("functions:\n  f: {Runtime: nodejs20.x, Handler: a.b, Code: .}\n")
        with unittest.mock.patch.dict(os.environ, {"PATH": "/nowhere"}):
            for action in ("check", "plan", "apply"):
                status, out, log = self.config(action, str(yaml))
                self.assertEqual((status, out), (1, ""))
                self.assertEqual(log.replace(self.directory + "/", ""),
                                 "penstock.yaml:2:16: The runtime nodejs20.x needs node or nodejs on this server's PATH, and "
                                 "there is none.\n")


class Convert(Templates):
    ELASTICMQ = """\
rest-sqs { bind-port = 0 }
queues {
  orders { defaultVisibilityTimeout = 10 seconds, deadLettersQueue { name = dead, maxReceiveCount = 3 }, moveTo = x }
  dead {}
  line { fifo = true }
}
"""
    GOAWS = "Local:\n  Queues:\n    - {Name: orders, VisibilityTimeout: 10}\n  Topics:\n    - {Name: news}\n"

    def converted(self, text, *flags):
        self.file.write_text(text)
        status, out, log = self.config("convert", str(self.file), *flags)
        return status, out, log.replace(self.directory + "/", "")

    def test_what_is_made_of_a_file_starts_a_server(self):
        for text, note, names in (
                (self.ELASTICMQ, "template.yaml:3:106: 'queues.orders.moveTo' has no counterpart, and is left out\n",
                 ["dead", "line.fifo", "orders"]),
                (self.GOAWS, "template.yaml:5:7: the topic 'news' has no counterpart, and is left out\n", ["orders"])):
            status, out, log = self.converted(text)
            self.assertEqual((status, log), (0, note))
            self.file.write_text(out)
            with Server(self.directory, "--config", str(self.file), "--ephemeral", data_dir=False) as server:
                sqs = self.client(server, "sqs")
                urls = sqs.list_queues()["QueueUrls"]
                self.assertEqual(sorted(url.rsplit("/", 1)[1] for url in urls), names)
                url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
                attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
                self.assertEqual(attributes, {"VisibilityTimeout": "10"})

    def test_what_is_wrong_with_a_file(self):
        status, out, log = self.converted("include \"x\"\nqueues {}\n", "--from", "elasticmq")
        self.assertEqual((status, out, log), (1, "", "template.yaml:1:1: 'include' is not understood: only this file is read\n"))
        self.assertEqual(self.converted("a: b\n")[0], 1)
        self.assertEqual(self.converted(self.GOAWS, "--from", "sqs")[0], 2)
        self.assertEqual(self.config("convert")[0], 2)
        self.assertEqual(self.config("check", "--from", "goaws")[0], 2)
        self.assertEqual(self.config("schema", "--parameter", "a=b")[0], 2)


if __name__ == "__main__":
    harness.main()
