#!/usr/bin/env python3
"""Web pages are kept out, whatever they ask for and however: each kind of route, each way in which a page can send a
request, over HTTP/1.1 and HTTP/2, and the port of a function's Runtime API. Runs the real binary: test_guard.py
--penstock BIN [unittest arguments]."""

import http.client
import itertools
import json
import pathlib

import harness
from harness import LIMIT, InDirectory, OneServer, Server, read_answer
from test_http2 import Http2

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SQS = {"Content-Type": "application/x-amz-json-1.0"}
KINESIS = {"Content-Type": "application/x-amz-json-1.1"}
QUEUE = "/000000000000/jobs"

# What is asked, and how it is answered when no page asks it.
ROUTES = [
    ("GET", "/healthz", {}, b"", 200),
    ("GET", "/readyz", {}, b"", 200),
    ("GET", "/?Action=ListQueues", {}, b"", 200),
    ("GET", f"{QUEUE}?Action=PurgeQueue", {}, b"", 200),
    ("POST", "/", FORM, b"Action=CreateQueue&QueueName=planted", 200),
    ("POST", QUEUE, FORM, b"Action=SendMessage&MessageBody=planted", 200),
    ("POST", "/", {**SQS, "X-Amz-Target": "AmazonSQS.ListQueues"}, b"{}", 200),
    ("POST", "/", {**KINESIS, "X-Amz-Target": "Kinesis_20131202.ListStreams"}, b"{}", 200),
    ("POST", "/", {"Content-Type": "application/x-amz-cbor-1.1", "X-Amz-Target": "Kinesis_20131202.ListStreams"}, b"\xa0", 200),
    ("POST", "/@consumer/billing", {**KINESIS, "X-Amz-Target": "Kinesis_20131202.ListStreams"}, b"{}", 200),
    ("GET", "/2015-03-31/functions", {}, b"", 200),
    ("GET", "/2015-03-31/event-source-mappings", {}, b"", 200),
    ("POST", "/2015-03-31/functions/nothing/invocations", {}, b"{}", 404),
    ("PUT", "/_penstock/functions/planted", {}, b'{"Kind":"exec","Command":["true"]}', 200),
    ("GET", "/_penstock/functions/nothing/code", {}, b"", 404),
    ("GET", "/_penstock/functions", {}, b"", 200),
    ("GET", "/_penstock/openapi.json", {}, b"", 200),
    ("GET", "/_penstock/clock", {}, b"", 200),
    ("GET", "/_penstock/idle", {}, b"", 200),
    ("GET", "/_penstock/nothing", {}, b"", 404),
    ("GET", f"/_aws/sqs/messages?QueueUrl={QUEUE}", {}, b"", 200),
    ("GET", "/nothing/at/all", {}, b"", 404),
]

# How a page's requests come; {host} is the server's own.
ATTACKS = {
    "a name that was rebound": {"Host": "evil.example:4566"},
    "a page under a name that was rebound": {"Host": "evil.example:4566", "Origin": "http://evil.example:4566",
                                             "Sec-Fetch-Site": "same-origin"},
    "a name that begins as an address does": {"Host": "127.0.0.1.evil.example"},
    "what is no name": {"Host": "[::1].evil.example"},
    "a form of another site": {"Origin": "https://evil.example"},
    "a form of another site, from a browser of today": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site",
                                                        "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
    "an image of another site": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    "an image over a network that is not trusted": {"Referer": "http://evil.example/page"},
    "a sandboxed page": {"Origin": "null"},
    "a page of another port": {"Origin": "http://localhost:3000"},
    "a script of another port": {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
    "a page that only looks alike": {"Origin": "http://{host}.evil.example"},
    "an extension": {"Origin": "chrome-extension://abcdefghijklmnop"},
}
WELCOME = {
    "a client": {},
    "a page of this server's own": {"Origin": "http://{host}", "Sec-Fetch-Site": "same-origin", "Referer": "http://{host}/x?y"},
    "whoever types the address": {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
    "a neighbour in a container network": {"Host": "penstock:4566"},
    "an address": {"Host": "[::1]:4566"},
}


def over_http1(server, method, path, headers, body):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)
    try:
        connection.request(method, path, body or None, {"Host": f"127.0.0.1:{server.port}", **headers})
        answer = connection.getresponse()
        return answer.status, {name.lower() for name in answer.headers}, answer.read()
    finally:
        connection.close()


def over_http2(server, method, path, headers, body):
    with Http2(server.raw()) as client:
        given = {"Host": f"127.0.0.1:{server.port}", **headers}
        stream = client.h2.get_next_available_stream_id()
        sent = [(":method", method), (":path", path), (":scheme", "http"), (":authority", given.pop("Host"))]
        client.h2.send_headers(stream, sent + [(name.lower(), value) for name, value in given.items()], end_stream=not body)
        if body:
            client.h2.send_data(stream, body, end_stream=True)
        client.flush()
        while not (stream in client.answers and client.answers[stream][3]):
            client.receive()
        status, got, text, _ = client.answers[stream]
        return status, set(got), text


def headers_of(way, server):
    return {name: value.replace("{host}", f"127.0.0.1:{server.port}") for name, value in way.items()}


class OnLoopback(OneServer):
    def test_web_pages_are_refused_whatever_they_ask_for(self):
        self.server.create()
        for protocol, (method, path, headers, body, _), (name, way) in itertools.product(
                (over_http1, over_http2), ROUTES, ATTACKS.items()):
            with self.subTest(protocol=protocol.__name__, route=f"{method} {path}", way=name):
                sent = {**headers, **headers_of(way, self.server)}
                status, answered, text = protocol(self.server, method, path, sent, body)
                self.assertEqual(status, 403)
                self.assertNotIn(b"planted", text)
                self.assertEqual({header for header in answered if header.startswith("access-control-")}, set())
        # And nothing of it was done.
        self.assertEqual(len(self.server.call("ListQueues", {})[1]["QueueUrls"]), 1)
        _, _, functions = over_http1(self.server, "GET", "/_penstock/functions", {}, b"")
        self.assertEqual(json.loads(functions)["Functions"], [])

    def test_preflights_are_refused(self):
        for protocol in (over_http1, over_http2):
            for path in ("/", "/_penstock/functions/planted", "/2015-03-31/functions"):
                with self.subTest(protocol=protocol.__name__, path=path):
                    status, headers, _ = protocol(self.server, "OPTIONS", path, {
                        "Origin": "https://evil.example", "Access-Control-Request-Method": "PUT",
                        "Access-Control-Request-Headers": "x-amz-target"}, b"")
                    self.assertEqual(status, 403)
                    self.assertEqual({name for name in headers if name.startswith("access-control-")}, set())

    def test_what_could_be_read_in_two_ways_is_refused(self):
        host, evil = f"localhost:{self.server.port}", "evil.example"
        for lines in ([f"Host: {host}", f"Host: {evil}"], [f"Host: {host}", f"Origin: http://{host}", f"Origin: http://{evil}"],
                      [f"Host: {host}", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"], ["Host: [::1]evil.example:80"],
                      ["Host: [evil.example]"], ["Host: [::1"], ["Host: localhost:80:evil.example"], ["Host: localhost:evil.example"],
                      ["Host: localhost@evil.example"], ["Host: localhost, evil.example"], ["Host: :80"]):
            with self.subTest(lines=lines), self.server.raw() as connection:
                head = "\r\n".join(["GET /?Action=ListQueues HTTP/1.1", *lines])
                connection.sendall(f"{head}\r\n\r\n".encode())
                self.assertEqual(read_answer(connection)[0], 403)
        # In HTTP/2 the authority stands in the place of the header, and one beside it has to say the same.
        for authority, also, wanted in ((host, evil, 403), (evil, host, 403), (host, host, 200), (host, host.upper(), 200),
                                        (host, "localhost", 403)):
            with self.subTest(authority=authority), Http2(self.server.raw()) as client:
                client.h2.config.validate_outbound_headers = False
                stream = client.h2.get_next_available_stream_id()
                client.h2.send_headers(stream, [(":method", "GET"), (":path", "/?Action=ListQueues"), (":scheme", "http"),
                                                (":authority", authority), ("host", also)], end_stream=True)
                client.flush()
                while not (stream in client.answers and client.answers[stream][3]):
                    client.receive()
                self.assertEqual(client.answers[stream][0], wanted)

    def test_an_image_that_tells_nothing_changes_nothing(self):
        browser = {"User-Agent": "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Safari/605.1.15", "Accept": "image/*"}
        arn = "arn%3Aaws%3Asqs%3Aus-east-1%3A000000000000%3Ajobs"
        changes = ["Action=PurgeQueue", "Action=DeleteQueue", "Action=SendMessage&MessageBody=planted", "Action=ReceiveMessage",
                   "Action=DeleteMessage&ReceiptHandle=x", "Action=SetQueueAttributes&Attribute.1.Name=DelaySeconds&Attribute.1.Value=9",
                   "Action=TagQueue&Tag.1.Key=a&Tag.1.Value=b", "Action=UntagQueue&TagKey.1=a", "Action=RemovePermission&Label=x",
                   "Action=AddPermission&Label=x&AWSAccountId.1=000000000000&ActionName.1=*", "Action=ChangeMessageVisibility"
                   "&ReceiptHandle=x&VisibilityTimeout=0", f"Action=StartMessageMoveTask&SourceArn={arn}",
                   "Action=CancelMessageMoveTask&TaskHandle=x", "%41ction=PurgeQueue", "Action=CreateQueue&QueueName=planted"]
        tells = ["Action=GetQueueAttributes&AttributeName.1=All", "Action=ListQueueTags", "Action=ListDeadLetterSourceQueues",
                 "Action=ListQueues", "Action=GetQueueUrl&QueueName=jobs"]
        # What a page can have a browser send, with a URL of its choice. Basic is what the browser makes of a name in it.
        images = [(browser, ""), (browser, "&X-Amz-Signature=0&X-Amz-Credential=any%2F20260101%2Fus-east-1%2Fsqs%2Faws4_request"),
                  (browser, "&Signature=0&AWSAccessKeyId=any"), ({**browser, "Authorization": "Basic YW55OmFueQ=="}, "")]
        with Server(self.directory, "--ephemeral", data_dir=False) as server:
            server.create()
            url = f"http://127.0.0.1:{server.port}{QUEUE}"
            server.call("SendMessage", {"QueueUrl": url, "MessageBody": "first"})
            before = server.call("GetQueueAttributes", {"QueueUrl": url, "AttributeNames": ["All"]})
            for protocol, action, (headers, more) in itertools.product((over_http1, over_http2), changes, images):
                path = "/" if "CreateQueue" in action else QUEUE
                with self.subTest(protocol=protocol.__name__, action=action, headers=headers, more=more):
                    status, _, text = protocol(server, "GET", f"{path}?{action}{more}", headers, b"")
                    self.assertIn(status, (400, 403), text)
                    if status == 400:  # it is no action that could be done
                        self.assertIn(b"ErrorResponse", text)
            self.assertEqual(server.call("GetQueueAttributes", {"QueueUrl": url, "AttributeNames": ["All"]}), before)
            self.assertEqual(server.call("ListQueues", {})[1]["QueueUrls"], [url])
            for action, headers in itertools.product(tells, ({}, browser)):
                path = QUEUE if action in tells[:3] else "/"
                with self.subTest(action=action, headers=headers):
                    self.assertEqual(over_http1(server, "GET", f"{path}?{action}", headers, b"")[0], 200)
            # What clients send goes through: signed, unsigned, with the token, and as a form.
            signed = "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0"
            for headers, more in (({"Authorization": signed}, ""), ({}, ""), ({"User-Agent": "curl/7.88"}, ""),
                                  ({"User-Agent": "python-requests/2.28"}, images[1][1]),
                                  ({**browser, "Sec-Fetch-Site": "none"}, ""), ({"X-Penstock-Token": "any"}, ""),
                                  ({"Authorization": "Bearer any"}, "")):
                with self.subTest(headers=headers, more=more):
                    status, _, text = over_http1(server, "GET", f"{QUEUE}?Action=SendMessage&MessageBody=a{more}", headers, b"")
                    self.assertEqual(status, 200, text)
            self.assertEqual(over_http1(server, "POST", QUEUE, FORM, b"Action=SendMessage&MessageBody=a")[0], 200)
            # Whatever else is asked by GET tells something.
            operations = json.loads(over_http1(server, "GET", "/_penstock/openapi.json", {}, b"")[2])["paths"]
            named = {operation["get"]["operationId"] for operation in operations.values() if "get" in operation}
            self.assertEqual({name for name in named if not name.startswith(("List", "Describe", "Get", "Read", "Await", "Trace"))}, set())

    def test_others_are_not(self):
        with Server(self.directory, "--ephemeral", data_dir=False) as server:
            server.create()
            for protocol, (name, way), (method, path, headers, body, usual) in itertools.product(
                    (over_http1, over_http2), WELCOME.items(), ROUTES):
                with self.subTest(protocol=protocol.__name__, route=f"{method} {path}", way=name):
                    sent = {**headers, **headers_of(way, server)}
                    self.assertEqual(protocol(server, method, path, sent, body)[0], usual)


class NamesThatAreAllowed(InDirectory):
    def status(self, server, headers):
        return over_http1(server, "GET", "/?Action=ListQueues", headers, b"")[0]

    def assert_statuses(self, server, cases):
        for host, wanted in cases.items():
            with self.subTest(host=host):
                self.assertEqual(self.status(server, {"Host": host}), wanted)

    def test_they_are_added_to_local_ones_wherever_the_server_listens(self):
        for address in ("127.0.0.1", "0.0.0.0"):
            with Server(self.directory, "--host", address, "--allow-host", "Queues.Example.org", "--allow-host", ".corp.example") as server:
                self.assert_statuses(server, {
                    "queues.example.org:4566": 200, "QUEUES.example.org": 200, "corp.example": 200, "a.b.corp.example:1": 200,
                    "localhost": 200, "penstock:4566": 200, "sqs.eu-west-1.amazonaws.com": 200, "penstock.default.svc.cluster.local": 200,
                    "127.0.0.1": 200, "192.168.7.8:4566": 200, "[::1]": 200, "[fd00::1]:4566": 200, "[fe80::1%25eth0]": 200,
                    "other.example.org": 403, "queues.example.org.evil.example": 403, "notcorp.example": 403, "evil.example": 403,
                    "localhost.evil.example": 403, "evil.example:127": 403, "1.evil": 403})

    def test_no_host_is_spelled_like_that_whatever_it_ends_with(self):
        # As bytes, since clients refuse to send some of them.
        before = ["evil.example#", "evil.example#.", "evil.example/", "evil.example\\", "evil.example?", "a@", "a:b@", "evil.example%00.",
                  "%6c", "evil.example .", "evil.example\t.", "evil.example,", "evil.example;", "evil.example\"", "<evil>.", "(", "'", "!",
                  "$", "&", "*", "+", "=", "~.", "`", "{", "|", "^", "evil\u00e9.", "\x01.", "\x7f."]
        after = ["localhost", "a.localhost", ".local", ".internal", "queues.example.org", ".corp.example", "sqs.eu-west-1.amazonaws.com",
                 "127.0.0.1", "localhost:80"]
        brackets = ["[]", "[%25eth0]", "[::1%]", "[::1%a@b]", "[::1%a/b]", "[::1]]", "[[::1]", "[::1 ]", "[localhost]", "[::1%25eth0#]"]
        pathlib.Path(self.directory, "any").mkdir()
        with Server(self.directory, "--allow-host", "queues.example.org", "--allow-host", ".corp.example") as server, \
                Server(f"{self.directory}/any", "--ephemeral", "--allow-host", "*", data_dir=False) as any_name:
            for host in [b + a for b, a in itertools.product(before, after)] + brackets:
                for each in (server, any_name):
                    with self.subTest(host=host, any=each is any_name), each.raw() as connection:
                        connection.sendall(f"GET /?Action=ListQueues HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                        # Some are no header at all, as HTTP has it.
                        self.assertIn(read_answer(connection)[0], (400, 403))
            for host in after:
                if not host.startswith("."):
                    self.assertEqual(self.status(server, {"Host": host}), 200)

    def test_pages_are_kept_out_beyond_loopback_too(self):
        with Server(self.directory, "--host", "0.0.0.0") as server:
            for protocol, (name, way) in itertools.product((over_http1, over_http2), ATTACKS.items()):
                with self.subTest(protocol=protocol.__name__, way=name):
                    self.assertEqual(protocol(server, "GET", "/?Action=ListQueues", headers_of(way, server), b"")[0], 403)

    def test_any_may_be_allowed_but_no_page_of_another_origin(self):
        with Server(self.directory, "--host", "0.0.0.0", "--allow-host", "*") as server:
            self.assert_statuses(server, {"any.example": 200, "penstock": 200})
            for name, way in ATTACKS.items():
                if "Host" in way:
                    continue
                with self.subTest(way=name):
                    self.assertEqual(self.status(server, headers_of(way, server)), 403)

    def test_what_is_no_name_is_refused_at_the_start(self):
        for name in ("", ".", "http://x", "a:80", "a b", "*.example", "**"):
            with self.subTest(name=name):
                status, _, err = self.run_to_end("serve", f"--allow-host={name}")
                self.assertEqual(status, 2)
                self.assertIn("--allow-host", err)


class RuntimeApi(InDirectory):
    def test_of_a_function_is_for_its_runtime_alone(self):
        pathlib.Path(self.directory, "app.py").write_text(
            "import os\ndef handler(event, context):\n    return os.environ['AWS_LAMBDA_RUNTIME_API']\n")
        with Server(self.directory) as server:
            settings = {"Kind": "handler", "Runtime": "python3.11", "Handler": "app.handler", "Directory": self.directory}
            status, _, text = over_http1(server, "PUT", "/_penstock/functions/f", {}, json.dumps(settings).encode())
            self.assertEqual(status, 200, text)
            invoke = ("POST", "/2015-03-31/functions/f/invocations", {}, b"{}")
            address = json.loads(over_http1(server, *invoke)[2])
            for name, way in {"a runtime": {}, **ATTACKS, "a neighbour": {"Host": "localhost"}}.items():
                for method, path in (("GET", "/2018-06-01/runtime/invocation/nothing"), ("POST", "/2018-06-01/runtime/init/error")):
                    if name == "a runtime" and method == "POST":
                        continue
                    with self.subTest(way=name, path=path):
                        host, port = address.split(":")
                        connection = http.client.HTTPConnection(host, int(port), timeout=LIMIT)
                        headers = {header: value.replace("{host}", address) for header, value in way.items()}
                        connection.request(method, path, None, {"Host": address, **headers})
                        self.assertEqual(connection.getresponse().status, 404 if name == "a runtime" else 403)
                        connection.close()
            self.assertEqual(json.loads(over_http1(server, *invoke)[2]), address, "the environment is as it was")


if __name__ == "__main__":
    harness.main()
