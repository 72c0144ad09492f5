// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// Fuzzes the decoder of the binary form.
//
// Strategy: the first byte picks a type (a Pod with maps, times, quantities and raw JSON; a
// JSONSchemaProps, which contains itself; a NodeList; a FileDescriptorSet, which keeps unknown
// fields), the rest is its input. The corpus is real messages, so that most inputs get past the tags.
//
// Invariants, checked for every input that decodes:
// - what is encoded decodes, and that encodes to the same bytes and decodes to an equal message (the
//   first round may fill in what is always written: an absent Quantity is written as 0);
// - a copy that is changed leaves the original as it was;
// - JSON is written or refused with an error; what is written is JSON, says the same as the tree of
//   the message, and after one reading (which brings times and quantities to their normal form)
//   reads and writes the same again.
// An input that does not decode gives an error. Nothing traps, nothing reads out of bounds.

import JSON
import KubernetesAPI
import Protobuf
import WellKnownTypes

/// Checks one input; libFuzzer calls it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzBinary(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let bytes = UnsafeRawBufferPointer(start: start + 1, count: count - 1)
    switch start.pointee & 3 {
    case 0:
        check(CoreV1.Pod.self, bytes) { pod in
            pod.metadata.labels["fuzz"] = "changed"
            pod.spec.containers.append(CoreV1.Container())
        }
    case 1:
        check(ApiextensionsV1.JSONSchemaProps.self, bytes) { schema in
            schema.properties["fuzz"] = ApiextensionsV1.JSONSchemaProps()
            schema.title = "changed"
        }
    case 2:
        check(CoreV1.NodeList.self, bytes) { list in
            list.metadata.resourceVersion = "changed"
            list.items.append(CoreV1.Node())
        }
    default:
        check(GoogleProtobuf.FileDescriptorSet.self, bytes) { set in
            set.file.append(GoogleProtobuf.FileDescriptorProto())
        }
    }
    return 0
}

private func check<M: Message>(
    _ type: M.Type,
    _ bytes: UnsafeRawBufferPointer,
    change: (inout M) -> Void
) {
    guard let message = try? M(serialized: bytes) else { return }
    let encoded = message.serialized()
    guard let again = try? M(serialized: encoded) else {
        fatalError("what was encoded does not decode")
    }
    require(again.serialized() == encoded, "the bytes change when they are read again")
    require((try? M(serialized: encoded)) == again, "the same bytes give different messages")
    require((try? again.json()) == (try? message.json()), "the JSON changes with the binary form")

    var copy = message
    change(&copy)
    require(message.serialized() == encoded, "a change to a copy shows in the original")
    require(copy.serialized() != encoded, "the change is lost")
    let changed = try? M(serialized: copy.serialized())
    require(changed?.serialized() == copy.serialized(), "a changed message is encoded badly")

    checkJSON(message)
    checkJSON(copy)
}

/// The JSON of a tree after a round that makes whole numbers integers, as Go does it.
private func normalized(_ tree: DynamicValue) -> [UInt8]? {
    (try? DynamicValue(json: tree.json()))?.json()
}

private func checkJSON<M: Message>(_ message: M) {
    guard let json = try? message.json() else {
        require((try? DynamicValue(message)) == nil, "a tree without JSON")
        return
    }
    guard let tree = try? DynamicValue(json: json) else {
        // A number that only a double could hold, and none does, is JSON that we do not read.
        return
    }
    guard let direct = try? DynamicValue(message) else {
        fatalError("JSON without a tree")
    }
    require(normalized(direct) == normalized(tree), "the tree says other than the JSON")
    // A quantity or a time that no JSON may hold can stand in the binary form.
    guard let read = try? M(json: json) else { return }
    guard let normal = try? read.json(), let reread = try? M(json: normal) else {
        fatalError("what was read cannot be written and read again")
    }
    require((try? reread.json()) == normal, "the JSON changes when it is read again")
}

/// Ends the program with `message`, also in a release build, when an invariant does not hold.
private func require(_ condition: Bool, _ message: StaticString) {
    if !condition { fatalError("\(message)") }
}
