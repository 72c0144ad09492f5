// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Bytes
import JSON
import Protobuf
public import ResourceTable
import Synchronization

/// The OpenAPI documents of an API server, made from its resource table and the schemas of its
/// types when they are first asked for, and kept as bytes.
///
/// Source: kube-openapi `pkg/handler`, `pkg/handler3`; Kubernetes' `api/openapi-spec` for the form.
public final class OpenAPIDocuments: Sendable {
    /// Which document.
    public enum Kind: Hashable, Sendable {
        /// `/openapi/v2` in JSON.
        case v2
        /// `/openapi/v2` as gnostic's protobuf messages.
        case v2Protobuf
        /// `/openapi/v3`: where the documents are.
        case index
        /// `/openapi/v3/<path>`, such as `apis/apps/v1`.
        case v3(String)
    }

    /// A document with what caches need.
    public struct Document: Sendable {
        public let body: Bytes
        public let contentType: String
        /// The value of the `ETag` header, quotes included.
        public let tag: String
        /// When the address had this value as `hash`, the answer never changes.
        public let hash: String
    }

    /// What the answer is said to be, however it was asked for: the older name has an `@`, which no
    /// media type may have, and clients that parse the answer's type refuse it.
    ///
    /// Source: upstream `k8s.io/kube-openapi/pkg/handler`.
    public static let protobufType =
        "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

    private let table: ResourceTable
    private let version: String
    private let groupVersions: [GroupVersion]
    // Held for a look-up only; documents are made outside, at worst twice.
    private let made = Mutex<[Kind: Document]>([:])

    /// - Parameter version: of the server, such as `v1.36.2`.
    public init(_ table: ResourceTable, version: String) {
        self.table = table
        self.version = version
        self.groupVersions = GroupVersion.all(in: table)
    }

    /// A document; nil when there is none at the path.
    public func document(_ kind: Kind) -> Document? {
        if let document = self.made.withLock({ $0[kind] }) { return document }
        guard let document = self.make(kind) else { return nil }
        self.made.withLock { $0[kind] = document }
        return document
    }

    private func make(_ kind: Kind) -> Document? {
        switch kind {
        case .index:
            let body = Bytes(self.index.json())
            return Document(body, "application/json", hash: DocumentHash(of: [body]).text)
        case .v3(let path):
            guard let document = self.v3(path) else { return nil }
            return Document(
                Bytes(document.json()),
                "application/json",
                hash: self.hash(ofPath: path)
            )
        case .v2:
            return Document(Bytes(self.v2.json()), "application/json", hash: self.hashOfAll)
        case .v2Protobuf:
            return Document(
                Bytes(GnosticEncoder.encode(self.v2)),
                Self.protobufType,
                hash: self.hashOfAll
            )
        }
    }

    // MARK: - Contents

    private var info: DynamicValue {
        ["title": "Kubernetes", "version": DynamicValue(self.version)]
    }

    private var index: DynamicValue {
        var paths = DynamicValue.emptyObject
        for path in self.paths {
            paths[path] = [
                "serverRelativeURL": DynamicValue(
                    "/openapi/v3/\(path)?hash=\(self.hash(ofPath: path))"
                )
            ]
        }
        return ["paths": paths]
    }

    /// The paths of all documents of version 3.
    private var paths: [String] {
        let groups = Set(self.groupVersions.map(\.group)).filter { !$0.isEmpty }
        return ["api", "apis", "version"] + self.groupVersions.map(\.path)
            + groups.map { "apis/\($0)" }
    }

    private func v3(_ path: String) -> DynamicValue? {
        var builder = SchemaBuilder(form: .v3, groupVersions: self.groupVersions)
        let paths: DynamicValue
        if let groupVersion = self.groupVersions.first(where: { $0.path == path }) {
            paths = PathBuilder.paths(of: groupVersion, in: self.table, &builder)
        } else if self.paths.contains(path) {
            paths = PathBuilder.discovery(path, &builder)
        } else {
            return nil
        }
        return [
            "openapi": "3.0.0", "info": self.info, "paths": paths,
            "components": [
                "schemas": builder.finish(),
                "securitySchemes": [
                    "BearerToken": [
                        "type": "apiKey", "in": "header", "name": "authorization",
                        "description": "Bearer Token authentication",
                    ]
                ],
            ],
        ]
    }

    private var v2: DynamicValue {
        var builder = SchemaBuilder(form: .v2, groupVersions: self.groupVersions)
        var paths = DynamicValue.emptyObject
        for path in self.paths where !self.groupVersions.contains(where: { $0.path == path }) {
            for (key, value) in PathBuilder.discovery(path, &builder).entries { paths[key] = value }
        }
        for groupVersion in self.groupVersions {
            let some = PathBuilder.paths(of: groupVersion, in: self.table, &builder)
            for (key, value) in some.entries { paths[key] = value }
        }
        return [
            "swagger": "2.0", "info": self.info, "paths": paths,
            "definitions": builder.finish(),
            "securityDefinitions": [
                "BearerToken": [
                    "type": "apiKey", "in": "header", "name": "authorization",
                    "description": "Bearer Token authentication",
                ]
            ],
            "security": [["BearerToken": []]],
        ]
    }

    // MARK: - Hashes

    // What a document says follows from the schema files and the table, so that the index, which
    // has the hashes of all documents, is made without them.

    private func hash(ofPath path: String) -> String {
        var hash = DocumentHash(
            of: [Bytes(utf8: "\(self.version) \(Descriptions.hash) \(path)")]
        )
        for resource in self.table.resources where resource.documentPath == path {
            hash.add(resource)
        }
        return hash.text
    }

    private var hashOfAll: String {
        var hash = DocumentHash(of: [Bytes(utf8: "\(self.version) \(Descriptions.hash)")])
        for resource in self.table.resources { hash.add(resource) }
        return hash.text
    }
}

extension OpenAPIDocuments.Document {
    init(_ body: Bytes, _ contentType: String, hash: String) {
        self.body = body
        self.contentType = contentType
        self.hash = hash
        self.tag = "\"\(hash)\""
    }
}

/// A group and version that is served.
struct GroupVersion: Hashable, Sendable {
    let group: String
    let version: String

    /// `api/v1`, `apis/apps/v1`
    var path: String {
        self.group.isEmpty ? "api/\(self.version)" : "apis/\(self.group)/\(self.version)"
    }

    /// Those that have resources, in the order of discovery.
    static func all(in table: ResourceTable) -> [GroupVersion] {
        var all: [GroupVersion] = []
        for resource in table.resources {
            let groupVersion = GroupVersion(group: resource.group, version: resource.version)
            if !all.contains(groupVersion) { all.append(groupVersion) }
        }
        return all.sorted { $0.path < $1.path }
    }
}

extension APIResource {
    /// The path of the document that describes the resource.
    var documentPath: String {
        GroupVersion(group: self.group, version: self.version).path
    }
}
