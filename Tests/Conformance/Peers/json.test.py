#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
# scripts/test: beside
"""The JSON of google.protobuf's own types against Google's json_format, both ways.

Every value of a table is written by Python in binary form and as JSON. Swift's JSON of the bytes must
say the same, and Swift's bytes of Python's JSON must parse to an equal message. What one refuses the
other refuses. The Swift side is apus-peer (APUS_BIN names its folder); messages.test.py has the
protocol.
"""

import json
import os
import random
import struct
import subprocess
import sys

try:
    from google.protobuf import (any_pb2, duration_pb2, empty_pb2, field_mask_pb2, json_format,
                                 struct_pb2, timestamp_pb2, wrappers_pb2)
except ImportError:
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(77)

TO_JSON, FROM_JSON = 4, 5
counts = {"passed": 0, "failed": 0, "skipped": 0}


class Peer:
    def __init__(self):
        self.process = subprocess.Popen([os.path.join(os.environ["APUS_BIN"], "apus-peer"), "messages"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, operation, name, body):
        """Status and answer."""
        name = name.encode()
        self.process.stdin.write(struct.pack(">BI", operation, len(name)) + name
                                 + struct.pack(">I", len(body)) + body)
        self.process.stdin.flush()
        status, length = struct.unpack(">BI", self.process.stdout.read(5))
        return status, self.process.stdout.read(length)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def check(condition, *shown):
    counts["passed" if condition else "failed"] += 1
    if not condition:
        print("FAILED:", *shown)


def packed(message):
    result = any_pb2.Any()
    result.Pack(message)
    return result


def value(content):
    return json_format.ParseDict(content, struct_pb2.Value())


def messages(rng):
    """What both write and read."""
    for seconds in (0, 1, -1, 1_700_000_000, -62_135_596_800, 253_402_300_799):
        for nanos in (0, 1, 10, 999_999_999, 20_000_000, 21_000, 500_000_000):
            yield timestamp_pb2.Timestamp(seconds=seconds, nanos=nanos)
            yield duration_pb2.Duration(seconds=abs(seconds) % 315_576_000_001, nanos=nanos)
            yield duration_pb2.Duration(seconds=-(abs(seconds) % 315_576_000_001), nanos=-nanos)
    for _ in range(300):
        yield timestamp_pb2.Timestamp(seconds=rng.randrange(-62_135_596_800, 253_402_300_800),
                                      nanos=rng.randrange(10 ** rng.randrange(1, 10)))
    for kind, values in {
        wrappers_pb2.BoolValue: (False, True),
        wrappers_pb2.BytesValue: (b"", b"\0\xff", bytes(range(256))),
        wrappers_pb2.DoubleValue: (0.0, 1.5, -1e300, 5e-324, float("inf"), float("-inf")),
        wrappers_pb2.FloatValue: (0.0, 0.1, -3.0e38, float("inf")),
        wrappers_pb2.Int32Value: (0, 1, -2**31, 2**31 - 1),
        wrappers_pb2.Int64Value: (0, 1, -2**63, 2**63 - 1),
        wrappers_pb2.StringValue: ("", "a", "\u00e4\"\\\n\U0001f600"),
        wrappers_pb2.UInt32Value: (0, 2**32 - 1),
        wrappers_pb2.UInt64Value: (0, 2**64 - 1),
    }.items():
        for content in values:
            yield kind(value=content)
    for paths in ([], ["a"], ["foo_bar", "a.b_c.d"], ["x1"]):
        yield field_mask_pb2.FieldMask(paths=paths)
    nested = None
    for _ in range(10):
        nested = [{"a": nested}]
    for content in (None, 0, 1.5, -2e100, "", "text", True, False, {}, [], [None, [], {}], nested,
                    {"a": {"b": [1, "2", None, True]}, "": {}, "null": None}):
        yield value(content)
        if isinstance(content, dict):
            yield value(content).struct_value
        if isinstance(content, list):
            yield value(content).list_value
    yield empty_pb2.Empty()
    yield any_pb2.Any()
    for inside in (duration_pb2.Duration(seconds=1), empty_pb2.Empty(), value({"a": [None]}),
                   wrappers_pb2.Int64Value(value=5), packed(timestamp_pb2.Timestamp(seconds=9)),
                   any_pb2.Any(type_url="type.googleapis.com/google.protobuf.Empty")):
        yield packed(inside)


# What both refuse to read.
BAD_JSON = [
    (timestamp_pb2.Timestamp, text) for text in (
        '"1970-01-01"', '"1970-01-01T00:00:00"', '"1970-01-01 00:00:00Z"', '5', '{}', '"0000-01-01T00:00:00Z"',
        '"1970-01-01T00:00:00.0000000001Z"', '"1970-13-01T00:00:00Z"', '""')
] + [
    (duration_pb2.Duration, text) for text in (
        '"1"', '"s"', '"315576000001s"', '"1.x"', '"--1s"', '1', '{}', '""')
] + [
    (wrappers_pb2.Int32Value, text) for text in ('"x"', '2147483648', '1.5', 'true', '{"value": 1}')
] + [
    (wrappers_pb2.BoolValue, text) for text in ('"true"', '1')
] + [
    (field_mask_pb2.FieldMask, text) for text in ('"foo_bar"', '["a"]', '1')
] + [
    (struct_pb2.Struct, text) for text in ('[]', '"a"', '1')
] + [
    (struct_pb2.ListValue, text) for text in ('{}', '"a"', '1')
] + [
    (any_pb2.Any, text) for text in (
        '[]', '{"value": 1}', '{"@type": "type.googleapis.com/no.Such"}',
        '{"@type": "type.googleapis.com/google.protobuf.Duration"}',
        '{"@type": "type.googleapis.com/google.protobuf.Duration", "value": 1}')
]

# What both refuse to write.
BAD_MESSAGES = [
    timestamp_pb2.Timestamp(seconds=253_402_300_800), timestamp_pb2.Timestamp(seconds=-62_135_596_801),
    duration_pb2.Duration(seconds=315_576_000_001),
    field_mask_pb2.FieldMask(paths=["fooBar"]), field_mask_pb2.FieldMask(paths=["foo__bar"]),
    struct_pb2.Value(number_value=float("inf")), struct_pb2.Value(number_value=float("nan")),
    any_pb2.Any(type_url="type.googleapis.com/no.Such", value=b"a"),
]

# Other ways to write what is read.
EQUAL_JSON = [
    (timestamp_pb2.Timestamp, '"1970-01-01T01:00:00.5+01:00"', '"1970-01-01T00:00:00.500Z"'),
    (duration_pb2.Duration, '"1.5s"', '"1.500s"'), (duration_pb2.Duration, '"-0.000000001s"', None),
    (wrappers_pb2.Int64Value, '7', '"7"'), (wrappers_pb2.UInt32Value, '"7"', '7'),
    (wrappers_pb2.DoubleValue, '"NaN"', None),
    (any_pb2.Any, '{"value": "2s", "@type": "type.googleapis.com/google.protobuf.Duration"}', None),
]


def main():
    peer = Peer()
    rng = random.Random(1)
    for message in messages(rng):
        name = message.DESCRIPTOR.full_name
        theirs = json_format.MessageToJson(message, indent=None)
        status, ours = peer.ask(TO_JSON, name, message.SerializeToString())
        check(status == 0 and json.loads(ours) == json.loads(theirs), name, theirs, status, ours)
        status, data = peer.ask(FROM_JSON, name, theirs.encode())
        check(status == 0 and type(message).FromString(data) == message, name, theirs, status, data)
    for kind, text, canonical in EQUAL_JSON:
        name = kind.DESCRIPTOR.full_name
        status, data = peer.ask(FROM_JSON, name, text.encode())
        expected = json_format.Parse(text, kind())
        check(status == 0 and data == expected.SerializeToString(), name, text, status, data)
        if canonical:
            status, ours = peer.ask(TO_JSON, name, expected.SerializeToString())
            check(ours.decode() == canonical, name, canonical, ours)
    for kind, text in BAD_JSON:
        name = kind.DESCRIPTOR.full_name
        try:
            json_format.Parse(text, kind())
            check(False, "Python reads", name, text)
        except (json_format.Error, ValueError, TypeError):
            status, data = peer.ask(FROM_JSON, name, text.encode())
            check(status == 2, "read as", data, name, text)
    for message in BAD_MESSAGES:
        name = message.DESCRIPTOR.full_name
        try:
            json_format.MessageToJson(message)
            check(False, "Python writes", name, message)
        except (json_format.Error, ValueError, TypeError):
            status, data = peer.ask(TO_JSON, name, message.SerializeToString())
            check(status == 2, "written as", data, name, message)
    peer.close()
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
