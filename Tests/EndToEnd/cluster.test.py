#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""A whole cluster as people use it: `apus up` on a machine, applications in it, and everything that
happens to them: updates, kills, stops and a reboot."""

import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Support"))
from machines import (  # noqa: E402
    APUS, ROOT, Cluster, Machine, Traffic, Writer, fetch, left_behind, run_tests, skip_unless, test,
    traces, wait)

EXAMPLE = ROOT / "examples/guestbook"
IMAGE = "apus.local/guestbook-store:1"
PORT = 8080


def pod_spec(*command, **more):
    return {"terminationGracePeriodSeconds": 1, "automountServiceAccountToken": False,
            "containers": [{"name": "main", "image": IMAGE, "command": list(command)}], **more}


def labelled(kind, name, **spec):
    group = "batch/v1" if "Job" in kind else "apps/v1"
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": spec}


def workload(kind, name, pod, **spec):
    return labelled(kind, name, selector={"matchLabels": {"app": name}},
                    template={"metadata": {"labels": {"app": name}}, "spec": pod}, **spec)


def sign(cluster, name):
    status, _ = fetch(cluster.machine.address, PORT, "/entries", "POST",
                      f"name={name}&message=was+here")
    assert status == 303, status


def page(cluster):
    status, text = fetch(cluster.machine.address, PORT)
    assert status == 200, status
    return text


def containers(cluster):
    """The running containers of each pod, by the pod's identity."""
    return {p["metadata"]["uid"]: {s["containerID"] for s in p["status"]["containerStatuses"]}
            for p in cluster.get("pods", "-n", "guestbook")["items"]
            if p["status"]["phase"] == "Running" and "deletionTimestamp" not in p["metadata"]}


def restarts(cluster):
    return sum(s["restartCount"] for p in cluster.get("pods", "-A")["items"]
               for s in p["status"].get("containerStatuses", []))


def ready_node(cluster):
    [node] = cluster.get("nodes")["items"]
    return any(c["type"] == "Ready" and c["status"] == "True"
               for c in node["status"]["conditions"])


def rolled_out(cluster, name, namespace="guestbook", seconds=180):
    cluster.kubectl("-n", namespace, "rollout", "status", name, f"--timeout={seconds}s",
                    seconds=seconds + 10)


@test
def comes_up(cluster):
    cluster.before = traces(cluster.machine, cluster.data)
    begin = time.monotonic()
    cluster.up()
    print(f"     from nothing to ready: {time.monotonic() - begin:.1f} s")
    assert cluster.status()["healthy"]
    wait("the node", lambda: ready_node(cluster))


@test
def runs_the_guestbook(cluster):
    images = cluster.machine.dir / "images"
    subprocess.run([EXAMPLE / "build", "--apus", APUS, images], check=True, timeout=60)
    cluster.machine.run(
        APUS, "image", "import", "--container-runtime-endpoint",
        f"unix://{cluster.data}/run/containerd.sock", *sorted(images.glob("*.tar")))
    begin = time.monotonic()
    cluster.kubectl("apply", "-f", EXAMPLE / "guestbook.yaml")
    rolled_out(cluster, "deployment/store")
    rolled_out(cluster, "deployment/web")
    print(f"     from apply to rolled out: {time.monotonic() - begin:.1f} s")
    wait("the page", lambda: "</ul>" in page(cluster))
    assert "<li>" not in page(cluster), page(cluster)
    sign(cluster, "ann")
    assert "<b>ann</b>" in page(cluster)


@test
def starts_what_takes_time(cluster):
    """What later tests look at."""
    reader = pod_spec("sh", "-c", "echo begin; exec sleep 100000",
                      volumes=[{"name": "settings", "configMap": {"name": "settings"}}])
    reader["containers"][0]["volumeMounts"] = [{"name": "settings", "mountPath": "/settings"}]
    cluster.apply(
        labelled("CronJob", "tick", schedule="* * * * *", jobTemplate={"spec": {"template": {
            "spec": pod_spec("echo", "tick", restartPolicy="Never")}}}),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"},
         "data": {"colour": "red"}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "reader"}, "spec": reader})
    cluster.kubectl("wait", "pod/reader", "--for=condition=Ready", "--timeout=170s")


@test
def serves_the_node_port_on_every_side(cluster):
    service = cluster.get("service", "guestbook", "-n", "guestbook")
    node_port = service["spec"]["ports"][0]["nodePort"]
    wait("an answer outside", lambda: fetch(cluster.machine.address, node_port)[0] == 200)
    [ingress] = service["status"]["loadBalancer"]["ingress"]
    assert ingress["ip"] == cluster.machine.address
    for url in (f"http://{cluster.machine.address}:{node_port}/",
                f"http://{ingress['ip']}:{PORT}/",
                f"http://{service['spec']['clusterIP']}:{PORT}/"):
        wait(f"{url} on the node", lambda: "Guestbook" in cluster.machine.run(
            "curl", "-sS", "-m", "5", url))


@test
def finds_services_by_name(cluster):
    service = cluster.get("service", "guestbook", "-n", "guestbook")
    wait("the name", lambda: service["spec"]["clusterIP"] in cluster.kubectl(
        "exec", "reader", "--", "nslookup", "guestbook.guestbook.svc.cluster.local"))


@test
def keeps_what_was_written_when_the_pod_is_replaced(cluster):
    [before] = cluster.get("pods", "-n", "guestbook", "-l", "app=store")["items"]
    cluster.kubectl("-n", "guestbook", "delete", "pod", before["metadata"]["name"])
    rolled_out(cluster, "deployment/store")
    wait("the entry", lambda: "<b>ann</b>" in page(cluster))


@test
def updates_without_a_failed_request(cluster):
    before = containers(cluster)
    with Traffic(cluster.machine.address, PORT, "/healthz") as traffic:
        wait("traffic", lambda: traffic.answered > 20)
        cluster.kubectl("-n", "guestbook", "set", "env", "deployment/web", "VERSION=2")
        rolled_out(cluster, "deployment/web")
        count = traffic.answered
        wait("traffic after it", lambda: traffic.answered > count + 50)
    print(f"     {traffic.answered} requests")
    assert not traffic.failures, (len(traffic.failures), traffic.failures[:3])
    assert len(set(containers(cluster)) - set(before)) == 2


@test
def scales(cluster):
    def scale(count):
        cluster.kubectl("-n", "guestbook", "scale", "deployment/web", f"--replicas={count}")
        begin = time.monotonic()
        rolled_out(cluster, "deployment/web")
        wait("the pods", lambda: len(
            cluster.get("pods", "-n", "guestbook", "-l", "app=web")["items"]) == count)
        print(f"     to {count}: {time.monotonic() - begin:.1f} s")
    scale(1)
    scale(30)
    scale(3)
    assert "<b>ann</b>" in page(cluster)


@test
def runs_a_job(cluster):
    cluster.apply(labelled("Job", "work", completions=4, parallelism=2, template={
        "spec": pod_spec("echo", "done", restartPolicy="Never")}))
    cluster.kubectl("wait", "job/work", "--for=condition=Complete", "--timeout=170s")
    assert cluster.get("job", "work")["status"]["succeeded"] == 4
    wait("the logs", lambda: cluster.kubectl(
        "logs", "-l", "job-name=work").split() == ["done"] * 4)


@test
def runs_a_stateful_set(cluster):
    pod = pod_spec("sleep", "100000")
    pod["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    cluster.apply(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"},
         "spec": {"clusterIP": "None", "selector": {"app": "db"}, "ports": [{"port": 80}]}},
        workload("StatefulSet", "db", pod, replicas=2, serviceName="db", volumeClaimTemplates=[{
            "metadata": {"name": "data"},
            "spec": {"accessModes": ["ReadWriteOnce"],
                     "resources": {"requests": {"storage": "1Mi"}}}}]))
    rolled_out(cluster, "statefulset/db", "default")
    names = ("db-0", "db-1")
    for name in names:
        cluster.kubectl("exec", name, "--", "sh", "-c", "hostname > /data/name")
    cluster.kubectl("delete", "pod", "db-0")
    rolled_out(cluster, "statefulset/db", "default")
    for name in names:
        assert cluster.kubectl("exec", name, "--", "hostname") == f"{name}\n"
        assert cluster.kubectl("exec", name, "--", "cat", "/data/name") == f"{name}\n"
    claims = cluster.get("pvc")["items"]
    assert {c["metadata"]["name"]: c["status"]["phase"] for c in claims} == {
        f"data-{name}": "Bound" for name in names}
    address = cluster.get("pod", "db-1")["status"]["podIP"]
    wait("the name", lambda: address in cluster.kubectl(
        "exec", "reader", "--", "nslookup", "db-1.db.default.svc.cluster.local"))


@test
def runs_a_daemon_set(cluster):
    cluster.apply(workload("DaemonSet", "agent", pod_spec("sleep", "100000")))
    rolled_out(cluster, "daemonset/agent", "default")
    wait("the count", lambda: cluster.get("daemonset", "agent")["status"]["numberReady"] == 1)


@test
def shows_logs_and_runs_commands(cluster):
    wait("the log", lambda: cluster.kubectl("logs", "reader") == "begin\n")
    out = cluster.machine.run("kubectl", "--kubeconfig", cluster.kubeconfig, "exec", "-i", "reader",
                              "--", "sh", "-c", "cat; echo $((6 * 7))", text="in\n")
    assert out == "in\n42\n", out
    failed = subprocess.run(
        cluster.machine.command("kubectl", "--kubeconfig", cluster.kubeconfig, "exec", "reader",
                                "--", "sh", "-c", "exit 7"), capture_output=True, timeout=30)
    assert failed.returncode == 7


@test
def shows_a_config_map(cluster):
    assert cluster.kubectl("exec", "reader", "--", "cat", "/settings/colour") == "red"


@test
def copies_files(cluster):
    there, back = cluster.machine.dir / "there", cluster.machine.dir / "back"
    there.write_bytes(bytes(range(256)) * 5000)
    cluster.kubectl("cp", there, "reader:/tmp/file")
    cluster.kubectl("cp", "reader:/tmp/file", back)
    assert there.read_bytes() == back.read_bytes()


@test
def forwards_ports(cluster):
    log = cluster.machine.dir / "forward.log"
    process = cluster.machine.start_process(
        "kubectl", "--kubeconfig", cluster.kubeconfig, "-n", "guestbook", "port-forward",
        "--address", "0.0.0.0", "service/guestbook", "18080:8080", log=log)
    try:
        wait("the forwarding", lambda: "Forwarding from" in log.read_text())
        for _ in range(5):
            status, text = fetch(cluster.machine.address, 18080)
            assert status == 200 and "<b>ann</b>" in text
    finally:
        process.terminate()
        process.wait(10)


@test
def heals_when_a_component_is_killed(cluster):
    before, count = containers(cluster), restarts(cluster)
    with Writer(cluster.api(), prefix="kills") as writer:
        for name, pid in cluster.pids().items():
            writer.wait_for_more(3)
            cluster.machine.run("kill", "-9", pid)
            assert "Guestbook" in page(cluster), f"without {name}"
            wait(f"{name} back", lambda: cluster.pids()[name] not in (0, pid))
            wait(f"health after {name}", lambda: cluster.status()["healthy"])
        writer.wait_for_more(3)
    print(f"     {len(writer.acknowledged)} writes acknowledged, {writer.refusals} refused")
    writer.check(cluster.api())
    assert all(c["restarts"] == 1 for c in cluster.status()["components"]), cluster.status()
    wait("the node", lambda: ready_node(cluster))
    wait("the containers' statuses", lambda: containers(cluster) == before)
    assert restarts(cluster) == count


@test
def heals_when_all_components_are_killed(cluster):
    before, count = containers(cluster), restarts(cluster)
    sign(cluster, "bob")
    with Writer(cluster.api(), prefix="all") as writer:
        writer.wait_for_more(5)
        pids = cluster.pids()
        cluster.machine.run("kill", "-9", *pids.values())
        assert "Guestbook" in page(cluster)
        wait("all back", lambda: not set(pids.values()) & set(cluster.pids().values()))
        wait("health", lambda: cluster.status()["healthy"])
        writer.wait_for_more(5)
    writer.check(cluster.api())
    wait("the node", lambda: ready_node(cluster))
    assert "<b>bob</b>" in page(cluster)
    wait("the containers' statuses", lambda: containers(cluster) == before)
    assert restarts(cluster) == count
    # It still does what it is told.
    cluster.kubectl("-n", "guestbook", "rollout", "restart", "deployment/web")
    rolled_out(cluster, "deployment/web")


@test
def goes_on_after_down_and_up(cluster):
    before, count = containers(cluster), restarts(cluster)
    cluster.apus("down", "--keep-pods")
    assert not cluster.machine.run("pgrep", "-f", "[d]ata-dir", check=False)
    assert "<b>bob</b>" in page(cluster), "pods run on while the cluster is down"
    begin = time.monotonic()
    cluster.up()
    print(f"     up again: {time.monotonic() - begin:.1f} s")
    wait("the node", lambda: ready_node(cluster))
    wait("the containers' statuses", lambda: containers(cluster) == before)
    assert restarts(cluster) == count
    assert "<b>ann</b>" in page(cluster)


@test
def survives_a_reboot(cluster):
    before = set(containers(cluster))
    sign(cluster, "eve")
    cluster.machine.reboot()
    cluster.up()
    wait("the node", lambda: ready_node(cluster))
    wait("the pods", lambda: set(containers(cluster)) == before)
    wait("the page", lambda: "<b>eve</b>" in page(cluster))
    for name in ("ann", "bob", "eve"):
        assert f"<b>{name}</b>" in page(cluster)


@test
def goes_on_at_another_address(cluster):
    before = containers(cluster)
    cluster.apus("down", "--keep-pods")
    cluster.machine.move(3)
    cluster.up()
    wait("the node", lambda: ready_node(cluster))
    [node] = cluster.get("nodes")["items"]
    assert {"type": "InternalIP", "address": cluster.machine.address} in node["status"]["addresses"]
    # The certificates of the API server and of the kubelet are for the new address.
    assert cluster.api().call("GET", "/api/v1/namespaces/guestbook")[0] == 200
    assert cluster.kubectl("logs", "reader") == "begin\n"
    wait("the page", lambda: "<b>eve</b>" in page(cluster))
    wait("the status", lambda: [i["ip"] for i in cluster.get(
        "service", "guestbook", "-n", "guestbook")["status"]["loadBalancer"]["ingress"]] == [
            cluster.machine.address])
    assert containers(cluster) == before


@test
def stands_beside_another(cluster):
    other = Cluster(cluster.machine, "--control-plane-only",
                    data=str(cluster.machine.dir / "other"), offset=2000)
    other.up()
    try:
        other.kubectl("create", "configmap", "ours")
        assert "not found" in subprocess.run(
            cluster.machine.command("kubectl", "--kubeconfig", cluster.kubeconfig, "get",
                                    "configmap", "ours"),
            capture_output=True, text=True, timeout=30).stderr
        assert not other.get("nodes")["items"]
        assert other.status()["healthy"] and cluster.status()["healthy"]
    finally:
        other.apus("down")
    assert cluster.status()["healthy"]
    assert "<b>ann</b>" in page(cluster)


@test
def ran_the_cron_job(cluster):
    wait("a run", lambda: cluster.kubectl("logs", "-l", "batch.kubernetes.io/job-name",
                                          "--tail=-1").count("tick") >= 1)
    names = [j["metadata"]["name"] for j in cluster.get("jobs")["items"]
             if j["metadata"].get("ownerReferences", [{}])[0].get("name") == "tick"]
    assert names and len(names) == len(set(names))


@test
def takes_the_application_away(cluster):
    cluster.kubectl("delete", "namespace", "guestbook", "--timeout=170s")

    def is_served():
        try:
            return bool(fetch(cluster.machine.address, PORT, seconds=3))
        except OSError:
            return False
    wait("the end of the address", lambda: not is_served())


@test
def leaves_nothing_after_a_reset(cluster):
    cluster.apus("reset", "--yes")
    after = traces(cluster.machine, cluster.data)
    # The machine has another address than before, as it moved.
    after["addresses"].discard(f"eth0 inet {cluster.machine.address}/24")
    left = left_behind(cluster.before, after)
    assert not left, left


def main():
    skip_unless("kubectl", "curl", "nginx", "busybox", "nft", machine=True)
    machine = Machine(170)
    try:
        machine.start()
        cluster = Cluster(machine)
        passed = run_tests(cluster, cluster.print_logs)
    finally:
        machine.stop()
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
