#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""A node of a cluster: pods made with kubectl run in real containers and are told of truthfully."""

import importlib.machinery
import importlib.util
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
spec = importlib.util.spec_from_loader(
    "static_pods",
    importlib.machinery.SourceFileLoader("static_pods", str(HERE / "static-pods.test.py")))
base = importlib.util.module_from_spec(spec)
spec.loader.exec_module(base)
base.INDEX = "152"
wait, container = base.wait, base.container

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "https://127.0.0.1:{port}",
  certificate-authority: {pki}/ca.crt}}}}]
users: [{{name: u, user: {{client-certificate: {pki}/clients/{user}.crt,
  client-key: {pki}/clients/{user}.key}}}}]
contexts: [{{name: x, context: {{cluster: c, user: u}}}}]
current-context: x
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Cluster(base.Node):
    def start(self):
        subprocess.run([base.SUPPORT / "containerd", "start", self.runtime, base.INDEX],
                       check=True)
        subprocess.run([base.SUPPORT / "test-images", self.dir / "images", self.socket],
                       check=True, stdout=subprocess.DEVNULL)
        pki = self.dir / "pki"
        subprocess.run([base.APUS, "certs", "init", pki, "--node-name", "node"], check=True,
                       stdout=subprocess.DEVNULL)
        self.port, self.node_port = free_port(), free_port()
        for user in ("admin", "kubelet"):
            (self.dir / f"{user}.conf").write_text(
                KUBECONFIG.format(port=self.port, pki=pki, user=user))
        self.apiserver = subprocess.Popen(
            [base.APUS, "kube-apiserver", "--etcd-data-dir", self.dir / "etcd",
             "--bind-address", "127.0.0.1", "--secure-port", str(self.port),
             "--client-ca-file", pki / "ca.crt", "--tls-cert-file", pki / "apiserver.crt",
             "--tls-private-key-file", pki / "apiserver.key",
             "--kubelet-certificate-authority", pki / "ca.crt",
             "--kubelet-client-certificate", pki / "apiserver-kubelet-client.crt",
             "--kubelet-client-key", pki / "apiserver-kubelet-client.key"],
            stdout=open(self.dir / "apiserver.log", "wb"), stderr=subprocess.STDOUT)
        wait("the API server", lambda: self.kubectl("get", "namespaces"))
        # There is no controller manager, which would make it.
        wait("the account", lambda: self.kubectl("create", "serviceaccount", "default"))
        self.start_kubelet()

    def start_kubelet(self):
        pki = self.dir / "pki"
        log = open(self.dir / "kubelet.log", "ab")
        self.kubelet = subprocess.Popen(
            [base.APUS, "kubelet", "--kubeconfig", self.dir / "kubelet.conf",
             "--root-dir", self.dir / "kubelet", "--pod-logs-dir", self.logs,
             "--pod-manifest-path", self.manifests, "--hostname-override", "node",
             "--node-ip", "127.0.0.1", "--container-runtime-endpoint", f"unix://{self.socket}",
             "--cgroup-root", "/apus-e2e", "--port", str(self.node_port), "--healthz-port", "0",
             "--tls-cert-file", pki / "kubelet.crt", "--tls-private-key-file", pki / "kubelet.key",
             "--client-ca-file", pki / "ca.crt"],
            stdout=log, stderr=log)

    def stop(self):
        self.apiserver.terminate()
        super().stop()

    def kubectl(self, *words, text=None, check=True):
        return subprocess.run(
            ["kubectl", "--kubeconfig", self.dir / "admin.conf", "--cache-dir", self.dir / "cache",
             *words], check=check, capture_output=True, text=True, input=text, timeout=30).stdout

    def get(self, *words):
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def create(self, name, spec, **metadata):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **metadata},
               "spec": {"nodeName": "node", "terminationGracePeriodSeconds": 1,
                        "automountServiceAccountToken": False, **spec}}
        self.kubectl("create", "--validate=false", "-f", "-", text=json.dumps(pod))

    def phase(self, name):
        return self.get("pod", name)["status"].get("phase")


base.TESTS.clear()
test = base.test


@test
def registers_the_node(node):
    def ready():
        conditions = node.get("node", "node")["status"]["conditions"]
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    wait("the node", ready)
    status = node.get("node", "node")["status"]
    assert status["nodeInfo"]["containerRuntimeVersion"].startswith("containerd://")
    lease = node.get("lease", "node", "-n", "kube-node-lease")
    assert lease["spec"]["holderIdentity"] == "node"


@test
def runs_a_pod_of_the_api(node):
    begin = time.monotonic()
    node.create("hello", {"containers": [container("sh", "-c", "echo hello; exec sleep 3600")]})
    wait("the phase", lambda: node.phase("hello") == "Running")
    print(f"     create to Running as kubectl sees it: {time.monotonic() - begin:.2f} s")
    status = node.get("pod", "hello")["status"]
    assert status["containerStatuses"][0]["ready"] is True
    assert status["podIP"].startswith("10.202."), status["podIP"]
    assert {c["type"] for c in status["conditions"] if c["status"] == "True"} >= {
        "Ready", "ContainersReady", "Initialized", "PodScheduled", "PodReadyToStartContainers"}


@test
def tells_events(node):
    wait("the events", lambda: {"Pulled", "Created", "Started"} <= {
        e["reason"] for e in node.get("events")["items"]
        if e["involvedObject"]["name"] == "hello"})


@test
def shows_logs(node):
    assert wait("the log", lambda: node.kubectl("logs", "hello")) == "hello\n"


@test
def runs_commands(node):
    pki = node.dir / "pki"
    start = {"start": {"target": {"pod": {"namespace": "default", "name": "hello"}},
                       "command": ["sh", "-c", "cat; exit 7"],
                       "streams": {"stdin": True, "stdout": True, "stderr": True}}}
    requests = [start, {"input": {"stdin": "aW4K"}}, {"input": {"stdinClosed": True}}]
    out = subprocess.run(
        [base.APUS, "rpc", f"127.0.0.1:{node.node_port}", "call", "apus.node.v1.Node/Exec",
         "--cacert", pki / "ca.crt", "--cert", pki / "apiserver-kubelet-client.crt",
         "--key", pki / "apiserver-kubelet-client.key", "--proto-path", base.ROOT / "proto",
         "--data", "@"],
        input="\n".join(map(json.dumps, requests)), check=True, capture_output=True, text=True,
        timeout=30).stdout
    outputs = [json.loads(line)["output"] for line in out.splitlines()]
    assert outputs[0] == {"stdout": "aW4K"}, out
    assert outputs[-1]["status"]["details"]["causes"][0]["message"] == "7", out


@test
def mounts_what_the_api_has(node):
    node.kubectl("create", "configmap", "map", "--from-literal=key=value")
    node.kubectl("create", "secret", "generic", "sec", "--from-literal=pass=word")
    node.create("mounts", {
        "restartPolicy": "Never",
        "volumes": [{"name": "m", "configMap": {"name": "map"}},
                    {"name": "s", "secret": {"secretName": "sec", "defaultMode": 0o400}},
                    {"name": "d", "downwardAPI": {"items": [
                        {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}}],
        "containers": [container(
            "sh", "-c", "cat /m/key; echo; cat /s/pass; echo; cat /d/name; echo; echo $E",
            env=[{"name": "E", "valueFrom": {"configMapKeyRef": {"name": "map", "key": "key"}}}],
            volumeMounts=[{"name": "m", "mountPath": "/m"}, {"name": "s", "mountPath": "/s"},
                          {"name": "d", "mountPath": "/d"}])]})
    wait("the end", lambda: node.phase("mounts") == "Succeeded")
    assert node.kubectl("logs", "mounts") == "value\nword\nmounts\nvalue\n"


@test
def tells_how_containers_end(node):
    node.create("fails", {"restartPolicy": "Never", "containers": [container(
        "sh", "-c", "echo -n last words > /dev/termination-log; exit 3")]})
    wait("the end", lambda: node.phase("fails") == "Failed")
    state = node.get("pod", "fails")["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (state["exitCode"], state["message"], state["reason"]) == (3, "last words", "Error")


@test
def says_what_an_image_lacks(node):
    pod = container("true", imagePullPolicy="Never")
    pod["image"] = "apus.local/nothing:1"
    node.create("missing", {"containers": [pod]})
    wait("the reason", lambda: node.get("pod", "missing")["status"]["containerStatuses"][0]
         ["state"]["waiting"]["reason"] == "ErrImageNeverPull")


@test
def refuses_what_has_no_room(node):
    node.create("large", {"containers": [container(
        "true", resources={"requests": {"cpu": "1000"}})]})
    wait("the end", lambda: node.phase("large") == "Failed")
    assert node.get("pod", "large")["status"]["reason"] == "OutOfcpu"


@test
def mirrors_static_pods(node):
    node.apply("static", {"containers": [container("sleep", "3600")],
                          "terminationGracePeriodSeconds": 1})
    wait("the mirror", lambda: node.phase("static-node") == "Running")
    node.remove("static")
    wait("the mirror's end",
         lambda: "static-node" not in node.kubectl("get", "pods", "-o", "name"))


@test
def deletes_pods(node):
    begin = time.monotonic()
    node.kubectl("delete", "pod", "--all", "--wait=true", "--timeout=25s")
    assert time.monotonic() - begin < 25
    wait("the end of all containers", lambda: not node.containers())
    wait("the end of all folders", lambda: not list((node.dir / "kubelet/pods").iterdir()))


def main():
    check = subprocess.run([base.SUPPORT / "containerd", "check"], capture_output=True, text=True)
    if check.returncode != 0 or not shutil.which("kubectl"):
        print(check.stdout.strip() or "needs kubectl")
        sys.exit(77)
    for path in pathlib.Path("/sys/fs/cgroup").iterdir():
        if (path / "cgroup.procs").exists():
            (path / "apus-e2e").mkdir(exist_ok=True)
    node = Cluster()
    try:
        node.start()
        for run in base.TESTS:
            run(node)
        if not all(base.results) or os.environ.get("APUS_TEST_VERBOSE"):
            for name in ("apiserver", "kubelet"):
                sys.stdout.write((node.dir / f"{name}.log").read_text()[-5000:])
    finally:
        node.stop()
    passed = sum(base.results)
    print(f"{passed} passed, {len(base.results) - passed} failed, 0 skipped")
    sys.exit(0 if all(base.results) else 1)


if __name__ == "__main__":
    main()
