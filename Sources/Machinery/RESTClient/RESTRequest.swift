// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import HTTP
import JSON
import KubernetesAPI
import Protobuf

/// A call of the Resources service as upstream's REST API has it. Pure.
///
/// Source: kubernetes.io/docs/reference/using-api/api-concepts.
struct RESTRequest: Equatable {
    var method: HTTPMethod
    /// Path and query.
    var path: String
    var accept = "application/json"
    var contentType = ""
    var body: [UInt8]?

    init(_ method: HTTPMethod, _ target: ApusResource.Target?, _ query: [(String, String)] = []) {
        self.method = method
        self.path = Self.path(target ?? ApusResource.Target()) + Self.query(query)
    }

    // MARK: Paths

    private static func path(_ target: ApusResource.Target) -> String {
        var parts =
            target.group.isEmpty
            ? ["api", target.version] : ["apis", target.group, target.version]
        // A namespace is an object itself, not a place for one.
        if !target.namespace.isEmpty { parts += ["namespaces", target.namespace] }
        parts.append(target.resource)
        if !target.name.isEmpty { parts.append(target.name) }
        if !target.subresource.isEmpty {
            parts += target.subresource.split(separator: "/").map(String.init)
        }
        return "/" + parts.map(self.escaped).joined(separator: "/")
    }

    private static func query(_ items: [(String, String)]) -> String {
        let filled = items.filter { !$0.1.isEmpty }
        if filled.isEmpty { return "" }
        return "?" + filled.map { "\($0)=\(self.escaped($1))" }.joined(separator: "&")
    }

    /// Everything but RFC 3986's unreserved characters by its bytes.
    private static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                bytes.append(byte)
            default:
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Forms

    /// Asks for metadata alone where that is enough. A server that cannot sends everything.
    mutating func ask(for form: ApusResource.Form, list: Bool = false) {
        guard form == .metadata else { return }
        let kind = list ? "PartialObjectMetadataList" : "PartialObjectMetadata"
        self.accept = "application/json;as=\(kind);g=meta.k8s.io;v=v1,application/json"
    }

    /// Takes an object as the body.
    mutating func send(_ object: ApusResource.Object?) {
        let object = object ?? ApusResource.Object()
        switch object.encoding {
        case .json:
            self.contentType = "application/json"
            self.body = Array(object.body)
        case .yaml:
            self.contentType = "application/yaml"
            self.body = Array(object.body)
        default:
            self.contentType = "application/vnd.kubernetes.protobuf"
            // Without a kind the server goes by the path.
            let kind = TypeMeta(
                kind: object.kind?.kind ?? "",
                apiVersion: object.kind?.apiVersion ?? ""
            )
            self.body = object.body.withUnsafeBytes { Envelope.seal(raw: $0, kind) }
        }
    }

    // MARK: Calls

    init(_ get: ApusResource.GetRequest) {
        self.init(.get, get.target, [("resourceVersion", get.resourceVersion)])
        self.ask(for: get.form)
    }

    init(_ list: ApusResource.ListRequest) {
        self.init(
            .get,
            list.target,
            [
                ("labelSelector", list.labelSelector), ("fieldSelector", list.fieldSelector),
                ("resourceVersion", list.resourceVersion),
                ("resourceVersionMatch", Self.match(list.resourceVersionMatch)),
                ("limit", list.limit > 0 ? String(list.limit) : ""),
                ("continue", list.continueToken),
            ]
        )
        self.ask(for: list.form, list: true)
    }

    init(_ watch: ApusResource.WatchRequest) {
        var target = watch.target ?? ApusResource.Target()
        var fields = watch.fieldSelector
        if !target.name.isEmpty {
            let own = "metadata.name=\(target.name)"
            fields = fields.isEmpty ? own : "\(fields),\(own)"
            target.name = ""
        }
        self.init(
            .get,
            target,
            [
                ("watch", "true"), ("labelSelector", watch.labelSelector),
                ("fieldSelector", fields), ("resourceVersion", watch.resourceVersion),
                ("resourceVersionMatch", Self.match(watch.resourceVersionMatch)),
                ("sendInitialEvents", watch.sendInitialEvents ? "true" : ""),
                ("allowWatchBookmarks", watch.allowBookmarks ? "true" : ""),
                ("timeoutSeconds", watch.timeoutSeconds > 0 ? String(watch.timeoutSeconds) : ""),
            ]
        )
        self.ask(for: watch.form)
    }

    init(_ create: ApusResource.CreateRequest) {
        var target = create.target ?? ApusResource.Target()
        // An object is made in its collection, a subresource under its object.
        if target.subresource.isEmpty { target.name = "" }
        self.init(.post, target, Self.options(create.options))
        self.ask(for: create.options?.answer ?? .full)
        self.send(create.object)
    }

    init(_ update: ApusResource.UpdateRequest) {
        self.init(.put, update.target, Self.options(update.options))
        self.ask(for: update.options?.answer ?? .full)
        self.send(update.object)
    }

    init(_ patch: ApusResource.PatchRequest) {
        let force = patch.force ? [("force", "true")] : []
        self.init(.patch, patch.target, Self.options(patch.options) + force)
        self.ask(for: patch.options?.answer ?? .full)
        self.contentType =
            switch patch.type {
            case .json: "application/json-patch+json"
            case .strategic: "application/strategic-merge-patch+json"
            case .apply: "application/apply-patch+yaml"
            default: "application/merge-patch+json"
            }
        self.body = Array(patch.patch)
    }

    init(_ delete: ApusResource.DeleteRequest) {
        self.init(.delete, delete.target)
        self.send(delete.options)
    }

    init(_ delete: ApusResource.DeleteCollectionRequest) {
        self.init(
            .delete,
            delete.target,
            [
                ("labelSelector", delete.labelSelector), ("fieldSelector", delete.fieldSelector),
                ("resourceVersion", delete.resourceVersion),
                ("resourceVersionMatch", Self.match(delete.resourceVersionMatch)),
                ("limit", delete.limit > 0 ? String(delete.limit) : ""),
                ("continue", delete.continueToken),
            ]
        )
        self.send(delete.options)
    }

    private static func match(_ match: ApusResource.ResourceVersionMatch) -> String {
        switch match {
        case .exact: "Exact"
        case .notOlderThan: "NotOlderThan"
        default: ""
        }
    }

    private static func options(_ options: ApusResource.WriteOptions?) -> [(String, String)] {
        guard let options else { return [] }
        let validation =
            switch options.fieldValidation {
            case .ignore: "Ignore"
            case .warn: "Warn"
            case .strict: "Strict"
            default: ""
            }
        return [
            ("dryRun", options.dryRun ? "All" : ""), ("fieldManager", options.fieldManager),
            ("fieldValidation", validation),
        ]
    }

    private mutating func send(_ options: ApusResource.DeleteOptions?) {
        guard let options else { return }
        var body: DynamicValue = ["kind": "DeleteOptions", "apiVersion": "v1"]
        if let seconds = options.gracePeriodSeconds {
            body["gracePeriodSeconds"] = DynamicValue(seconds)
        }
        switch options.propagation {
        case .orphan: body["propagationPolicy"] = "Orphan"
        case .background: body["propagationPolicy"] = "Background"
        case .foreground: body["propagationPolicy"] = "Foreground"
        default: break
        }
        if let wanted = options.preconditions {
            var conditions: DynamicValue = [:]
            if let uid = wanted.uid { conditions["uid"] = DynamicValue(uid) }
            if let version = wanted.resourceVersion {
                conditions["resourceVersion"] = DynamicValue(version)
            }
            body["preconditions"] = conditions
        }
        if options.dryRun { body["dryRun"] = ["All"] }
        if options.ignoreStoreReadError {
            body["ignoreStoreReadErrorWithClusterBreakingPotential"] = true
        }
        self.contentType = "application/json"
        self.body = body.json()
    }
}
