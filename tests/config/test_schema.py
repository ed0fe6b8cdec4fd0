#!/usr/bin/env python3
"""The schema of a penstock.yaml, as an independent validator takes it: every file that the program accepts validates, and
files with faults do not. test_schema.py --penstock BIN [unittest arguments]"""

import http.client
import json
import pathlib
import subprocess
import sys

import jsonschema
import yaml

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "server"))

import harness  # noqa: E402
from harness import LIMIT, InDirectory, Server  # noqa: E402

ROOT = HERE.parent.parent
EXAMPLES = [ROOT / "tests/examples/penstock.yaml"]

# What a file may say in more ways than one.
WHOLE = """
x-shared: &shared {VisibilityTimeout: 60, Colour: red}
settings: {port: "4566", host: ["127.0.0.1", "::1"], durability: os, ephemeral: false, clock: "virtual:2026-01-01T00:00:00Z", tls: self-signed, threads: 2, account: "123456789012"}
credentials: {AKIDEXAMPLE: wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY, "123456789012": "0"}
queues:
  a: {VisibilityTimeout: "60", DelaySeconds: 3, SqsManagedSseEnabled: true, RedriveAllowPolicy: '{"redrivePermission":"allowAll"}'}
  b.fifo: {FifoQueue: "true", DeduplicationScope: messageGroup, Policy: {Statement: []}, KmsMasterKeyId: alias/one}
  c:
streams:
  d: {ShardCount: 2, StreamModeDetails: {StreamMode: PROVISIONED}, Tags: {a: 7}, ShardLevelMetrics: [ALL], MaxRecordSizeInKiB: 2048}
  e:
consumers:
  d: {f: {LeaseMillis: 5000, CommitMode: ON_COMMIT, Start: {Type: AT_TIMESTAMP, Timestamp: 1900000000}}, g: }
functions:
  h: {Kind: exec, Command: [cat, "-"], Directory: ., Environment: {A1: b, C1: 3}, ReservedConcurrentExecutions: 5, DeadLetterConfig: {TargetArn: a}}
  i: {Runtime: python3.11, Handler: index.handler, InlineCode: "def handler(event, context): pass", MemorySize: 128, LoggingConfig: {LogFormat: Text}}
  j: {Url: "http://h/", Timeout: 900, EventInvokeConfig: {MaximumRetryAttempts: 0, DestinationConfig: {OnFailure: {Destination: a}}}, TracingConfig: {Mode: Active}}
mappings:
  - {EventSource: "queue:a", FunctionName: h, BatchSize: 10, Enabled: true, FilterCriteria: {Filters: [{Pattern: '{"a":[1]}'}, {Pattern: {body: {a: [1]}}}]}}
  - {EventSourceArn: "arn:aws:kinesis:us-east-1:123456789012:stream/d", FunctionName: h, StartingPosition: AT_TIMESTAMP, StartingPositionTimestamp: "2020-01-31T12:00:00Z"}
"""

# Each with the place that a validator names.
FAULTS = (
    ("queue: {}", []),
    ("x: {}", []),
    ("queues: []", ["queues"]),
    ("queues: {a: {VisibilityTimout: 1}}", ["queues", "a"]),
    ("queues: {a: {VisibilityTimeout: 43201}}", ["queues", "a", "VisibilityTimeout"]),
    ("queues: {a: {VisibilityTimeout: soon}}", ["queues", "a", "VisibilityTimeout"]),
    ("queues: {a: {DeduplicationScope: all}}", ["queues", "a", "DeduplicationScope"]),
    ("queues: {a: {Tags: [a]}}", ["queues", "a", "Tags"]),
    ("streams: {a: {ShardCount: two}}", ["streams", "a", "ShardCount"]),
    ("streams: {a: {ShardCount: 0}}", ["streams", "a", "ShardCount"]),
    ("streams: {a: {StreamModeDetails: {StreamMode: SOME}}}", ["streams", "a", "StreamModeDetails", "StreamMode"]),
    ("streams: {'a b': }", ["streams"]),
    ("consumers: {a: {b: {Lease: 5}}}", ["consumers", "a", "b"]),
    ("consumers: {a: {b: {CommitMode: NEVER}}}", ["consumers", "a", "b", "CommitMode"]),
    ("functions: {a: {Timeout: 901}}", ["functions", "a", "Timeout"]),
    ("functions: {a: {Command: cat}}", ["functions", "a", "Command"]),
    ("functions: {a: {Kind: some}}", ["functions", "a", "Kind"]),
    ("functions: {a: {EventInvokeConfig: {MaximumRetries: 1}}}", ["functions", "a", "EventInvokeConfig"]),
    ("mappings: {}", ["mappings"]),
    ("mappings: [{EventSource: 'queue:a'}]", ["mappings", 0]),
    ("mappings: [{FunctionName: a}]", ["mappings", 0]),
    ("mappings: [{EventSource: 'queue:a', EventSourceArn: 'arn:a', FunctionName: a}]", ["mappings", 0]),
    ("mappings: [{EventSource: 'queue:a', FunctionName: a, BatchSize: '10'}]", ["mappings", 0, "BatchSize"]),
    ("mappings: [{EventSource: 'queue:a', FunctionName: a, Enabled: 1}]", ["mappings", 0, "Enabled"]),
    ("credentials: [a]", ["credentials"]),
    ("credentials: {a: }", ["credentials", "a"]),
    ("credentials: {a: 12}", ["credentials", "a"]),
    ("credentials: {a: two words}", ["credentials", "a"]),
    ("credentials: {two words: b}", ["credentials"]),
    ("settings: {auth: some}", ["settings", "auth"]),
    ("settings: {colour: red}", ["settings"]),
    ("settings: {config: x}", ["settings"]),
    ("settings: {port: many}", ["settings", "port"]),
    ("settings: {durability: some}", ["settings", "durability"]),
    ("settings: {ephemeral: perhaps}", ["settings", "ephemeral"]),
)


def example_of_readme():
    text = (ROOT / "README.md").read_text()
    begin = text.index("```yaml\n", text.index("\n## One file")) + len("```yaml\n")
    return text[begin:text.index("\n```\n", begin) + 1]


class Schema(InDirectory):
    def setUp(self):
        super().setUp()
        done = subprocess.run([harness.PENSTOCK, "config", "schema"], capture_output=True, text=True, timeout=LIMIT, check=True)
        self.text = done.stdout
        schema = json.loads(self.text)
        self.assertEqual(schema["$schema"], "https://json-schema.org/draft/2020-12/schema")
        jsonschema.Draft202012Validator.check_schema(schema)
        self.validator = jsonschema.Draft202012Validator(schema)

    def faults(self, text):
        document = yaml.safe_load(text)
        return [(list(error.absolute_path), error.message) for error in self.validator.iter_errors(document)]

    def test_files_in_order_validate(self):
        self.assertEqual(self.faults("null"), [])
        self.assertEqual(self.faults("queues:\nstreams:\nmappings:\n"), [])
        for text in (WHOLE, example_of_readme(), *(example.read_text() for example in EXAMPLES)):
            self.assertEqual(self.faults(text), [])

    def test_the_program_is_of_the_same_opinion(self):
        file = pathlib.Path(self.directory, "penstock.yaml")
        file.write_text(WHOLE)
        status, _, log = self.run_to_end("config", "check", str(file))
        self.assertEqual((status, log), (0, ""))
        for text, _ in FAULTS:
            file.write_text(text + "\n")
            status, _, log = self.run_to_end("config", "check", str(file))
            self.assertEqual(status, 1, text)

    def test_files_with_faults_do_not_validate(self):
        for text, place in FAULTS:
            faults = self.faults(text)
            self.assertEqual([path for path, _ in faults], [place], (text, faults))

    def test_a_server_has_the_same(self):
        with Server(self.directory) as server:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)
            connection.request("GET", "/_penstock/penstock.schema.json")
            answer = connection.getresponse()
            self.assertEqual((answer.status, answer.getheader("Content-Type")), (200, "application/schema+json"))
            self.assertEqual(answer.read().decode() + "\n", self.text)
            connection.close()


if __name__ == "__main__":
    harness.main()
