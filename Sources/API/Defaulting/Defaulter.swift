// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import ObjectModel
public import Protobuf
public import Scalars
import Synchronization

/// Fills in what the author of an object left out.
///
/// What is set comes from the schema files: constants that they publish (`default`), constants and
/// expressions that they `assign`, and rules of a message about fields below it (`defaults`). The
/// rules of a kind are compiled once to a ``DefaultingPlan``; an expression is a small function in
/// `TypedRules`. Rules behind feature gates that are off by default do not apply.
///
/// Source: the fact table `defaulting`; upstream `pkg/apis/*/*/defaults.go` and
/// `zz_generated.defaults.go`.
public enum Defaulter {
    /// Sets the defaults of an object; one whose kind has none is left as it is.
    ///
    /// - Parameter now: what a default that is the present time becomes; such fields stay unset
    ///   when it is nil.
    public static func setDefaults(_ object: inout APIObject, now: Timestamp? = nil) {
        guard let plan = DefaultingPlan.plan(for: object.schema) else { return }
        object.changeStorage { storage in
            storage.prepareToWrite(plan.schema)
            plan.run(on: &storage, now: now)
        }
    }

    /// Sets the defaults of a message of a kind.
    public static func setDefaults<M: Message>(_ message: inout M, now: Timestamp? = nil) {
        guard let plan = DefaultingPlan.plan(for: M.schema) else { return }
        message.storage.prepareToWrite(plan.schema)
        plan.run(on: &message.storage, now: now)
    }
}
