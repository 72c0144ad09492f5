// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Protobuf

/// Which of a message's fields are members of its JSON object, by the rules of the Kubernetes API,
/// and where they are: what encoding a message and comparing two of them share.
///
/// `base` is the start of the memory of the block that the message lies in.
package enum JSONMembers {
    /// The message that holds the field of a key: `message` itself or one inlined in it.
    @inline(__always)
    package static func owner(
        of key: UnsafePointer<JSONKey>,
        _ message: UnsafeRawPointer,
        _ base: UnsafeRawPointer
    ) -> UnsafeRawPointer {
        guard let first = key.pointee.via0 else { return message }
        var owner = self.child(first, of: message, base)
        if let second = key.pointee.via1 { owner = self.child(second, of: owner, base) }
        if let third = key.pointee.via2 { owner = self.child(third, of: owner, base) }
        return owner
    }

    private static func child(
        _ field: UnsafePointer<FieldEntry>,
        of message: UnsafeRawPointer,
        _ base: UnsafeRawPointer
    ) -> UnsafeRawPointer {
        self.message(at: message + Int(field.pointee.offset), base)
    }

    /// The message whose offset is in a slot; the empty one when it is absent.
    @inline(__always)
    package static func message(
        at slot: UnsafeRawPointer,
        _ base: UnsafeRawPointer
    ) -> UnsafeRawPointer {
        let offset = slot.loadUnaligned(as: UInt32.self)
        return offset == 0 ? MessageTree.empty : base + Int(offset)
    }

    /// Go's rules: `omitempty` drops what is nil, empty or zero, but never a struct.
    @inline(__always)
    package static func isWritten(
        _ field: UnsafePointer<FieldEntry>,
        _ message: UnsafeRawPointer,
        _ base: UnsafeRawPointer
    ) -> Bool {
        if field.pointee.isKept { return true }
        let slot = message + Int(field.pointee.offset)
        switch field.pointee.cardinality {
        case .always, .implicit:
            if field.pointee.kind == .message {
                return !field.pointee.omitsZero || !self.isZero(field, slot, base)
            }
            return !MessageTree.isZero(field.pointee.kind, slot)
        case .explicit:
            if field.pointee.kind == .bytes { return !MessageTree.isZero(.bytes, slot) }
            return MessageTree.isPresent(field, message)
        case .oneof:
            return MessageTree.isPresent(field, message)
        case .repeated, .packed, .map:
            return MessageTree.count(slot, base) > 0
        }
    }

    /// Whether a message is what Go calls its zero value: nothing in it is set.
    private static func isZero(
        _ field: UnsafePointer<FieldEntry>,
        _ slot: UnsafeRawPointer,
        _ base: UnsafeRawPointer
    ) -> Bool {
        guard let table = field.pointee.child else { return true }
        return MessageTree.areEqual(
            table,
            base,
            self.message(at: slot, base),
            MessageTree.emptyBase,
            MessageTree.empty
        )
    }
}
