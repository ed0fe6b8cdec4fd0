"""Penstock as the event source of another emulator of Lambda, serverless-offline: its functions are invoked through
Penstock, by a mapping too, both registered with a URL and found by --lambda-endpoint."""

import json
import os
import pathlib
import signal
import subprocess
import urllib.error
import urllib.request

import boto3
from botocore.config import Config

from cases import ENDPOINT, case, equal, run, true, until

PORT = int(os.environ["PENSTOCK_EMULATOR_PORT"])
FUNCTION = "emulator-dev-take"  # service, stage and function, as that emulator puts its names together
URL = f"http://127.0.0.1:{PORT}/2015-03-31/functions/{FUNCTION}/invocations"
HERE = pathlib.Path(__file__).resolve().parent / "emulator"

settings = {"endpoint_url": ENDPOINT, "config": Config(retries={"max_attempts": 0})}
sqs, functions = boto3.client("sqs", **settings), boto3.client("lambda", **settings)


def start_emulator():
    process = subprocess.Popen(
        ["node_modules/.bin/serverless", "offline", "--host", "127.0.0.1", "--lambdaPort", str(PORT), "--httpPort", "0",
         "--noTimeout"], cwd=HERE, start_new_session=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "SLS_TELEMETRY_DISABLED": "1", "SLS_NOTIFICATIONS_MODE": "off", "CI": "1"})

    def answers():
        true(process.poll() is None, "the emulator has ended")
        try:
            request = urllib.request.Request(URL, b"{}")
            return urllib.request.urlopen(request, timeout=20).status == 200
        except (urllib.error.URLError, OSError):
            return False
    until(answers, "the emulator answers", seconds=90)
    return process


def register():
    body = json.dumps({"Kind": "url", "Url": URL, "Timeout": 20}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{ENDPOINT}/_penstock/functions/elsewhere", body, method="PUT"), timeout=20)


def invoke(name, payload):
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(payload).encode())
    return answer.get("FunctionError"), json.loads(answer["Payload"].read())


def left(url):
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return [int(attributes["ApproximateNumberOfMessages" + kind]) for kind in ("", "NotVisible")]


def check_mapping(name, function):
    """A message that is taken, one that fails once by itself, and a batch that fails whole and is dead afterwards."""
    dead = sqs.create_queue(QueueName=name + "-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    url = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "20", "RedrivePolicy": json.dumps(
        {"deadLetterTargetArn": arn, "maxReceiveCount": 2})})["QueueUrl"]
    functions.create_event_source_mapping(
        EventSourceArn=arn.removesuffix("-dead"), FunctionName=function, BatchSize=1,
        FunctionResponseTypes=["ReportBatchItemFailures"])
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    for body in ("fine", "again", "refuse"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    until(lambda: left(url) == [0, 0] and left(dead) == [1, 0], "all is taken but what is refused")
    equal(sqs.receive_message(QueueUrl=dead)["Messages"][0]["Body"], "refuse")


@case
def a_function_with_a_url_is_invoked_there():
    equal(invoke("elsewhere", {"a": [1, "ü"]}), (None, {"got": {"a": [1, "ü"]}}))


@case
def its_errors_are_the_functions_errors():
    error, payload = invoke("elsewhere", {"fail": "no"})
    equal((error, payload["errorMessage"]), ("Unhandled", "no"))


@case
def what_is_not_registered_here_is_invoked_there():
    equal(invoke(FUNCTION, {"a": 1}), (None, {"got": {"a": 1}}))


@case
def what_the_emulator_does_not_know_is_said_in_its_words():
    try:
        functions.invoke(FunctionName="emulator-dev-none", Payload=b"{}")
        raise AssertionError("it was invoked")
    except functions.exceptions.ServiceException as error:
        message = error.response["Error"]["Message"]
        true("404" in message and "Function not found: emulator-dev-none" in message, message)


@case
def a_mapping_delivers_to_a_function_with_a_url():
    check_mapping("registered", "elsewhere")


@case
def a_mapping_delivers_to_a_function_that_is_only_there():
    check_mapping("unregistered", FUNCTION)


emulator = start_emulator()
try:
    register()
    run()
finally:
    os.killpg(emulator.pid, signal.SIGKILL)
    emulator.wait()
