#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""Manifests from ordinary life, and what kubectl does to workloads, on a control plane of processes
with hollow nodes.

Each file of `manifests` is applied to a namespace of its own. Comments at its head say what must be
true then, in this order: `run:` a command that must succeed; `expect:` a command and what it prints in
the end (`=` exactly, `~` as a regular expression); `nodes:` on how many nodes the pods of a selector
are; `zones:` how many are in each zone; `addresses:` how many a Service has. NAMESPACE is replaced.

A manifest without commands is applied once more and must be unchanged then, unless its head says
`again: configured`: kubectl finds a difference where the server fills in what lies in a list without
keys, and where a selector is replaced as a whole, with upstream's server as well.
"""

import concurrent.futures
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Support"))
from machines import APUS, run_tests, test, wait  # noqa: E402

NODES = 6
ZONES = 3


class Cluster:
    """A control plane of its own with hollow nodes."""

    def __init__(self):
        self.work = tempfile.mkdtemp(prefix="apus-workloads.")
        self.flags = ["--data-dir", self.work + "/data",
                      "--port-offset", str(random.randrange(20000, 30000))]
        self.kubeconfig = self.work + "/data/kubeconfig/admin.conf"
        self.hollow = None

    def start(self):
        subprocess.run([APUS, "up", *self.flags, "--control-plane-only", "--timeout", "120s"],
                       check=True, stdout=subprocess.DEVNULL, timeout=150)
        with open(self.work + "/hollow.log", "wb") as log:
            self.hollow = subprocess.Popen(
                [APUS, "hollow-node", "--count", str(NODES), "--zones", str(ZONES),
                 "--job-duration", "200ms", "--kubeconfig", self.kubeconfig],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.kubectl("wait", "--for=condition=Ready", "node", "--all", "--timeout=60s",
                     retries=True)
        wait("all nodes", lambda: len(self.get("nodes")["items"]) == NODES)

    def stop(self):
        if self.hollow:
            self.hollow.terminate()
            self.hollow.wait()
        subprocess.run([APUS, "down", *self.flags], stdout=subprocess.DEVNULL)
        shutil.rmtree(self.work, ignore_errors=True)

    def run(self, *words, data=None, seconds=90):
        return subprocess.run(
            ["kubectl", "--kubeconfig", self.kubeconfig, "--cache-dir", self.work + "/cache", *words],
            capture_output=True, input=data, timeout=seconds, text=True)

    def kubectl(self, *words, data=None, retries=False):
        def once():
            answer = self.run(*words, data=data)
            if answer.returncode != 0:
                raise ValueError(f"kubectl {' '.join(words)}: {answer.stderr.strip()}")
            return answer
        return (wait(words, once, 60) if retries else once()).stdout

    def get(self, *words):
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def apply(self, *objects, namespace="default"):
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        return self.kubectl("apply", "-n", namespace, "-f", "-", data=text)

    def pods(self, selector, namespace="default"):
        return self.get("pods", "-n", namespace, "-l", selector)["items"]

    def prints(self, expected, *words, seconds=60):
        """Waits until a command prints that."""
        last = []

        def is_so():
            last[:] = [self.run(*words).stdout.strip()]
            return last[0] == expected
        try:
            wait(expected, is_so, seconds)
        except AssertionError:
            raise AssertionError(f"kubectl {' '.join(words)}: {last} instead of {expected!r}") \
                from None


# Manifests.

def check(cluster, namespace, kind, text):
    """One line of a manifest's head."""
    text = text.replace("NAMESPACE", namespace)
    if kind == "run":
        return cluster.kubectl("-n", namespace, *text.split(),
                               retries=text.startswith("wait"))
    command, sign, expected = re.fullmatch(r"(.*?) ([=~]) ?(.*)", text).groups()
    if kind == "expect":
        words = re.findall(r"jsonpath=.*|\S+", command)
        last = []

        def is_so():
            output = cluster.run("-n", namespace, *words).stdout.strip()
            last[:] = [output]
            return output == expected if sign == "=" else re.fullmatch(expected, output)
    elif kind == "addresses":
        def is_so():
            slices = cluster.get("endpointslices", "-n", namespace, "-l",
                                 f"kubernetes.io/service-name={command}")["items"]
            last[:] = [sum(len(s["endpoints"] or []) for s in slices)]
            return last[0] == int(expected)
        last = []
    else:
        zones = {n["metadata"]["name"]: n["metadata"]["labels"]["topology.kubernetes.io/zone"]
                 for n in cluster.get("nodes")["items"]}
        last = []

        def is_so():
            nodes = [p["spec"].get("nodeName") for p in cluster.pods(command, namespace)]
            places = {}
            for node in nodes:
                place = zones.get(node) if kind == "zones" else node
                places[place] = places.get(place, 0) + 1
            last[:] = [places]
            if None in places:
                return False
            return (" ".join(str(places[z]) for z in sorted(places)) == expected
                    if kind == "zones" else len(places) == int(expected))
    try:
        wait(text, is_so, 60)
    except AssertionError:
        raise AssertionError(f"{kind}: {text}\n    is {last}") from None
    return None


def try_manifest(cluster, path):
    """Applies a manifest and checks what its head says; answers what is wrong."""
    namespace = "m-" + path.stem
    try:
        cluster.kubectl("create", "namespace", namespace)
        cluster.kubectl("apply", "-n", namespace, "-f", str(path))
        for line in path.read_text().splitlines():
            found = re.fullmatch(r"# (run|expect|nodes|zones|addresses): (.*)", line)
            if found:
                check(cluster, namespace, *found.groups())
        text = path.read_text()
        if "# run: " not in text and "# again: configured" not in text:
            again = cluster.kubectl("apply", "-n", namespace, "-f", str(path))
            changed = [line for line in again.splitlines() if not line.endswith("unchanged")]
            if changed:
                return f"{path.name}: applied again: {changed}"
    except (AssertionError, ValueError, subprocess.SubprocessError) as error:
        return f"{path.name}: {error}"
    return None


@test
def manifests_from_ordinary_life(cluster):
    paths = sorted((HERE / "manifests").glob("*.yaml"))
    assert len(paths) >= 40
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        problems = [p for p in pool.map(lambda path: try_manifest(cluster, path), paths) if p]
    print("".join(f"     {problem}\n" for problem in problems), end="")
    assert not problems, f"{len(problems)} manifests"


@test
def namespaces_go_with_all_that_is_in_them(cluster):
    names = [n["metadata"]["name"] for n in cluster.get("namespaces")["items"]
             if n["metadata"]["name"].startswith("m-")]
    cluster.kubectl("delete", "namespace", *names, "--timeout=60s")
    left = [p["metadata"]["name"] for p in cluster.get("pods", "-A")["items"]]
    assert not left, left


# What kubectl does to workloads.

def deployment(name, replicas=3, image="example.com/app:1", **spec):
    labels = {"app": name}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": {
                         "containers": [{"name": "main", "image": image}]}}, **spec}}


def rolled_out(cluster, what):
    return cluster.kubectl("rollout", "status", what, "--timeout=60s")


def images(cluster, name):
    return {p["spec"]["containers"][0]["image"] for p in cluster.pods(f"app={name}")
            if "deletionTimestamp" not in p["metadata"]}


@test
def rollout_of_a_deployment(cluster):
    cluster.apply(deployment("app"))
    assert 'deployment "app" successfully rolled out' in rolled_out(cluster, "deployment/app")
    cluster.kubectl("annotate", "deployment/app", "kubernetes.io/change-cause=first")
    wait("the cause", lambda: "first" in cluster.kubectl("rollout", "history", "deployment/app"))
    cluster.kubectl("set", "image", "deployment/app", "main=example.com/app:2")
    rolled_out(cluster, "deployment/app")
    wait("the second image", lambda: images(cluster, "app") == {"example.com/app:2"})
    history = cluster.kubectl("rollout", "history", "deployment/app").split()
    assert history[-4:] == ["1", "first", "2", "first"], history
    shown = cluster.kubectl("rollout", "history", "deployment/app", "--revision=1")
    assert "example.com/app:1" in shown, shown
    cluster.kubectl("rollout", "undo", "deployment/app")
    rolled_out(cluster, "deployment/app")
    wait("the first image", lambda: images(cluster, "app") == {"example.com/app:1"})
    history = cluster.kubectl("rollout", "history", "deployment/app").split()
    assert [w for w in history if w.isdigit()] == ["2", "3"], history
    cluster.kubectl("rollout", "undo", "deployment/app", "--to-revision=2")
    rolled_out(cluster, "deployment/app")
    wait("revision 2", lambda: images(cluster, "app") == {"example.com/app:2"})


@test
def pauses_and_resumes(cluster):
    cluster.kubectl("rollout", "pause", "deployment/app")
    cluster.kubectl("set", "image", "deployment/app", "main=example.com/app:3")
    cluster.prints("DeploymentPaused", "get", "deployment", "app", "-o",
                   'jsonpath={.status.conditions[?(@.type=="Progressing")].reason}')
    assert images(cluster, "app") == {"example.com/app:2"}
    # A paused one is still scaled.
    cluster.kubectl("scale", "deployment/app", "--replicas=5")
    cluster.prints("5", "get", "deployment", "app", "-o", "jsonpath={.status.readyReplicas}")
    answer = cluster.run("rollout", "restart", "deployment/app")
    assert "can't restart paused deployment" in answer.stderr, answer
    cluster.kubectl("rollout", "resume", "deployment/app")
    rolled_out(cluster, "deployment/app")
    wait("the third image", lambda: images(cluster, "app") == {"example.com/app:3"})


@test
def restarts(cluster):
    before = {p["metadata"]["uid"] for p in cluster.pods("app=app")}
    cluster.kubectl("rollout", "restart", "deployment/app")
    rolled_out(cluster, "deployment/app")
    wait("new pods", lambda: not before & {p["metadata"]["uid"] for p in cluster.pods("app=app")})
    assert len(cluster.pods("app=app")) == 5


@test
def tells_of_a_rollout_that_does_not_get_on(cluster):
    stuck = deployment("stuck", 1, progressDeadlineSeconds=1)
    stuck["spec"]["template"]["spec"]["nodeSelector"] = {"no": "node"}
    cluster.apply(stuck)
    answer = cluster.run("rollout", "status", "deployment/stuck", "--timeout=60s")
    assert answer.returncode == 1, answer
    assert 'error: deployment "stuck" exceeded its progress deadline' in answer.stderr, answer
    cluster.kubectl("delete", "deployment", "stuck")


@test
def rollout_of_a_statefulset(cluster):
    base = deployment("set", 3)
    base["kind"] = "StatefulSet"
    base["spec"]["serviceName"] = "set"
    base["spec"]["updateStrategy"] = {"rollingUpdate": {"partition": 2}}
    cluster.apply(base)
    rolled_out(cluster, "statefulset/set")
    cluster.kubectl("set", "image", "statefulset/set", "main=example.com/app:2")
    text = rolled_out(cluster, "statefulset/set")
    assert "partitioned roll out complete: 1 new pods have been updated" in text, text
    shown = {p["metadata"]["name"]: p["spec"]["containers"][0]["image"][-1]
             for p in cluster.pods("app=set")}
    assert shown == {"set-0": "1", "set-1": "1", "set-2": "2"}, shown
    cluster.kubectl("patch", "statefulset", "set", "-p",
                    '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}')
    rolled_out(cluster, "statefulset/set")
    assert images(cluster, "set") == {"example.com/app:2"}
    cluster.kubectl("rollout", "undo", "statefulset/set")
    rolled_out(cluster, "statefulset/set")
    wait("the first image", lambda: images(cluster, "set") == {"example.com/app:1"})
    cluster.kubectl("scale", "statefulset/set", "--replicas=1")
    wait("one pod", lambda: [p["metadata"]["name"] for p in cluster.pods("app=set")] == ["set-0"])


@test
def rollout_of_a_daemonset(cluster):
    base = deployment("everywhere")
    base["kind"] = "DaemonSet"
    del base["spec"]["replicas"]
    cluster.apply(base)
    rolled_out(cluster, "daemonset/everywhere")
    cluster.kubectl("set", "image", "daemonset/everywhere", "main=example.com/app:2")
    rolled_out(cluster, "daemonset/everywhere")
    assert images(cluster, "everywhere") == {"example.com/app:2"}
    assert [w for w in cluster.kubectl("rollout", "history", "daemonset/everywhere").split()
            if w.isdigit()] == ["1", "2"]
    cluster.kubectl("rollout", "undo", "daemonset/everywhere")
    rolled_out(cluster, "daemonset/everywhere")
    wait("the first image", lambda: images(cluster, "everywhere") == {"example.com/app:1"})
    cluster.kubectl("delete", "daemonset", "everywhere")


@test
def scales_on_a_condition(cluster):
    cluster.kubectl("scale", "deployment/app", "--current-replicas=5", "--replicas=2")
    wait("two", lambda: len([p for p in cluster.pods("app=app")]) == 2)
    answer = cluster.run("scale", "deployment/app", "--current-replicas=5", "--replicas=4")
    assert "Expected replicas to be 5, was 2" in answer.stderr, answer


@test
def autoscale_makes_an_autoscaler(cluster):
    cluster.kubectl("autoscale", "deployment/app", "--min=2", "--max=6", "--cpu-percent=80")
    made = cluster.get("hpa", "app")["spec"]
    assert (made["minReplicas"], made["maxReplicas"]) == (2, 6), made
    assert made["metrics"][0]["resource"]["target"]["averageUtilization"] == 80, made
    cluster.kubectl("delete", "hpa", "app")


@test
def cascades(cluster):
    cluster.apply(deployment("left", 2), deployment("fore", 2), deployment("back", 2))
    for name in ("left", "fore", "back"):
        rolled_out(cluster, f"deployment/{name}")
    cluster.kubectl("delete", "deployment", "left", "--cascade=orphan")
    [rest] = cluster.get("rs", "-l", "app=left")["items"]
    wait("no owner", lambda: "ownerReferences" not in cluster.get(
        "rs", rest["metadata"]["name"])["metadata"])
    assert len(cluster.pods("app=left")) == 2
    # One that comes again takes over what was left.
    uids = {p["metadata"]["uid"] for p in cluster.pods("app=left")}
    cluster.apply(deployment("left", 2))
    rolled_out(cluster, "deployment/left")
    assert {p["metadata"]["uid"] for p in cluster.pods("app=left")} == uids
    # In the foreground the owner goes last.
    cluster.kubectl("delete", "deployment", "fore", "--cascade=foreground", "--timeout=60s")
    assert not cluster.get("rs,pods", "-l", "app=fore")["items"]
    cluster.kubectl("delete", "deployment", "back", "left", "--cascade=background")
    for name in ("back", "left"):
        wait("nothing", lambda: not cluster.get("rs,pods", "-l", f"app={name}")["items"])


@test
def waits(cluster):
    cluster.apply(deployment("awaited", 1))
    cluster.kubectl("wait", "--for=condition=Available", "deployment/awaited", "--timeout=60s")
    cluster.kubectl("wait", "--for=jsonpath={.status.readyReplicas}=1", "deployment/awaited",
                    "--timeout=60s")
    remover = subprocess.Popen(
        ["kubectl", "--kubeconfig", cluster.kubeconfig, "wait", "--for=delete",
         "deployment/awaited", "--timeout=60s"], stdout=subprocess.DEVNULL)
    try:
        cluster.kubectl("delete", "deployment", "awaited", "--wait=false")
        assert remover.wait(60) == 0
    finally:
        remover.kill()
        remover.wait()
    answer = cluster.run("wait", "--for=condition=Available", "deployment/none", "--timeout=1s")
    assert 'deployments.apps "none" not found' in answer.stderr, answer


@test
def drains_a_node(cluster):
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
              "metadata": {"name": "kept"},
              "spec": {"minAvailable": 5, "selector": {"matchLabels": {"app": "kept"}}}}
    daemon = deployment("daemon")
    daemon["kind"] = "DaemonSet"
    del daemon["spec"]["replicas"]
    cluster.apply(deployment("kept", 6), budget, daemon)
    rolled_out(cluster, "deployment/kept")
    rolled_out(cluster, "daemonset/daemon")
    cluster.prints("1", "get", "pdb", "kept", "-o", "jsonpath={.status.disruptionsAllowed}")
    node = cluster.pods("app=kept")[0]["spec"]["nodeName"]
    bare = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bare"},
            "spec": {"nodeName": node, "containers": [{"name": "main", "image": "e.com/x:1"}]}}
    cluster.apply(bare)
    cluster.kubectl("wait", "--for=condition=Ready", "pod/bare", "--timeout=60s")
    answer = cluster.run("drain", node, "--ignore-daemonsets", "--timeout=60s")
    assert "cannot delete" in answer.stderr and "bare" in answer.stderr, answer
    cluster.kubectl("drain", node, "--ignore-daemonsets", "--force", "--timeout=60s")
    rolled_out(cluster, "deployment/kept")
    there = {p["metadata"]["name"].rsplit("-", 1)[0] for p in cluster.get(
        "pods", "--field-selector", f"spec.nodeName={node}")["items"]}
    assert there == {"daemon"}, there
    assert cluster.get("node", node)["spec"]["unschedulable"] is True
    cluster.kubectl("uncordon", node)
    assert "unschedulable" not in cluster.get("node", node)["spec"]
    # A budget that allows nothing holds a drain up.
    cluster.kubectl("patch", "pdb", "kept", "-p", '{"spec":{"minAvailable":6}}')
    cluster.prints("0", "get", "pdb", "kept", "-o", "jsonpath={.status.disruptionsAllowed}")
    node = cluster.pods("app=kept")[0]["spec"]["nodeName"]
    answer = cluster.run("drain", node, "--ignore-daemonsets", "--timeout=2s")
    assert answer.returncode == 1, answer
    assert "Cannot evict pod as it would violate the pod's disruption budget." in answer.stderr
    cluster.kubectl("uncordon", node)
    cluster.kubectl("delete", "deployment/kept", "daemonset/daemon", "pdb/kept")


@test
def evicts_from_a_node_that_is_tainted(cluster):
    cluster.apply(deployment("moved", 6))
    rolled_out(cluster, "deployment/moved")
    node = cluster.pods("app=moved")[0]["spec"]["nodeName"]
    cluster.kubectl("taint", "node", node, "maintenance=yes:NoExecute")
    wait("other nodes", lambda: node not in {
        p["spec"].get("nodeName") for p in cluster.pods("app=moved")})
    rolled_out(cluster, "deployment/moved")
    cluster.kubectl("taint", "node", node, "maintenance-")
    cluster.kubectl("delete", "deployment", "moved")


@test
def jobs_from_a_cronjob(cluster):
    template = {"restartPolicy": "Never",
                "containers": [{"name": "main", "image": "example.com/job:1"}]}
    cluster.apply({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "report"},
                   "spec": {"schedule": "0 0 1 1 *",
                            "jobTemplate": {"spec": {"template": {"spec": template}}}}})
    cluster.kubectl("create", "job", "now", "--from=cronjob/report")
    cluster.kubectl("wait", "--for=condition=Complete", "job/now", "--timeout=60s")
    [owner] = cluster.get("job", "now")["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("CronJob", "report"), owner
    cluster.kubectl("delete", "cronjob", "report")
    wait("its job is gone", lambda: not cluster.get("jobs", "-l", "batch.kubernetes.io/job-name")[
        "items"] and not cluster.get("jobs")["items"])


@test
def exposes_and_runs(cluster):
    cluster.kubectl("create", "deployment", "shown", "--image=example.com/x:1", "--replicas=2",
                    "--port=8080")
    cluster.kubectl("expose", "deployment/shown", "--port=80", "--target-port=8080")
    rolled_out(cluster, "deployment/shown")
    wait("its addresses", lambda: sum(len(s["endpoints"] or []) for s in cluster.get(
        "endpointslices", "-l", "kubernetes.io/service-name=shown")["items"]) == 2)
    described = cluster.kubectl("describe", "service", "shown")
    assert re.search(r"Endpoints:\s+\S+:8080,\S+:8080", described), described
    cluster.kubectl("label", "pods", "-l", "app=shown", "app=hidden", "--overwrite")
    # Those that were let go are replaced.
    wait("new pods", lambda: len(cluster.pods("app=shown")) == 2)
    assert len(cluster.pods("app=hidden")) == 2
    cluster.kubectl("delete", "pods", "-l", "app=hidden", "--timeout=60s")
    cluster.kubectl("delete", "all", "-l", "app=shown", "--timeout=60s")


def main():
    if not shutil.which("kubectl"):
        print("needs kubectl")
        sys.exit(77)
    cluster = Cluster()
    try:
        cluster.start()

        def tell():
            for log in sorted(pathlib.Path(cluster.work, "data", "log").glob("*.log")):
                print(f"--- {log.name}\n" + "\n".join(
                    log.read_text(errors="replace").splitlines()[-5:]))
        succeeded = run_tests(cluster, tell)
    finally:
        cluster.stop()
    sys.exit(not succeeded)


if __name__ == "__main__":
    os.environ.pop("KUBECONFIG", None)
    main()
