#!/usr/bin/env python3
"""HTTP/1.1 as clients that have no manners find it on the program's port, and what is kept from web pages. Runs the real
binary: test_http.py --penstock BIN [unittest arguments]."""

import concurrent.futures
import http.client
import json
import os
import re
import socket
import time

import harness
from harness import LIMIT, OneServer, ask, read_answer, request_bytes, wait_until


class Manners(OneServer):
    """Bad input gets the service's own error or a closed connection, and harms nobody else."""

    def setUp(self):
        super().setUp()
        self.url = self.server.create(re.sub(r"\W", "-", self.id().rsplit(".", 1)[1])[:80])

    def exchange(self, data, shut=False):
        with self.server.raw() as connection:
            try:
                connection.sendall(data)
                if shut:
                    connection.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass
            return read_answer(connection)

    def assert_alive(self):
        self.assertEqual(self.server.call("GetQueueAttributes", {"QueueUrl": self.url})[0], 200)

    def test_what_is_not_http_is_refused(self):
        for junk in (b"\x00\x01\x02\x03\r\n\r\n", b"HELO there\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                     b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
                     b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"):
            with self.subTest(junk=junk):
                answer = self.exchange(junk)
                self.assertTrue(answer is None or answer[0] == 400, answer)
        self.assert_alive()

    def test_oversize_headers_get_431(self):
        answer = self.exchange(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Big: " + b"x" * 100_000 + b"\r\n\r\n")
        self.assertEqual(answer[0], 431)
        self.assert_alive()

    def test_oversize_bodies_get_413(self):
        answer = self.exchange(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\nabc")
        self.assertEqual(answer[0], 413)
        endless = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        with self.server.raw() as connection:
            try:
                connection.sendall(endless)
                for _ in range(40):
                    connection.sendall(b"80000\r\n" + b"x" * 0x80000 + b"\r\n")
            except (BrokenPipeError, ConnectionResetError):
                pass
            answer = read_answer(connection)
        self.assertTrue(answer is None or answer[0] == 413, answer)
        self.assert_alive()

    def test_malformed_bodies_get_the_services_error(self):
        for body in (b"{", b"[]", b"nonsense", b"{\"QueueUrl\": 5}", b"\xff\xfe", b"[" * 100_000, b"{\"a\":" * 5_000):
            with self.subTest(body=body[:20]):
                head = ("POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.SendMessage\r\n"
                        f"Content-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n")
                status, headers, text = self.exchange(head.encode() + body)
                self.assertEqual(status, 400)
                self.assertIn("__type", json.loads(text))
                self.assertIn("x-amzn-RequestId", headers)
        self.assert_alive()

    def test_a_client_that_dawdles_keeps_nobody_waiting(self):
        with self.server.raw() as slow:
            for byte in b"POST / HTTP/1.1\r\nHo":
                slow.sendall(bytes([byte]))
                self.assert_alive()

    def test_pipelined_requests_are_answered_in_order(self):
        bodies = [f"m{i}" for i in range(5)]
        with self.server.raw() as connection:
            connection.sendall(b"".join(request_bytes("SendMessage", {"QueueUrl": self.url, "MessageBody": body})
                                        for body in bodies))
            stream = connection.makefile("rb")
            for _ in bodies:
                self.assertTrue(stream.readline().startswith(b"HTTP/1.1 200"))
                length = 0
                while (line := stream.readline()) != b"\r\n":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                self.assertIn(b"MessageId", stream.read(length))
            stream.close()
        _, body = self.server.call("ReceiveMessage", {"QueueUrl": self.url, "MaxNumberOfMessages": 10})
        self.assertEqual([message["Body"] for message in body["Messages"]], bodies)

    def test_expect_continue_is_answered(self):
        text = json.dumps({"QueueUrl": self.url, "MessageBody": "after the go-ahead"}).encode()
        with self.server.raw() as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.SendMessage\r\n"
                               b"Expect: 100-continue\r\nContent-Type: application/x-amz-json-1.0\r\n"
                               + f"Content-Length: {len(text)}\r\n\r\n".encode())
            self.assertEqual(connection.recv(1024), b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.sendall(text)
            self.assertEqual(read_answer(connection)[0], 200)

    def test_connection_close_and_http_1_0(self):
        for request in (b"GET /healthz HTTP/1.0\r\n\r\n", b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n"):
            with self.server.raw() as connection:
                connection.sendall(request)
                answer = b""
                while piece := connection.recv(4096):
                    answer += piece
            self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"))
            self.assertTrue(answer.endswith(b"ok\n"))

    def test_a_message_for_a_client_that_hung_up_goes_to_another(self):
        # The one that has gone waits longest, so it would get the message. Whether the server has noticed by the time
        # of the send, or finds nobody to hand the message to, is up to chance; what comes of it is not.
        for number in range(60):
            gone = self.server.raw()
            gone.sendall(request_bytes("ReceiveMessage", {"QueueUrl": self.url, "WaitTimeSeconds": 20,
                                                          "VisibilityTimeout": 600}))
            time.sleep(0.002)
            gone.close()
            self.server.call("SendMessage", {"QueueUrl": self.url, "MessageBody": str(number)})
            _, body = self.server.call("ReceiveMessage", {"QueueUrl": self.url, "WaitTimeSeconds": 5,
                                                          "VisibilityTimeout": 600,
                                                          "AttributeNames": ["ApproximateReceiveCount"]})
            (message,) = body["Messages"]
            self.assertEqual(message["Body"], str(number))
            self.assertEqual(message["Attributes"]["ApproximateReceiveCount"], "1")

    def test_a_client_that_hangs_up_behind_a_pipelined_request_takes_no_message_with_it(self):
        gone = self.server.raw()
        gone.sendall(request_bytes("ReceiveMessage", {"QueueUrl": self.url, "WaitTimeSeconds": 20,
                                                      "VisibilityTimeout": 600}))
        time.sleep(0.05)
        gone.sendall(request_bytes("ListQueues", {}))
        time.sleep(0.05)
        gone.close()
        self.server.call("SendMessage", {"QueueUrl": self.url, "MessageBody": "once"})
        _, body = self.server.call("ReceiveMessage", {"QueueUrl": self.url, "WaitTimeSeconds": 5})
        self.assertEqual(body["Messages"][0]["Body"], "once")

    def test_closing_one_side_of_a_long_poll_closes_the_connection(self):
        with self.server.raw() as connection:
            connection.sendall(request_bytes("ReceiveMessage", {"QueueUrl": self.url, "WaitTimeSeconds": 20}))
            time.sleep(0.05)
            connection.shutdown(socket.SHUT_WR)
            self.assertEqual(connection.recv(1024), b"")
        self.assert_alive()

    def test_connections_that_move_between_threads_lose_no_request(self):
        # Each is alone with its queue for a while, so it moves to that queue's thread; then all are busy together.
        queues = [self.server.create(f"moving-{number}") for number in range(8)]
        connections = [http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=LIMIT) for _ in queues]

        def send(connection, queue, count):
            for number in range(count):
                status, _ = ask(connection, "SendMessage", {"QueueUrl": queue, "MessageBody": str(number)})
                self.assertEqual(status, 200)

        for connection, queue in zip(connections, queues):
            send(connection, queue, 10)
        with concurrent.futures.ThreadPoolExecutor(len(queues)) as pool:
            list(pool.map(send, connections, queues, [50] * len(queues)))
        for connection, queue in zip(connections, queues):
            _, body = ask(connection, "GetQueueAttributes",
                          {"QueueUrl": queue, "AttributeNames": ["ApproximateNumberOfMessages"]})
            self.assertEqual(body["Attributes"]["ApproximateNumberOfMessages"], "60")
            connection.close()

    def test_many_parked_polls_cost_no_thread_and_block_nobody(self):
        parked = []
        for _ in range(200):
            connection = self.server.raw()
            connection.sendall(request_bytes("ReceiveMessage", {"QueueUrl": self.url, "WaitTimeSeconds": 20}))
            parked.append(connection)
        threads = len(os.listdir(f"/proc/{self.server.process.pid}/task"))
        self.assertLess(threads, 16)
        self.assert_alive()
        for connection in parked:
            connection.close()
        self.assert_alive()

    def test_web_pages_are_kept_out(self):
        cases = [
            ({"Host": "evil.example.com"}, 403),
            ({"Host": "127.0.0.1.evil.example.com:80"}, 403),
            ({"Origin": "http://evil.example.com"}, 403),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Sec-Fetch-Site": "same-site"}, 403),
            ({"Host": "penstock:4566"}, 200),
            ({"Host": "localhost"}, 200),
            ({"Host": "[::1]:4566"}, 200),
            ({"Host": "sqs.us-east-1.amazonaws.com"}, 200),
            ({"Host": "localhost.localstack.cloud:4566"}, 200),
            ({"Host": "notlocalhost.localstack.cloud"}, 403),
            ({"Host": "localhost:1", "Origin": "http://localhost:1", "Sec-Fetch-Site": "same-origin"}, 200),
        ]
        for headers, expected in cases:
            with self.subTest(headers=headers):
                status = self.server_status(headers)
                self.assertEqual(status, expected)

    def test_web_pages_may_not_touch_consumers(self):
        consumers = self.create_consumer("guarded", "billing")
        poll = json.dumps({"Member": "page"})
        position = json.dumps({"Type": "TRIM_HORIZON"})
        page = {"Origin": "http://evil.example.com"}
        form = "application/x-www-form-urlencoded"
        cases = [
            ("POST", "/billing/poll", poll, {**page, "Content-Type": "text/plain"}),
            ("POST", "/billing/poll", poll, {**page, "Content-Type": form}),
            ("POST", "/billing/poll", poll, {"Origin": "null", "Content-Type": form}),
            ("POST", "/billing/poll", poll, {"Sec-Fetch-Site": "cross-site", "Content-Type": form}),
            ("POST", "/billing/poll", poll, {"Sec-Fetch-Site": "same-site"}),
            ("POST", "/billing/reset", position, page),
            ("PUT", "/page", "{}", page),
            ("DELETE", "/billing", None, page),
            ("DELETE", "/billing", None, {"Host": "evil.example.com"}),
            ("OPTIONS", "/billing", None, {**page, "Access-Control-Request-Method": "DELETE"}),
            ("GET", "", None, {"Sec-Fetch-Site": "cross-site"}),
            ("GET", "/billing", None, {"Sec-Fetch-Site": "cross-site"}),
            ("GET", "/billing/lag", None, {"Host": "evil.example.com"}),
        ]
        for method, path, body, headers in cases:
            with self.subTest(method=method, path=path, headers=headers):
                status, sent, _ = self.request(method, consumers + path, body, headers)
                self.assertEqual(status, 403)
                self.assertFalse([name for name in sent if name.lower().startswith("access-control-")])
        self.assertEqual(self.request("GET", "/_penstock/openapi.json", None, {"Sec-Fetch-Site": "cross-site"})[0], 403)
        listed = json.loads(self.request("GET", consumers)[2])["Consumers"]
        self.assertEqual([consumer["ConsumerName"] for consumer in listed], ["billing"])
        self.assertEqual(json.loads(self.request("GET", consumers + "/billing")[2])["Members"], [])

    def test_a_deleted_consumer_is_answered_without_content(self):
        consumers = self.create_consumer("deleted", "billing")
        with self.server.raw() as connection:
            connection.sendall(f"DELETE {consumers}/billing HTTP/1.1\r\nHost: localhost\r\n\r\n"
                               f"GET {consumers} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            both = b""
            while b"HasMoreConsumers" not in both:
                more = connection.recv(4096)
                self.assertTrue(more, both)
                both += more
        first, _, second = both.partition(b"\r\n\r\n")
        self.assertTrue(first.startswith(b"HTTP/1.1 204 No Content\r\n"), first)
        self.assertNotIn(b"content-", first.lower())
        self.assertTrue(second.startswith(b"HTTP/1.1 200 OK\r\n"), second)

    def create_consumer(self, stream, consumer):
        """Of a new stream; the path of that stream's consumers."""
        kinesis = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202.CreateStream"}
        status, answer = self.server.call("CreateStream", {"StreamName": stream, "ShardCount": 1}, kinesis)
        self.assertEqual(status, 200, answer)
        consumers = f"/_penstock/streams/{stream}/consumers"
        wait_until(lambda: self.request("PUT", f"{consumers}/{consumer}", "{}")[0] == 201)
        return consumers

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=LIMIT)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def server_status(self, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=LIMIT)
        connection.request("GET", "/?Action=ListQueues", headers=headers)
        status = connection.getresponse().status
        connection.close()
        return status

    def test_probes(self):
        for path in ("/healthz", "/readyz"):
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=LIMIT)
            connection.request("GET", path)
            self.assertEqual(connection.getresponse().status, 200)
            connection.close()


if __name__ == "__main__":
    harness.main()
