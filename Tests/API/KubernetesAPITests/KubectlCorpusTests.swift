// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON
import KubernetesAPI
import Protobuf
import Testing

/// What real kubectl prints, read and written again byte for byte.
@Suite("kubectl's output")
struct KubectlCorpusTests {
    static let folder = "Conformance/Manifests"
    static let trees = Fixture.names(in: "\(folder)/kubectl", suffix: ".json")
    static let typed = Fixture.names(in: "\(folder)/typed", suffix: ".json")

    @Test("has at least sixty manifests of each form")
    func size() {
        #expect(Self.trees.count >= 60)
        #expect(Self.typed.count >= 40)
    }

    private func indented(_ json: [UInt8]) throws -> String {
        let lines = try json.withUnsafeBytes { try JSONText.indented($0, by: 4) }
        return String(decoding: lines, as: UTF8.self) + "\n"
    }

    @Test("survives as a tree", arguments: trees)
    func tree(name: String) throws {
        let text = String(decoding: Fixture.read("\(Self.folder)/kubectl/\(name)"), as: UTF8.self)
        // The items of a List are printed one after the other.
        for part in text.split(separator: "\n}\n") {
            let value = try DynamicValue(json: Array((part + "\n}").utf8))
            #expect(try self.indented(value.json()) == part + "\n}\n")
        }
    }

    static let schemas: [TypeMeta: MessageSchema] = {
        let kinds = KubernetesSchemas.files.flatMap(\.messages).filter(\.isKind)
        return Dictionary(kinds.map { (TypeMeta($0), $0) }) { first, _ in first }
    }()

    @Test("survives as a message, in the order of Go's fields", arguments: typed)
    func message(name: String) throws {
        let text = Fixture.read("\(Self.folder)/typed/\(name)")
        let tree = try DynamicValue(json: text)
        let typeMeta = TypeMeta(
            kind: tree["kind"]?.string ?? "",
            apiVersion: tree["apiVersion"]?.string ?? ""
        )
        let schema = try #require(Self.schemas[typeMeta], "\(typeMeta)")
        let decoded = try text.withUnsafeBytes {
            try MessageStorage.decode(
                json: $0,
                as: schema,
                validation: .strict,
                limits: JSONLimits()
            )
        }
        #expect(decoded.problems == [])
        #expect(decoded.typeMeta == typeMeta)
        let expected = Self.withoutNullCreation(String(decoding: text, as: UTF8.self))
        let json = try decoded.message.json(schema, typeMeta: typeMeta)
        #expect(try self.indented(json) == expected)

        // And through the binary form.
        let bytes = decoded.message.withSerializedBytes(schema) { [UInt8]($0) }
        let again = try bytes.withUnsafeBytes {
            try MessageStorage(decoding: schema, from: $0, limits: DecodingLimits())
        }
        #expect(again.withSerializedBytes(schema) { [UInt8]($0) } == bytes)
    }

    /// kubectl 1.32 writes an unset `creationTimestamp` as null; 1.36 leaves it out.
    static func withoutNullCreation(_ text: String) -> String {
        var lines: [Substring] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let trimmed = line.drop { $0 == " " }
            if trimmed == "\"creationTimestamp\": null," { continue }
            if trimmed == "\"creationTimestamp\": null" {
                if lines.last?.last == "," { lines[lines.count - 1].removeLast() }
                continue
            }
            if trimmed.first == "}", lines.last?.last == "{" {
                let open = lines.removeLast()
                lines.append(open + trimmed)
                continue
            }
            lines.append(line)
        }
        return lines.joined(separator: "\n")
    }
}
