# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""The one encoding of a message that Apus writes, as a Python model of its rules.

Fields ascend by number. A field with the option `value` is always there, zero or not, and so is
all that is `value` in it. Any other field is there when it is set; one without presence when it is
not zero. Entries of a map ascend by key and always have key and value. Repeated scalars are packed
where the schema says so (proto3), never in proto2.
"""

import struct

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5

# Numbers of FieldDescriptorProto.Type.
DOUBLE, FLOAT, INT64, UINT64, INT32, FIXED_64, FIXED_32, BOOL, STRING = 1, 2, 3, 4, 5, 6, 7, 8, 9
MESSAGE, BYTES, UINT32, ENUM, SFIXED_32, SFIXED_64, SINT32, SINT64 = 11, 12, 13, 14, 15, 16, 17, 18

WIRE = {DOUBLE: FIXED64, FIXED_64: FIXED64, SFIXED_64: FIXED64, FLOAT: FIXED32, FIXED_32: FIXED32,
        SFIXED_32: FIXED32, STRING: LENGTH, BYTES: LENGTH, MESSAGE: LENGTH}
FIXED = {DOUBLE: "<d", FLOAT: "<f", FIXED_64: "<Q", SFIXED_64: "<q", FIXED_32: "<I",
         SFIXED_32: "<i"}


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def tag(number, wire):
    return varint(number << 3 | wire)


def scalar(kind, value):
    """A value without its tag; strings and bytes with their length."""
    if kind == STRING:
        value = value.encode()
        return varint(len(value)) + value
    if kind == BYTES:
        return varint(len(value)) + value
    if kind in FIXED:
        return struct.pack(FIXED[kind], value)
    if kind == SINT32 or kind == SINT64:
        return varint(value << 1 ^ value >> 63)
    return varint(int(value))


def is_zero(kind, value):
    if kind in (DOUBLE, FLOAT):
        return struct.pack("<d", value) == bytes(8)
    return not value


class Encoder:
    def __init__(self, schemas):
        self.schemas = schemas

    def encode(self, message):
        out = []
        for rules in self.schemas.fields[message.DESCRIPTOR.full_name]:
            self.field(message, rules, out)
        return b"".join(out)

    def submessage(self, message):
        body = self.encode(message)
        return varint(len(body)) + body

    def field(self, message, rules, out):
        kind = rules.field.type
        value = getattr(message, rules.name)
        if rules.map:
            head = tag(rules.number, LENGTH)
            for key in sorted(value, key=lambda k: k.encode() if isinstance(k, str) else k):
                item = value[key]
                of_item = rules.value.type
                body = b"".join((
                    tag(1, WIRE.get(rules.key.type, VARINT)), scalar(rules.key.type, key),
                    tag(2, WIRE.get(of_item, VARINT)),
                    self.submessage(item) if of_item == MESSAGE else scalar(of_item, item)))
                out += (head, varint(len(body)), body)
        elif rules.repeated:
            head = tag(rules.number, WIRE.get(kind, VARINT))
            if kind == MESSAGE:
                for item in value:
                    out += (head, self.submessage(item))
            elif rules.packed:
                if value:
                    body = b"".join(scalar(kind, item) for item in value)
                    out += (tag(rules.number, LENGTH), varint(len(body)), body)
            else:
                for item in value:
                    out += (head, scalar(kind, item))
        elif rules.always or (message.HasField(rules.name) if rules.presence
                              else not is_zero(kind, value)):
            out.append(tag(rules.number, WIRE.get(kind, VARINT)))
            out.append(self.submessage(value) if kind == MESSAGE else scalar(kind, value))

    def fill(self, message):
        """Sets what `value` fields leave out, so that Python's own comparison applies."""
        for rules in self.schemas.fields[message.DESCRIPTOR.full_name]:
            kind = rules.field.type
            if rules.map:
                if rules.value.type == MESSAGE:
                    for item in getattr(message, rules.name).values():
                        self.fill(item)
            elif rules.repeated:
                if kind == MESSAGE:
                    for item in getattr(message, rules.name):
                        self.fill(item)
            elif kind == MESSAGE:
                if rules.always:
                    getattr(message, rules.name).SetInParent()
                if message.HasField(rules.name):
                    self.fill(getattr(message, rules.name))
            elif rules.always:
                setattr(message, rules.name, getattr(message, rules.name))
        return message


def chunks(data):
    """Fields of an encoded message: pairs of number and bytes with the tag."""
    out, at = [], 0
    while at < len(data):
        start = at
        key, at = read_varint(data, at)
        wire = key & 7
        if wire == VARINT:
            _, at = read_varint(data, at)
        elif wire == FIXED64:
            at += 8
        elif wire == FIXED32:
            at += 4
        elif wire == LENGTH:
            length, at = read_varint(data, at)
            at += length
        else:
            raise ValueError(f"wire type {wire}")
        out.append((key >> 3, data[start:at]))
    return out


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
