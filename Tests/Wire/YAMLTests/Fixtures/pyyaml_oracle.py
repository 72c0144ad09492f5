#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""Prints random values as JSON and as PyYAML writes them, in random styles: JSON, U+001E, YAML, U+001D.

Arguments: count, seed. Strings are such that PyYAML and goyaml read them alike.
"""

import json
import random
import sys

import yaml

ALPHABET = ["a", "b", "xyz", "é", "日本", " ", "  ", "\n", ":", ": ", " #", "-", "'", '"', "\\", ",", "[", "{", "}", "&", "*", "<", ">", "%", "word ", "\t", "\u2028", "|"]


def text():
    return random.choice(["k", "text", "Q", "\u00fc"]) + "".join(random.choice(ALPHABET) for _ in range(random.randrange(0, 9))) + "z"


def value(depth):
    kind = random.randrange(10 if depth else 6)
    if kind < 3:
        return text()
    if kind < 6:
        return random.choice([None, True, False, 0, -5, 123456789, 1.5, -0.25, 2**63 - 1, "", "1", "true", "null", " lead", "trail ", "12.5"])
    if kind < 8:
        return {text(): value(depth - 1) for _ in range(random.randrange(4))}
    return [value(depth - 1) for _ in range(random.randrange(4))]


def go(text):
    for character in "<>&\u2028\u2029":
        text = text.replace(character, "\\u%04x" % ord(character))
    return text


def main():
    random.seed(int(sys.argv[2]))
    out = []
    while len(out) < int(sys.argv[1]):
        data = value(4)
        if random.random() < 0.3:
            shared = value(2)
            data = [data, shared, {"again": shared, "and": [shared]}]
        dumped = yaml.dump(
            data,
            default_flow_style=random.choice([True, False, None]),
            default_style=random.choice([None, None, None, '"', "'"]),
            allow_unicode=random.random() < 0.7,
            width=random.choice([20, 80, 10000]),
            indent=random.choice([2, 4, 8]),
            canonical=random.random() < 0.1,
            explicit_start=random.random() < 0.3,
            explicit_end=random.random() < 0.2,
        )
        # Narrow lines in double quotes are folded such that PyYAML itself reads something else.
        if yaml.safe_load(dumped) != data:
            continue
        encoded = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        out.append(go(encoded) + "\x1e" + dumped + "\x1d")
    sys.stdout.buffer.write("".join(out).encode())


if __name__ == "__main__":
    main()
