#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""The kubelet's own port: exec, attach and port-forward over WebSockets, who may use them,
and pods and clients that want to harm the node."""

import concurrent.futures
import fcntl
import hashlib
import http.client
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import pty
import random
import re
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import termios
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
spec = importlib.util.spec_from_loader(
    "node_test", importlib.machinery.SourceFileLoader("node_test", str(HERE / "node.test.py")))
nodes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(nodes)
base = nodes.base
base.INDEX = os.environ.get("APUS_TEST_INDEX", "154")
base.TESTS.clear()
wait, container, test = base.wait, base.container, base.test

try:
    import websocket
except ImportError:
    print("needs the Python package websocket-client")
    sys.exit(77)


def credentials(node, user="apiserver-kubelet-client"):
    pki = node.dir / "pki"
    if user == "kubelet":
        return pki / "clients/kubelet.crt", pki / "clients/kubelet.key"
    return pki / f"{user}.crt", pki / f"{user}.key"


def context(node, user="apiserver-kubelet-client"):
    made = ssl.create_default_context(cafile=node.dir / "pki/ca.crt")
    made.check_hostname = False
    if user:
        made.load_cert_chain(*credentials(node, user))
    return made


def ask(node, path, method="GET", user="apiserver-kubelet-client", headers=()):
    """The status code and the text of an answer of the kubelet."""
    connection = http.client.HTTPSConnection(
        "127.0.0.1", node.node_port, context=context(node, user), timeout=60)
    try:
        connection.request(method, path, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


def connect(node, path, *subprotocols, user="apiserver-kubelet-client"):
    """A WebSocket of the kubelet."""
    options = {"ca_certs": str(node.dir / "pki/ca.crt"), "check_hostname": False}
    if user:
        certificate, key = credentials(node, user)
        options.update(certfile=str(certificate), keyfile=str(key))
    return websocket.create_connection(
        f"wss://127.0.0.1:{node.node_port}{path}", subprotocols=list(subprotocols),
        sslopt=options, timeout=90)


def messages(socket_, until=lambda seen: False):
    """What comes on each channel until the peer closes."""
    seen = {}
    while not until(seen):
        try:
            data = socket_.recv()
        except websocket.WebSocketConnectionClosedException:
            break
        if not data:
            break
        seen[data[0]] = seen.get(data[0], b"") + data[1:]
    return seen


class StandIn:
    """What kubectl takes for an API server: streams go straight to the kubelet's port, with its
    paths and parameters; everything else goes to the API server itself."""

    STREAM = re.compile(r"^/api/v1/namespaces/([^/]+)/pods/([^/]+)/(exec|attach|portforward)$")
    NAMES = {"stdin": "input", "stdout": "output", "stderr": "error"}

    def __init__(self, node):
        self.node = node
        self.streams = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()
        self.kubeconfig = node.dir / "stand-in.conf"
        self.kubeconfig.write_text(
            "apiVersion: v1\nkind: Config\ncurrent-context: x\n"
            f'clusters: [{{name: c, cluster: {{server: "http://127.0.0.1:{self.port}"}}}}]\n'
            "contexts: [{name: x, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n")

    def accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                more = client.recv(65536)
                if not more:
                    return
                head += more
            head, rest = head.split(b"\r\n\r\n", 1)
            lines = head.decode().split("\r\n")
            method, target, version = lines[0].split()
            path, _, query = target.partition("?")
            found = self.STREAM.match(path)
            if found:
                namespace, pod, kind = found.groups()
                port, user = self.node.node_port, "apiserver-kubelet-client"
                target, used = self.translate(namespace, pod, kind, query)
                upgrade = [line.split(": ")[1] for line in lines if line.lower().startswith("upgrade:")]
                self.streams.append((used, *upgrade))
            else:
                port, user = self.node.port, "admin"
                lines = [line for line in lines if not line.lower().startswith("connection:")]
                lines.append("Connection: close")
            lines[0] = f"{method} {target} {version}"
            with socket.create_connection(("127.0.0.1", port)) as plain, self.tls(user).wrap_socket(
                    plain) as server:
                server.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + rest)
                back = threading.Thread(target=self.copy, args=(server, client), daemon=True)
                back.start()
                self.copy(client, server, ends=False)
                back.join()

    def tls(self, user):
        made = ssl.create_default_context(cafile=self.node.dir / "pki/ca.crt")
        made.check_hostname = False
        pki = self.node.dir / "pki"
        made.load_cert_chain(*(
            (pki / "clients/admin.crt", pki / "clients/admin.key") if user == "admin"
            else credentials(self.node, user)))
        return made

    def translate(self, namespace, pod, kind, query):
        pairs = [pair.split("=", 1) for pair in query.split("&") if "=" in pair]
        values = dict(pairs)
        if kind == "portforward":
            return f"/portForward/{namespace}/{pod}", kind
        rest = "&".join(
            f"{self.NAMES.get(name, name)}={'1' if value == 'true' else value}"
            for name, value in pairs if name != "container")
        return f"/{kind}/{namespace}/{pod}/{values.get('container', 'main')}?{rest}", kind

    @staticmethod
    def copy(source, target, ends=True):
        try:
            while data := source.recv(1 << 18):
                target.sendall(data)
        except OSError:
            pass
        if ends:
            try:
                target.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def running(node, name, *script, **more):
    node.create(name, {"containers": [container(*script, **more)]})
    wait(f"pod {name}", lambda: node.phase(name) == "Running")


def resources_of(process):
    """Open files and threads of a process."""
    folder = pathlib.Path(f"/proc/{process.pid}")
    return len(list((folder / "fd").iterdir())), len(list((folder / "task").iterdir()))


@test
def starts(node):
    running(node, "main", "sh", "-c", "mkdir /www; echo page > /www/index.html; "
            "httpd -p 8080 -h /www; echo begun; exec cat", stdin=True)
    wait("the server", lambda: node.kubectl("exec", "main", "--", "wget", "-qO-",
                                            "http://127.0.0.1:8080/") == "page\n")
    node.stand_in = StandIn(node)


@test
def exec_over_a_websocket(node):
    path = ("/exec/default/main/main?command=sh&command=-c&command=cat%3B+echo+err+%3E%262%3B"
            "+exit+7&input=1&output=1&error=1")
    # Version 5 can say that the input is over; version 4 cannot.
    one = connect(node, path, "v5.channel.k8s.io", "v4.channel.k8s.io")
    assert one.getsubprotocol() == "v5.channel.k8s.io"
    one.send_binary(b"\x00to and fro")
    one.send_binary(b"\xff\x00")
    seen = messages(one)
    assert seen[1] == b"to and fro" and seen[2] == b"err\n", seen
    status = json.loads(seen[3])
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "7"}], status
    path = "/exec/default/main/main?command=echo&command=four&output=1"
    four = connect(node, path, "v4.channel.k8s.io")
    seen = messages(four)
    assert seen[1] == b"four\n" and json.loads(seen[3])["status"] == "Success", seen
    # The pod's uid may be in the path.
    uid = node.get("pod", "main")["metadata"]["uid"]
    path = path.replace("/main/main", f"/main/{uid}/main")
    assert messages(connect(node, path, "v4.channel.k8s.io"))[1] == b"four\n"


@test
def attach_over_a_websocket(node):
    one = connect(node, "/attach/default/main/main?input=1&output=1", "v5.channel.k8s.io")
    one.send_binary(b"\x00attached\n")
    seen = messages(one, lambda seen: b"attached\n" in seen.get(1, b""))
    assert b"attached\n" in seen[1], seen
    one.close()


@test
def port_forward_over_channels(node):
    def pages(socket_):
        """An answer on the channel of each of two ports."""
        request = b"GET / HTTP/1.0\r\n\r\n"
        socket_.send_binary(b"\x00" + request)
        socket_.send_binary(b"\x02" + request)
        seen = messages(socket_)
        for channel in (0, 2):
            assert seen[channel][:2] == (8080).to_bytes(2, "little"), seen
            assert seen[channel].endswith(b"page\n"), seen
        for channel in (1, 3):
            assert seen[channel] == (8080).to_bytes(2, "little"), seen
    pages(connect(node, "/portForward/default/main?port=8080&port=8080", "v4.channel.k8s.io"))
    # The same by way of the API server, as other languages' clients do it.
    pki = node.dir / "pki"
    pages(websocket.create_connection(
        f"wss://127.0.0.1:{node.port}/api/v1/namespaces/default/pods/main/portforward"
        "?ports=8080,8080", subprotocols=["v4.channel.k8s.io"], timeout=90, sslopt={
            "ca_certs": str(pki / "ca.crt"), "check_hostname": False,
            "certfile": str(pki / "clients/admin.crt"),
            "keyfile": str(pki / "clients/admin.key")}))
    # A port that nobody listens at is told on the channel of its errors.
    one = connect(node, "/portForward/default/main?port=9", "v4.channel.k8s.io")
    assert b"refused" in messages(one)[1][2:].lower()


@test
def kubectl_by_way_of_the_kubelet(node):
    for upgrade in ("websocket", "SPDY/3.1"):
        node.stand_in.streams.clear()
        kubectl_streams(node, node.stand_in.kubeconfig, upgrade)
        for kind in ("exec", "attach", "portforward"):
            assert (kind, upgrade) in node.stand_in.streams, node.stand_in.streams


@test
def kubectl_over_spdy_by_way_of_the_api_server(node):
    kubectl_streams(node, node.dir / "admin.conf", "SPDY/3.1")


def kubectl_streams(node, kubeconfig, upgrade):
    """Exec, attach and port-forward with kubectl, over WebSockets or SPDY."""
    flag = str(upgrade == "websocket").lower()
    environment = {**os.environ, "KUBECTL_REMOTE_COMMAND_WEBSOCKETS": flag,
                   "KUBECTL_PORT_FORWARD_WEBSOCKETS": flag}
    kubectl = ["kubectl", "--kubeconfig", str(kubeconfig), "--cache-dir", str(node.dir / "cache")]
    data = random.Random(1).randbytes(1 << 20)
    answer = subprocess.run(
        [*kubectl, "exec", "-i", "main", "--", "sh", "-c", "cat; echo err >&2; exit 7"],
        input=data, capture_output=True, timeout=170, env=environment)
    assert hashlib.sha256(answer.stdout).digest() == hashlib.sha256(data).digest(), (
        upgrade, len(answer.stdout), answer.stderr)
    assert answer.returncode == 7 and b"err\n" in answer.stderr, (upgrade, answer.stderr)
    # The terminal's size comes on a stream of its own.
    [code, shown] = in_a_terminal([*kubectl, "exec", "-it", "main", "--", "sh", "-c",
                                   "while [ \"$(stty size)\" != '33 77' ]; do sleep 0.1; done; "
                                   "echo seen; exit 5"], environment, rows=33, columns=77)
    assert (code, b"seen\r\n" in shown) == (5, True), (upgrade, code, shown)
    process = subprocess.Popen([*kubectl, "attach", "-i", "main"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    try:
        # Said again and again: what comes before the output is joined is lost.
        seen = b""
        for _ in range(60):
            process.stdin.write(b"attached\n")
            process.stdin.flush()
            if select.select([process.stdout], [], [], 2)[0]:
                more = os.read(process.stdout.fileno(), 65536)
                assert more, (upgrade, seen, process.stderr.read())
                seen += more
            if b"attached\n" in seen:
                break
        else:
            raise AssertionError((upgrade, seen))
    finally:
        process.kill()
        process.communicate()
    process = subprocess.Popen([*kubectl, "port-forward", "pod/main", ":8080"],
                               stdout=subprocess.PIPE, text=True, env=environment)
    try:
        port = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline()).group(1)
        for _ in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
                assert answer.read() == b"page\n"
    finally:
        process.kill()
        process.communicate()


def in_a_terminal(command, environment, rows, columns):
    """Runs a program in a terminal of a size; its exit code and what it wrote."""
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal,
                               env=environment, start_new_session=True)
    os.close(terminal)
    shown = b""
    try:
        while select.select([main], [], [], 120)[0]:
            try:
                more = os.read(main, 65536)
            except OSError:
                break
            if not more:
                break
            shown += more
        return process.wait(60), shown
    finally:
        process.kill()
        process.wait()
        os.close(main)


@test
def says_why_not(node):
    upgrade = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1",
               "X-Stream-Protocol-Version": "v4.channel.k8s.io"}
    for path, method, headers, code, text in (
            ("/exec/default/none/main?command=true&output=1", "POST", upgrade, 404,
             "pod does not exist"),
            ("/exec/default/main/none?command=true&output=1", "POST", upgrade, 500,
             'container not found ("none")'),
            ("/exec/default/main/main?command=true", "POST", upgrade, 400,
             "you must specify at least 1 of stdin, stdout, stderr"),
            ("/exec/default/main/main?command=true&output=1", "POST", {}, 400,
             "Upgrade request required"),
            ("/exec/default/main/main?command=true&output=1", "POST",
             {**upgrade, "X-Stream-Protocol-Version": "v9"}, 403, "unable to negotiate protocol"),
            ("/exec/default/main/main", "PUT", {}, 405, "method not allowed"),
            ("/portForward/default/none", "POST", upgrade, 404, "pod does not exist"),
            ("/portForward/default/main?port=x", "POST", upgrade, 400, "as a port"),
            ("/attach/default/main/00000000/main?output=1", "POST", upgrade, 404,
             "pod does not exist"),
            # Nothing there that makes files, and no way around the rules of paths.
            ("/checkpoint/default/main/main", "POST", {}, 405, ""),
            ("/run/default/main/main?cmd=id", "POST", {}, 405, ""),
            ("/metrics/../exec/default/main/main", "GET", {}, 404, ""),
            ("/containerLogs/../../../etc/passwd", "GET", {}, 404, "page not found"),
            ("/logs/", "GET", {}, 404, "page not found"), ("//pods", "GET", {}, 404, "")):
        status, said = ask(node, path, method, headers=headers)
        assert (status, text in said) == (code, True), (path, status, said)


@test
def lets_in_who_may(node):
    streams = "/exec/default/main/main?command=id&output=1"
    assert ask(node, "/pods", user=None) == (401, "Unauthorized")
    for user in ("kubelet",):
        status, said = ask(node, "/pods", user=user)
        assert status == 403, said
        assert "resource=nodes, subresource(s)=[pods proxy])" in said, said
    for user, code in ((None, 401), ("kubelet", 403)):
        try:
            connect(node, streams, "v4.channel.k8s.io", user=user)
            raise AssertionError(f"{user} was let in")
        except websocket.WebSocketBadStatusException as error:
            assert error.status_code == code, error
    # Who may only read may not run commands by the method that reads.
    node.kubectl("create", "serviceaccount", "reader")
    node.kubectl("create", "clusterrole", "reader", "--verb=get", "--resource=nodes/proxy")
    node.kubectl("create", "clusterrolebinding", "reader", "--clusterrole=reader",
                 "--serviceaccount=default:reader")
    token = node.kubectl("create", "token", "reader").strip()
    bearer = {"Authorization": f"Bearer {token}"}
    wait("the right to read", lambda: ask(node, "/pods", user=None, headers=bearer)[0] == 200)
    status, said = ask(node, streams, user=None, headers={
        **bearer, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "v4.channel.k8s.io"})
    assert status == 403 and "verb=create" in said, (status, said)


@test
def a_flood_of_commands_leaves_nothing(node):
    """Clients that start commands and go away without a word."""
    before = resources_of(node.kubelet)

    def one(_):
        path = "/exec/default/main/main?command=cat&input=1&output=1"
        made = connect(node, path, "v5.channel.k8s.io")
        made.send_binary(b"\x00x")
        messages(made, lambda seen: seen.get(1) == b"x")
        made.sock.shutdown(socket.SHUT_RDWR)
        made.sock.close()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(24)))
    assert ask(node, "/healthz")[0] == 200
    # The container's own process is one of them.
    wait("the end of the commands", lambda: node.kubectl(
        "exec", "main", "--", "sh", "-c", "ps | grep -c ' cat$'").strip() == "1")
    wait("the end of the connections",
         lambda: resources_of(node.kubelet)[0] <= before[0] + 8)


@test
def a_flood_of_connections_has_an_end(node):
    before = resources_of(node.kubelet)
    query = "&".join(["port=8080"] * 120)
    flood = [connect(node, f"/portForward/default/main?{query}", "v4.channel.k8s.io")
             for _ in range(3)]
    for one in flood:
        one.send_binary(b"\x00GET / HTTP/1.0\r\n\r\n")
        seen = messages(one, lambda seen: b"page\n" in seen.get(0, b""))
        assert b"page\n" in seen[0], seen
    assert ask(node, "/healthz")[0] == 200
    for one in flood:
        one.sock.shutdown(socket.SHUT_RDWR)
        one.sock.close()
    wait("the end of the connections",
         lambda: resources_of(node.kubelet)[0] <= before[0] + 8)


@test
def last_words_are_cut(node):
    node.create("wordy", {"restartPolicy": "Never", "containers": [
        container("sh", "-c", "head -c 9000000 /dev/zero | tr '\\0' w > /dev/termination-log; "
                  "exit 1")]})
    wait("the end", lambda: node.phase("wordy") == "Failed")
    [status] = node.get("pod", "wordy")["status"]["containerStatuses"]
    message = status["state"]["terminated"]["message"]
    assert message == "w" * 4096, len(message)


@test
def logs_that_flood_are_bounded(node):
    """A container that writes as fast as it can: parts are dropped, and the node goes on."""
    line = "l" * 8000
    running(node, "flood", "sh", "-c", f"yes {line}")
    folder = node.logs / f"default_flood_{node.get('pod', 'flood')['metadata']['uid']}" / "main"
    inode = (folder / "0.log").stat().st_ino
    wait("a rotation", lambda: (folder / "0.log").stat().st_ino != inode
         and len(list(folder.iterdir())) > 1)
    assert ask(node, "/healthz/syncloop") == (200, "ok")
    answer = node.kubectl("logs", "flood", "--tail=2", "--limit-bytes=20000")
    assert answer.startswith("l"), answer[:100]
    memory = int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(
        f"/proc/{node.kubelet.pid}/status").read_text())[1])
    assert memory < 400_000, f"{memory} KiB"
    node.kubectl("delete", "pod", "flood", "--wait=true")
    wait("the logs' end", lambda: not folder.exists())


@test
def the_hosts_file_counts(node):
    """CVE-2020-8557: what a pod writes there is part of its ephemeral storage."""
    node.create("hosts", {"containers": [container(
        "sh", "-c", "head -c 4000000 /dev/zero >> /etc/hosts; exec sleep 3600",
        resources={"limits": {"ephemeral-storage": "1Mi"}})]})
    node.evicted_later = True


@test
def host_side_is_closed(node):
    """CVE-2020-8558, CVE-2020-10749: no way to the node's loopback, and no routes from pods."""
    bridge = f"apus-t{base.INDEX}"
    links = [line.split(":")[1].split("@")[0].strip() for line in subprocess.run(
        ["ip", "-o", "link", "show", "master", bridge], check=True, capture_output=True,
        text=True).stdout.splitlines()]
    assert links, "the pod has no link"
    for link in links + [bridge, "all", "default"]:
        kernel = pathlib.Path("/proc/sys/net")
        local = kernel / f"ipv4/conf/{link}/route_localnet"
        assert local.read_text().strip() == "0", link
        routes = kernel / f"ipv6/conf/{link}/accept_ra"
        if link not in ("all", "default") and routes.exists():
            assert routes.read_text().strip() == "0", link


@test
def git_volumes_are_refused(node):
    """CVE-2024-10220, CVE-2025-1767: nothing is cloned, so no hook of a repository runs."""
    node.create("git", {
        "volumes": [{"name": "g", "gitRepo": {"repository": "https://127.0.0.1:1/x"}}],
        "containers": [container("true", volumeMounts=[{"name": "g", "mountPath": "/g"}])]})
    wait("the refusal", lambda: any(
        e["reason"] == "FailedMount" and e["involvedObject"]["name"] == "git"
        and "no volume plugin matched" in e["message"] for e in node.get("events")["items"]))
    node.kubectl("delete", "pod", "git", "--wait=false")


@test
def manifests_with_tricks_are_left_alone(node):
    target = node.dir / "target"
    target.mkdir()
    (target / "kept").write_text("kept")
    way = "../" * 12 + str(target)[1:]
    tricks = {
        "uid": {"metadata": {"name": "a", "uid": way}},
        "name": {"metadata": {"name": way}},
        "namespace": {"metadata": {"name": "b", "namespace": way}},
        "container": {"metadata": {"name": "c"}, "name": way},
        "volume": {"metadata": {"name": "d"}, "volume": way},
    }
    for name, trick in tricks.items():
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": trick["metadata"], "spec": {
            "terminationGracePeriodSeconds": 1,
            "volumes": [{"name": trick.get("volume", "v"), "emptyDir": {}}],
            "containers": [{**container("sleep", "3600"), "name": trick.get("name", "main")}]}}
        (node.manifests / f"trick-{name}.json").write_text(json.dumps(pod))
    node.apply("good", {"containers": [container("sleep", "3600")],
                        "terminationGracePeriodSeconds": 1})
    wait("the pod beside them", lambda: node.phase("good-node") == "Running")
    for name in tricks:
        (node.manifests / f"trick-{name}.json").unlink()
    node.remove("good")
    wait("its end", lambda: ("good-node", "main") not in node.containers())
    assert {path.name for path in target.iterdir()} == {"kept"}
    assert {name for _, name in node.containers()} <= {"main", "log"}, node.containers()


@test
def what_outgrew_its_storage_was_ended(node):
    wait("the end", lambda: node.phase("hosts") == "Failed")
    status = node.get("pod", "hosts")["status"]
    assert status["reason"] == "Evicted", status
    assert "ephemeral" in status["message"], status


@test
def leaves_nothing_behind(node):
    node.stand_in.server.close()
    node.kubectl("delete", "pod", "--all", "--wait=true", "--timeout=180s")
    wait("the end of all containers", lambda: not node.containers())
    wait("the end of all mounts", lambda: not base.mounts(node))


if __name__ == "__main__":
    nodes.main()
