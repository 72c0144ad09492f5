#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""An hour of hostile and normal load on one server: every normal call is answered, memory stays flat,
and no stream or file descriptor is left over.

Runs when APUS_TEST_LONG is set; APUS_SOAK_SECONDS is its length (3600). The server is `apus etcd`,
with and without TLS; APUS_BIN names the folder of the built programs.
"""

import http.client
import os
import pathlib
import random
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import zlib

if os.environ.get("APUS_TEST_LONG") != "1":
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(77)
try:
    import grpc
except ImportError:
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(77)

APUS = os.path.join(os.environ["APUS_BIN"], "apus")
SECONDS = int(os.environ.get("APUS_SOAK_SECONDS", "3600"))
PAUSE = 0.5
# What allocators keep of a peak, beside what the warm-up has already shown.
MEMORY_SLACK = 16 << 20
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RESET, SETTINGS, PING, CONTINUATION = 0, 1, 2, 3, 4, 6, 9
END_STREAM, END_HEADERS = 1, 4


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def literal(name, value):
    """A header field without indexing (RFC 7541 section 6.2.2)."""
    def text(data):
        if len(data) < 127:
            return bytes([len(data)]) + data
        rest, out = len(data) - 127, b"\x7f"
        while rest >= 128:
            rest, out = rest >> 7, out + bytes([rest & 127 | 128])
        return out + bytes([rest]) + data
    return b"\0" + text(name) + text(value)


def head(path, *more):
    fields = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", path), (b":authority", b"a"),
              (b"content-type", b"application/grpc"), (b"te", b"trailers"), *more]
    return b"".join(literal(name, value) for name, value in fields)


RANGE, WATCH = b"/etcdserverpb.KV/Range", b"/etcdserverpb.Watch/Watch"
START = PREFACE + frame(SETTINGS, 0, 0) + frame(SETTINGS, 1, 0)


def message(data, flags=0):
    return bytes([flags]) + len(data).to_bytes(4, "big") + data


def open_stream(stream, path=WATCH, *more):
    return frame(HEADERS, END_HEADERS, stream, head(path, *more))


def gzip(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


BOMB = gzip(bytes(64 << 20))
ZERO_WINDOW = PREFACE + frame(SETTINGS, 0, 0, b"\0\4\0\0\0\0") + frame(SETTINGS, 1, 0)
CHUNKED = b"POST /health HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

# Each a list of what is sent, piece by piece, on a connection of its own.
ATTACKS = {
    "rapid reset": [START, *[open_stream(i) + frame(RESET, 0, i, b"\0\0\0\x08")
                             for i in range(1, 3001, 2)]],
    "CONTINUATION flood": [START, frame(HEADERS, 0, 1, head(RANGE))]
                          + [frame(CONTINUATION, 0, 1, b"")] * 2000,
    "SETTINGS flood": [START] + [frame(SETTINGS, 0, 0)] * 2000,
    "PING flood": [START] + [frame(PING, 0, 0, bytes(8))] * 3000,
    "PRIORITY flood": [START] + [frame(PRIORITY, 0, 1, b"\0\0\0\0\1")] * 5000,
    "empty DATA flood": [START, open_stream(1)] + [frame(DATA, 0, 1)] * 3000,
    "zero window": [ZERO_WINDOW] + [open_stream(i) + frame(DATA, 0, i, message(b"\n\3\n\1a"))
                                    for i in range(1, 101, 2)],
    "server-provoked resets": [START, *[open_stream(i) + frame(8, 0, i, bytes(4))
                                        for i in range(1, 3001, 2)]],
    "header bomb": [START, frame(HEADERS, END_HEADERS, 1, b"\x40\1a\x7f\x81\x1e" + b"b" * 4000
                                 + b"\xbe" * 12000)],
    "a length prefix of 4 GiB": [START, open_stream(1, RANGE),
                                 frame(DATA, 0, 1, b"\0\xff\xff\xff\xff")],
    "decompression bomb": [START, open_stream(1, RANGE, (b"grpc-encoding", b"gzip"))]
                          + [frame(DATA, 0, 1, part) for whole in [message(BOMB, 1)]
                             for part in (whole[i:i + 16000] for i in range(0, len(whole), 16000))],
    "idle streams, dropped": [START] + [open_stream(i) + frame(DATA, 0, i, message(b"\n\3\n\1a"))
                                        for i in range(1, 201, 2)],
    "slow headers": [b"GET /health HTTP/1.1\r\nHost: a\r\nX: "],
    "an endless chunk size": [CHUNKED] + [b"0" * 65536] * 64,
    "request smuggling": [b"POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                          b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n"],
    "half a greeting": [PREFACE[:10]],
    "half a TLS handshake": [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    "nothing": [],
}


def noise():
    kinds = b"".join(frame(random.randrange(16), random.randrange(256), random.randrange(8),
                           random.randbytes(random.randrange(64))) for _ in range(50))
    return [START, kinds]


def attack(pieces, port, tls):
    """Sends all, listens for a moment, and hangs up in one of two ways."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
            sock = tls.wrap_socket(plain) if tls else plain
            with sock:
                for piece in pieces:
                    sock.sendall(piece)
                sock.settimeout(0.3)
                while sock.recv(65536):
                    pass
                if random.random() < 0.5:
                    linger = b"\1\0\0\0\0\0\0\0"
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    except OSError:
        pass


class Server:
    def __init__(self, folder):
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            two.bind(("127.0.0.1", 0))
            self.port, self.tls_port = one.getsockname()[1], two.getsockname()[1]
        self.process = subprocess.Popen(
            [APUS, "etcd", "--data-dir", f"{folder}/etcd", "--log-level", "error", "--listen-client-urls",
             f"http://127.0.0.1:{self.port},https://127.0.0.1:{self.tls_port}",
             "--cert-file", f"{folder}/cert.pem", "--key-file", f"{folder}/key.pem"],
            stdin=subprocess.DEVNULL)
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.tls_port)) == 0:
                    return
            time.sleep(0.05)
        sys.exit("apus etcd does not listen")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        fields = dict(line.split(":", 1) for line in text.splitlines())
        return int(fields["RssAnon"].split()[0]) << 10

    def settle(self):
        """Descriptors and memory when every peer has hung up and the server has seen it."""
        count = self.descriptors()
        for _ in range(60):
            time.sleep(0.5)
            count, last = self.descriptors(), count
            if count == last:
                break
        return count, self.memory()


def normal(server, context):
    """Calls of well-behaved clients; raises when one is not answered."""
    def same(data):
        return data

    for target in (f"127.0.0.1:{server.port}",):
        with grpc.insecure_channel(target) as channel:
            fetch = channel.unary_unary(RANGE.decode(), same, same)
            for _ in range(20):
                assert fetch(b"\n\1a", timeout=60)
            watch = channel.stream_stream(WATCH.decode(), same, same)
            call = watch(iter([b"\n\3\n\1a"]), timeout=60)
            assert next(call)
            call.cancel()
    for connection in (http.client.HTTPConnection("127.0.0.1", server.port, timeout=60),
                       http.client.HTTPSConnection("127.0.0.1", server.tls_port, timeout=60,
                                                   context=context)):
        for _ in range(3):
            connection.request("GET", "/health")
            answer = connection.getresponse()
            assert answer.status == 200, answer.status
            answer.read()
        connection.close()


def soak(server, context):
    """Rounds of every attack until the time is over; then what is left."""
    start, rounds, warm = time.monotonic(), 0, None
    while time.monotonic() - start < SECONDS:
        attacks = list(ATTACKS.values()) + [noise() for _ in range(5)]
        random.shuffle(attacks)
        for number, pieces in enumerate(attacks):
            attack(pieces, server.port, None)
            if number % 4 == 0:
                attack(pieces, server.tls_port, context)
            if number % 8 == 0:
                normal(server, context)
            time.sleep(PAUSE)
        rounds += 1
        # By then every limit has been reached once.
        if warm is None and time.monotonic() - start > SECONDS / 6:
            warm = server.settle()
            print(f"after {rounds} rounds: {warm[0]} descriptors, {warm[1] >> 10} KiB", flush=True)
    return rounds, warm, server.settle()


def main():
    seed = int.from_bytes(os.urandom(4), "big")
    random.seed(seed)
    failures = []
    with tempfile.TemporaryDirectory(prefix="apus-soak-") as folder:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{folder}/key.pem",
                        "-out", f"{folder}/cert.pem", "-days", "2", "-subj", "/CN=localhost"],
                       check=True, capture_output=True)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with Server(folder) as server:
            idle = server.settle()
            rounds, warm, end = soak(server, context)
            print(f"seed {seed}; {rounds} rounds; idle {idle}, warm {warm}, end {end}")
            if server.process.poll() is not None:
                failures.append("the server ended")
            if end[0] > idle[0]:
                failures.append(f"{end[0] - idle[0]} descriptors are left over")
            if warm and end[1] > warm[1] + MEMORY_SLACK:
                failures.append(f"memory grew from {warm[1]} to {end[1]} bytes")
    for failure in failures:
        print(f"FAILED: {failure}")
    print(f"{3 - len(failures)} passed, {len(failures)} failed, 0 skipped")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
