#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""The `proxy` subresources of pods, Services and nodes, with stand-in backends: requests, bodies of
any length, upgrades; and what a backend must not be able to do with them."""

import http.server
import os
import socket
import ssl
import sys
import threading

import apiserver
from serving_client import request

PODS = "/api/v1/namespaces/default/pods"
SERVICES = "/api/v1/namespaces/default/services"
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def own_address():
    """An address of this machine that is not a loopback; None without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = probe.getsockname()[0]
    return None if address.startswith(("127.", "0.", "169.254.")) else address


class Backend(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, code, body=b"", fields=()):
        self.send_response(code)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            data = b""
            while size := int(self.rfile.readline(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return data
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def serve(self):
        self.server.seen.append((self.command, self.path, dict(self.headers.items())))
        data = self.body()
        path = self.path.partition("?")[0]
        if self.headers.get("Upgrade") and path == "/echo":
            self.send_response(101)
            self.send_header("Connection", "Upgrade")
            self.send_header("Upgrade", self.headers["Upgrade"])
            self.end_headers()
            self.wfile.flush()
            while chunk := self.connection.recv(65536):
                self.connection.sendall(chunk.upper())
            self.close_connection = True
        elif self.headers.get("Upgrade"):
            self.answer(403, b"no upgrade")
        elif path == "/redirect":
            self.answer(302, fields=[("Location", self.path.partition("?")[2])])
        elif path == "/chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for _ in range(64):
                self.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        elif path == "/hops":
            self.answer(200, b"hops", [("Connection", "X-Back, X-Other"), ("X-Back", "1"),
                                       ("Keep-Alive", "timeout=9"), ("X-End", "2")])
        elif path == "/size":
            self.answer(200, str(len(data)).encode())
        else:
            self.answer(200, f"{self.command} {self.path}".encode(), [("X-Backend", "yes")])

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve

    def log_message(self, *_):
        pass


class Stand:
    """A backend on an address of this machine."""

    def __init__(self, address, tls=None):
        self.server = http.server.ThreadingHTTPServer((address, 0), Backend)
        self.server.daemon_threads = True
        self.server.seen = []
        self.port = self.server.server_address[1]
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def seen(self):
        return self.server.seen

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def pod(server, name, address, port=None):
    container = {"name": "c", "image": "i"}
    if port:
        container["ports"] = [{"containerPort": port}]
    status, made = request(server, "POST", PODS, {
        "metadata": {"name": name, "labels": {"app": name}}, "spec": {"nodeName": "n1", "containers": [container]}})
    assert status == 201, made
    status, made = request(server, "PATCH", f"{PODS}/{name}/status",
                           {"status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}},
                           content="application/merge-patch+json")
    assert status == 200, made


def node(server, name, address, port):
    status, made = request(server, "POST", "/api/v1/nodes", {
        "metadata": {"name": name},
        "status": {"addresses": [{"type": "InternalIP", "address": address}],
                   "daemonEndpoints": {"kubeletEndpoint": {"Port": port}}}})
    assert status == 201, made


def raw(server):
    """A connection to the API server without a library in between."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    return server.context.wrap_socket(connection, server_hostname="127.0.0.1")


def upgrade(server, path, extra=""):
    connection = raw(server)
    connection.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Authorization: Bearer {apiserver.ADMIN_TOKEN}\r\nConnection: Upgrade\r\n"
        f"Upgrade: echo\r\n{extra}\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        chunk = connection.recv(4096)
        if not chunk:
            break
        head += chunk
    return connection, head


@test
def requests_reach_a_pod(server, stand):
    pod(server, "web", stand.server.server_address[0], stand.port)
    for name in ("web", f"web:{stand.port}", f"http:web:{stand.port}"):
        status, body = request(server, "GET", f"{PODS}/{name}/proxy/a/b%2Fc//d?x=1&y=%20")
        assert (status, body) == (200, b"GET /a/b%2Fc//d?x=1&y=%20"), (name, status, body)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        status, body = request(server, method, f"{PODS}/web/proxy/m")
        assert (status, body) == (200, f"{method} /m".encode()), (method, status, body)
    status, body = request(server, "HEAD", f"{PODS}/web/proxy/m")
    assert (status, body) == (200, b""), body
    status, _ = request(server, "GET", f"{PODS}/web/proxy")
    assert status == 301
    assert request(server, "GET", f"{PODS}/none/proxy/")[0] == 404
    assert request(server, "GET", f"{PODS}/ftp:web:80/proxy/")[0] == 400
    assert request(server, "GET", f"{PODS}/web:1/proxy/")[0] == 503


@test
def bodies_of_any_length(server, stand):
    big = "x" * (8 << 20)
    status, body = request(server, "POST", f"{PODS}/web/proxy/size", big)
    assert (status, body) == (200, len(big) + 2), (status, body)
    status, body = request(server, "GET", f"{PODS}/web/proxy/chunks")
    assert status == 200 and len(body) == 64 * 65536, (status, len(body))


@test
def requests_reach_an_endpoint_of_a_service(server, stand):
    address = stand.server.server_address[0]
    status, made = request(server, "POST", SERVICES, {
        "metadata": {"name": "svc"},
        "spec": {"ports": [{"name": "web", "port": 80}, {"name": "other", "port": 81}]}})
    assert status == 201, made
    status, answer = request(server, "GET", f"{SERVICES}/svc:web/proxy/")
    assert status == 503 and "no endpoints available" in answer["message"], answer
    slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"

    def publish(name, target, port_name="web"):
        status, made = request(server, "POST", slices, {
            "metadata": {"name": name, "labels": {"kubernetes.io/service-name": "svc"}},
            "addressType": "IPv4", "ports": [{"name": port_name, "port": stand.port}],
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}, **target}]})
        assert status == 201, made

    publish("unknown", {})
    # An address that is no pod's is nobody's to be reached.
    assert request(server, "GET", f"{SERVICES}/svc:web/proxy/")[0] == 503
    publish("known", {"targetRef": {"kind": "Pod", "name": "web", "namespace": "default"}})
    for name in ("svc:web", "svc:80", "http:svc:web"):
        status, body = request(server, "GET", f"{SERVICES}/{name}/proxy/s")
        assert (status, body) == (200, b"GET /s"), (name, status, body)
    assert request(server, "GET", f"{SERVICES}/svc:other/proxy/")[0] == 503
    assert request(server, "GET", f"{SERVICES}/svc:99/proxy/")[0] == 503


@test
def requests_reach_a_node(server, stand):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{server.pki}/apiserver.crt", f"{server.pki}/apiserver.key")
    kubelet = Stand("127.0.0.1", context)
    try:
        node(server, "n1", "127.0.0.1", kubelet.port)
        for name in ("n1", f"n1:{kubelet.port}", f"https:n1:{kubelet.port}"):
            status, body = request(server, "GET", f"/api/v1/nodes/{name}/proxy/healthz")
            assert (status, body) == (200, b"GET /healthz"), (name, status, body)
        status, _ = request(server, "GET", "/api/v1/nodes/n1/proxy/healthz", token="nobody-token")
        assert status == 403, status
    finally:
        kubelet.stop()
    node(server, "n2", stand.server.server_address[0], 10250)
    status, body = request(server, "GET", f"/api/v1/nodes/n2:{stand.port}/proxy/x")
    assert (status, body) == (200, b"GET /x"), body


@test
def an_upgrade_carries_bytes_both_ways(server, stand):
    connection, head = upgrade(server, f"{PODS}/web/proxy/echo")
    assert head.startswith(b"HTTP/1.1 101"), head
    assert b"upgrade: echo" in head.lower(), head
    sent = b"hello " * 20000

    def send():
        connection.sendall(sent)

    sender = threading.Thread(target=send)
    sender.start()
    got = b""
    while len(got) < len(sent):
        chunk = connection.recv(65536)
        assert chunk, len(got)
        got += chunk
    sender.join()
    assert got == sent.upper()
    connection.close()


@test
def cve_2018_1002105_a_refused_upgrade_closes_both_ends(server, stand):
    connection, head = upgrade(server, f"{PODS}/web/proxy/refuse")
    assert head.startswith(b"HTTP/1.1 403"), head
    before = len(stand.seen)
    # Down the pipe that the refused upgrade must not have left open.
    try:
        connection.sendall(b"GET /smuggled HTTP/1.1\r\nHost: backend\r\n\r\n")
        while connection.recv(4096):
            pass
    except OSError:
        pass
    connection.close()
    assert [path for _, path, _ in stand.seen[before:]] == [], stand.seen[before:]


@test
def cve_2020_8559_and_2018_1002102_redirects_are_not_followed(server, stand):
    """Nor CVE-2022-3172: the client is not led to another server."""
    other = Stand(stand.server.server_address[0])
    try:
        before = len(stand.seen)
        for place in (f"http://{stand.server.server_address[0]}:{other.port}/x", "//evil.example/x",
                      "https://evil.example/", "javascript:alert(1)", "/\\\\evil.example"):
            status, answer = request(server, "GET", f"{PODS}/web/proxy/redirect?{place}")
            assert status == 502, (place, status, answer)
        assert other.seen == [] and len(stand.seen) == before + 5
    finally:
        other.stop()
    connection = raw(server)
    connection.sendall(
        f"GET {PODS}/web/proxy/redirect?/inside HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
        f"Authorization: Bearer {apiserver.ADMIN_TOKEN}\r\n\r\n".encode())
    head = b""
    while chunk := connection.recv(4096):
        head += chunk
    connection.close()
    assert f"location: {PODS}/web/proxy/inside\r\n".encode() in head.lower(), head


@test
def cve_2022_3294_addresses_that_a_node_or_pod_must_not_choose(server, stand):
    for index, address in enumerate(["127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "::1",
                                     "::ffff:127.0.0.1", "fe80::1", "255.255.255.255"]):
        request(server, "DELETE", f"/api/v1/nodes/bad{index}")
        node(server, f"bad{index}", address, 10250)
        status, answer = request(server, "GET", f"/api/v1/nodes/bad{index}:80/proxy/")
        assert status == 400 and "address not allowed" in answer["message"], (address, answer)
        status, made = request(server, "POST", PODS, {
            "metadata": {"name": f"bad{index}"},
            "spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "i"}]}})
        assert status == 201, made
        status, made = request(server, "PATCH", f"{PODS}/bad{index}/status",
                               {"status": {"podIP": address, "podIPs": [{"ip": address}]}},
                               content="application/merge-patch+json")
        if status != 200:
            continue
        status, answer = request(server, "GET", f"{PODS}/bad{index}:80/proxy/")
        assert status == 400 and "address not allowed" in answer["message"], (address, answer)
    # A name may lead to any address when it is looked up.
    status, made = request(server, "POST", "/api/v1/nodes", {
        "metadata": {"name": "named"}, "status": {"addresses": [{"type": "Hostname", "address": "localhost"}]}})
    assert status == 201, made
    assert request(server, "GET", "/api/v1/nodes/named:80/proxy/")[0] == 400


@test
def cve_2019_11243_credentials_stay_here(server, stand):
    before = len(stand.seen)
    connection = raw(server)
    connection.sendall(
        f"GET {PODS}/web/proxy/c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
        f"Authorization: Bearer {apiserver.ADMIN_TOKEN}\r\nImpersonate-User: admin\r\n"
        f"Impersonate-Group: system:masters\r\nProxy-Authorization: x\r\nX-Mine: kept\r\n"
        f"X-Forwarded-For: 192.0.2.9\r\n\r\n".encode())
    while connection.recv(4096):
        pass
    connection.close()
    (_, _, fields), = stand.seen[before:]
    names = {name.lower() for name in fields}
    assert "x-mine" in names, fields
    assert not names & {"authorization", "impersonate-user", "impersonate-group",
                        "proxy-authorization"}, fields
    assert {name.lower(): value for name, value in fields.items()}["x-forwarded-for"] == "127.0.0.1", fields
    assert apiserver.ADMIN_TOKEN not in repr(fields)


@test
def fields_of_a_connection_stay_on_it(server, stand):
    before = len(stand.seen)
    connection = raw(server)
    connection.sendall(
        f"GET {PODS}/web/proxy/hops HTTP/1.1\r\nHost: h\r\nConnection: close, X-Hop\r\n"
        f"Authorization: Bearer {apiserver.ADMIN_TOKEN}\r\nX-Hop: 1\r\nTE: trailers\r\n"
        f"Keep-Alive: timeout=9\r\nProxy-Connection: close\r\nX-End: 2\r\n\r\n".encode())
    answer = b""
    while chunk := connection.recv(4096):
        answer += chunk
    connection.close()
    (_, _, fields), = stand.seen[before:]
    names = {name.lower() for name in fields}
    assert "x-end" in names, fields
    assert not names & {"x-hop", "te", "keep-alive", "proxy-connection"}, fields
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert head.startswith(b"http/1.1 200 ") and b"\r\nx-end: 2" in head, answer
    assert b"x-back" not in head and b"timeout=9" not in head, answer


@test
def rights_are_those_of_the_subresource(server, stand):
    for path in (f"{PODS}/web/proxy/", f"{SERVICES}/svc:web/proxy/", "/api/v1/nodes/n1/proxy/"):
        for method in ("GET", "POST"):
            status, answer = request(server, method, path, token="nobody-token")
            assert status == 403 and "/proxy" in answer["message"], (path, method, answer)
    # Dots in the backend's path are refused before anybody is asked.
    assert request(server, "GET", f"{PODS}/web/proxy/../x")[0] == 400


if __name__ == "__main__":
    address = own_address()
    if address is None:
        print("no address of this machine but the loopback")
        sys.exit(77)
    shared = apiserver.Server()
    shared.flags += ["--kubelet-certificate-authority", os.path.join(shared.pki, "ca.crt")]
    backend = Stand(address)
    try:
        with shared:
            # What the controller manager makes, which is not here.
            request(shared, "POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})
            code = apiserver.run(TESTS, shared, backend)
    finally:
        backend.stop()
    sys.exit(code)
