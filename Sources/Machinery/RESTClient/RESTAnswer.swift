// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import JSON
import KubernetesAPI
import ObjectModel
import Protobuf

/// What a REST server answers, as the Resources service has it. Pure.
enum RESTAnswer {
    /// - Throws: when the text is no JSON.
    static func tree(_ text: [UInt8]) throws(StatusError) -> DynamicValue {
        do throws(JSONError) {
            return try DynamicValue(json: text)
        } catch {
            throw .internalError("the server's answer cannot be read: \(error)")
        }
    }

    static func object(_ tree: DynamicValue, _ text: [UInt8]) -> ApusResource.Object {
        ApusResource.Object.with {
            $0.encoding = .json
            $0.kind = ApusResource.Kind.with {
                $0.apiVersion = tree["apiVersion"]?.string ?? ""
                $0.kind = tree["kind"]?.string ?? ""
            }
            $0.body = Bytes(text)
        }
    }

    private static func version(_ tree: DynamicValue?) -> String {
        tree?["metadata"]?["resourceVersion"]?.string ?? ""
    }

    // MARK: Reading

    static func list(_ tree: DynamicValue) -> ApusResource.ListResponse {
        ApusResource.ListResponse.with {
            $0.head = ApusResource.ListHead.with {
                $0.resourceVersion = Self.version(tree)
                $0.encoding = .json
            }
            if let items = tree["items"]?.items {
                for item in items { $0.items.append(Bytes(item.json())) }
            }
            $0.tail = ApusResource.ListTail.with {
                $0.continueToken = tree["metadata"]?["continue"]?.string ?? ""
                $0.remainingItemCount = tree["metadata"]?["remainingItemCount"]?.integer
            }
        }
    }

    /// One line of a watch.
    ///
    /// - Throws: what the server says went wrong.
    static func event(_ line: [UInt8]) throws(StatusError) -> ApusResource.WatchEvent {
        let tree = try self.tree(line)
        let object = tree["object"]
        var event = ApusResource.WatchEvent()
        switch tree["type"]?.string {
        case "ADDED": event.type = .added
        case "MODIFIED": event.type = .modified
        case "DELETED": event.type = .deleted
        case "BOOKMARK":
            event.type = .bookmark
            let annotations = object?["metadata"]?["annotations"]
            event.initialEventsEnd = annotations?["k8s.io/initial-events-end"]?.string == "true"
        case "ERROR": throw self.failure(object?.json() ?? [], status: 500)
        case let other: throw .internalError("unknown type of event: \(other ?? "none")")
        }
        event.resourceVersion = self.version(object)
        event.object = Bytes(object?.json() ?? [])
        return event
    }

    // MARK: Writing

    static func written(
        _ text: [UInt8],
        status: Int,
        _ options: ApusResource.WriteOptions?
    ) throws(StatusError) -> ApusResource.WriteResponse {
        let tree = try self.tree(text)
        return ApusResource.WriteResponse.with {
            if options?.answer != ApusResource.Form.none { $0.object = Self.object(tree, text) }
            $0.created = status == 201
            $0.resourceVersion = Self.version(tree)
        }
    }

    static func deleted(
        _ text: [UInt8],
        _ options: ApusResource.DeleteOptions?
    ) throws(StatusError) -> ApusResource.DeleteResponse {
        let tree = try self.tree(text)
        let isStatus = tree["kind"]?.string == "Status"
        let metadata = tree["metadata"]
        return ApusResource.DeleteResponse.with {
            if !isStatus, options?.answer != ApusResource.Form.none {
                $0.object = Self.object(tree, text)
            }
            // What waits for its finalizers or its grace period says since when.
            let isKept =
                metadata?["deletionTimestamp"] != nil
                && (metadata?["finalizers"]?.items.isEmpty == false
                    || metadata?["deletionGracePeriodSeconds"]?.integer ?? 0 > 0)
            $0.gone = isStatus || !isKept
            $0.resourceVersion = isStatus ? "" : Self.version(tree)
        }
    }

    static func deletedCollection(
        _ text: [UInt8]
    ) throws(StatusError) -> ApusResource.DeleteCollectionResponse {
        let tree = try self.tree(text)
        return ApusResource.DeleteCollectionResponse.with {
            $0.count = Int64(tree["items"]?.items.count ?? 0)
            $0.continueToken = tree["metadata"]?["continue"]?.string ?? ""
        }
    }

    // MARK: Failures

    /// What an answer that is no success says: its Status, or else one made of its code.
    static func failure(_ text: [UInt8], status: Int) -> StatusError {
        if let tree = try? DynamicValue(json: text), tree["kind"]?.string == "Status",
            let message = try? MetaV1.Status.decode(json: text, validation: .ignore).message
        {
            return StatusError(message)
        }
        let reason: StatusError.Reason =
            switch status {
            case 400: .badRequest
            case 401: .unauthorized
            case 403: .forbidden
            case 404: .notFound
            case 405: .methodNotAllowed
            case 409: .conflict
            case 410: .expired
            case 422: .invalid
            case 429: .tooManyRequests
            case 503: .serviceUnavailable
            case 504: .timeout
            default: .internalError
            }
        let start = String(decoding: text.prefix(200), as: UTF8.self)
        return StatusError(
            reason,
            code: Int32(status),
            start.isEmpty ? "the server answered with code \(status)" : start
        )
    }
}
