// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// Fuzzes what changes objects by documents from outside.
//
// Strategy: the input is JSON text. It is applied as each kind of patch to a pod, applied as a
// configuration, and read as a set of fields.
//
// Invariants:
// - a merge patch that was applied changes nothing the second time;
// - a set of fields that is read is written as one that reads as an equal set;
// - a configuration that is applied twice is applied once;
// - whatever comes out of a patch can be read as a pod or is refused with a typed error.
// Nothing traps.

import FieldManagement
import JSON
import KubernetesAPI
import Patches
import Scalars

private let pod: DynamicValue = [
    "apiVersion": "v1", "kind": "Pod",
    "metadata": ["name": "a", "labels": ["x": "1"], "finalizers": ["a", "b"]],
    "spec": [
        "containers": [
            ["name": "c", "image": "i", "ports": [["containerPort": 80, "protocol": "TCP"]]],
            ["name": "d", "env": [["name": "A", "value": "1"]]],
        ],
        "volumes": [["name": "v", "emptyDir": [:]]],
    ],
]

/// Checks one input; libFuzzer calls it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPatches(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(UnsafeBufferPointer(start: start, count: count))
    guard let patch = try? DynamicValue(json: bytes) else { return 0 }
    if let once = try? MergePatch.apply(patch, to: pod) {
        precondition((try? MergePatch.apply(patch, to: once)) == once, "merges twice")
        _ = try? once.message(as: CoreV1.Pod.self)
    }
    if let patched = try? JSONPatch.apply(patch, to: pod) {
        _ = try? patched.message(as: CoreV1.Pod.self)
    }
    if let patched = try? StrategicMergePatch.apply(patch, to: pod, schema: CoreV1.Pod.schema) {
        _ = try? patched.message(as: CoreV1.Pod.self)
    }
    if let set = FieldSet(fieldsV1: patch) {
        precondition(FieldSet(fieldsV1: set.fieldsV1) == set, "a set reads differently")
    }
    func apply(to live: DynamicValue?) -> DynamicValue? {
        try? FieldManager.apply(
            live: live,
            applied: patch,
            schema: CoreV1.Pod.schema,
            manager: "fuzz",
            apiVersion: "v1",
            force: true,
            now: Timestamp(seconds: 1)
        )
    }
    _ = apply(to: pod)
    if let once = apply(to: nil) {
        precondition(apply(to: once) == once, "applies twice")
    }
    return 0
}
