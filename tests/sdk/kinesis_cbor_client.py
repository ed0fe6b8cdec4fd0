"""Kinesis in CBOR 1.1, as the Java SDKs speak it: written with Debian's cbor2, signed with Debian's botocore."""

import contextlib
import http.client
import json
import time
import urllib.parse

import cbor2
import cbor2.decoder
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.eventstream import EventStreamBuffer

from cases import ALL_BYTES, ENDPOINT, NON_ASCII, case, equal, run, true, until

CBOR = "application/x-amz-cbor-1.1"
HOST = urllib.parse.urlsplit(ENDPOINT).netloc
REQUEST_ID = "x-amzn-RequestId"


class Millis(int):
    """A timestamp of an answer: tag 1 on whole milliseconds, where cbor2 by itself would see seconds."""


def decode_millis(decoder):
    value = decoder.decode_epoch_value()
    true(type(value) is int, f"a timestamp is {value!r}, which breaks clients")
    return Millis(value)


# The decoder in C has no place for this; the one in Python has.
cbor2.decoder.CBORDecoder.decode_epoch_value = cbor2.decoder.CBORDecoder._decode
cbor2.decoder.semantic_decoders[1] = decode_millis


def timestamp(millis):
    return cbor2.CBORTag(1, millis)


def signed(operation, body, content_type=CBOR):
    request = AWSRequest(method="POST", url=ENDPOINT + "/", data=body, headers={
        "Content-Type": content_type, "X-Amz-Target": f"Kinesis_20131202.{operation}", "Host": HOST})
    SigV4Auth(Credentials("anybody", "anything"), "kinesis", "us-east-1").add_auth(request)
    return dict(request.headers.items())


def send(operation, body):
    connection = http.client.HTTPConnection(HOST, timeout=30)
    connection.request("POST", "/", body, signed(operation, body))
    return connection, connection.getresponse()


def exchange(operation, body):
    """Status and the content of the answer, which says that it is CBOR and which request it answers."""
    connection, response = send(operation, body)
    with contextlib.closing(connection):
        content = response.read()
        equal(response.headers["Content-Type"], CBOR)
        equal(len(response.headers[REQUEST_ID]), 36)
        return response.status, content


def call(operation, **members):
    status, content = exchange(operation, cbor2.dumps(members))
    equal((status, content if status != 200 else b""), (200, b""))
    return cbor2.decoder.loads(content) if content else None


def error_in(status, content):
    fault = cbor2.loads(content)
    true(set(fault) == {"__type", "message"}, f"an error has {fault!r}")
    equal(status, 400)
    return fault["__type"], fault["message"]


def error_of(operation, **members):
    return error_in(*exchange(operation, cbor2.dumps(members)))


def summary(stream):
    return call("DescribeStreamSummary", StreamName=stream)["StreamDescriptionSummary"]


def settle(stream):
    return until(lambda: (seen := summary(stream))["StreamStatus"] == "ACTIVE" and seen, f"{stream} is ACTIVE")


def new_stream(name, shards=1):
    equal(call("CreateStream", StreamName=name, ShardCount=shards), None)
    return settle(name)


def new_consumer(stream_arn, name):
    arn = call("RegisterStreamConsumer", StreamARN=stream_arn, ConsumerName=name)["Consumer"]["ConsumerARN"]
    until(lambda: call("DescribeStreamConsumer", ConsumerARN=arn)["ConsumerDescription"]["ConsumerStatus"] == "ACTIVE",
          f"{name} is ACTIVE")
    return arn


def iterator(stream, kind, shard="shardId-000000000000", **more):
    return call("GetShardIterator", StreamName=stream, ShardId=shard, ShardIteratorType=kind, **more)["ShardIterator"]


def records(stream, kind="TRIM_HORIZON", **more):
    return call("GetRecords", ShardIterator=iterator(stream, kind, **more))["Records"]


@case
def describes_with_whole_milliseconds():
    before = time.time() * 1000
    seen = new_stream("described", shards=2)
    equal((seen["OpenShardCount"], seen["RetentionPeriodHours"], seen["StreamARN"]),
          (2, 24, "arn:aws:kinesis:us-east-1:000000000000:stream/described"))
    created = seen["StreamCreationTimestamp"]
    true(type(created) is Millis and before - 2000 < created < before + 60_000, f"it was created at {created!r}")
    shards = call("ListShards", StreamName="described")["Shards"]
    equal([shard["HashKeyRange"]["StartingHashKey"] for shard in shards], ["0", str(2 ** 127)])
    description = call("DescribeStream", StreamName="described")["StreamDescription"]
    equal((description["Shards"], description["HasMoreShards"]), (shards, False))


@case
def puts_and_gets_byte_strings():
    new_stream("bytes")
    put = call("PutRecord", StreamName="bytes", Data=ALL_BYTES, PartitionKey=NON_ASCII)
    many = call("PutRecords", StreamName="bytes", Records=[
        {"Data": bytes([n]) * n, "PartitionKey": f"k{n}"} for n in range(3)])
    equal((many["FailedRecordCount"], len(many["Records"])), (0, 3))
    got = records("bytes")
    equal([(record["Data"], record["PartitionKey"]) for record in got],
          [(ALL_BYTES, NON_ASCII), (b"", "k0"), (b"\1", "k1"), (b"\2\2", "k2")])
    equal([record["SequenceNumber"] for record in got],
          [put["SequenceNumber"]] + [record["SequenceNumber"] for record in many["Records"]])
    for record in got:
        true(type(record["ApproximateArrivalTimestamp"]) is Millis, f"it arrived at {record!r}")
        true("EncryptionType" not in record, "a record that is not encrypted has an EncryptionType")


@case
def takes_what_other_encoders_write():
    new_stream("written")
    # Byte strings in parts, a map without its size, and an array without its, as Jackson writes them.
    chunks = b"\x5f" + cbor2.dumps(b"in ") + cbor2.dumps(b"parts") + b"\xff"
    record = b"\xbf" + cbor2.dumps("Data") + chunks + cbor2.dumps("PartitionKey") + cbor2.dumps("k") + b"\xff"
    body = (b"\xbf" + cbor2.dumps("StreamName") + cbor2.dumps("written") + cbor2.dumps("Records") + b"\x9f" + record +
            b"\xff" + cbor2.dumps("NobodyKnowsThis") + cbor2.dumps({"a": [1, None]}) + b"\xff")
    status, content = exchange("PutRecords", body)
    equal((status, cbor2.loads(content)["FailedRecordCount"]), (200, 0))
    equal([record["Data"] for record in records("written")], [b"in parts"])


@case
def starts_at_a_timestamp():
    new_stream("timed")
    call("PutRecord", StreamName="timed", Data=b"early", PartitionKey="k")
    first = records("timed")[0]["ApproximateArrivalTimestamp"]

    def later():
        call("PutRecord", StreamName="timed", Data=b"late", PartitionKey="k")
        return [record for record in records("timed") if record["ApproximateArrivalTimestamp"] > first]

    late = until(later, "a record of a later millisecond")[0]["ApproximateArrivalTimestamp"]
    equal(records("timed", "AT_TIMESTAMP", Timestamp=timestamp(first))[0]["Data"], b"early")
    equal(records("timed", "AT_TIMESTAMP", Timestamp=timestamp(late))[0]["ApproximateArrivalTimestamp"], late)
    equal(error_of("GetShardIterator", StreamName="timed", ShardId="shardId-000000000000",
                   ShardIteratorType="AT_TIMESTAMP", Timestamp=timestamp(first + 3_600_000))[0],
          "InvalidArgumentException")


@case
def reads_to_the_end_of_a_shard():
    new_stream("ended")
    call("PutRecord", StreamName="ended", Data=b"one", PartitionKey="k")
    equal(call("SplitShard", StreamName="ended", ShardToSplit="shardId-000000000000",
               NewStartingHashKey=str(2 ** 127)), None)
    settle("ended")
    page = call("GetRecords", ShardIterator=iterator("ended", "TRIM_HORIZON"))
    if "ChildShards" not in page:
        page = call("GetRecords", ShardIterator=page["NextShardIterator"])
    true("NextShardIterator" not in page, "a shard that is drained has an iterator")
    equal([(child["ShardId"], child["ParentShards"]) for child in page["ChildShards"]],
          [(f"shardId-00000000000{n}", ["shardId-000000000000"]) for n in (1, 2)])


@case
def answers_nothing_where_there_is_no_output():
    arn = new_stream("quiet")["StreamARN"]
    for operation, members in (
            ("AddTagsToStream", {"StreamName": "quiet", "Tags": {"a": "b"}}),
            ("IncreaseStreamRetentionPeriod", {"StreamName": "quiet", "RetentionPeriodHours": 48}),
            ("TagResource", {"ResourceARN": arn, "Tags": {"c": "d"}}),
            ("UntagResource", {"ResourceARN": arn, "TagKeys": ["c"]}),
            ("DeleteStream", {"StreamName": "quiet"})):
        equal(exchange(operation, cbor2.dumps(members)), (200, b""))


@case
def reports_what_newer_models_have():
    seen = new_stream("newer")
    listed = call("ListStreams", ExclusiveStartStreamName="newe", Limit=1)
    equal((listed["StreamNames"], listed["StreamSummaries"][0]["StreamARN"]), (["newer"], seen["StreamARN"]))
    equal(call("DescribeStreamSummary", StreamId=seen["StreamId"])["StreamDescriptionSummary"]["StreamName"], "newer")
    equal(call("DescribeStreamSummary", StreamARN=seen["StreamARN"])["StreamDescriptionSummary"]["StreamName"], "newer")
    call("UpdateMaxRecordSize", StreamARN=seen["StreamARN"], MaxRecordSizeInKiB=10_240)
    settle("newer")
    large = bytes(range(256)) * 40_000
    call("PutRecord", StreamARN=seen["StreamARN"], Data=large, PartitionKey="k")
    true(records("newer")[0]["Data"] == large, "ten megabytes came back as others")
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    call("PutResourcePolicy", ResourceARN=seen["StreamARN"], Policy=policy)
    equal(call("GetResourcePolicy", ResourceARN=seen["StreamARN"]), {"Policy": policy})
    call("DeleteResourcePolicy", ResourceARN=seen["StreamARN"])
    equal(call("GetResourcePolicy", ResourceARN=seen["StreamARN"]), {"Policy": "{}"})


@case
def names_errors():
    equal(error_of("PutRecord", StreamName="nowhere", Data=b"x", PartitionKey="k"),
          ("ResourceNotFoundException", "Stream nowhere under account 000000000000 not found."))
    kind, text = error_of("PutRecord", StreamName="nowhere", Data=b"x", PartitionKey="")
    equal(kind, "ValidationException")
    true(text.startswith("1 validation error detected: Value '' at 'partitionKey' failed to satisfy constraint:"), text)
    new_stream("faulty")
    equal(error_of("CreateStream", StreamName="faulty", ShardCount=1)[0], "ResourceInUseException")
    equal(error_of("GetRecords", ShardIterator="rubbish"), ("InvalidArgumentException", "Invalid ShardIterator."))
    equal(error_of("PutRecord", StreamName="faulty", Data=b"x", PartitionKey="k", ExplicitHashKey=str(2 ** 128))[0],
          "InvalidArgumentException")


@case
def refuses_hostile_bodies():
    new_stream("hostile")
    good = cbor2.dumps({"StreamName": "hostile", "Data": b"x", "PartitionKey": "k"})
    hostile = {
        "cut short": good[:-1], "followed by more": good + b"\0", "a list": cbor2.dumps([1]), "a number": b"\x01",
        "an end": b"\xff", "a length beyond memory": b"\xbb" + b"\xff" * 8, "a string of that length": b"\xa1\x7b" +
        b"\xff" * 8, "nested deeply": b"\x81" * 100_000, "nested tags": b"\xc1" * 100_000, "a reserved head": b"\x1c",
        "a key of bytes": b"\xa1\x41a\x01", "broken UTF-8": b"\xa1\x62\xc3\x28\x01", "JSON": b'{"StreamName":"x"}',
        "text as data": cbor2.dumps({"StreamName": "hostile", "Data": 7, "PartitionKey": "k"}),
        "a number as name": cbor2.dumps({"StreamName": 1, "Data": b"x", "PartitionKey": "k"}),
        "a map as key": cbor2.dumps({"StreamName": "hostile", "Data": b"x", "PartitionKey": {}}),
    }
    for what, body in hostile.items():
        status, content = exchange("PutRecord", body)
        true((status, cbor2.loads(content)["__type"]) == (400, "SerializationException"),
             f"{what} was answered with {status} {content!r}")
    equal(records("hostile"), [])


class Subscription:
    """The events of SubscribeToShard as they come."""

    def __init__(self, consumer, position, shard="shardId-000000000000"):
        body = cbor2.dumps({"ConsumerARN": consumer, "ShardId": shard, "StartingPosition": position})
        self.connection, self.response = send("SubscribeToShard", body)
        if self.response.status != 200:
            raise AssertionError(f"{self.response.status} {self.response.read()!r}")
        equal(self.response.headers["Content-Type"], "application/vnd.amazon.eventstream")
        self.events = self.read()
        headers, payload = next(self.events)
        equal((headers[":event-type"], payload), ("initial-response", {}))

    def read(self):
        # It checks the sums of each frame.
        buffer = EventStreamBuffer()
        while data := self.response.read1(65_536):
            buffer.add_data(data)
            for message in buffer:
                equal(message.headers[":content-type"], "application/json")
                yield message.headers, json.loads(message.payload)

    def close(self):
        self.connection.close()


@case
def subscribes_and_gets_events_in_json():
    arn = new_stream("subscribed")["StreamARN"]
    consumer = new_consumer(arn, "reader")
    put = call("PutRecord", StreamName="subscribed", Data=b"first", PartitionKey="k")
    with contextlib.closing(Subscription(consumer, {"Type": "TRIM_HORIZON"})) as subscription:
        events = subscription.events
        headers, event = next(events)
        equal((headers[":message-type"], headers[":event-type"]), ("event", "SubscribeToShardEvent"))
        equal([(record["Data"], record["SequenceNumber"]) for record in event["Records"]],
              [("Zmlyc3Q=", put["SequenceNumber"])])
        equal(event["MillisBehindLatest"], 0)
        true(int(event["ContinuationSequenceNumber"]) >= int(put["SequenceNumber"]), "it would go on before its record")
        call("PutRecord", StreamName="subscribed", Data=b"second", PartitionKey="k")
        pushed = next(event for _, event in events if event["Records"])
        equal(pushed["Records"][0]["Data"], "c2Vjb25k")
        equal(error_of("SubscribeToShard", ConsumerARN=consumer, ShardId="shardId-000000000000",
                       StartingPosition={"Type": "LATEST"})[0], "ResourceInUseException")
        call("SplitShard", StreamName="subscribed", ShardToSplit="shardId-000000000000",
             NewStartingHashKey=str(2 ** 127))
        last = [event for _, event in events][-1]
        equal([child["ShardId"] for child in last["ChildShards"]], ["shardId-000000000001", "shardId-000000000002"])
        true("ContinuationSequenceNumber" not in last, "a shard that ended would go on")


@case
def refuses_a_subscription_in_cbor():
    arn = new_stream("refusing")["StreamARN"]
    consumer = new_consumer(arn, "reader")
    equal(error_of("SubscribeToShard", ConsumerARN=consumer, ShardId="shardId-000000000009",
                   StartingPosition={"Type": "LATEST"})[0], "ResourceNotFoundException")
    equal(error_of("SubscribeToShard", ConsumerARN=consumer, ShardId="shardId-000000000000",
                   StartingPosition={"Type": "NONSENSE"})[0], "ValidationException")


run(at_once=2)
