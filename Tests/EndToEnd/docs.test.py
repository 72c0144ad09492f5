#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""Runs the commands of the documents: each page's ```sh blocks, one after the other, in one shell on
a machine of its own, in the repository's root, with apus in the PATH."""

import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Support"))
from machines import APUS, ROOT, Machine, skip_unless  # noqa: E402

PAGES = ["docs/quick-start.md", "docs/by-hand.md", "docs/high-availability.md",
         "docs/troubleshooting.md"]
# What a page takes for granted.
BEFORE = {"docs/troubleshooting.md": "scripts/up"}
SECONDS = 600


def script(page):
    """The page's commands; each block says where it is, so that a failure does too."""
    text = (ROOT / page).read_text()
    blocks = []
    for match in re.finditer(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        line = text.count("\n", 0, match.start()) + 2
        blocks.append(f"echo '# {page}:{line}' >&2\n{match[1]}")
    assert blocks, f"no commands in {page}"
    return "\n".join(["set -eo pipefail", BEFORE.get(page, ""), *blocks])


def run(page, index):
    machine = Machine(index)
    log = machine.dir / "page.log"
    begin = time.monotonic()
    try:
        machine.start()
        path = pathlib.Path(APUS).parent
        (machine.dir / "page").write_text(
            f"export PATH={path}:$PATH:/usr/sbin:/sbin APUS_BIN={path}\n{script(page)}")
        with open(log, "wb") as file:
            # Into a file, as what a page leaves running would hold a pipe open.
            code = subprocess.run(
                machine.command("timeout", str(SECONDS), "bash", machine.dir / "page"), cwd=ROOT,
                stdin=subprocess.DEVNULL, stdout=file, stderr=file).returncode
        took = time.monotonic() - begin
        if code == 0:
            print(f"ok   {page} ({took:.1f} s)", flush=True)
            return True
        print(f"FAIL {page}: exit code {code} ({took:.1f} s)")
        print(*log.read_text(errors="replace").splitlines()[-40:], sep="\n", flush=True)
        for extra in sorted(machine.dir.glob("var/lib/apus*/*.log")):
            tail = extra.read_text(errors="replace").splitlines()[-4:]
            print(f"--- {extra.name}", *[line[:300] for line in tail], sep="\n", flush=True)
        return False
    finally:
        machine.stop()


def main():
    skip_unless("kubectl", "curl", "nginx", "busybox", "etcd", "nft", machine=True)
    results = [run(page, 180 + number) for number, page in enumerate(PAGES)
               if len(sys.argv) < 2 or page in sys.argv[1:]]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed, 0 skipped")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
