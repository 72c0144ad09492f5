// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension RuleTable {
    /// Moves a Service's keys of one map from its old fragment to the new one.
    mutating func change(
        _ service: String,
        _ collection: RuleFragment.Collection,
        _ old: RuleFragment,
        _ new: RuleFragment,
        _ changes: inout ElementChanges
    ) {
        let before = old.elements[collection] ?? [:]
        let after = new.elements[collection] ?? [:]
        for (key, element) in before {
            guard self.owners[collection]?[key] == service else {
                if after[key] == nil { self.rivals[collection]?[key]?.remove(service) }
                continue
            }
            if let next = after[key] {
                changes.replace(collection, key, element, by: next)
                continue
            }
            // What another Service claims too is its from now on.
            let heir = self.rivals[collection]?[key]?.min()
            self.owners[collection]?[key] = heir
            if let heir { self.rivals[collection]?[key]?.remove(heir) }
            if self.rivals[collection]?[key]?.isEmpty ?? false {
                self.rivals[collection]?[key] = nil
            }
            let inherited = heir.flatMap { self.fragments[$0]?.elements[collection]?[key] }
            changes.replace(collection, key, element, by: inherited)
        }
        for (key, element) in after where before[key] == nil {
            if self.owners[collection]?[key] == nil {
                self.owners[collection, default: [:]][key] = service
                changes.replace(collection, key, nil, by: element)
            } else {
                self.rivals[collection, default: [:]][key, default: []].insert(service)
            }
        }
    }

    /// Chains and sets of a fragment that the kernel has not, or has otherwise.
    func additions(
        _ new: RuleFragment,
        besides old: RuleFragment = RuleFragment()
    ) -> String {
        var text = ""
        for (name, seconds) in new.affinitySets.sorted(by: { $0.key < $1.key })
        where old.affinitySets[name] == nil {
            text += "add set \(self.path) \(name) { type \(self.family.addressType); "
            text += "flags dynamic,timeout; timeout \(seconds)s; }\n"
        }
        let changed = new.chains.filter { old.chains[$0.key] != $0.value }.sorted {
            $0.key < $1.key
        }
        // All chains first: they point at one another.
        for (name, _) in changed where old.chains[name] == nil {
            text += "add chain \(self.path) \(name)\n"
        }
        for (name, rules) in changed {
            if old.chains[name] != nil { text += "flush chain \(self.path) \(name)\n" }
            for rule in rules { text += "add rule \(self.path) \(name) \(rule)\n" }
        }
        return text
    }

    func removals(_ old: RuleFragment, besides new: RuleFragment) -> String {
        var text = ""
        let chains = old.chains.keys.filter { new.chains[$0] == nil }.sorted()
        // Flushed first: they point at one another.
        for name in chains { text += "flush chain \(self.path) \(name)\n" }
        for name in chains { text += "delete chain \(self.path) \(name)\n" }
        for name in old.affinitySets.keys.sorted() where new.affinitySets[name] == nil {
            text += "delete set \(self.path) \(name)\n"
        }
        return text
    }
}
