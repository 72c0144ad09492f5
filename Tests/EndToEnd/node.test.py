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
base.INDEX = os.environ.get("APUS_TEST_INDEX", "152")
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
    apiserver = controllers = None

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
        self.start_apiserver()
        wait("the API server", lambda: self.kubectl("get", "namespaces"))
        # There is no controller manager, which would make them.
        wait("the account", lambda: self.kubectl("create", "serviceaccount", "default"))
        self.kubectl("create", "configmap", "kube-root-ca.crt", f"--from-file={pki}/ca.crt")
        self.start_kubelet()

    def start_apiserver(self):
        pki = self.dir / "pki"
        self.apiserver = subprocess.Popen(
            [base.APUS, "kube-apiserver", "--etcd-data-dir", self.dir / "etcd",
             "--bind-address", "127.0.0.1", "--secure-port", str(self.port),
             "--client-ca-file", pki / "ca.crt", "--tls-cert-file", pki / "apiserver.crt",
             "--tls-private-key-file", pki / "apiserver.key",
             "--kubelet-certificate-authority", pki / "ca.crt",
             "--kubelet-client-certificate", pki / "apiserver-kubelet-client.crt",
             "--kubelet-client-key", pki / "apiserver-kubelet-client.key",
             "--service-account-key-file", pki / "sa.pub",
             "--service-account-signing-key-file", pki / "sa.key",
             "--service-account-issuer", "https://kubernetes.default.svc",
             "--local-volume-path", self.dir / "volumes"],
            stdout=open(self.dir / "apiserver.log", "ab"), stderr=subprocess.STDOUT)

    def start_kubelet(self, *flags):
        pki = self.dir / "pki"
        log = open(self.dir / "kubelet.log", "ab")
        self.kubelet = subprocess.Popen(
            [base.APUS, "kubelet", "--kubeconfig", self.dir / "kubelet.conf",
             "--root-dir", self.dir / "kubelet", "--pod-logs-dir", self.logs,
             "--pod-manifest-path", self.manifests, "--hostname-override", "node",
             "--node-ip", "127.0.0.1", "--container-runtime-endpoint", f"unix://{self.socket}",
             "--cgroup-root", f"/{self.group}", "--port", str(self.node_port), "--healthz-port", "0",
             "--tls-cert-file", pki / "kubelet.crt", "--tls-private-key-file", pki / "kubelet.key",
             "--client-ca-file", pki / "ca.crt", "--container-log-max-size", "64Ki",
             "--container-log-max-files", "3", *flags],
            stdout=log, stderr=log)

    def start_controllers(self, *names):
        log = open(self.dir / "controllers.log", "ab")
        self.controllers = subprocess.Popen(
            [base.APUS, "kube-controller-manager", "--kubeconfig", self.dir / "admin.conf",
             "--leader-elect=false", "--secure-port", "0", "--controllers", ",".join(names)],
            stdout=log, stderr=log)

    def stop(self):
        for process in (self.apiserver, self.controllers):
            if process:
                process.terminate()
        super().stop()

    def kubectl(self, *words, text=None, check=True):
        return subprocess.run(
            ["kubectl", "--kubeconfig", self.dir / "admin.conf", "--cache-dir", self.dir / "cache",
             *words], check=check, capture_output=True, text=True, input=text, timeout=190).stdout

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
    wait("the lease", lambda: node.get("lease", "node", "-n", "kube-node-lease")[
        "spec"]["holderIdentity"] == "node")


@test
def runs_a_pod_of_the_api(node):
    begin = time.monotonic()
    node.create("hello", {"containers": [container("sh", "-c", "echo hello; exec sleep 3600")]})
    wait("the phase", lambda: node.phase("hello") == "Running")
    print(f"     create to Running as kubectl sees it: {time.monotonic() - begin:.2f} s")
    wait("the conditions", lambda: {
        c["type"] for c in node.get("pod", "hello")["status"]["conditions"]
        if c["status"] == "True"} >= {"Ready", "ContainersReady", "Initialized", "PodScheduled",
                                      "PodReadyToStartContainers"})
    status = node.get("pod", "hello")["status"]
    assert status["containerStatuses"][0]["ready"] is True
    assert status["podIP"].startswith(f"10.{50 + int(base.INDEX)}."), status["podIP"]


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
    wait("the log", lambda: node.kubectl("logs", "mounts") == "value\nword\nmounts\nvalue\n")


@test
def keeps_mounted_files_up_to_date(node):
    node.kubectl("create", "configmap", "live", "--from-literal=a=1", "--from-literal=gone=x")
    node.kubectl("create", "secret", "generic", "live", "--from-literal=s=1")
    node.create("live", {
        "volumes": [
            {"name": "m", "configMap": {"name": "live"}},
            {"name": "s", "secret": {"secretName": "live"}},
            {"name": "o", "configMap": {"name": "later", "optional": True}},
            {"name": "p", "projected": {"sources": [
                {"configMap": {"name": "live", "items": [{"key": "a", "path": "deep/a"}]}},
                {"downwardAPI": {"items": [
                    {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}}]}}],
        "containers": [container("sleep", "3600", volumeMounts=[
            {"name": name, "mountPath": f"/{name}"} for name in "msop"])]}, labels={"l": "1"})
    wait("the phase", lambda: node.phase("live") == "Running")
    [volumes] = (node.dir / "kubelet/pods").glob(
        f"{node.get('pod', 'live')['metadata']['uid']}/volumes")

    def read(path):
        return list(volumes.glob(f"*/{path}"))[0].read_text()
    assert (read("m/a"), read("s/s"), read("p/deep/a")) == ("1", "1", "1")
    before = os.readlink(next(volumes.glob("*/m")) / "..data")
    begin = time.monotonic()
    node.kubectl("patch", "configmap", "live", "--type=json", "-p", json.dumps([
        {"op": "replace", "path": "/data/a", "value": "2"}, {"op": "remove", "path": "/data/gone"},
        {"op": "add", "path": "/data/new", "value": "n"}]))
    wait("the ConfigMap's change", lambda: read("m/a") == "2" and read("p/deep/a") == "2")
    print(f"     patch to file: {time.monotonic() - begin:.2f} s")
    assert read("m/new") == "n" and not list(volumes.glob("*/m/gone"))
    assert os.readlink(next(volumes.glob("*/m")) / "..data") != before
    node.kubectl("patch", "secret", "live", "-p", '{"data": {"s": "Mg=="}}')
    wait("the Secret's change", lambda: read("s/s") == "2")
    node.kubectl("label", "pod", "live", "l=2", "--overwrite")
    wait("the label's change", lambda: 'l="2"' in read("p/labels"))
    node.kubectl("create", "configmap", "later", "--from-literal=k=v")
    wait("an optional ConfigMap", lambda: read("o/k") == "v")
    node.kubectl("delete", "configmap", "live")
    wait("an event about what is missing", lambda: any(
        e["reason"] == "FailedMount" and e["involvedObject"]["name"] == "live"
        and 'configmap "live" not found' in e["message"] for e in node.get("events")["items"]))
    assert read("m/a") == "2"
    status = node.get("pod", "live")["status"]["containerStatuses"][0]
    assert (status["restartCount"], status["ready"]) == (0, True)


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
def tells_what_is_used(node):
    node.create("busy", {"containers": [
        container("sh", "-c", "while :; do :; done", resources={"limits": {"cpu": "200m"}})]},
        labels={"app": "busy"})
    wait("the phase", lambda: node.phase("busy") == "Running")
    wait("the node's use", lambda: node.kubectl("top", "node").splitlines()[1].split()[0] == "node")

    def use():
        [line] = node.kubectl("top", "pod", "-l", "app=busy", "--no-headers").splitlines()
        name, cpu, memory = line.split()
        return name == "busy" and cpu.endswith("m") and memory.endswith("Mi") and int(cpu[:-1])
    wait("the pod's use", lambda: 20 < use() < 400)
    [item] = json.loads(node.kubectl(
        "get", "--raw", "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods?labelSelector=app%3Dbusy"
    ))["items"]
    assert item["metadata"]["name"] == "busy" and item["metadata"]["labels"] == {"app": "busy"}
    assert [c["name"] for c in item["containers"]] == ["main"]
    assert float(item["window"].rstrip("s")) >= 1, item
    node.kubectl("delete", "pod", "busy")


@test
def binds_claims_to_its_disk(node):
    node.start_controllers(
        "persistentvolume-binder-controller", "local-volume-provisioner-controller",
        "persistentvolumeclaim-protection-controller", "persistentvolume-protection-controller")
    assert "(default)" in node.kubectl("get", "storageclass", "local")
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim",
             "metadata": {"name": "data", "annotations": {
                 "volume.kubernetes.io/selected-node": "node"}},
             "spec": {"accessModes": ["ReadWriteOnce"],
                      "resources": {"requests": {"storage": "1Gi"}}}}
    node.kubectl("create", "-f", "-", text=json.dumps(claim))
    wait("the claim", lambda: node.get("pvc", "data")["status"]["phase"] == "Bound")
    volume = node.get("pv", node.get("pvc", "data")["spec"]["volumeName"])
    assert volume["spec"]["local"]["path"].startswith(str(node.dir / "volumes/pvc-"))
    mount = {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}],
             "restartPolicy": "Never"}
    for name, command in (("writes", "echo kept > /d/f"), ("reads", "cat /d/f")):
        node.create(name, {**mount, "containers": [container(
            "sh", "-c", command, volumeMounts=[{"name": "d", "mountPath": "/d"}])]})
        wait("the end", lambda: node.phase(name) == "Succeeded")
    wait("the log", lambda: node.kubectl("logs", "reads") == "kept\n")
    folder = pathlib.Path(volume["spec"]["local"]["path"])
    name = "apus.dev/local/" + volume["metadata"]["name"]
    assert (folder / "f").exists()
    assert name in node.get("node", "node")["status"]["volumesInUse"]
    node.kubectl("delete", "pod", "writes", "reads")
    node.kubectl("delete", "pvc", "data")
    wait("the volume's end", lambda: not node.get("pv")["items"])
    assert not folder.exists()
    claim["metadata"] = {"name": "shared"}
    claim["spec"]["accessModes"] = ["ReadWriteMany"]
    claim["metadata"]["annotations"] = {"volume.kubernetes.io/selected-node": "node"}
    node.kubectl("create", "-f", "-", text=json.dumps(claim))
    wait("the refusal", lambda: any(
        e["reason"] == "ProvisioningFailed" and "not ReadWriteMany" in e["message"]
        for e in node.get("events")["items"]))
    node.kubectl("delete", "pvc", "shared")


@test
def rotates_logs(node):
    node.create("loud", {"containers": [container(
        "sh", "-c", "i=0; while :; do i=$((i+1)); echo line $i; [ $((i % 500)) = 0 ] && sleep 0.1;"
                    " done")]})
    wait("the phase", lambda: node.phase("loud") == "Running")
    folder = node.logs / f"default_loud_{node.get('pod', 'loud')['metadata']['uid']}" / "main"

    def parts():
        # What is being compressed has two names for a moment.
        names = {path.name for path in folder.iterdir() if path.suffix != ".tmp"}
        return sorted(name for name in names if name + ".gz" not in names)

    def older():
        """The names of three parts, when none of them is just being made."""
        [newest, oldest, other] = parts()
        return newest == "0.log" and oldest.endswith(".gz") and not other.endswith(".gz") and oldest
    oldest = wait("two older parts", older)
    follow = subprocess.Popen(
        ["kubectl", "--kubeconfig", node.dir / "admin.conf", "logs", "-f", "--tail=1", "loud"],
        stdout=subprocess.PIPE, text=True)
    try:
        numbers = []
        while oldest in parts() or len(numbers) < 100:
            numbers.append(int(follow.stdout.readline().split()[1]))
    finally:
        follow.kill()
        follow.wait()
    # Whoever follows the log misses nothing when it is rotated.
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    wait("no more than three parts", lambda: len(parts()) <= 3)
    node.kubectl("delete", "pod", "loud", "--wait=true")
    wait("the logs' end", lambda: not folder.exists())


@test
def ends_pods_that_grow_too_large(node):
    node.create("fat", {
        "volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1Mi"}}],
        "containers": [container(
            "sh", "-c", "dd if=/dev/zero of=/v/f bs=1M count=3; exec sleep 3600",
            volumeMounts=[{"name": "v", "mountPath": "/v"}])]})
    wait("the end", lambda: node.phase("fat") == "Failed")
    status = node.get("pod", "fat")["status"]
    assert status["reason"] == "Evicted", status
    assert status["message"] == 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ', status
    [why] = [c for c in status["conditions"] if c["type"] == "DisruptionTarget"]
    assert (why["status"], why["reason"]) == ("True", "TerminationByKubelet"), why


@test
def ends_pods_when_the_node_runs_short(node):
    node.create("victim", {"containers": [container("sleep", "3600")]})
    wait("the phase", lambda: node.phase("victim") == "Running")
    node.stop_kubelet()
    node.start_kubelet("--eviction-hard", "pid.available<1G")

    def condition():
        return {c["type"]: c for c in node.get("node", "node")["status"]["conditions"]}[
            "PIDPressure"]
    wait("the condition", lambda: condition()["status"] == "True")
    assert condition()["reason"] == "KubeletHasInsufficientPID"
    wait("the end", lambda: node.phase("victim") == "Failed")
    status = node.get("pod", "victim")["status"]
    assert status["reason"] == "Evicted"
    assert status["message"].startswith(
        "The node was low on resource: pids. Threshold quantity: 1G, available: "), status
    node.create("refused", {"containers": [container("sleep", "3600")]})
    wait("the refusal", lambda: node.phase("refused") == "Failed")
    assert node.get("pod", "refused")["status"]["message"] == (
        "The node had condition: [PIDPressure]. ")
    node.stop_kubelet()
    node.start_kubelet("--eviction-pressure-transition-period", "1s")
    wait("the condition's end", lambda: condition()["status"] == "False")


@test
def deletes_pods(node):
    node.kubectl("delete", "pod", "--all", "--wait=true", "--timeout=180s")
    wait("the end of all containers", lambda: not node.containers())
    wait("the end of all folders", lambda: not list((node.dir / "kubelet/pods").iterdir()))


def main():
    check = subprocess.run([base.SUPPORT / "containerd", "check"], capture_output=True, text=True)
    if check.returncode != 0 or not shutil.which("kubectl"):
        print(check.stdout.strip() or "needs kubectl")
        sys.exit(77)
    node = Cluster()
    for path in pathlib.Path("/sys/fs/cgroup").iterdir():
        if (path / "cgroup.procs").exists():
            (path / node.group).mkdir(exist_ok=True)
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
