"""What the tests of a server's state share: requests, things to fill a server with, and loads on it."""

import base64
import hashlib
import http.client
import io
import json
import pathlib
import tempfile
import threading
import zipfile

from harness import Server, wait_until

HANDLER = """
def handler(event, context):
    return {"said": event}
"""


def ask(server, method, path, body=None, headers=None, limit=60):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=limit)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers or {})
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else {}
    finally:
        connection.close()


def kinesis(server, operation, body, headers=None):
    target = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202." + operation}
    return ask(server, "POST", "/", body, {**target, **(headers or {})})


def signed(account, region, service="sqs"):
    scope = f"{account}/20300101/{region}/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}


def create_stream(server, name, shards=1):
    assert kinesis(server, "CreateStream", {"StreamName": name, "ShardCount": shards})[0] == 200
    described = {"StreamName": name}
    wait_until(
        lambda: kinesis(server, "DescribeStreamSummary", described)[1]["StreamDescriptionSummary"]["StreamStatus"]
        == "ACTIVE"
    )


def records_of(server, stream):
    """The data of all records, shard by shard."""
    data = []
    for shard in kinesis(server, "ListShards", {"StreamName": stream})[1]["Shards"]:
        start = {"StreamName": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = kinesis(server, "GetShardIterator", start)[1]["ShardIterator"]
        while iterator:
            page = kinesis(server, "GetRecords", {"ShardIterator": iterator})[1]
            data += [base64.b64decode(record["Data"]).decode() for record in page["Records"]]
            iterator = page.get("NextShardIterator") if page["Records"] else None
    return data


def add_function(server, name):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", HANDLER)
    function = {"FunctionName": name, "Runtime": "python3.11", "Handler": "app.handler",
                "Role": "arn:aws:iam::000000000000:role/any",
                "Code": {"ZipFile": base64.b64encode(packed.getvalue()).decode()}}
    status, answer = ask(server, "POST", "/2015-03-31/functions", function)
    assert status == 201, answer


def drain(server, url):
    """The bodies of all messages that there are."""
    bodies = []
    while True:
        receive = {"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 600}
        messages = server.call("ReceiveMessage", receive)[1].get("Messages", [])
        if not messages:
            return bodies
        bodies += [message["Body"] for message in messages]


def tree_of(directory):
    """Everything below a directory: names, sizes, times and contents."""
    found = {}
    for path in sorted(pathlib.Path(directory).rglob("*")):
        if path.is_file():
            stat = path.stat()
            found[str(path)] = (stat.st_size, stat.st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
    return found


class Load:
    """Clients that send, receive and delete, and put, until they are told to end; and what was acknowledged."""

    def __init__(self, server, clients=4):
        self.server = server
        self.urls = [server.create("jobs"), self.fifo()]
        if "clicks" not in kinesis(server, "ListStreams", {})[1]["StreamNames"]:
            create_stream(server, "clicks", 2)
        self.lock = threading.Lock()
        self.sent = {url: set() for url in self.urls}
        self.deleting = set()
        self.put = set()
        self.ending = False
        self.threads = [threading.Thread(target=self.run, args=(client,)) for client in range(clients)]
        self.threads += [threading.Thread(target=self.receive)]
        for thread in self.threads:
            thread.start()

    def fifo(self):
        attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        return self.server.call("CreateQueue", {"QueueName": "line.fifo", "Attributes": attributes})[1]["QueueUrl"]

    def run(self, client):
        number = 0
        while not self.ending:
            body = f"{client}-{number}"
            number += 1
            try:
                for url in self.urls:
                    message = {"QueueUrl": url, "MessageBody": body}
                    if url.endswith(".fifo"):
                        message["MessageGroupId"] = f"g{client}"
                    if self.server.call("SendMessage", message)[0] == 200:
                        with self.lock:
                            self.sent[url].add(body)
                data = base64.b64encode(body.encode()).decode()
                record = {"StreamName": "clicks", "PartitionKey": body, "Data": data}
                if kinesis(self.server, "PutRecord", record)[0] == 200:
                    with self.lock:
                        self.put.add(body)
            except OSError:
                return

    def receive(self):
        while not self.ending:
            try:
                receive = {"QueueUrl": self.urls[0], "MaxNumberOfMessages": 2}
                for message in self.server.call("ReceiveMessage", receive)[1].get("Messages", []):
                    with self.lock:
                        self.deleting.add(message["Body"])
                    handle = message["ReceiptHandle"]
                    self.server.call("DeleteMessage", {"QueueUrl": self.urls[0], "ReceiptHandle": handle})
            except OSError:
                return

    def acknowledged(self):
        with self.lock:
            return {url: set(bodies) for url, bodies in self.sent.items()}, set(self.put)

    def wait_for(self, count):
        wait_until(lambda: len(self.put) >= count)

    def end(self):
        self.ending = True
        for thread in self.threads:
            thread.join()


class InDirectoryServer:
    """A server with a directory of its own."""

    def __init__(self, *flags):
        self.home = tempfile.TemporaryDirectory()
        self.server = Server(self.home.name, *flags)

    def __enter__(self):
        return self.server.__enter__()

    def __exit__(self, *error):
        self.server.__exit__(*error)
        self.home.cleanup()
