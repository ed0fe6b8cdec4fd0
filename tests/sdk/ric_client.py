"""The runtime interface client for Node from npm, aws-lambda-ric, unchanged: a function of kind `runtime` whose command
is that program, invoked and fed by a mapping."""

import base64
import json
import pathlib
import shutil
import urllib.request

import boto3
from botocore.config import Config

from cases import ENDPOINT, case, equal, run, true, until

HERE = pathlib.Path(__file__).resolve().parent / "ric"

settings = {"endpoint_url": ENDPOINT, "config": Config(retries={"max_attempts": 0})}
sqs, functions = boto3.client("sqs", **settings), boto3.client("lambda", **settings)


def register():
    body = json.dumps({"Kind": "runtime", "Directory": str(HERE), "Timeout": 10, "Command": [
        shutil.which("node"), str(HERE / "node_modules/aws-lambda-ric/bin/index.mjs"), "app.handler"]}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{ENDPOINT}/_penstock/functions/ric", body, method="PUT"), timeout=20)


def invoke(payload, **more):
    answer = functions.invoke(FunctionName="ric", Payload=json.dumps(payload).encode(), **more)
    return answer, json.loads(answer["Payload"].read())


@case
def it_gets_the_event_and_says_who_it_is():
    answer, payload = invoke({"say": "ü"}, LogType="Tail", ClientContext=base64.b64encode(b'{"custom":{"a":"1"}}').decode())
    equal((payload["heard"], payload["name"], payload["client"]), ("ü", "ric", {"custom": {"a": "1"}}))
    equal(payload["arn"], "arn:aws:lambda:us-east-1:000000000000:function:ric")
    equal(payload["id"], answer["ResponseMetadata"]["RequestId"])
    true(0 < payload["left"] <= 10_000, payload["left"])
    log = base64.b64decode(answer["LogResult"]).decode()
    true(f"START RequestId: {payload['id']}" in log and "heard ü" in log and "REPORT" in log, log)


@case
def it_is_the_same_process_the_next_time():
    equal([invoke({"say": n})[1]["heard"] for n in range(20)], list(range(20)))


@case
def its_errors_are_the_functions_errors():
    answer, payload = invoke({"fail": "no"})
    equal((answer["FunctionError"], payload["errorType"], payload["errorMessage"]), ("Unhandled", "TypeError", "no"))
    equal(invoke({"say": "again"})[1]["heard"], "again")


@case
def a_mapping_feeds_it_and_hears_which_messages_have_failed():
    dead = sqs.create_queue(QueueName="ric-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    url = sqs.create_queue(QueueName="ric", Attributes={"VisibilityTimeout": "10", "RedrivePolicy": json.dumps(
        {"deadLetterTargetArn": arn, "maxReceiveCount": 1})})["QueueUrl"]
    functions.create_event_source_mapping(EventSourceArn=arn.removesuffix("-dead"), FunctionName="ric",
                                          FunctionResponseTypes=["ReportBatchItemFailures"])
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    for body in ("fine", "refuse", "well"):
        sqs.send_message(QueueUrl=url, MessageBody=body)

    def left(queue):
        attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        return [int(attributes["ApproximateNumberOfMessages" + kind]) for kind in ("", "NotVisible")]
    until(lambda: left(url) == [0, 0] and left(dead) == [1, 0], "all is taken but what is refused")
    equal(sqs.receive_message(QueueUrl=dead)["Messages"][0]["Body"], "refuse")


register()
run()
