# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""What end-to-end tests in Python share: machines, clusters on them, writers, and the counting."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SUPPORT = ROOT / "Tests" / "Support"
APUS = os.path.join(os.environ.get("APUS_BIN", ROOT / ".build/debug"), "apus")

TESTS = []

# Who ends a test ends it with its machines: `finally` runs.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def test(function):
    """Marks a test; tests run in the order of their definitions."""
    TESTS.append(function)
    return function


def wait(what, condition, seconds=180):
    """The first true value of `condition`, which may throw until then."""
    deadline = time.monotonic() + seconds
    problem = None
    while time.monotonic() < deadline:
        try:
            value = condition()
            if value:
                return value
        except (subprocess.SubprocessError, OSError, LookupError, ValueError, TypeError,
                http.client.HTTPException) as error:
            problem = error
        time.sleep(0.1)
    detail = getattr(problem, "stderr", None) or problem
    raise AssertionError(f"{what}: not within {seconds} s ({detail})")


def run_tests(fixture, on_failure=lambda: None):
    """Runs every test with the fixture and ends the program."""
    passed = failed = 0
    for function in TESTS:
        begin = time.monotonic()
        try:
            function(fixture)
            passed += 1
            print(f"ok   {function.__name__} ({time.monotonic() - begin:.1f} s)", flush=True)
        except Exception as error:  # noqa: BLE001
            failed += 1
            print(f"FAIL {function.__name__} ({time.monotonic() - begin:.1f} s): {error!r}")
            if isinstance(error, subprocess.CalledProcessError):
                print(error.stdout, error.stderr, sep="\n", flush=True)
    if failed:
        on_failure()
    print(f"{passed} passed, {failed} failed, 0 skipped", flush=True)
    return failed == 0


def skip_unless(*tools, machine=False):
    """Ends the program as skipped where a tool is missing."""
    for tool in tools:
        if not shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            print(f"needs {tool}")
            sys.exit(77)
    if machine:
        for script in ("machine", "containerd"):
            check = subprocess.run([SUPPORT / script, "check"], capture_output=True, text=True)
            if check.returncode:
                print(check.stdout.strip())
                sys.exit(77)


class Machine:
    """A machine of Tests/Support/machine, in a folder of its own."""

    def __init__(self, index):
        self.index = index
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="apus-machine-"))
        self.address = f"10.99.{index}.2"

    def start(self):
        subprocess.run([SUPPORT / "machine", "start", self.dir, str(self.index)], check=True)

    def reboot(self):
        subprocess.run([SUPPORT / "machine", "reboot", self.dir], check=True)

    def stop(self):
        subprocess.run([SUPPORT / "machine", "stop", self.dir], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    def command(self, *words):
        return [str(SUPPORT / "machine"), "run", str(self.dir), *map(str, words)]

    def move(self, number, prefix=None):
        """Gives the machine another address, and takes the one that it had; with a prefix also
        another network."""
        prefix = prefix or f"10.99.{self.index}"
        self.run("ip", "address", "flush", "dev", "eth0", "scope", "global")
        self.run("ip", "address", "add", f"{prefix}.{number}/24", "dev", "eth0")
        self.run("ip", "route", "replace", "default", "via", f"{prefix}.1")
        self.address = f"{prefix}.{number}"

    def run(self, *words, check=True, text=None, seconds=180, env=None):
        """What a command in the machine prints."""
        return subprocess.run(
            self.command(*words), check=check, capture_output=True, text=True, input=text,
            timeout=seconds, env={**os.environ, **(env or {})}).stdout

    def start_process(self, *words, log, env=None):
        """A process in the machine that runs on; its exit ends with the machine."""
        with open(log, "ab") as file:
            return subprocess.Popen(
                self.command(*words), stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                env={**os.environ, **(env or {})})


class Segment:
    """A bridge with machines on it, which reach each other without a router."""

    def __init__(self, name, prefix, *machines):
        self.name, self.prefix = name, prefix
        self.ip("link", "add", name, "type", "bridge")
        self.ip("address", "add", f"{prefix}.1/24", "dev", name)
        self.ip("link", "set", name, "up")
        for number, machine in enumerate(machines, 2):
            link = f"apm{machine.index}"
            self.ip("address", "flush", "dev", link)
            self.ip("link", "set", link, "master", name)
            self.move(machine, number)

    def move(self, machine, number):
        """Gives a machine another address on the bridge."""
        machine.move(number, self.prefix)

    def remove(self):
        subprocess.run(["ip", "link", "delete", self.name], check=False)

    @staticmethod
    def ip(*words):
        subprocess.run(["ip", *words], check=True)


def traces(machine, data):
    """What a cluster could leave behind on a machine, and what is there."""
    def lines(*words):
        return set(machine.run(*words, check=False).splitlines())
    return {
        "processes": lines("pgrep", "-l", "apus|containerd|runc|pause|nginx|httpd"),
        "mounts": {line.split()[4] for line in lines("cat", "/proc/self/mountinfo")},
        "links": {line.split()[1].split("@")[0] for line in lines("ip", "-o", "link")},
        # Not those that the kernel gives to every link a while after it is there.
        "addresses": {" ".join(line.split()[1:4]) for line in lines("ip", "-o", "addr")
                      if "scope link" not in line},
        "routes": lines("ip", "route", "show", "proto", "97"),
        "rules": lines("nft", "list", "tables"),
        "namespaces": lines("find", "/run/netns", "-type", "f"),
        "groups": lines("find", "/sys/fs/cgroup", "-name", "kubepods*"),
        "logs": lines("find", "/var/log/pods", "/var/log/containers", "-mindepth", "1"),
        "files": lines("find", data, "-maxdepth", "1"),
    }


def left_behind(before, after):
    """What is there after something that was not before it, a few of each kind."""
    return {kind: sorted(after[kind] - before[kind])[:8] for kind in after
            if after[kind] - before[kind]}


class Cluster:
    """What `apus up` makes, on a machine."""

    def __init__(self, machine, *flags, data="/var/lib/apus", offset=0):
        self.machine = machine
        self.data = data
        self.port = 6443 + offset
        self.place = ["--data-dir", data, "--port-offset", str(offset)]
        self.flags = list(flags)
        self.kubeconfig = f"{data}/kubeconfig/admin.conf"

    @property
    def files(self):
        """The data folder, as it is seen from outside of the machine."""
        inside = pathlib.Path(self.data)
        return self.machine.dir / inside.relative_to("/") if inside.is_relative_to(
            "/var/lib/apus") else inside

    def apus(self, command, *words, **options):
        return self.machine.run(APUS, command, *self.place, *words, **options)

    def up(self, seconds=300):
        return self.apus("up", *self.flags, "--timeout", f"{seconds}s", seconds=seconds + 10)

    def status(self):
        out = self.apus("status", "-o", "json", check=False)
        return json.loads(out)

    def pids(self):
        return {c["name"]: c["pid"] for c in self.status()["components"]}

    def kubectl(self, *words, text=None, check=True, seconds=180):
        return self.machine.run("kubectl", "--kubeconfig", self.kubeconfig, *words,
                                text=text, check=check, seconds=seconds)

    def get(self, *words):
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def apply(self, *objects):
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        return self.kubectl("apply", "-f", "-", text=json.dumps(listed))

    def api(self, port=None):
        return API(self.machine.address, port or self.port, self.files / "pki")

    def print_logs(self):
        for path in sorted((self.files / "log").glob("*.log")):
            tail = path.read_text(errors="replace").splitlines()[-12:]
            print(f"--- {path.name}", *[line[:300] for line in tail], sep="\n", flush=True)


class API:
    """An API server over HTTPS, as the administrator."""

    def __init__(self, host, port, pki):
        self.host, self.port = host, port
        self.context = ssl.create_default_context(cafile=pki / "ca.crt")
        self.context.load_cert_chain(pki / "clients/admin.crt", pki / "clients/admin.key")

    def connection(self, seconds):
        return http.client.HTTPSConnection(
            self.host, self.port, context=self.context, timeout=seconds)

    def call(self, method, path, body=None, seconds=10, kind="application/json"):
        """The status code and the object."""
        connection = self.connection(seconds)
        try:
            connection.request(method, path, body and json.dumps(body), {"Content-Type": kind})
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        finally:
            connection.close()


class Writer:
    """Makes ConfigMaps one after the other, over several API servers in turn, whatever happens to
    them, and knows which were acknowledged."""

    def __init__(self, *servers, namespace="default", prefix="written"):
        self.servers = servers
        self.path = f"/api/v1/namespaces/{namespace}/configmaps"
        self.prefix = prefix
        self.acknowledged = set()
        self.refusals = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.write, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(60)

    def write(self):
        number = turn = 0
        while not self.over.is_set():
            name = f"{self.prefix}-{number}"
            turn += 1
            try:
                status, _ = self.servers[turn % len(self.servers)].call(
                    "POST", self.path, {"apiVersion": "v1", "kind": "ConfigMap",
                                        "metadata": {"name": name}, "data": {"n": str(number)}},
                    seconds=5)
            except (OSError, http.client.HTTPException, ValueError):
                status = 0
            # 409: an answer was lost, the object was not.
            if status in (201, 409):
                self.acknowledged.add(name)
                number += 1
            else:
                self.refusals += 1
                self.over.wait(0.05)

    def wait_for_more(self, count=10, seconds=180):
        target = len(self.acknowledged) + count
        wait("further writes", lambda: len(self.acknowledged) >= target, seconds)

    def check(self, server):
        """Everything acknowledged is there as it was written."""
        status, answer = server.call("GET", self.path, seconds=30)
        assert status == 200, answer
        found = {i["metadata"]["name"]: i["data"].get("n") for i in answer["items"]
                 if i["metadata"]["name"].startswith(self.prefix + "-")}
        lost = {n for n in self.acknowledged if found.get(n) != n.rsplit("-", 1)[1]}
        assert not lost, f"lost: {sorted(lost)[:5]} and more, of {len(self.acknowledged)}"


class Traffic:
    """Requests to a page, each over a connection of its own, and what became of them."""

    def __init__(self, host, port, path="/", threads=2):
        self.host, self.port, self.path = host, port, path
        self.answered = 0
        self.failures = []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.ask, daemon=True) for _ in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(15)

    def ask(self):
        while not self.over.wait(0.01):
            try:
                status, _ = fetch(self.host, self.port, self.path)
                problem = None if status == 200 else f"status {status}"
            except (OSError, http.client.HTTPException) as error:
                problem = repr(error)
            if problem:
                self.failures.append(problem)
            else:
                self.answered += 1


def fetch(host, port, path="/", method="GET", body=None, seconds=10):
    """The status code and the text of a page."""
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()
