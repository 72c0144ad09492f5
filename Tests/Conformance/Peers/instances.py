# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""Random instances of messages, the same for the same seed."""

import random

import canonical

DEPTH = 5        # nesting below which no optional message is set
BUDGET = 120     # values per instance, roughly

WORDS = ["", "a", "nginx", "default", "kube-system", "app.kubernetes.io/name", "0", "v1", "true",
         "line\nbreak", "quote\"s", "back\\slash", "tab\t", "\u0000", "\u007f", "<&>", "\u2028",
         "gr\u00fc\u00dfe", "\u65e5\u672c\u8a9e", "\U0001f680", "\U0010ffff", "x" * 130]
QUANTITIES = ["0", "1", "100m", "250m", "1500m", "64Mi", "128Mi", "1Gi", "1536Mi", "10Gi", "2k",
              "1M", "500u", "7n", "-1", "3E", "8Ei"]
JSON_TEXTS = [b"{}", b"null", b"true", b"3", b"-2.5", b"\"text\"", b"[1,2,{\"a\":null}]",
              b"{\"a\":{\"b\":[1,\"x\",false]},\"k\":\"\\u00e9\"}"]
FIELDS_TEXTS = [b"{}", b"{\"f:metadata\":{\"f:labels\":{\".\":{},\"f:app\":{}}}}",
                b"{\"f:spec\":{\"f:ports\":{\"k:{\\\"port\\\":80}\":{\".\":{}}}}}"]

INTEGERS = {
    canonical.INT32: (-2**31, 2**31 - 1), canonical.SINT32: (-2**31, 2**31 - 1),
    canonical.SFIXED_32: (-2**31, 2**31 - 1), canonical.UINT32: (0, 2**32 - 1),
    canonical.FIXED_32: (0, 2**32 - 1), canonical.INT64: (-2**63, 2**63 - 1),
    canonical.SINT64: (-2**63, 2**63 - 1), canonical.SFIXED_64: (-2**63, 2**63 - 1),
    canonical.UINT64: (0, 2**64 - 1), canonical.FIXED_64: (0, 2**64 - 1),
}


class Generator:
    def __init__(self, schemas):
        self.schemas = schemas

    def instance(self, name, seed):
        self.random = random.Random(f"{name}/{seed}")
        self.left = BUDGET
        # Some sparse, most mixed, some full.
        self.density = self.random.choice((0.05, 0.3, 0.5, 0.7, 0.95))
        message = self.schemas.new(name)
        self.fill(message, DEPTH)
        return message

    def fill(self, message, depth):
        name = message.DESCRIPTOR.full_name
        form = self.schemas.forms[name]
        if form in SPECIAL:
            SPECIAL[form](self, message)
            return
        fields = self.schemas.fields[name]
        chosen = {o: self.random.choice(o.fields) for o in message.DESCRIPTOR.oneofs}
        order = list(fields)
        self.random.shuffle(order)
        for rules in order:
            if rules.oneof is not None and chosen[rules.oneof].number != rules.number:
                continue
            of_message = rules.message is not None
            must = (of_message and rules.always and not rules.repeated
                    and self.schemas.forms[rules.message.full_name] == "QUANTITY")
            if not must:
                if self.left <= 0 or self.random.random() > self.density:
                    continue
                if depth == 0 and (of_message or rules.map):
                    continue
            self.left -= 1
            self.field(message, rules, depth)

    def count(self):
        return self.random.choice((1, 1, 1, 2, 2, 3, 5))

    def field(self, message, rules, depth):
        value = getattr(message, rules.name)
        if rules.map:
            for _ in range(self.count()):
                key = self.scalar(rules.key)
                if rules.value.type == canonical.MESSAGE:
                    self.fill(value[key], depth - 1)
                else:
                    value[key] = self.scalar(rules.value)
        elif rules.repeated:
            for _ in range(self.count()):
                if rules.message is not None:
                    self.fill(value.add(), depth - 1)
                else:
                    value.append(self.scalar(rules.field))
        elif rules.message is not None:
            value.SetInParent()
            self.fill(value, depth - 1)
        else:
            setattr(message, rules.name, self.scalar(rules.field))

    def scalar(self, field):
        kind, r = field.type, self.random
        if kind == canonical.STRING:
            if r.random() < 0.6:
                return r.choice(WORDS)
            return "".join(chr(r.choice((r.randrange(32, 127), r.randrange(0x80, 0xD800),
                                         r.randrange(0xE000, 0x110000))))
                           for _ in range(r.randrange(20)))
        if kind == canonical.BYTES:
            return r.randbytes(r.choice((0, 1, 3, 20, 200)))
        if kind == canonical.BOOL:
            return r.random() < 0.7
        if kind == canonical.ENUM:
            return r.choice(field.enum_type.values).number
        if kind in (canonical.DOUBLE, canonical.FLOAT):
            value = r.choice((0.0, 1.0, -2.5, 1e300, 5e-324, float("inf"), r.random()))
            return value if kind == canonical.DOUBLE else min(max(value, -1e30), 1e30)
        low, high = INTEGERS[kind]
        return r.choice((0, 1, low, high, r.randint(max(low, -300), 300), r.randint(low, high)))

    # Messages whose content has a meaning of its own hold only what a writer of it would write.

    def time(self, message):
        if self.random.random() < 0.8:
            message.seconds = self.random.choice((0, 1, -62135596799, 253402300799,
                                                  self.random.randint(0, 2**33)))
            message.nanos = 0

    def micro_time(self, message):
        if self.random.random() < 0.8:
            message.seconds = self.random.randint(0, 2**33)
            message.nanos = self.random.randrange(10**6) * 1000

    def quantity(self, message):
        message.string = self.random.choice(QUANTITIES)

    def int_or_string(self, message):
        if self.random.random() < 0.5:
            message.type, message.intVal = 0, self.random.randint(-2**31, 2**31 - 1)
        else:
            message.type, message.strVal = 1, self.random.choice(WORDS)

    def raw(self, message):
        if self.random.random() < 0.9:
            message.raw = self.random.choice(JSON_TEXTS)

    def fields_v1(self, message):
        if self.random.random() < 0.9:
            message.Raw = self.random.choice(FIELDS_TEXTS)


SPECIAL = {
    "TIME": Generator.time, "MICRO_TIME": Generator.micro_time, "QUANTITY": Generator.quantity,
    "INT_OR_STRING": Generator.int_or_string, "RAW_EXTENSION": Generator.raw,
    "JSON": Generator.raw, "FIELDS_V1": Generator.fields_v1,
}
