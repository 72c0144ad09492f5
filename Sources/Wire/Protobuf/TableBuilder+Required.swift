// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension TableBuilder {
    /// Counts for each message of the file the messages that are always written with it.
    ///
    /// The encoder goes down all of them even in an empty message. A message that must contain
    /// itself has no end, and a schema from outside could ask for any number.
    func countRequiredMessages() throws(SchemaError) {
        var left = self.messages
        while !left.isEmpty {
            var rest: [MessageSchema] = []
            for message in left {
                guard let count = Self.requiredMessages(message) else {
                    rest.append(message)
                    continue
                }
                guard count <= MessageSchema.maximumRequiredMessages else {
                    throw .requiresTooMuch(message.fullName)
                }
                message.requiredMessages = count
            }
            // Those that are left wait for each other.
            if rest.count == left.count, let name = rest.map(\.fullName).min() {
                throw .requiresTooMuch(name)
            }
            left = rest
        }
    }

    /// Nil while the count of one that is always written with it is not known.
    private static func requiredMessages(_ message: MessageSchema) -> Int? {
        var count = 0
        let table = message.table.pointee
        for index in 0..<table.fieldCount {
            let field = table.fields + index
            guard field.pointee.cardinality == .always, let child = field.pointee.child else {
                continue
            }
            guard let inner = child.pointee.schema.takeUnretainedValue().requiredMessages else {
                return nil
            }
            // Each is small, and so are the fields of a message: no overflow.
            count += inner + 1
        }
        return count
    }
}
