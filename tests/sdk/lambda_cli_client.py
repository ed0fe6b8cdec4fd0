"""Debian's AWS CLI on Lambda, as a person would type it."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import zipfile

from cases import ENDPOINT, case, equal, run, true, until

# The one of Debian's package: another one on PATH may be of another version.
AWS = ["/usr/bin/python3", "/usr/bin/aws"]
HOME = tempfile.TemporaryDirectory()
ZIP = pathlib.Path(HOME.name, "code.zip")


def execute(service, command, *arguments):
    argv = [*AWS, service, command, "--endpoint-url", ENDPOINT, "--output", "json", *arguments]
    return subprocess.run(argv, env=dict(os.environ, AWS_MAX_ATTEMPTS="1"), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60, check=False)


def aws(service, command, *arguments):
    done = execute(service, command, *arguments)
    true(done.returncode == 0, f"aws {command} ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout) if done.stdout.strip() else {}


def error_of(command, *arguments):
    """What the CLI says of the error: its name."""
    done = execute("lambda", command, *arguments)
    found = re.search(r"An error occurred \((\w+)\) when calling", done.stderr)
    true(done.returncode != 0 and found, f"no error, but {done.returncode}: {done.stderr}")
    return found[1]


@case
def a_function_is_made_invoked_and_forgotten():
    with zipfile.ZipFile(ZIP, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return {'sum': sum(event)}")
    made = aws("lambda", "create-function", "--function-name", "adds", "--runtime", "python3.11", "--handler", "app.handler",
               "--role", "arn:aws:iam::000000000000:role/any", "--zip-file", f"fileb://{ZIP}", "--timeout", "10")
    equal((made["FunctionName"], made["State"], made["Timeout"]), ("adds", "Active", 10))
    out = pathlib.Path(HOME.name, "out.json")
    answer = aws("lambda", "invoke", "--function-name", "adds", "--payload", "[1, 2, 3]", "--cli-binary-format",
                 "raw-in-base64-out", str(out))
    equal(answer["StatusCode"], 200)
    equal(json.loads(out.read_text()), {"sum": 6})
    equal([one["FunctionName"] for one in aws("lambda", "list-functions")["Functions"]], ["adds"])
    equal(error_of("get-function", "--function-name", "nobody"), "ResourceNotFoundException")


@case
def a_mapping_is_made_listed_and_forgotten():
    url = aws("sqs", "create-queue", "--queue-name", "numbers")["QueueUrl"]
    arn = aws("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "QueueArn")["Attributes"]["QueueArn"]
    made = aws("lambda", "create-event-source-mapping", "--function-name", "adds", "--event-source-arn", arn, "--batch-size", "3")
    equal((made["BatchSize"], made["EventSourceArn"]), (3, arn))
    listed = lambda: aws("lambda", "list-event-source-mappings", "--event-source-arn", arn)["EventSourceMappings"]
    equal([one["UUID"] for one in listed()], [made["UUID"]])
    aws("lambda", "delete-event-source-mapping", "--uuid", made["UUID"])
    until(lambda: listed() == [], "it is gone")


run()
