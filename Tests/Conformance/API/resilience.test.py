#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""The API server when things go wrong: its store is gone, it is asked for too much or too slowly, its
history is gone, it ends."""

import contextlib
import http.client
import json
import os
import signal
import sys
import threading

import apiserver
from watch_checker import Checker, WatchError

MAPS = "/api/v1/namespaces/default/configmaps"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def request(server, method, path, body=None, token="admin-token", kind="application/json", timeout=60):
    """Status, body and header fields of an answer."""
    connection = http.client.HTTPSConnection(
        "127.0.0.1", server.port, context=server.context, timeout=timeout)
    with contextlib.closing(connection):
        headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        data = answer.read()
    try:
        data = json.loads(data)
    except ValueError:
        pass
    return answer.status, data, answer.headers


def config_map(name, **data):
    return {"metadata": {"name": name}, "data": data}


class Stalled:
    """A request whose body does not come."""

    def __init__(self, server, token, path=MAPS):
        self.connection = http.client.HTTPSConnection(
            "127.0.0.1", server.port, context=server.context, timeout=60)
        self.connection.putrequest("POST", path)
        self.connection.putheader("Authorization", f"Bearer {token}")
        self.connection.putheader("Content-Type", "application/json")
        self.connection.putheader("Content-Length", "1000")
        self.connection.endheaders()
        self.connection.send(b"{")

    def answer(self):
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())

    def close(self):
        self.connection.close()


def give_rights(server, user):
    """Lets a user do everything with ConfigMaps."""
    rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    status, answer, _ = request(server, "POST", rbac + "/roles", {
        "metadata": {"name": user}, "rules": [
            {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}]})
    assert status == 201, answer
    status, answer, _ = request(server, "POST", rbac + "/rolebindings", {
        "metadata": {"name": user},
        "subjects": [{"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": user}})
    assert status == 201, answer


@test
def watchers_see_everything_once_and_in_order():
    writers, rounds = 4, 60
    with apiserver.Server() as server:
        checkers = [Checker(server, MAPS) for _ in range(3)] + [Checker(server, "/api/v1/configmaps")]
        acknowledged, lock, failures = [], threading.Lock(), []

        def write(writer):
            for index in range(rounds):
                name = f"w{writer}-{index % 7}"
                for method, path, body, kind in [
                    ("POST", MAPS, config_map(name), "ADDED"),
                    ("PUT", f"{MAPS}/{name}", config_map(name, n=str(index)), "MODIFIED"),
                    ("DELETE", f"{MAPS}/{name}", None, "DELETED"),
                ]:
                    status, answer, _ = request(server, method, path, body)
                    if status >= 300:
                        failures.append(answer)
                        return
                    with lock:
                        acknowledged.append((kind, ("default", name)))

        threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures, failures
        total = writers * rounds * 3
        for checker in checkers:
            checker.wait_for(lambda checker: len(checker.events) >= total)
            checker.settle()
            seen = [(kind, key) for kind, key, _ in checker.events]
            assert sorted(seen) == sorted(acknowledged), "other events than writes"
            assert checker.connects == 1
            checker.stop()


@test
def a_store_that_goes_and_comes_back():
    def etcd(folder):
        return apiserver.Etcd(folder, [apiserver.APUS, "etcd"])

    with apiserver.Server(etcd=etcd) as server:
        checker = Checker(server, MAPS)
        status, answer, _ = request(server, "POST", MAPS, config_map("before"))
        assert status == 201, answer
        server.etcd.kill()
        server.wait_until(lambda: server.readiness() == 500, "readyz says so")
        # Requests fail in time, and say why.
        status, answer, _ = request(server, "POST", MAPS, config_map("meanwhile"), timeout=30)
        assert status in (500, 504) and answer["kind"] == "Status", answer
        status, answer, _ = request(server, "GET", MAPS + "/before", timeout=30)
        assert status in (500, 504), answer
        # What any version will do for is still answered.
        status, answer, _ = request(server, "GET", MAPS + "?resourceVersion=0")
        assert status == 200 and len(answer["items"]) == 1, answer
        server.etcd.start()
        server.wait()
        server.wait_until(
            lambda: request(server, "POST", MAPS, config_map("after"))[0] in (201, 409), "writes go")
        checker.wait_for(lambda checker: ("default", "after") in checker.objects)
        checker.settle()
        assert checker.connects == 1, "the watch was interrupted"
        checker.stop()


@test
def a_watch_of_history_that_is_gone():
    with apiserver.Server() as server:
        status, made, _ = request(server, "POST", MAPS, config_map("a"))
        assert status == 201, made
        request(server, "POST", MAPS, config_map("b"))
        # What a server knows of the past it knows from having been there.
        server.stop()
        server.start()
        server.wait()
        status, data, _ = request(server, "GET", f"{MAPS}?watch=1&resourceVersion=1&timeoutSeconds=5")
        assert status == 200 and data["type"] == "ERROR", data
        error = data["object"]
        assert (error["code"], error["reason"]) == (410, "Expired"), error
        assert error["message"].startswith("too old resource version: 1 ("), error
        # The same asked as a list is told in the head, with upstream's reason.
        status, listing, _ = request(server, "GET", MAPS)
        assert status == 200, listing
        checker = Checker(server, MAPS)
        checker.settle()
        checker.stop()


@test
def more_requests_than_there_is_room_for():
    flags = ["--max-requests-inflight", "6", "--max-mutating-requests-inflight", "3"]
    with apiserver.Server(flags) as server:
        give_rights(server, "nobody")
        status, lease, _ = request(server, "POST", LEASES, {"metadata": {"name": "n1"}, "spec": {}})
        assert status == 201, lease
        stalled = [Stalled(server, "nobody-token") for _ in range(3)]
        try:
            server.wait_until(
                lambda: request(server, "POST", MAPS, config_map("x"), "nobody-token")[0] == 429,
                "the fourth is refused")
            refused = 0
            for index in range(30):
                status, answer, fields = request(server, "POST", MAPS, config_map(f"r{index}"), "nobody-token")
                assert status == 429, answer
                assert answer["reason"] == "TooManyRequests" and fields["Retry-After"] == "1", answer
                assert answer["details"]["retryAfterSeconds"] == 1, answer
                refused += 1
                # Nodes and administrators have room of their own.
                status, answer, _ = request(
                    server, "PATCH", f"{LEASES}/n1", {"spec": {"holderIdentity": f"n1-{index}"}},
                    "node-token", "application/merge-patch+json")
                assert status == 200, answer
                status, answer, _ = request(server, "POST", MAPS, config_map(f"admin{index}"))
                assert status == 201, answer
                # Reading is not writing.
                status, answer, _ = request(server, "GET", MAPS, None, "nobody-token")
                assert status == 200, answer
        finally:
            for each in stalled:
                each.close()
        server.wait_until(
            lambda: request(server, "POST", MAPS, config_map("y"), "nobody-token")[0] in (201, 409),
            "room again when they are gone")


@test
def requests_that_take_too_long():
    with apiserver.Server(["--request-timeout", "5s"]) as server:
        slow = Stalled(server, "admin-token")
        status, answer = slow.answer()
        assert (status, answer["reason"]) == (504, "Timeout"), answer
        assert "request did not complete within the allotted timeout" in answer["message"], answer
        slow.close()
        quick = Stalled(server, "admin-token", MAPS + "?timeout=100ms")
        status, answer = quick.answer()
        assert (status, answer["reason"]) == (504, "Timeout"), answer
        quick.close()
        for text in ("x", "10", "-"):
            status, answer, _ = request(server, "GET", f"{MAPS}?timeout={text}")
            assert (status, answer["reason"]) == (400, "BadRequest"), answer
        for text in ("0", "0s", "20s", "1h"):
            status, answer, _ = request(server, "GET", f"{MAPS}?timeout={text}")
            assert status == 200, answer


@test
def the_end():
    with apiserver.Server(["--shutdown-delay-duration", "10s"]) as server:
        checker = Checker(server, MAPS)
        status, answer, _ = request(server, "POST", MAPS, config_map("a"))
        assert status == 201, answer
        checker.wait_for(lambda checker: len(checker.events) == 1)
        server.process.send_signal(signal.SIGTERM)
        server.wait_until(lambda: server.readiness() == 500, "not ready")
        assert server.readiness("/livez") == 200, "alive while it ends"
        # New requests are served during the delay.
        status, answer, _ = request(server, "POST", MAPS, config_map("b"))
        assert status == 201, answer
        checker.wait_for(lambda checker: len(checker.events) == 2)
        checker.is_stopping = True
        assert server.process.wait(60) == 0
        checker.stop()
        server.process = None


@test
def mistakes_at_the_start():
    """Every wrong flag or file is one clear line, and the server does not start."""
    with apiserver.Server() as server:
        base = [
            apiserver.APUS, "kube-apiserver", "--bind-address", "127.0.0.1", "--secure-port", "0",
            "--etcd-data-dir", os.path.join(server.folder, "other"),
            "--tls-cert-file", f"{server.pki}/apiserver.crt",
            "--tls-private-key-file", f"{server.pki}/apiserver.key"]
        nothing = os.path.join(server.folder, "nothing")
        junk = os.path.join(server.folder, "junk")
        with open(junk, "w") as file:
            file.write("junk\n")
        for flags, said in [
            (["--no-such-flag"], "no-such-flag"), (["--secure-port", "x"], "secure-port"),
            (["--runtime-config", "nope/v1"], "nope/v1"), (["--runtime-config", "v1=perhaps"], "perhaps"),
            (["--request-timeout", "0s"], "request-timeout"), (["--request-timeout", "x"], "request-timeout"),
            (["--service-cluster-ip-range", "x"], "service-cluster-ip-range"),
            (["--service-node-port-range", "9-1"], "service-node-port-range"),
            (["--authorization-mode", "Perhaps"], "authorization-mode"),
            (["--client-ca-file", nothing], nothing), (["--client-ca-file", junk], junk),
            (["--token-auth-file", nothing], nothing), (["--token-auth-file", junk], junk),
            (["--service-account-key-file", junk], junk),
            (["--service-account-signing-key-file", nothing], nothing),
            (["--etcd-servers", "http://127.0.0.1:1"], "etcd"),
            (["--enable-admission-plugins", "Nope"], "Nope"),
            (["--disable-admission-plugins", "LimitRanger,Nope"], "Nope"),
            (["more"], "more"),
        ]:
            done = apiserver.subprocess.run(
                base + flags, capture_output=True, text=True, timeout=60)
            assert done.returncode != 0, flags
            lines = [line for line in done.stderr.splitlines() if line and "--help" not in line]
            assert len(lines) == 1 and said in lines[0], (flags, done.stderr)


if __name__ == "__main__":
    sys.exit(apiserver.run(TESTS))
