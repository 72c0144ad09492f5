// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

@testable import ServiceRules

/// Walks a packet through the rules of a Service as nftables would, taking every random choice.
struct PacketWalk {
    /// What can become of a packet.
    enum Outcome: Hashable, CustomStringConvertible {
        case sent(to: String, masqueraded: Bool)
        case dropped
        case refused
        /// No rule took it.
        case passed

        var description: String {
            switch self {
            case .sent(let place, let masqueraded): "\(place)\(masqueraded ? " masqueraded" : "")"
            case .dropped: "dropped"
            case .refused: "refused"
            case .passed: "passed"
            }
        }
    }

    let fragment: RuleFragment
    let context: RuleContext
    /// The packet's source.
    let source: String
    /// Whether it comes from this node itself.
    var isFromNode = false

    /// By an address.
    func outcomes(address: String, transport: String = "tcp", port: UInt16 = 80) -> Set<Outcome> {
        let key = "\(address) . \(transport) . \(port)"
        return self.outcomes([.services, .refused], key)
    }

    /// By a port of the node.
    func outcomes(nodePort: UInt16, transport: String = "tcp") -> Set<Outcome> {
        self.outcomes([.nodePorts, .refusedNodePorts], "\(transport) . \(nodePort)")
    }

    private func outcomes(
        _ collections: [RuleFragment.Collection],
        _ key: String
    ) -> Set<Outcome> {
        for collection in collections {
            guard let element = self.fragment.elements[collection]?[key] else { continue }
            // A shared chain finds what the map of endpoints has.
            let places = Array(element.places.prefix(element.count))
            let outcomes = self.follow(element.verdict.text, places, false)
            // What is sent nowhere meets the filters.
            if outcomes != [.passed] { return outcomes }
        }
        return [.passed]
    }

    private func follow(
        _ verdict: String,
        _ places: [String],
        _ isMarked: Bool
    ) -> Set<Outcome> {
        if verdict == "drop" { return [.dropped] }
        guard verdict.hasPrefix("goto ") else { return [.passed] }
        let chain = String(verdict.dropFirst(5))
        if chain == "refuse" { return [.refused] }
        if let rules = self.fragment.chains[chain] { return self.walk(rules, places, isMarked) }
        let words = chain.split(separator: "-")
        guard words.count == 2, let count = Int(words[1]), count == places.count,
            let entrance = SharedChain.Entrance(rawValue: String(words[0]))
        else { return [.passed] }
        let isForeign = !self.context.clusterRange.isEmpty && !self.isInCluster
        let isMasqueraded = isMarked || entrance != .inner || isForeign
        return Set(places.map { .sent(to: $0, masqueraded: isMasqueraded) })
    }

    private var isInCluster: Bool { self.matches(self.context.clusterRange) }

    /// Whether the source is in a range: of whole bytes, which is enough here.
    private func matches(_ range: String) -> Bool {
        let parts = range.split(separator: "/")
        guard let bits = parts.last.flatMap({ Int($0) }), let base = parts.first else {
            return false
        }
        let octets = self.source.split(separator: ".").prefix(bits / 8)
        return base.split(separator: ".").prefix(bits / 8).elementsEqual(octets)
    }

    private func walk(
        _ rules: [String],
        _ places: [String],
        _ marked: Bool
    ) -> Set<Outcome> {
        var isMarked = marked
        var found: Set<Outcome> = []
        for rule in rules {
            var words = rule.split(separator: " ").map(String.init)
            // Conditions, from the left.
            if words.starts(with: ["ip", "saddr"]) {
                if words[2].hasPrefix("@") {
                    // It may be a known client or not.
                    found.formUnion(self.follow(Self.rest(words, 3), places, isMarked))
                    continue
                }
                if words[2] == "{" {
                    guard let end = words.firstIndex(of: "}") else { return [.passed] }
                    let ranges = words[3..<end].map { $0.filter { $0 != "," } }
                    guard ranges.contains(where: self.matches) else { continue }
                    words.removeFirst(end + 1)
                } else if words[2] == "!=" {
                    guard !self.matches(words[3]) else { continue }
                    words.removeFirst(4)
                } else {
                    guard self.matches(words[2]) else { continue }
                    words.removeFirst(3)
                }
            } else if words.starts(with: ["fib", "saddr", "type", "local"]) {
                guard self.isFromNode else { continue }
                words.removeFirst(4)
            }
            let action = words.joined(separator: " ")
            if action == "jump mark-for-masquerade" {
                isMarked = true
            } else if action.hasPrefix("goto ") || action == "drop" {
                return found.union(self.follow(action, places, isMarked))
            } else if let index = words.firstIndex(of: "vmap") {
                for choice in Self.rest(words, index + 2).split(separator: ",") {
                    guard let colon = choice.firstIndex(of: ":") else { continue }
                    let verdict = choice[choice.index(colon, offsetBy: 2)...].prefix { $0 != "}" }
                    let text = String(verdict.split(separator: " ").joined(separator: " "))
                    found.formUnion(self.follow(text, places, isMarked))
                }
                return found
            } else if words.contains("dnat") {
                return found.union(
                    Self.destinations(words).map { .sent(to: $0, masqueraded: isMarked) }
                )
            }
        }
        return found.isEmpty ? [.passed] : found
    }

    private static func rest(_ words: [String], _ start: Int) -> String {
        words.dropFirst(start).joined(separator: " ")
    }

    /// `... to 10.0.0.1:80` or `... map { 0 : 10.0.0.1 . 80, 1 : 10.0.0.2 . 80 }`.
    private static func destinations(_ words: [String]) -> [String] {
        guard let map = words.firstIndex(of: "map") else {
            return [words.last.map { $0.split(separator: ":").joined(separator: " . ") } ?? ""]
        }
        return self.rest(words, map + 2).split(separator: ",").map { choice in
            choice.split(separator: " ").filter { $0 != "}" }.dropFirst(2).joined(separator: " ")
        }
    }
}
