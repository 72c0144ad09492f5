#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
# scripts/test: beside
"""Exchanges random instances of every message type of proto/ with the Swift codecs, both ways.

The schema files are compiled with grpcio-tools, the Python side is Google's protobuf runtime, the
Swift side the program apus-peer (APUS_BIN names its folder). One test per message type and way:

  Python to Swift to Python   a random instance, as Python writes it, as our rules write it, and
      with its fields in another order, is decoded and encoded by Swift. The answer must be, to the
      byte, what the rules of canonical.py say, and parse to a message that Python finds equal.
      Unknown fields must come back (or, where the schema drops them, must not).
  Swift to Python to Swift    Swift makes a random instance, Python parses and encodes it, and
      Swift must find the decoded result equal to the instance. Python must find every field of the
      message set in at least one of the instances.

Protocol of `apus-peer messages`, over its standard input and output, until the input ends. All
integers are big-endian; a request is answered before the next is looked at, in order.

  request  = operation:u8  name-length:u32  name  body-length:u32  body
  answer   = status:u8  body-length:u32  body

  name is the full name of the message, such as k8s.io.api.core.v1.Pod, in UTF-8.

  operation 1, recode    body: the encoded message.  Answer: decoded and encoded again.
  operation 2, generate  body: seed:u64.  Answer: the encoding of an instance that depends on name
      and seed only. Over a hundred seeds every field is set at least once: oneofs take every case,
      lists and maps are often empty and often have several entries, messages nest to a limited
      depth. Enums hold declared values; Time and MicroTime are empty or hold seconds and whole
      seconds or microseconds; Quantity, RawExtension, JSON and FieldsV1 hold valid text.
  operation 3, compare   body: seed:u64, then the encoded message.  Answer: one byte, 1 when the
      decoded message equals the instance of that seed, else 0.
  operation 4, to JSON   body: the encoded message.  Answer: its JSON (json.test.py).
  operation 5, from JSON body: JSON.  Answer: the encoded message (json.test.py).

  status 0: done. 1: no such message. 2: the body cannot be decoded; the answer's body says why, in
  UTF-8. 3: another error, said likewise. After any status the peer goes on.
"""

import argparse
import os
import pathlib
import random
import struct
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import canonical  # noqa: E402
import instances  # noqa: E402
import schemas as schema_files  # noqa: E402

RECODE, GENERATE, COMPARE = 1, 2, 3
STATUS = {1: "no such message", 2: "cannot be decoded", 3: "error"}

# Field numbers that no message has.
UNKNOWN = (
    canonical.tag(536870911, canonical.VARINT) + canonical.varint(300)
    + canonical.tag(536870910, canonical.LENGTH) + b"\x03abc"
    + canonical.tag(536870909, canonical.FIXED32) + b"\x01\x02\x03\x04"
    + canonical.tag(536870908, canonical.FIXED64) + b"\x01\x02\x03\x04\x05\x06\x07\x08")


class Mismatch(Exception):
    pass


class Peer:
    """The Swift program. Requests are pipelined: one thread writes while the other reads."""

    def __init__(self, command):
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            raise schema_files.Failure(f"cannot start {command[0]}: {error.strerror}")

    def exchange(self, requests):
        """Answers of requests (operation, name, body), as (status, body)."""
        data = b"".join(
            struct.pack(">BI", operation, len(name)) + name + struct.pack(">I", len(body)) + body
            for operation, name, body in requests)
        writer = threading.Thread(target=self.write, args=(data,))
        writer.start()
        try:
            return [self.read() for _ in requests]
        finally:
            writer.join()

    def write(self, data):
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the reader says so

    def read(self):
        head = self.process.stdout.read(5)
        if len(head) < 5:
            raise schema_files.Failure(
                f"the peer ended in the middle of the exchange, exit code {self.process.wait()}")
        status, length = struct.unpack(">BI", head)
        return status, self.process.stdout.read(length)

    def close(self):
        self.process.stdin.close()
        try:
            code = self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise schema_files.Failure("the peer did not end with its input")
        if code != 0:
            raise schema_files.Failure(f"the peer ended with exit code {code}")


class Tests:
    def __init__(self, peer, schemas, count):
        self.peer = peer
        self.schemas = schemas
        self.count = count
        self.generator = instances.Generator(schemas)
        self.encoder = canonical.Encoder(schemas)
        self.exchanged = 0

    def answered(self, answer, what):
        status, body = answer
        if status != 0:
            raise Mismatch(f"{what}: {STATUS.get(status, status)}: {body.decode(errors='replace')}")
        return body

    def shuffled(self, data, seed):
        """The same message with its fields in another order."""
        groups = {}
        for number, chunk in canonical.chunks(data):
            groups.setdefault(number, []).append(chunk)
        order = list(groups.values())
        random.Random(seed).shuffle(order)
        return b"".join(chunk for group in order for chunk in group)

    def python_swift_python(self, name):
        requests, expected = [], []
        for seed in range(self.count):
            message = self.generator.instance(name, seed)
            encoded = self.encoder.encode(message)
            inputs = [message.SerializeToString()]
            if seed % 4 == 1:
                inputs.append(self.shuffled(encoded, seed))
            if seed % 4 == 2:
                inputs.append(encoded)
            for data in inputs:
                requests.append((RECODE, name.encode(), data))
                expected.append((seed, message, encoded, encoded))
            if seed % 4 == 3:
                requests.append((RECODE, name.encode(), encoded + UNKNOWN))
                kept = b"" if self.schemas.drops[name] else UNKNOWN
                expected.append((seed, None, encoded, encoded + kept))
        answers = self.peer.exchange(requests)
        self.exchanged += len(requests)
        for answer, request, (seed, message, encoded, wanted) in zip(answers, requests, expected):
            body = self.answered(answer, f"seed {seed}")
            if message is not None:
                back = type(message).FromString(body)
                if self.encoder.fill(message) != back:
                    raise Mismatch(f"seed {seed}: not equal: sent {request[2].hex()}, "
                                   f"got {body.hex()}")
            if body != wanted:
                raise Mismatch(f"seed {seed}: equal but other bytes: sent {request[2].hex()}, "
                               f"got {body.hex()}, expected {wanted.hex()}")

    def swift_python_swift(self, name):
        seeds = [struct.pack(">Q", seed) for seed in range(self.count)]
        made = self.peer.exchange([(GENERATE, name.encode(), seed) for seed in seeds])
        requests, seen = [], set()
        for seed, answer in zip(seeds, made):
            body = self.answered(answer, f"seed {seed.hex()}")
            message = self.schemas.new(name)
            try:
                message.ParseFromString(body)
            except Exception as error:
                raise Mismatch(f"seed {seed.hex()}: Python cannot parse {body.hex()}: {error}")
            if self.encoder.encode(message) != body:
                raise Mismatch(f"seed {seed.hex()}: not the encoding of the rules: {body.hex()}, "
                               f"expected {self.encoder.encode(message).hex()}")
            seen |= {number for number, _ in canonical.chunks(body)}
            requests.append((COMPARE, name.encode(),
                             seed + message.SerializeToString(deterministic=True)))
        for request, answer in zip(requests, self.peer.exchange(requests)):
            if self.answered(answer, f"seed {request[2][:8].hex()}") != b"\x01":
                raise Mismatch(f"seed {request[2][:8].hex()}: Swift finds its own instance "
                               f"changed: {request[2][8:].hex()}")
        self.exchanged += 2 * len(requests)
        never = [r.name for r in self.schemas.fields[name] if r.number not in seen]
        if never:
            raise Mismatch(f"never set in {self.count} instances: {', '.join(never)}")


def command_of(arguments):
    if arguments.peer:
        return arguments.peer.split()
    folder = os.environ.get("APUS_BIN")
    if not folder:
        raise schema_files.Failure("APUS_BIN is not set: the folder of the built programs")
    return [str(pathlib.Path(folder) / "apus-peer"), "messages"]


def main():
    parser = argparse.ArgumentParser(
        prog="messages.test.py", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=200, metavar="N",
                        help="instances of each message each way (default 200)")
    parser.add_argument("--message", action="append", metavar="NAME",
                        help="only this message; may be given more than once")
    parser.add_argument("--peer", metavar="COMMAND",
                        help="the peer's command (default $APUS_BIN/apus-peer messages)")
    arguments = parser.parse_args()
    passed = failed = 0
    try:
        peer = Peer(command_of(arguments))
        schemas = schema_files.Schemas()
        names = arguments.message or schemas.names
        for name in names:
            if name not in schemas.fields:
                raise schema_files.Failure(f"no message {name}")
        tests = Tests(peer, schemas, arguments.instances)
        for name in names:
            for test in (tests.python_swift_python, tests.swift_python_swift):
                try:
                    test(name)
                    passed += 1
                except Mismatch as mismatch:
                    failed += 1
                    text = str(mismatch)
                    print(f"failed: {test.__name__} {name}: {text[:2000]}", file=sys.stderr)
        peer.close()
    except schema_files.Failure as failure:
        print(f"messages.test.py: {failure}", file=sys.stderr)
        return 1
    print(f"{len(names)} message types, {tests.exchanged} instances exchanged")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
