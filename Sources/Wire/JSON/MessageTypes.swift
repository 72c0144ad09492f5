// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Protobuf

/// The types that a `google.protobuf.Any` may hold when it becomes JSON or comes from it.
///
/// Without one, the types of the message's own file and of the files it imports are known.
public struct MessageTypes: Sendable {
    private let files: [FileSchema]

    /// The types of these files and of those they import.
    public init(_ files: [FileSchema]) {
        self.files = files
    }

    /// The types of a pool.
    public init(_ pool: SchemaPool) {
        self.files = pool.files
    }

    /// The type that a URL such as `type.googleapis.com/google.protobuf.Duration` names: what
    /// stands behind the last slash.
    func message(url: String) -> MessageSchema? {
        guard let slash = url.lastIndex(of: "/") else { return nil }
        let name = String(url[url.index(after: slash)...])
        var waiting = self.files
        var seen: Set<ObjectIdentifier> = []
        while let file = waiting.popLast() {
            guard seen.insert(ObjectIdentifier(file)).inserted else { continue }
            if let found = file.message(name) { return found }
            waiting += file.dependencies
        }
        return nil
    }
}
