#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
"""A client of `apus etcd` in another language: grpcio, with stubs compiled from our proto/."""

import os
import queue
import sys
import threading

from etcd_support import ROOT, Etcd, Tests, expect

try:
    import grpc
    import grpc_tools  # noqa: F401  (what compiles the stubs)
except ImportError:
    print("not installed: grpcio, grpcio-tools")
    sys.exit(77)

sys.path.insert(0, str(ROOT / "proto"))
sys.dont_write_bytecode = True
os.chdir(ROOT)

tests = Tests()
rpc, services = {}, {}
for name in ["kv", "watch", "lease", "maintenance", "cluster", "auth"]:
    rpc[name], services[name] = grpc.protos_and_services(f"etcd/etcdserverpb/{name}.proto")


def refused(code, text, call):
    try:
        call()
    except grpc.RpcError as error:
        expect(error.code() == code and error.details() == text, f"{error.code()} {error.details()}")
        return
    raise AssertionError(f"not refused with {text}")


def keys(channel):
    pb, kv = rpc["kv"], services["kv"].KVStub(channel)
    first = kv.Put(pb.PutRequest(key=b"a\x00\xff", value=b"\x01" * 1000))
    second = kv.Put(pb.PutRequest(key=b"a\x00\xff", value=b"2", prev_kv=True))
    expect(second.header.revision == first.header.revision + 1, second)
    expect(second.prev_kv.value == b"\x01" * 1000 and second.prev_kv.version == 1, second)
    found = kv.Range(pb.RangeRequest(key=b"a", range_end=b"b"))
    expect(found.count == 1 and found.kvs[0].key == b"a\x00\xff", found)
    gone = kv.DeleteRange(pb.DeleteRangeRequest(key=b"a", range_end=b"b", prev_kv=True))
    expect(gone.deleted == 1 and gone.prev_kvs[0].value == b"2", gone)


def guarded(channel):
    """The transaction that Kubernetes writes with."""
    pb, kv = rpc["kv"], services["kv"].KVStub(channel)

    def write(expected, value):
        request = pb.TxnRequest()
        compare = request.compare.add()
        compare.key, compare.target = b"pod", pb.Compare.MOD
        compare.result, compare.mod_revision = pb.Compare.EQUAL, expected
        request.success.add().request_put.CopyFrom(pb.PutRequest(key=b"pod", value=value))
        request.failure.add().request_range.CopyFrom(pb.RangeRequest(key=b"pod"))
        return kv.Txn(request)

    made = write(0, b"1")
    expect(made.succeeded and made.responses[0].HasField("response_put"), made)
    lost = write(0, b"2")
    expect(not lost.succeeded, lost)
    expect(lost.responses[0].response_range.kvs[0].value == b"1", lost)
    expect(write(made.header.revision, b"3").succeeded, "the update")


def errors(channel):
    pb, kv = rpc["kv"], services["kv"].KVStub(channel)
    bad, range_ = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE
    refused(bad, "etcdserver: key is not provided", lambda: kv.Put(pb.PutRequest()))
    refused(bad, "etcdserver: key is not provided", lambda: kv.Range(pb.RangeRequest()))
    refused(bad, "etcdserver: key not found", lambda: kv.Put(pb.PutRequest(key=b"no", ignore_value=True)))
    value = pb.PutRequest(key=b"no", value=b"1", ignore_value=True)
    refused(bad, "etcdserver: value is provided", lambda: kv.Put(value))
    future = pb.RangeRequest(key=b"a", revision=1 << 40)
    refused(range_, "etcdserver: mvcc: required revision is a future revision", lambda: kv.Range(future))
    refused(bad, "etcdserver: request is too large", lambda: kv.Put(pb.PutRequest(key=b"a", value=b"x" * 1600000)))
    order = pb.RangeRequest(key=b"a")
    order.sort_order = 7
    refused(bad, "etcdserver: invalid sort option", lambda: kv.Range(order))
    twice = pb.TxnRequest()
    for _ in range(2):
        twice.success.add().request_put.CopyFrom(pb.PutRequest(key=b"a"))
    refused(bad, "etcdserver: duplicate key given in txn request", lambda: kv.Txn(twice))
    many = pb.TxnRequest()
    for number in range(129):
        many.success.add().request_put.CopyFrom(pb.PutRequest(key=b"%d" % number))
    refused(bad, "etcdserver: too many operations in txn request", lambda: kv.Txn(many))
    lease = services["lease"].LeaseStub(channel)
    missing = rpc["lease"].LeaseRevokeRequest(ID=12345)
    refused(grpc.StatusCode.NOT_FOUND, "etcdserver: requested lease not found", lambda: lease.LeaseRevoke(missing))


def watches(channel):
    pb, kv = rpc["kv"], services["kv"].KVStub(channel)
    wpb, watch = rpc["watch"], services["watch"].WatchStub(channel)
    requests = queue.Queue()
    responses = watch.Watch(iter(requests.get, None))
    requests.put(wpb.WatchRequest(create_request=wpb.WatchCreateRequest(key=b"w", range_end=b"x", prev_kv=True)))
    expect(next(responses).created, "created")
    revision = kv.Put(pb.PutRequest(key=b"w1", value=b"1")).header.revision
    kv.Put(pb.PutRequest(key=b"w1", value=b"2"))
    kv.DeleteRange(pb.DeleteRangeRequest(key=b"w1"))
    events = []
    while len(events) < 3:
        events += next(responses).events
    expect([event.type for event in events] == [0, 0, 1], events)
    expect(events[1].prev_kv.value == b"1" and events[2].kv.mod_revision == revision + 2, events)
    requests.put(wpb.WatchRequest(progress_request=wpb.WatchProgressRequest()))
    progress = next(responses)
    expect(progress.watch_id == -1 and progress.header.revision == revision + 2, progress)
    requests.put(wpb.WatchRequest(create_request=wpb.WatchCreateRequest(
        key=b"w1", start_revision=revision, watch_id=77, filters=[wpb.WatchCreateRequest.NOPUT])))
    answer = next(responses)
    expect(answer.created and answer.watch_id == 77, answer)
    past = next(responses)
    expect(past.watch_id == 77 and [event.type for event in past.events] == [1], past)
    requests.put(wpb.WatchRequest(cancel_request=wpb.WatchCancelRequest(watch_id=77)))
    expect(next(responses).canceled, "canceled")
    kv.Compact(pb.CompactionRequest(revision=revision + 2, physical=True))
    requests.put(wpb.WatchRequest(create_request=wpb.WatchCreateRequest(key=b"w1", start_revision=revision)))
    ended = [next(responses), next(responses)][-1]
    expect(ended.canceled and ended.compact_revision == revision + 2, ended)
    requests.put(None)


def leases(channel):
    pb, kv = rpc["kv"], services["kv"].KVStub(channel)
    lpb, lease = rpc["lease"], services["lease"].LeaseStub(channel)
    granted = lease.LeaseGrant(lpb.LeaseGrantRequest(TTL=60))
    kv.Put(pb.PutRequest(key=b"l", lease=granted.ID))
    left = lease.LeaseTimeToLive(lpb.LeaseTimeToLiveRequest(ID=granted.ID, keys=True))
    expect(left.grantedTTL == 60 and list(left.keys) == [b"l"], left)
    requests = queue.Queue()
    answers = lease.LeaseKeepAlive(iter(requests.get, None))
    for _ in range(3):
        requests.put(lpb.LeaseKeepAliveRequest(ID=granted.ID))
        expect(next(answers).TTL == 60, "kept alive")
    requests.put(lpb.LeaseKeepAliveRequest(ID=1))
    expect(next(answers).TTL == 0, "an unknown lease")
    requests.put(None)
    expect(granted.ID in [status.ID for status in lease.LeaseLeases(lpb.LeaseLeasesRequest()).leases], "listed")
    lease.LeaseRevoke(lpb.LeaseRevokeRequest(ID=granted.ID))
    expect(kv.Range(pb.RangeRequest(key=b"l")).count == 0, "its key is gone")


def maintenance(channel):
    mpb, service = rpc["maintenance"], services["maintenance"].MaintenanceStub(channel)
    status = service.Status(mpb.StatusRequest())
    expect(status.version.startswith("3.6.") and status.leader == status.header.member_id, status)
    parts = list(service.Snapshot(mpb.SnapshotRequest()))
    expect(parts[-1].remaining_bytes == 0 and sum(len(p.blob) for p in parts) > 8192, len(parts))
    expect(service.HashKV(mpb.HashKVRequest()).hash == service.HashKV(mpb.HashKVRequest()).hash, "hash")
    service.Defragment(mpb.DefragmentRequest())
    members = services["cluster"].ClusterStub(channel).MemberList(rpc["cluster"].MemberListRequest())
    expect(len(members.members) == 1, members)
    auth = services["auth"].AuthStub(channel)
    expect(not auth.AuthStatus(rpc["auth"].AuthStatusRequest()).enabled, "auth is disabled")
    refused(grpc.StatusCode.FAILED_PRECONDITION, "etcdserver: authentication is not enabled",
            lambda: auth.Authenticate(rpc["auth"].AuthenticateRequest(name="a", password="b")))


def many_clients(channel):
    """Concurrent writers of one counter: each guarded update counts."""
    pb, kv = rpc["kv"], services["kv"].KVStub(channel)
    kv.Put(pb.PutRequest(key=b"n", value=b"0"))

    def work():
        for _ in range(20):
            while True:
                now = kv.Range(pb.RangeRequest(key=b"n")).kvs[0]
                request = pb.TxnRequest()
                compare = request.compare.add()
                compare.key, compare.target, compare.mod_revision = b"n", pb.Compare.MOD, now.mod_revision
                put = request.success.add().request_put
                put.key, put.value = b"n", b"%d" % (int(now.value) + 1)
                if kv.Txn(request).succeeded:
                    break

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    expect(kv.Range(pb.RangeRequest(key=b"n")).kvs[0].value == b"160", "the count")


with Etcd(tests.folder("data")) as etcd, grpc.insecure_channel(f"127.0.0.1:{etcd.port}") as connection:
    for test in [keys, guarded, errors, watches, leases, maintenance, many_clients]:
        tests.run(test.__name__, test, connection)
tests.finish()
