// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import FieldManagement
import JSON
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceTable
import Scalars

/// Who owns which fields: server-side apply, and the record of every other write.
struct FieldOwners: Sendable {
    private let call: ResourceCall
    private let manager: String
    private let now: Timestamp

    init(_ call: ResourceCall, manager: String, now: Timestamp) {
        self.call = call
        self.manager = manager.isEmpty ? "unknown" : manager
        self.now = now
    }

    /// What a write of this path does not change, and so does not own.
    ///
    /// Source: upstream `GetResetFields` of each strategy.
    private var ignored: FieldSet {
        guard self.call.resource.subresource("status") != nil else { return FieldSet() }
        switch self.call.subresource {
        case "": return Self.status
        case "status": return Self.spec
        default: return FieldSet()
        }
    }

    private static let status = Self.part("status")
    private static let spec = Self.part("spec")

    private static func part(_ name: String) -> FieldSet {
        var fields = FieldSet()
        fields.insert([.field(name)])
        return fields
    }

    /// Notes in an object, in the version of the request, what its writer has changed.
    func track(_ object: inout APIObject, old: APIObject?) {
        guard object.hasMetadata else { return }
        FieldManager.track(
            &object,
            live: old,
            FieldManager.Writer(
                manager: self.manager,
                apiVersion: self.call.resource.apiVersion,
                subresource: self.call.subresource
            ),
            ignoring: self.ignored,
            now: self.now
        )
    }

    /// Applies a configuration.
    ///
    /// - Parameter live: the object as it is, in the version of the request; nil to create it.
    func apply(
        _ configuration: DynamicValue,
        to live: APIObject?,
        force: Bool
    ) throws(StatusError) -> DynamicValue {
        do throws(ApplyError) {
            return try FieldManager.apply(
                live: live.flatMap { try? $0.dynamicValue() },
                applied: configuration,
                schema: self.call.resource.schema,
                manager: self.manager,
                apiVersion: self.call.resource.apiVersion,
                subresource: self.call.subresource,
                force: force,
                ignoring: self.ignored,
                now: self.now
            )
        } catch {
            throw error.statusError
        }
    }
}
