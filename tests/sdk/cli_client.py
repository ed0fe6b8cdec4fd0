"""Debian's AWS CLI, which speaks the Query protocol, as a person would type it."""

import base64
import json
import os
import re
import subprocess
import tempfile
import time

from cases import ALL_BYTES, ENDPOINT, NON_ASCII, attributes_md5, case, comes_after, equal, md5, run, true

# The one of Debian's package: another one on PATH may be of another version and speak another protocol.
AWS = ["/usr/bin/python3", "/usr/bin/aws"]
NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"


def start(command, *arguments, region="us-east-1", account="anybody"):
    environment = dict(os.environ, AWS_ACCESS_KEY_ID=account, AWS_MAX_ATTEMPTS="1")
    argv = [*AWS, "sqs", command, "--endpoint-url", ENDPOINT, "--region", region, "--output", "json", *arguments]
    return subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    output, errors = process.communicate(timeout=60)
    true(process.returncode == 0, f"aws ended with {process.returncode}: {errors}")
    return json.loads(output) if output.strip() else {}


def aws(command, *arguments, **place):
    return finish(start(command, *arguments, **place))


def error_of(command, *arguments):
    process = start(command, *arguments)
    _, errors = process.communicate(timeout=60)
    found = re.search(r"An error occurred \(([\w.]+)\)", errors)
    true(process.returncode != 0 and found, f"no error, but {process.returncode}: {errors}")
    return found.group(1)


def new_queue(name, *arguments):
    return aws("create-queue", "--queue-name", name, *arguments)["QueueUrl"]


def receive(url, *arguments):
    return aws("receive-message", "--queue-url", url, *arguments).get("Messages", [])


@case
def creates_finds_and_lists_queues():
    url = new_queue("cli-1", "--attributes", "VisibilityTimeout=45,DelaySeconds=0")
    equal(url, f"{ENDPOINT}/000000000000/cli-1")
    equal(aws("get-queue-url", "--queue-name", "cli-1")["QueueUrl"], url)
    equal(error_of("create-queue", "--queue-name", "cli-1", "--attributes", "VisibilityTimeout=46"),
          "QueueAlreadyExists")
    equal(error_of("get-queue-url", "--queue-name", "nowhere"), NO_QUEUE)
    urls = [url, new_queue("cli-2"), new_queue("cli-3")]
    new_queue("other")
    equal(aws("list-queues", "--queue-name-prefix", "cli-")["QueueUrls"], urls)
    # The CLI pages by itself, two by two.
    equal(aws("list-queues", "--queue-name-prefix", "cli-", "--page-size", "2")["QueueUrls"], urls)
    page = aws("list-queues", "--queue-name-prefix", "cli-", "--max-items", "2", "--page-size", "2")
    equal(page["QueueUrls"], urls[:2])
    equal(aws("list-queues", "--queue-name-prefix", "cli-", "--starting-token", page["NextToken"])["QueueUrls"],
          urls[2:])


@case
def keeps_attributes_of_a_queue():
    url = new_queue("attributes")
    aws("set-queue-attributes", "--queue-url", url, "--attributes", "VisibilityTimeout=99,MaximumMessageSize=2048")
    seen = aws("get-queue-attributes", "--queue-url", url, "--attribute-names", "All")["Attributes"]
    equal((seen["VisibilityTimeout"], seen["MaximumMessageSize"], seen["QueueArn"]),
          ("99", "2048", "arn:aws:sqs:us-east-1:000000000000:attributes"))
    equal(error_of("get-queue-attributes", "--queue-url", url, "--attribute-names", "Nonsense"), "InvalidAttributeName")


@case
def sends_receives_and_deletes():
    url = new_queue("round")
    sent = aws("send-message", "--queue-url", url, "--message-body", NON_ASCII, "--message-attributes", json.dumps({
        "Text": {"DataType": "String", "StringValue": NON_ASCII},
        "Blob": {"DataType": "Binary", "BinaryValue": base64.b64encode(ALL_BYTES).decode()}}))
    attributes = {"Text": {"DataType": "String", "StringValue": NON_ASCII},
                  "Blob": {"DataType": "Binary", "BinaryValue": ALL_BYTES}}
    equal(sent["MD5OfMessageBody"], md5(NON_ASCII))
    equal(sent["MD5OfMessageAttributes"], attributes_md5(attributes))
    got = receive(url, "--attribute-names", "All", "--message-attribute-names", "All")
    equal(len(got), 1)
    equal((got[0]["MessageId"], got[0]["Body"]), (sent["MessageId"], NON_ASCII))
    equal(got[0]["Attributes"]["ApproximateReceiveCount"], "1")
    equal(got[0]["MessageAttributes"]["Text"]["StringValue"], NON_ASCII)
    equal(base64.b64decode(got[0]["MessageAttributes"]["Blob"]["BinaryValue"]), ALL_BYTES)
    equal(got[0]["MD5OfMessageAttributes"], attributes_md5(attributes))
    aws("delete-message", "--queue-url", url, "--receipt-handle", got[0]["ReceiptHandle"])
    counts = aws("get-queue-attributes", "--queue-url", url, "--attribute-names", "ApproximateNumberOfMessages",
                 "ApproximateNumberOfMessagesNotVisible")["Attributes"]
    equal(counts, {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0"})
    equal(error_of("delete-message", "--queue-url", url, "--receipt-handle", "rubbish"), "ReceiptHandleIsInvalid")


@case
def delays_a_message_and_waits_for_it():
    url = new_queue("delayed")
    sent = time.monotonic()
    aws("send-message", "--queue-url", url, "--message-body", "later", "--delay-seconds", "3")
    got = comes_after(3, sent, lambda wait: receive(url, "--wait-time-seconds", str(wait)))
    equal(got["Body"], "later")


@case
def answers_a_long_poll_when_a_message_is_sent():
    url = new_queue("polled")
    poll = start("receive-message", "--queue-url", url, "--wait-time-seconds", "20")
    started = time.monotonic()
    aws("send-message", "--queue-url", url, "--message-body", "wake")
    equal([message["Body"] for message in finish(poll)["Messages"]], ["wake"])
    true(time.monotonic() - started < 18, "the poll was answered late")


@case
def sends_changes_and_deletes_in_batches():
    url = new_queue("batch", "--attributes", "MaximumMessageSize=1024")
    entries = [{"Id": str(n), "MessageBody": f"body {n} ü"} for n in range(3)]
    done = aws("send-message-batch", "--queue-url", url, "--entries",
               json.dumps(entries + [{"Id": "large", "MessageBody": "x" * 1025}]))
    equal(sorted(entry["Id"] for entry in done["Successful"]), ["0", "1", "2"])
    equal([(entry["Id"], entry["Code"]) for entry in done["Failed"]], [("large", "InvalidParameterValue")])
    got = receive(url, "--max-number-of-messages", "10", "--visibility-timeout", "600")
    equal({message["Body"] for message in got}, {entry["MessageBody"] for entry in entries})
    handles = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(got)]
    done = aws("change-message-visibility-batch", "--queue-url", url, "--entries",
               json.dumps([dict(entry, VisibilityTimeout=0) for entry in handles[:2]]))
    equal(sorted(entry["Id"] for entry in done["Successful"]), ["0", "1"])
    again = receive(url, "--max-number-of-messages", "10")
    equal({message["Body"] for message in again}, {message["Body"] for message in got[:2]})
    done = aws("delete-message-batch", "--queue-url", url, "--entries", json.dumps(
        [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(again)] +
        [dict(handles[2], Id="2"), {"Id": "bad", "ReceiptHandle": "rubbish"}]))
    equal(sorted(entry["Id"] for entry in done["Successful"]), ["0", "1", "2"])
    equal([(entry["Id"], entry["Code"]) for entry in done["Failed"]], [("bad", "ReceiptHandleIsInvalid")])
    equal(error_of("send-message-batch", "--queue-url", url, "--entries",
                   json.dumps([{"Id": "a", "MessageBody": "x"}] * 2)),
          "AWS.SimpleQueueService.BatchEntryIdsNotDistinct")


@case
def changes_visibility_of_one_message():
    url = new_queue("visibility", "--attributes", "VisibilityTimeout=600")
    aws("send-message", "--queue-url", url, "--message-body", "v")
    first = receive(url)[0]
    equal(receive(url), [])
    aws("change-message-visibility", "--queue-url", url, "--receipt-handle", first["ReceiptHandle"],
        "--visibility-timeout", "0")
    second = receive(url, "--attribute-names", "ApproximateReceiveCount")[0]
    equal((second["MessageId"], second["Attributes"]["ApproximateReceiveCount"]), (first["MessageId"], "2"))


@case
def takes_a_mebibyte_from_a_file():
    url = new_queue("large")
    with tempfile.NamedTemporaryFile("w", encoding="ascii") as file:
        file.write("m" * 1_048_576)
        file.flush()
        aws("send-message", "--queue-url", url, "--message-body", f"file://{file.name}")
        file.write("m")
        file.flush()
        equal(error_of("send-message", "--queue-url", url, "--message-body", f"file://{file.name}"),
              "InvalidParameterValue")
    equal(len(receive(url)[0]["Body"]), 1_048_576)


@case
def purges_and_deletes_a_queue():
    url = new_queue("purged")
    aws("send-message", "--queue-url", url, "--message-body", "x")
    aws("purge-queue", "--queue-url", url)
    equal(receive(url), [])
    aws("delete-queue", "--queue-url", url)
    equal(error_of("send-message", "--queue-url", url, "--message-body", "x"), NO_QUEUE)


@case
def keeps_regions_and_accounts_apart():
    places = [{"region": region, "account": account} for region, account in (
        ("us-east-1", "111111111111"), ("eu-central-1", "111111111111"), ("us-east-1", "222222222222"))]
    for place in places:
        url = aws("create-queue", "--queue-name", "shared", **place)["QueueUrl"]
        equal(url, f"{ENDPOINT}/{place['account']}/shared")
        aws("send-message", "--queue-url", url, "--message-body", f"{place['region']} {place['account']}", **place)
    for place in places:
        equal(len(aws("list-queues", **place)["QueueUrls"]), 1)
        got = aws("receive-message", "--queue-url", f"{ENDPOINT}/{place['account']}/shared", "--max-number-of-messages",
                  "10", **place)["Messages"]
        equal([message["Body"] for message in got], [f"{place['region']} {place['account']}"])


@case
def keeps_order_in_a_fifo_queue_and_each_message_once():
    url = new_queue("orders.fifo", "--attributes", "FifoQueue=true,ContentBasedDeduplication=true")
    first = aws("send-message", "--queue-url", url, "--message-body", "paid", "--message-group-id", "order-7")
    again = aws("send-message", "--queue-url", url, "--message-body", "paid", "--message-group-id", "order-7")
    equal((again["MessageId"], again["SequenceNumber"]), (first["MessageId"], first["SequenceNumber"]))
    aws("send-message", "--queue-url", url, "--message-body", "sent", "--message-group-id", "order-7",
        "--message-deduplication-id", "explicit")
    got = receive(url, "--attribute-names", "All")
    equal([(message["Body"], message["Attributes"]["MessageGroupId"], message["Attributes"]["SequenceNumber"])
           for message in got], [("paid", "order-7", first["SequenceNumber"])])
    equal(receive(url), [])
    aws("delete-message", "--queue-url", url, "--receipt-handle", got[0]["ReceiptHandle"])
    one = receive(url, "--receive-request-attempt-id", "attempt")
    two = receive(url, "--receive-request-attempt-id", "attempt")
    equal([message["Body"] for message in one], ["sent"])
    equal([message["ReceiptHandle"] for message in two], [message["ReceiptHandle"] for message in one])
    equal(error_of("send-message", "--queue-url", url, "--message-body", "nobody's"), "MissingParameter")


# This version of the CLI has no message move tasks, by which dead letters go back.
@case
def moves_what_fails_to_the_dead_letter_queue():
    dead = new_queue("dead")
    policy = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead", "maxReceiveCount": 1}
    url = new_queue("failing", "--attributes",
                    json.dumps({"VisibilityTimeout": "0", "RedrivePolicy": json.dumps(policy)}))
    sent = aws("send-message", "--queue-url", url, "--message-body", "poison")
    equal(len(receive(url)), 1)
    equal(receive(url), [])
    got = receive(dead, "--attribute-names", "All", "--wait-time-seconds", "10")
    equal([(message["MessageId"], message["Attributes"]["DeadLetterQueueSourceArn"]) for message in got],
          [(sent["MessageId"], "arn:aws:sqs:us-east-1:000000000000:failing")])
    equal(aws("list-dead-letter-source-queues", "--queue-url", dead)["queueUrls"], [url])
    aws("set-queue-attributes", "--queue-url", dead, "--attributes",
        json.dumps({"RedriveAllowPolicy": json.dumps({"redrivePermission": "denyAll"})}))
    equal(error_of("create-queue", "--queue-name", "refused", "--attributes",
                   json.dumps({"RedrivePolicy": json.dumps(policy)})), "InvalidParameterValue")


@case
def lets_a_quiet_tenant_go_before_a_flood():
    url = new_queue("fair", "--attributes", "VisibilityTimeout=600")
    for number in range(0, 50, 10):
        aws("send-message-batch", "--queue-url", url, "--entries", json.dumps([
            {"Id": str(n), "MessageBody": "flood", "MessageGroupId": "noisy"} for n in range(number, number + 10)]))
    in_flight = 0
    while in_flight < 40:
        got = receive(url, "--max-number-of-messages", "10")
        true(got, f"only {in_flight} of 40 came")
        in_flight += len(got)
    aws("send-message", "--queue-url", url, "--message-body", "quiet", "--message-group-id", "quiet")
    equal([message["Body"] for message in receive(url)], ["quiet"])


@case
def tags_queues_and_grants_permissions():
    url = new_queue("labelled", "--tags", "Team=water")
    aws("tag-queue", "--queue-url", url, "--tags", "Stage=test,Owner=nobody")
    aws("untag-queue", "--queue-url", url, "--tag-keys", "Owner")
    equal(aws("list-queue-tags", "--queue-url", url)["Tags"], {"Team": "water", "Stage": "test"})
    aws("add-permission", "--queue-url", url, "--label", "senders", "--aws-account-ids", "111122223333", "--actions",
        "SendMessage", "GetQueueUrl")
    seen = aws("get-queue-attributes", "--queue-url", url, "--attribute-names", "Policy")["Attributes"]
    equal([(statement["Sid"], statement["Principal"], statement["Action"])
           for statement in json.loads(seen["Policy"])["Statement"]],
          [("senders", {"AWS": "arn:aws:iam::111122223333:root"}, ["SQS:SendMessage", "SQS:GetQueueUrl"])])
    aws("remove-permission", "--queue-url", url, "--label", "senders")
    equal(error_of("remove-permission", "--queue-url", url, "--label", "senders"), "InvalidParameterValue")


# The CLI takes a second to start, and nearly none to do what it is told.
run(at_once=2)
