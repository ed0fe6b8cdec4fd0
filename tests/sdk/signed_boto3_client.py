"""Debian's boto3 at a server that has every request signed."""

import datetime
import importlib
import urllib.error
import urllib.request

import boto3
import botocore.auth
import botocore.compat
import botocore.exceptions
from botocore.config import Config

from cases import ENDPOINT, NON_ASCII, case, equal, run, true, until

KEY = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def client(service, secret=SECRET, key=KEY, endpoint=ENDPOINT, token=None):
    # A retry would hide an error that should not have been.
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=key,
                        aws_secret_access_key=secret, aws_session_token=token, config=Config(retries={"max_attempts": 0}))


def error_of(call, **parameters):
    """Code and status of the error that the call must fail with."""
    try:
        call(**parameters)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    raise AssertionError("the call succeeded")


@case
def signs_what_it_asks_of_a_queue():
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="signed.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=NON_ASCII, MessageGroupId="a/b+c(d)", MessageDeduplicationId="1",
                     MessageAttributes={"Kind": {"DataType": "String", "StringValue": NON_ASCII}})
    got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    equal([message["Body"] for message in got], [NON_ASCII])
    equal(client("sqs", token="a-session").list_queues(QueueNamePrefix="sig")["QueueUrls"], [url])


@case
def signs_over_tls_too():
    secure = client("sqs", endpoint=ENDPOINT.replace("http:", "https:"))
    true("QueueUrls" in secure.list_queues(), "there is a queue")


@case
def signs_what_it_asks_of_a_stream():
    kinesis = client("kinesis")
    kinesis.create_stream(StreamName="signed", ShardCount=1)
    until(lambda: kinesis.describe_stream_summary(StreamName="signed")["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE",
          "an active stream")
    kinesis.put_record(StreamName="signed", PartitionKey=NON_ASCII[:10], Data=bytes(range(256)))
    consumer = client("kinesis", endpoint=f"{ENDPOINT}/@consumer/billing/one")
    iterator = consumer.get_shard_iterator(StreamName="signed", ShardId="shardId-000000000000",
                                           ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    equal([record["Data"] for record in consumer.get_records(ShardIterator=iterator)["Records"]], [bytes(range(256))])


@case
def signs_what_it_asks_of_functions():
    equal(client("lambda").list_functions()["Functions"], [])
    arn = "arn:aws:lambda:us-east-1:000000000000:function:nothing"
    equal(error_of(client("lambda").get_function, FunctionName=arn), ("ResourceNotFoundException", 404))


@case
def is_told_of_a_wrong_secret_and_of_a_key_that_nobody_has():
    equal(error_of(client("sqs", "wrong").list_queues), ("SignatureDoesNotMatch", 403))
    equal(error_of(client("kinesis", "wrong").list_streams), ("InvalidSignatureException", 400))
    equal(error_of(client("lambda", "wrong").list_functions), ("InvalidSignatureException", 403))
    equal(error_of(client("sqs", key="AKIDNOBODY").list_queues), ("InvalidClientTokenId", 403))
    equal(error_of(client("kinesis", key="AKIDNOBODY").list_streams), ("UnrecognizedClientException", 400))
    equal(error_of(client("lambda", key="AKIDNOBODY").list_functions), ("UnrecognizedClientException", 403))


@case
def is_told_that_it_did_not_sign():
    def unsigned(service):
        config = Config(signature_version=botocore.UNSIGNED, retries={"max_attempts": 0})
        return boto3.client(service, endpoint_url=ENDPOINT, region_name="us-east-1", config=config)
    equal(error_of(unsigned("sqs").list_queues), ("MissingAuthenticationToken", 403))
    equal(error_of(unsigned("kinesis").list_streams), ("MissingAuthenticationTokenException", 400))
    equal(error_of(unsigned("lambda").list_functions), ("MissingAuthenticationTokenException", 403))


@case
def is_told_that_its_clock_is_wrong():
    class Behind(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return datetime.datetime.utcnow() - datetime.timedelta(minutes=10)

    class Module:
        timezone = datetime.timezone
        datetime = Behind

    # Where AWS's common runtime is installed, it signs.
    signers = [botocore.auth]
    if botocore.compat.HAS_CRT:
        signers.append(importlib.import_module("botocore.crt.auth"))
    for signer in signers:
        signer.datetime = Module
    try:
        equal(error_of(client("sqs").list_queues), ("SignatureDoesNotMatch", 403))
        equal(error_of(client("kinesis").list_streams), ("InvalidSignatureException", 400))
    finally:
        for signer in signers:
            signer.datetime = datetime


@case
def signs_urls_for_others():
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="by-url")["QueueUrl"]
    presigned = sqs.generate_presigned_url("send_message", {"QueueUrl": url, "MessageBody": NON_ASCII}, ExpiresIn=60,
                                           HttpMethod="GET")
    with urllib.request.urlopen(presigned, timeout=20) as answer:
        equal(answer.status, 200)
    equal(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"], NON_ASCII)
    try:
        urllib.request.urlopen(presigned.replace("MessageBody=", "MessageBody=x"), timeout=20)
        raise AssertionError("a URL that was changed is not good")
    except urllib.error.HTTPError as error:
        equal(error.code, 403)
        true(b"<Code>SignatureDoesNotMatch</Code>" in error.read(), "it says so")


run()
