#!/usr/bin/env python3
"""Runs unmodified AWS clients against the real binary: each client on a server and a data directory of its own.

    run.py --penstock build/penstock [--only cli|boto3|js|sqs-consumer|kinesis-cli|...]

Every case prints one line, PASS or FAIL; the exit code is not 0 if a case failed.
"""

import argparse
import ctypes
import fcntl
import hashlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
# Debian's boto3 belongs to Debian's interpreter, whatever else is first on PATH.
DEBIAN_PYTHON = "/usr/bin/python3"

CLIENTS = {
    "cli": [DEBIAN_PYTHON, HERE / "cli_client.py"],
    "boto3": [DEBIAN_PYTHON, HERE / "boto3_client.py"],
    "js": ["node", HERE / "js_client.mjs"],
    "sqs-consumer": ["node", HERE / "sqs_consumer.mjs"],
    "kinesis-cli": [DEBIAN_PYTHON, HERE / "kinesis_cli_client.py"],
    "kinesis-boto3": [DEBIAN_PYTHON, HERE / "kinesis_boto3_client.py"],
    "kinesis-js": ["node", HERE / "kinesis_js_client.mjs"],
    "kinesis-cbor": [DEBIAN_PYTHON, HERE / "kinesis_cbor_client.py"],
    "lambda-cli": [DEBIAN_PYTHON, HERE / "lambda_cli_client.py"],
    "lambda-boto3": [DEBIAN_PYTHON, HERE / "lambda_boto3_client.py"],
    "lambda-js": ["node", HERE / "lambda_js_client.mjs"],
    "emulator": [DEBIAN_PYTHON, HERE / "emulator_client.py"],
    "ric": [DEBIAN_PYTHON, HERE / "ric_client.py"],
    "signed-cli": [DEBIAN_PYTHON, HERE / "signed_cli_client.py"],
    "signed-boto3": [DEBIAN_PYTHON, HERE / "signed_boto3_client.py"],
    "signed-js": ["node", HERE / "signed_js_client.mjs"],
}
# Where what a client needs from npm is installed.
NODE_FOLDERS = {"js": HERE, "sqs-consumer": HERE, "kinesis-js": HERE, "lambda-js": HERE, "signed-js": HERE,
                "emulator": HERE / "emulator", "ric": HERE / "ric"}
# What has code that the installation compiles, for which a machine may lack something.
COMPILED = {"ric"}
SKIPPED = 77


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# Where the emulator is going to be that runs what is not registered.
EMULATOR_PORT = free_port()
FLAGS = {"emulator": ["--lambda-endpoint", f"http://127.0.0.1:{EMULATOR_PORT}"],
         **{name: ["--auth", "strict", "--credentials-file", HERE / "credentials"] for name in CLIENTS if name.startswith("signed-")}}


def client_environment(server, control):
    """What the person running the tests has configured for AWS, or for a proxy, is none of the clients' business."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("AWS_") and not name.lower().endswith("_proxy")}
    environment.update({
        "PENSTOCK_ENDPOINT": server.endpoint, "PENSTOCK_CONTROL": str(control.fileno()),
        "PENSTOCK_EMULATOR_PORT": str(EMULATOR_PORT),
        "AWS_CA_BUNDLE": str(server.ca), "NODE_EXTRA_CA_CERTS": str(server.ca),
        "AWS_ACCESS_KEY_ID": "anybody", "AWS_SECRET_ACCESS_KEY": "anything",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1", "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "",
        "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1",
    })
    return environment


def install_node_modules(folder):
    """npm ci, when the lock file is another than the one that was installed."""
    if not shutil.which("node") or not shutil.which("npm"):
        sys.exit("sdk: the JavaScript clients need node (18 or later) and npm")
    lock_hash = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "node_modules" / ".installed-from"
    # Two clients may be started at once; the second finds the work done.
    with open(__file__, "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text(encoding="ascii") == lock_hash:
            return
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel", "error"], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)
        stamp.write_text(lock_hash, encoding="ascii")


def die_with_parent():
    """In the child: a test that is killed must not leave its server behind."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Server:
    """The binary, on a new directory that goes with it."""

    def __init__(self, binary, flags):
        self.binary = binary
        self.flags = flags
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="penstock-sdk-"))
        self.ca = self.folder / "ca.pem"
        self.log = open(self.folder / "log", "wb")
        self.start(port=0)

    def start(self, port):
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [self.binary, "serve", "--host", "127.0.0.1", "--port", str(port), "--ready-file", ready, "--data-dir",
             self.folder / "data", "--tls", "self-signed", "--tls-ca-file", self.ca, *self.flags],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, preexec_fn=die_with_parent)
        limit = time.monotonic() + 30
        while not ready.exists():
            if self.process.poll() is not None or time.monotonic() > limit:
                self.process.kill()
                sys.exit(f"sdk: the server did not start: {self.said()}")
            time.sleep(0.005)
        self.endpoint = ready.read_text(encoding="ascii").strip()

    def restart(self):
        """As after a crash: killed without a word, then there again under its old address."""
        self.process.kill()
        self.process.wait()
        self.start(port=int(self.endpoint.rsplit(":", 1)[1]))

    def said(self):
        return (self.folder / "log").read_text(errors="replace")[-2000:]

    def stop(self):
        """Whether it ended as a server that is told to end should."""
        self.process.send_signal(signal.SIGTERM)
        try:
            clean = self.process.wait(15) == 0
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            clean = False
        if not clean:
            print(f"FAIL the server did not end with 0 after SIGTERM: {self.said()}")
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return clean


def obey(control, server):
    """Until the client ends, each byte that it sends asks for a restart, and is answered when the server is there."""
    while request := control.recv(1):
        server.restart()
        control.sendall(request)


def run_client(name, binary):
    if name in NODE_FOLDERS:
        try:
            install_node_modules(NODE_FOLDERS[name])
        except subprocess.CalledProcessError as error:
            if name not in COMPILED:
                raise
            print(f"{name}: skipped, since npm cannot build it here: {error}")
            sys.exit(SKIPPED)
    server = Server(binary, FLAGS.get(name, []))
    try:
        print(f"{name}:", flush=True)
        ours, theirs = socket.socketpair()
        with subprocess.Popen([str(a) for a in CLIENTS[name]], env=client_environment(server, theirs),
                              pass_fds=[theirs.fileno()]) as client, ours:
            theirs.close()
            obey(ours, server)
    finally:
        clean = server.stop()
    return client.returncode == 0 and clean


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--penstock", type=pathlib.Path, required=True, help="the binary")
    parser.add_argument("--only", choices=CLIENTS, action="append", help="this client; may be given again")
    args = parser.parse_args()
    failed = [name for name in args.only or CLIENTS if not run_client(name, args.penstock.resolve())]
    if failed:
        print(f"sdk: failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
