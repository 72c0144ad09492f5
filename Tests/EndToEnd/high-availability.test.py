#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""A control plane on a real etcd cluster of three members, with two API servers: members and servers
are killed while a writer writes, and nothing that was acknowledged is lost."""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Support"))
from machines import API, APUS, Writer, run_tests, skip_unless, test, wait  # noqa: E402

ALTERNATE = 10_000


class ControlPlane:
    """Everything on loopback, with ports from an offset."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="apus-ha-"))
        self.data = self.dir / "data"
        self.pki = self.data / "pki"
        self.offset = random.randrange(20_000, 29_000, 10)
        self.members = {}
        self.second = None
        self.servers = []

    def client_port(self, number):
        return self.offset + 3000 + 2 * number

    @property
    def endpoints(self):
        return ",".join(f"https://127.0.0.1:{self.client_port(n)}" for n in range(3))

    def start_member(self, number):
        client, peer = (f"https://127.0.0.1:{self.client_port(number) + shift}" for shift in (0, 1))
        peers = ",".join(f"m{n}=https://127.0.0.1:{self.client_port(n) + 1}" for n in range(3))
        certificates = self.pki / "etcd"
        self.members[number] = subprocess.Popen(
            ["etcd", "--name", f"m{number}", "--data-dir", self.dir / f"m{number}",
             "--listen-client-urls", client, "--advertise-client-urls", client,
             "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
             "--initial-cluster", peers, "--client-cert-auth", "--peer-client-cert-auth",
             "--cert-file", certificates / "server.crt", "--key-file", certificates / "server.key",
             "--trusted-ca-file", certificates / "ca.crt",
             "--peer-cert-file", certificates / "peer.crt",
             "--peer-key-file", certificates / "peer.key",
             "--peer-trusted-ca-file", certificates / "ca.crt"],
            stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
            stdout=open(self.dir / f"m{number}.log", "ab"))

    def etcdctl(self, *words, check=True):
        return subprocess.run(
            ["etcdctl", "--endpoints", self.endpoints, "--cacert", self.pki / "etcd/ca.crt",
             "--cert", self.pki / "apiserver-etcd-client.crt",
             "--key", self.pki / "apiserver-etcd-client.key", *words],
            env={**os.environ, "ETCDCTL_API": "3"}, check=check, capture_output=True, text=True,
            timeout=20).stdout

    def leader(self):
        """The number of the member that leads."""
        # A member that is away makes the exit code 1; the others are told of all the same.
        lines = json.loads(self.etcdctl("endpoint", "status", "-w", "json", check=False))
        for line in lines:
            status = line["Status"]
            if status["leader"] and status["leader"] == status["header"]["member_id"]:
                return (int(line["Endpoint"].rsplit(":", 1)[1]) - self.offset - 3000) // 2
        return None

    def kill(self, process):
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    def apus(self, command, *words):
        return subprocess.run(
            [APUS, command, "--data-dir", self.data, "--port-offset", str(self.offset), *words],
            check=command != "status", capture_output=True, text=True, timeout=330).stdout

    def component(self, name):
        [row] = [c for c in json.loads(self.apus("status", "-o", "json"))["components"]
                 if c["name"] == name]
        return row

    def start_second(self):
        """A second API server, with the first one's flags and a port of its own."""
        first = self.component("kube-apiserver")["pid"]
        words = pathlib.Path(f"/proc/{first}/cmdline").read_text().split("\0")[1:-1]
        port = 6443 + self.offset + ALTERNATE
        words = [f"--secure-port={port}" if w.startswith("--secure-port") else w for w in words]
        self.second = subprocess.Popen(
            [APUS, *words], stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
            stdout=open(self.dir / "second.log", "ab"))

    def stop(self):
        subprocess.run([APUS, "down", "--data-dir", self.data, "--port-offset", str(self.offset)],
                       check=False, capture_output=True, timeout=70)
        for process in [self.second, *self.members.values()]:
            if process and process.poll() is None:
                self.kill(process)
        shutil.rmtree(self.dir, ignore_errors=True)

    def print_logs(self):
        for path in [*sorted(self.dir.glob("*.log")), *sorted(self.data.glob("log/*.log"))]:
            tail = path.read_text(errors="replace").splitlines()[-8:]
            print(f"--- {path.name}", *[line[:300] for line in tail], sep="\n", flush=True)


@test
def comes_up_on_three_members(plane):
    subprocess.run([APUS, "certs", "init", plane.pki, "--node-name", "ha"], check=True,
                   capture_output=True)
    for number in range(3):
        plane.start_member(number)
    wait("a leader", lambda: plane.leader() is not None)
    plane.apus("up", "--control-plane-only", "--node-name", "ha", "--node-ip", "127.0.0.1",
               "--etcd-servers", plane.endpoints, "--timeout", "300s")
    assert "etcd" not in [c["name"] for c in json.loads(
        plane.apus("status", "-o", "json"))["components"]]
    assert "/registry/namespaces/default" in plane.etcdctl(
        "get", "/registry/namespaces/", "--prefix", "--keys-only")


@test
def has_two_api_servers(plane):
    plane.start_second()
    plane.servers = [API("127.0.0.1", 6443 + plane.offset + shift, plane.pki)
                     for shift in (0, ALTERNATE)]
    wait("the second", lambda: plane.servers[1].call(
        "GET", "/api/v1/namespaces/default")[0] == 200)
    path = "/api/v1/namespaces/default/configmaps"
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "seen"}}
    assert plane.servers[0].call("POST", path, made)[0] == 201
    # What one has acknowledged the other one has.
    assert plane.servers[1].call("GET", f"{path}/seen")[0] == 200
    status, _ = plane.servers[1].call("DELETE", f"{path}/seen")
    assert status == 200
    assert plane.servers[0].call("GET", f"{path}/seen")[0] == 404


@test
def loses_nothing_when_members_are_killed(plane):
    with Writer(*plane.servers, prefix="members") as writer:
        writer.wait_for_more(10)
        follower = next(n for n in range(3) if n != plane.leader())
        plane.kill(plane.members[follower])
        writer.wait_for_more(10)
        plane.start_member(follower)
        wait("three members", lambda: plane.etcdctl("endpoint", "health") is not None)
        leader = plane.leader()
        plane.kill(plane.members[leader])
        writer.wait_for_more(10)
        plane.start_member(leader)
        wait("three members", lambda: plane.etcdctl("endpoint", "health") is not None)
        writer.wait_for_more(10)
    print(f"     {len(writer.acknowledged)} writes acknowledged, {writer.refusals} refused")
    for server in plane.servers:
        writer.check(server)


@test
def loses_nothing_when_api_servers_are_killed(plane):
    with Writer(*plane.servers, prefix="servers") as writer:
        writer.wait_for_more(10)
        plane.kill(plane.second)
        writer.wait_for_more(10)
        plane.start_second()
        wait("the second", lambda: plane.servers[1].call(
            "GET", "/api/v1/namespaces/default")[0] == 200)
        before = plane.component("kube-apiserver")
        os.kill(before["pid"], signal.SIGKILL)
        writer.wait_for_more(10)
        wait("the first", lambda: plane.component("kube-apiserver")["restarts"]
             == before["restarts"] + 1)
        wait("health", lambda: json.loads(plane.apus("status", "-o", "json"))["healthy"])
        writer.wait_for_more(10)
    print(f"     {len(writer.acknowledged)} writes acknowledged, {writer.refusals} refused")
    for server in plane.servers:
        writer.check(server)


@test
def stops_without_a_majority_and_goes_on_with_one(plane):
    with Writer(*plane.servers, prefix="majority") as writer:
        writer.wait_for_more(5)
        for number in (0, 1):
            plane.kill(plane.members[number])
        count = len(writer.acknowledged)
        refused = writer.refusals
        wait("refusals", lambda: writer.refusals > refused)
        # A write may have been under way.
        assert len(writer.acknowledged) <= count + 1, len(writer.acknowledged) - count
        for number in (0, 1):
            plane.start_member(number)
        writer.wait_for_more(10)
    for server in plane.servers:
        writer.check(server)


@test
def still_controls(plane):
    """Controllers work on what the API servers store: a new namespace gets its account."""
    made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "later"}}
    wait("the namespace", lambda: plane.servers[1].call(
        "POST", "/api/v1/namespaces", made)[0] in (201, 409))
    wait("the account", lambda: plane.servers[1].call(
        "GET", "/api/v1/namespaces/later/serviceaccounts/default")[0] == 200)


def main():
    skip_unless("etcd", "etcdctl")
    plane = ControlPlane()
    try:
        passed = run_tests(plane, plane.print_logs)
    finally:
        plane.stop()
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
