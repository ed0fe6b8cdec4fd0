"""Runs a handler of Python by the Lambda Runtime API. Needs nothing but the standard library, of Python 3.8 or later."""

import sys

# The directory of this file must not be where a handler's imports are looked for first.
sys.path.pop(0)

import importlib
import json
import logging
import os
import socket
import time
import traceback

API = "/2018-06-01/runtime/"


class Connection:
    """HTTP/1.1 over one connection that is kept. The server is known, and needs none of what a general client can."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.address = (host, int(port))
        self.host = address
        self.socket = None
        self.buffer = b""

    def connect(self):
        self.socket = socket.create_connection(self.address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def receive(self):
        more = self.socket.recv(1 << 18)
        if not more:
            raise ConnectionError("the Runtime API has closed the connection")
        return more

    def exchange(self, method, path, body=b"", headers=()):
        """The status, the headers with names in lower case, and the body of the answer."""
        if self.socket is None:
            self.connect()
        lines = [f"{method} {API}{path} HTTP/1.1", f"Host: {self.host}", *headers]
        if method == "POST":
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.receive()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *fields = head.decode("utf-8", "replace").split("\r\n")
        found = {}
        for field in fields:
            name, _, value = field.partition(":")
            found[name.strip().lower()] = value.strip()
        length = int(found.get("content-length", "0"))
        pieces, have = [self.buffer], len(self.buffer)
        while have < length:
            pieces.append(self.receive())
            have += len(pieces[-1])
        whole = b"".join(pieces)
        answer, self.buffer = whole[:length], whole[length:]
        if found.get("connection", "").lower() == "close":
            self.socket.close()
            self.socket = None
        return int(first.split(" ")[1]), found, answer


class Attributes:
    """What a handler reads by names, and prints."""

    def __init__(self, **values):
        self.__dict__.update(values)

    def __repr__(self):
        values = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items() if not name.startswith("_"))
        return f"{type(self).__name__}([{values}])"


class CognitoIdentity(Attributes):
    pass


class Client(Attributes):
    pass


class ClientContext(Attributes):
    pass


def client_context_of(text):
    if not text:
        return None
    given = json.loads(text)
    names = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")
    client = Client(**{name: given["client"].get(name) for name in names}) if given.get("client") else None
    return ClientContext(custom=given.get("custom"), env=given.get("env"), client=client)


class LambdaContext(Attributes):
    def __init__(self, headers):
        identity = json.loads(headers.get("lambda-runtime-cognito-identity") or "{}")
        super().__init__(
            aws_request_id=headers["lambda-runtime-aws-request-id"],
            log_group_name=os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME"),
            log_stream_name=os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME"),
            function_name=os.environ.get("AWS_LAMBDA_FUNCTION_NAME"),
            memory_limit_in_mb=os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
            function_version=os.environ.get("AWS_LAMBDA_FUNCTION_VERSION"),
            invoked_function_arn=headers.get("lambda-runtime-invoked-function-arn"),
            client_context=client_context_of(headers.get("lambda-runtime-client-context")),
            identity=CognitoIdentity(
                cognito_identity_id=identity.get("cognitoIdentityId"),
                cognito_identity_pool_id=identity.get("cognitoIdentityPoolId"),
            ),
            _epoch_deadline_time_in_ms=int(headers["lambda-runtime-deadline-ms"]),
        )

    def get_remaining_time_in_millis(self):
        return max(self._epoch_deadline_time_in_ms - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))


class RequestIds(logging.Filter):
    request_id = ""

    def filter(self, record):
        record.aws_request_id = RequestIds.request_id
        return True


def set_up_logging():
    handler = logging.StreamHandler(sys.stdout)
    format = "[%(levelname)s]\t%(asctime)s.%(msecs)dZ\t%(aws_request_id)s\t%(message)s"
    formatter = logging.Formatter(format, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(RequestIds())
    logging.getLogger().addHandler(handler)


class Unusable(Exception):
    """Why there is no handler, as the service words it."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind = kind
        self.trace = list(trace)


def load_handler(name):
    module_name, dot, function_name = name.rpartition(".")
    if not dot or not module_name:
        reason = "not enough values to unpack (expected 2, got 1)"
        raise Unusable("Runtime.MalformedHandlerName", f"Bad handler '{name}': {reason}")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Unusable("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        message = f"Syntax error in module '{module_name}': {error}"
        raise Unusable("Runtime.UserCodeSyntaxError", message, trace) from error
    if not hasattr(module, function_name):
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise Unusable("Runtime.HandlerNotFound", message)
    return getattr(module, function_name)


def account_of(error, request_id):
    """What is reported of an error, without the frames of this file, and of the machinery of imports."""
    if isinstance(error, Unusable):
        kind, message, trace = error.kind, str(error), error.trace
    else:
        kind, message = type(error).__name__, str(error)
        frames = traceback.extract_tb(error.__traceback__)
        frames = [f for f in frames if f.filename != __file__ and not f.filename.startswith("<frozen importlib")]
        trace = traceback.format_list(frames)
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}


def print_account(account):
    lines = [f"[ERROR] {account['errorType']}: {account['errorMessage']}"]
    if account["stackTrace"]:
        lines.append("Traceback (most recent call last):")
        lines += [line.rstrip("\n") for line in account["stackTrace"]]
    print("\n".join(lines))


def to_json(value):
    def default(other):
        if other.__class__.__name__ == "Decimal":
            return float(other)
        raise TypeError(f"Object of type {other.__class__.__name__} is not JSON serializable")

    return json.dumps(value, ensure_ascii=False, default=default).encode("utf-8", "surrogatepass")


def marshal(value):
    try:
        return to_json(value)
    except Exception as error:
        raise Unusable("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def unmarshal(payload):
    try:
        return json.loads(payload)
    except Exception as error:
        raise Unusable("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from error


def report(connection, path, account):
    headers = [f"Lambda-Runtime-Function-Error-Type: {account['errorType']}"]
    connection.exchange("POST", path, to_json(account), headers)


def serve(connection, handler):
    while True:
        status, headers, payload = connection.exchange("GET", "invocation/next")
        if status != 200:
            raise ConnectionError(f"the Runtime API has answered with status {status}")
        request_id = headers["lambda-runtime-aws-request-id"]
        RequestIds.request_id = request_id
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("lambda-runtime-trace-id", "")
        try:
            answer = marshal(handler(unmarshal(payload), LambdaContext(headers)))
        except Exception as error:
            account = account_of(error, request_id)
            print_account(account)
            sys.stdout.flush()
            report(connection, f"invocation/{request_id}/error", account)
            continue
        sys.stdout.flush()
        connection.exchange("POST", f"invocation/{request_id}/response", answer)


def tell_version():
    """A line in the log where this is not the version that the function asks for."""
    wanted = os.environ.get("AWS_EXECUTION_ENV", "").rpartition("_")[2]
    found = "python%d.%d" % sys.version_info[:2]
    if wanted.startswith("python3.") and wanted != found:
        print(f"[WARNING] The function's runtime is {wanted}, and what runs it is {found}.", file=sys.stderr, flush=True)


def main():
    tell_version()
    connection = Connection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    sys.stdout.reconfigure(line_buffering=True)
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    set_up_logging()
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as error:
        account = account_of(error, "")
        print_account(account)
        report(connection, "init/error", account)
        sys.exit(1)
    serve(connection, handler)


if __name__ == "__main__":
    main()
