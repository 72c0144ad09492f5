#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""Every command of ours that a document shows exists, with the flags that it is shown with.

Whole pages are run by Tests/EndToEnd/docs.test.py, join.test.py and Tests/Codegen; this is for the
commands that stand in all other documents as well.
"""

import functools
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
APUS = pathlib.Path(os.environ.get("APUS_BIN", ROOT / ".build/debug")) / "apus"
DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs", "examples", "fuzz"]
SHELL = {"", "sh", "sh second", "console"}
SCRIPT = re.compile(r"(?:\./)?((?:scripts|benchmarks|fuzz|examples|Tests)/[\w./-]+)$")
SEPARATORS = {"|", "||", "&&", ";", "&"}


def blocks(text):
    """The shell blocks of a page: the number of the first line, and the lines."""
    for match in re.finditer(r"^```([^\n]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if match[1] in SHELL:
            yield text.count("\n", 0, match.start()) + 2, match[2]


def commands(block):
    """The words of each simple command of a block, with the number of its line in the block."""
    joined = re.sub(r"\\\n", lambda _: " \0", block)
    number = 0
    for line in joined.split("\n"):
        here, number = number, number + 1 + line.count("\0")
        line = re.sub(r"^# (?=apus |scripts/|examples/|kubectl )", "", line.replace("\0", ""))
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
        lexer.whitespace_split = True
        try:
            words = list(lexer)
        except ValueError:
            continue  # a picture, or a text over several lines
        command = []
        for word in [*words, ";"]:
            if word not in SEPARATORS:
                command.append(word)
                continue
            while command and re.match(r"[A-Z_]+=", command[0]):
                command.pop(0)
            if command:
                yield here, command
            command = []


@functools.cache
def help_of(*command):
    """What a command says of itself; nothing when there is no such command."""
    done = subprocess.run([*command, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    return done.stdout if done.returncode == 0 else ""


def described(words):
    """The longest name of a command that the words begin with, and its help."""
    names = []
    for word in words[1:]:
        if not re.fullmatch(r"[a-z][a-z-]*", word):
            break
        names.append(word)
    path = [str(APUS)]
    text = help_of(*path)
    for name in names:
        if not re.search(rf"^  {name} ", text, re.MULTILINE):
            break
        path.append(name)
        text = help_of(*path)
    return path[1:], text


def flaws(words):
    """What is wrong with a command, and nothing for one of others."""
    if words[0] in ("apus", "bin/apus", ".build/release/apus", ".build/debug/apus"):
        name, text = described(words)
        if len(words) > 1 and not name and not words[1].startswith("-"):
            return [f"apus has no command {words[1]}"]
    elif SCRIPT.match(words[0]):
        path = ROOT / SCRIPT.match(words[0])[1]
        if not os.access(path, os.X_OK) or path.is_dir():
            return [f"no program {words[0]}"]
        text = help_of(str(path)) if path.parts[-2] in ("scripts", "fuzz") else None
    else:
        return None
    if text is None:
        return []
    given = {re.match(r"--[\w-]+", word)[0].replace("_", "-") for word in words[1:]
             if re.match(r"--[\w-]+", word)}
    return [f"{words[0]} has no flag {flag}" for flag in sorted(given)
            if not re.search(rf"{flag}(?![\w-])", text.replace("_", "-"))]


def main():
    pages = [page for name in DOCUMENTS for page in sorted(
        [ROOT / name] if name.endswith(".md") else (ROOT / name).rglob("*.md"))]
    passed = failed = 0
    for page in pages:
        if ".build" in page.parts or page.name == "reference.md":
            continue
        for begin, block in blocks(page.read_text()):
            for line, words in commands(block):
                found = flaws(words)
                if found is None:
                    continue
                passed += not found
                failed += bool(found)
                for flaw in found:
                    print(f"{page.relative_to(ROOT)}:{begin + line}: {flaw}: {' '.join(words)}")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
