// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import Bytes
package import Selectors

/// Which objects of a resource a list or watch is about.
package struct WatchFilter: Sendable {
    /// What keys begin with: empty for all, `namespace/` for one namespace.
    package let prefix: Bytes
    /// The one key that is asked for, when there is one.
    package let key: Bytes?
    package let labels: LabelSelector
    private let fields: [FieldTerm]
    /// What a selected object's fields and labels are for certain: what indexes are asked for.
    let equalities: [(key: IndexKey, value: String)]
    /// The event's value that wakes the watcher; nil for every event.
    let trigger: Trigger?

    /// A condition on a selectable field.
    private struct FieldTerm: Sendable {
        enum Subject: Sendable {
            case name
            case namespace
            case field(Int)
        }
        var subject: Subject
        var value: String
        var isNegated: Bool
    }

    /// What an event is looked up by, among the watchers that wait for single objects.
    enum Trigger: Hashable, Sendable {
        case key(Bytes)
        case field(String)
        case namespace(Bytes)
        /// A label's value, with the prefix that keys must have.
        case label(Bytes, String, String)
    }

    /// A field that the resource does not let anybody select.
    package struct UnknownField: Error, Sendable {
        package let name: String
    }

    /// - Parameters:
    ///   - namespace: empty for all.
    ///   - isNamespaced: whether the resource's keys begin with a namespace.
    package init(
        namespace: String,
        isNamespaced: Bool,
        labels: LabelSelector,
        fields: FieldSelector,
        _ selectable: SelectableFields?
    ) throws(UnknownField) {
        var terms: [FieldTerm] = []
        var namespace = namespace
        var name: String?
        var trigger: Trigger?
        var equalities: [(key: IndexKey, value: String)] = []
        for term in fields.terms {
            let subject: FieldTerm.Subject
            switch term.field {
            case "metadata.name":
                subject = .name
                if !term.isNegated {
                    name = term.value
                    equalities.append((.name, term.value))
                }
            case "metadata.namespace" where isNamespaced:
                subject = .namespace
                if !term.isNegated, namespace.isEmpty { namespace = term.value }
            default:
                guard let index = selectable?.index(of: term.field) else {
                    throw UnknownField(name: term.field)
                }
                subject = .field(index)
                if !term.isNegated { equalities.append((.field(index), term.value)) }
                if index == selectable?.trigger, !term.isNegated { trigger = .field(term.value) }
            }
            terms.append(FieldTerm(subject: subject, value: term.value, isNegated: term.isNegated))
        }
        self.fields = terms
        self.labels = labels
        let values = labels.requirements.compactMap { requirement in
            requirement.requiredValue.map { (requirement.key, $0) }
        }
        self.equalities = equalities + values.map { (.label($0.0), $0.1) }
        self.prefix = isNamespaced && !namespace.isEmpty ? Bytes(utf8: namespace + "/") : Bytes()
        if let name, !isNamespaced || !namespace.isEmpty {
            let key = Bytes(utf8: isNamespaced ? "\(namespace)/\(name)" : name)
            self.key = key
            trigger = .key(key)
        } else {
            self.key = nil
            if trigger == nil, let label = values.first {
                trigger = .label(self.prefix, label.0, label.1)
            }
            if trigger == nil, self.prefix.count > 0 { trigger = .namespace(self.prefix) }
        }
        self.trigger = trigger
    }

    /// Whether the filter selects by anything but namespace and name.
    package var hasSelectors: Bool { !self.labels.isEmpty || !self.fields.isEmpty }

    /// Whether an object is asked for.
    package func matches(_ object: CachedObject) -> Bool {
        if self.prefix.count > 0 {
            let isWithin = object.withKey { key in
                key.count >= self.prefix.count
                    && self.prefix.withUnsafeBytes { prefix in
                        compareBytes(.init(rebasing: key[..<prefix.count]), prefix) == 0
                    }
            }
            guard isWithin else { return false }
        }
        return self.matchesSelectors(object)
    }

    /// Whether the selectors match an object of the right namespace.
    package func matchesSelectors(_ object: CachedObject) -> Bool {
        for term in self.fields {
            let isEqual =
                switch term.subject {
                case .name: object.name == term.value
                case .namespace: object.namespace == term.value
                case .field(let index): object.field(index) == term.value
                }
            guard isEqual != term.isNegated else { return false }
        }
        return self.labels.isEmpty || self.labels.matches(object)
    }

    /// What a watcher with this filter is told of an event: nothing when neither the object before
    /// nor after it is selected, an addition when it has just become so, a deletion when it no
    /// longer is.
    func view(of event: CacheEvent) -> CacheEvent.Kind? {
        let isNow = event.kind != .deleted && self.matches(event.object)
        let was = event.previous.map(self.matches) ?? false
        switch (was, isNow) {
        case (false, false): return nil
        case (false, true): return .added
        case (true, true): return .modified
        case (true, false): return .deleted
        }
    }
}
