"""Debian's boto3 on Lambda: functions from zips, invokes, and mappings of queues and streams, with real processes."""

import base64
import io
import json
import os
import socket
import urllib.request
import zipfile

import boto3
import botocore
from botocore.config import Config

from cases import ENDPOINT, NON_ASCII, case, equal, run, true, until

ROLE = "arn:aws:iam::000000000000:role/any"
RUNTIME = "python3.11"

# What the functions below share: a word to a queue, by which the test knows what they have seen.
TELL = """
import json, os, urllib.request

def tell(name, what):
    body = {"QueueUrl": os.environ["AWS_ENDPOINT_URL"] + "/000000000000/" + name, "MessageBody": json.dumps(what)}
    urllib.request.urlopen(urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], json.dumps(body).encode(), {
        "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.SendMessage"}))
"""


def client(service):
    # A retry would hide an error that should not have been.
    return boto3.client(service, endpoint_url=ENDPOINT, region_name="us-east-1", aws_access_key_id="anybody",
                        aws_secret_access_key="anything", config=Config(retries={"max_attempts": 0}, read_timeout=60))


functions = client("lambda")
sqs = client("sqs")
kinesis = client("kinesis")


def zipped(source, name="app.py"):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, source)
    return packed.getvalue()


def create(name, source, **more):
    return functions.create_function(FunctionName=name, Runtime=RUNTIME, Handler="app.handler", Role=ROLE,
                                     Code={"ZipFile": zipped(source)}, **more)


def error_of(call, **parameters):
    """Code, status and text of the error that the call must fail with."""
    try:
        call(**parameters)
    except botocore.exceptions.ClientError as error:
        return (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"],
                error.response["Error"]["Message"])
    raise AssertionError("the call succeeded")


def invoke(name, payload, **more):
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(payload).encode(), **more)
    return answer, json.loads(answer["Payload"].read() or "null")


def new_queue(name, **attributes):
    url = sqs.create_queue(QueueName=name, Attributes={key: str(value) for key, value in attributes.items()})["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


class Told:
    """What functions have told a queue."""

    def __init__(self, name):
        self.name = name
        self.url, self.arn = new_queue(name)
        self.seen = []

    def look(self):
        got = sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        for message in got:
            self.seen.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return self.seen

    def wait_for(self, condition, what):
        return until(lambda: condition(self.look()), what)


def wait_for_state(uuid, state):
    until(lambda: functions.get_event_source_mapping(UUID=uuid)["State"] == state, f"the mapping is {state}")


@case
def a_function_is_made_of_a_zip_and_described():
    made = create("described", "def handler(event, context): return event", Timeout=5, MemorySize=256,
                  Description="D", Environment={"Variables": {"STAGE": "b"}}, Tags={"t": "v"})
    equal((made["State"], made["Version"], made["Handler"], made["Timeout"]), ("Active", "$LATEST", "app.handler", 5))
    arn = "arn:aws:lambda:us-east-1:000000000000:function:described"
    equal(made["FunctionArn"], arn)
    for name in ("described", arn, "000000000000:function:described", arn + ":$LATEST"):
        equal(functions.get_function_configuration(FunctionName=name)["CodeSha256"], made["CodeSha256"])
    whole = functions.get_function(FunctionName="described")
    equal(whole["Configuration"]["Environment"], {"Variables": {"STAGE": "b"}})
    equal(whole["Tags"], {"t": "v"})
    with urllib.request.urlopen(whole["Code"]["Location"]) as code:
        with zipfile.ZipFile(io.BytesIO(code.read())) as archive:
            equal(archive.namelist(), ["app.py"])
    true("described" in [one["FunctionName"] for one in functions.list_functions()["Functions"]], "it is not listed")
    equal(error_of(create, name="described", source="")[:2], ("ResourceConflictException", 409))
    equal(error_of(functions.get_function, FunctionName="nobody")[:2], ("ResourceNotFoundException", 404))


@case
def a_zip_that_is_none_is_refused():
    code, status, _ = error_of(functions.create_function, FunctionName="broken", Runtime=RUNTIME, Handler="app.handler",
                               Role=ROLE, Code={"ZipFile": b"no zip"})
    equal((code, status), ("InvalidParameterValueException", 400))


@case
def it_is_invoked_and_answers():
    create("echo", "def handler(event, context):\n  print('seen', event['n'])\n  return {'got': event, 'id': context.aws_request_id}")
    answer, payload = invoke("echo", {"n": NON_ASCII}, LogType="Tail")
    equal((answer["StatusCode"], answer["ExecutedVersion"], payload["got"]), (200, "$LATEST", {"n": NON_ASCII}))
    true("FunctionError" not in answer, "it failed")
    log = base64.b64decode(answer["LogResult"]).decode()
    for line in (f"START RequestId: {payload['id']}", "seen " + NON_ASCII.split("\t")[0], f"END RequestId: {payload['id']}", "REPORT"):
        true(line in log, f"{line} is not in {log}")
    equal(functions.invoke(FunctionName="echo", InvocationType="DryRun")["StatusCode"], 204)
    equal(error_of(functions.invoke, FunctionName="nobody")[:2], ("ResourceNotFoundException", 404))
    equal(error_of(functions.invoke, FunctionName="echo", Payload=b"{")[0], "InvalidRequestContentException")


@case
def what_it_raises_is_its_answer():
    create("raises", "def handler(event, context): raise ValueError('no ' + event['what'])")
    answer, payload = invoke("raises", {"what": "luck"})
    equal((answer["StatusCode"], answer["FunctionError"]), (200, "Unhandled"))
    equal((payload["errorType"], payload["errorMessage"]), ("ValueError", "no luck"))


@case
def it_is_changed_and_the_next_invoke_is_of_the_new_one():
    create("changing", "import os\ndef handler(event, context): return [1, os.environ.get('STAGE')]")
    equal(invoke("changing", {})[1], [1, None])
    functions.update_function_code(FunctionName="changing", ZipFile=zipped("import os\ndef handler(event, context): return [2, os.environ.get('STAGE')]"))
    equal(invoke("changing", {})[1], [2, None])
    functions.update_function_configuration(FunctionName="changing", Environment={"Variables": {"STAGE": "b"}})
    equal(invoke("changing", {})[1], [2, "b"])
    functions.put_function_concurrency(FunctionName="changing", ReservedConcurrentExecutions=0)
    equal(error_of(functions.invoke, FunctionName="changing")[:2], ("TooManyRequestsException", 429))
    functions.delete_function_concurrency(FunctionName="changing")
    equal(invoke("changing", {})[1], [2, "b"])
    functions.delete_function(FunctionName="changing")
    equal(error_of(functions.invoke, FunctionName="changing")[0], "ResourceNotFoundException")


@case
def an_asynchronous_invoke_tells_its_destination():
    told = Told("async-told")
    create("later", TELL + "def handler(event, context): return {'done': event}")
    functions.put_function_event_invoke_config(FunctionName="later", MaximumRetryAttempts=0, DestinationConfig={
        "OnSuccess": {"Destination": told.arn}})
    equal(functions.invoke(FunctionName="later", InvocationType="Event", Payload=b'{"n":1}')["StatusCode"], 202)
    [end] = told.wait_for(lambda seen: seen, "the destination is told")
    equal((end["requestPayload"], end["responsePayload"]), ({"n": 1}, {"done": {"n": 1}}))
    equal(end["requestContext"]["condition"], "Success")


@case
def messages_of_a_queue_are_handled_in_batches():
    told = Told("orders-told")
    url, arn = new_queue("orders", VisibilityTimeout=30)
    create("orders", TELL + "def handler(event, context):\n  for r in event['Records']: tell('orders-told', [r['body'], r['messageAttributes']])")
    mapping = functions.create_event_source_mapping(EventSourceArn=arn, FunctionName="orders", BatchSize=5)
    equal(mapping["State"], "Creating")
    wait_for_state(mapping["UUID"], "Enabled")
    equal(error_of(functions.create_event_source_mapping, EventSourceArn=arn, FunctionName="orders")[:2],
          ("ResourceConflictException", 409))
    for number in range(20):
        sqs.send_message(QueueUrl=url, MessageBody=f"{number} {NON_ASCII}",
                         MessageAttributes={"k": {"DataType": "Number", "StringValue": str(number)}})
    told.wait_for(lambda seen: len(seen) >= 20, "all are handled")
    equal(sorted(body for body, _ in told.seen), sorted(f"{number} {NON_ASCII}" for number in range(20)))
    equal({int(body.split()[0]): int(attributes["k"]["stringValue"]) for body, attributes in told.seen},
          {number: number for number in range(20)})
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    count = lambda: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    until(lambda: set(count().values()) == {"0"}, "what was handled is deleted")
    functions.delete_event_source_mapping(UUID=mapping["UUID"])
    until(lambda: not functions.list_event_source_mappings(FunctionName="orders")["EventSourceMappings"], "it is gone")
    sqs.send_message(QueueUrl=url, MessageBody="late")
    equal(len(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20).get("Messages", [])), 1)


@case
def one_that_fails_again_and_again_becomes_a_dead_letter():
    told = Told("poisoned-told")
    dead_url, dead_arn = new_queue("poisoned-dead")
    url, arn = new_queue("poisoned", VisibilityTimeout=1, RedrivePolicy=json.dumps(
        {"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2}))
    create("poisoned", TELL + """
def handler(event, context):
    failed = [r["messageId"] for r in event["Records"] if r["body"] == "poison"]
    for r in event["Records"]:
        tell("poisoned-told", r["body"])
    return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}
""", Timeout=1)
    functions.create_event_source_mapping(EventSourceArn=arn, FunctionName="poisoned", BatchSize=10,
                                          FunctionResponseTypes=["ReportBatchItemFailures"])
    for body in ("a", "poison", "b"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    dead = until(lambda: sqs.receive_message(QueueUrl=dead_url, WaitTimeSeconds=5).get("Messages"), "it is dead")
    equal([message["Body"] for message in dead], ["poison"])
    told.wait_for(lambda seen: len(seen) >= 4, "all is told")
    equal(sorted(told.seen), ["a", "b", "poison", "poison"])


@case
def what_filters_let_through_is_handled_and_the_rest_deleted():
    told = Told("filtered-told")
    url, arn = new_queue("filtered", VisibilityTimeout=30)
    create("filtered", TELL + "def handler(event, context):\n  for r in event['Records']: tell('filtered-told', json.loads(r['body']))")
    functions.create_event_source_mapping(EventSourceArn=arn, FunctionName="filtered", FilterCriteria={
        "Filters": [{"Pattern": json.dumps({"body": {"n": [{"numeric": [">", 5]}]}})}]})
    for number in range(10):
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"n": number}))
    told.wait_for(lambda seen: len(seen) >= 4, "all are handled")
    equal(sorted(one["n"] for one in told.seen), [6, 7, 8, 9])
    equal(error_of(functions.create_event_source_mapping, EventSourceArn=arn, FunctionName="filtered", FilterCriteria={
        "Filters": [{"Pattern": '{"body": "x"}'}]})[0], "InvalidParameterValueException")


@case
def a_mapping_of_a_stream_goes_on_where_it_was_after_a_restart():
    told = Told("clicks-told")
    kinesis.create_stream(StreamName="clicks", ShardCount=2)
    until(lambda: kinesis.describe_stream_summary(StreamName="clicks")["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE", "it is ACTIVE")
    arn = kinesis.describe_stream_summary(StreamName="clicks")["StreamDescriptionSummary"]["StreamARN"]
    create("clicks", TELL + """
import base64
def handler(event, context):
    tell("clicks-told", [base64.b64decode(r["kinesis"]["data"]).decode() for r in event["Records"]])
""")
    mapping = functions.create_event_source_mapping(EventSourceArn=arn, FunctionName="clicks", BatchSize=10,
                                                    StartingPosition="TRIM_HORIZON")
    wait_for_state(mapping["UUID"], "Enabled")

    def put(first, end):
        kinesis.put_records(StreamName="clicks", Records=[
            {"Data": str(number).encode(), "PartitionKey": f"k{number % 4}"} for number in range(first, end)])

    everything = lambda: [one for batch in told.seen for one in batch]
    put(0, 50)
    told.wait_for(lambda seen: len(everything()) >= 50, "all are handled")
    with socket.socket(fileno=int(os.environ["PENSTOCK_CONTROL"])) as control:
        control.sendall(b"r")
        equal(control.recv(1), b"r")
    put(50, 60)
    told.wait_for(lambda seen: set(everything()) >= {str(number) for number in range(60)}, "the rest is handled")
    handled = everything()
    true(len(handled) < 110, f"{len(handled)} were handled, as if it had begun anew")
    for key in range(4):
        firsts = list(dict.fromkeys(int(one) for one in handled if int(one) % 4 == key))
        equal(firsts, sorted(firsts))


run()
