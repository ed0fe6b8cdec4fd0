#!/usr/bin/env python3
"""The example of triggers from end to end, set up with boto3 as its users would: orders arrive on a queue, and a Python
function takes them in batches. One is poison: it alone comes again, ends in the dead-letter queue, and is handled once
the function has been mended and the queue redriven. What was sold goes to a stream, of which a Node function adds up
tumbling windows.

    test_triggers.py --penstock BIN [unittest arguments]
"""

import collections
import io
import json
import pathlib
import sys
import time
import zipfile

import boto3
from botocore.config import Config

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "server"))

import harness  # noqa: E402
from harness import InDirectory, Server  # noqa: E402

ROLE = "arn:aws:iam::000000000000:role/example"
ITEMS = ("bolt", "nut", "washer")
PRICE = 7
LIMIT = 60  # seconds, in which everything has to have happened


def zipped(path):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.write(path, path.name)
    return data.getvalue()


class Orders(InDirectory):
    def setUp(self):
        super().setUp()
        self.server = Server(self.directory)
        settings = {"endpoint_url": self.server.endpoint, "region_name": "us-east-1", "aws_access_key_id": "test",
                    "aws_secret_access_key": "test", "config": Config(retries={"max_attempts": 0})}
        self.sqs, self.kinesis, self.functions = (boto3.client(name, **settings) for name in ("sqs", "kinesis", "lambda"))

    def tearDown(self):
        for client in (self.sqs, self.kinesis, self.functions):
            client.close()
        status, log = self.server.stop()
        super().tearDown()
        self.assertEqual(status, 0, log)

    def queue(self, name, **attributes):
        return self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def arn(self, url):
        return self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def waiting(self, url):
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return [int(attributes[name]) for name in
                ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")]

    def until(self, condition):
        end = time.monotonic() + LIMIT
        while not condition():
            self.assertLess(time.monotonic(), end, "it did not happen")
            time.sleep(0.05)

    def set_up(self):
        self.failed = self.queue("orders-failed")
        self.orders = self.queue("orders", VisibilityTimeout="2", RedrivePolicy=json.dumps(
            {"deadLetterTargetArn": self.arn(self.failed), "maxReceiveCount": 2}))
        self.totals = self.queue("totals")
        self.kinesis.create_stream(StreamName="sales", ShardCount=2)
        self.kinesis.get_waiter("stream_exists").wait(StreamName="sales", WaiterConfig={"Delay": 1})
        sales = self.kinesis.describe_stream_summary(StreamName="sales")["StreamDescriptionSummary"]["StreamARN"]

        self.functions.create_function(
            FunctionName="take-orders", Runtime="python3.11", Handler="orders.handler", Role=ROLE, Timeout=2,
            Code={"ZipFile": zipped(HERE / "orders" / "orders.py")})
        self.functions.create_function(
            FunctionName="add-up", Runtime="nodejs18.x", Handler="totals.handler", Role=ROLE, Timeout=10,
            Code={"ZipFile": zipped(HERE / "sales" / "totals.mjs")}, Environment={"Variables": {"TOTALS_URL": self.totals}})
        self.functions.create_event_source_mapping(
            EventSourceArn=self.arn(self.orders), FunctionName="take-orders", BatchSize=10,
            FunctionResponseTypes=["ReportBatchItemFailures"])
        self.functions.create_event_source_mapping(
            EventSourceArn=sales, FunctionName="add-up", StartingPosition="TRIM_HORIZON", BatchSize=100,
            TumblingWindowInSeconds=2)

    def order(self, number, **more):
        order = {"id": number, "item": ITEMS[number % len(ITEMS)], "quantity": number, **more}
        self.sqs.send_message(QueueUrl=self.orders, MessageBody=json.dumps(order))

    def collect(self, sold, until):
        """Adds the totals of windows to `sold`, until that is what it ought to be."""
        def next_window():
            got = self.sqs.receive_message(QueueUrl=self.totals, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in got.get("Messages", []):
                for item, amount in json.loads(message["Body"])["totals"].items():
                    sold[item] += amount
                self.sqs.delete_message(QueueUrl=self.totals, ReceiptHandle=message["ReceiptHandle"])
            return sold == until
        self.until(next_window)

    def test_orders(self):
        self.set_up()
        expected, sold = collections.Counter(), collections.Counter()
        for number in range(1, 31):
            if number == 13:
                self.order(number)
                continue
            self.order(number, price=PRICE)
            expected[ITEMS[number % len(ITEMS)]] += number * PRICE

        # All but the poison are handled, however often that comes again.
        self.collect(sold, expected)
        self.until(lambda: self.waiting(self.failed)[0] == 1)
        self.assertEqual(self.waiting(self.orders), [0, 0])

        # The function is mended, and what failed is sent to it again.
        self.functions.update_function_configuration(FunctionName="take-orders",
                                                     Environment={"Variables": {"PRICE": str(PRICE)}})
        status, _ = self.server.call("StartMessageMoveTask", {"SourceArn": self.arn(self.failed)})
        self.assertEqual(status, 200)
        expected[ITEMS[13 % len(ITEMS)]] += 13 * PRICE
        self.collect(sold, expected)
        self.until(lambda: self.waiting(self.orders) == [0, 0] and self.waiting(self.failed) == [0, 0])


if __name__ == "__main__":
    harness.main()
