"""Debian's boto3, which speaks the Query protocol."""

import threading
import time

import boto3
import botocore
from botocore.config import Config

from cases import ALL_BYTES, ENDPOINT, NON_ASCII, attributes_md5, case, comes_after, equal, md5, run, true

NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"


def client(region="us-east-1", account="anybody"):
    # A retry would hide an error that should not have been.
    return boto3.client("sqs", endpoint_url=ENDPOINT, region_name=region, aws_access_key_id=account,
                        aws_secret_access_key="anything", config=Config(retries={"max_attempts": 0}, read_timeout=30))


sqs = client()


def new_queue(name, **attributes):
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


def receive(url, **parameters):
    return sqs.receive_message(QueueUrl=url, **parameters).get("Messages", [])


def error_of(call, **parameters):
    """Code, status and text of the error that the call must fail with."""
    try:
        call(**parameters)
    except botocore.exceptions.ClientError as error:
        return (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"],
                error.response["Error"]["Message"])
    raise AssertionError("the call succeeded")


@case
def creates_and_finds_a_queue():
    url = new_queue("made", VisibilityTimeout="45")
    equal(url, f"{ENDPOINT}/000000000000/made")
    equal(new_queue("made", VisibilityTimeout="45"), url)
    equal(new_queue("made"), url)
    equal(sqs.get_queue_url(QueueName="made")["QueueUrl"], url)
    code, status, text = error_of(sqs.create_queue, QueueName="made", Attributes={"VisibilityTimeout": "46"})
    equal((code, status), ("QueueAlreadyExists", 400))
    true("VisibilityTimeout" in text, text)


@case
def names_the_error_of_a_missing_queue():
    text = "The specified queue does not exist for this wsdl version."
    equal(error_of(sqs.get_queue_url, QueueName="nowhere"), (NO_QUEUE, 400, text))
    url = f"{ENDPOINT}/000000000000/nowhere"
    equal(error_of(sqs.send_message, QueueUrl=url, MessageBody="x"), (NO_QUEUE, 400, text))
    equal(error_of(sqs.receive_message, QueueUrl=url), (NO_QUEUE, 400, text))
    try:
        sqs.get_queue_url(QueueName="nowhere")
    except sqs.exceptions.QueueDoesNotExist:
        pass


@case
def lists_queues_by_prefix_and_page():
    urls = [new_queue(f"list-{number}") for number in range(5)]
    new_queue("other")
    equal(sqs.list_queues(QueueNamePrefix="list-")["QueueUrls"], urls)
    true(f"{ENDPOINT}/000000000000/other" in sqs.list_queues()["QueueUrls"], "a queue is missing in the list of all")
    true("QueueUrls" not in sqs.list_queues(QueueNamePrefix="no-such"), "a list of nothing is left out")
    pages = list(sqs.get_paginator("list_queues").paginate(QueueNamePrefix="list-", PaginationConfig={"PageSize": 2}))
    equal([len(page["QueueUrls"]) for page in pages], [2, 2, 1])
    equal([url for page in pages for url in page["QueueUrls"]], urls)


@case
def keeps_attributes_of_a_queue():
    url = new_queue("attributes", DelaySeconds="7", MaximumMessageSize="2048")
    seen = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    equal({name: seen[name] for name in (
        "DelaySeconds", "MaximumMessageSize", "VisibilityTimeout", "MessageRetentionPeriod",
        "ReceiveMessageWaitTimeSeconds", "QueueArn", "ApproximateNumberOfMessages")}, {
            "DelaySeconds": "7", "MaximumMessageSize": "2048", "VisibilityTimeout": "30",
            "MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0",
            "QueueArn": "arn:aws:sqs:us-east-1:000000000000:attributes", "ApproximateNumberOfMessages": "0"})
    true(abs(int(seen["CreatedTimestamp"]) - time.time()) < 60, "created at another time: " + seen["CreatedTimestamp"])
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "99", "DelaySeconds": "0"})
    equal(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout", "DelaySeconds"])["Attributes"],
          {"VisibilityTimeout": "99", "DelaySeconds": "0"})
    equal(error_of(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["Nonsense"])[:2],
          ("InvalidAttributeName", 400))
    equal(error_of(sqs.set_queue_attributes, QueueUrl=url, Attributes={"VisibilityTimeout": "43201"})[:2],
          ("InvalidAttributeValue", 400))


@case
def sends_receives_and_deletes():
    url = new_queue("round")
    attributes = {
        "Text": {"DataType": "String", "StringValue": NON_ASCII},
        "Count": {"DataType": "Number.int", "StringValue": "-17"},
        "Blob": {"DataType": "Binary.bytes", "BinaryValue": ALL_BYTES},
    }
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}}
    sent = sqs.send_message(QueueUrl=url, MessageBody=NON_ASCII, MessageAttributes=attributes,
                            MessageSystemAttributes=trace)
    equal(sent["MD5OfMessageBody"], md5(NON_ASCII))
    equal(sent["MD5OfMessageAttributes"], attributes_md5(attributes))
    equal(sent["MD5OfMessageSystemAttributes"], attributes_md5(trace))
    got = receive(url, AttributeNames=["All"], MessageAttributeNames=["All"], MaxNumberOfMessages=10)
    equal(len(got), 1)
    equal(got[0]["Body"], NON_ASCII)
    equal(got[0]["MessageId"], sent["MessageId"])
    equal(got[0]["MD5OfBody"], md5(NON_ASCII))
    equal(got[0]["MessageAttributes"], attributes)
    equal(got[0]["MD5OfMessageAttributes"], attributes_md5(attributes))
    equal(got[0]["Attributes"]["ApproximateReceiveCount"], "1")
    equal(got[0]["Attributes"]["AWSTraceHeader"], trace["AWSTraceHeader"]["StringValue"])
    for name in ("SentTimestamp", "ApproximateFirstReceiveTimestamp"):
        true(abs(int(got[0]["Attributes"][name]) / 1000 - time.time()) < 60, f"{name} is {got[0]['Attributes'][name]}")
    sqs.delete_message(QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"])
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[
        "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"])["Attributes"]
    equal(counts, {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0"})
    sqs.delete_message(QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"])


@case
def returns_only_the_attributes_asked_for():
    url = new_queue("filtered", VisibilityTimeout="0")
    attributes = {name: {"DataType": "String", "StringValue": name} for name in ("a.one", "a.two", "b.one")}
    sqs.send_message(QueueUrl=url, MessageBody="x", MessageAttributes=attributes)
    plain = receive(url)[0]
    true("MessageAttributes" not in plain and "Attributes" not in plain, "attributes came unasked")
    some = receive(url, MessageAttributeNames=["a.*"], AttributeNames=["SentTimestamp"])[0]
    equal(sorted(some["MessageAttributes"]), ["a.one", "a.two"])
    equal(list(some["Attributes"]), ["SentTimestamp"])
    equal(some["MD5OfMessageAttributes"], attributes_md5(some["MessageAttributes"]))


@case
def delays_a_message():
    url = new_queue("delayed")
    sent = time.monotonic()
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=1)
    got = comes_after(1, sent, lambda wait: receive(url, WaitTimeSeconds=wait))
    equal(got["Body"], "later")


@case
def answers_a_long_poll_when_a_message_is_sent():
    url = new_queue("polled")
    started = time.monotonic()
    equal(receive(url, WaitTimeSeconds=1), [])
    true(0.95 <= time.monotonic() - started < 10, "an empty long poll did not last its second")
    got = []
    poll = threading.Thread(target=lambda: got.extend(client().receive_message(
        QueueUrl=url, WaitTimeSeconds=20).get("Messages", [])))
    poll.start()
    poll.join(0.5)
    true(poll.is_alive(), "the poll was answered before anything was sent")
    sent = time.monotonic()
    sqs.send_message(QueueUrl=url, MessageBody="wake")
    poll.join(20)
    true(time.monotonic() - sent < 10, "the poll was answered late")
    equal([message["Body"] for message in got], ["wake"])


@case
def sends_batches():
    url = new_queue("batch", MaximumMessageSize="1024")
    entries = [{"Id": f"e{number}", "MessageBody": f"body {number} ü", "MessageAttributes": {
        "N": {"DataType": "Number", "StringValue": str(number)}}} for number in range(9)]
    done = sqs.send_message_batch(QueueUrl=url, Entries=entries + [{"Id": "large", "MessageBody": "x" * 1025}])
    equal(sorted(entry["Id"] for entry in done["Successful"]), [entry["Id"] for entry in entries])
    for entry in done["Successful"]:
        equal(entry["MD5OfMessageBody"], md5(f"body {entry['Id'][1:]} ü"))
    equal([(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in done["Failed"]],
          [("large", "InvalidParameterValue", True)])
    bodies = set()
    while len(bodies) < 9:
        got = receive(url, MaxNumberOfMessages=10, WaitTimeSeconds=2, MessageAttributeNames=["N"])
        true(got, f"only {len(bodies)} of 9 came")
        for message in got:
            equal(message["MessageAttributes"]["N"]["StringValue"], message["Body"].split()[1])
        bodies.update(message["Body"] for message in got)
    equal(bodies, {entry["MessageBody"] for entry in entries})


@case
def refuses_bad_batches():
    url = new_queue("bad-batch")

    def code(entries):
        return error_of(sqs.send_message_batch, QueueUrl=url, Entries=entries)[0]

    prefix = "AWS.SimpleQueueService."
    equal(code([{"Id": "a", "MessageBody": "x"}] * 2), prefix + "BatchEntryIdsNotDistinct")
    equal(code([{"Id": str(n), "MessageBody": "x"} for n in range(11)]), prefix + "TooManyEntriesInBatchRequest")
    equal(code([{"Id": "not good!", "MessageBody": "x"}]), prefix + "InvalidBatchEntryId")
    equal(code([{"Id": str(n), "MessageBody": "x" * 600_000} for n in range(2)]), prefix + "BatchRequestTooLong")
    equal(receive(url), [])


@case
def changes_visibility():
    url = new_queue("visibility", VisibilityTimeout="30")
    sqs.send_message(QueueUrl=url, MessageBody="v")
    first = receive(url)[0]
    equal(receive(url), [])
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
    received = time.monotonic()
    second = receive(url, AttributeNames=["ApproximateReceiveCount"], VisibilityTimeout=1)[0]
    equal(second["Attributes"]["ApproximateReceiveCount"], "2")
    true(second["ReceiptHandle"] != first["ReceiptHandle"], "the handle is the same as the first time")
    third = comes_after(1, received, lambda wait: receive(url, AttributeNames=["All"], WaitTimeSeconds=wait))
    equal(third["Attributes"]["ApproximateReceiveCount"], "3")
    code, _, text = error_of(sqs.change_message_visibility, QueueUrl=url, ReceiptHandle="rubbish", VisibilityTimeout=5)
    equal(code, "ReceiptHandleIsInvalid")
    true('"rubbish"' in text, text)


@case
def changes_visibility_in_batches():
    url = new_queue("visibility-batch")
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": str(n)} for n in range(3)])
    got = receive(url, MaxNumberOfMessages=10)
    equal(len(got), 3)
    entries = [{"Id": message["Body"], "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
               for message in got]
    done = sqs.change_message_visibility_batch(
        QueueUrl=url, Entries=entries + [{"Id": "bad", "ReceiptHandle": "rubbish", "VisibilityTimeout": 0}])
    equal(sorted(entry["Id"] for entry in done["Successful"]), ["0", "1", "2"])
    equal([(entry["Id"], entry["Code"]) for entry in done["Failed"]], [("bad", "ReceiptHandleIsInvalid")])
    equal(len(receive(url, MaxNumberOfMessages=10)), 3)


@case
def deletes_in_batches():
    url = new_queue("delete-batch", VisibilityTimeout="1")
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": str(n)} for n in range(5)])
    got = receive(url, MaxNumberOfMessages=10)
    equal(len(got), 5)
    done = sqs.delete_message_batch(QueueUrl=url, Entries=[
        {"Id": message["Body"], "ReceiptHandle": message["ReceiptHandle"]} for message in got
    ] + [{"Id": "bad", "ReceiptHandle": "rubbish"}])
    equal(sorted(entry["Id"] for entry in done["Successful"]), ["0", "1", "2", "3", "4"])
    equal([(entry["Id"], entry["Code"]) for entry in done["Failed"]], [("bad", "ReceiptHandleIsInvalid")])
    equal(receive(url, WaitTimeSeconds=2), [])


@case
def purges_a_queue():
    url = new_queue("purged", VisibilityTimeout="0")
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": str(n)} for n in range(5)])
    sqs.send_message(QueueUrl=url, MessageBody="delayed", DelaySeconds=1)
    sqs.purge_queue(QueueUrl=url)
    equal(receive(url, WaitTimeSeconds=2), [])
    sqs.send_message(QueueUrl=url, MessageBody="after")
    equal([message["Body"] for message in receive(url)], ["after"])


@case
def deletes_a_queue():
    url = new_queue("deleted")
    sqs.send_message(QueueUrl=url, MessageBody="gone with it")
    sqs.delete_queue(QueueUrl=url)
    equal(error_of(sqs.get_queue_url, QueueName="deleted")[0], NO_QUEUE)
    equal(error_of(sqs.send_message, QueueUrl=url, MessageBody="x")[0], NO_QUEUE)
    equal(receive(new_queue("deleted")), [])


@case
def takes_a_mebibyte_and_no_more():
    url = new_queue("large")
    body = "ü" * (1_048_576 // 2)
    sqs.send_message(QueueUrl=url, MessageBody=body)
    true(receive(url)[0]["Body"] == body, "the large body came back changed")
    equal(error_of(sqs.send_message, QueueUrl=url, MessageBody=body + "x")[:2], ("InvalidParameterValue", 400))


@case
def refuses_what_the_service_refuses():
    url = new_queue("refused")
    equal(error_of(sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=11), (
        "InvalidParameterValue", 400,
        "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."))
    equal(error_of(sqs.send_message, QueueUrl=url, MessageBody="")[:2], ("MissingParameter", 400))
    equal(error_of(sqs.send_message, QueueUrl=url, MessageBody="x", DelaySeconds=901)[0], "InvalidParameterValue")
    equal(error_of(sqs.create_queue, QueueName="bad name!")[0], "InvalidParameterValue")
    equal(error_of(sqs.delete_message, QueueUrl=url, ReceiptHandle="rubbish")[0], "ReceiptHandleIsInvalid")


@case
def keeps_regions_and_accounts_apart():
    places = [("us-east-1", "111111111111"), ("eu-central-1", "111111111111"), ("us-east-1", "222222222222")]
    clients = [client(region, account) for region, account in places]
    urls = [place.create_queue(QueueName="shared")["QueueUrl"] for place in clients]
    for (region, account), place, url in zip(places, clients, urls):
        equal(url, f"{ENDPOINT}/{account}/shared")
        arn = place.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        equal(arn, f"arn:aws:sqs:{region}:{account}:shared")
        equal(place.list_queues()["QueueUrls"], [url])
        place.send_message(QueueUrl=url, MessageBody=f"{region} {account}")
    for (region, account), place, url in zip(places, clients, urls):
        got = place.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        equal([message["Body"] for message in got], [f"{region} {account}"])
    clients[0].delete_queue(QueueUrl=urls[0])
    equal(clients[1].get_queue_url(QueueName="shared")["QueueUrl"], urls[1])
    equal(clients[2].get_queue_url(QueueName="shared")["QueueUrl"], urls[2])


run()
