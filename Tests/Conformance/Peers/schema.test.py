#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Apus: Kubernetes in Swift
# scripts/test: beside
"""Proves that scripts/check-schema finds differences: changes one fact at a time in a copy of the
schema files and demands a difference at that place."""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
CORE = "k8s.io/api/core/v1/"
META = "k8s.io/apimachinery/pkg/apis/meta/v1/"

# What changes, in which file, from which text (its first occurrence) to which, and how the
# difference begins.
CHANGES = [
    ("a field number", CORE + "pod.proto", "string nodeName = 10", "string nodeName = 110",
     "k8s.io.api.core.v1.PodSpec.nodeName: number"),
    ("a field name", CORE + "pod.proto", "string nodeName = 10", "string node = 10",
     "k8s.io.api.core.v1.PodSpec.nodeName: field"),
    ("a type", CORE + "pod.proto", "optional int64 activeDeadlineSeconds",
     "optional int32 activeDeadlineSeconds",
     "k8s.io.api.core.v1.PodSpec.activeDeadlineSeconds: type"),
    ("a label", CORE + "pod.proto", "optional int64 activeDeadlineSeconds",
     "repeated int64 activeDeadlineSeconds",
     "k8s.io.api.core.v1.PodSpec.activeDeadlineSeconds: label"),
    ("the key of a map", CORE + "config.proto", "map<string, string> data = 2",
     "map<int32, string> data = 2", "k8s.io.api.core.v1.ConfigMap.data: key"),
    ("a JSON key", "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1/apiextensions.proto",
     'json_name = "$ref"', 'json_name = "ref"', ".JSONSchemaProps.ref: JSON key"),
    ("presence", CORE + "config.proto", "optional bool immutable = 4",
     "optional bool immutable = 4 [(apus.field) = {value: true}]",
     "k8s.io.api.core.v1.ConfigMap.immutable: emit"),
    ("keep", CORE + "pod.proto", "keep: true", "", ": keep"),
    ("omit_zero", META + "object.proto", "omit_zero: true", "", "ObjectMeta.creationTimestamp"),
    ("inline", CORE + "volume.proto", "inline: true", "", ": inline"),
    ("a list type", CORE + "pod.proto", "list: MAP", "list: SET", ": list type"),
    ("a merge key", CORE + "pod.proto", 'merge_key: "name"', 'merge_key: "uid"', ": merge key"),
    ("a patch strategy", CORE + "pod.proto", "[MERGE, RETAIN_KEYS]", "[MERGE]",
     ": patch strategy"),
    ("the keys of a list", CORE + "service.proto", 'keys: ["port", "protocol"]', 'keys: "port"',
     ": list map keys"),
    ("a map type of a message", CORE + "reference.proto", "map: ATOMIC", "map: GRANULAR",
     ": map type"),
    ("required", CORE + "pod.proto", "required: true", "", ": required"),
    ("a published default", CORE + "service.proto", "default: '\"TCP\"'", "default: '\"UDP\"'",
     "ServicePort.protocol: published default"),
    ("an enum", CORE + "pod.proto", '["Always", "Never", "OnFailure"]', '["Always", "Never"]',
     "PodSpec.restartPolicy: enum"),
    ("a default set in code", CORE + "pod.proto", "assign: '30'", "assign: '31'",
     "k8s.io.api.core.v1.PodSpec: defaulting rules"),
    ("its condition", CORE + "probe.proto", 'when: "0"', 'when: "1"',
     "k8s.io.api.core.v1.Probe: defaulting rules"),
    ("a default of a message", "k8s.io/api/apps/v1/apps.proto",
     'defaults: {field: "spec.revisionHistoryLimit" value: \'10\'}', "",
     "k8s.io.api.apps.v1.DaemonSet: defaulting rules"),
    ("a kind with defaulting", CORE + "node.proto", "kind: true defaulting: true", "kind: true",
     "k8s.io.api.core.v1.Node: defaulting"),
    ("a resource list", CORE + "node.proto", "resource_list: true", "", ": resource_list"),
    ("a kind", CORE + "pod.proto", "kind: true ", "", "k8s.io.api.core.v1.Pod: kind"),
    ("a JSON form", META + "time.proto", "json_form: MICRO_TIME", "json_form: TIME",
     "meta.v1.MicroTime: json_form"),
    ("a group", "k8s.io/api/apps/v1/apps.proto", 'group: "apps"', 'group: "app"', ": group"),
    ("a dialect", "etcd/mvccpb/kv.proto", "json: PROTOBUF_NAMES", "json: PROTOBUF", ": json"),
    ("keeping of unknown fields", CORE + "pod.proto", "drop_unknown: true", "", ": drop_unknown"),
    ("a gvk", META + "status.proto", 'gvk: "v1"', 'gvk: "v2"', "meta.v1.Status: gvk"),
    ("a union", CORE + "security.proto", 'discriminator: "type"', 'discriminator: "kind"',
     ": unions"),
    ("an order of fields", CORE + "pod.proto",
     "  optional PodSpec spec = 2 [(apus.field) = {value: true}];\n"
     "  optional PodStatus status = 3 [(apus.field) = {value: true}];\n",
     "  optional PodStatus status = 3 [(apus.field) = {value: true}];\n"
     "  optional PodSpec spec = 2 [(apus.field) = {value: true}];\n",
     "k8s.io.api.core.v1.Pod: order of fields"),
    ("a value of an enum", "etcd/mvccpb/kv.proto", "DELETE = 1;", "DELETED = 1;",
     "mvccpb.Event.EventType: values"),
    ("a method", "etcd/etcdserverpb/watch.proto", "returns (stream WatchResponse)",
     "returns (WatchResponse)", "etcdserverpb.Watch/Watch: method"),
    ("a oneof", "etcd/etcdserverpb/kv.proto", "oneof request {", "oneof requests {",
     "etcdserverpb.RequestOp: oneofs"),
    ("a release", "etcd/etcdserverpb/kv.proto", 'since: "3.7"', 'since: "3.6"', "KV/RangeStream"),
    ("a message more", CORE + "pod.proto", "message Pod {", "message Pood {}\nmessage Pod {",
     "k8s.io.api.core.v1.Pood: message"),
    ("statistics", "apus/node/v1/stats.proto", "usageNanoCores", "nanoCores",
     "apus.node.v1.CPUStats.nanoCores: JSON key"),
]


def check(proto):
    return subprocess.run([sys.executable, str(ROOT / "scripts/check-schema"), "--proto",
                           str(proto)], capture_output=True, text=True)


def main():
    argparse.ArgumentParser(prog="schema.test.py", description=__doc__).parse_args()
    passed = failed = 0

    def verdict(name, problem):
        nonlocal passed, failed
        if problem is None:
            passed += 1
        else:
            failed += 1
            print(f"failed: {name}: {problem}", file=sys.stderr)

    with tempfile.TemporaryDirectory() as directory:
        proto = pathlib.Path(directory) / "proto"
        shutil.copytree(ROOT / "proto", proto)
        run = check(proto)
        verdict("no change", None if run.returncode == 0 else run.stderr[:1000])
        for name, file, old, new, difference in CHANGES:
            path = proto / file
            text = path.read_text()
            if old not in text:
                verdict(name, f"{file} does not hold {old!r}")
                continue
            path.write_text(text.replace(old, new, 1))
            run = check(proto)
            path.write_text(text)
            if run.returncode != 1:
                verdict(name, f"exit code {run.returncode}: {run.stderr[:500]}")
            elif difference not in run.stderr:
                verdict(name, f"no difference {difference!r} in: {run.stderr[:500]}")
            else:
                verdict(name, None)
        # A file that is missing altogether: reviews are in no table of resources.
        (proto / "k8s.io/api/admission/v1/admission.proto").unlink()
        run = check(proto)
        missing = "k8s.io.api.admission.v1.AdmissionReview: message"
        verdict("a missing file", None if run.returncode == 1 and missing in run.stderr
                else run.stderr[:500])
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
