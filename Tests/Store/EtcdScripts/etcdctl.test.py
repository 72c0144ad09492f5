#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""`apus etcd` as operators meet it: every subcommand of Debian's etcdctl, TLS, HTTP, snapshots."""

import json
import os
import re
import select
import signal
import subprocess
import threading
import time

from etcd_support import IS_LONG, Etcd, Tests, apus, etcdctl, expect, expect_match

tests = Tests(needs=["etcdctl"])


def check(etcd, pattern, *arguments, code=0, **options):
    got, output = etcdctl(etcd, *arguments, **options)
    expect(got == code, f"{arguments}: exit code {got}: {output}")
    expect_match(pattern, output)
    return output


def start_etcdctl(etcd, *arguments):
    return subprocess.Popen(
        ["etcdctl", "--endpoints", f"127.0.0.1:{etcd.port}", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "ETCDCTL_API": "3"},
    )


def keys(etcd):
    check(etcd, "^OK$", "put", "k/a", "1")
    check(etcd, "^OK\nk/a\n1$", "put", "k/a", "2", "--prev-kv")
    check(etcd, "^OK$", "put", "k/b", "x")
    check(etcd, "^OK$", "put", "k/c", "")
    check(etcd, "^k/a\n2$", "get", "k/a")
    check(etcd, "^k/a\n2\nk/b\nx\n", "get", "k/", "--prefix")
    check(etcd, "^k/a\n\nk/b\n\nk/c\n\n$", "get", "k/", "--prefix", "--keys-only")
    check(etcd, "^k/c\n\nk/b\nx\n", "get", "k/", "--prefix", "--order=DESCEND", "--sort-by=KEY")
    check(etcd, "^k/a\n2\nk/b\nx\n$", "get", "k/a", "k/c")
    check(etcd, "^k/a\n2\n$", "get", "k/", "--prefix", "--limit=1")
    check(etcd, "^k/b\nx\nk/c\n\n$", "get", "k/b", "--from-key")
    one = json.loads(check(etcd, "", "get", "k/a", "-w", "json"))["kvs"][0]
    expect(one["version"] == 2 and one["mod_revision"] == one["create_revision"] + 1, one)
    check(etcd, "^k/a\n1\n$", "get", "k/a", "--rev", str(one["create_revision"]))
    check(etcd, '"Count" : 3', "get", "k/", "--prefix", "-w", "fields")
    check(etcd, "future revision", "get", "k/a", "--rev", "99999", code=1)
    check(etcd, "^1\nk/c\n\n$", "del", "k/c", "--prev-kv")
    check(etcd, "^2$", "del", "k/", "--prefix")
    check(etcd, "^0$", "del", "k/", "--prefix")


def transactions(etcd):
    check(etcd, "^OK$", "put", "t", "1")
    text = 'value("t") = "1"\nversion("t") > "0"\n\nput t 2\nget t\n\nget t\n\n'
    check(etcd, "SUCCESS\n\nOK\n\nt\n2", "txn", text=text)
    check(etcd, "FAILURE\n\nt\n2", "txn", text=text)
    text = 'create("t") = "0"\nmod("t") < "1"\n\n\ndel t\n\n'
    check(etcd, "FAILURE\n\n1", "txn", text=text)


def watches(etcd):
    watch = start_etcdctl(etcd, "watch", "w", "--prefix", "--prev-kv")
    first = None
    for _ in range(200):
        check(etcd, "OK", "put", "w1", "a")
        if select.select([watch.stdout], [], [], 0.05)[0]:
            first = watch.stdout.readline()
            break
    expect(first == "PUT\n", first)
    check(etcd, "1", "del", "w1")
    lines = []
    while "DELETE\n" not in lines:
        lines.append(watch.stdout.readline())
    watch.send_signal(signal.SIGINT)
    watch.wait(10)
    # From a revision in the past, with a command for each event.
    revision = json.loads(check(etcd, "", "put", "w2", "1", "-w", "json"))["header"]["revision"]
    check(etcd, "OK", "put", "w2", "2")
    past = start_etcdctl(etcd, "watch", "w2", "--rev", str(revision), "--", "echo", "seen")
    expect([past.stdout.readline() for _ in range(8)].count("seen\n") == 2, "two events")
    past.send_signal(signal.SIGINT)
    past.wait(10)
    interactive = start_etcdctl(etcd, "watch", "-i")
    interactive.stdin.write(f"watch w2 --rev={revision}\n")
    interactive.stdin.flush()
    expect(interactive.stdout.readline() == "PUT\n", "an event")
    interactive.send_signal(signal.SIGINT)
    interactive.wait(10)


def leases(etcd):
    output = check(etcd, r"lease \w+ granted with TTL\(50s\)", "lease", "grant", "50")
    lease = re.search(r"lease (\w+)", output).group(1)
    check(etcd, "OK", "put", "leased", "x", f"--lease={lease}")
    check(etcd, r"attached keys\(\[leased\]\)", "lease", "timetolive", lease, "--keys")
    check(etcd, lease, "lease", "list")
    check(etcd, r"keepalived with TTL\(50\)", "lease", "keep-alive", lease, "--once")
    check(etcd, "revoked", "lease", "revoke", lease)
    check(etcd, "^$", "get", "leased")
    check(etcd, "requested lease not found", "lease", "revoke", lease, code=1)
    check(etcd, "already expired", "lease", "timetolive", lease)


def lease_ends(etcd):
    output = check(etcd, "granted", "lease", "grant", "1")
    begin = time.monotonic()
    lease = re.search(r"lease (\w+)", output).group(1)
    check(etcd, "OK", "put", "short", "x", f"--lease={lease}")
    while "short" in etcdctl(etcd, "get", "short")[1]:
        expect(time.monotonic() - begin < 10, "the lease does not end")
        time.sleep(0.02)
    expect(time.monotonic() - begin > 0.9, "the lease ended early")


def locks(etcd):
    check(etcd, "^inside$", "lock", "mutex", "echo", "inside")
    holder = start_etcdctl(etcd, "lock", "mutex")
    expect(holder.stdout.readline().startswith("mutex/"), "the lock")
    waiter = start_etcdctl(etcd, "lock", "mutex", "echo", "second")
    holder.send_signal(signal.SIGINT)
    expect(waiter.communicate(timeout=20)[0] == "second\n", "the second holder")
    holder.wait(10)
    leader = start_etcdctl(etcd, "elect", "office", "me")
    expect(leader.stdout.readline().startswith("office/"), "the election")
    expect(leader.stdout.readline() == "me\n", "the election")
    listener = start_etcdctl(etcd, "elect", "office", "--listen")
    expect(listener.stdout.readline().startswith("office/"), "the listener")
    for process in (leader, listener):
        process.send_signal(signal.SIGINT)
        process.wait(10)


def maintenance(etcd):
    check(etcd, "is healthy", "endpoint", "health")
    status = json.loads(check(etcd, "", "endpoint", "status", "-w", "json"))[0]["Status"]
    expect(status["version"].startswith("3.6."), status)
    expect(status["leader"] == status["header"]["member_id"], status)
    check(etcd, r"\d+$", "endpoint", "hashkv")
    revision = status["header"]["revision"]
    check(etcd, f"compacted revision {revision}", "compaction", str(revision), "--physical")
    check(etcd, "has been compacted", "compaction", str(revision), code=1)
    check(etcd, "has been compacted", "get", "a", "--rev", "2", code=1)
    check(etcd, "future revision", "compaction", "999999", code=1)
    check(etcd, "Finished defragmenting", "defrag")
    check(etcd, "^$", "alarm", "list")
    check(etcd, "^$", "alarm", "disarm")
    check(etcd, "started, default, .*, http://127.0.0.1", "member", "list")
    check(etcd, "one member", "member", "add", "x", "--peer-urls=http://127.0.0.1:1", code=1)
    member = f"{status['header']['member_id']:x}"
    check(etcd, "one member", "member", "remove", member, code=1)
    check(etcd, "one member", "member", "promote", member, code=1)
    update = ["member", "update", member, "--peer-urls=http://127.0.0.1:1"]
    check(etcd, "one member", *update, code=1)
    check(etcd, "bad leader|no leader|not leader", "move-leader", member, code=1)
    check(etcd, "no users", "user", "add", "root:x", code=1)
    check(etcd, "no users", "role", "add", "root", code=1)
    check(etcd, "", "auth", "disable")
    check(etcd, "no users", "auth", "enable", code=1)
    check(etcd, "etcdctl version", "version")


def mirror(etcd):
    with Etcd(tests.folder("mirror")) as other:
        check(etcd, "OK", "put", "m/1", "one")
        copy = start_etcdctl(etcd, "make-mirror", f"127.0.0.1:{other.port}", "--prefix", "m/")
        for _ in range(200):
            check(etcd, "OK", "put", "m/2", "two")
            if "two" in etcdctl(other, "get", "m/", "--prefix")[1]:
                break
            time.sleep(0.05)
        check(other, "^m/1\none\nm/2\ntwo\n$", "get", "m/", "--prefix")
        copy.terminate()
        copy.wait(10)


def performance(etcd):
    if not IS_LONG:
        return "skip"
    check(etcd, "PASS: Throughput", "check", "perf", timeout=180)
    check(etcd, "PASS: Approximate", "check", "datascale", "--load=s", timeout=180)


def snapshots(etcd):
    for number in range(20):
        check(etcd, "OK", "put", f"s/{number}", str(number))
    saved, ours = tests.folder("theirs.snap"), tests.folder("ours.snap")
    check(etcd, "Snapshot saved", "snapshot", "save", saved)
    told = json.loads(check(etcd, "", "snapshot", "status", saved, "-w", "json"))
    code, output = apus("etcd", "snapshot", "save", ours, "--endpoint", etcd.url)
    expect(code == 0, output)
    code, output = apus("etcd", "snapshot", "status", ours)
    expect_match(rf"revision +{told['revision']}$", output)
    expect_match(rf"total keys +{told['totalKey']}$", output)
    # Restored by our tool and by etcd's, the keys are the same.
    target = tests.folder("restored")
    code, output = apus("etcd", "snapshot", "restore", saved, "--data-dir", target)
    expect(code == 0 and str(told["revision"]) in output, output)
    code, output = apus("etcd", "check", "--data-dir", target)
    expect(code == 0 and "is sound" in output, output)
    listing = check(etcd, "kvs", "get", "", "--from-key", "-w", "json")
    with Etcd(target) as copy:
        again = check(copy, "kvs", "get", "", "--from-key", "-w", "json")
        expect(json.loads(listing)["kvs"] == json.loads(again)["kvs"], "the keys differ")
    etcdctl(etcd, "snapshot", "restore", ours, "--data-dir", tests.folder("etcds"))
    expect(os.path.exists(tests.folder("etcds") + "/member/snap/db"), "etcdctl restores ours")
    code, output = apus("etcd", "snapshot", "restore", saved, "--data-dir", target)
    expect(code == 1 and "holds a store already" in output, output)
    with open(saved, "r+b") as file:
        file.seek(9000)
        byte = file.read(1)
        file.seek(9000)
        file.write(bytes([byte[0] ^ 1]))
    code, output = apus("etcd", "snapshot", "restore", saved, "--data-dir", target + "2")
    expect(code == 1 and "SHA-256" in output, output)


def snapshot_under_load(etcd):
    """What is restored is what the running store answers at the snapshot's revision."""
    stop, written = threading.Event(), [0] * 4

    def write(worker):
        while not stop.is_set():
            number = written[worker]
            check(etcd, "OK", "put", f"load/{worker}/{number % 50}", str(number))
            written[worker] += 1

    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for writer in writers:
        writer.start()
    saved = []
    try:
        for number, command in enumerate([["etcdctl"], ["apus", "etcd"]] * 2):
            path = tests.folder(f"load{number}.snap")
            if command == ["etcdctl"]:
                check(etcd, "Snapshot saved", "snapshot", "save", path)
            else:
                code, output = apus("etcd", "snapshot", "save", path, "--endpoint", etcd.url)
                expect(code == 0, output)
            saved.append(path)
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    expect(min(written) > 0, f"a writer did not write: {written}")
    revisions = []
    for path in saved:
        code, output = apus("etcd", "snapshot", "status", path)
        expect(code == 0, output)
        revision = int(re.search(r"^revision +(\d+)$", output, re.MULTILINE).group(1))
        revisions.append(revision)
        target = path + ".store"
        code, output = apus("etcd", "snapshot", "restore", path, "--data-dir", target)
        expect(code == 0, output)
        range_ = ["get", "load/", "--prefix", "-w", "json"]
        then = json.loads(check(etcd, "", *range_, "--rev", str(revision)))
        with Etcd(target) as copy:
            now = json.loads(check(copy, "", *range_))
        expect(now["header"]["revision"] == revision, f"{now['header']}, not {revision}")
        expect(now.get("kvs") == then.get("kvs"), f"the keys at {revision} differ")
    expect(revisions == sorted(revisions), revisions)


def http(etcd):
    expect(etcd.get("/health") == (200, '{"health":"true","reason":""}'), etcd.get("/health"))
    status, body = etcd.get("/version")
    expect(status == 200 and json.loads(body)["etcdcluster"] == "3.6.0", body)
    expect(etcd.get("/readyz")[0] == 200 and etcd.get("/livez")[1] == "ok\n", "probes")
    expect_match(r"\[\+\]data_corruption ok", etcd.get("/readyz?verbose")[1])
    expect(etcd.get("/nothing")[0] == 404, "an unknown path")
    status, body = etcd.get("/metrics")
    for name in [
        "etcd_server_has_leader 1",
        "etcd_mvcc_db_total_size_in_bytes ",
        "etcd_disk_wal_fsync_duration_seconds_count ",
        'grpc_server_handled_total{grpc_code="OK",grpc_type="unary",'
        'grpc_service="etcdserverpb.KV",grpc_method="Put"} ',
        "process_resident_memory_bytes ",
    ]:
        expect(name in body, f"{name} in the metrics")
    check(etcd, "OK", "put", "h", "1")
    # With an alarm it is unhealthy, unless that alarm is left out.
    with Etcd(tests.folder("small"), "--quota-backend-bytes=200000") as small:
        output = ""
        for number in range(400):
            code, output = etcdctl(small, "put", f"q{number}", "x" * 2000)
            if code != 0:
                break
        expect_match("database space exceeded", output)
        check(small, "alarm:NOSPACE", "alarm", "list")
        status, body = small.get("/health")
        expect(status == 503 and "ALARM NOSPACE" in body, body)
        expect(small.get("/health?exclude=NOSPACE")[0] == 200, "an excluded alarm")
        expect(small.get("/readyz")[0] == 200, "it is ready: reads go on")
        check(small, "q1\n", "get", "q1")
        check(small, r"\d+", "del", "q", "--prefix")
        revision = json.loads(check(small, "", "get", "q", "-w", "json"))["header"]["revision"]
        check(small, "compacted", "compaction", str(revision), "--physical")
        check(small, "alarm:NOSPACE", "alarm", "disarm")
        check(small, "OK", "put", "q", "1")


def tls(_):
    certificates = tests.folder("pki")
    code, output = apus("certs", "init", certificates)
    expect(code == 0, output)
    files = [os.path.join(base, f) for base, _, names in os.walk(certificates) for f in names]
    server = next(f for f in files if f.endswith("etcd/server.crt"))
    folder = os.path.dirname(server)
    flags = [
        f"--cert-file={folder}/server.crt",
        f"--key-file={folder}/server.key",
        f"--trusted-ca-file={folder}/ca.crt",
        "--client-cert-auth",
    ]
    with Etcd(tests.folder("tls"), *flags, scheme="https") as etcd:
        client = next(f for f in files if f.endswith(("apiserver-etcd-client.crt", "etcd-client.crt")))
        endpoint = f"https://127.0.0.1:{etcd.port}"
        good = [f"--cacert={folder}/ca.crt", f"--cert={client}", f"--key={client[:-3]}key"]
        check(endpoint, "^OK$", "put", "a", "1", flags=good)
        without = [f"--cacert={folder}/ca.crt", "--command-timeout=3s", "--dial-timeout=2s"]
        code, output = etcdctl(endpoint, "get", "a", flags=without)
        expect(code != 0, f"a client without a certificate is served: {output}")
        saved = tests.folder("tls.snap")
        code, output = apus(
            "etcd", "snapshot", "save", saved, "--endpoint", endpoint,
            "--cacert", f"{folder}/ca.crt", "--cert", client, "--key", f"{client[:-3]}key",
        )
        expect(code == 0, output)


def flags(_):
    for arguments, pattern in [
        (["--unsafe-no-fsync"], "never acknowledged"),
        (["--force-new-cluster"], "snapshot"),
        (["--wal-dir=/x"], "data directory"),
        (["--discovery=http://x"], "one member"),
        (["--discovery-srv-name=x"], "one member"),
        (["--discovery-insecure-skip-tls-verify"], "one member"),
        (["--listen-client-urls=ftp://x"], "no address"),
        (["--auto-compaction-mode=hourly"], "not periodic or revision"),
        (["--auto-compaction-retention=soon"], "not understood"),
        (["--max-request-bytes=0"], "has to be"),
        (["--client-cert-auth", "--cert-file=x"], "go together"),
        (["--nothing"], "unknown flag"),
        (["argument"], "unexpected argument"),
    ]:
        code, output = apus("etcd", "--data-dir", tests.folder("flags"), *arguments)
        expect(code != 0, f"{arguments} is accepted")
        expect_match(pattern, output)
    code, output = apus("etcd", "--version")
    expect(code == 0, output)
    expect_match(r"^etcd Version: 3\.6\.\d+$", output)
    # kubeadm's flags of etcd.
    with Etcd(
        tests.folder("kubeadm"),
        "--advertise-client-urls=https://10.0.0.1:2379",
        "--initial-advertise-peer-urls=https://10.0.0.1:2380",
        "--initial-cluster=node=https://10.0.0.1:2380",
        "--listen-peer-urls=https://10.0.0.1:2380",
        "--name=node",
        "--peer-client-cert-auth=true",
        "--peer-cert-file=/x",
        "--peer-key-file=/x",
        "--peer-trusted-ca-file=/x",
        "--snapshot-count=10000",
        "--client-cert-file=/x",
        "--memory-mlock",
        "--feature-gates=InitialCorruptCheck=true",
        "--watch-progress-notify-interval=5s",
        "--auto-compaction-mode=periodic",
        "--auto-compaction-retention=30m",
        environment={"ETCD_MAX_TXN_OPS": "2"},
    ) as etcd:
        expect_match("has no effect", etcd.output())
        check(etcd, "node, https://10.0.0.1:2380, https://10.0.0.1:2379", "member", "list")
        text = "\nput a 1\nput b 1\nput c 1\n\n\n"
        check(etcd, "too many operations", "txn", text=text, code=1)


def stops(etcd):
    watch = start_etcdctl(etcd, "watch", "x")
    time.sleep(0.3)
    begin = time.monotonic()
    expect(etcd.stop() == 0, f"exit code {etcd.process.returncode}: {etcd.output()[-500:]}")
    expect(time.monotonic() - begin < 5, "stopping takes long")
    watch.kill()
    watch.wait()


with Etcd(tests.folder("data")) as server:
    for test in [
        keys, transactions, watches, leases, lease_ends, locks, mirror, performance, snapshots,
        snapshot_under_load, http, maintenance, tls, flags, stops,
    ]:
        tests.run(test.__name__, test, server)
tests.finish()
