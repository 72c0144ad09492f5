// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NameRules
import ObjectModel
import Protobuf

/// The rules of one kind beyond those of its metadata.
struct KindRules: Sendable {
    let create: @Sendable (inout FieldErrors, APIObject) -> Void
    /// New, old, and the subresource that is written.
    let update: @Sendable (inout FieldErrors, APIObject, APIObject, String?) -> Void

    /// The rules of a kind, by the full name of its message.
    static let all: [String: KindRules] = {
        let groups: [[String: KindRules]] = [
            KindRules.pods, KindRules.core, KindRules.workloads, KindRules.network,
            KindRules.storage, KindRules.access, KindRules.extension,
        ]
        return groups.reduce(into: [:]) { all, group in all.merge(group) { _, new in new } }
    }()

    /// Rules on the typed message.
    ///
    /// - Parameter update: the rules of an update of the whole object or of a subresource, nil for
    ///   the whole; the rules of `create` do not run by themselves then.
    static func of<M: Message>(
        _ type: M.Type,
        create: @escaping @Sendable (inout FieldErrors, M) -> Void,
        update: @escaping @Sendable (inout FieldErrors, M, M, String?) -> Void
    ) -> (String, KindRules) {
        (
            M.schema.fullName,
            KindRules(
                create: { errors, object in
                    if let message = object.message(as: M.self) { create(&errors, message) }
                },
                update: { errors, new, old, subresource in
                    if let new = new.message(as: M.self), let old = old.message(as: M.self) {
                        update(&errors, new, old, subresource)
                    }
                }
            )
        )
    }

    /// Rules that are the same for both, and none for subresources.
    static func of<M: Message>(
        _ type: M.Type,
        _ rules: @escaping @Sendable (inout FieldErrors, M) -> Void
    ) -> (String, KindRules) {
        self.of(type, create: rules) { errors, new, _, subresource in
            if subresource == nil { rules(&errors, new) }
        }
    }

    /// Rules of a kind that is its `spec` and `status`, as most are.
    ///
    /// - Parameters:
    ///   - spec: the rules of a spec, new or changed; the path of the faults is that of the spec.
    ///   - update: what a change of the spec must keep.
    ///   - status: the rules of a write of the status; the path is that of the status.
    static func ofSpec<M: Message>(
        _ type: M.Type,
        spec: @escaping @Sendable (inout FieldErrors, M) -> Void,
        update: @escaping @Sendable (inout FieldErrors, M, M) -> Void = { _, _, _ in },
        status: @escaping @Sendable (inout FieldErrors, M, M) -> Void = { _, _, _ in }
    ) -> (String, KindRules) {
        self.of(type) { errors, new in
            errors.within("spec") { spec(&$0, new) }
        } update: { errors, new, old, subresource in
            switch subresource {
            case nil:
                errors.within("spec") { errors in
                    spec(&errors, new)
                    update(&errors, new, old)
                }
            case "status": errors.within("status") { status(&$0, new, old) }
            default: return
            }
        }
    }
}
