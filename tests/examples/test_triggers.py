#!/usr/bin/env python3
"""The example of triggers from end to end, set up by penstock.yaml as its users would: orders arrive on a queue, and a
Python function takes them in batches. One is poison: it alone comes again, ends in the dead-letter queue, and is handled
once the function has been mended and the queue redriven. What was sold goes to a stream, of which a Node function adds
up tumbling windows.

    test_triggers.py --penstock BIN [unittest arguments]
"""

import collections
import json
import pathlib
import sys
import time

import boto3
from botocore.config import Config

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "server"))

import harness  # noqa: E402
from harness import InDirectory, Server  # noqa: E402

ITEMS = ("bolt", "nut", "washer")
PRICE = 7
LIMIT = 60  # seconds, in which everything has to have happened


class Orders(InDirectory):
    def setUp(self):
        super().setUp()
        self.server = Server(self.directory, "--config", str(HERE / "penstock.yaml"))
        settings = {"endpoint_url": self.server.endpoint, "region_name": "us-east-1", "aws_access_key_id": "test",
                    "aws_secret_access_key": "test", "config": Config(retries={"max_attempts": 0})}
        self.sqs, self.functions = (boto3.client(name, **settings) for name in ("sqs", "lambda"))

    def tearDown(self):
        for client in (self.sqs, self.functions):
            client.close()
        status, log = self.server.stop()
        super().tearDown()
        self.assertEqual(status, 0, log)

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
        self.orders, self.failed, self.totals = (
            self.sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in ("orders", "orders-failed", "totals"))
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
