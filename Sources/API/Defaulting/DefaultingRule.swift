// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Protobuf
import Scalars

/// A default that is more than a constant for a field.
struct DefaultingRule {
    /// Whether it may have something to do; a cheap question that is asked of every message.
    let isNeeded: (MessageStorage) -> Bool

    /// Does it, on a message whose block is ours to write.
    let apply: (inout MessageStorage, Timestamp?) -> Void

    init(
        isNeeded: @escaping (MessageStorage) -> Bool = { _ in true },
        apply: @escaping (inout MessageStorage, Timestamp?) -> Void
    ) {
        self.isNeeded = isNeeded
        self.apply = apply
    }
}

/// A rule that is written as a function on the message's own type.
struct TypedRule {
    /// The fields whose defaults it sets, as the schema file names them.
    let covers: [String]

    let rule: DefaultingRule

    /// Whether the plan at hand has yet to take the rule up.
    var isPending = true

    init<M: Message>(
        _ type: M.Type,
        _ covers: [String],
        if isNeeded: @escaping (M) -> Bool = { _ in true },
        _ body: @escaping (inout M, Timestamp?) -> Void
    ) {
        self.covers = covers
        self.rule = DefaultingRule(
            isNeeded: { isNeeded(M(storage: $0)) },
            apply: { storage, now in
                // The empty message stands in, so that the change finds the block unshared.
                var message = M(storage: storage)
                storage = MessageStorage()
                body(&message, now)
                storage = message.storage
            }
        )
    }

    init<M: Message>(
        _ type: M.Type,
        _ covers: [String],
        if isNeeded: @escaping (M) -> Bool = { _ in true },
        _ body: @escaping (inout M) -> Void
    ) {
        self.init(type, covers, if: isNeeded) { message, _ in body(&message) }
    }

    /// Fields whose defaults change nothing, or lie behind a gate that is off.
    init(nothingFor covers: [String]) {
        self.covers = covers
        self.rule = DefaultingRule(isNeeded: { _ in false }, apply: { _, _ in })
    }
}
