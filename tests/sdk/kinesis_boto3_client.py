"""Debian's boto3 on Kinesis, which speaks JSON over HTTP/1.1."""

import contextlib
import datetime
import json
import os
import random
import socket
import threading
import time

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import EventStreamError

from cases import ALL_BYTES, ENDPOINT, NON_ASCII, case, equal, run, true, until

FIRST = "shardId-000000000000"
MIDDLE = str(2 ** 127)
MEBIBYTE = 1_048_576
PATIENCE = {"Delay": 1, "MaxAttempts": 30}


def client(region="us-east-1", account="anybody", endpoint=ENDPOINT):
    # A retry would hide an error that should not have been.
    return boto3.client("kinesis", endpoint_url=endpoint, region_name=region, aws_access_key_id=account,
                        aws_secret_access_key="anything",
                        config=Config(retries={"max_attempts": 0}, read_timeout=30, max_pool_connections=32))


def client_that_adds():
    """This model is older than StreamARN in these calls: what the mapping has goes into each body as it is."""
    more = {}
    adding = client()

    def add(params, **_):
        params["body"] = json.dumps({**json.loads(params["body"]), **more}).encode()

    adding.meta.events.register("before-call.kinesis", add)
    return adding, more


kinesis = client()


def error_of(call, **parameters):
    """Code, status and text of the error that the call must fail with."""
    try:
        call(**parameters)
    except botocore.exceptions.ClientError as error:
        return (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"],
                error.response["Error"]["Message"])
    raise AssertionError("the call succeeded")


def summary(name):
    return kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]


def settle(name):
    return until(lambda: (seen := summary(name))["StreamStatus"] == "ACTIVE" and seen, f"{name} is ACTIVE")


def new_stream(name, shards=1):
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    return settle(name)


def new_consumer(stream_arn, name="reader"):
    arn = kinesis.register_stream_consumer(StreamARN=stream_arn, ConsumerName=name)["Consumer"]["ConsumerARN"]
    is_active = lambda seen: seen["ConsumerDescription"]["ConsumerStatus"] == "ACTIVE"
    until(lambda: is_active(kinesis.describe_stream_consumer(ConsumerARN=arn)), f"{name} is ACTIVE")
    return arn


def put(name, data, key="k", **more):
    return kinesis.put_record(StreamName=name, Data=data, PartitionKey=key, **more)


def iterator(name, kind="TRIM_HORIZON", shard=FIRST, **more):
    return kinesis.get_shard_iterator(StreamName=name, ShardId=shard, ShardIteratorType=kind, **more)["ShardIterator"]


def drain(name, kind="TRIM_HORIZON", shard=FIRST, **more):
    """All records from there to the tail, and the last page."""
    records, following = [], iterator(name, kind, shard, **more)
    while True:
        page = kinesis.get_records(ShardIterator=following)
        records += page["Records"]
        following = page.get("NextShardIterator")
        if following is None or page["MillisBehindLatest"] == 0:
            return records, page


def data_of(name, kind="TRIM_HORIZON", shard=FIRST, **more):
    return [record["Data"] for record in drain(name, kind, shard, **more)[0]]


def shards(name, **more):
    return kinesis.list_shards(StreamName=name, **more)["Shards"]


def ids(listed):
    return [int(shard["ShardId"].rsplit("-", 1)[1]) for shard in listed]


@case
def creates_describes_and_deletes_streams():
    kinesis.create_stream(StreamName="made-1", ShardCount=3)
    kinesis.get_waiter("stream_exists").wait(StreamName="made-1", WaiterConfig=PATIENCE)
    seen = kinesis.describe_stream(StreamName="made-1")["StreamDescription"]
    equal((seen["StreamARN"], seen["StreamStatus"], seen["RetentionPeriodHours"], seen["HasMoreShards"],
           seen["EncryptionType"], seen["EnhancedMonitoring"], seen["StreamModeDetails"]),
          ("arn:aws:kinesis:us-east-1:000000000000:stream/made-1", "ACTIVE", 24, False, "NONE",
           [{"ShardLevelMetrics": []}], {"StreamMode": "PROVISIONED"}))
    true(abs(seen["StreamCreationTimestamp"].timestamp() - time.time()) < 60, f"{seen['StreamCreationTimestamp']}")
    width, at = 2 ** 128 // 3, 0
    for number, shard in enumerate(seen["Shards"]):
        last = 2 ** 128 - 1 if number == 2 else at + width - 1
        equal(shard["HashKeyRange"], {"StartingHashKey": str(at), "EndingHashKey": str(last)})
        true("ParentShardId" not in shard and "EndingSequenceNumber" not in shard["SequenceNumberRange"], f"{shard}")
        at = last + 1
    equal((summary("made-1")["OpenShardCount"], summary("made-1")["ConsumerCount"]), (3, 0))
    kinesis.delete_stream(StreamName="made-1")
    kinesis.get_waiter("stream_not_exists").wait(StreamName="made-1", WaiterConfig=PATIENCE)
    equal(error_of(kinesis.describe_stream, StreamName="made-1")[:2], ("ResourceNotFoundException", 400))
    new_stream("made-1")
    equal(data_of("made-1"), [])


@case
def is_creating_before_it_is_active():
    # The state lasts for a while of the server's choosing; what it refuses meanwhile is refused with these words.
    kinesis.create_stream(StreamName="becoming", ShardCount=1)
    refusals = set()
    while summary("becoming")["StreamStatus"] == "CREATING":
        for call, parameters in ((kinesis.put_record, {"Data": b"x", "PartitionKey": "k"}), (kinesis.split_shard, {
                "ShardToSplit": FIRST, "NewStartingHashKey": MIDDLE})):
            with contextlib.suppress(AssertionError):
                refusals.add(error_of(call, StreamName="becoming", **parameters))
    true(refusals <= {
        ("ResourceNotFoundException", 400, "Stream becoming under account 000000000000 not found."),
        ("ResourceInUseException", 400,
         "Stream becoming under account 000000000000 not ACTIVE, instead in state CREATING"),
    }, f"{refusals}")
    settle("becoming")


@case
def pages_through_everything():
    arn = new_stream("paged-0", 7)["StreamARN"]
    for number in range(1, 5):
        kinesis.create_stream(StreamName=f"paged-{number}", ShardCount=1)
    pages = list(kinesis.get_paginator("list_streams").paginate(PaginationConfig={"PageSize": 2}))
    true(all(len(page["StreamNames"]) <= 2 for page in pages), "a page is too long")
    names = [name for page in pages for name in page["StreamNames"]]
    equal([name for name in names if name.startswith("paged-")], [f"paged-{number}" for number in range(5)])
    # The paginator of list_shards gives the name again with the token, which the service refuses.
    pages = [kinesis.list_shards(StreamName="paged-0", MaxResults=3)]
    while token := pages[-1].get("NextToken"):
        pages.append(kinesis.list_shards(NextToken=token, MaxResults=3))
    equal([ids(page["Shards"]) for page in pages], [[0, 1, 2], [3, 4, 5], [6]])
    pages = list(kinesis.get_paginator("describe_stream").paginate(StreamName="paged-0",
                                                                   PaginationConfig={"PageSize": 3}))
    equal([ids(page["StreamDescription"]["Shards"]) for page in pages], [[0, 1, 2], [3, 4, 5], [6]])
    for number in range(5):
        kinesis.register_stream_consumer(StreamARN=arn, ConsumerName=f"consumer-{number}")
    pages = list(kinesis.get_paginator("list_stream_consumers").paginate(StreamARN=arn,
                                                                         PaginationConfig={"PageSize": 2}))
    equal(sorted(consumer["ConsumerName"] for page in pages for consumer in page["Consumers"]),
          [f"consumer-{number}" for number in range(5)])
    kinesis.add_tags_to_stream(StreamName="paged-0", Tags={f"key-{number}": f"{number}" for number in range(5)})
    first = kinesis.list_tags_for_stream(StreamName="paged-0", Limit=3)
    equal((len(first["Tags"]), first["HasMoreTags"]), (3, True))
    rest = kinesis.list_tags_for_stream(StreamName="paged-0", ExclusiveStartTagKey=first["Tags"][-1]["Key"])
    equal(([tag["Key"] for tag in first["Tags"] + rest["Tags"]], rest["HasMoreTags"]),
          ([f"key-{number}" for number in range(5)], False))
    token = kinesis.list_shards(StreamName="paged-0", MaxResults=1)["NextToken"]
    equal(error_of(kinesis.list_shards, StreamName="paged-0", NextToken=token)[:2], ("InvalidArgumentException", 400))


@case
def puts_and_gets_from_every_kind_of_position():
    new_stream("round")
    first = put("round", ALL_BYTES, NON_ASCII)
    latest = iterator("round", "LATEST")
    done = kinesis.put_records(StreamName="round", Records=[
        {"Data": f"{number}", "PartitionKey": f"k{number}"} for number in range(3)])
    equal(done["FailedRecordCount"], 0)
    records, page = drain("round")
    equal([(record["Data"], record["PartitionKey"]) for record in records],
          [(ALL_BYTES, NON_ASCII), (b"0", "k0"), (b"1", "k1"), (b"2", "k2")])
    equal([record["SequenceNumber"] for record in records],
          [first["SequenceNumber"]] + [record["SequenceNumber"] for record in done["Records"]])
    true("NextShardIterator" in page and "ChildShards" not in page, f"{page}")
    second = records[1]["SequenceNumber"]
    equal(data_of("round", "AT_SEQUENCE_NUMBER", StartingSequenceNumber=second), [b"0", b"1", b"2"])
    equal(data_of("round", "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=second), [b"1", b"2"])
    # A number that no record has will do, here the same one second later, and so will the shard's own first one.
    later = str(int(second) + 2 ** 36)
    equal(data_of("round", "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=later), [b"1", b"2"])
    start = shards("round")[0]["SequenceNumberRange"]["StartingSequenceNumber"]
    equal(len(data_of("round", "AT_SEQUENCE_NUMBER", StartingSequenceNumber=start)), 4)
    equal(data_of("round", "LATEST"), [])
    arrived = records[0]["ApproximateArrivalTimestamp"]
    equal(len(data_of("round", "AT_TIMESTAMP", Timestamp=arrived)), 4)
    equal(len(data_of("round", "AT_TIMESTAMP", Timestamp=arrived - datetime.timedelta(hours=1))), 4)
    page = kinesis.get_records(ShardIterator=latest, Limit=2)
    equal([record["Data"] for record in page["Records"]], [b"0", b"1"])
    page = kinesis.get_records(ShardIterator=page["NextShardIterator"])
    equal(([record["Data"] for record in page["Records"]], page["MillisBehindLatest"]), ([b"2"], 0))
    for alias in ("shard-0", "anything-0"):
        equal(len(data_of("round", shard=alias)), 4)


@case
def names_errors_by_class():
    new_stream("faulty", 2)
    for kind, call, parameters in (
            ("ResourceNotFoundException", kinesis.put_record, {
                "StreamName": "nowhere", "Data": b"x", "PartitionKey": "k"}),
            ("ResourceInUseException", kinesis.create_stream, {"StreamName": "faulty", "ShardCount": 1}),
            ("InvalidArgumentException", kinesis.get_records, {"ShardIterator": "rubbish"}),
            ("ResourceNotFoundException", kinesis.get_shard_iterator, {
                "StreamName": "faulty", "ShardId": "shardId-000000000017", "ShardIteratorType": "LATEST"}),
            ("InvalidArgumentException", kinesis.merge_shards, {
                "StreamName": "faulty", "ShardToMerge": FIRST, "AdjacentShardToMerge": FIRST})):
        try:
            call(**parameters)
            raise AssertionError(f"{kind} was not raised")
        except getattr(kinesis.exceptions, kind):
            pass
    code, status, text = error_of(kinesis.put_records, StreamName="faulty", Records=[
        {"Data": b"good", "PartitionKey": "k"}, {"Data": b"x", "PartitionKey": "k" * 257}])
    equal((code, status), ("ValidationException", 400))
    true("'records.2.member.partitionKey' failed to satisfy constraint: Member must have length" in text, text)
    equal(data_of("faulty") + data_of("faulty", shard="shardId-000000000001"), [])
    number = put("faulty", b"x", ExplicitHashKey="0")["SequenceNumber"]
    equal(error_of(kinesis.get_shard_iterator, StreamName="faulty", ShardId="shardId-000000000001",
                   ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=number),
          ("InvalidArgumentException", 400, "Invalid StartingSequenceNumber. It encodes shardId-000000000000, while it "
           "was used in a call to a shard with shardId-000000000001"))
    equal(error_of(put, name="faulty", data=b"x", ExplicitHashKey=str(2 ** 128))[2], "Invalid ExplicitHashKey. "
          f"ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {2 ** 128}")
    equal(error_of(kinesis.get_shard_iterator, StreamName="faulty", ShardId=FIRST, ShardIteratorType="AT_TIMESTAMP",
                   Timestamp=datetime.datetime.now() + datetime.timedelta(hours=1))[0], "InvalidArgumentException")


@case
def takes_what_is_just_allowed():
    new_stream("large")
    mebibyte = random.Random(1).randbytes(MEBIBYTE - 1)
    put("large", mebibyte)
    equal(error_of(put, name="large", data=b"x" * (MEBIBYTE + 1))[0], "ValidationException")
    records = [{"Data": bytes([number % 256]) * 20_000, "PartitionKey": "k"} for number in range(500)]
    equal(kinesis.put_records(StreamName="large", Records=records)["FailedRecordCount"], 0)
    equal(error_of(kinesis.put_records, StreamName="large", Records=records + records[:1])[0], "ValidationException")
    equal(error_of(kinesis.put_records, StreamName="large", Records=[
        {"Data": mebibyte, "PartitionKey": "k"}] * 11)[0], "InvalidArgumentException")
    page = kinesis.get_records(ShardIterator=iterator("large"))
    size = sum(len(record["Data"]) + len(record["PartitionKey"]) for record in page["Records"])
    true(9 * MEBIBYTE < size <= 10 * MEBIBYTE, f"a page of {size} bytes")
    rest = kinesis.get_records(ShardIterator=page["NextShardIterator"])
    got = [record["Data"] for record in page["Records"] + rest["Records"]]
    true(got == [mebibyte] + [record["Data"] for record in records], "other records came")
    equal(error_of(kinesis.get_records, ShardIterator=iterator("large"), Limit=10_001)[0], "ValidationException")


@case
def keeps_the_order_of_puts():
    new_stream("ordered", 2)
    equal(kinesis.put_records(StreamName="ordered", Records=[
        {"Data": f"{number}", "PartitionKey": f"k{number % 7}"} for number in range(500)])["FailedRecordCount"], 0)
    previous = None
    for number in range(500, 520):
        more = {"SequenceNumberForOrdering": previous} if previous else {}
        previous = put("ordered", f"{number}", "k0", **more)["SequenceNumber"]
    by_key = {}
    for shard in shards("ordered"):
        records = drain("ordered", shard=shard["ShardId"])[0]
        numbers = [int(record["SequenceNumber"]) for record in records]
        equal(numbers, sorted(set(numbers)))
        for record in records:
            by_key.setdefault(record["PartitionKey"], []).append(int(record["Data"]))
    expected = {f"k{key}": [number for number in range(500) if number % 7 == key] for key in range(7)}
    expected["k0"] += range(500, 520)
    equal(by_key, expected)


@case
def splits_merges_and_filters_shards():
    new_stream("reshaped")
    put("reshaped", b"before")
    kinesis.split_shard(StreamName="reshaped", ShardToSplit=FIRST, NewStartingHashKey=MIDDLE)
    settle("reshaped")
    equal(error_of(kinesis.split_shard, StreamName="reshaped", ShardToSplit=FIRST, NewStartingHashKey=MIDDLE)[::2],
          ("InvalidArgumentException", "Shard shardId-000000000000 in stream reshaped under account 000000000000 has "
           "already been merged or split, and thus is not eligible for merging or splitting."))
    records, page = drain("reshaped")
    equal([record["Data"] for record in records], [b"before"])
    while "NextShardIterator" in page:
        page = kinesis.get_records(ShardIterator=page["NextShardIterator"])
    equal([(child["ShardId"], child["ParentShards"], child["HashKeyRange"]["StartingHashKey"])
           for child in page["ChildShards"]],
          [("shardId-000000000001", [FIRST], "0"), ("shardId-000000000002", [FIRST], MIDDLE)])
    # This client says no more than the second.
    between = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(seconds=1)
    until(lambda: time.time() > between.timestamp(), "the next second")
    put("reshaped", b"between", ExplicitHashKey="5")
    kinesis.merge_shards(StreamName="reshaped", ShardToMerge="shardId-000000000001",
                         AdjacentShardToMerge="shardId-000000000002")
    settle("reshaped")
    listed = shards("reshaped")
    equal([(shard.get("ParentShardId"), shard.get("AdjacentParentShardId")) for shard in listed],
          [(None, None), (FIRST, None), (FIRST, None), ("shardId-000000000001", "shardId-000000000002")])
    for parent, child in ((0, 1), (0, 2), (1, 3), (2, 3)):
        ending = listed[parent]["SequenceNumberRange"]["EndingSequenceNumber"]
        starting = listed[child]["SequenceNumberRange"]["StartingSequenceNumber"]
        true(int(ending) < int(starting), f"{child} begins before {parent} ends")

    def filtered(kind, **more):
        return ids(shards("reshaped", ShardFilter={"Type": kind, **more}))

    equal(filtered("AT_LATEST"), [3])
    equal(filtered("AT_TRIM_HORIZON"), [0])
    equal(filtered("FROM_TRIM_HORIZON"), [0, 1, 2, 3])
    equal(filtered("AFTER_SHARD_ID", ShardId="shardId-000000000001"), [2, 3])
    equal(filtered("AT_TIMESTAMP", Timestamp=between), [1, 2])
    equal(filtered("FROM_TIMESTAMP", Timestamp=between), [1, 2, 3])
    equal(ids(shards("reshaped", ExclusiveStartShardId="shardId-000000000002")), [3])
    done = kinesis.update_shard_count(StreamName="reshaped", TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    equal((done["StreamName"], done["CurrentShardCount"], done["TargetShardCount"]), ("reshaped", 1, 2))
    equal(settle("reshaped")["OpenShardCount"], 2)
    equal(data_of("reshaped", shard="shardId-000000000001"), [b"between"])


@case
def changes_what_a_stream_is_like():
    arn = new_stream("settings")["StreamARN"]
    stream = {"StreamName": "settings"}
    kinesis.increase_stream_retention_period(**stream, RetentionPeriodHours=100)
    settle("settings")
    equal(error_of(kinesis.increase_stream_retention_period, **stream, RetentionPeriodHours=99)[:2],
          ("InvalidArgumentException", 400))
    kinesis.decrease_stream_retention_period(**stream, RetentionPeriodHours=99)
    settle("settings")
    done = kinesis.enable_enhanced_monitoring(**stream, ShardLevelMetrics=["ALL"])
    equal((done["CurrentShardLevelMetrics"], len(done["DesiredShardLevelMetrics"])), ([], 7))
    settle("settings")
    done = kinesis.disable_enhanced_monitoring(**stream, ShardLevelMetrics=["IncomingBytes"])
    equal(len(done["DesiredShardLevelMetrics"]), 6)
    settle("settings")
    kinesis.start_stream_encryption(**stream, EncryptionType="KMS", KeyId="alias/aws/kinesis")
    settle("settings")
    equal(put("settings", b"secret")["EncryptionType"], "KMS")
    equal(drain("settings")[0][0]["EncryptionType"], "KMS")
    kinesis.stop_stream_encryption(**stream, EncryptionType="KMS", KeyId="alias/aws/kinesis")
    settle("settings")
    kinesis.update_stream_mode(StreamARN=arn, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    seen = settle("settings")
    equal((seen["RetentionPeriodHours"], seen["EncryptionType"], seen["StreamModeDetails"],
           len(seen["EnhancedMonitoring"][0]["ShardLevelMetrics"])), (99, "NONE", {"StreamMode": "ON_DEMAND"}, 6))
    equal(error_of(kinesis.update_shard_count, **stream, TargetShardCount=2, ScalingType="UNIFORM_SCALING")[1], 400)
    kinesis.add_tags_to_stream(**stream, Tags={"a": "1", "b": "Grüße 世界"})
    kinesis.remove_tags_from_stream(**stream, TagKeys=["a"])
    equal(kinesis.list_tags_for_stream(**stream)["Tags"], [{"Key": "b", "Value": "Grüße 世界"}])
    limits = kinesis.describe_limits()
    true(limits["OpenShardCount"] >= 1 and limits["OnDemandStreamCount"] >= 1, f"{limits}")


@case
def finds_a_stream_by_its_arn():
    seen = new_stream("addressed")
    adding, more = client_that_adds()
    more["StreamARN"] = seen["StreamARN"]
    done = adding.put_records(StreamName="addressed", Records=[{"Data": b"x", "PartitionKey": "k"}])
    equal(done["FailedRecordCount"], 0)
    equal(adding.list_shards()["Shards"], shards("addressed"))
    more["StreamARN"] = seen["StreamARN"].replace("addressed", "elsewhere")
    equal(error_of(adding.list_shards)[:2], ("ResourceNotFoundException", 400))
    equal(error_of(adding.describe_stream_summary, StreamName="addressed")[:2], ("InvalidArgumentException", 400))
    del more["StreamARN"]
    equal(error_of(adding.list_shards)[:2], ("InvalidArgumentException", 400))


@case
def keeps_regions_and_accounts_apart():
    places = [client(region, account) for region, account in (
        ("us-east-1", "111111111111"), ("eu-central-1", "111111111111"), ("us-east-1", "222222222222"))]
    for number, place in enumerate(places):
        place.create_stream(StreamName="shared", ShardCount=number + 1)
    for number, place in enumerate(places):
        place.get_waiter("stream_exists").wait(StreamName="shared", WaiterConfig=PATIENCE)
        equal(place.list_streams()["StreamNames"], ["shared"])
        equal(len(place.list_shards(StreamName="shared")["Shards"]), number + 1)


@case
def speaks_tls():
    new_stream("private")
    secure = client(endpoint=ENDPOINT.replace("http:", "https:"))
    secure.put_record(StreamName="private", Data=NON_ASCII, PartitionKey="k")
    got = secure.get_records(ShardIterator=secure.get_shard_iterator(
        StreamName="private", ShardId=FIRST, ShardIteratorType="TRIM_HORIZON")["ShardIterator"])
    equal([record["Data"].decode() for record in got["Records"]], [NON_ASCII])


def events_of(consumer, position, shard=FIRST):
    stream = kinesis.subscribe_to_shard(ConsumerARN=consumer, ShardId=shard, StartingPosition=position)["EventStream"]
    return stream, (event["SubscribeToShardEvent"] for event in stream)


@case
def subscribes_to_a_shard():
    arn = new_stream("subscribed")["StreamARN"]
    consumer = new_consumer(arn)
    put("subscribed", b"before")
    stream, events = events_of(consumer, {"Type": "TRIM_HORIZON"})
    with contextlib.closing(stream):
        try:
            kinesis.subscribe_to_shard(ConsumerARN=consumer, ShardId=FIRST, StartingPosition={"Type": "LATEST"})
            raise AssertionError("a second subscription was let in at once")
        except kinesis.exceptions.ResourceInUseException:
            pass
        equal([record["Data"] for record in next(events)["Records"]], [b"before"])
        for number in range(10):
            done = put("subscribed", f"{number}")
            event = next(event for event in events if event["Records"])
            equal([(record["Data"], record["SequenceNumber"]) for record in event["Records"]],
                  [(f"{number}".encode(), done["SequenceNumber"])])
        quiet = time.monotonic()
        beat = next(events)
        equal((beat["Records"], beat["MillisBehindLatest"]), ([], 0))
        true(time.monotonic() - quiet < 8, "no heartbeat came")
        kinesis.split_shard(StreamName="subscribed", ShardToSplit=FIRST, NewStartingHashKey=MIDDLE)
        last = list(events)[-1]
        equal([child["ParentShards"] for child in last["ChildShards"]], [[FIRST], [FIRST]])
    settle("subscribed")
    stream, events = events_of(consumer, {"Type": "LATEST"}, "shardId-000000000001")
    with contextlib.closing(stream):
        kinesis.deregister_stream_consumer(ConsumerARN=consumer)
        try:
            list(events)
            raise AssertionError("a consumer that is no more was told nothing")
        except EventStreamError as error:
            equal(error.response["Error"]["Code"], "ResourceNotFoundException")


class Worker:
    """A consumer like the KCL: it begins at the open shards, reads each to its end, then those children all of whose
    parents have ended."""

    def __init__(self, name):
        self.name = name
        self.by_key = {}
        self.ended = set()
        self.iterators = {}
        for shard in shards(name):
            self.begin(shard["ShardId"])

    def begin(self, shard):
        self.iterators[shard] = iterator(self.name, shard=shard)

    def turn(self):
        """Whether a shard had anything."""
        found = False
        for shard, following in list(self.iterators.items()):
            page = kinesis.get_records(ShardIterator=following, Limit=1_000)
            found = found or bool(page["Records"])
            for record in page["Records"]:
                self.by_key.setdefault(record["PartitionKey"], []).append(int(record["Data"]))
            true(("NextShardIterator" in page) != bool(page.get("ChildShards")),
                 f"an iterator and children, or neither: {page}")
            if "NextShardIterator" in page:
                self.iterators[shard] = page["NextShardIterator"]
            else:
                self.end(shard, page["ChildShards"])
        return found

    def end(self, shard, children):
        del self.iterators[shard]
        self.ended.add(shard)
        for child in children:
            if set(child["ParentShards"]) <= self.ended:
                self.begin(child["ShardId"])

    def count(self):
        return sum(len(numbers) for numbers in self.by_key.values())


class Producers(threading.Thread):
    """Puts 0, 1, 2 and so on under each key, one after the other: half alone and half with others."""

    def __init__(self, name, number):
        super().__init__()
        self.stream, self.number = name, number
        self.acknowledged = {f"{number}-{key}": 0 for key in range(10)}
        self.producing = True
        self.error = None

    def run(self):
        try:
            while self.producing:
                self.put_all()
        except Exception as error:  # It is told to the case.
            self.error = error

    def put_all(self):
        if self.number % 2:
            entries = [{"Data": f"{at + more}", "PartitionKey": key}
                       for key, at in self.acknowledged.items() for more in range(3)]
            done = kinesis.put_records(StreamName=self.stream, Records=entries)
            equal(done["FailedRecordCount"], 0)
            for key in self.acknowledged:
                self.acknowledged[key] += 3
            return
        for key, at in self.acknowledged.items():
            put(self.stream, f"{at}", key)
            self.acknowledged[key] = at + 1


def open_shards(name):
    return sorted((shard for shard in shards(name, ShardFilter={"Type": "AT_LATEST"})),
                  key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))


def reshape(name, randomness):
    """A split of one open shard, or a merge of two."""
    there = open_shards(name)
    if len(there) < 3 or len(there) < 6 and randomness.random() < 0.5:
        shard = randomness.choice(there)
        low, high = (int(shard["HashKeyRange"][end]) for end in ("StartingHashKey", "EndingHashKey"))
        kinesis.split_shard(StreamName=name, ShardToSplit=shard["ShardId"],
                            NewStartingHashKey=str((low + high) // 2 + 1))
    else:
        at = randomness.randrange(len(there) - 1)
        kinesis.merge_shards(StreamName=name, ShardToMerge=there[at]["ShardId"],
                             AdjacentShardToMerge=there[at + 1]["ShardId"])
    settle(name)


@case
def reads_each_record_once_and_in_order_while_shards_split_and_merge():
    new_stream("busy", 2)
    producers = [Producers("busy", number) for number in range(4)]
    worker = Worker("busy")
    for producer in producers:
        producer.start()
    try:
        randomness = random.Random(7)
        for _ in range(10):
            reshape("busy", randomness)
            reached = worker.count()
            until(lambda: worker.turn() and worker.count() > reached + 50, "records come from the new shards")
    finally:
        for producer in producers:
            producer.producing = False
        for producer in producers:
            producer.join()
    equal([producer.error for producer in producers if producer.error], [])
    expected = {key: list(range(count)) for producer in producers for key, count in producer.acknowledged.items()}
    total = sum(len(numbers) for numbers in expected.values())
    until(lambda: worker.turn() or worker.count() >= total, f"all {total} records came")
    while worker.turn():
        pass
    true(worker.by_key == expected, f"{worker.count()} of {total} records came, or in another order")
    equal(len(worker.ended), len(shards("busy")) - len(open_shards("busy")))


def restart_the_server(control):
    """It is killed, and there again when this returns."""
    control.sendall(b"r")
    equal(control.recv(1), b"r")


def at_consumer(name):
    """A client of which nothing is new but the endpoint."""
    return client(endpoint=f"{ENDPOINT}/@consumer/{name}")


def read_batch(reader, following, limit):
    page = reader.get_records(ShardIterator=following, Limit=limit)
    return [record["Data"] for record in page["Records"]], page.get("NextShardIterator"), page


def begin(reader, stream, kind="TRIM_HORIZON", shard=FIRST):
    return reader.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType=kind)["ShardIterator"]


@case
def an_endpoint_with_a_consumer_resumes():
    new_stream("resumed")
    for number in range(6):
        put("resumed", str(number).encode())
    first = at_consumer("billing")
    got, following, _ = read_batch(first, begin(first, "resumed"), 2)
    equal(got, [b"0", b"1"])
    equal(read_batch(first, following, 2)[0], [b"2", b"3"])
    # It is gone here, with two and three on its hands: zero and one are what it showed as done.
    second = at_consumer("billing")
    for kind in ("TRIM_HORIZON", "LATEST"):
        got, following, _ = read_batch(second, begin(second, "resumed", kind), 10)
        equal(got, [b"2", b"3", b"4", b"5"])
    equal(read_batch(second, following, 10)[0], [])
    equal(read_batch(second, begin(second, "resumed"), 10)[0], [])
    # Another consumer, and no consumer, are where they were.
    other = at_consumer("audit")
    equal(len(read_batch(other, begin(other, "resumed"), 10)[0]), 6)
    equal(len(data_of("resumed")), 6)


@case
def a_consumer_of_latest_misses_nothing_between_its_runs():
    new_stream("followed")
    put("followed", b"before")
    reader = at_consumer("tail")
    following = begin(reader, "followed", "LATEST")
    put("followed", b"one")
    got, following, _ = read_batch(reader, following, 1)
    equal(got, [b"one"])
    equal(read_batch(reader, following, 1)[0], [])
    put("followed", b"while it was away")
    reader = at_consumer("tail")
    equal(read_batch(reader, begin(reader, "followed", "LATEST"), 10)[0], [b"while it was away"])


@case
def members_of_a_consumer_are_fenced():
    new_stream("fenced")
    put("fenced", b"x")
    one, two = at_consumer("pair/one"), at_consumer("pair/two")
    following = begin(one, "fenced")
    code, status, text = error_of(two.get_shard_iterator, StreamName="fenced", ShardId=FIRST,
                                  ShardIteratorType="TRIM_HORIZON")
    equal((code, status), ("ProvisionedThroughputExceededException", 400))
    true('"one"' in text, text)
    # Started again it takes its own place, and the process before it is over.
    again = at_consumer("pair/one")
    begin(again, "fenced")
    code, _, text = error_of(one.get_records, ShardIterator=following)
    equal(code, "ExpiredIteratorException")
    equal(error_of(at_consumer("no name/").get_shard_iterator, StreamName="fenced", ShardId=FIRST,
                   ShardIteratorType="LATEST")[0], "InvalidArgumentException")


@case
def a_consumer_commits_the_end_of_a_shard():
    new_stream("ended")
    put("ended", b"last")
    kinesis.split_shard(StreamName="ended", ShardToSplit=FIRST, NewStartingHashKey=MIDDLE)
    settle("ended")
    reader = at_consumer("ends")
    got, following, page = read_batch(reader, begin(reader, "ended"), 10)
    equal(got, [b"last"])
    true(following is not None and "ChildShards" not in page, "what came last was not to be committed")
    got, following, page = read_batch(reader, following, 10)
    equal((got, following, ids(page["ChildShards"])), ([], None, [1, 2]))
    equal(read_batch(reader, begin(reader, "ended"), 10)[0], [])


@case
def goes_on_after_a_restart():
    arn = new_stream("lasting", 2)["StreamARN"]
    put("lasting", b"one", ExplicitHashKey="0")
    tail = iterator("lasting", "LATEST")
    done = kinesis.put_records(StreamName="lasting", Records=[
        {"Data": f"{number}", "PartitionKey": "k", "ExplicitHashKey": "0"} for number in range(100)])
    page = kinesis.get_records(ShardIterator=tail, Limit=10)
    token = kinesis.list_shards(StreamName="lasting", MaxResults=1)["NextToken"]
    consumer = new_consumer(arn)
    kinesis.add_tags_to_stream(StreamName="lasting", Tags={"a": "1"})
    before = (summary("lasting"), shards("lasting"), drain("lasting")[0])
    with socket.socket(fileno=int(os.environ["PENSTOCK_CONTROL"])) as control:
        restart_the_server(control)
        equal((summary("lasting"), shards("lasting"), drain("lasting")[0]), before)
        rest = kinesis.get_records(ShardIterator=page["NextShardIterator"])
        equal([record["SequenceNumber"] for record in page["Records"] + rest["Records"]],
              [record["SequenceNumber"] for record in done["Records"]])
        equal(ids(kinesis.list_shards(NextToken=token)["Shards"]), [1])
        stream, events = events_of(consumer, {
            "Type": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": done["Records"][-1]["SequenceNumber"]})
        after = put("lasting", b"after", ExplicitHashKey="0")
        true(int(after["SequenceNumber"]) > int(done["Records"][-1]["SequenceNumber"]), "numbers went back")
        with contextlib.closing(stream):
            got = next(event for event in events if event["Records"])
            equal([record["Data"] for record in got["Records"]], [b"after"])
        kinesis.split_shard(StreamName="lasting", ShardToSplit=FIRST, NewStartingHashKey="1000")
        restart_the_server(control)
        settle("lasting")
        equal(ids(open_shards("lasting")), [2, 3, 1])
        following = rest["NextShardIterator"]
        page = kinesis.get_records(ShardIterator=following)
        equal([record["Data"] for record in page["Records"]], [b"after"])
        if "NextShardIterator" in page:
            page = kinesis.get_records(ShardIterator=page["NextShardIterator"])
        equal(ids(page["ChildShards"]), [2, 3])
        equal(kinesis.list_tags_for_stream(StreamName="lasting")["Tags"], [{"Key": "a", "Value": "1"}])
        equal(kinesis.describe_stream_consumer(ConsumerARN=consumer)["ConsumerDescription"]["ConsumerName"], "reader")


run()
