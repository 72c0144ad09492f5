#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""`apus etcd` when the machine fails it: kills, disks, damage, clocks, clients that do not read."""

import json
import os
import random
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from etcd_support import IS_LONG, Etcd, Tests, apus, etcdctl, expect, expect_match

tests = Tests(needs=["etcdctl"])


def put(etcd, key, value, flags=(), timeout=30):
    return etcdctl(etcd, "put", key, value, flags=flags, timeout=timeout)


def get(etcd, key):
    code, output = etcdctl(etcd, "get", key, "--print-value-only")
    expect(code == 0, output)
    return output.rstrip("\n")


def revision(etcd):
    return json.loads(etcdctl(etcd, "get", "x", "-w", "json")[1])["header"]["revision"]


# Killed


def killed():
    """Rounds of kill -9 while clients write over the network: what was acknowledged is there."""
    directory, rng, acknowledged = tests.folder("killed"), random.Random(7), {}
    for number in range(40 if IS_LONG else 5):
        with Etcd(directory) as etcd:
            before = revision(etcd)
            stop = threading.Event()

            def write(worker):
                count = 0
                while not stop.is_set():
                    key, value = f"w{worker}", f"{number}.{count}"
                    code, _ = put(etcd, key, value, flags=["--command-timeout=2s"])
                    if code != 0:
                        return
                    acknowledged[key] = (number, count)
                    count += 1

            workers = [threading.Thread(target=write, args=(n,)) for n in range(6)]
            for worker in workers:
                worker.start()
            time.sleep(rng.uniform(0.1, 0.6))
            etcd.kill()
            stop.set()
            for worker in workers:
                worker.join()
        with Etcd(directory) as etcd:
            expect(revision(etcd) >= before, "the revision ran back")
            for key, (round_, count) in acknowledged.items():
                found = tuple(int(part) for part in get(etcd, key).split("."))
                expect(found >= (round_, count), f"{key}: {found}, acknowledged {round_, count}")
            etcd.stop()
    code, output = apus("etcd", "check", "--data-dir", directory)
    expect(code == 0, output)


# Disks


class SmallDisk:
    """A file system of its own in a file."""

    def __init__(self, megabytes, *options):
        self.image = tempfile.mktemp(prefix="apus-etcd-disk-")
        self.path = self.image + ".mnt"
        self.options = options
        self.megabytes = megabytes

    def __enter__(self):
        with open(self.image, "wb") as file:
            file.truncate(self.megabytes << 20)
        subprocess.run(
            ["mkfs.ext4", "-q", "-F", "-m", "0", *self.options, self.image],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        os.mkdir(self.path)
        subprocess.run(["mount", "-o", "loop", self.image, self.path], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", self.path], check=False)
        os.rmdir(self.path)
        os.unlink(self.image)


def can_mount():
    if os.geteuid() != 0 or not shutil.which("mkfs.ext4"):
        return False
    try:
        with SmallDisk(8):
            return True
    except (subprocess.CalledProcessError, OSError):
        return False


def disk_full():
    if not can_mount():
        return "skip"
    with SmallDisk(64) as disk, Etcd(disk.path + "/data") as etcd:
        expect(put(etcd, "first", "1")[0] == 0, "a put")
        free = os.statvfs(disk.path)
        hog = disk.path + "/hog"
        with open(hog, "wb") as file:
            left = free.f_bavail * free.f_frsize - (1 << 20)
            os.posix_fallocate(file.fileno(), 0, left)
        output = ""
        for number in range(2000):
            code, output = put(etcd, f"k{number}", "x" * 100_000)
            if code != 0:
                break
        expect_match("database space exceeded", output)
        expect_match("alarm:NOSPACE", etcdctl(etcd, "alarm", "list")[1])
        expect(get(etcd, "first") == "1", "reads go on")
        watch = subprocess.Popen(
            ["etcdctl", "--endpoints", f"127.0.0.1:{etcd.port}", "watch", "k0", "--rev=1"],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "ETCDCTL_API": "3"},
        )
        code, output = etcdctl(etcd, "del", "k0")
        expect(code == 0, f"a deletion makes space: {output}")
        expect(watch.stdout.readline() == "PUT\n", "watches go on")
        watch.kill()
        watch.wait()
        os.unlink(hog)
        expect(put(etcd, "a", "1")[0] != 0, "the alarm stays until it is disarmed")
        expect_match("alarm:NOSPACE", etcdctl(etcd, "alarm", "disarm")[1])
        code, output = put(etcd, "after", "2")
        expect(code == 0, output)
        expect(etcd.stop() == 0, "it stops in order")
        with Etcd(etcd.directory) as again:
            expect(get(again, "after") == "2" and get(again, "first") == "1", "after a restart")
            again.stop()


def no_inodes():
    if not can_mount():
        return "skip"
    with SmallDisk(64, "-N", "16") as disk:
        number = 0
        try:
            while True:
                open(f"{disk.path}/f{number}", "w").close()
                number += 1
        except OSError:
            pass
        code, output = apus("etcd", "--data-dir", disk.path + "/data")
        expect(code == 1, output)
        expect_match(r"No space left on device", output)
        expect(len(output.strip().splitlines()) == 1, output)


def preloaded():
    """The library with the failing calls, built on the spot; None without a compiler."""
    compiler = shutil.which("cc") or shutil.which("clang")
    if not compiler:
        return None
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "failing_disk.c")
    library = tests.folder("failing_disk.so")
    if not os.path.exists(library):
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True
        )
    return library


class Faults:
    def __init__(self, name):
        self.library = preloaded()
        self.path = tests.folder(name + ".fault")
        self.environment = {"LD_PRELOAD": self.library or "", "APUS_FAULTS": self.path}

    def set(self, word):
        with open(self.path + ".new", "w") as file:
            file.write(word)
        os.rename(self.path + ".new", self.path)


def flush_fails():
    faults = Faults("flush")
    if not faults.library:
        return "skip"
    directory = tests.folder("flush")
    with Etcd(directory, environment=faults.environment) as etcd:
        expect(put(etcd, "a", "1")[0] == 0, "a put")
        faults.set("fail")
        code, output = put(etcd, "a", "2", flags=["--command-timeout=5s"])
        expect(code != 0, f"a write is acknowledged without being on the disk: {output}")
        code = etcd.process.wait(20)
        expect(code == 1, f"exit code {code}")
        expect_match("the disk failed: .*Input/output error", etcd.output())
    faults.set("")
    with Etcd(directory) as etcd:
        expect(get(etcd, "a") in ("1", "2"), "the write that failed is there or not")
        expect(put(etcd, "a", "3")[0] == 0, "a put after the restart")
        etcd.stop()
    code, output = apus("etcd", "check", "--data-dir", directory)
    expect(code == 0, output)


def flush_is_slow():
    faults = Faults("slow")
    if not faults.library:
        return "skip"
    with Etcd(tests.folder("slow"), environment=faults.environment) as etcd:
        expect(put(etcd, "a", "1")[0] == 0, "a put")
        faults.set("slow")
        begin = time.monotonic()
        code, output = put(etcd, "a", "2", flags=["--command-timeout=30s"])
        took = time.monotonic() - begin
        expect(code == 0 and took >= 1.9, f"{took} s: {output}")
        expect(etcd.process.poll() is None and get(etcd, "a") == "2", "nothing exits")
        metrics = etcd.get("/metrics")[1]
        sum_ = float(re.search(r"^etcd_disk_wal_fsync_duration_seconds_sum (\S+)", metrics, re.M)[1])
        expect(sum_ > 1.9, f"the latency is reported: {sum_}")
        faults.set("")
        etcd.stop()


def clock_jumps():
    faults = Faults("clock")
    if not faults.library:
        return "skip"
    with Etcd(tests.folder("clock"), environment=faults.environment) as etcd:
        output = etcdctl(etcd, "lease", "grant", "3")[1]
        lease = re.search(r"lease (\w+)", output).group(1)
        begin = time.monotonic()
        expect(put(etcd, "leased", "1", flags=[])[0] == 0, "a put")
        code, output = etcdctl(etcd, "put", "leased", "1", f"--lease={lease}")
        expect(code == 0, output)
        faults.set("jump")
        while get(etcd, "leased") == "1":
            expect(time.monotonic() - begin < 15, "the lease does not end")
            time.sleep(0.05)
        expect(time.monotonic() - begin > 2.8, "the lease ended early")
        etcd.stop()


# Damage


def sound_store(name):
    directory = tests.folder(name)
    with Etcd(directory) as etcd:
        for number in range(30):
            expect(put(etcd, f"k{number}", "v" * 3000)[0] == 0, "a put")
        etcd.stop()
    return directory


def damaged():
    directory = sound_store("damaged")
    data = directory + "/data.mdb"
    code, output = apus("etcd", "check", "--data-dir", directory)
    expect(code == 0 and "is sound" in output, output)
    with open(data, "rb") as file:
        content = file.read()
    # A byte inside a value that is in use.
    offsets = [match.start() + 500 for match in re.finditer(b"v{1500}", content)]
    expect(offsets, "no value in the file")
    found = 0
    for offset in offsets:
        with open(data, "r+b") as file:
            file.seek(offset)
            file.write(b"w")
        code, output = apus("etcd", "check", "--data-dir", directory)
        if code == 1:
            found += 1
            expect_match("damaged|checksum|page", output)
            code, output = apus("etcd", "--data-dir", directory, "--listen-client-urls=http://127.0.0.1:1")
            expect(code == 1 and data in output, output)
        with open(data, "r+b") as file:
            file.seek(offset)
            file.write(b"v")
        if found >= 3:
            break
    expect(found > 0, "no damage was noticed")
    # Cut off, and with the log gone.
    with open(data, "r+b") as file:
        file.truncate(6 * 4096)
    code, output = apus("etcd", "check", "--data-dir", directory)
    expect(code == 1 and data in output, output)
    with open(data, "wb") as file:
        file.write(b"not a store at all" * 1000)
    code, output = apus("etcd", "check", "--data-dir", directory)
    expect(code == 1 and data in output, output)


def lost_log():
    directory = tests.folder("lost")
    with Etcd(directory) as etcd:
        expect(put(etcd, "a", "1")[0] == 0, "a put")
        etcd.kill()
    shutil.rmtree(directory + "/log")
    code, output = apus("etcd", "check", "--data-dir", directory)
    expect(code == 1, output)
    expect_match("log", output)


def permissions():
    directory = sound_store("permissions")
    os.chmod(directory, 0o755)
    code, output = apus("etcd", "check", "--data-dir", directory)
    expect(code == 1, output)
    expect_match("chmod 700", output)
    os.chmod(directory, 0o700)
    with Etcd(directory) as etcd:
        code, output = apus("etcd", "--data-dir", directory)
        expect(code == 1, output)
        expect_match(rf"in use by another process \(pid {etcd.process.pid}\)", output)
        code, output = apus(
            "etcd", "--data-dir", tests.folder("other"), "--listen-client-urls", etcd.url
        )
        expect(code == 1, output)
        etcd.stop()
    code, output = apus("etcd", "check", "--data-dir", tests.folder("missing"))
    expect(code == 1 and "holds no store" in output, output)


# Clients


def watcher_that_never_reads():
    """HTTP/2 by hand: a watch on everything whose socket is never read again."""
    with Etcd(tests.folder("reader")) as etcd:
        stuck = socket.create_connection(("127.0.0.1", etcd.port))
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

        def frame(kind, flags, stream, payload):
            size = len(payload).to_bytes(3, "big")
            return size + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload

        def header(name, value):
            return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value

        fields = b"".join(
            header(name, value)
            for name, value in [
                (b":method", b"POST"), (b":scheme", b"http"),
                (b":path", b"/etcdserverpb.Watch/Watch"), (b":authority", b"localhost"),
                (b"content-type", b"application/grpc"), (b"te", b"trailers"),
            ]
        )
        # WatchRequest{create_request{key "\0", range_end "\0", prev_kv}}
        create = b"\x0a\x08\x0a\x01\x00\x12\x01\x00\x30\x01"
        message = b"\x00" + len(create).to_bytes(4, "big") + create
        # The window is as big as can be, so that only the socket holds the server back.
        window = (4).to_bytes(2, "big") + (0x7FFFFFFF).to_bytes(4, "big")
        stuck.sendall(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, window)
            + frame(8, 0, 0, (0x7FFF0000).to_bytes(4, "big"))
            + frame(1, 4, 1, fields) + frame(0, 0, 1, message)
        )
        reader = subprocess.Popen(
            ["etcdctl", "--endpoints", f"127.0.0.1:{etcd.port}", "watch", "b", "--prefix"],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "ETCDCTL_API": "3"},
        )
        time.sleep(0.5)
        before = etcd.resident()
        value = "x" * 1_000_000
        rounds = 300 if IS_LONG else 80
        for number in range(rounds):
            code, output = etcdctl(etcd, "put", f"b{number % 10}", text=value)
            expect(code == 0, output)
        lines = 0
        while lines < rounds * 3:
            expect(reader.stdout.readline(), "the other watcher ended")
            lines += 1
        reader.kill()
        reader.wait()
        grown = etcd.resident() - before
        expect(grown < 60 << 20, f"memory grew by {grown >> 20} MiB")
        stuck.close()
        expect(put(etcd, "after", "1")[0] == 0, "a put")
        etcd.stop()


for test in [
    killed, disk_full, no_inodes, flush_fails, flush_is_slow, clock_jumps, damaged, lost_log,
    permissions, watcher_that_never_reads,
]:
    tests.run(test.__name__, test)
tests.finish()
