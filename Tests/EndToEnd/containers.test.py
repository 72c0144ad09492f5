#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""What containers get of what their pods ask for: users, capabilities, files, names, environment,
probes of every kind, hooks, restarts. All pods are made at once and looked at side by side."""

import base64
import concurrent.futures
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Support"))
from machines import API  # noqa: E402

spec = importlib.util.spec_from_loader(
    "node_test", importlib.machinery.SourceFileLoader("node_test", str(HERE / "node.test.py")))
nodes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(nodes)
base = nodes.base
base.INDEX = os.environ.get("APUS_TEST_INDEX", "156")
base.TESTS.clear()
container, test = base.container, base.test

try:
    import grpc
    MODULES = str(pathlib.Path(grpc.__file__).parent.parent)
except ImportError:
    print("needs the Python package grpcio")
    sys.exit(77)

PODS = "/api/v1/namespaces/default/pods"
# The capabilities that a container has unless it says otherwise.
DEFAULT_CAPABILITIES = 0xa80425fb
NET_ADMIN, SYS_CHROOT, CHOWN = 1 << 12, 1 << 18, 1 << 0


class View:
    """What the API server has, read by one thread for everybody who waits."""

    def __init__(self, node):
        self.api = API("127.0.0.1", node.port, node.dir / "pki")
        self.pods, self.events = {}, []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while not self.over.wait(0.25):
            try:
                pods = self.api.call("GET", PODS, seconds=60)[1]["items"]
                self.pods = {pod["metadata"]["name"]: pod for pod in pods}
                self.events = self.api.call(
                    "GET", "/api/v1/namespaces/default/events", seconds=60)[1]["items"]
            except (OSError, LookupError, ValueError):
                continue


def wait(what, condition, seconds=180):
    """As everywhere, but for many at once: less often."""
    deadline = time.monotonic() + seconds
    problem = None
    while time.monotonic() < deadline:
        try:
            value = condition()
            if value:
                return value
        except (subprocess.SubprocessError, LookupError, ValueError, TypeError, OSError) as error:
            problem = error
        time.sleep(0.2)
    raise AssertionError(f"{what} did not come to be within {seconds} s ({problem!r})")


def script(text, then="", **more):
    """A container that says what it sees, line by line, and then that this is all."""
    return container("sh", "-c", text + "\necho END\n" + then, **more)


STAY = "exec sleep 3600"


def said(node, name, inside="main"):
    """What a container has said, as soon as it is all there, by the word before each `=`."""
    def read():
        [folder] = node.logs.glob(f"default_{name}_*")
        lines = [line.split(" ", 3)[3].rstrip("\n")
                 for line in (folder / inside / "0.log").read_text().splitlines()]
        return lines if "END" in lines else None
    lines = wait(f"what {name} says", read)
    return dict(line.split("=", 1) for line in lines if "=" in line)


def status(node, name, inside="main", kind="containerStatuses"):
    return next(one for one in node.view.pods[name]["status"][kind] if one["name"] == inside)


def phase(node, name):
    return node.view.pods[name]["status"].get("phase")


def condition(node, name, kind):
    return next(c["status"] for c in node.view.pods[name]["status"]["conditions"]
                if c["type"] == kind)


def messages(node, name, reason):
    return [e["message"] for e in node.view.events
            if e["reason"] == reason and e["involvedObject"]["name"] == name]


def once(spec_):
    return {"restartPolicy": "Never", **spec_}


def with_security(context, *containers):
    return once({"securityContext": context, "containers": list(containers)})


def named(name, one):
    return {**one, "name": name}


IDS = 'echo "user=$(id -u)"; echo "group=$(id -g)"; echo "groups=$(id -G)"'
BITS = """\
while read name value; do case $name in CapEff:) echo "effective=$value";;
CapBnd:) echo "bounding=$value";; NoNewPrivs:) echo "noNew=$value";;
Seccomp:) echo "seccomp=$value";; esac; done < /proc/self/status"""


# MARK: - Pods


def pods_of_users():
    yield "users", with_security(
        {"runAsUser": 1001, "runAsGroup": 2002, "fsGroup": 3003, "supplementalGroups": [4004]},
        script(IDS + '; touch /d/file; echo "volume=$(stat -c %g /d)"; '
               'echo "file=$(stat -c %u:%g /d/file)"; echo "map=$(stat -c %g:%a -L /m/key)"',
               volumeMounts=[{"name": "d", "mountPath": "/d"}, {"name": "m", "mountPath": "/m"}]),
        named("own", script(IDS, securityContext={"runAsUser": 5005, "runAsGroup": 6006}))) | {
            "volumes": [{"name": "d", "emptyDir": {}},
                        {"name": "m", "configMap": {"name": "values", "defaultMode": 0o440}}]}
    yield "root", once({"containers": [
        container("true", securityContext={"runAsNonRoot": True})]})
    yield "capabilities", once({"containers": [
        script(BITS),
        named("dropped", script(BITS, securityContext={"capabilities": {"drop": ["ALL"]}})),
        named("added", script(BITS + "\nip link set lo down && echo lo=down",
                              securityContext={"capabilities": {
                                  "add": ["NET_ADMIN"], "drop": ["CHOWN"]}})),
        named("one", script(BITS, securityContext={"capabilities": {
            "add": ["SYS_CHROOT"], "drop": ["ALL"]}})),
        named("user", script(BITS, securityContext={"runAsUser": 1001})),
        named("privileged", script(BITS + '\necho "devices=$(ls /dev | wc -l)"',
                                   securityContext={"privileged": True})),
        named("bound", script(BITS, securityContext={"allowPrivilegeEscalation": False}))]})


def pods_of_the_kernel():
    yield "seccomp", with_security(
        {"seccompProfile": {"type": "RuntimeDefault"}},
        script(BITS),
        named("unconfined", script(BITS, securityContext={
            "seccompProfile": {"type": "Unconfined"}})),
        named("local", script(BITS + '\nmkdir /tmp/x || echo "mkdir=refused"\n'
                              'touch /tmp/y && echo "touch=done"', securityContext={
                                  "seccompProfile": {"type": "Localhost",
                                                     "localhostProfile": "no-mkdir.json"}})))
    yield "read-only", once({
        "volumes": [{"name": "d", "emptyDir": {}}],
        "containers": [script('touch /file || echo "root=refused"\n'
                              'touch /d/file && echo "volume=written"',
                              securityContext={"readOnlyRootFilesystem": True},
                              volumeMounts=[{"name": "d", "mountPath": "/d"}])]})
    yield "sysctls", with_security(
        {"sysctls": [{"name": "net.ipv4.ip_local_port_range", "value": "40000 41000"},
                     {"name": "kernel.shm_rmid_forced", "value": "1"}]},
        script('echo "ports=$(cat /proc/sys/net/ipv4/ip_local_port_range)"; '
               'echo "removed=$(cat /proc/sys/kernel/shm_rmid_forced)"'))
    yield "unsafe", with_security(
        {"sysctls": [{"name": "kernel.msgmax", "value": "65536"}]}, container("true"))
    yield "masked", once({"containers": [script(
        'echo "core=$(head -c 1 /proc/kcore | wc -c)"\n'
        'echo x 2> /dev/null > /proc/sys/kernel/hostname || echo "sysctl=refused"\n'
        'touch /sys/fs/file 2> /dev/null || echo "sys=refused"')]})
    yield "shared", {"shareProcessNamespace": True, "containers": [
        container("sleep", "36001"),
        named("other", script('until ps | grep -q "[s]leep 36001"; do sleep 0.1; done; '
                              'echo "seen=yes"; echo "first=$(cat /proc/1/comm)"', STAY))]}
    yield "alone", once({"containers": [
        script('echo "self=$$$$"; echo "processes=$(ls -d /proc/[0-9]* | wc -l)"')]})
    yield "host", once({
        "hostNetwork": True, "hostPID": True, "hostIPC": True,
        "containers": [script("\n".join(
            f'echo "{kind}=$(readlink /proc/self/ns/{kind})"' for kind in ("net", "pid", "ipc"))
            + '\necho "ip=$IP"', env=[
                {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}])]})


def pods_of_names():
    yield "names", once({
        "hostname": "web", "subdomain": "sub",
        "hostAliases": [{"ip": "192.0.2.9", "hostnames": ["alias", "alias.test"]}],
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["192.0.2.53"], "searches": ["a.test", "b.test"],
                      "options": [{"name": "ndots", "value": "3"}, {"name": "edns0"}]},
        "containers": [script('echo "host=$(hostname)"\n'
                              'sed "s/ /=/" /etc/resolv.conf\n'
                              'echo "own=$(grep web.sub /etc/hosts | tr "\\t" " ")"\n'
                              'echo "alias=$(grep alias /etc/hosts | tr "\\t" " ")"')]})
    yield "qualified", once({"hostname": "web", "subdomain": "sub", "setHostnameAsFQDN": True,
                             "containers": [script('echo "host=$(hostname)"')]})
    yield "as-the-host", once({"dnsPolicy": "Default", "containers": [
        script('echo "servers=$(grep nameserver /etc/resolv.conf | tr "\\n" ";")"')]})


def pods_of_environments():
    def field(path):
        return {"valueFrom": {"fieldRef": {"fieldPath": path}}}

    def resource(name, divisor):
        return {"valueFrom": {"resourceFieldRef": {"resource": name, "divisor": divisor}}}
    wanted = {
        "A": {"value": "1"}, "B": {"value": "$(A)2"}, "C": {"value": "$$(A)"},
        "D": {"value": "$(NONE)"}, "NAME": field("metadata.name"),
        "SPACE": field("metadata.namespace"), "UID": field("metadata.uid"),
        "LABEL": field("metadata.labels['l']"), "NOTE": field("metadata.annotations['n']"),
        "NODE": field("spec.nodeName"), "ACCOUNT": field("spec.serviceAccountName"),
        "HOST": field("status.hostIP"), "IP": field("status.podIP"),
        "IPS": field("status.podIPs"), "CPU": resource("limits.cpu", "1m"),
        "MEMORY": resource("requests.memory", "1Mi"),
        "KEY": {"valueFrom": {"configMapKeyRef": {"name": "values", "key": "key"}}},
        "PASS": {"valueFrom": {"secretKeyRef": {"name": "secrets", "key": "pass"}}},
        "MAYBE": {"valueFrom": {"configMapKeyRef": {"name": "none", "key": "k",
                                                    "optional": True}}}}
    yield "environment", once({"containers": [script(
        "env", env=[{"name": name, **value} for name, value in wanted.items()],
        envFrom=[{"prefix": "P_", "configMapRef": {"name": "values"}},
                 {"secretRef": {"name": "secrets"}},
                 {"configMapRef": {"name": "none", "optional": True}}],
        resources={"limits": {"cpu": "250m", "memory": "64Mi"},
                   "requests": {"cpu": "10m", "memory": "32Mi"}})]})
    yield "no-links", once({"enableServiceLinks": False, "containers": [script("env")]})
    yield "no-key", once({"containers": [container("true", env=[
        {"name": "K", "valueFrom": {"configMapKeyRef": {"name": "values", "key": "none"}}}])]})
    yield "arguments", once({"containers": [{
        "name": "main", "image": base.IMAGE, "workingDir": "/tmp",
        "command": ["sh", "-c", 'echo "all=$0,$1,$2"; echo "folder=$(pwd)"; echo END'],
        "args": ["$(X)", "$$(X)", "$(Y)"], "env": [{"name": "X", "value": "x"}]}]})
    yield "terminal", once({"containers": [container(
        "sh", "-c", "test -t 0 && test -t 1 && echo tty=yes; echo END", tty=True, stdin=True)]})


def pods_of_volumes(folder):
    yield "memory", once({
        "volumes": [{"name": "m", "emptyDir": {"medium": "Memory", "sizeLimit": "2Mi"}}],
        "containers": [script('echo "type=$(stat -f -c %T /m)"\n'
                              'dd if=/dev/zero of=/m/file bs=1024 count=4096 2> /dev/null '
                              '|| echo "large=refused"\necho "size=$(stat -c %s /m/file)"',
                              volumeMounts=[{"name": "m", "mountPath": "/m"}])]})
    (folder / "host").mkdir()
    (folder / "host/file").write_text("of the host\n")
    yield "paths", once({
        "volumes": [{"name": "d", "emptyDir": {}}, {"name": "m", "configMap": {"name": "values"}},
                    {"name": "h", "hostPath": {"path": str(folder / "host/file"),
                                               "type": "File"}},
                    {"name": "n", "hostPath": {"path": str(folder / "host/new"),
                                               "type": "DirectoryOrCreate"}}],
        "containers": [script(
            'touch /named/file; echo "named=$(ls -d /d/paths/file)"; cat /one; echo\n'
            'touch /read/x 2> /dev/null || echo "read=refused"; cat /file | sed "s/^/file=/"\n'
            'echo new > /new/file',
            env=[{"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
            volumeMounts=[{"name": "d", "mountPath": "/d"},
                          {"name": "d", "mountPath": "/named", "subPathExpr": "$(N)"},
                          {"name": "d", "mountPath": "/read", "readOnly": True},
                          {"name": "m", "mountPath": "/one", "subPath": "line"},
                          {"name": "h", "mountPath": "/file"},
                          {"name": "n", "mountPath": "/new"}])]})
    yield "wrong-type", {
        "volumes": [{"name": "h", "hostPath": {"path": str(folder / "host"), "type": "File"}}],
        "containers": [container("true", volumeMounts=[{"name": "h", "mountPath": "/h"}])]}
    yield "files", once({
        "volumes": [
            {"name": "c", "configMap": {"name": "values", "defaultMode": 0o400, "items": [
                {"key": "key", "path": "deep/one"}, {"key": "line", "path": "two",
                                                     "mode": 0o644}]}},
            {"name": "d", "downwardAPI": {"items": [
                {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
                {"path": "cpu", "resourceFieldRef": {
                    "containerName": "main", "resource": "limits.cpu", "divisor": "1m"}}]}},
            {"name": "t", "projected": {"sources": [{"serviceAccountToken": {
                "audience": "somebody", "expirationSeconds": 700, "path": "token"}}]}}],
        "containers": [script(
            'echo "one=$(stat -L -c %a /c/deep/one)"; echo "two=$(stat -L -c %a /c/two)"\n'
            'echo "labels=$(cat /down/labels)"; echo "cpu=$(cat /down/cpu)"\n'
            'echo "token=$(cat /t/token)"; touch /c/x 2> /dev/null || echo "write=refused"',
            resources={"limits": {"cpu": "250m", "memory": "64Mi"}},
            volumeMounts=[{"name": "c", "mountPath": "/c"}, {"name": "d", "mountPath": "/down"},
                          {"name": "t", "mountPath": "/t"}])]})
    shared = folder / "shared"
    shared.mkdir()
    subprocess.run(["mount", "--bind", shared, shared], check=True)
    subprocess.run(["mount", "--make-shared", shared], check=True)
    yield "propagation", {
        "volumes": [{"name": "s", "hostPath": {"path": str(shared)}}],
        "containers": [
            script('echo > /s/ready; until [ -e /s/later/file ]; do sleep 0.1; done; '
                   'echo "seen=yes"', STAY, volumeMounts=[
                       {"name": "s", "mountPath": "/s", "mountPropagation": "HostToContainer"}]),
            named("back", script(
                'mkdir -p /s/back; mount -t tmpfs back /s/back; touch /s/back/file', STAY,
                securityContext={"privileged": True}, volumeMounts=[
                    {"name": "s", "mountPath": "/s", "mountPropagation": "Bidirectional"}])),
            named("none", script(
                'until [ -e /s/ready ]; do sleep 0.1; done', STAY, volumeMounts=[
                    {"name": "s", "mountPath": "/s"}]))]}


def pods_of_lives(folder):
    bye = {"name": "b", "hostPath": {"path": str(folder / "bye"), "type": "DirectoryOrCreate"}}
    mount = {"volumeMounts": [{"name": "b", "mountPath": "/b"}]}
    yield "last-command", {"volumes": [bye], "terminationGracePeriodSeconds": 30, "containers": [
        container("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done", lifecycle={
            "preStop": {"exec": {"command": ["touch", "/b/command"]}}}, **mount)]}
    page = folder / "page"
    page.write_text("#!/bin/sh\ntouch /b/request\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\n")
    page.chmod(0o755)
    yield "last-request", {
        "volumes": [bye, {"name": "p", "hostPath": {"path": str(page), "type": "File"}}],
        "terminationGracePeriodSeconds": 30, "containers": [container(
            "sh", "-c", "trap 'exit 0' TERM; httpd -f -p 8080 -h /www & wait",
            lifecycle={"preStop": {"httpGet": {"port": 8080, "path": "/cgi-bin/bye"}}},
            volumeMounts=[*mount["volumeMounts"], {"name": "p", "mountPath": "/www/cgi-bin/bye"}])]}
    yield "last-sleep", {"terminationGracePeriodSeconds": 30, "containers": [container(
        "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done", lifecycle={
            "preStop": {"sleep": {"seconds": 2}}})]}
    yield "first-fails", {"containers": [container("sleep", "3600", lifecycle={
        "postStart": {"exec": {"command": ["false"]}}})]}
    yield "deadline", {"activeDeadlineSeconds": 2, "containers": [container("sleep", "3600")]}
    yield "gates", {"readinessGates": [{"conditionType": "test/open"}],
                    "containers": [container("sleep", "3600")]}
    again = ("if [ -e /d/once ]; then exit 0; fi; touch /d/once; exit 42")
    disk = {"volumes": [{"name": "d", "emptyDir": {}}]}
    mount = {"volumeMounts": [{"name": "d", "mountPath": "/d"}]}
    yield "on-failure", {**disk, "restartPolicy": "OnFailure", "containers": [
        container("sh", "-c", again, **mount)]}
    yield "by-rule", {**disk, "restartPolicy": "Never", "containers": [
        container("sh", "-c", again, restartPolicy="Never", restartPolicyRules=[
            {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}], **mount),
        named("without", container("sh", "-c", "exit 43"))]}
    yield "first-of-all", once({
        "initContainers": [named("init", container("sh", "-c", "exit 9"))],
        "containers": [container("true")]})
    yield "words", once({"containers": [
        container("sh", "-c", "echo -n mine > /own; exit 2", terminationMessagePath="/own"),
        named("log", container("sh", "-c", "echo last line; exit 2",
                               terminationMessagePolicy="FallbackToLogsOnError")),
        named("fine", container("sh", "-c", "echo no line",
                                terminationMessagePolicy="FallbackToLogsOnError"))]})
    yield "slow-start", {"containers": [container("sleep", "3600", startupProbe={
        "exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 2})]}
    yield "by-class", once({"runtimeClassName": "plain", "containers": [script(":")]})
    yield "no-class", once({"runtimeClassName": "unknown", "containers": [container("true")]})


# A server that answers for each of three names as long as there is a file of that name, on the
# host's own Python: by gRPC, or by listening at all.
SERVER = '''
import concurrent.futures, os, socket, sys, time
kind, folder = sys.argv[1:]
if kind == "grpc":
    import grpc
    def check(request, _):
        name = request[2:].decode()
        return b"\\x08\\x01" if os.path.exists(f"{folder}/{name}") else b"\\x08\\x02"
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
        "grpc.health.v1.Health", {"Check": grpc.unary_unary_rpc_method_handler(check)}),))
    server.add_insecure_port("0.0.0.0:8080")
    server.start()
    server.wait_for_termination()
listeners = {}
while True:
    for port, name in enumerate(("startup", "ready", "live"), 8081):
        is_there = os.path.exists(f"{folder}/{name}")
        if is_there and name not in listeners:
            listeners[name] = socket.create_server(("", port), backlog=64)
            listeners[name].setblocking(False)
        elif not is_there and name in listeners:
            listeners.pop(name).close()
    for listener in listeners.values():
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            pass
    time.sleep(0.02)
'''

PROBES = {
    "exec": lambda name: {"exec": {"command": ["sh", "-c", f"test -e /s/{name} || {{ "
                                               f"echo no {name}; exit 1; }}"]}},
    "http": lambda name: {"httpGet": {"path": f"/{name}", "port": "web", "httpHeaders": [
        {"name": "Host", "value": "probe.test"}]}},
    "tcp": lambda name: {"tcpSocket": {
        "port": {"startup": 8081, "ready": 8082, "live": 8083}[name]}},
    "grpc": lambda name: {"grpc": {"port": 8080, "service": name}}}
FAILURES = {"exec": "no {0}", "http": "HTTP probe failed with statuscode: 404",
            "tcp": "connect: connection refused",
            "grpc": 'service unhealthy (responded with "NOT_SERVING")'}


def pods_of_probes(folder):
    (folder / "server.py").write_text(SERVER)
    # What the host's Python needs, at its own place.
    python = sorted({"/usr", "/lib", "/lib64", sys.base_prefix, sys.prefix, MODULES})
    host = [{"name": f"host-{number}", "hostPath": {"path": path}}
            for number, path in enumerate(python)]
    for kind, probe in PROBES.items():
        state = folder / f"probe-{kind}"
        state.mkdir()
        # A file, so that a page of the web server is found at its path.
        (state / "live").write_text("")
        often = {"periodSeconds": 1, "timeoutSeconds": 20}
        command = {"exec": ["sleep", "3600"],
                   "http": ["httpd", "-f", "-p", "8080", "-h", "/s"]}.get(kind) or [
                       sys.executable, "/server.py", kind, "/s"]
        yield f"probe-{kind}", {
            "volumes": [{"name": "s", "hostPath": {"path": str(state)}},
                        {"name": "server", "hostPath": {"path": str(folder / "server.py")}},
                        *host],
            "containers": [container(
                *command, ports=[{"name": "web", "containerPort": 8080}],
                env=[{"name": "PYTHONPATH", "value": MODULES}],
                startupProbe={**probe("startup"), **often, "failureThreshold": 1000},
                readinessProbe={**probe("ready"), **often, "failureThreshold": 1},
                livenessProbe={**probe("live"), **often, "failureThreshold": 2},
                volumeMounts=[
                    {"name": "s", "mountPath": "/s"},
                    {"name": "server", "mountPath": "/server.py", "readOnly": True},
                    *({"name": one["name"], "mountPath": path, "readOnly": True}
                      for one, path in zip(host, python))])]}


def watch_probes(node, kind):
    """Takes a pod through what its probes may find; what was seen at each stage."""
    name, state, seen = f"probe-{kind}", node.dir / f"probe-{kind}", {}

    def failed(what, of):
        text = FAILURES[kind].format(of)
        return wait(f"{kind}: {what} probe that fails", lambda: any(
            m.startswith(f"{what} probe failed: ") and text in m
            for m in messages(node, name, "Unhealthy")))
    wait(f"{kind}: the start", lambda: "running" in status(node, name)["state"])
    failed("Startup", "startup")
    one = status(node, name)
    seen["before"] = (one["started"], one["ready"])
    (state / "startup").write_text("")
    wait(f"{kind}: the end of the start", lambda: status(node, name)["started"])
    failed("Readiness", "ready")
    seen["started"] = (status(node, name)["started"], status(node, name)["ready"])
    (state / "ready").write_text("")
    wait(f"{kind}: readiness", lambda: condition(node, name, "Ready") == "True")
    (state / "ready").unlink()
    wait(f"{kind}: readiness's end", lambda: condition(node, name, "Ready") == "False")
    seen["restarts before"] = status(node, name)["restartCount"]
    (state / "live").unlink()
    failed("Liveness", "live")
    wait(f"{kind}: another start", lambda: status(node, name)["restartCount"] >= 1)
    (state / "live").write_text("")
    seen["killed"] = messages(node, name, "Killing")
    (state / "ready").write_text("")
    wait(f"{kind}: readiness anew", lambda: condition(node, name, "Ready") == "True")
    return seen


# MARK: - Tests


def starts(node):
    """Makes all pods; not a behaviour of its own."""
    for name, data in (("values", {"key": "value", "line": "line=one"}),):
        node.kubectl("create", "configmap", name,
                     *(f"--from-literal={k}={v}" for k, v in data.items()))
    node.kubectl("create", "secret", "generic", "secrets", "--from-literal=pass=word")
    node.kubectl("create", "-f", "-", text=json.dumps({
        "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "plain"},
        "handler": "runc"}))
    node.kubectl("create", "-f", "-", text=json.dumps({
        "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "unknown"},
        "handler": "nothing"}))
    node.kubectl("create", "service", "clusterip", "store", "--tcp=5432:5432")
    profiles = node.dir / "kubelet/seccomp"
    profiles.mkdir(parents=True, exist_ok=True)
    (profiles / "no-mkdir.json").write_text(json.dumps({
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}))
    node.view = View(node)
    node.names = []

    def make(pod):
        name, spec_ = pod
        code, answer = node.view.api.call("POST", PODS, {
            "apiVersion": "v1", "kind": "Pod", "metadata": {
                "name": name, "labels": {"l": "label"}, "annotations": {"n": "note"}},
            "spec": {"nodeName": "node", "terminationGracePeriodSeconds": 1,
                     "automountServiceAccountToken": False, **spec_}}, seconds=60)
        assert code == 201, (name, answer)
        node.names.append(name)
    every = [*pods_of_users(), *pods_of_the_kernel(), *pods_of_names(), *pods_of_environments(),
             *pods_of_volumes(node.dir), *pods_of_lives(node.dir), *pods_of_probes(node.dir)]
    for pod in every:
        make(pod)
    node.pool = concurrent.futures.ThreadPoolExecutor(len(PROBES))
    node.probes = {kind: node.pool.submit(watch_probes, node, kind) for kind in PROBES}


@test
def runs_as_the_pods_user(node):
    seen = said(node, "users")
    assert (seen["user"], seen["group"]) == ("1001", "2002"), seen


@test
def has_the_pods_groups(node):
    seen = said(node, "users")
    assert set(seen["groups"].split()) == {"2002", "3003", "4004"}, seen


@test
def volumes_belong_to_the_pods_group(node):
    seen = said(node, "users")
    assert (seen["volume"], seen["file"], seen["map"]) == ("3003", "1001:3003", "3003:440"), seen


@test
def a_container_may_have_its_own_user(node):
    seen = said(node, "users", "own")
    assert (seen["user"], seen["group"]) == ("5005", "6006"), seen
    assert {"3003", "4004"} <= set(seen["groups"].split()), seen


@test
def does_not_run_as_root_what_must_not(node):
    waiting = wait("the reason", lambda: status(node, "root")["state"]["waiting"]
                   if status(node, "root")["state"]["waiting"]["reason"]
                   == "CreateContainerConfigError" else None)
    assert waiting["message"].startswith(
        "container has runAsNonRoot and image will run as root"), waiting


@test
def has_the_capabilities_of_every_container(node):
    seen = said(node, "capabilities")
    assert int(seen["effective"], 16) == DEFAULT_CAPABILITIES, seen


@test
def drops_all_capabilities(node):
    seen = said(node, "capabilities", "dropped")
    assert int(seen["effective"], 16) == int(seen["bounding"], 16) == 0, seen


@test
def adds_and_drops_capabilities(node):
    seen = said(node, "capabilities", "added")
    assert int(seen["effective"], 16) == DEFAULT_CAPABILITIES & ~CHOWN | NET_ADMIN, seen
    assert seen["lo"] == "down", seen


@test
def adds_one_after_dropping_all(node):
    seen = said(node, "capabilities", "one")
    assert int(seen["effective"], 16) == SYS_CHROOT, seen


@test
def a_user_has_none_in_effect(node):
    seen = said(node, "capabilities", "user")
    assert int(seen["effective"], 16) == 0, seen
    assert int(seen["bounding"], 16) == DEFAULT_CAPABILITIES, seen


@test
def the_privileged_have_what_the_runtime_has(node):
    own = next(line.split()[1] for line in open(f"/proc/{node.runtime_pid}/status")
               if line.startswith("CapEff:"))
    seen = said(node, "capabilities", "privileged")
    assert int(seen["effective"], 16) == int(own, 16), (seen, own)
    assert int(seen["devices"]) >= len(os.listdir("/dev")) // 2, seen


@test
def privileges_can_be_bounded(node):
    assert said(node, "capabilities", "bound")["noNew"] == "1"
    assert said(node, "capabilities")["noNew"] == "0"


@test
def calls_are_filtered_as_the_runtime_does(node):
    assert said(node, "seccomp")["seccomp"] == "2"


@test
def calls_may_be_unfiltered(node):
    assert said(node, "seccomp", "unconfined")["seccomp"] == "0"


@test
def calls_are_filtered_by_the_nodes_profile(node):
    seen = said(node, "seccomp", "local")
    assert (seen["mkdir"], seen["touch"]) == ("refused", "done"), seen


@test
def the_root_may_be_read_only(node):
    seen = said(node, "read-only")
    assert (seen["root"], seen["volume"]) == ("refused", "written"), seen


@test
def sets_safe_sysctls(node):
    seen = said(node, "sysctls")
    assert (seen["ports"].split(), seen["removed"]) == (["40000", "41000"], "1"), seen


@test
def refuses_unsafe_sysctls(node):
    wait("the refusal", lambda: phase(node, "unsafe") == "Failed")
    found = node.view.pods["unsafe"]["status"]
    assert (found["reason"], found["message"]) == (
        "SysctlForbidden", 'forbidden sysctl: "kernel.msgmax" not allowlisted'), found


@test
def masks_what_is_the_nodes(node):
    seen = said(node, "masked")
    assert (seen["core"], seen["sysctl"], seen["sys"]) == ("0", "refused", "refused"), seen


@test
def shares_processes(node):
    seen = said(node, "shared", "other")
    assert (seen["seen"], seen["first"]) == ("yes", "pause"), seen


@test
def shares_no_processes_unless_told_to(node):
    seen = said(node, "alone")
    assert seen["self"] == "1" and int(seen["processes"]) <= 4, seen


@test
def uses_the_hosts_namespaces(node):
    seen = said(node, "host")
    for kind in ("net", "pid", "ipc"):
        assert seen[kind] == os.readlink(f"/proc/{node.runtime_pid}/ns/{kind}"), (kind, seen)
    assert seen["ip"] == "127.0.0.1", seen


@test
def has_its_hostname_and_aliases(node):
    seen = said(node, "names")
    ip = wait("the address", lambda: node.view.pods["names"]["status"]["podIP"])
    assert seen["host"] == "web", seen
    assert seen["own"] == f"{ip} web.sub.default.svc.cluster.local web", seen
    assert seen["alias"] == "192.0.2.9 alias alias.test", seen


@test
def has_its_own_resolver(node):
    seen = said(node, "names")
    assert (seen["nameserver"], seen["search"], seen["options"]) == (
        "192.0.2.53", "a.test b.test", "ndots:3 edns0"), seen


@test
def may_be_called_by_its_whole_name(node):
    assert said(node, "qualified")["host"] == "web.sub.default.svc.cluster.local"


@test
def may_ask_whom_the_host_asks(node):
    servers = [line.strip() for line in open("/etc/resolv.conf") if line.startswith("nameserver")]
    assert said(node, "as-the-host")["servers"].split(";")[:-1] == servers[:3]


@test
def expands_the_environment(node):
    seen = said(node, "environment")
    assert [seen[name] for name in "ABCD"] == ["1", "12", "$(A)", "$(NONE)"], seen


@test
def tells_a_container_of_its_pod(node):
    seen = said(node, "environment")
    pod = wait("the address", lambda: node.view.pods["environment"]
               if node.view.pods["environment"]["status"].get("podIP") else None)
    assert (seen["NAME"], seen["SPACE"], seen["UID"], seen["NODE"], seen["ACCOUNT"]) == (
        "environment", "default", pod["metadata"]["uid"], "node", "default"), seen
    assert (seen["LABEL"], seen["NOTE"], seen["HOST"]) == ("label", "note", "127.0.0.1"), seen
    assert seen["IP"] == seen["IPS"] == pod["status"]["podIP"], seen


@test
def tells_a_container_of_its_resources(node):
    seen = said(node, "environment")
    assert (seen["CPU"], seen["MEMORY"]) == ("250", "32"), seen


@test
def takes_the_environment_from_objects(node):
    seen = said(node, "environment")
    assert (seen["KEY"], seen["PASS"], seen["pass"]) == ("value", "word", "word"), seen
    assert seen["P_key"] == "value" and "MAYBE" not in seen, seen


@test
def tells_of_services(node):
    seen = said(node, "environment")
    [store] = [item for item in node.get("services")["items"]
               if item["metadata"]["name"] == "store"]
    address = store["spec"]["clusterIP"]
    assert (seen["STORE_SERVICE_HOST"], seen["STORE_SERVICE_PORT"]) == (address, "5432"), seen
    assert seen["STORE_PORT_5432_TCP"] == f"tcp://{address}:5432", seen
    assert seen["KUBERNETES_SERVICE_PORT"] == "443", seen


@test
def tells_only_of_the_api_server_when_asked(node):
    seen = said(node, "no-links")
    assert "KUBERNETES_SERVICE_HOST" in seen and "STORE_SERVICE_HOST" not in seen, seen


@test
def says_which_key_is_missing(node):
    waiting = wait("the reason", lambda: status(node, "no-key")["state"]["waiting"]
                   if status(node, "no-key")["state"]["waiting"]["reason"]
                   == "CreateContainerConfigError" else None)
    assert waiting["message"] == "couldn't find key none in ConfigMap default/values", waiting


@test
def expands_arguments(node):
    seen = said(node, "arguments")
    assert (seen["all"], seen["folder"]) == ("x,$(X),$(Y)", "/tmp"), seen


@test
def has_a_terminal(node):
    assert said(node, "terminal")["tty"].strip() == "yes"


@test
def memory_volumes_have_a_limit(node):
    seen = said(node, "memory")
    assert (seen["type"], seen["large"], seen["size"]) == ("tmpfs", "refused", str(2 << 20)), seen


@test
def mounts_paths_by_expressions(node):
    assert said(node, "paths")["named"] == "/d/paths/file"


@test
def mounts_single_files(node):
    seen = said(node, "paths")
    assert (seen["line"], seen["file"]) == ("one", "of the host"), seen


@test
def mounts_read_only(node):
    assert said(node, "paths")["read"] == "refused"


@test
def makes_folders_of_the_host(node):
    said(node, "paths")
    assert (node.dir / "host/new/file").read_text() == "new\n"


@test
def checks_types_of_the_hosts_files(node):
    wait("the event", lambda: any("is not a file" in text for text in messages(
        node, "wrong-type", "FailedMount")))
    assert phase(node, "wrong-type") == "Pending"


@test
def files_have_their_modes(node):
    seen = said(node, "files")
    assert (seen["one"], seen["two"], seen["write"]) == ("400", "644", "refused"), seen


@test
def the_downward_api_is_in_files(node):
    seen = said(node, "files")
    assert (seen["labels"], seen["cpu"]) == ('l="label"', "250"), seen


@test
def tokens_are_for_their_audience_and_pod(node):
    part = said(node, "files")["token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert claims["aud"] == ["somebody"], claims
    assert claims["kubernetes.io"]["pod"]["name"] == "files", claims
    assert 600 <= claims["exp"] - claims["iat"] <= 700, claims


@test
def mounts_of_the_host_come_into_a_container(node):
    shared = node.dir / "shared"
    wait("the containers", lambda: all(
        "running" in status(node, "propagation", name)["state"] for name in ("main", "none")))
    (shared / "later").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "apus-test", shared / "later"], check=True)
    (shared / "later/file").write_text("")
    assert said(node, "propagation")["seen"] == "yes"
    # A container that did not ask for it does not see it.
    assert node.kubectl("exec", "propagation", "-c", "none", "--", "sh", "-c",
                        "ls /s/later | wc -l").strip() == "0"


@test
def mounts_of_a_container_come_to_the_host(node):
    wait("the mount", lambda: (node.dir / "shared/back/file").exists())


@test
def runs_a_command_before_the_end(node):
    wait("the start", lambda: "running" in status(node, "last-command")["state"])
    node.view.api.call("DELETE", f"{PODS}/last-command", seconds=60)
    wait("what the hook does", lambda: (node.dir / "bye/command").exists())
    wait("the end", lambda: "last-command" not in node.view.pods)


@test
def makes_a_request_before_the_end(node):
    wait("the start", lambda: "running" in status(node, "last-request")["state"])
    # The server listens a moment later than its container runs.
    wait("the server", lambda: node.kubectl(
        "exec", "last-request", "--", "wget", "-qO-", "http://127.0.0.1:8080/cgi-bin/bye",
        check=False) is not None and (node.dir / "bye/request").exists())
    (node.dir / "bye/request").unlink()
    node.view.api.call("DELETE", f"{PODS}/last-request", seconds=60)
    wait("what the hook does", lambda: (node.dir / "bye/request").exists())
    wait("the end", lambda: "last-request" not in node.view.pods)
    assert not messages(node, "last-request", "FailedPreStopHook")


@test
def sleeps_before_the_end(node):
    wait("the start", lambda: "running" in status(node, "last-sleep")["state"])
    begin = time.monotonic()
    node.view.api.call("DELETE", f"{PODS}/last-sleep", seconds=60)
    wait("the end", lambda: "last-sleep" not in node.view.pods)
    assert time.monotonic() - begin >= 2


@test
def tells_of_first_hooks_that_fail(node):
    wait("the event", lambda: messages(node, "first-fails", "FailedPostStartHook"))
    wait("the end", lambda: messages(node, "first-fails", "BackOff")
         or status(node, "first-fails")["restartCount"] >= 1)


@test
def ends_a_pod_at_its_deadline(node):
    wait("the end", lambda: phase(node, "deadline") == "Failed")
    found = node.view.pods["deadline"]["status"]
    assert (found["reason"], found["message"]) == (
        "DeadlineExceeded", "Pod was active on the node longer than the specified deadline")


@test
def is_ready_when_its_gates_are(node):
    wait("the containers", lambda: condition(node, "gates", "ContainersReady") == "True")
    assert condition(node, "gates", "Ready") == "False"
    code, answer = node.view.api.call("PATCH", f"{PODS}/gates/status", {"status": {"conditions": [
        {"type": "test/open", "status": "True"}]}}, seconds=60,
        kind="application/strategic-merge-patch+json")
    assert code == 200, answer
    wait("readiness", lambda: condition(node, "gates", "Ready") == "True")


@test
def restarts_what_failed(node):
    wait("the end", lambda: phase(node, "on-failure") == "Succeeded")
    assert status(node, "on-failure")["restartCount"] == 1


@test
def restarts_by_rules(node):
    wait("the end", lambda: "terminated" in status(node, "by-rule")["state"]
         and status(node, "by-rule")["restartCount"] == 1)
    assert status(node, "by-rule")["state"]["terminated"]["exitCode"] == 0
    assert status(node, "by-rule", "without")["restartCount"] == 0


@test
def starts_nothing_after_an_init_container_that_failed(node):
    wait("the end", lambda: phase(node, "first-of-all") == "Failed")
    init = status(node, "first-of-all", "init", "initContainerStatuses")
    assert init["state"]["terminated"]["exitCode"] == 9, init
    main = status(node, "first-of-all")
    assert main["state"]["waiting"]["reason"] == "PodInitializing", main


@test
def last_words_come_from_where_they_should(node):
    wait("the end", lambda: phase(node, "words") == "Failed")
    words = {name: status(node, "words", name)["state"]["terminated"].get("message", "")
             for name in ("main", "log", "fine")}
    assert words == {"main": "mine", "log": "last line\n", "fine": ""}, words


@test
def replaces_what_does_not_start(node):
    wait("the reason", lambda: "Container main failed startup probe, will be restarted"
         in messages(node, "slow-start", "Killing"))
    wait("another start", lambda: status(node, "slow-start")["restartCount"] >= 1)


@test
def uses_runtime_classes(node):
    said(node, "by-class")
    wait("the reason", lambda: any("nothing" in text for text in messages(
        node, "no-class", "FailedCreatePodSandBox")))


def tests_of_probes(kind):
    def startup(node):
        seen = node.probes[kind].result(600)
        assert seen["before"] == (False, False), seen

    def readiness(node):
        seen = node.probes[kind].result(600)
        assert seen["started"] == (True, False), seen

    def liveness(node):
        seen = node.probes[kind].result(600)
        assert seen["restarts before"] == 0, seen
        assert "Container main failed liveness probe, will be restarted" in seen["killed"], seen
    for check in (startup, readiness, liveness):
        check.__name__ = f"probes_{check.__name__}_by_{kind}"
        test(check)


for one_kind in PROBES:
    tests_of_probes(one_kind)


@test
def leaves_nothing_behind(node):
    node.view.over.set()
    node.view.thread.join(60)
    # The mounts of the test's own.
    for path in ("shared/later", "shared/back"):
        subprocess.run(["umount", "-l", node.dir / path], check=False, capture_output=True)
    node.kubectl("delete", "pod", "--all", "--wait=true", "--timeout=180s")
    wait("the end of all containers", lambda: not node.labels())
    wait("the end of all folders", lambda: not list((node.dir / "kubelet/pods").iterdir()))
    wait("the end of all logs", lambda: not list(node.logs.iterdir()))
    subprocess.run(["umount", "-l", node.dir / "shared"], check=True)
    wait("the end of all mounts", lambda: base.mounts(node) == [])


def side_by_side(node):
    starts(node)
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        list(pool.map(lambda run: run(node), EVERY[:-1]))
    EVERY[-1](node)


EVERY = list(base.TESTS)
base.TESTS[:] = [side_by_side]

if __name__ == "__main__":
    nodes.main()
