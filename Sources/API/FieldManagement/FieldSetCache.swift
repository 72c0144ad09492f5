// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import JSON
import Synchronization

/// The last sets of fields that were read, by their text: the objects that a controller makes have
/// the same sets, and who renews an object writes the same one each time.
enum FieldSetCache {
    /// A set as it was read.
    struct Known: Sendable {
        let set: FieldSet
        /// The text in the form that is written; nil when it was in another.
        let text: Bytes?
    }

    /// The most text that is remembered, in bytes. What goes beyond makes all be forgotten, so that
    /// nobody has to keep book of what was used last.
    static let maximumBytes = 256 << 10

    private struct State {
        var known: [Bytes: Known] = [:]
        var bytes = 0
    }

    private static let state = Mutex(State())

    /// Reads `fieldsV1`; nil when it is malformed.
    static func fields(_ text: Bytes?) -> Known? {
        guard let text, !text.isEmpty else {
            // No text is no set; an empty one is no JSON.
            return text == nil ? Known(set: FieldSet(), text: nil) : nil
        }
        if let known = self.state.withLock({ $0.known[text] }) { return known }
        let tree = text.withUnsafeBytes { try? DynamicValue(json: $0) }
        guard let set = tree.flatMap(FieldSet.init(fieldsV1:)) else { return nil }
        // The text is a part of a message, which must not be kept for it.
        let written = Bytes(set.fieldsV1JSON)
        let isWritten = written == text
        let known = Known(set: set, text: isWritten ? written : nil)
        let key = isWritten ? written : text.detached()
        self.state.withLock { state in
            if state.bytes + key.count > self.maximumBytes {
                state = State()
                if key.count > self.maximumBytes { return }
            }
            if state.known.updateValue(known, forKey: key) == nil { state.bytes += key.count }
        }
        return known
    }
}
