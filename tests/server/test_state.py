#!/usr/bin/env python3
"""Backups of a running server and what is restored of them, the check of a data directory, and resets, through the real
binary: test_state.py --penstock BIN [unittest arguments]."""

import base64
import glob
import http.client
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import threading
import time

import harness
from harness import InDirectory, OneServer, Server, wait_until
from state_support import InDirectoryServer, Load, add_function, ask, create_stream, drain, kinesis, records_of, signed, tree_of


class Directories(InDirectory):
    def setUp(self):
        super().setUp()
        self.data = os.path.join(self.directory, "data")
        self.backup = os.path.join(self.directory, "backup")
        self.restored = os.path.join(self.directory, "restored")
        os.mkdir(self.restored)

    def penstock(self, *arguments, environment=None):
        done = subprocess.run([harness.PENSTOCK, *arguments], capture_output=True, text=True, timeout=120,
                              env=environment)
        return done.returncode, done.stdout, done.stderr

    def back_up(self, server, *more):
        status, out, err = self.penstock("backup", self.backup, "--endpoint", server.endpoint, *more)
        self.assertEqual((status, err), (0, ""))
        return out

    def restore(self, *more):
        return self.penstock("restore", self.backup, "--data-dir", os.path.join(self.restored, "data"), *more)

    def assert_sound(self, data):
        status, out, err = self.penstock("check", "--data-dir", data)
        self.assertEqual((status, err), (0, ""), out)
        self.assertTrue(out.endswith("sound\n"), out)


class Backups(Directories):
    def test_what_was_acknowledged_before_a_backup_under_load_is_in_it(self):
        with Server(self.directory) as server:
            add_function(server, "echo")
            load = Load(server)
            load.wait_for(150)
            sent, put = load.acknowledged()
            self.assertRegex(self.back_up(server), r"backup: \d+ files with [\d.]+ [kM]?B\n$")
            with load.lock:
                deleting = set(load.deleting)
            load.wait_for(len(put) + 50)
            # As a crash leaves it.
            server.process.kill()
            load.end()
        self.assert_sound(self.data)
        status, out, err = self.restore()
        self.assertEqual((status, err), (0, ""))
        self.assertIn("restored to", out)
        self.assert_sound(os.path.join(self.restored, "data"))
        with Server(self.restored) as server:
            for url, bodies in sent.items():
                url = f"{server.endpoint}/000000000000/" + url.rsplit("/", 1)[1]
                missing = bodies - set(self.drain_all(server, url)) - deleting
                self.assertEqual(missing, set(), url)
            self.assertEqual(put - set(records_of(server, "clicks")), set())
            status, answer = ask(server, "POST", "/2015-03-31/functions/echo/invocations", {"a": 1})
            self.assertEqual((status, answer), (200, {"said": {"a": 1}}))
            self.assertEqual(server.stop()[0], 0)

    def drain_all(self, server, url):
        """In a FIFO queue what a group has comes one batch after the other, as they are deleted."""
        bodies = []
        while True:
            receive = {"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 600}
            messages = server.call("ReceiveMessage", receive)[1].get("Messages", [])
            if not messages:
                return bodies
            for message in messages:
                bodies.append(message["Body"])
                server.call("DeleteMessage", {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]})

    def test_another_file_system_gets_copies(self):
        if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == os.stat(self.directory).st_dev:
            self.skipTest("there is no second file system")
        self.backup = f"/dev/shm/penstock-test-{os.getpid()}"
        try:
            with Server(self.directory) as server:
                url = server.create()
                for number in range(30):
                    server.call("SendMessage", {"QueueUrl": url, "MessageBody": f"{number}-" + "x" * 900_000})
                self.back_up(server)
                self.assertEqual(server.stop()[0], 0)
            files = glob.glob(self.backup + "/data/*")
            self.assertTrue(any(name.endswith(".sst") for name in files), files)
            self.assertEqual(self.restore()[0], 0)
            with Server(self.restored) as server:
                url = f"{server.endpoint}/000000000000/jobs"
                self.assertEqual(len(drain(server, url)), 30)
        finally:
            shutil.rmtree(self.backup, ignore_errors=True)

    def test_where_a_backup_is_refused(self):
        with Server(self.directory) as server:
            looped = os.path.join(self.directory, "looped")
            os.symlink(looped, looped)
            for directory, said in (("relative", "absolute"), (self.data + "/inside", "within the data directory"),
                                    (self.backup + "\0", "NUL"), (self.backup + "/" + "n" * 256, "at most 255 bytes"),
                                    (self.backup + "/" + "ü" * 128 + "/n", "at most 255 bytes"),
                                    (self.backup + "/ü" * 1_000 + "/" * 1_900, "at most 3968 bytes"),
                                    (looped + "/n", ""), (pathlib.Path(self.data, "token").as_posix() + "/n", ""),
                                    (self.directory, "not an empty directory"), ("/proc/none", "cannot create")):
                status, answer = ask(server, "POST", "/_penstock/backup", {"directory": directory})
                self.assertEqual((status, answer["Error"]), (400, "InvalidRequest"), answer)
                self.assertIn(said, answer["Message"])
            state = ask(server, "GET", "/_penstock/backup")[1]
            self.assertEqual(state["state"], "failed")
            self.assertIn("cannot create", state["failure"])
            status, _, err = self.penstock("backup", self.directory, "--endpoint", server.endpoint)
            self.assertEqual(status, 1)
            self.assertIn("not an empty directory", err)
            self.assertEqual(ask(server, "POST", "/_penstock/backup", {"directory": self.backup})[0], 200)
            self.assertEqual(ask(server, "GET", "/_penstock/backup")[1]["state"], "done")
            self.assertEqual(server.stop()[0], 0)

    def test_what_keeps_nothing_and_what_listens_to_all_makes_none(self):
        with Server(self.directory, "--ephemeral", data_dir=False) as server:
            status, answer = ask(server, "POST", "/_penstock/backup", {"directory": self.backup})
            self.assertEqual((status, answer["Error"]), (409, "NotEnabled"))
        with Server(self.directory, "--host", "0.0.0.0") as server:
            status, answer = ask(server, "POST", "/_penstock/backup", {"directory": self.backup})
            self.assertEqual((status, answer["Error"]), (401, "Unauthorized"))
            self.assertIn("--allow-remote-functions", answer["Message"])
            self.assertFalse(os.path.exists(self.backup))
            # Whoever may read its token may, as the command does.
            with_token = {**os.environ, "PENSTOCK_TOKEN": pathlib.Path(self.data, "token").read_text().strip()}
            status, _, err = self.penstock("backup", self.backup, "--endpoint", server.endpoint, environment=with_token)
            self.assertEqual((status, err), (0, ""))

    def test_a_damaged_backup_is_refused(self):
        with Server(self.directory) as server:
            server.create()
            self.back_up(server)
            self.assertEqual(server.stop()[0], 0)
        self.assertEqual(self.penstock("restore", self.backup, "--verify")[0], 0)
        log = glob.glob(self.backup + "/data/*.log")[-1]
        content = pathlib.Path(log).read_bytes()
        pathlib.Path(log).write_bytes(content[:20] + bytes([content[20] ^ 1]) + content[21:])
        for arguments in (("--verify",), ("--data-dir", os.path.join(self.restored, "data"))):
            status, out, err = self.penstock("restore", self.backup, *arguments)
            self.assertEqual((status, out), (1, ""))
            self.assertIn("is damaged: data/", err)
        self.assertEqual(os.listdir(self.restored), [])

    def test_a_restore_does_not_touch_what_is_there_or_in_use(self):
        with Server(self.directory) as server:
            server.create()
            self.back_up(server)
            target = ("restore", self.backup, "--data-dir", self.data)
            status, _, err = self.penstock(*target)
            self.assertEqual(status, 1)
            self.assertIn("is not empty", err)
            status, _, err = self.penstock(*target, "--force")
            self.assertEqual(status, 1)
            self.assertIn("in use by another process", err)
            server.create("after")
            self.assertEqual(server.stop()[0], 0)
        status, out, err = self.penstock(*target, "--force", "--json")
        self.assertEqual(status, 0)
        moved = json.loads(out)["moved_to"]
        self.assertEqual(moved, self.data + ".before-restore")
        self.assertIn(moved, err)
        with Server(self.directory) as server:
            self.assertEqual(len(server.call("ListQueues", {})[1]["QueueUrls"]), 1)

    def test_a_full_disk_is_told_and_the_server_goes_on(self):
        target = os.path.join(self.directory, "small")
        os.mkdir(target)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", target], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("no file system can be mounted here")
        try:
            with Server(self.directory) as server:
                url = server.create()
                for number in range(10):
                    server.call("SendMessage", {"QueueUrl": url, "MessageBody": "x" * 900_000})
                status, answer = ask(server, "POST", "/_penstock/backup", {"directory": target + "/backup"})
                self.assertEqual((status, answer["Error"]), (503, "ServiceUnavailable"))
                self.assertIn("room", answer["Message"])
                self.assertEqual(os.listdir(target), [])
                self.assertEqual(server.call("SendMessage", {"QueueUrl": url, "MessageBody": "on"})[0], 200)
                self.assertEqual(server.stop()[0], 0)
        finally:
            subprocess.run(["umount", target], check=True)

    def test_a_server_that_is_told_to_stop_does_not_wait_for_a_backup(self):
        with Server(self.directory) as server:
            url = server.create()
            for _ in range(40):
                server.call("SendMessage", {"QueueUrl": url, "MessageBody": "x" * 1_000_000})
            body = {"directory": self.backup, "wait": "0s"}
            self.assertEqual(ask(server, "POST", "/_penstock/backup", body)[0], 200)
            self.assertEqual(server.stop()[0], 0)
        # It came to its end, or there is nothing of it.
        if os.path.exists(self.backup):
            self.assertIn("manifest.json", os.listdir(self.backup))


class Checks(Directories):
    def test_what_a_kill_under_load_leaves_is_sound(self):
        for _ in range(3):
            with Server(self.directory) as server:
                load = Load(server)
                load.wait_for(60)
                server.process.kill()
                load.end()
            self.assert_sound(self.data)

    def test_a_check_changes_nothing_and_says_what_there_is(self):
        with Server(self.directory) as server:
            url = server.create()
            server.call("SendMessage", {"QueueUrl": url, "MessageBody": "a"})
            create_stream(server, "clicks")
            add_function(server, "echo")
            server.process.kill()
        before = tree_of(self.data)
        status, out, _ = self.penstock("check", "--data-dir", self.data, "--json")
        self.assertEqual(status, 0)
        found = json.loads(out)
        self.assertEqual(tree_of(self.data), before)
        self.assertTrue(found["sound"])
        self.assertEqual(found["problems"], [])
        counts = {name: found[name] for name in ("queues", "messages", "streams", "shards", "functions")}
        self.assertEqual(counts, {"queues": 1, "messages": 1, "streams": 1, "shards": 1, "functions": 1})

    def test_what_a_server_uses_is_not_checked(self):
        with Server(self.directory) as server:
            status, out, err = self.penstock("check", "--data-dir", self.data)
            self.assertEqual((status, out), (1, ""))
            self.assertIn("in use by another process", err)
            self.assertEqual(server.stop()[0], 0)
        status, _, err = self.penstock("check", "--data-dir", os.path.join(self.directory, "none"))
        self.assertEqual(status, 1)
        self.assertIn("there is no data directory", err)

    def leave_tables(self):
        """So many messages that some are in files of tables, and a function."""
        with Server(self.directory) as server:
            url = server.create()
            for _ in range(40):
                server.call("SendMessage", {"QueueUrl": url, "MessageBody": "x" * 900_000})
            add_function(server, "echo")
            self.assertEqual(server.stop()[0], 0)
        self.assert_sound(self.data)

    def test_planted_damage_is_found(self):
        self.leave_tables()
        tables = sorted(glob.glob(self.data + "/*.sst"), key=os.path.getsize)
        content = pathlib.Path(tables[-1]).read_bytes()
        middle = len(content) // 2
        pathlib.Path(tables[-1]).write_bytes(content[:middle] + b"damage" + content[middle + 6:])
        shutil.rmtree(glob.glob(self.data + "/functions/code/*/files")[0])
        status, out, _ = self.penstock("check", "--data-dir", self.data)
        self.assertEqual(status, 1)
        self.assertIn(f"problem: {os.path.basename(tables[-1])}: a file that is damaged", out)
        self.assertIn("problem: function echo (000000000000, us-east-1): code that is not what was uploaded", out)
        self.assertRegex(out, r"\n\d+ problems\n$")

    def test_a_log_that_is_missing_is_told(self):
        with Server(self.directory) as server:
            server.create()
            self.assertEqual(server.stop()[0], 0)
        for log in glob.glob(self.data + "/*.log"):
            os.remove(log)
        status, out, _ = self.penstock("check", "--data-dir", self.data)
        self.assertEqual(status, 1)
        self.assertIn("problem: log: no log is there", out)

    def leave_log(self):
        """The log that a killed server leaves, and how much of it is records."""
        with Server(self.directory) as server:
            url = server.create()
            for i in range(50):
                server.call("SendMessage", {"QueueUrl": url, "MessageBody": f"message {i} " + "x" * 500})
            server.process.kill()
        log = pathlib.Path(glob.glob(self.data + "/*.log")[0])
        return log, len(log.read_bytes().rstrip(b"\0"))

    def test_a_damaged_log_is_told_and_not_served_from(self):
        log, end = self.leave_log()
        content = log.read_bytes()
        # Each is in the last block of the log, and the last ones are in its last record.
        for at in (100, end // 2, end - 2_000, end - 300, end - 60):
            log.write_bytes(content[:at] + bytes([content[at] ^ 8]) + content[at + 1:])
            status, out, err = self.penstock("check", "--data-dir", self.data)
            self.assertEqual((status, out), (1, ""), at)
            self.assertRegex(err, r"the log of the data directory .* is damaged: \d+\.log, byte \d+: ")
            with self.assertRaisesRegex(RuntimeError, "is damaged"):
                Server(self.directory)
        log.write_bytes(content)
        self.assert_sound(self.data)
        with Server(self.directory) as server:
            self.assertEqual(self.messages_of(server), "50")
            status, said = server.stop()
            self.assertEqual(status, 0)
            self.assertNotIn(" warning ", said)

    def messages_of(self, server):
        attributes = {"QueueUrl": server.create(), "AttributeNames": ["ApproximateNumberOfMessages"]}
        return server.call("GetQueueAttributes", attributes)[1]["Attributes"]["ApproximateNumberOfMessages"]

    def test_a_log_whose_end_was_cut_off_is_served_from_and_told(self):
        log, end = self.leave_log()
        content = log.read_bytes()
        log.write_bytes(content[:end - 40] + bytes(len(content) - end + 40))
        status, out, _ = self.penstock("check", "--data-dir", self.data)
        self.assertEqual(status, 0)
        self.assertRegex(out, r"remark: log: it ends in what is no whole record: \d+ bytes of \d+\.log from byte")
        with Server(self.directory) as server:
            self.assertEqual(self.messages_of(server), "49")
            server.create("more")
            self.assertRegex(server.stop()[1], r"warning .* \d+ bytes of \d+\.log from byte \d+ on were dropped")
        with Server(self.directory) as server:
            self.assertNotIn("were dropped", server.stop()[1])

    def test_zeros_that_a_client_has_put_are_no_hole(self):
        with Server(self.directory) as server:
            url = server.create()
            create_stream(server, "clicks", 1)
            data = base64.b64encode(bytes(4096)).decode()
            kinesis(server, "PutRecord", {"StreamName": "clicks", "PartitionKey": "a key", "Data": data})
            for i in range(50):
                server.call("SendMessage", {"QueueUrl": url, "MessageBody": f"message {i}"})
            server.process.kill()
        log = pathlib.Path(glob.glob(self.data + "/*.log")[0])
        content = log.read_bytes()
        at = content.index(b"a key")
        # One bit, and many bytes with zeros over whole sectors: what follows says that it was synced.
        for damage in (bytes([content[at] ^ 1]), bytes(range(1, 200)) + bytes(2_000)):
            log.write_bytes(content[:at] + damage + content[at + len(damage):])
            status, out, err = self.penstock("check", "--data-dir", self.data)
            self.assertEqual((status, out), (1, ""))
            self.assertRegex(err, r"the log of the data directory .* is damaged: \d+\.log, byte \d+: ")
            with self.assertRaisesRegex(RuntimeError, "is damaged"):
                Server(self.directory)
        log.write_bytes(content)
        self.assert_sound(self.data)

    def test_whole_records_behind_a_hole_are_kept_aside(self):
        with Server(self.directory, "--durability", "os") as server:
            url = server.create()
            for i in range(50):
                server.call("SendMessage", {"QueueUrl": url, "MessageBody": f"message {i} " + "x" * 500})
            server.process.kill()
        log = pathlib.Path(glob.glob(self.data + "/*.log")[0])
        content = log.read_bytes()
        log.write_bytes(content[:8192] + bytes(4096) + content[12288:])
        status, out, _ = self.penstock("check", "--data-dir", self.data)
        self.assertEqual(status, 1)
        self.assertIn("problem: log: a hole of zeros is in it, and whole records behind: ", out)
        with Server(self.directory) as server:
            server.create("more")
            kept = re.search(r"warning .* they are kept in (\d+\.log\.dropped-(\d+))", server.stop()[1])
            self.assertIsNotNone(kept)
        dropped = pathlib.Path(self.data, kept[1])
        self.assertIn(b"message 49 ", dropped.read_bytes())
        self.assertEqual(dropped.stat().st_mode & 0o777, 0o600)
        self.assert_sound(self.data)

    def test_a_start_that_cannot_write_says_so_in_one_line(self):
        with Server(self.directory) as server:
            server.create()
            server.process.kill()
        none = subprocess.run([harness.PENSTOCK, "serve", "--no-config", "--data-dir", self.data, "--port", "0"],
                              capture_output=True, text=True, check=False, restore_signals=False, timeout=30,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))
        self.assertEqual(none.returncode, 1, none.stderr)
        self.assertRegex(none.stderr, r"^penstock: cannot open the data directory [^\n]*: File too large\n$")
        self.assert_sound(self.data)

    def test_a_log_that_was_emptied_is_told(self):
        log, _ = self.leave_log()
        log.write_bytes(b"")
        status, out, _ = self.penstock("check", "--data-dir", self.data)
        self.assertEqual(status, 1)
        self.assertIn("problem: log: nothing is in it, though a server has used the directory", out)
        with Server(self.directory) as server:
            self.assertRegex(server.stop()[1], "warning .* its log was emptied")

    def test_what_is_made_is_for_its_owner_alone(self):
        self.addCleanup(os.umask, os.umask(0))
        data = os.path.join(self.restored, "data")
        with Server(self.directory) as server:
            url = server.create()
            server.call("SendMessage", {"QueueUrl": url, "MessageBody": "secret"})
            add_function(server, "echo")
            self.back_up(server)
            self.assertEqual(self.restore()[0], 0)
            for top in (self.data, self.backup, data):
                self.assertEqual(os.stat(top).st_mode & 0o777, 0o700, top)
            for path in (os.path.join(self.data, "functions"), os.path.join(data, "functions")):
                self.assertEqual(os.stat(path).st_mode & 0o777, 0o700, path)
            files = [path for pattern in ("/*.log", "/MANIFEST-*", "/CURRENT", "/LOCK", "/LOG*", "/token", "/data/*", "/code/*",
                                          "/manifest.json")
                     for top in (self.data, self.backup, data) for path in glob.glob(top + pattern)]
            self.assertGreater(len(files), 12)
            for path in files:
                self.assertEqual(os.stat(path).st_mode & 0o777, 0o600, path)
        # What is there already keeps its mode, and what is put into it is private all the same.
        os.chmod(self.data, 0o755)
        with Server(self.directory) as server:
            server.create("more")
            self.assertEqual(os.stat(self.data).st_mode & 0o777, 0o755)
            for log in glob.glob(self.data + "/*.log"):
                self.assertEqual(os.stat(log).st_mode & 0o777, 0o600)

    def test_a_restore_into_its_backup_is_refused(self):
        with Server(self.directory) as server:
            server.create()
            self.back_up(server)
        os.symlink(self.backup, os.path.join(self.directory, "link"))
        before = tree_of(self.backup)
        for target in (self.backup, self.backup + "/data", self.backup + "/new", self.directory,
                       self.directory + "/link"):
            for more in ((), ("--force",)):
                status, out, err = self.penstock("restore", self.backup, "--data-dir", target, *more)
                self.assertEqual((status, out), (1, ""), target)
                self.assertIn("are one, or one of them lies in the other", err)
        self.assertEqual(tree_of(self.backup), before)

    def test_a_table_that_is_missing_is_told(self):
        self.leave_tables()
        os.remove(glob.glob(self.data + "/*.sst")[0])
        status, out, err = self.penstock("check", "--data-dir", self.data)
        self.assertEqual((status, out), (1, ""))
        self.assertIn("cannot open the data directory", err)

    def test_a_restore_that_did_not_come_to_its_end_is_not_taken_for_one(self):
        with Server(self.directory) as server:
            server.create()
            self.assertEqual(server.stop()[0], 0)
        pathlib.Path(self.data, "UNFINISHED").write_text("")
        status, _, err = self.penstock("check", "--data-dir", self.data)
        self.assertEqual(status, 1)
        self.assertIn("is not whole", err)
        with self.assertRaisesRegex(RuntimeError, "is not whole"):
            Server(self.directory)


class Resets(OneServer):
    def make_all(self):
        self.server.create("jobs")
        for account, region in (("111111111111", "eu-west-1"), ("000000000000", "us-east-2")):
            self.server.call("CreateQueue", {"QueueName": "theirs"}, signed(account, region))
            stream = {"StreamName": "theirs", "ShardCount": 1}
            kinesis(self.server, "CreateStream", stream, signed(account, region, "kinesis"))
        create_stream(self.server, "clicks")
        self.assertEqual(
            ask(self.server, "PUT", "/_penstock/streams/clicks/consumers/billing", {})[0], 201)
        add_function(self.server, "echo")
        mapping = {"EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:jobs", "FunctionName": "echo"}
        self.assertEqual(ask(self.server, "POST", "/2015-03-31/event-source-mappings", mapping)[0], 202)

    def counts(self):
        queues = len(self.server.call("ListQueues", {})[1].get("QueueUrls", []))
        theirs = len(self.server.call("ListQueues", {}, signed("111111111111", "eu-west-1"))[1].get("QueueUrls", []))
        streams = len(kinesis(self.server, "ListStreams", {})[1]["StreamNames"])
        functions = len(ask(self.server, "GET", "/2015-03-31/functions")[1]["Functions"])
        mappings = len(ask(self.server, "GET", "/2015-03-31/event-source-mappings")[1]["EventSourceMappings"])
        return queues, theirs, streams, functions, mappings

    def reset(self, **members):
        status, answer = ask(self.server, "POST", "/_penstock/reset", members)
        self.assertEqual(status, 200, answer)
        return answer

    def test_all_is_gone_and_can_be_made_again(self):
        for _ in range(2):
            self.make_all()
            self.assertEqual(self.counts(), (1, 1, 1, 1, 1))
            self.assertEqual(self.reset(), {"queues": 3, "streams": 3, "functions": 1, "mappings": 1})
            self.assertEqual(self.counts(), (0, 0, 0, 0, 0))
            status, answer = ask(self.server, "GET", "/_penstock/streams/clicks/consumers/billing")
            self.assertEqual((status, answer["Error"]), (404, "StreamNotFound"))
        self.assertEqual(self.reset(), {"queues": 0, "streams": 0, "functions": 0, "mappings": 0})

    def test_of_a_service_only_its_own_goes(self):
        self.make_all()
        self.assertEqual(self.reset(service="kinesis")["streams"], 3)
        self.assertEqual(self.counts(), (1, 1, 0, 1, 1))
        self.reset(service="lambda")
        self.assertEqual(self.counts(), (1, 1, 0, 0, 0))
        self.reset(service="sqs")
        self.assertEqual(self.counts(), (0, 0, 0, 0, 0))
        self.assertEqual(ask(self.server, "POST", "/_penstock/reset", {"service": "s3"})[0], 400)
        self.assertEqual(ask(self.server, "POST", "/_penstock/reset", {"setup": True})[0], 400)

    def test_whoever_waits_is_answered(self):
        url = self.server.create("waited-for")
        answers = []
        receive = {"QueueUrl": url, "WaitTimeSeconds": 20}
        waiting = threading.Thread(target=lambda: answers.append(self.server.call("ReceiveMessage", receive)))
        waiting.start()
        time.sleep(0.2)
        self.reset()
        waiting.join(timeout=5)
        self.assertEqual(answers[0][0], 400)
        self.assertIn("QueueDoesNotExist", answers[0][1]["__type"])

    def test_what_runs_is_ended(self):
        url = self.server.create("slow")
        marker = os.path.join(self.home.name, "began")
        command = ["sh", "-c", f"touch {marker}; exec sleep 300"]
        status, answer = ask(self.server, "PUT", "/_penstock/functions/sleeper",
                             {"Kind": "exec", "Command": command, "Timeout": 600})
        self.assertEqual(status, 200, answer)
        mapping = {"EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:slow", "FunctionName": "sleeper"}
        self.server.call("SetQueueAttributes", {"QueueUrl": url, "Attributes": {"VisibilityTimeout": "600"}})
        status, answer = ask(self.server, "POST", "/2015-03-31/event-source-mappings", mapping)
        self.assertEqual(status, 202, answer)
        self.server.call("SendMessage", {"QueueUrl": url, "MessageBody": "a"})
        wait_until(lambda: os.path.exists(marker))
        before = time.monotonic()
        self.reset()
        self.assertLess(time.monotonic() - before, 20)
        self.assertEqual(self.counts(), (0, 0, 0, 0, 0))

    def test_by_hand(self):
        self.server.create("by-hand")
        done = subprocess.run([harness.PENSTOCK, "state", "reset", "--endpoint", self.server.endpoint, "--json"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(json.loads(done.stdout)["queues"], 1)
        # Nobody has to be asked for that, and at port 9 nobody answers.
        for endpoint in (self.server.endpoint, "http://127.0.0.1:9"):
            done = subprocess.run([harness.PENSTOCK, "state", "reset", "--service", "s3", "--endpoint", endpoint],
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("--service is sqs, kinesis or lambda, not 's3'", done.stderr)

    def test_what_waits_to_be_tried_again_does_not_wait(self):
        status, answer = ask(self.server, "PUT", "/_penstock/functions/failing", {"Kind": "exec", "Command": ["false"]})
        self.assertEqual(status, 200, answer)
        event = {"X-Amz-Invocation-Type": "Event"}
        path = "/2015-03-31/functions/failing/invocations"
        self.assertEqual(ask(self.server, "POST", path, {}, event)[0], 202)
        before = time.monotonic()
        self.reset()
        self.assertLess(time.monotonic() - before, 20)
        self.assertTrue(ask(self.server, "GET", "/_penstock/idle?wait=10s")[1]["idle"])

    def test_names_can_be_used_again_at_once_whatever_the_limits_and_the_clock_say(self):
        flags = ("--limits", "strict", "--clock", "virtual", "--stream-transition", "5000")
        with InDirectoryServer(*flags) as server:
            ask(server, "POST", "/_penstock/clock", {"freeze": True})
            for _ in range(2):
                self.assertEqual(server.call("CreateQueue", {"QueueName": "jobs"})[0], 200)
                self.assertEqual(kinesis(server, "CreateStream", {"StreamName": "clicks", "ShardCount": 1})[0], 200)
                self.assertEqual(ask(server, "POST", "/_penstock/reset", {})[0], 200)
            url = server.create("jobs")
            server.call("DeleteQueue", {"QueueUrl": url})
            self.assertEqual(server.call("CreateQueue", {"QueueName": "jobs"})[0], 400, "deleted recently")
            self.assertEqual(ask(server, "POST", "/_penstock/reset", {})[0], 200)
            server.create("jobs")


class ResetsWithASetup(InDirectory):
    def test_what_the_file_says_is_made_again(self):
        config = pathlib.Path(self.directory, "penstock.yaml")
        config.write_text("queues:\n  orders:\n  more: {VisibilityTimeout: 7}\nstreams:\n  sales:\n")
        with Server(self.directory, "--config", str(config)) as server:
            url = f"{server.endpoint}/000000000000/orders"
            server.call("SendMessage", {"QueueUrl": url, "MessageBody": "a"})
            server.create("another")
            status, answer = ask(server, "POST", "/_penstock/reset", {"setup": True})
            self.assertEqual((status, answer["queues"], answer["streams"]), (200, 3, 1))
            names = [name.rsplit("/", 1)[1] for name in server.call("ListQueues", {})[1]["QueueUrls"]]
            self.assertEqual(sorted(names), ["more", "orders"])
            self.assertEqual(drain(server, url), [])
            self.assertEqual(kinesis(server, "ListStreams", {})[1]["StreamNames"], ["sales"])
            self.assertEqual(server.stop()[0], 0)

    def test_a_kill_in_between_leaves_things_whole(self):
        with Server(self.directory) as server:
            for number in range(300):
                url = server.create(f"q{number}")
                server.call("SendMessage", {"QueueUrl": url, "MessageBody": "a"})
            killer = threading.Timer(0.05, server.process.kill)
            killer.start()
            try:
                ask(server, "POST", "/_penstock/reset", {})
            except (OSError, http.client.HTTPException):
                pass
            killer.join()
        done = subprocess.run([harness.PENSTOCK, "check", "--data-dir", os.path.join(self.directory, "data")],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        with Server(self.directory) as server:
            for url in server.call("ListQueues", {"MaxResults": 1000})[1].get("QueueUrls", []):
                self.assertEqual(drain(server, url), ["a"])

if __name__ == "__main__":
    harness.main()
