#!/usr/bin/env python3
"""Who may ask: the token by which functions are registered over a network, and requests that have to be signed. Runs
the real binary: test_access.py --penstock BIN [unittest arguments]."""

import base64
import datetime
import http.client
import io
import json
import os
import pathlib
import stat
import subprocess
import zipfile

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.utils
import cbor2

import harness
from harness import LIMIT, InDirectory, Server, wait_until

SETTINGS = {"Kind": "exec", "Command": ["true"]}
KEYS = {"AKIDEXAMPLE": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "111111111111": "secret-of-an-account"}
JSON_SQS = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.ListQueues"}
JSON_KINESIS = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202.ListStreams"}


def request(server, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)
    try:
        connection.request(method, path, json.dumps(body) if isinstance(body, dict) else body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def lambda_creation(name, noise=b""):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return 1\n")
        archive.writestr("noise", noise)
    return {"FunctionName": name, "Runtime": "python3.11", "Handler": "app.handler",
            "Role": "arn:aws:iam::000000000000:role/any", "Code": {"ZipFile": base64.b64encode(packed.getvalue()).decode()}}


class Tokens(InDirectory):
    def token(self):
        return pathlib.Path(self.directory, "data", "token")

    def beyond(self, *flags, **more):
        """A server that whoever can reach this machine reaches."""
        return Server(self.directory, "--host", "0.0.0.0", *flags, **more)

    def test_one_is_made_for_its_owner_alone_and_kept(self):
        with Server(self.directory) as server:
            made = self.token().read_text()
            self.assertRegex(made, r"^[0-9a-f]{64}\n$")
            self.assertEqual(stat.S_IMODE(self.token().stat().st_mode), 0o600)
            _, log = server.stop()
            self.assertNotIn(made.strip(), log)
        with Server(self.directory):
            self.assertEqual(self.token().read_text(), made)
        self.assertEqual([name for name in os.listdir(self.token().parent) if name.endswith(".tmp")], [])

    def test_it_is_for_its_owner_whatever_the_umask_is(self):
        for mask in (0, 0o277):
            path = pathlib.Path(self.directory, f"token-{mask}")
            before = os.umask(mask)
            try:
                with Server(self.directory, "--ephemeral", "--token-file", str(path), data_dir=False):
                    self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
            finally:
                os.umask(before)

    def test_each_directory_has_another(self):
        made = set()
        for name in ("a", "b"):
            with Server(self.directory, "--data-dir", f"{self.directory}/{name}", data_dir=False):
                made.add(pathlib.Path(self.directory, name, "token").read_text())
        self.assertEqual(len(made), 2)

    def test_functions_are_registered_over_a_network_with_it_alone(self):
        large = lambda_creation("large", os.urandom(3_000_000))
        with self.beyond() as server:
            token = self.token().read_text().strip()
            registrations = [("PUT", "/_penstock/functions/f", SETTINGS, 200), ("POST", "/2015-03-31/functions", lambda_creation("g"), 201),
                             ("PUT", "/2015-03-31/functions/g/configuration", {"Timeout": 9}, 200),
                             ("PUT", "/2015-03-31/functions/g/code", {"ZipFile": lambda_creation("g", b"1")["Code"]["ZipFile"]}, 200),
                             ("POST", "/2015-03-31/functions", large, 201)]
            for method, path, body, wanted in registrations:
                for headers in ({}, {"X-Penstock-Token": ""}, {"X-Penstock-Token": token[:-1]}, {"X-Penstock-Token": token + "0"},
                                {"X-Penstock-Token": token.upper()}, {"Authorization": token}, {"Authorization": f"Basic {token}"},
                                {"Authorization": "Bearer "}):
                    with self.subTest(path=path, headers=headers):
                        status, answered, text = request(server, method, path, body, headers)
                        self.assertEqual(status, 401, text)
                        self.assertEqual(answered["WWW-Authenticate"], 'Bearer realm="penstock"')
                        self.assertIn(str(self.token()).encode(), text)
                        self.assertNotIn(token.encode(), text)
                for headers in ({"X-Penstock-Token": token}, {"Authorization": f"Bearer {token}"}):
                    if method == "POST" and headers.get("Authorization"):
                        continue
                    with self.subTest(path=path, headers=list(headers)):
                        status, _, text = request(server, method, path, body, headers)
                        self.assertEqual(status, wanted, text)
            # What runs no program of theirs is for all.
            self.assertEqual(request(server, "GET", "/_penstock/functions")[0], 200)
            self.assertEqual(request(server, "POST", "/", {}, JSON_SQS)[0], 200)

    def test_backups_and_imports_over_a_network_take_it_too(self):
        with self.beyond() as server:
            token = self.token().read_text().strip()
            backup = {"directory": f"{self.directory}/backup"}
            lines = request(server, "GET", "/_penstock/export")[2]
            for headers, wanted in (({}, 401), ({"X-Penstock-Token": token[:-1]}, 401), ({"X-Penstock-Token": token}, 200)):
                for path, body in (("/_penstock/backup", backup), ("/_penstock/import", lines)):
                    with self.subTest(path=path, headers=list(headers)):
                        status, answered, text = request(server, "POST", path, body, headers)
                        self.assertEqual(status, wanted, text)
                        self.assertEqual(str(self.token()).encode() in text, wanted == 401)
                        self.assertEqual("WWW-Authenticate" in answered, wanted == 401)
                self.assertEqual(os.path.exists(backup["directory"]), wanted == 200)
        with self.beyond("--ephemeral", data_dir=False) as server:
            for path, body in (("/_penstock/backup", backup), ("/_penstock/import", lines)):
                status, _, text = request(server, "POST", path, body)
                self.assertEqual(status, 403, text)
                self.assertIn(b"--token-file", text)

    def test_what_all_may_do_thing_by_thing_all_may_do_at_once(self):
        """Whoever can delete each queue, and receive what is in it, needs no token for all of them."""
        with self.beyond("--ephemeral", data_dir=False) as server:
            self.assertEqual(request(server, "POST", "/", {"QueueName": "jobs"}, {
                **JSON_SQS, "X-Amz-Target": "AmazonSQS.CreateQueue"})[0], 200)
            status, _, lines = request(server, "GET", "/_penstock/export?data=true")
            self.assertEqual(status, 200)
            self.assertIn(b"jobs", lines)
            status, _, answer = request(server, "POST", "/_penstock/reset", {})
            self.assertEqual((status, json.loads(answer)["queues"]), (200, 1))

    def test_on_loopback_it_is_not_asked_for(self):
        with Server(self.directory) as server:
            self.assertEqual(request(server, "PUT", "/_penstock/functions/f", SETTINGS)[0], 200)

    def test_ephemeral_servers_have_one_only_where_it_is_asked_for(self):
        with self.beyond("--ephemeral", data_dir=False) as server:
            status, _, text = request(server, "PUT", "/_penstock/functions/f", SETTINGS)
            self.assertEqual(status, 403, text)
            self.assertIn(b"--token-file", text)
        self.assertEqual(os.listdir(self.directory), ["ready"])
        path = pathlib.Path(self.directory, "my-token")
        with self.beyond("--ephemeral", "--token-file", str(path), data_dir=False) as server:
            headers = {"X-Penstock-Token": path.read_text().strip()}
            self.assertEqual(request(server, "PUT", "/_penstock/functions/f", SETTINGS, headers)[0], 200)

    def test_whoever_has_a_token_already_may_bring_it(self):
        path = pathlib.Path(self.directory, "mine")
        path.write_text("a-token-of-my-own")
        path.chmod(0o400)
        with self.beyond("--token-file", str(path)) as server:
            headers = {"X-Penstock-Token": "a-token-of-my-own"}
            self.assertEqual(request(server, "PUT", "/_penstock/functions/f", SETTINGS, headers)[0], 200)
            self.assertFalse(self.token().exists())

    def test_a_file_that_keeps_no_secret_is_an_error(self):
        path = pathlib.Path(self.directory, "token")

        def refused(says):
            status, out, err = self.run_to_end("serve", "--port", "0", "--ephemeral", "--token-file", str(path), "--log-level", "off")
            self.assertEqual((status, out, err.count("\n")), (1, "", 1), err)
            self.assertIn(str(path), err)
            self.assertIn(says, err)
            self.assertNotIn("secret-word", err)

        for mode in (0o644, 0o640, 0o604, 0o660, 0o606, 0o610):
            with self.subTest(mode=oct(mode)):
                path.write_text("secret-word-of-some-length")
                path.chmod(mode)
                refused(f"has mode 0{mode:o}")
        path.chmod(0o600)
        for text in ("", "\n", "short", "secret-word with spaces in it", "secret-word-of\ntwo-lines-of-text", "x" * 600):
            with self.subTest(text=text):
                path.write_text(text)
                refused("holds no token")
        path.unlink()
        path.mkdir()
        refused("is no regular file")
        path.rmdir()
        path = path / "below" / "nothing"
        refused("cannot be")

    def test_commands_bring_it(self):
        pathlib.Path(self.directory, "penstock.yaml").write_text("functions:\n  applied: {Kind: exec, Command: ['true']}\n")
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("PENSTOCK_", "XDG_"))}
        with self.beyond() as server:
            token = self.token().read_text().strip()
            home = {**plain, "HOME": self.directory, "PENSTOCK_ENDPOINT": f"http://127.0.0.1:{server.port}"}
            add = ("function", "add", "f", "--exec", "--", "true")
            apply = ("config", "apply", f"{self.directory}/penstock.yaml")
            for command in (add, apply):
                with self.subTest(command=command, token="none"):
                    status, _, err = self.run_to_end(*command, environment=home)
                    self.assertEqual(status, 1)
                    self.assertIn(str(self.token()), err)
                    self.assertNotIn(token, err)
                flagged = (*command[:2], "--token-file", str(self.token()), *command[2:])
                with self.subTest(command=command, token="flag"):
                    self.assertEqual(self.run_to_end(*flagged, environment=home)[0], 0)
                with self.subTest(command=command, token="variable"):
                    self.assertEqual(self.run_to_end(*command, environment={**home, "PENSTOCK_TOKEN": token})[0], 0)
                # Where a server puts it that nobody told anything.
                place = pathlib.Path(self.directory, "xdg", "penstock")
                place.mkdir(parents=True, exist_ok=True)
                (place / "token").write_text(token + "\n")
                default = {**home, "XDG_DATA_HOME": f"{self.directory}/xdg"}
                with self.subTest(command=command, token="default"):
                    self.assertEqual(self.run_to_end(*command, environment=default)[0], 0)
                (place / "token").unlink()
            status, _, err = self.run_to_end("lag", "s", "--token-file", "/nothing/there", environment=home)
            self.assertEqual(status, 2)
            self.assertIn("--token-file", err)

    def test_what_a_file_says_needs_none(self):
        config = pathlib.Path(self.directory, "penstock.yaml")
        config.write_text("functions:\n  f: {Kind: exec, Command: ['true']}\n")
        with self.beyond("--config", str(config)) as server:
            self.assertEqual(request(server, "GET", "/_penstock/functions/f")[0], 200)


class Signed:
    """Requests as botocore signs them."""

    def __init__(self, server, key="AKIDEXAMPLE", secret=None):
        self.server = server
        self.credentials = botocore.credentials.Credentials(key, secret or KEYS.get(key, "nothing"))

    def request(self, method, path, body=b"", headers=None, service="sqs", at=None, tamper=None, auth=botocore.auth.SigV4Auth, **more):
        body = json.dumps(body).encode() if isinstance(body, dict) else body
        host = f"127.0.0.1:{self.server.port}"
        asked = botocore.awsrequest.AWSRequest(method, f"http://{host}{path}", headers={"Host": host, **(headers or {})}, data=body)
        signer = auth(self.credentials, service, "us-east-1", **more)
        with Moment(at):
            signer.add_auth(asked)
        ready = asked.prepare()
        target = ready.url.split(host, 1)[1]
        sent = {"method": method, "path": target, "headers": dict(ready.headers), "body": body}
        if tamper:
            tamper(sent)
        status, answered, text = request(self.server, sent["method"], sent["path"], sent["body"] or None, sent["headers"])
        return status, answered, text


class Moment:
    """botocore's clock at another time."""

    def __init__(self, at):
        self.at = at

    def __enter__(self):
        self.real = botocore.auth.datetime
        if self.at is None:
            return
        at = self.at

        class Fixed(datetime.datetime):
            @classmethod
            def utcnow(cls):
                return at

        class Module:
            datetime = Fixed

            def __getattr__(self, name):
                return getattr(datetime, name)

        botocore.auth.datetime = Module()

    def __exit__(self, *_):
        botocore.auth.datetime = self.real


class Signatures(InDirectory):
    def setUp(self):
        super().setUp()
        self.config = pathlib.Path(self.directory, "strict.yaml")
        pairs = "".join(f"  '{key}': '{secret}'\n" for key, secret in KEYS.items())
        self.config.write_text(f"settings:\n  auth: strict\ncredentials:\n{pairs}queues:\n  jobs:\n")

    def strict(self, *flags, **more):
        return Server(self.directory, "--config", str(self.config), *flags, **more)

    def test_each_protocol_is_let_in_by_one_and_not_without(self):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        cases = [
            ("POST", "/", b"{}", JSON_SQS, "sqs", 403, "MissingAuthenticationTokenException"),
            ("POST", "/", b"Action=ListQueues", form, "sqs", 403, "<Code>MissingAuthenticationToken</Code>"),
            ("POST", "/000000000000/jobs", b"Action=SendMessage&MessageBody=a+b%2Bc", form, "sqs", 403, "MissingAuthenticationToken"),
            ("GET", "/000000000000/jobs?Action=GetQueueAttributes&AttributeName.1=All&Version=2012-11-05", b"", {}, "sqs", 403,
             "MissingAuthenticationToken"),
            ("GET", "/_aws/sqs/messages?QueueUrl=http%3A%2F%2Flocalhost%2F000000000000%2Fjobs", b"", {}, "sqs", 403,
             "MissingAuthenticationToken"),
            ("POST", "/", b"{}", JSON_KINESIS, "kinesis", 400, '"MissingAuthenticationTokenException"'),
            ("POST", "/@consumer/billing/", b"{}", JSON_KINESIS, "kinesis", 400, '"MissingAuthenticationTokenException"'),
            ("POST", "/", cbor2.dumps({}), {**JSON_KINESIS, "Content-Type": "application/x-amz-cbor-1.1"}, "kinesis", 400,
             "MissingAuthenticationTokenException"),
            ("GET", "/2015-03-31/functions/?MaxItems=10&FunctionVersion=ALL", b"", {}, "lambda", 403, "Missing Authentication Token"),
            ("GET", "/_penstock/functions", b"", {}, "any", 401, "MissingAuthenticationToken"),
            ("GET", "/_penstock/clock", b"", {}, "any", 401, "MissingAuthenticationToken"),
            ("GET", "/_penstock/openapi.json", b"", {}, "any", 401, "MissingAuthenticationToken"),
        ]
        with self.strict() as server:
            for method, path, body, headers, service, unsigned, says in cases:
                with self.subTest(route=f"{method} {path}", wire=headers.get("Content-Type")):
                    status, _, text = request(server, method, path, body or None, headers)
                    self.assertEqual(status, unsigned, text)
                    self.assertIn(says.encode(), text)
                    status, _, text = Signed(server).request(method, path, body, headers, service)
                    self.assertEqual(status, 200, text)
                    status, _, text = Signed(server, secret="another").request(method, path, body, headers, service)
                    self.assertEqual(status, 400 if service == "kinesis" else 403, text)
            for probe in ("/healthz", "/readyz", "/readyz?verbose"):
                self.assertEqual(request(server, "GET", probe)[0], 200)
            # Nobody is let in by what only looks like a probe.
            self.assertNotIn(b"Queue", request(server, "GET", "/_localstack/health?Action=ListQueues")[2])
            for path in ("/healthz/", "//healthz", "/healthz/..?Action=ListQueues"):
                with self.subTest(path=path):
                    self.assertNotEqual(request(server, "GET", path)[0], 200)

    def test_an_operators_pages_refuse_as_an_operator_reads_it(self):
        routes = [("GET", "/metrics"), ("GET", "/metrics/per-object"), ("GET", "/metrics/of-nothing"), ("GET", "/metrics?Action=ListQueues"),
                  ("GET", "/_penstock/penstock.schema.json"), ("GET", "/_penstock/export"), ("POST", "/_penstock/import"),
                  ("POST", "/_penstock/backup"), ("GET", "/_penstock/functions/f/code"), ("GET", "/_penstock"), ("GET", "/_penstock/nothing"),
                  ("GET", "/_localstack/chaos/faults"), ("DELETE", "/_localstack/chaos/faults"), ("GET", "/_localstack/nothing"),
                  ("GET", "/@consumer/billing/_penstock/clock")]
        with self.strict("--allow-faults") as server:
            token = pathlib.Path(self.directory, "data", "token").read_text().strip()
            for method, path in routes:
                with self.subTest(method=method, path=path):
                    status, answered, text = request(server, method, path)
                    self.assertEqual((status, json.loads(text)["Error"]), (401, "MissingAuthenticationToken"), text)
                    self.assertEqual(answered["Content-Type"], "application/json")
                    self.assertEqual(answered["WWW-Authenticate"], 'Bearer realm="penstock"')
                    self.assertIn(str(pathlib.Path(self.directory, "data", "token")), json.loads(text)["Message"])
                    status, answered, text = Signed(server, secret="another").request(method, path)
                    self.assertEqual((status, json.loads(text)["Error"]), (403, "SignatureDoesNotMatch"), text)
                    self.assertEqual(answered["Content-Type"], "application/json")
            for path, kind in (("/metrics", "text/plain"), ("/metrics/per-object", "text/plain"), ("/_localstack/chaos/faults", "application/json")):
                with self.subTest(path=path):
                    status, answered, _ = request(server, "GET", path, None, {"Authorization": f"Bearer {token}"})
                    self.assertEqual((status, answered["Content-Type"].split(";")[0]), (200, kind))
                    self.assertEqual(Signed(server).request("GET", path, service="any")[0], 200)
            self.assertEqual(request(server, "GET", "/_localstack/health")[0], 200)

    def test_errors_are_the_services(self):
        now = datetime.datetime.utcnow()
        other_target = lambda sent: sent["headers"].update({"X-Amz-Target": "AmazonSQS.DeleteQueue"})
        other_body = lambda sent: sent.update(body=sent["body"].replace(b"jobs", b"jobz"))
        without_date = lambda sent: sent["headers"].pop("X-Amz-Date")
        minutes = lambda count: now + datetime.timedelta(minutes=count)
        cases = [
            (dict(key="AKIDNOBODY"), {}, 403, "UnrecognizedClientException", "InvalidClientTokenId", "security token included"),
            (dict(secret="wrong"), {}, 403, "InvalidSignatureException", "SignatureDoesNotMatch", "The Canonical String"),
            ({}, dict(tamper=other_body), 403, "InvalidSignatureException", "SignatureDoesNotMatch", "we calculated does not match"),
            ({}, dict(tamper=other_target), 403, "InvalidSignatureException", "SignatureDoesNotMatch", "we calculated does not match"),
            ({}, dict(tamper=without_date), 400, "IncompleteSignatureException", "IncompleteSignature", "requires existence of either"),
            ({}, dict(at=minutes(-6)), 403, "InvalidSignatureException", "SignatureDoesNotMatch", "Signature expired: "),
            ({}, dict(at=minutes(6)), 403, "InvalidSignatureException", "SignatureDoesNotMatch", "Signature not yet current: "),
            ({}, dict(service="kinesis"), 403, "InvalidSignatureException", "SignatureDoesNotMatch", "scoped to correct service: 'sqs'. "),
        ]
        with self.strict() as server:
            for who, what, status, kind, code, says in cases:
                with self.subTest(who=who, what=list(what)):
                    headers = {**JSON_SQS, "X-Amz-Target": "AmazonSQS.GetQueueUrl"}
                    got, answered, text = Signed(server, **who).request("POST", "/", {"QueueName": "jobs"}, headers, **what)
                    self.assertEqual(got, status, text)
                    error = json.loads(text)
                    self.assertEqual(error["__type"], "com.amazon.coral.service#" + kind)
                    self.assertIn(says, error["message"])
                    self.assertEqual(answered["x-amzn-query-error"], code + ";Sender")
                    self.assertTrue(answered["x-amzn-RequestId"])
            for minutes_off in (-4, 4):
                self.assertEqual(Signed(server).request("POST", "/", b"{}", JSON_SQS, at=minutes(minutes_off))[0], 200)

    def test_urls_may_be_signed(self):
        with self.strict() as server:
            def ask(tamper=None, expires=60, at=None):
                return Signed(server).request("GET", "/000000000000/jobs?Action=SendMessage&MessageBody=a%20b%2Bc&Version=2012-11-05",
                                              auth=botocore.auth.SigV4QueryAuth, expires=expires, tamper=tamper, at=at)[0]
            ago = datetime.datetime.utcnow() - datetime.timedelta(minutes=30)
            self.assertEqual(ask(), 200)
            self.assertEqual(ask(expires=3600, at=ago), 200)
            self.assertEqual(ask(expires=60, at=ago), 403)
            self.assertEqual(ask(lambda sent: sent.update(path=sent["path"].replace("a%20b", "x"))), 403)
            self.assertEqual(ask(lambda sent: sent.update(path=sent["path"].replace("Expires=60", "Expires=600"))), 403)
            self.assertEqual(ask(lambda sent: sent.update(path=sent["path"] + "&MessageBody=other")), 403)

    def test_the_account_is_that_of_the_key(self):
        with self.strict() as server:
            status, _, text = Signed(server, "111111111111").request("POST", "/", {"QueueName": "q"}, {
                **JSON_SQS, "X-Amz-Target": "AmazonSQS.CreateQueue"})
            self.assertEqual(status, 200, text)
            self.assertIn("/111111111111/q", json.loads(text)["QueueUrl"])

    def test_the_server_asks_itself_without_one(self):
        with self.strict() as server:
            signed = Signed(server)
            lines = signed.request("GET", "/_penstock/export?data=true")[2]
            self.assertIn(b"jobs", lines)
            delete = {**JSON_SQS, "X-Amz-Target": "AmazonSQS.DeleteQueue"}
            self.assertEqual(signed.request("POST", "/", {"QueueUrl": "http://localhost/000000000000/jobs"}, delete)[0], 200)
            self.assertEqual(signed.request("POST", "/_penstock/import", lines)[0], 200)
            self.assertIn(b"/jobs", signed.request("POST", "/", b"{}", JSON_SQS)[2])
            self.assertEqual(signed.request("POST", "/_penstock/reset", {"setup": True})[0], 200)
            self.assertIn(b"/jobs", signed.request("POST", "/", b"{}", JSON_SQS)[2], "what the file asks for is there again")
            for path in ("/_penstock/export", "/_penstock/import", "/_penstock/reset", "/_penstock/backup"):
                for method in ("GET", "POST"):
                    self.assertIn(request(server, method, path)[0], (401, 404, 405), f"{method} {path}")

    def test_the_token_does_too(self):
        with self.strict() as server:
            token = pathlib.Path(self.directory, "data", "token").read_text().strip()
            for path in ("/_penstock/functions", "/?Action=ListQueues", "/2015-03-31/functions"):
                for headers in ({"X-Penstock-Token": token}, {"Authorization": f"Bearer {token}"}):
                    self.assertEqual(request(server, "GET", path, None, headers)[0], 200)
                self.assertIn(request(server, "GET", path, None, {"X-Penstock-Token": token[:-1]})[0], (401, 403))
            environment = {**os.environ, "PENSTOCK_ENDPOINT": f"http://127.0.0.1:{server.port}"}
            environment.pop("PENSTOCK_TOKEN", None)
            environment["XDG_DATA_HOME"] = self.directory
            status, _, err = self.run_to_end("function", "list", environment=environment)
            self.assertEqual(status, 1)
            self.assertIn("MissingAuthenticationToken", err)
            for arguments in (("function", "list"), ("mapping", "list"), ("config", "plan", str(self.config))):
                with self.subTest(arguments=arguments):
                    status, _, err = self.run_to_end(*arguments, environment={**environment, "PENSTOCK_TOKEN": token})
                    self.assertEqual(status, 0, err)

    def test_functions_are_given_a_key_that_is_let_in(self):
        pathlib.Path(self.directory, "app.py").write_text(
            "import boto3, os\n"
            "def handler(event, context):\n"
            "    sqs = boto3.client('sqs', endpoint_url=os.environ['AWS_ENDPOINT_URL'])\n"
            "    return [sqs.list_queues().get('QueueUrls', []), os.environ['AWS_ACCESS_KEY_ID'], os.environ['AWS_SECRET_ACCESS_KEY']]\n")
        settings = {"Kind": "handler", "Runtime": "python3.11", "Handler": "app.handler", "Directory": self.directory, "Timeout": 20}
        with self.strict() as server:
            for key, account in (("AKIDEXAMPLE", "000000000000"), ("111111111111", "111111111111")):
                with self.subTest(key=key):
                    signed = Signed(server, key)
                    status, _, text = signed.request("PUT", "/_penstock/functions/f", settings, service="penstock")
                    self.assertEqual(status, 200, text)
                    status, _, text = signed.request("POST", "/2015-03-31/functions/f/invocations", {}, service="lambda")
                    self.assertEqual(status, 200, text)
                    queues, access_key, secret = json.loads(text)
                    self.assertEqual(access_key, account)
                    self.assertEqual([url.rsplit("/", 1)[1] for url in queues], ["jobs"] if account == "000000000000" else [])
                    self.assertEqual(secret == KEYS.get(account), account in KEYS)

    def test_a_large_body_is_summed_too(self):
        with self.strict() as server:
            creation = json.dumps(lambda_creation("large", os.urandom(3_000_000))).encode()
            spoil = lambda sent: sent.update(body=sent["body"].replace(b'"large"', b'"LARGE"'))
            headers = {"Content-Type": "application/json"}
            path = "/2015-03-31/functions"
            self.assertEqual(request(server, "POST", path, creation, headers)[0], 403)
            self.assertEqual(Signed(server).request("POST", path, creation, headers, "lambda", tamper=spoil)[0], 403)
            status, _, text = Signed(server).request("POST", path, creation, headers, "lambda")
            self.assertEqual(status, 201, text)

    def test_a_key_alone_registers_no_function_over_a_network(self):
        with self.strict("--host", "0.0.0.0") as server:
            status, _, text = Signed(server).request("PUT", "/_penstock/functions/f", SETTINGS, service="penstock")
            self.assertEqual(status, 401, text)
            token = pathlib.Path(self.directory, "data", "token").read_text().strip()
            status, _, text = Signed(server).request("PUT", "/_penstock/functions/f", SETTINGS, {"X-Penstock-Token": token}, "penstock")
            self.assertEqual(status, 200, text)
        with self.strict("--host", "0.0.0.0", "--allow-remote-functions") as server:
            self.assertEqual(request(server, "PUT", "/_penstock/functions/f", SETTINGS)[0], 401)
            status, _, text = Signed(server).request("PUT", "/_penstock/functions/f", SETTINGS, service="penstock")
            self.assertEqual(status, 200, text)

    def test_keys_may_come_from_the_clis_file(self):
        path = pathlib.Path(self.directory, "credentials")
        path.write_text("# of this project\n[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = of/the+file==\n\n"
                        "[profile other]\nregion = eu-west-1\n[third]\nAWS_ACCESS_KEY_ID=AKIDTHIRD\naws_secret_access_key=third\n")
        with Server(self.directory, "--auth", "strict", "--credentials-file", str(path)) as server:
            for key, secret, wanted in (("AKIDFILE", "of/the+file==", 200), ("AKIDTHIRD", "third", 200), ("AKIDFILE", "third", 403),
                                        ("AKIDEXAMPLE", KEYS["AKIDEXAMPLE"], 403)):
                with self.subTest(key=key):
                    self.assertEqual(Signed(server, key, secret).request("POST", "/", b"{}", JSON_SQS)[0], wanted)

    def test_what_is_wrong_with_keys_is_said_at_the_start(self):
        path = pathlib.Path(self.directory, "credentials")
        for text, says in (("[a]\naws_access_key_id = X\n", "credentials:1:1: the profile 'a' has no aws_secret_access_key"),
                           ("[a]\naws_access_key_id = a/b\naws_secret_access_key = secret-word\n", "'a/b' is no access key"),
                           ("[a]\naws_access_key_id=K\naws_secret_access_key=secret-word\n[b]\naws_access_key_id=K\n"
                            "aws_secret_access_key=x\n", "credentials:4:1: 'K' has another secret above"),
                           ("", "there are none")):
            with self.subTest(text=text):
                path.write_text(text)
                status, _, err = self.run_to_end("serve", "--port", "0", "--ephemeral", "--auth", "strict", "--credentials-file", str(path))
                self.assertEqual(status, 1, err)
                self.assertIn(says, err)
                self.assertNotIn("secret-word", err)
        path.unlink()
        for arguments, wanted in ((("--auth", "strict"), 1), (("--auth", "strict", "--credentials-file", str(path)), 1),
                                  (("--auth", "loose"), 2)):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.run_to_end("serve", "--port", "0", "--ephemeral", *arguments)[0], wanted)
        self.config.write_text("credentials:\n  AKID: 123\n  'a b': secret-word\n  B: ''\n")
        status, _, err = self.run_to_end("config", "check", str(self.config))
        self.assertEqual(status, 1)
        for place in ("strict.yaml:2:9: the secret of 'AKID' has to be a text, in quotes", "strict.yaml:3:3: 'a b' is no access key",
                      "strict.yaml:4:3: the secret of 'B' has to be a text of 1 to"):
            self.assertIn(place, err)
        self.assertNotIn("secret-word", err)

    def test_relaxed_takes_any(self):
        with self.strict("--auth", "relaxed") as server:
            self.assertEqual(request(server, "POST", "/", b"{}", JSON_SQS)[0], 200)
            self.assertEqual(Signed(server, "AKIDNOBODY").request("POST", "/", b"{}", JSON_SQS)[0], 200)
            self.assertIn("any credentials are accepted", server.stop()[1])

    def test_a_virtual_clock_changes_nothing_about_it(self):
        with self.strict("--clock", "virtual:2040-01-01T00:00:00Z") as server:
            self.assertEqual(Signed(server).request("POST", "/", b"{}", JSON_SQS)[0], 200)


if __name__ == "__main__":
    harness.main()
