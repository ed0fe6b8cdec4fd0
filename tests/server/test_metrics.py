#!/usr/bin/env python3
"""What the server tells of itself: metrics, pages of health, the log as JSON, and notifications of a service manager.
Runs the real binary: test_metrics.py --penstock BIN [unittest arguments]."""

import base64
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import time
import unittest
import uuid

import exposition
import harness
from exposition import value
from harness import LIMIT, InDirectory, OneServer, Server, wait_until

OBJECTS_MAX = 2_000  # of each kind, that are told one by one
HERE = {"account": "000000000000", "region": "us-east-1"}
HANDLER = """
import time
def handler(event, context):
    if event.get("fail") or any(record.get("body") == "bad" for record in event.get("Records", [])):
        raise ValueError("as it was asked to")
    time.sleep(event.get("sleep", 0))
    return {}
"""


def request(server, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def ask(server, method, path, body=None, target=None):
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target} if target else {}
    status, _, text = request(server, method, path, None if body is None else json.dumps(body), headers)
    return status, json.loads(text) if text else {}


def kinesis(server, operation, body):
    status, answer = ask(server, "POST", "/", body, "Kinesis_20131202." + operation)
    assert status == 200, (operation, answer)
    return answer


def scrape(server, path="/metrics"):
    status, headers, text = request(server, "GET", path)
    assert status == 200, text
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8", headers
    text = text.decode()
    by_others = None
    try:
        from prometheus_client.parser import text_string_to_metric_families
    except ImportError:
        pass
    else:
        by_others = sum(len(family.samples) for family in text_string_to_metric_families(text))
    families = exposition.parse(text)
    assert by_others in (None, sum(len(family.samples) for family in families.values()))
    return families


def each(server):
    return scrape(server, "/metrics/per-object")


class Delta:
    """What has been added to samples since it was made."""

    def __init__(self, server, take=scrape):
        self.server, self.take, self.before = server, take, take(server)

    def look(self):
        self.after = self.take(self.server)
        return self

    def of(self, name, suffix="", **labels):
        return value(self.after, name, suffix, **labels) - value(self.before, name, suffix, **labels)


class Pages(OneServer):
    """On one server with two threads, whose objects live in either."""

    FLAGS = ("--threads", "2", "--stream-transition", "0")

    def setUp(self):
        super().setUp()
        self.name = "of-" + self.id().rsplit(".", 1)[1].removeprefix("test_").replace("_", "-")[:60]

    def send(self, url, body, **more):
        return self.server.call("SendMessage", {"QueueUrl": url, "MessageBody": body, **more})[1]

    def receive(self, url, **more):
        return self.server.call("ReceiveMessage", {"QueueUrl": url, **more})[1].get("Messages", [])

    def test_messages_are_counted_of_all_queues_and_of_each(self):
        server = self.server
        delta = Delta(server)
        url = server.create(self.name)
        for body in "abc":
            self.send(url, body)
        self.send(url, "later", DelaySeconds=600)
        taken = self.receive(url, MaxNumberOfMessages=2, VisibilityTimeout=600)
        server.call("DeleteMessage", {"QueueUrl": url, "ReceiptHandle": taken[0]["ReceiptHandle"]})
        delta.look()
        self.assertEqual(delta.of("penstock_queues"), 1)
        self.assertEqual(delta.of("penstock_queue_messages_sent_total"), 4)
        self.assertEqual(delta.of("penstock_queue_messages_received_total"), 2)
        self.assertEqual(delta.of("penstock_queue_messages_deleted_total"), 1)
        self.assertEqual(delta.of("penstock_queue_messages_visible"), 1)
        self.assertEqual(delta.of("penstock_queue_messages_in_flight"), 1)
        self.assertEqual(delta.of("penstock_queue_messages_delayed"), 1)
        labels = {**HERE, "queue": self.name}
        one = each(server)
        for name, expected in {"messages_sent_total": 4, "messages_received_total": 2, "messages_deleted_total": 1,
                               "empty_receives_total": 0, "messages_dead_lettered_total": 0, "messages_visible": 1,
                               "messages_in_flight": 1, "messages_delayed": 1, "parked_receives": 0}.items():
            self.assertEqual(one["penstock_queue_" + name].samples[("", tuple(sorted(labels.items())))], expected, name)

    def test_what_was_counted_stays_when_its_queue_is_gone(self):
        url = self.server.create(self.name)
        self.send(url, "a")
        delta = Delta(self.server)
        self.server.call("DeleteQueue", {"QueueUrl": url})
        delta.look()
        self.assertEqual(delta.of("penstock_queue_messages_sent_total"), 0)
        self.assertEqual(delta.of("penstock_queue_messages_visible"), -1)
        self.assertEqual(delta.of("penstock_queues"), -1)
        for family in each(self.server).values():
            for _, labels in family.samples:
                self.assertNotEqual(dict(labels).get("queue"), self.name)

    def test_fifo_queues_count_no_duplicates(self):
        name = self.name + ".fifo"
        url = self.server.call("CreateQueue", {"QueueName": name, "Attributes": {
            "FifoQueue": "true", "ContentBasedDeduplication": "true"}})[1]["QueueUrl"]
        for body in ("a", "a", "b"):
            self.send(url, body, MessageGroupId="g")
        message, = self.receive(url)
        self.server.call("DeleteMessage", {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]})
        one = each(self.server)
        labels = {**HERE, "queue": name}
        self.assertEqual(value(one, "penstock_queue_messages_sent_total", **labels), 2)
        self.assertEqual(value(one, "penstock_queue_messages_received_total", **labels), 1)
        self.assertEqual(value(one, "penstock_queue_messages_deleted_total", **labels), 1)
        self.assertEqual(value(one, "penstock_queue_messages_visible", **labels), 1)

    def test_dead_letters_are_counted_where_they_come_from(self):
        self.server.create(self.name + "-dead")
        policy = {"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:000000000000:{self.name}-dead", "maxReceiveCount": 1}
        url = self.server.call("CreateQueue", {"QueueName": self.name, "Attributes": {
            "RedrivePolicy": json.dumps(policy)}})[1]["QueueUrl"]
        self.send(url, "bad")
        self.assertEqual(len(self.receive(url, VisibilityTimeout=0)), 1)
        self.assertEqual(self.receive(url, WaitTimeSeconds=1), [])
        wait_until(lambda: value(each(self.server), "penstock_queue_messages_dead_lettered_total", **HERE,
                                 queue=self.name) == 1)
        one = each(self.server)
        self.assertEqual(value(one, "penstock_queue_messages_visible", **HERE, queue=self.name + "-dead"), 1)
        self.assertEqual(value(one, "penstock_queue_messages_sent_total", **HERE, queue=self.name + "-dead"), 0)
        self.assertEqual(value(one, "penstock_queue_empty_receives_total", **HERE, queue=self.name), 1)

    def test_a_long_poll_is_parked_and_in_the_end_empty(self):
        url = self.server.create(self.name)
        poll = threading.Thread(target=self.receive, args=(url,), kwargs={"WaitTimeSeconds": 2})
        poll.start()
        labels = {**HERE, "queue": self.name}
        wait_until(lambda: value(each(self.server), "penstock_queue_parked_receives", **labels) == 1)
        self.assertGreaterEqual(value(scrape(self.server), "penstock_queue_parked_receives"), 1)
        poll.join()
        one = each(self.server)
        self.assertEqual(value(one, "penstock_queue_parked_receives", **labels), 0)
        self.assertEqual(value(one, "penstock_queue_empty_receives_total", **labels), 1)

    def test_records_are_counted_as_they_are_put_and_read(self):
        server = self.server
        delta = Delta(server)
        kinesis(server, "CreateStream", {"StreamName": self.name, "ShardCount": 2})
        records = [{"PartitionKey": f"k{i}", "Data": base64.b64encode(b"x" * 98).decode()} for i in range(10)]
        wait_until(lambda: kinesis(server, "DescribeStreamSummary", {"StreamName": self.name})[
            "StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE")
        shards = {entry["ShardId"] for entry in kinesis(server, "PutRecords", {
            "StreamName": self.name, "Records": records})["Records"]}
        for shard in shards:
            iterator = kinesis(server, "GetShardIterator", {"StreamName": self.name, "ShardId": shard,
                                                            "ShardIteratorType": "TRIM_HORIZON"})["ShardIterator"]
            kinesis(server, "GetRecords", {"ShardIterator": iterator})
        delta.look()
        expected = {"records_put_total": 10, "put_bytes_total": 1000, "records_read_total": 10,
                    "read_bytes_total": 1000, "records_stored": 10, "stored_bytes": 1000, "open_shards": 2}
        one = each(server)
        for name, count in expected.items():
            self.assertEqual(delta.of("penstock_stream_" + name), count, name)
            self.assertEqual(value(one, "penstock_stream_" + name, **HERE, stream=self.name), count, name)
        # They are not handed out once, but counted.
        self.assertEqual(value(each(server), "penstock_stream_records_read_total", **HERE, stream=self.name), 10)
        kinesis(server, "DeleteStream", {"StreamName": self.name})
        self.assertEqual(delta.look().of("penstock_stream_records_read_total"), 10)
        self.assertEqual(delta.of("penstock_stream_records_stored"), 0)

    def test_a_consumers_lag_is_told_in_records_and_time(self):
        server = self.server
        kinesis(server, "CreateStream", {"StreamName": self.name, "ShardCount": 1})
        consumer = f"/_penstock/streams/{self.name}/consumers/billing"
        self.assertIn(ask(server, "PUT", consumer)[0], (200, 201))
        labels = {**HERE, "stream": self.name, "consumer": "billing"}
        self.assertEqual(value(each(server), "penstock_consumer_lag_seconds", **labels), 0)
        for i in range(3):
            kinesis(server, "PutRecord", {"StreamName": self.name, "PartitionKey": "k", "Data": "eA=="})
            time.sleep(0.1)
        one = each(server)
        self.assertEqual(value(one, "penstock_consumer_lag_records", **labels), 3)
        lag = value(one, "penstock_consumer_lag_seconds", **labels)
        self.assertGreater(lag, 0.25)
        self.assertLess(lag, LIMIT)
        every = scrape(server)
        self.assertGreaterEqual(value(every, "penstock_consumer_lag_records"), 3)
        self.assertGreaterEqual(value(every, "penstock_consumer_lag_seconds"), lag)
        polled = ask(server, "POST", consumer + "/poll", {"Member": "m", "Token": "", "WaitMillis": 1000})[1]
        self.assertEqual(value(each(server), "penstock_consumer_members", **labels), 1)
        ask(server, "POST", consumer + "/poll", {"Member": "m", "Token": polled["Token"], "WaitMillis": 0})
        one = each(server)
        self.assertEqual(value(one, "penstock_consumer_lag_records", **labels), 0)
        self.assertEqual(value(one, "penstock_consumer_lag_seconds", **labels), 0)
        self.assertEqual(value(one, "penstock_stream_records_read_total", **HERE, stream=self.name), 3)

    def test_requests_are_counted_by_operation_and_status(self):
        server = self.server
        delta = Delta(server)
        url = server.create(self.name)
        self.send(url, "a")
        server.call("SendMessage", {"QueueUrl": url})
        server.call("NoSuchOperation", {})
        request(server, "POST", "/", "Action=ListQueues", {"Content-Type": "application/x-www-form-urlencoded"})
        kinesis(server, "ListStreams", {})
        ask(server, "POST", "/", {}, "Kinesis_20131202.DescribeStream")
        ask(server, "GET", "/2015-03-31/functions/")
        ask(server, "GET", "/2015-03-31/functions/none-such")
        ask(server, "GET", "/_penstock/clock")
        ask(server, "GET", "/_penstock/streams/none/consumers/none")
        request(server, "GET", "/healthz")
        with server.raw() as connection:
            connection.sendall(b"neither HTTP nor anything\r\n\r\n")
            harness.read_answer(connection)
        delta.look()
        for service, operation, code, count in (
                ("sqs", "CreateQueue", 200, 1), ("sqs", "SendMessage", 200, 1), ("sqs", "SendMessage", 400, 1),
                ("sqs", "Unknown", 400, 1), ("sqs", "ListQueues", 200, 1), ("kinesis", "ListStreams", 200, 1),
                ("kinesis", "DescribeStream", 400, 1), ("lambda", "ListFunctions", 200, 1),
                ("lambda", "GetFunction", 404, 1), ("penstock", "ReadClock", 200, 1),
                ("penstock", "DescribeConsumer", 404, 1), ("penstock", "Health", 200, 1),
                ("penstock", "Metrics", 200, 1)):
            labels = {"service": service, "operation": operation}
            self.assertEqual(delta.of("penstock_http_requests_total", code=str(code), **labels), count, labels)
        self.assertEqual(delta.of("penstock_http_request_duration_seconds", "_count", service="sqs",
                                  operation="SendMessage"), 2)
        self.assertGreater(delta.of("penstock_http_request_duration_seconds", "_sum", service="sqs",
                                    operation="SendMessage"), 0)
        self.assertEqual(delta.of("penstock_http_refused_requests_total"), 1)

    def test_open_connections_are_counted(self):
        delta = Delta(self.server)
        open_ones = [self.server.raw() for _ in range(5)]
        wait_until(lambda: delta.look().of("penstock_http_open_connections") >= 5)
        for connection in open_ones:
            connection.close()
        wait_until(lambda: delta.look().of("penstock_http_open_connections") <= 1)

    def test_commits_and_the_store_are_measured(self):
        url = self.server.create(self.name)
        delta = Delta(self.server)
        for _ in range(5):
            self.send(url, "x" * 1000)
        delta.look()
        self.assertEqual(delta.of("penstock_commit_duration_seconds", "_count", synced="true"), 5)
        self.assertGreaterEqual(delta.of("penstock_commit_changes", "_sum"), 10)
        self.assertGreater(delta.of("penstock_commit_size_bytes", "_sum"), 5000)
        self.assertEqual(delta.of("penstock_commit_size_bytes", "_count"), delta.of("penstock_commit_changes", "_count"))
        for table in ("catalog", "state", "messages", "records"):
            self.assertGreater(value(delta.after, "penstock_rocksdb_memtables_bytes", table=table), 0)
            for kind in ("slowdown", "stop"):
                self.assertIn(("", (("kind", kind), ("table", table))),
                              delta.after["penstock_rocksdb_write_stalls_total"].samples)
        self.assertGreater(value(delta.after, "penstock_rocksdb_estimated_keys", table="messages"), 0)
        for name in ("running_compactions", "running_flushes", "delayed_write_rate_bytes", "write_stopped"):
            self.assertEqual(value(delta.after, "penstock_rocksdb_" + name), 0)

    def test_the_process_is_told_of(self):
        now = scrape(self.server)
        process = self.server.process.pid
        self.assertAlmostEqual(value(now, "process_start_time_seconds"), time.time(), delta=600)
        self.assertGreater(value(now, "process_cpu_seconds_total"), 0)
        status = pathlib.Path(f"/proc/{process}/status").read_text()
        resident = int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024
        self.assertAlmostEqual(value(now, "process_resident_memory_bytes"), resident, delta=resident / 4)
        self.assertAlmostEqual(value(now, "process_open_fds"), len(os.listdir(f"/proc/{process}/fd")), delta=3)
        version = subprocess.run([harness.PENSTOCK, "--version"], capture_output=True, text=True).stdout.split()[1]
        self.assertEqual(value(now, "penstock_build_info", version=version), 1)
        self.assertEqual(value(now, "penstock_clock_info", mode="real"), 1)
        self.assertEqual(value(now, "penstock_clock_speed_ratio"), 1)
        self.assertAlmostEqual(value(now, "penstock_clock_time_seconds"), time.time(), delta=LIMIT)

    def test_foreign_hosts_and_pages_read_nothing(self):
        for path in ("/metrics", "/metrics/per-object", "/_localstack/health"):
            self.assertEqual(request(self.server, "GET", path, headers={"Host": "rebound.example"})[0], 403)
            self.assertEqual(request(self.server, "GET", path, headers={"Origin": "http://other.example"})[0], 403)

    def test_many_scrapes_at_once_are_answered_or_refused(self):
        statuses = []
        threads = [threading.Thread(target=lambda: statuses.append(request(self.server, "GET", "/metrics")[0]))
                   for _ in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual(set(statuses), {200, 503})
        self.assertIn(200, statuses)
        self.assertEqual(len(statuses), 24)


class Functions(OneServer):
    DATA = False
    FLAGS = ("--threads", "2", "--ephemeral")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        code = pathlib.Path(cls.home.name, "code")
        code.mkdir()
        (code / "app.py").write_text(HANDLER)
        for name in ("works", "mapped"):
            status, answer = ask(cls.server, "PUT", f"/_penstock/functions/{name}", {
                "Kind": "handler", "Runtime": "python3.11", "Handler": "app.handler", "Directory": str(code)})
            assert status in (200, 201), answer

    def invoke(self, name, event):
        return ask(self.server, "POST", f"/2015-03-31/functions/{name}/invocations", event)

    def results(self, name):
        one = each(self.server)
        return [value(one, "penstock_function_invocations_total", **HERE, function=name, result=result)
                for result in ("success", "function_error", "throttled", "failed")]

    def test_invocations_are_counted_by_result(self):
        delta = Delta(self.server)
        self.assertEqual(self.invoke("works", {"sleep": 0.05})[0], 200)
        self.assertEqual(self.invoke("works", {"fail": True})[0], 200)
        status, answer = ask(self.server, "PUT", "/2017-10-31/functions/works/concurrency",
                             {"ReservedConcurrentExecutions": 0})
        self.assertEqual(status, 200, answer)
        self.assertEqual(self.invoke("works", {})[0], 429)
        self.assertEqual(self.results("works"), [1, 1, 1, 0])
        labels = {**HERE, "function": "works"}
        one = each(self.server)
        self.assertEqual(value(one, "penstock_function_cold_starts_total", **labels), 1)
        self.assertEqual(value(one, "penstock_function_duration_seconds", "_count", **labels), 2)
        self.assertGreater(value(one, "penstock_function_duration_seconds", "_sum", **labels), 0.05)
        delta.look()
        for result in ("success", "function_error", "throttled"):
            self.assertGreaterEqual(delta.of("penstock_function_invocations_total", result=result), 1)
        self.assertEqual(value(delta.after, "penstock_functions"), 2)

    def test_what_cannot_be_run_has_failed(self):
        status, answer = ask(self.server, "PUT", "/_penstock/functions/broken", {
            "Kind": "runtime", "Command": ["/nonexistent/program"]})
        self.assertIn(status, (200, 201), answer)
        self.invoke("broken", {})
        self.assertEqual(sum(self.results("broken")), 1)
        self.assertEqual(self.results("broken")[0], 0)
        self.assertEqual(ask(self.server, "DELETE", "/_penstock/functions/broken")[0] // 100, 2)
        self.assertNotIn("broken", str(each(self.server)["penstock_function_invocations_total"].samples))

    def test_batches_are_counted_by_result_and_mapping(self):
        server = self.server
        url = server.create("work")
        status, mapping = ask(server, "POST", "/2015-03-31/event-source-mappings/", {
            "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:work", "FunctionName": "mapped", "BatchSize": 1})
        self.assertEqual(status, 202, mapping)
        for body in ("good", "bad"):
            server.call("SendMessage", {"QueueUrl": url, "MessageBody": body})
        labels = {**HERE, "mapping": mapping["UUID"], "function": "mapped",
                  "source": "arn:aws:sqs:us-east-1:000000000000:work"}

        def batches():
            one = each(server)
            return [value(one, "penstock_mapping_batches_total", **labels, result=result)
                    for result in ("success", "partial", "failure", "not_run")]

        wait_until(lambda: batches() == [1, 0, 1, 0])
        self.assertEqual(self.results("mapped"), [1, 1, 0, 0])
        every = scrape(server)
        self.assertEqual(value(every, "penstock_mappings"), 1)
        self.assertEqual(value(every, "penstock_mapping_batches_total", result="success"), 1)
        wait_until(lambda: value(each(server), "penstock_queue_messages_deleted_total", **HERE, queue="work") == 1)

    def test_nothing_is_told_of_a_database_that_is_not_there(self):
        self.assertFalse([name for name in scrape(self.server) if name.startswith("penstock_rocksdb_")])


class Bounds(InDirectory):
    def test_so_many_objects_are_told_one_by_one_and_all_of_them_together(self):
        with Server(self.directory, "--ephemeral", "--threads", "2", data_dir=False) as server:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)
            for i in range(OBJECTS_MAX + 7):
                self.assertEqual(harness.ask(connection, "CreateQueue", {"QueueName": f"q{i}"})[0], 200)
            connection.close()
            self.assertEqual(value(scrape(server), "penstock_queues"), OBJECTS_MAX + 7)
            one = each(server)
            self.assertEqual(len(one["penstock_queue_messages_visible"].samples), OBJECTS_MAX)
            self.assertEqual(value(one, "penstock_metrics_objects_left_out", kind="queue"), 7)
            self.assertEqual(value(one, "penstock_metrics_objects_left_out", kind="stream"), 0)

    def test_the_age_of_the_oldest_goes_by_the_servers_clock(self):
        with Server(self.directory, "--clock", "virtual:2026-01-01T00:00:00Z") as server:
            ask(server, "POST", "/_penstock/clock", {"freeze": True})
            url = server.create()
            labels = {**HERE, "queue": "jobs"}
            self.assertEqual(value(each(server), "penstock_queue_oldest_message_age_seconds", **labels), 0)
            for body in ("a", "b"):
                server.call("SendMessage", {"QueueUrl": url, "MessageBody": body})
                ask(server, "POST", "/_penstock/clock", {"advance": "1h"})

            def age():
                return value(each(server), "penstock_queue_oldest_message_age_seconds", **labels)

            self.assertAlmostEqual(age(), 7200, delta=1)
            self.assertAlmostEqual(value(scrape(server), "penstock_queue_oldest_message_age_seconds"), 7200, delta=1)
            taken = server.call("ReceiveMessage", {"QueueUrl": url, "VisibilityTimeout": 43200})[1]["Messages"][0]
            self.assertAlmostEqual(age(), 7200, delta=1)
            server.call("DeleteMessage", {"QueueUrl": url, "ReceiptHandle": taken["ReceiptHandle"]})
            self.assertAlmostEqual(age(), 3600, delta=1)
            now = scrape(server)
            self.assertEqual(value(now, "penstock_clock_info", mode="virtual"), 1)
            self.assertEqual(value(now, "penstock_clock_speed_ratio"), 0)
            self.assertAlmostEqual(value(now, "penstock_clock_time_seconds"), 1767225600 + 7200, delta=1)

    def test_what_is_stored_is_known_after_a_restart_and_what_was_counted_is_not(self):
        labels = {**HERE, "stream": "s"}
        with Server(self.directory, "--stream-transition", "0") as server:
            kinesis(server, "CreateStream", {"StreamName": "s", "ShardCount": 1})
            for _ in range(3):
                kinesis(server, "PutRecord", {"StreamName": "s", "PartitionKey": "kk", "Data": "eHh4"})
            self.assertEqual(value(each(server), "penstock_stream_stored_bytes", **labels), 15)
            server.stop()
        with Server(self.directory) as server:
            one = each(server)
            self.assertEqual(value(one, "penstock_stream_stored_bytes", **labels), 15)
            self.assertEqual(value(one, "penstock_stream_records_stored", **labels), 3)
            self.assertEqual(value(one, "penstock_stream_records_put_total", **labels), 0)


class Health(InDirectory):
    def test_tools_that_wait_for_localstack_see_what_they_wait_for(self):
        with Server(self.directory, "--ephemeral", data_dir=False) as server:
            status, headers, text = request(server, "GET", "/_localstack/health")
            self.assertEqual((status, headers["Content-Type"]), (200, "application/json"))
            told = json.loads(text)
            self.assertEqual(set(told), {"services", "edition", "version"})
            self.assertEqual(told["services"], {"sqs": "available", "kinesis": "available", "lambda": "available"})
            self.assertIn(b'"sqs": "available"', text, "scripts look for it so")
            server.create()
            told = json.loads(request(server, "GET", "/_localstack/health?reload")[2])
            self.assertEqual(told["services"], {"sqs": "running", "kinesis": "available", "lambda": "available"})
            for path in ("/healthz", "/readyz"):
                self.assertEqual(request(server, "GET", path)[0::2], (200, b"ok\n"))


class Logs(InDirectory):
    def lines(self, *flags, work):
        server = Server(self.directory, "--log-format", "json", *flags)
        try:
            work(server)
        finally:
            status, log = server.stop()
        self.assertEqual(status, 0)
        lines = [json.loads(line) for line in log.splitlines()]
        for line in lines:
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertIn(line["level"], ("trace", "debug", "info", "warning", "error", "critical"))
            self.assertTrue(line["message"])
        return lines

    def test_each_request_is_a_line_with_its_id(self):
        ids = []

        def work(server):
            url = server.create()
            status, headers, _ = request(server, "POST", "/", json.dumps({"QueueUrl": url, "MessageBody": 'a "b"\n'}), {
                "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.SendMessage"})
            self.assertEqual(status, 200)
            ids.append(headers["x-amzn-RequestId"])
            server.call("SendMessage", {"QueueUrl": url})

        lines = self.lines("--log-level", "debug", work=work)
        requests = [line for line in lines if "request_id" in line]
        self.assertEqual([(line["service"], line["operation"], line["status"], line["level"]) for line in requests],
                         [("sqs", "CreateQueue", 200, "debug"), ("sqs", "SendMessage", 200, "debug"),
                          ("sqs", "SendMessage", 400, "debug")])
        for line in requests:
            self.assertEqual(str(uuid.UUID(line["request_id"])), line["request_id"])
            self.assertTrue(0 < line["duration_seconds"] < LIMIT)
        self.assertEqual(requests[1]["request_id"], ids[0])

    def test_what_is_ordinary_is_not_told_at_level_info(self):
        def work(server):
            url = server.create()
            server.call("ReceiveMessage", {"QueueUrl": url, "WaitTimeSeconds": 2})

        self.assertFalse([line for line in self.lines(work=work) if "request_id" in line])

    def test_a_start_that_fails_says_why_as_json_too(self):
        with Server(self.directory) as server:
            status, printed, log = self.run_to_end("serve", "--no-config", "--port", "0", "--log-format", "json", "--data-dir",
                                                   os.path.join(self.directory, "data"))
            self.assertEqual((status, printed), (1, ""))
            lines = [json.loads(line) for line in log.splitlines()]
            self.assertEqual(lines[-1]["level"], "critical")
            self.assertIn("in use", lines[-1]["message"])
            server.stop()

    def test_what_is_slow_or_fails_is_told_at_any_level(self):
        def work(server):
            server.create()
            rule = {"service": "sqs", "operation": "ListQueues", "latency": "1200ms"}
            self.assertEqual(ask(server, "POST", "/_penstock/faults", [rule])[0] // 100, 2)
            server.call("ListQueues", {})
            rule = {"service": "sqs", "operation": "ListQueues", "error": {"statusCode": 503, "code": "Unavailable"}}
            self.assertEqual(ask(server, "PUT", "/_penstock/faults", [rule])[0] // 100, 2)
            server.call("ListQueues", {})

        requests = [line for line in self.lines("--allow-faults", work=work) if "request_id" in line]
        self.assertEqual([(line["operation"], line["level"], line["status"]) for line in requests],
                         [("ListQueues", "info", 200), ("ListQueues", "warning", 503)])
        self.assertGreater(requests[0]["duration_seconds"], 1.2)

    def test_as_text_a_request_is_one_line_too(self):
        server = Server(self.directory, "--log-level", "debug")
        server.create()
        _, log = server.stop()
        self.assertRegex(log, r"(?m) debug sqs CreateQueue was answered 200 in [\d.]+ ms, request [0-9a-f-]{36}$")


class Notifications(InDirectory):
    def listen(self, address):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind(address)
        listener.settimeout(LIMIT)
        self.addCleanup(listener.close)
        return listener

    def serve(self, address, **environment):
        kept = dict(os.environ)
        os.environ.update(NOTIFY_SOCKET=address, **environment)
        try:
            return Server(self.directory)
        finally:
            os.environ.clear()
            os.environ.update(kept)

    def check(self, listener, name):
        with self.serve(name) as server:
            first = listener.recv(4096).decode().split("\n")
            self.assertEqual(first, ["READY=1", f"STATUS=Serving on {server.endpoint}"])
            server.process.terminate()
            last = listener.recv(4096).decode().split("\n")
            self.assertEqual(last[0], "STOPPING=1")
            self.assertTrue(last[1].startswith("STATUS="))
            self.assertEqual(server.process.wait(LIMIT), 0)
            listener.setblocking(False)
            self.assertRaises(BlockingIOError, listener.recv, 4096)

    def test_a_service_manager_is_told_of_the_start_and_the_stop(self):
        path = os.path.join(self.directory, "notify")
        self.check(self.listen(path), path)

    def test_at_an_abstract_socket_too(self):
        name = f"penstock-test-{uuid.uuid4()}"
        self.check(self.listen("\0" + name), "@" + name)

    def test_signs_of_life_come_as_long_as_the_threads_live(self):
        path = os.path.join(self.directory, "notify")
        listener = self.listen(path)
        with self.serve(path, WATCHDOG_USEC="600000") as server:
            self.assertIn("READY=1", listener.recv(4096).decode())
            began = time.monotonic()
            for _ in range(4):
                self.assertEqual(listener.recv(4096), b"WATCHDOG=1")
            self.assertLess(time.monotonic() - began, 10)
            server.stop()

    def test_a_watchdog_of_another_process_gets_none(self):
        path = os.path.join(self.directory, "notify")
        listener = self.listen(path)
        with self.serve(path, WATCHDOG_USEC="30000", WATCHDOG_PID="1") as server:
            self.assertIn("READY=1", listener.recv(4096).decode())
            server.create()
            server.process.terminate()
            self.assertIn("STOPPING=1", listener.recv(4096).decode())

    def test_a_start_with_a_file_says_that_it_is_setting_up(self):
        pathlib.Path(self.directory, "penstock.yaml").write_text("queues: {jobs: {}}\n")
        path = os.path.join(self.directory, "notify")
        listener = self.listen(path)
        kept = os.environ.get("NOTIFY_SOCKET")
        os.environ["NOTIFY_SOCKET"] = path
        try:
            server = Server(self.directory, "--config", os.path.join(self.directory, "penstock.yaml"))
        finally:
            os.environ.pop("NOTIFY_SOCKET") if kept is None else os.environ.update(NOTIFY_SOCKET=kept)
        with server:
            self.assertIn("STATUS=Setting up", listener.recv(4096).decode())
            self.assertIn("READY=1", listener.recv(4096).decode())
            server.stop()


if __name__ == "__main__":
    harness.main()
