// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// Fuzzes the JSON decoder.
//
// Strategy: every input is read as a tree and as a Pod, as a JSONSchemaProps (recursive, with the
// unions of schemas) and as a FileDescriptorProto (protobuf's own JSON rules), each with problems
// collected. The corpus is what kubectl prints; the dictionary is keys and literals.
//
// Invariants:
// - a tree is written as JSON, and after two such rounds (2.0 is written as 2 and read as an integer,
//   -0.0 is written as -0 and read as 0, all as Go does it) reads as an equal tree and is written as
//   the same bytes; indenting changes nothing;
// - what decodes as a message is written as JSON, and after that writing reads and writes the same
//   again, without problems;
// - collecting problems changes nothing about the message;
// - the binary form of a message from JSON decodes to an equal message.
// An input that is not JSON, or not that message, gives an error. Nothing traps.

import JSON
import KubernetesAPI
import Protobuf
import WellKnownTypes

/// Checks one input; libFuzzer calls it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSON(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = UnsafeRawBufferPointer(start: start, count: count)
    checkTree(text)
    checkMessage(CoreV1.Pod.self, text)
    checkMessage(ApiextensionsV1.JSONSchemaProps.self, text)
    checkMessage(GoogleProtobuf.FileDescriptorProto.self, text)
    return 0
}

private func checkTree(_ text: UnsafeRawBufferPointer) {
    guard let tree = try? DynamicValue(json: text) else { return }
    let json = tree.json()
    let normal = reread(reread(tree))
    let again = reread(normal)
    require(again == normal, "the tree changes on its way through its JSON")
    require(again.json() == normal.json(), "equal trees are written differently")
    let indented = text.withUnsafeIndented()
    require(indented.flatMap { try? DynamicValue(json: $0) } == tree, "indenting changes it")

    var changed = tree
    changed["fuzz"] = tree
    require(changed["fuzz"] == tree, "an assigned tree is another")
    require(tree.json() == json, "a change to a copy shows in the original")
}

/// The tree of what a tree is written as.
private func reread(_ tree: DynamicValue) -> DynamicValue {
    guard let again = try? DynamicValue(json: tree.json()) else {
        fatalError("what a tree was written as is not JSON")
    }
    return again
}

private func checkMessage<M: Message>(_ type: M.Type, _ text: UnsafeRawBufferPointer) {
    guard let plain = try? M.decode(json: text) else {
        require((try? M.decode(json: text, validation: .warn)) == nil, "warnings let it pass")
        return
    }
    guard let strict = try? M.decode(json: text, validation: .strict) else {
        fatalError("collecting problems makes it fail")
    }
    require(strict.message == plain.message, "collecting problems changes the message")
    require((try? M(serialized: plain.message.serialized())) == plain.message, "binary differs")

    // What a message carries as text is only checked when it is written.
    guard let json = try? plain.message.json() else { return }
    guard let again = try? M.decode(json: json, validation: .strict) else {
        fatalError("what a message was written as does not decode")
    }
    require(again.problems.isEmpty, "what a message was written as has problems")
    require((try? again.message.json()) == json, "the JSON changes when it is read again")
}

extension UnsafeRawBufferPointer {
    /// The text on several lines.
    fileprivate func withUnsafeIndented() -> [UInt8]? {
        try? JSONText.indented(self, by: 2)
    }
}

/// Ends the program with `message`, also in a release build, when an invariant does not hold.
private func require(_ condition: Bool, _ message: StaticString) {
    if !condition { fatalError("\(message)") }
}
