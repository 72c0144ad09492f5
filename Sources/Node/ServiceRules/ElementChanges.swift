// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Elements of maps and sets that come and go in one change of the table.
struct ElementChanges {
    /// By name of the map or set.
    private var deleted: [String: [String]] = [:]
    private var added: [String: [String]] = [:]

    /// Puts what stands behind a key in the place of what stood there: only what differs changes.
    mutating func replace(
        _ collection: RuleFragment.Collection,
        _ key: String,
        _ old: RuleFragment.Element?,
        by new: RuleFragment.Element?
    ) {
        if old?.verdict != new?.verdict {
            if old != nil { self.deleted[collection.rawValue, default: []].append(key) }
            if let new {
                let text = new.verdict.text
                self.added[collection.rawValue, default: []].append(
                    text.isEmpty ? key : "\(key) : \(text)"
                )
            }
        }
        guard let map = collection.endpoints else { return }
        let (before, after) = (old?.count ?? 0, new?.count ?? 0)
        for index in 0..<max(before, after) {
            let was = index < before ? old?.places[index] : nil
            let place = index < after ? new?.places[index] : nil
            guard was != place else { continue }
            if was != nil { self.deleted[map, default: []].append("\(key) . \(index)") }
            if let place {
                self.added[map, default: []].append("\(key) . \(index) : \(place)")
            }
        }
    }

    func deletions(_ path: String) -> String { Self.commands("delete", path, self.deleted) }

    func additions(_ path: String) -> String { Self.commands("add", path, self.added) }

    private static func commands(
        _ verb: String,
        _ path: String,
        _ elements: [String: [String]]
    ) -> String {
        var text = ""
        for (name, list) in elements.sorted(by: { $0.key < $1.key }) {
            text += "\(verb) element \(path) \(name) { "
            text += "\(list.sorted().joined(separator: ", ")) }\n"
        }
        return text
    }
}
