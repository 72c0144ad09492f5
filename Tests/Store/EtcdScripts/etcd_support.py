# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""What the script tests of `apus etcd` share: starting it, etcdctl, counting results."""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
IS_LONG = os.environ.get("APUS_TEST_LONG") == "1"


def binary():
    folder = os.environ.get("APUS_BIN")
    if not folder:
        sys.exit("APUS_BIN: the folder of the built programs")
    return os.path.join(folder, "apus")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Etcd:
    """A running `apus etcd`."""

    def __init__(self, directory, *flags, scheme="http", environment=None, waits=True):
        self.directory = directory
        self.port = free_port()
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.log_path = directory + ".log"
        self.log = open(self.log_path, "ab")
        arguments = [binary(), "etcd", "--data-dir", directory, "--listen-client-urls", self.url]
        self.process = subprocess.Popen(
            arguments + list(flags),
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            env={**os.environ, **(environment or {})},
        )
        if waits:
            self.wait()

    def wait(self, seconds=30):
        """Waits until it accepts connections."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"apus etcd ended:\n{self.output()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("apus etcd does not listen")

    def output(self):
        with open(self.log_path, "r", errors="replace") as log:
            return log.read()

    def get(self, path):
        """The status and the body of an HTTP request."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def resident(self):
        """Resident memory in bytes, without pages of files."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"RssAnon:\s+(\d+) kB", status.read()).group(1)) * 1024

    def stop(self):
        """Ends it in order; answers the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.log.close()
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def etcdctl(etcd, *arguments, flags=(), text=None, timeout=60):
    """Runs etcdctl; answers its exit code and what it printed, errors too."""
    endpoint = etcd if isinstance(etcd, str) else f"127.0.0.1:{etcd.port}"
    result = subprocess.run(
        ["etcdctl", "--endpoints", endpoint, *flags, *arguments],
        input=text,
        text=True,
        stdin=subprocess.DEVNULL if text is None else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout,
        env={**os.environ, "ETCDCTL_API": "3"},
    )
    return result.returncode, result.stdout


def apus(*arguments, timeout=120):
    """Runs apus; answers its exit code and what it printed, errors too."""
    result = subprocess.run(
        [binary(), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
    )
    return result.returncode, result.stdout


class Tests:
    """Runs functions as tests and counts."""

    def __init__(self, needs=()):
        missing = [program for program in needs if not shutil.which(program)]
        if missing:
            print("not installed: " + " ".join(missing))
            sys.exit(77)
        self.passed = self.failed = self.skipped = 0
        self.work = tempfile.mkdtemp(prefix="apus-etcd-")

    def folder(self, name):
        return os.path.join(self.work, name)

    def run(self, name, function, *arguments):
        begin = time.monotonic()
        try:
            outcome = function(*arguments)
        except Exception as error:  # a test that fails in any way is a failure, and the rest goes on
            self.failed += 1
            print(f"FAILED: {name}: {type(error).__name__}: {error}", flush=True)
            return
        if outcome == "skip":
            self.skipped += 1
            return
        self.passed += 1
        print(f"passed: {name} ({time.monotonic() - begin:.1f} s)", flush=True)

    def finish(self):
        shutil.rmtree(self.work, ignore_errors=True)
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        sys.exit(1 if self.failed else 0)


def expect(condition, message=""):
    if not condition:
        raise AssertionError(message)


def expect_match(pattern, text):
    expect(re.search(pattern, text, re.MULTILINE | re.DOTALL), f"{pattern!r} not in {text!r}")
