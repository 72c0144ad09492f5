#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""`apus rpc` against real gRPC servers: grpcio over TCP, unix sockets and TLS, etcd, containerd.

grpcio tells its schema by reflection; etcd and containerd have none, their schema is in proto/. A
server that is not installed is skipped. APUS_BIN names the folder of the built programs.
"""

import hashlib
import io
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAMS = ROOT / "Tests/Conformance/Interop/Programs"
APUS = os.path.join(os.environ["APUS_BIN"], "apus")
SERVICE = "grpc.testing.TestService"

counts = {"passed": 0, "failed": 0, "skipped": 0}


def check(name, condition, shown=""):
    counts["passed" if condition else "failed"] += 1
    if not condition:
        print(f"FAILED: {name}: {shown}")


def apus(*arguments, stdin="", timeout=120):
    """Exit code, standard output, standard error."""
    result = subprocess.run([APUS, "rpc", *arguments], input=stdin, capture_output=True, text=True,
                            timeout=timeout, check=False, cwd=ROOT)
    return result.returncode, result.stdout, result.stderr


def expect(name, arguments, code=0, out=None, error="", stdin=""):
    """Runs apus rpc; `out` is the output, or a function of it that says whether it is right."""
    got = apus(*arguments, stdin=stdin)
    right = got[0] == code and error in got[2]
    if right and out is not None:
        right = out(got[1]) if callable(out) else got[1] == out
    check(name, right, got)


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


class Server:
    """A program that is ended with the block."""

    def __init__(self, command, **options):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True,
                                        stderr=subprocess.DEVNULL, **options)

    def __enter__(self):
        return self.process

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()


def grpcio(*arguments):
    return Server([sys.executable, "interop_server.py", *arguments], cwd=PROGRAMS,
                  stdout=subprocess.PIPE, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"})


def test_grpcio():
    with grpcio() as process:
        address = f"127.0.0.1:{process.stdout.readline().split()[-1]}"
        expect("list", [address, "list"], out=lambda text: text.splitlines() == [
            "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection", SERVICE])
        expect("describe a service", [address, "describe", SERVICE], out=lambda text:
               "rpc FullDuplexCall(stream .grpc.testing.StreamingOutputCallRequest) returns "
               "(stream .grpc.testing.StreamingOutputCallResponse);" in text)
        expect("describe a method", [address, "describe", f"{SERVICE}/UnaryCall"],
               out="rpc UnaryCall(.grpc.testing.SimpleRequest) returns "
                   "(.grpc.testing.SimpleResponse);\n")
        expect("describe a message", [address, "describe", "grpc.testing.Payload"],
               out=lambda text: "bytes body = 2;" in text)
        expect("describe nothing", [address, "describe", "grpc.testing.Nothing"], code=1,
               error="there is no grpc.testing.Nothing")
        expect("call without data", [address, "call", f"{SERVICE}/EmptyCall"], out="{}\n")
        expect("call", [address, "call", f"{SERVICE}/UnaryCall", "-d", '{"responseSize": 3}'],
               out='{"payload":{"body":"AAAA"}}\n')
        expect("a request from standard input",
               [address, "call", f"{SERVICE}/UnaryCall", "-d", "@"],
               stdin='{\n  "responseSize": 3\n}\n', out='{"payload":{"body":"AAAA"}}\n')
        sizes = [{"responseParameters": [{"size": size}]} for size in (3, 0, 6)]
        bodies = [{"payload": {"body": "AAAA"}}, {"payload": {}}, {"payload": {"body": "AAAAAAAA"}}]
        expect("stream of requests",
               [address, "call", f"{SERVICE}/StreamingInputCall",
                "-d", '{"payload":{"body":"AAAA"}}{"payload":{"body":"AAAA"}}',
                "-d", '{"payload":{"body":"AAAA"}}'], out='{"aggregatedPayloadSize":9}\n')
        expect("stream of responses",
               [address, "call", f"{SERVICE}/StreamingOutputCall",
                "-d", json.dumps({"responseParameters": [{"size": 3}, {"size": 0}, {"size": 6}]})],
               out=lambda text: lines(text) == bodies)
        expect("streams both ways from standard input",
               [address, "call", f"{SERVICE}/FullDuplexCall"],
               stdin="\n".join(map(json.dumps, sizes)), out=lambda text: lines(text) == bodies)
        test_one_by_one(address)
        expect("a status", [address, "call", f"{SERVICE}/UnaryCall",
                            "-d", '{"responseStatus": {"code": 5, "message": "none here"}}'],
               code=1, error="NOT_FOUND: none here")
        expect("an unimplemented method", [address, "call", f"{SERVICE}/UnimplementedCall"],
               code=1, error="UNIMPLEMENTED")
        expect("an unknown method", [address, "call", f"{SERVICE}/Nothing"], code=1,
               error="there is no grpc.testing.TestService/Nothing")
        expect("a wrong request", [address, "call", f"{SERVICE}/UnaryCall", "-d", '{"none": 1}'],
               code=1, error="the request is wrong")
        expect("two requests", [address, "call", f"{SERVICE}/UnaryCall", "-d", "{}{}"],
               code=1, error="takes one request")
        expect("no JSON object", [address, "call", f"{SERVICE}/UnaryCall", "-d", "[]"],
               code=1, error="expected JSON objects")
        expect("a deadline", [address, "call", f"{SERVICE}/StreamingOutputCall", "--deadline", "2s",
                              "-d", '{"responseParameters": [{"intervalUs": 30000000}]}'],
               code=1, error="DEADLINE_EXCEEDED")
        test_nothing_typed(address)
        expect("headers", [address, "call", f"{SERVICE}/UnaryCall",
                           "-H", "x-grpc-test-echo-initial: a,b",
                           "--header", "x-grpc-test-echo-trailing-bin: AAEC"],
               out='{"payload":{}}\n')
        expect("a header that is none", [address, "list", "-H", "nothing"], code=2,
               error="is not 'name: value'")
        expect("schema files", [address, "list", "--proto_path", "Tests/Conformance/Interop"],
               out=lambda text: SERVICE in text.splitlines())
        expect("a call with schema files",
               [address, "call", f"{SERVICE}/UnaryCall", "-d", '{"responseSize": 3}',
                "--proto_path=Tests/Conformance/Interop"], out='{"payload":{"body":"AAAA"}}\n')
        expect("no such folder", [address, "list", "--proto_path", "/none"], code=1,
               error="No such file or directory")
    expect("nobody listens", [address, "list"], code=1, error="UNAVAILABLE")


def test_one_by_one(address):
    """A response is printed when it comes, while the call goes on."""
    command = [APUS, "rpc", address, "call", f"{SERVICE}/FullDuplexCall"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        rounds = []
        for size in (3, 6):
            process.stdin.write(json.dumps({"responseParameters": [{"size": size}]}) + "\n")
            process.stdin.flush()
            rounds.append(json.loads(process.stdout.readline()))
        process.stdin.close()
        code = process.wait()
    check("answers one by one", code == 0 and rounds == [
        {"payload": {"body": "AAAA"}}, {"payload": {"body": "AAAAAAAA"}}], rounds)


def test_nothing_typed(address):
    """The end of the call ends the wait for standard input."""
    command = [APUS, "rpc", address, "call", f"{SERVICE}/FullDuplexCall", "--deadline=2s"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:
        error = process.stderr.read()
        check("a deadline while nothing is typed",
              process.wait() == 1 and "DEADLINE_EXCEEDED" in error, error)


def test_unix(folder):
    path = f"{folder}/grpcio.sock"
    with grpcio("--unix", path) as process:
        process.stdout.readline()
        for address in (f"unix://{path}", f"unix:{path}", path):
            expect(f"list on {address}", [address, "list"], out=lambda text: SERVICE in text)


def test_tls(folder):
    script = """
        set -e
        cd "$0"
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -subj /CN=ca -days 2 -out ca.pem
        for name in server client; do
            openssl req -newkey rsa:2048 -nodes -keyout $name.key -subj /CN=$name -out $name.csr
            printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\\n' > ext
            openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
                -extfile ext -out $name.pem
        done"""
    subprocess.run(["sh", "-c", script, folder], check=True, capture_output=True)
    file = lambda name: f"{folder}/{name}"
    trust = ["--cacert", file("ca.pem")]
    identity = ["--cert", file("client.pem"), "--key", file("client.key")]
    server = ["--cert", file("server.pem"), "--key", file("server.key")]
    with grpcio(*server) as process:
        port = process.stdout.readline().split()[-1]
        expect("TLS by name", [f"localhost:{port}", "list", *trust], out=lambda t: SERVICE in t)
        expect("TLS by address", [f"127.0.0.1:{port}", "list", *trust], out=lambda t: SERVICE in t)
        expect("a stranger", [f"localhost:{port}", "list", "--tls"], code=1, error="UNAVAILABLE")
        expect("a name that the certificate has not",
               [f"localhost:{port}", "list", *trust, "--server-name", "other"], code=1,
               error="not other")
        expect("an address that the certificate has not",
               [f"localhost:{port}", "list", *trust, "--server-name", "127.0.0.2"], code=1,
               error="not 127.0.0.2")
        expect("a name in place of the address'",
               [f"127.0.0.1:{port}", "list", *trust, "--server-name", "localhost"],
               out=lambda text: SERVICE in text)
        expect("no verification", [f"localhost:{port}", "list", "--insecure-skip-tls-verify"],
               out=lambda text: SERVICE in text)
        expect("half an identity", [f"localhost:{port}", "list", "--cert", file("client.pem")],
               code=2, error="belong together")
    with grpcio(*server, *trust) as process:
        port = process.stdout.readline().split()[-1]
        expect("mutual TLS", [f"localhost:{port}", "list", *trust, *identity],
               out=lambda text: SERVICE in text)
        expect("mutual TLS without a certificate", [f"localhost:{port}", "list", *trust], code=1,
               error="UNAVAILABLE")


def test_etcd(folder):
    with socket.socket() as probe, socket.socket() as other:
        probe.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        port, peer = probe.getsockname()[1], other.getsockname()[1]
    url, peer_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer}"
    with Server(["etcd", "--data-dir", f"{folder}/etcd", "--listen-client-urls", url,
                 "--advertise-client-urls", url, "--listen-peer-urls", peer_url,
                 "--initial-advertise-peer-urls", peer_url,
                 "--initial-cluster", f"default={peer_url}"], stdout=subprocess.DEVNULL):
        address, schema = f"127.0.0.1:{port}", ["--proto_path", "proto"]
        status = [address, "call", "etcdserverpb.Maintenance/Status", *schema]
        for _ in range(60):
            if apus(*status)[0] == 0:
                break
            time.sleep(0.2)
        expect("etcd: put", [address, "call", "etcdserverpb.KV/Put", *schema,
                             "-d", '{"key": "YQ==", "value": "YjE="}'],
               out=lambda text: "header" in json.loads(text))
        expect("etcd: range", [address, "call", "etcdserverpb.KV/Range", *schema,
                               "-d", '{"key": "YQ=="}'],
               out=lambda text: json.loads(text)["kvs"][0]["value"] == "YjE=")
        expect("etcd: watch from revision 1, until the deadline",
               [address, "call", "etcdserverpb.Watch/Watch", *schema, "--deadline", "10s",
                "-d", '{"create_request": {"key": "YQ==", "start_revision": 1}}'],
               # etcd may say so first, with a code of its own (UNKNOWN).
               code=1, error="deadline exceeded",
               out=lambda text: lines(text)[1]["events"][0]["kv"]["value"] == "YjE=")


def write_image(path, name):
    """An OCI archive whose program sleeps: Debian's static busybox and nothing else."""
    blobs = {}

    def add(data):
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        return {"digest": f"sha256:{digest}", "size": len(data)}

    def archive(files, mode):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            for name, data in files.items():
                info = tarfile.TarInfo(name)
                info.size, info.mode = len(data), mode
                tar.addfile(info, io.BytesIO(data))
        return out.getvalue()

    oci = "application/vnd.oci.image"
    layer = archive({"busybox": pathlib.Path(shutil.which("busybox")).read_bytes()}, 0o755)
    config = add(json.dumps({
        "architecture": "amd64", "os": "linux",
        "config": {"Entrypoint": ["/busybox", "sleep", "1000000"]},
        "rootfs": {"type": "layers",
                   "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }).encode())
    manifest = add(json.dumps({
        "schemaVersion": 2, "mediaType": f"{oci}.manifest.v1+json",
        "config": {"mediaType": f"{oci}.config.v1+json", **config},
        "layers": [{"mediaType": f"{oci}.layer.v1.tar", **add(layer)}],
    }).encode())
    index = json.dumps({"schemaVersion": 2, "manifests": [{
        "mediaType": f"{oci}.manifest.v1+json", **manifest,
        "annotations": {"io.containerd.image.name": name}}]}).encode()
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": index, **blobs}
    pathlib.Path(path).write_bytes(archive(files, 0o644))


def test_sandbox(folder, path, call):
    """An image comes in, a pod sandbox runs from it, on the host's network, and goes again."""
    image = "apus.test/pause:1"
    write_image(f"{folder}/image.tar", image)
    subprocess.run(["ctr", "-a", path, "-n", "k8s.io", "images", "import", f"{folder}/image.tar"],
                   check=True, capture_output=True)
    # The CRI service hears of the image a moment later.
    for _ in range(50):
        _, out, _ = apus(*call, "runtime.v1.ImageService/ListImages")
        if image in out:
            break
        time.sleep(0.1)
    check("containerd: ListImages shows the imported image",
          json.loads(out)["images"][0]["repoTags"] == [image], out)
    config = {"metadata": {"name": "a", "namespace": "b", "uid": "c"},
              "linux": {"securityContext": {"namespaceOptions": {"network": "NODE"}}}}
    code, out, error = apus(*call, "runtime.v1.RuntimeService/RunPodSandbox",
                            "-d", json.dumps({"config": config}))
    check("containerd: RunPodSandbox", code == 0, error)
    if code:
        return
    sandbox = json.dumps({"podSandboxId": json.loads(out)["podSandboxId"]})
    service = "runtime.v1.RuntimeService"
    expect("containerd: PodSandboxStatus", [*call, f"{service}/PodSandboxStatus", "-d", sandbox],
           out=lambda text: json.loads(text)["status"]["metadata"]["name"] == "a")
    expect("containerd: StopPodSandbox", [*call, f"{service}/StopPodSandbox", "-d", sandbox],
           out="{}\n")
    expect("containerd: RemovePodSandbox", [*call, f"{service}/RemovePodSandbox", "-d", sandbox],
           out="{}\n")


def test_containerd(folder):
    path = f"{folder}/containerd.sock"
    config = pathlib.Path(folder, "config.toml")
    config.write_text(f"""version = 2
root = "{folder}/root"
state = "{folder}/state"
oom_score = 0
[grpc]
address = "{path}"
[ttrpc]
address = "{path}.ttrpc"
[debug]
address = ""
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "apus.test/pause:1"
restrict_oom_score_adj = true
""", encoding="utf-8")
    with Server(["containerd", "--config", str(config), "--log-level", "fatal"],
                stdout=subprocess.DEVNULL):
        call = [f"unix://{path}", "--proto_path", "proto", "call"]
        for _ in range(100):
            if apus(*call, "runtime.v1.RuntimeService/Version")[0] == 0:
                break
            time.sleep(0.2)
        expect("containerd: Version", [*call, "runtime.v1.RuntimeService/Version"],
               out=lambda text: json.loads(text)["runtimeName"] == "containerd")
        expect("containerd: Status", [*call, "runtime.v1.RuntimeService/Status"],
               out=lambda text: json.loads(text)["status"]["conditions"][0]["type"]
               == "RuntimeReady")
        expect("containerd: a sandbox that is not there",
               [*call, "runtime.v1.RuntimeService/PodSandboxStatus",
                "-d", '{"podSandboxId": "none"}'], code=1, error="NOT_FOUND")
        if shutil.which("busybox") and shutil.which("ctr") and shutil.which("runc"):
            test_sandbox(folder, path, call)
        else:
            skip("busybox, ctr or runc is not installed")


def test_command_line():
    for name, arguments, error in [
        ("no address", [], "ADDRESS is missing"),
        ("no command", ["a:1"], "expected list, describe or call"),
        ("a bad address", ["a", "list"], "is no address"),
        ("a bad command", ["a:1", "nothing"], "unknown command: nothing"),
        ("a name for list", ["a:1", "list", "b"], "list takes no name"),
        ("call without a method", ["a:1", "call"], "call takes one method"),
    ]:
        expect(name, arguments, code=2, error=error)
    code, out, _ = apus("--help")
    check("help", code == 0 and "--proto-path" in out and "--deadline" in out, out)


def skip(what):
    counts["skipped"] += 1
    print(f"skipped: {what}")


def main():
    test_command_line()
    folder = tempfile.mkdtemp(prefix="apus-rpc-")
    try:
        try:
            import grpc_health.v1.health  # noqa: F401
            import grpc_reflection.v1alpha.reflection  # noqa: F401
            import grpc_tools  # noqa: F401
            test_grpcio()
            test_unix(folder)
            test_tls(folder) if shutil.which("openssl") else skip("openssl is not installed")
        except ImportError as missing:
            skip(f"{missing}")
        test_etcd(folder) if shutil.which("etcd") else skip("etcd is not installed")
        if shutil.which("containerd") and os.geteuid() == 0:
            test_containerd(folder)
        else:
            skip("containerd is not installed, or this is not root")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


sys.exit(main())
