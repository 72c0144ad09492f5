#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""Writes quantity.kubectl.tsv: what upstream makes of quantities, asked of kubectl itself.

`kubectl create quota --dry-run=client` parses each value with resource.ParseQuantity and prints
it again, without a cluster. Lines are: input, tab, canonical text; or input, tab, "!" and the error.
"""

import json
import random
import subprocess
import sys

SUFFIXES = ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
EXPONENTS = ["e0", "E3", "e-3", "e+3", "e1", "e2", "E-1", "e-9", "e-10", "e9", "e-12", "e18", "e21"]
NUMBERS = [
    "0", "00", "1", "+1", "-1", "007", "8", "-8", "10", "12", "100", "999", "1000", "1001", "1023",
    "1024", "1025", "1500", "2048", "8192", "12000", "1000000", "1048576", "123456789", "0.1",
    "0.5", "0.25", "1.5", "-1.5", "1.500", "0.500", "1.000", "10.00", "1.", ".5", "-.5", "+.5",
    "0.001", "0.0001", "1.0000000001", "123456789012345678", "1234567890123456789",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "99999999999999999999",
    "0.000000001", "0.0000000001", "0.9999999999", "12345678901", "1234567890123", "00.100",
]
ODD = [
    "+", "-", ".", "+.", "-.", "n", "m", "k", "Ki", "-Ki", ".Ki", "Ei", "E", "e5", "-e5", ".e5",
    "0e-10", "000e-12", "1e30", "1e99", "1e100", "12e99", "-1e50", "1e-30", "1e-100", "100Ti",
    "0.1Ei", "7.5Ei", "8Ei", "16Ei", "-16Ei", "1000E", "1000000E", "1500000000E", "0E", "0Ei", "0m",
    "1e018", "1E+018", "5e-0", "1.1Ki", "1.25Ki", "0.0001Ki", "1023.5", "1048576.0Ki", "0x",
]
INVALID = [
    "abc", "1..2", "1.2.3", "1e", "1e+", "1e-", "1E+", "1x", "1ki", "1K", "1mi", "1KiB", "1Ei5",
    "1m5", "1+5", "--1", "+-1", "-+1", "1 ", " 1", "1e5x", "1eE5", "e-10", "-e-10", ".e-10",
    "1e9223372036854775808", "1e99999999999999999999", "0x10", "1_000", "١", "1,5".replace(",", ";"),
    "nan", "inf", "1i", "1ii", "Kii", "1em", "1.5.", "1.-5", "1e1.5", "1 k", "1k ", "1G1", "1E5i",
    "1MM", "1Mi1", "1nn", "1u-", "1p", "1t", "1g", "10%", "$1", "1e 5", "\t1",
]


def ask(values):
    hard = ",".join(f"r{index}={value}" for index, value in enumerate(values))
    command = ["kubectl", "create", "quota", "q", f"--hard={hard}", "--dry-run=client", "-o", "json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return None, done.stderr.strip().removeprefix("error: ")
    answers = json.loads(done.stdout)["spec"]["hard"]
    return [answers[f"r{index}"] for index in range(len(values))], None


def main():
    random.seed(20260101)
    values = [number + suffix for number in NUMBERS for suffix in SUFFIXES + EXPONENTS] + ODD
    for _ in range(1500):
        integer = str(random.randrange(10 ** random.randrange(1, 24)))
        fraction = "." + str(random.randrange(10 ** random.randrange(1, 14))) if random.random() < 0.4 else ""
        suffix = random.choice(SUFFIXES + ["e%d" % random.randrange(-30, 40)])
        values.append(random.choice(["", "", "-", "+"]) + integer + fraction + suffix)
    values = [value for value in dict.fromkeys(values) if "=" not in value and "," not in value]
    lines = []
    for start in range(0, len(values), 400):
        batch = values[start:start + 400]
        answers, error = ask(batch)
        if answers is None:
            for value in batch:
                answer, error = ask([value])
                lines.append(f"{value}\t{answer[0] if answer else '!' + error}")
        else:
            lines += [f"{value}\t{answer}" for value, answer in zip(batch, answers)]
    for value in INVALID:
        answer, error = ask([value])
        lines.append(f"{value}\t{answer[0] if answer else '!' + error}")
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
