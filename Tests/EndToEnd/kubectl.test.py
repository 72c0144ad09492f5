#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""kubectl against a node with real containers: logs, exec, attach, cp, port-forward, debug, run."""

import hashlib
import importlib.machinery
import importlib.util
import os
import pathlib
import pty
import random
import re
import select
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
spec = importlib.util.spec_from_loader(
    "node_test", importlib.machinery.SourceFileLoader("node_test", str(HERE / "node.test.py")))
nodes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(nodes)
base = nodes.base
base.INDEX = os.environ.get("APUS_TEST_INDEX", "153")
base.TESTS.clear()
wait, container, test = base.wait, base.container, base.test


def command(node, *words):
    return ["kubectl", "--kubeconfig", str(node.dir / "admin.conf"), "--cache-dir",
            str(node.dir / "cache"), *words]


def run(node, *words, data=None):
    return subprocess.run(command(node, *words), capture_output=True, input=data, timeout=120)


def running(node, name, *script, **more):
    node.create(name, {"containers": [container(*script, **more)]})
    wait(f"pod {name}", lambda: node.phase(name) == "Running")


@test
def logs_of_lines(node):
    running(node, "lines", "sh", "-c",
            "for i in 1 2 3 4 5; do echo line $i; done; echo other >&2; exec sleep 3600")
    wait("the log", lambda: len(node.kubectl("logs", "lines").splitlines()) == 6)
    # Two streams are written by two copiers, so their order is not fixed.
    assert [line for line in node.kubectl("logs", "lines").splitlines() if line != "other"] == [
        f"line {n}" for n in range(1, 6)]
    assert len(node.kubectl("logs", "lines", "--tail=2").splitlines()) == 2
    assert node.kubectl("logs", "lines", "--tail=0") == ""
    assert node.kubectl("logs", "lines", "--limit-bytes=6") in ("line 1", "other\n")
    assert len(node.kubectl("logs", "lines", "--since=1h").splitlines()) == 6
    assert node.kubectl("logs", "lines", "--since-time=2099-01-01T00:00:00Z") == ""
    for line in node.kubectl("logs", "lines", "--timestamps").splitlines():
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d) ", line), line


@test
def logs_of_the_instance_before(node):
    node.create("crash", {"restartPolicy": "OnFailure", "volumes": [{"name": "v", "emptyDir": {}}],
                          "containers": [container(
                              "sh", "-c", "echo run >> /v/n; wc -l < /v/n; [ $(wc -l < /v/n) -gt 1 ]"
                                          " && exec sleep 3600; exit 1",
                              volumeMounts=[{"name": "v", "mountPath": "/v"}])]})
    wait("the second instance", lambda: node.kubectl("logs", "crash").strip() == "2")
    assert node.kubectl("logs", "crash", "--previous").strip() == "1"
    answer = run(node, "logs", "lines", "--previous")
    assert answer.returncode == 1
    assert b'previous terminated container "main" in pod "lines" not found' in answer.stderr


@test
def logs_of_all_containers(node):
    node.create("two", {"containers": [
        {**container("sh", "-c", f"echo {name}; exec sleep 3600"), "name": name}
        for name in ("a", "b")]})
    wait("both logs", lambda: sorted(node.kubectl(
        "logs", "two", "--all-containers", "--prefix").splitlines()) == [
            "[pod/two/a] a", "[pod/two/b] b"])
    answer = run(node, "logs", "two", "-c", "none")
    assert answer.returncode == 1 and b"container none is not valid for pod two" in answer.stderr


@test
def follows_a_log_to_its_end(node):
    node.create("short", {"restartPolicy": "Never", "containers": [container(
        "sh", "-c", "for i in 1 2 3; do echo $i; sleep 1; done")]})
    wait("the start", lambda: node.phase("short") in ("Running", "Succeeded"))
    assert run(node, "logs", "-f", "short").stdout == b"1\n2\n3\n"


@test
def exec_tells_how_it_ended(node):
    for code in (0, 7):
        assert run(node, "exec", "lines", "--", "sh", "-c", f"exit {code}").returncode == code
    answer = run(node, "exec", "lines", "--", "sh", "-c", "echo out; echo err >&2")
    assert answer.stdout == b"out\n" and b"err" in answer.stderr
    answer = run(node, "exec", "lines", "--", "/nothing")
    assert answer.returncode not in (0, None), answer


@test
def exec_carries_many_bytes(node):
    data = random.Random(1).randbytes(2 << 20)
    answer = run(node, "exec", "-i", "lines", "--", "cat", data=data)
    assert hashlib.sha256(answer.stdout).digest() == hashlib.sha256(data).digest()


@test
def exec_with_a_terminal(node):
    master, slave = pty.openpty()
    process = subprocess.Popen(command(node, "exec", "-it", "lines", "--", "sh", "-c",
                                       "echo begun; read x; stty size; echo got $x; tty"),
                               stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    try:
        output = b""

        def read_until(word):
            nonlocal output
            deadline = time.monotonic() + 120
            while time.monotonic() < deadline and word not in output:
                if select.select([master], [], [], 1)[0]:
                    output += os.read(master, 4096)
        read_until(b"begun")
        os.write(master, b"word\n")
        read_until(b"/dev/pts")
        assert b"got word" in output and b"/dev/pts" in output, output
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(master)


@test
def attaches_to_a_process(node):
    running(node, "echo", "cat", stdin=True, stdinOnce=True)
    answer = run(node, "attach", "-i", "echo", data=b"to and fro\n")
    assert b"to and fro" in answer.stdout, answer
    wait("the log", lambda: "to and fro" in node.kubectl("logs", "echo"))


@test
def copies_files(node):
    source = node.dir / "copy"
    source.mkdir()
    data = random.Random(2).randbytes(1 << 20)
    (source / "bytes").write_bytes(data)
    (source / "deep").mkdir()
    (source / "deep" / "text").write_text("deep\n")
    assert run(node, "cp", str(source), "lines:/tmp/copy").returncode == 0
    assert node.kubectl("exec", "lines", "--", "cat", "/tmp/copy/deep/text") == "deep\n"
    back = node.dir / "back"
    assert run(node, "cp", "lines:/tmp/copy/bytes", str(back)).returncode == 0
    assert back.read_bytes() == data


@test
def forwards_ports(node):
    running(node, "web", "sh", "-c",
            "mkdir /www; echo page > /www/index.html; exec httpd -f -p 8080 -h /www")
    wait("the server", lambda: node.kubectl("exec", "web", "--", "wget", "-qO-",
                                            "http://127.0.0.1:8080/") == "page\n")
    process = subprocess.Popen(command(node, "port-forward", "pod/web", ":8080"),
                               stdout=subprocess.PIPE, text=True)
    try:
        port = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline()).group(1)

        def page():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
                return answer.read()
        for _ in range(20):
            assert page() == b"page\n"
    finally:
        process.terminate()
        process.wait()


@test
def debugs_a_running_pod(node):
    answer = run(node, "debug", "web", f"--image={base.IMAGE}", "--target=main", "-c", "looker",
                 "--", "sh", "-c", "ps; echo done")
    assert answer.returncode == 0, answer
    log = wait("the debugger", lambda: "done" in node.kubectl("logs", "web", "-c", "looker")
               and node.kubectl("logs", "web", "-c", "looker"))
    # It shares the processes of its target.
    assert "httpd" in log, log
    status = node.get("pod", "web")["status"]
    assert status["ephemeralContainerStatuses"][0]["name"] == "looker"
    assert status["containerStatuses"][0]["restartCount"] == 0


@test
def debugs_a_copy(node):
    answer = run(node, "debug", "web", "--copy-to=web-copy", "--same-node", "--container=main",
                 "--", "sh", "-c", "echo copied; exec sleep 3600")
    assert answer.returncode == 0, answer
    wait("the copy", lambda: node.kubectl("logs", "web-copy", "-c", "main") == "copied\n")


@test
def debugs_the_node(node):
    answer = run(node, "debug", "node/node", f"--image={base.IMAGE}", "--", "ls", "/host")
    assert answer.returncode == 0, answer
    name = re.search(r"node-debugger-node-\w+", (answer.stdout + answer.stderr).decode()).group()
    wait("the log", lambda: "proc" in node.kubectl("logs", name).split())


@test
def runs_and_removes(node):
    answer = run(node, "run", "once", "-i", "--rm", "--restart=Never", f"--image={base.IMAGE}",
                 '--overrides={"spec": {"nodeName": "node"}}', "--command", "--",
                 "sh", "-c", "read x; echo got $x", data=b"this\n")
    assert b"got this" in answer.stdout, answer
    wait("the end", lambda: "once" not in node.kubectl("get", "pods", "-o", "name"))


@test
def leaves_nothing_behind(node):
    node.kubectl("delete", "pod", "--all", "--wait=true", "--timeout=180s")
    wait("the end of all containers", lambda: not node.containers())
    wait("the end of all folders", lambda: not list((node.dir / "kubelet/pods").iterdir()))
    wait("the end of all mounts", lambda: not base.mounts(node))


if __name__ == "__main__":
    nodes.main()
