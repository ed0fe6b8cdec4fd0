#!/usr/bin/env python3
"""The commands that list streams and put records, against a running server. Runs the real binary:
test_streams.py --penstock BIN [unittest arguments]."""

import base64
import json
import subprocess

from commands import (
    FIRST, LIMIT, Commands, InDirectory, Server, command, create_stream, end, harness, kinesis, names, read_lines, wait_until)


class Streams(Commands):
    def test_lists_streams(self):
        stream = create_stream(self.server, shards=3)
        self.tail(stream, "--consumer", "c")
        arn = kinesis(self.server, "DescribeStreamSummary", {"StreamName": stream})["StreamDescriptionSummary"]["StreamARN"]
        kinesis(self.server, "RegisterStreamConsumer", {"StreamARN": arn, "ConsumerName": "fan"})
        wait_until(lambda: {row["STREAM"]: row for row in self.rows("streams")}[stream]["FAN-OUT"] == "1")
        row = {row["STREAM"]: row for row in self.rows("streams")}[stream]
        self.assertEqual(row, {"STREAM": stream, "STATUS": "ACTIVE", "MODE": "PROVISIONED", "SHARDS": "3", "RETENTION": "1d00h",
                               "CONSUMERS": "1", "FAN-OUT": "1"})
        listed = {one["StreamName"]: one for one in self.document("streams")["Streams"]}[stream]
        self.assertEqual((listed["StreamARN"], listed["OpenShardCount"], listed["PositionedConsumerCount"]), (arn, 3, 1))

    def test_lists_the_shards_of_one(self):
        stream = create_stream(self.server)
        kinesis(self.server, "SplitShard", {"StreamName": stream, "ShardToSplit": FIRST, "NewStartingHashKey": str(2 ** 127)})
        first, second, third = self.rows("streams", stream)
        self.assertEqual((first["SHARD"], first["STATE"], first["PARENTS"]), (FIRST, "CLOSED", "-"))
        self.assertEqual((second["STATE"], second["PARENTS"], second["FIRST HASH KEY"]), ("OPEN", FIRST, "0"))
        self.assertEqual(third["FIRST HASH KEY"], str(2 ** 127))
        document = self.document("streams", stream)
        self.assertEqual((document["StreamName"], len(document["Shards"])), (stream, 3))

    def test_follows_all_pages(self):
        stream = create_stream(self.server, shards=1_100)
        self.assertEqual(len(self.rows("streams", stream)), 1_100)
        made = {create_stream(self.server) for _ in range(110)}
        self.assertLessEqual(made, {row["STREAM"] for row in self.rows("streams")})

    def test_of_no_stream_is_an_error(self):
        self.refused("streams", "nowhere", code="ResourceNotFoundException")
        self.refused("put", "nowhere", "x", code="ResourceNotFoundException")


class Put(Commands):
    def test_puts_a_record_and_tells_where_it_is(self):
        stream = create_stream(self.server)
        shard, number = self.lines("put", stream, "hello", "--key", "k")[0].split("\t")
        record, = [json.loads(line) for line in self.tail(stream, "--json")]
        self.assertEqual((record["ShardId"], record["SequenceNumber"], record["PartitionKey"]), (shard, number, "k"))
        self.assertEqual(base64.b64decode(record["Data"]), b"hello")
        self.assertEqual(set(self.document("put", stream, "x")), {"ShardId", "SequenceNumber"})
        self.lines("put", stream, "--", "--json")
        self.assertEqual(self.tail(stream), ["hello", "x", "--json"])

    def test_puts_bytes_as_they_are(self):
        stream = create_stream(self.server)
        self.lines("put", stream, stdin=b"\x00\xff\n")
        self.assertEqual(self.run_command("tail", stream, "--no-follow"), b"\x00\xff\n\n")

    def test_puts_each_line(self):
        stream = create_stream(self.server)
        lines = names(0, 1_300)
        places = self.lines("put", stream, "--lines", "--key", "k", stdin="\n".join(lines).encode())
        self.assertEqual(len(places), 1_300)
        self.assertEqual(sorted(places, key=lambda place: int(place.split("\t")[1])), places)
        self.assertEqual(self.tail(stream), lines)

    def test_keys_of_its_own_spread_records_over_the_shards(self):
        stream = create_stream(self.server, shards=4)
        places = self.lines("put", stream, "--lines", stdin="\n".join(names(0, 200)).encode())
        self.assertEqual(len({place.split("\t")[0] for place in places}), 4)

    def test_a_hash_key_decides_about_the_shard(self):
        stream = create_stream(self.server, shards=2)
        for number, shard in (("0", FIRST), (str(2 ** 128 - 1), FIRST[:-1] + "1")):
            self.assertEqual(self.document("put", stream, "x", "--explicit-hash-key", number)["ShardId"], shard)
        self.refused("put", stream, "x", "--explicit-hash-key", "-1", code="ValidationException")

    def test_fills_requests_up_to_what_one_may_have(self):
        stream = create_stream(self.server)
        lines = [bytes([65 + i]) * 2 ** 20 for i in range(12)]
        # With its key each is a little longer than a record may be.
        self.lines("put", stream, "--lines", "--key", "k", stdin=b"\n".join(line[:-8] for line in lines))
        self.assertEqual(self.run_command("tail", stream, "--no-follow").splitlines(), [line[:-8] for line in lines])

    def test_a_line_is_put_before_the_next_one_comes(self):
        stream = create_stream(self.server)
        process = subprocess.Popen(command(self.server, "put", stream, "--lines"), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        for line in (b"one\n", b"two\n"):
            process.stdin.write(line)
            process.stdin.flush()
            self.assertTrue(read_lines(process, 1)[0].startswith(FIRST))
        self.assertEqual(end(process), (130, [], ""))
        self.assertEqual(self.tail(stream), ["one", "two"])


class Throttled(InDirectory):
    def test_records_without_room_are_put_again(self):
        with Server(self.directory, "--limits", "strict", "--stream-transition", "0") as server:
            stream = create_stream(server)
            # A shard takes a mebibyte a second.
            lines = b"\n".join(bytes([97 + i % 26]) * 60_000 for i in range(40))
            done = subprocess.run(command(server, "put", stream, "--lines", "--key", "k"), input=lines, capture_output=True,
                                  timeout=LIMIT)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertEqual(len(done.stdout.splitlines()), 40)
            tail = subprocess.run(command(server, "tail", stream, "--no-follow"), capture_output=True, timeout=LIMIT)
            self.assertEqual(sorted(tail.stdout.splitlines()), sorted(lines.splitlines()))


if __name__ == "__main__":
    harness.main()
