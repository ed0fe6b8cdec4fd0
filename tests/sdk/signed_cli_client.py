"""Debian's AWS CLI at a server that has every request signed."""

import json
import os
import subprocess

from cases import ENDPOINT, NON_ASCII, case, equal, run, true

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}


def aws(*arguments, **keys):
    """Its status, and what it printed."""
    environment = {**os.environ, **KEYS, "AWS_MAX_ATTEMPTS": "1", **keys}
    done = subprocess.run(["aws", "--endpoint-url", ENDPOINT, "--output", "json", *arguments], env=environment,
                          capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


@case
def signs_what_it_asks():
    status, out, err = aws("sqs", "create-queue", "--queue-name", "signed")
    equal((status, err), (0, ""))
    url = json.loads(out)["QueueUrl"]
    equal(aws("sqs", "send-message", "--queue-url", url, "--message-body", NON_ASCII)[0], 0)
    status, out, _ = aws("sqs", "receive-message", "--queue-url", url)
    equal(json.loads(out)["Messages"][0]["Body"], NON_ASCII)
    equal(aws("kinesis", "create-stream", "--stream-name", "signed", "--shard-count", "1")[0], 0)
    equal(json.loads(aws("kinesis", "list-streams")[1])["StreamNames"], ["signed"])
    equal(json.loads(aws("lambda", "list-functions")[1])["Functions"], [])


@case
def is_told_of_a_wrong_secret():
    for arguments, code in ((("sqs", "list-queues"), "SignatureDoesNotMatch"), (("kinesis", "list-streams"), "InvalidSignatureException"),
                            (("lambda", "list-functions"), "InvalidSignatureException")):
        status, _, err = aws(*arguments, AWS_SECRET_ACCESS_KEY="wrong")
        true(status != 0, "it failed")
        true(f"({code})" in err, err)
        true("The request signature we calculated does not match the signature you provided." in err, err)


@case
def is_told_of_a_key_that_nobody_has():
    status, _, err = aws("sqs", "list-queues", AWS_ACCESS_KEY_ID="AKIDNOBODY")
    true(status != 0 and "(InvalidClientTokenId)" in err, err)


run()
