"""Debian's boto3, which speaks the Query protocol."""

import hashlib
import json
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


def send(url, body, **parameters):
    return sqs.send_message(QueueUrl=url, MessageBody=body, **parameters)


def new_fifo(name, **attributes):
    return new_queue(name, FifoQueue="true", **attributes)


def arn_of(url):
    return attributes_of(url, "QueueArn")["QueueArn"]


def attributes_of(url, *names):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names).get("Attributes", {})


def redrive_to(target, count):
    return json.dumps({"deadLetterTargetArn": arn_of(target), "maxReceiveCount": count})


def bodies(messages):
    return [message["Body"] for message in messages]


@case
def makes_fifo_queues():
    url = new_fifo("made.fifo")
    equal(url, f"{ENDPOINT}/000000000000/made.fifo")
    equal(attributes_of(url, "FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"), {
        "FifoQueue": "true", "ContentBasedDeduplication": "false", "DeduplicationScope": "queue",
        "FifoThroughputLimit": "perQueue"})
    high = new_fifo("high.fifo", DeduplicationScope="messageGroup", FifoThroughputLimit="perMessageGroupId")
    equal(attributes_of(high, "DeduplicationScope", "FifoThroughputLimit"),
          {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"})
    equal(error_of(new_fifo, name="not-fifo"), ("InvalidAttributeName", 400, "Unknown Attribute FifoQueue."))
    equal(error_of(new_queue, name="lacks.fifo")[:2], ("InvalidParameterValue", 400))
    standard = attributes_of(new_queue("no-fifo"), "All")
    true(not {"FifoQueue", "ContentBasedDeduplication", "DeduplicationScope"} & set(standard),
         f"a standard queue has attributes of FIFO queues: {standard}")


@case
def keeps_the_order_of_a_group():
    url = new_fifo("order.fifo")
    sequence_numbers = []
    for number, group in enumerate("abaca"):
        sent = send(url, f"{group}{number}", MessageGroupId=group, MessageDeduplicationId=str(number))
        sequence_numbers.append(int(sent["SequenceNumber"]))
    equal(sequence_numbers, sorted(set(sequence_numbers)))
    # A receive takes what it can from one group before it looks at others.
    first = receive(url, MaxNumberOfMessages=3, AttributeNames=["All"])
    equal(bodies(first), ["a0", "a2", "a4"])
    equal([(message["Attributes"]["MessageGroupId"], message["Attributes"]["MessageDeduplicationId"],
            int(message["Attributes"]["SequenceNumber"])) for message in first],
          [("a", str(number), sequence_numbers[number]) for number in (0, 2, 4)])
    equal(bodies(receive(url, MaxNumberOfMessages=10)), ["b1", "c3"])


@case
def locks_a_group_while_it_is_in_flight():
    url = new_fifo("locked.fifo")
    for number in range(3):
        send(url, f"a{number}", MessageGroupId="a", MessageDeduplicationId=f"a{number}")
    first = receive(url)
    equal(bodies(first), ["a0"])
    # Neither a receive nor a send reaches round the one in flight; another group is free.
    send(url, "a3", MessageGroupId="a", MessageDeduplicationId="a3")
    equal(receive(url, MaxNumberOfMessages=10), [])
    send(url, "b0", MessageGroupId="b", MessageDeduplicationId="b0")
    equal(bodies(receive(url, MaxNumberOfMessages=10)), ["b0"])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first[0]["ReceiptHandle"])
    rest = receive(url, MaxNumberOfMessages=10)
    equal(bodies(rest), ["a1", "a2", "a3"])
    # The first and the third are let go: the third must not overtake the second, which is in flight.
    for index in (0, 2):
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=rest[index]["ReceiptHandle"], VisibilityTimeout=0)
    equal(bodies(receive(url, MaxNumberOfMessages=10)), ["a1"])


@case
def sends_a_fifo_message_once():
    url = new_fifo("once.fifo")
    first = send(url, "one", MessageGroupId="g", MessageDeduplicationId="same")
    again = send(url, "another body", MessageGroupId="other", MessageDeduplicationId="same")
    equal((again["MessageId"], again["SequenceNumber"]), (first["MessageId"], first["SequenceNumber"]))
    got = receive(url, MaxNumberOfMessages=10)
    equal(bodies(got), ["one"])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"])
    after = send(url, "one", MessageGroupId="g", MessageDeduplicationId="same")
    equal((after["MessageId"], after["SequenceNumber"]), (first["MessageId"], first["SequenceNumber"]))
    equal(receive(url), [])


@case
def tells_fifo_messages_apart_by_content():
    url = new_fifo("content.fifo", ContentBasedDeduplication="true")
    first = send(url, NON_ASCII, MessageGroupId="g")
    # Only the body counts.
    again = send(url, NON_ASCII, MessageGroupId="g",
                 MessageAttributes={"Other": {"DataType": "String", "StringValue": "x"}})
    equal((again["MessageId"], again["SequenceNumber"]), (first["MessageId"], first["SequenceNumber"]))
    send(url, NON_ASCII, MessageGroupId="g", MessageDeduplicationId="an-id-goes-before-the-content")
    got = receive(url, MaxNumberOfMessages=10, AttributeNames=["MessageDeduplicationId"])
    equal([message["Attributes"]["MessageDeduplicationId"] for message in got],
          [hashlib.sha256(NON_ASCII.encode()).hexdigest(), "an-id-goes-before-the-content"])
    without = new_fifo("no-content.fifo")
    equal(error_of(send, url=without, body="x", MessageGroupId="g")[:2], ("InvalidParameterValue", 400))


@case
def tells_fifo_messages_apart_within_a_group():
    url = new_fifo("scope.fifo", DeduplicationScope="messageGroup")
    sent = [send(url, f"{group}", MessageGroupId=group, MessageDeduplicationId="same") for group in "aba"]
    true(sent[0]["MessageId"] != sent[1]["MessageId"], "two groups shared a deduplication id")
    equal(sent[2]["MessageId"], sent[0]["MessageId"])
    equal(sorted(bodies(receive(url, MaxNumberOfMessages=10))), ["a", "b"])


@case
def repeats_a_receive_by_its_attempt_id():
    url = new_fifo("attempt.fifo")
    for number in range(3):
        send(url, str(number), MessageGroupId="g", MessageDeduplicationId=str(number))

    def attempt(name):
        return receive(url, MaxNumberOfMessages=2, ReceiveRequestAttemptId=name)

    first = attempt("first")
    equal(bodies(first), ["0", "1"])
    again = attempt("first")
    equal([(message["MessageId"], message["ReceiptHandle"]) for message in again],
          [(message["MessageId"], message["ReceiptHandle"]) for message in first])
    equal(attempt("second"), [])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first[0]["ReceiptHandle"])
    # One of them has changed, and the other is still in flight.
    equal(attempt("first"), [])


@case
def refuses_what_fifo_queues_refuse():
    url = new_fifo("refuses.fifo", VisibilityTimeout="1")
    missing = "The request must contain the parameter MessageGroupId."
    equal(error_of(send, url=url, body="x", MessageDeduplicationId="d"), ("MissingParameter", 400, missing))
    equal(error_of(sqs.send_message_batch, QueueUrl=url, Entries=[
        {"Id": "with", "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "with"},
        {"Id": "without", "MessageBody": "x", "MessageDeduplicationId": "without"}]),
          ("InvalidParameterValue", 400, missing))
    equal(error_of(send, url=url, body="x", MessageGroupId="g", MessageDeduplicationId="d", DelaySeconds=2), (
        "InvalidParameterValue", 400, "Value 2 for parameter DelaySeconds is invalid. Reason: The request include "
        "parameter that is not valid for this queue type."))
    send(url, "x", MessageGroupId="g", MessageDeduplicationId="d", DelaySeconds=0)
    handle = receive(url)[0]["ReceiptHandle"]
    equal(len(receive(url, WaitTimeSeconds=20, VisibilityTimeout=30)), 1)
    equal(error_of(sqs.delete_message, QueueUrl=url, ReceiptHandle=handle), (
        "InvalidParameterValue", 400,
        f"Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."))
    standard = new_queue("no-dedup")
    equal(error_of(send, url=standard, body="x", MessageDeduplicationId="d")[:2], ("InvalidParameterValue", 400))


@case
def moves_what_fails_to_the_dead_letter_queue():
    dead = new_queue("dead")
    url = new_queue("failing", VisibilityTimeout="0", RedrivePolicy=redrive_to(dead, 1))
    attributes = {"Kept": {"DataType": "String", "StringValue": "yes"}}
    sent = send(url, "poison", MessageAttributes=attributes)
    first = receive(url, AttributeNames=["All"])[0]
    equal(first["Attributes"]["ApproximateReceiveCount"], "1")
    true("DeadLetterQueueSourceArn" not in first["Attributes"], "it has a source before it was moved")
    equal(receive(url), [])
    got = receive(dead, AttributeNames=["All"], MessageAttributeNames=["All"], WaitTimeSeconds=10)
    equal([(message["MessageId"], message["Body"], message["MessageAttributes"]) for message in got],
          [(sent["MessageId"], "poison", attributes)])
    equal(got[0]["Attributes"]["DeadLetterQueueSourceArn"], arn_of(url))
    equal(got[0]["Attributes"]["SentTimestamp"], first["Attributes"]["SentTimestamp"])
    true(int(got[0]["Attributes"]["ApproximateReceiveCount"]) >= 2, "the receive count began anew")
    equal(attributes_of(url, "ApproximateNumberOfMessages"), {"ApproximateNumberOfMessages": "0"})


@case
def moves_fifo_messages_to_a_fifo_dead_letter_queue():
    dead = new_fifo("dead.fifo")
    url = new_fifo("failing.fifo", VisibilityTimeout="0", RedrivePolicy=redrive_to(dead, 1))
    for number in range(2):
        send(url, str(number), MessageGroupId="g", MessageDeduplicationId=str(number))
    equal(bodies(receive(url)), ["0"])
    # The group is not held up by what has failed.
    equal(bodies(receive(url, WaitTimeSeconds=10, VisibilityTimeout=30)), ["1"])
    got = receive(dead, AttributeNames=["All"], WaitTimeSeconds=10, MaxNumberOfMessages=10)
    equal(bodies(got), ["0"])
    equal((got[0]["Attributes"]["MessageGroupId"], got[0]["Attributes"]["DeadLetterQueueSourceArn"]),
          ("g", arn_of(url)))


@case
def lists_the_sources_of_a_dead_letter_queue():
    dead = new_queue("listed-dead")
    equal(sqs.list_dead_letter_source_queues(QueueUrl=dead).get("queueUrls", []), [])
    urls = [new_queue(f"listed-{number}", RedrivePolicy=redrive_to(dead, 3)) for number in range(3)]
    equal(sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"], urls)
    pages = list(sqs.get_paginator("list_dead_letter_source_queues").paginate(
        QueueUrl=dead, PaginationConfig={"PageSize": 2}))
    equal([len(page["queueUrls"]) for page in pages], [2, 1])
    equal([url for page in pages for url in page["queueUrls"]], urls)
    sqs.set_queue_attributes(QueueUrl=urls[1], Attributes={"RedrivePolicy": ""})
    true("RedrivePolicy" not in attributes_of(urls[1], "All"), "an empty text did not clear the policy")
    equal(sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"], [urls[0], urls[2]])


@case
def heeds_who_may_use_a_dead_letter_queue():
    closed = new_queue("closed", RedriveAllowPolicy=json.dumps({"redrivePermission": "denyAll"}))
    equal(json.loads(attributes_of(closed, "RedriveAllowPolicy")["RedriveAllowPolicy"]),
          {"redrivePermission": "denyAll"})
    friend, stranger = new_queue("friend"), new_queue("stranger")
    choosy = new_queue("choosy", RedriveAllowPolicy=json.dumps(
        {"redrivePermission": "byQueue", "sourceQueueArns": [arn_of(friend)]}))

    def point(url, dead):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": redrive_to(dead, 3)})

    equal(error_of(point, url=friend, dead=closed)[:2], ("InvalidParameterValue", 400))
    equal(error_of(point, url=stranger, dead=choosy)[:2], ("InvalidParameterValue", 400))
    true("RedrivePolicy" not in attributes_of(stranger, "All"), "a policy that was refused was kept")
    point(friend, choosy)
    equal(json.loads(attributes_of(friend, "RedrivePolicy")["RedrivePolicy"])["deadLetterTargetArn"], arn_of(choosy))


@case
def refuses_bad_redrive_policies():
    dead, fifo, url = new_queue("policy-dead"), new_fifo("policy.fifo"), new_queue("policy")

    def text_of(policy):
        code, status, text = error_of(sqs.set_queue_attributes, QueueUrl=url, Attributes={"RedrivePolicy": policy})
        equal((code, status), ("InvalidParameterValue", 400))
        opening = f"Value {policy} for parameter RedrivePolicy is invalid. Reason: "
        true(text.startswith(opening), text)
        return text[len(opening):]

    equal(text_of(redrive_to(fifo, 3)), "Dead-letter queue must be same type of queue as the source.")
    equal(text_of(json.dumps({"deadLetterTargetArn": arn_of(dead)})),
          "Redrive policy does not contain mandatory attribute: maxReceiveCount.")
    for count in (0, 1001):
        equal(text_of(redrive_to(dead, count)),
              f"Invalid value for maxReceiveCount: {count}, valid values are from 1 to 1000 both inclusive.")


# A dead letter's way back is a message move task. Debian's botocore has no such operations: the JavaScript client has
# the cases.


@case
def lets_a_quiet_tenant_go_before_a_flood():
    url = new_queue("fair", VisibilityTimeout="600")

    def flood(first, count):
        for number in range(first, first + count, 10):
            sqs.send_message_batch(QueueUrl=url, Entries=[
                {"Id": str(n), "MessageBody": f"noisy {n}", "MessageGroupId": "noisy"}
                for n in range(number, number + 10)])

    flood(0, 80)
    # More than 30 in flight, and all that are.
    in_flight = 0
    while in_flight < 40:
        got = receive(url, MaxNumberOfMessages=10)
        true(got, f"only {in_flight} of 40 came")
        in_flight += len(got)
    flood(80, 20)
    send(url, "quiet", MessageGroupId="quiet")
    flood(100, 20)
    got = receive(url, AttributeNames=["MessageGroupId"])
    equal([(message["Body"], message["Attributes"]["MessageGroupId"]) for message in got], [("quiet", "quiet")])
    equal(receive(url, AttributeNames=["MessageGroupId"])[0]["Attributes"]["MessageGroupId"], "noisy")


@case
def tags_queues():
    url = sqs.create_queue(QueueName="tagged", tags={"Team": "water"})["QueueUrl"]
    sqs.tag_queue(QueueUrl=url, Tags={"Stage": "test", "stage": "the case of keys counts", "Empty": ""})
    equal(sqs.list_queue_tags(QueueUrl=url)["Tags"],
          {"Team": "water", "Stage": "test", "stage": "the case of keys counts", "Empty": ""})
    sqs.tag_queue(QueueUrl=url, Tags={"Team": "fire"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["stage", "Empty", "never there"])
    equal(sqs.list_queue_tags(QueueUrl=url)["Tags"], {"Team": "fire", "Stage": "test"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["Team", "Stage"])
    equal(sqs.list_queue_tags(QueueUrl=url).get("Tags", {}), {})


@case
def grants_and_revokes_permissions():
    url = new_queue("shared-queue")
    arn = arn_of(url)
    sqs.add_permission(QueueUrl=url, Label="one", AWSAccountIds=["111122223333"], Actions=["SendMessage"])
    one = {"Sid": "one", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
           "Action": "SQS:SendMessage", "Resource": arn}

    def policy():
        return json.loads(attributes_of(url, "Policy")["Policy"])

    equal(policy(), {"Version": "2008-10-17", "Id": f"{arn}/SQSDefaultPolicy", "Statement": [one]})
    sqs.add_permission(QueueUrl=url, Label="two", AWSAccountIds=["111122223333", "444455556666"],
                       Actions=["ReceiveMessage", "DeleteMessage"])
    equal(policy()["Statement"], [one, {
        "Sid": "two", "Effect": "Allow",
        "Principal": {"AWS": ["arn:aws:iam::111122223333:root", "arn:aws:iam::444455556666:root"]},
        "Action": ["SQS:ReceiveMessage", "SQS:DeleteMessage"], "Resource": arn}])
    many = ["SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes",
            "GetQueueUrl", "ListDeadLetterSourceQueues", "PurgeQueue"]
    equal(error_of(sqs.add_permission, QueueUrl=url, Label="many", AWSAccountIds=["111122223333"], Actions=many),
          ("OverLimit", 403, "8 Actions were found, maximum allowed is 7."))
    sqs.remove_permission(QueueUrl=url, Label="one")
    equal([statement["Sid"] for statement in policy()["Statement"]], ["two"])
    equal(error_of(sqs.remove_permission, QueueUrl=url, Label="one")[:2], ("InvalidParameterValue", 400))


run()
