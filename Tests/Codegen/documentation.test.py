#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
# scripts/test: beside
"""Does what docs/codegen.md says: its ```sh blocks, one after the other, in one shell, in a folder
with nothing in it, until a package of its own with a schema of its own serves and calls its service.
What the program prints is what the page says.

The folder is .build/codegen-documentation, made anew by each run; only what the package built stays,
so that the next run need not compile SwiftNIO again.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = "docs/codegen.md"
FOLDER = ROOT / ".build/codegen-documentation"
KEPT = {".build", "Package.resolved"}
# Beside other tests it has what they leave of the processors.
SECONDS = 3000


def blocks(text, language):
    pattern = rf"^```{language}\n(.*?)^```$"
    for match in re.finditer(pattern, text, re.MULTILINE | re.DOTALL):
        yield text.count("\n", 0, match.start()) + 2, match[1]


def empty_folder():
    """The folder without what an earlier run wrote."""
    package = FOLDER / "inventory"
    package.mkdir(parents=True, exist_ok=True)
    for entry in package.iterdir():
        if entry.name not in KEPT:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def main():
    text = (ROOT / PAGE).read_text()
    commands = "\n".join(f"echo '# {PAGE}:{line}' >&2\n{block}" for line, block in blocks(text, "sh"))
    expected = [block for _, block in blocks(text, "text")]
    assert len(expected) == 1, f"{PAGE} has one block of output"
    empty_folder()
    environment = dict(os.environ, APUS=str(ROOT))
    # Warnings are errors in this package, not in that of the page.
    environment.pop("CI", None)
    log = FOLDER / "log"
    with open(log, "wb") as file:
        code = subprocess.run(["timeout", str(SECONDS), "bash", "-eo", "pipefail", "-c", commands],
                              cwd=FOLDER, env=environment, stdin=subprocess.DEVNULL, stdout=file,
                              stderr=file).returncode
    said = log.read_text(errors="replace")
    package = FOLDER / "inventory"
    checks = {
        "the page's commands work": code == 0,
        "three files are generated": sorted(
            file.name for file in package.glob("Sources/inventory/Generated/*")) == [
                "Namespaces.swift", "acme.inventory.v1.inventory.rpc.swift",
                "acme.inventory.v1.inventory.swift"],
        "the program prints what the page says":
            (package / "output.txt").exists()
            and (package / "output.txt").read_text() == expected[0],
        "all errors of a schema are shown, with their places": all(
            re.search(rf"broken\.proto:{line}:\d+: ", said) for line in (2, 3)),
    }
    for check, holds in checks.items():
        print("ok  " if holds else "FAIL", check)
    if not all(checks.values()):
        print(*said.splitlines()[-40:], sep="\n")
    print(f"{sum(checks.values())} passed, {len(checks) - sum(checks.values())} failed, 0 skipped")
    sys.exit(0 if all(checks.values()) else 1)


if __name__ == "__main__":
    main()
