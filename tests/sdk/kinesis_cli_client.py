"""Debian's AWS CLI on Kinesis, which speaks JSON over HTTP/1.1, as a person would type it."""

import base64
import datetime
import json
import os
import re
import subprocess
import tempfile
import time

import boto3

from cases import ALL_BYTES, ENDPOINT, NON_ASCII, case, equal, run, true, until

# The one of Debian's package: another one on PATH may be of another version.
AWS = ["/usr/bin/python3", "/usr/bin/aws"]
boto = boto3.client("kinesis", endpoint_url=ENDPOINT)
FIRST = "shardId-000000000000"
MIDDLE = str(2 ** 127)


def execute(command, *arguments, endpoint=ENDPOINT):
    argv = [*AWS, "kinesis", command, "--endpoint-url", endpoint, "--output", "json", *arguments]
    return subprocess.run(argv, env=dict(os.environ, AWS_MAX_ATTEMPTS="1"), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60, check=False)


def aws(command, *arguments, **place):
    done = execute(command, *arguments, **place)
    true(done.returncode == 0, f"aws {command} ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout) if done.stdout.strip() else {}


def error_of(command, *arguments):
    """What the CLI says of the error: its name and its text."""
    done = execute(command, *arguments)
    found = re.search(r"An error occurred \((\w+)\) when calling the \w+ operation"
                      r"(?: \(reached max retries: 0\))?: (.*)", done.stderr)
    true(done.returncode != 0 and found, f"no error, but {done.returncode}: {done.stderr}")
    return found.groups()


def encoded(data):
    return base64.b64encode(data).decode()


def settle(name):
    """Asked by boto3, which does not take a second for it."""
    def active():
        seen = boto.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        return seen["StreamStatus"] == "ACTIVE" and seen

    return until(active, f"{name} is ACTIVE")


def new_stream(name, shards=1):
    aws("create-stream", "--stream-name", name, "--shard-count", str(shards))
    return settle(name)["StreamARN"]


def put(name, data, key="k", *arguments):
    return aws("put-record", "--stream-name", name, "--data", encoded(data), "--partition-key", key, *arguments)


def iterator(name, kind, *arguments, shard=FIRST):
    return aws("get-shard-iterator", "--stream-name", name, "--shard-id", shard, "--shard-iterator-type", kind,
               *arguments)["ShardIterator"]


def records(following, *arguments):
    return aws("get-records", "--shard-iterator", following, *arguments)


def data_of(page):
    return [base64.b64decode(record["Data"]) for record in page["Records"]]


def ids(shards):
    return [int(shard["ShardId"].rsplit("-", 1)[1]) for shard in shards]


def shards(name, *arguments):
    return aws("list-shards", "--stream-name", name, *arguments)["Shards"]


@case
def creates_waits_for_describes_and_deletes():
    aws("create-stream", "--stream-name", "made", "--shard-count", "2")
    aws("wait", "stream-exists", "--stream-name", "made")
    seen = aws("describe-stream", "--stream-name", "made")["StreamDescription"]
    equal((seen["StreamARN"], seen["StreamStatus"], seen["RetentionPeriodHours"], ids(seen["Shards"])),
          ("arn:aws:kinesis:us-east-1:000000000000:stream/made", "ACTIVE", 24, [0, 1]))
    equal([shard["HashKeyRange"]["StartingHashKey"] for shard in seen["Shards"]], ["0", MIDDLE])
    equal(error_of("create-stream", "--stream-name", "made", "--shard-count", "1"),
          ("ResourceInUseException", "Stream made under account 000000000000 already exists."))
    aws("delete-stream", "--stream-name", "made")
    aws("wait", "stream-not-exists", "--stream-name", "made")
    equal(error_of("describe-stream", "--stream-name", "made"),
          ("ResourceNotFoundException", "Stream made under account 000000000000 not found."))


@case
def puts_and_gets_records():
    arn = new_stream("round")
    first = put("round", ALL_BYTES, NON_ASCII)
    latest = iterator("round", "LATEST")
    done = aws("put-records", "--stream-arn", arn, "--records", json.dumps([
        {"Data": encoded(f"{number}".encode()), "PartitionKey": f"k{number}"} for number in range(3)]))
    equal(done["FailedRecordCount"], 0)
    page = records(iterator("round", "TRIM_HORIZON"))
    equal(data_of(page), [ALL_BYTES, b"0", b"1", b"2"])
    equal((page["Records"][0]["PartitionKey"], page["Records"][0]["SequenceNumber"], page["MillisBehindLatest"]),
          (NON_ASCII, first["SequenceNumber"], 0))
    page = records(latest, "--limit", "2")
    equal(data_of(page), [b"0", b"1"])
    equal(data_of(records(page["NextShardIterator"], "--stream-arn", arn)), [b"2"])
    second = ("--starting-sequence-number", done["Records"][0]["SequenceNumber"])
    equal(data_of(records(iterator("round", "AT_SEQUENCE_NUMBER", *second))), [b"0", b"1", b"2"])
    equal(data_of(records(iterator("round", "AFTER_SEQUENCE_NUMBER", *second))), [b"1", b"2"])
    equal(len(data_of(records(iterator("round", "AT_TIMESTAMP", "--timestamp", str(int(time.time()) - 3_600))))), 4)


@case
def shows_errors():
    new_stream("faulty", 2)
    equal(error_of("get-records", "--shard-iterator", "rubbish"),
          ("InvalidArgumentException", "Invalid ShardIterator."))
    kind, text = error_of("put-record", "--stream-name", "faulty", "--data", "eA==", "--partition-key", "k" * 257)
    equal(kind, "ValidationException")
    true(text.startswith("1 validation error detected: Value 'kkk") and text.endswith(
        "at 'partitionKey' failed to satisfy constraint: Member must have length less than or equal to 256"), text)
    equal(error_of("get-shard-iterator", "--stream-name", "faulty", "--shard-id", "shardId-000000000009",
                   "--shard-iterator-type", "LATEST")[0], "ResourceNotFoundException")
    equal(error_of("split-shard", "--stream-name", "faulty", "--shard-to-split", FIRST, "--new-starting-hash-key",
                   str(2 ** 128 - 1))[0], "InvalidArgumentException")
    equal(error_of("merge-shards", "--stream-name", "faulty", "--shard-to-merge", FIRST, "--adjacent-shard-to-merge",
                   "shardId-000000000007")[0], "ResourceNotFoundException")
    equal(error_of("describe-stream-summary")[0], "InvalidArgumentException")


@case
def splits_merges_and_counts_shards():
    new_stream("reshaped")
    put("reshaped", b"before")
    aws("split-shard", "--stream-name", "reshaped", "--shard-to-split", FIRST, "--new-starting-hash-key", MIDDLE)
    settle("reshaped")
    page = records(iterator("reshaped", "TRIM_HORIZON"))
    equal(data_of(page), [b"before"])
    if "NextShardIterator" in page:
        page = records(page["NextShardIterator"])
    equal((ids(page["ChildShards"]), page["ChildShards"][0]["ParentShards"]), ([1, 2], [FIRST]))
    between = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(seconds=1)
    until(lambda: time.time() > between.timestamp(), "the next second")
    aws("merge-shards", "--stream-name", "reshaped", "--shard-to-merge", "shardId-000000000001",
        "--adjacent-shard-to-merge", "shardId-000000000002")
    settle("reshaped")
    for shard_filter, expected in (
            ("Type=AT_LATEST", [3]), ("Type=AT_TRIM_HORIZON", [0]), ("Type=FROM_TRIM_HORIZON", [0, 1, 2, 3]),
            ("Type=AFTER_SHARD_ID,ShardId=shardId-000000000001", [2, 3]),
            (f"Type=AT_TIMESTAMP,Timestamp={between.isoformat()}", [1, 2]),
            (f"Type=FROM_TIMESTAMP,Timestamp={between.isoformat()}", [1, 2, 3])):
        equal((shard_filter, ids(shards("reshaped", "--shard-filter", shard_filter))), (shard_filter, expected))
    done = aws("update-shard-count", "--stream-name", "reshaped", "--target-shard-count", "2", "--scaling-type",
               "UNIFORM_SCALING")
    equal((done["CurrentShardCount"], done["TargetShardCount"]), (1, 2))
    equal(settle("reshaped")["OpenShardCount"], 2)


@case
def pages():
    new_stream("paged-1", 5)
    for number in (2, 3):
        aws("create-stream", "--stream-name", f"paged-{number}", "--shard-count", "1")
    listed = aws("list-streams", "--page-size", "1")
    names = [name for name in listed["StreamNames"] if name.startswith("paged-")]
    equal(names, ["paged-1", "paged-2", "paged-3"])
    equal([stream["StreamName"] for stream in listed["StreamSummaries"]], listed["StreamNames"])
    # By itself the CLI gives the name again with the token, which the service refuses.
    page = aws("list-shards", "--stream-name", "paged-1", "--max-results", "2", "--no-paginate")
    equal(ids(page["Shards"]), [0, 1])
    page = aws("list-shards", "--next-token", page["NextToken"], "--no-paginate")
    equal((ids(page["Shards"]), "NextToken" in page), ([2, 3, 4], False))
    equal(error_of("list-shards", "--stream-name", "paged-1", "--page-size", "2"),
          ("InvalidArgumentException", "NextToken and StreamName cannot be provided together."))
    seen = aws("describe-stream", "--stream-name", "paged-1", "--page-size", "2")["StreamDescription"]
    equal(ids(seen["Shards"]), [0, 1, 2, 3, 4])


@case
def changes_what_a_stream_is_like():
    arn = new_stream("settings")
    stream = ("--stream-name", "settings")
    aws("increase-stream-retention-period", *stream, "--retention-period-hours", "48")
    settle("settings")
    aws("decrease-stream-retention-period", *stream, "--retention-period-hours", "30")
    settle("settings")
    done = aws("enable-enhanced-monitoring", *stream, "--shard-level-metrics", "IncomingBytes", "OutgoingBytes")
    equal(done["DesiredShardLevelMetrics"], ["IncomingBytes", "OutgoingBytes"])
    settle("settings")
    aws("disable-enhanced-monitoring", *stream, "--shard-level-metrics", "OutgoingBytes")
    settle("settings")
    encryption = ("--encryption-type", "KMS", "--key-id", "alias/aws/kinesis")
    aws("start-stream-encryption", *stream, *encryption)
    settle("settings")
    equal(put("settings", b"x")["EncryptionType"], "KMS")
    aws("stop-stream-encryption", *stream, *encryption)
    settle("settings")
    aws("update-stream-mode", "--stream-arn", arn, "--stream-mode-details", "StreamMode=ON_DEMAND")
    settle("settings")
    seen = aws("describe-stream-summary", *stream)["StreamDescriptionSummary"]
    equal((seen["RetentionPeriodHours"], seen["EncryptionType"], seen["EnhancedMonitoring"], seen["StreamModeDetails"]),
          (30, "NONE", [{"ShardLevelMetrics": ["IncomingBytes"]}], {"StreamMode": "ON_DEMAND"}))
    limits = aws("describe-limits")
    true(limits["OpenShardCount"] >= 1 and limits["OnDemandStreamCount"] >= 1, f"{limits}")


@case
def keeps_tags_and_consumers():
    arn = new_stream("labelled")
    aws("add-tags-to-stream", "--stream-name", "labelled", "--tags", "Team=water,Stage=test")
    aws("remove-tags-from-stream", "--stream-name", "labelled", "--tag-keys", "Stage")
    equal(aws("list-tags-for-stream", "--stream-arn", arn)["Tags"], [{"Key": "Team", "Value": "water"}])
    consumers = [aws("register-stream-consumer", "--stream-arn", arn, "--consumer-name", name)["Consumer"]
                 for name in ("one", "two")]
    equal(error_of("register-stream-consumer", "--stream-arn", arn, "--consumer-name", "one")[0],
          "ResourceInUseException")
    for consumer in consumers:
        true(re.fullmatch(re.escape(f"{arn}/consumer/") + r"(one|two):\d+", consumer["ConsumerARN"]), f"{consumer}")
    listed = aws("list-stream-consumers", "--stream-arn", arn, "--page-size", "1")["Consumers"]
    equal(sorted(consumer["ConsumerName"] for consumer in listed), ["one", "two"])

    def status(*arguments):
        return aws("describe-stream-consumer", *arguments)["ConsumerDescription"]["ConsumerStatus"]

    until(lambda: status("--consumer-arn", consumers[0]["ConsumerARN"]) == "ACTIVE", "it is ACTIVE")
    until(lambda: status("--stream-arn", arn, "--consumer-name", "two") == "ACTIVE", "it is ACTIVE")
    aws("deregister-stream-consumer", "--consumer-arn", consumers[0]["ConsumerARN"])
    until(lambda: len(aws("list-stream-consumers", "--stream-arn", arn)["Consumers"]) == 1, "one consumer is left")
    # The CLI has no subscribe-to-shard: it has no place for a stream of events.


@case
def takes_a_mebibyte_from_a_file():
    new_stream("large")
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"m" * 1_048_575)
        file.flush()
        argument = f"fileb://{file.name}"
        aws("put-record", "--stream-name", "large", "--data", argument, "--partition-key", "k")
        file.write(b"mm")
        file.flush()
        equal(error_of("put-record", "--stream-name", "large", "--data", argument, "--partition-key", "k")[0],
              "ValidationException")
    equal([len(data) for data in data_of(records(iterator("large", "TRIM_HORIZON")))], [1_048_575])


@case
def an_endpoint_with_a_consumer_resumes():
    new_stream("resumed")
    for data in (b"one", b"two"):
        aws("put-record", "--stream-name", "resumed", "--data", encoded(data), "--partition-key", "k")
    place = {"endpoint": ENDPOINT + "/@consumer/nightly"}

    def begin():
        return aws("get-shard-iterator", "--stream-name", "resumed", "--shard-id", FIRST, "--shard-iterator-type",
                   "TRIM_HORIZON", **place)["ShardIterator"]

    page = aws("get-records", "--shard-iterator", begin(), "--limit", "1", **place)
    equal(data_of(page["Records"]), [b"one"])
    page = aws("get-records", "--shard-iterator", page["NextShardIterator"], **place)
    equal(data_of(page["Records"]), [b"two"])
    # The next night: "two" was never shown as done.
    page = aws("get-records", "--shard-iterator", begin(), **place)
    equal(data_of(page["Records"]), [b"two"])


@case
def speaks_tls():
    aws("create-stream", "--stream-name", "private", "--shard-count", "1", endpoint=ENDPOINT.replace("http:", "https:"))
    equal(settle("private")["StreamName"], "private")


# The CLI takes a second to start, and nearly none to do what it is told.
run(at_once=2)
