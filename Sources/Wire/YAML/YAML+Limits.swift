// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension YAML {
    /// What a conversion may cost. Each number is the largest one allowed.
    public struct Limits: Sendable {
        /// Bytes of input. The default is the API server's limit for a request.
        public var bytes = 3 << 20
        /// Collections within one another, after aliases are replaced.
        public var depth = 512
        /// Collections in flow style within one another, unless the document is JSON: libyaml looks at
        /// each of them for each token.
        public var flowDepth = 100
        /// Nodes (scalars, collections and aliases) of the input.
        public var nodes = 1_000_000
        /// Bytes of output: aliases can make it larger than the input.
        public var outputBytes = 64 << 20
        /// `%TAG` directives: libyaml compares each one with all before it.
        public var tagDirectives = 64
        /// Bytes of all tags after `%TAG` prefixes are put in.
        public var tagBytes = 16 << 20

        /// No input is larger, whatever the limit: positions have 32 bits, and text can grow a little.
        static let largestInput = 1 << 30

        public init() {}

        func checkInput(_ count: Int) throws(YAMLError) {
            try self.check(.bytes, count, maximum: min(self.bytes, Limits.largestInput))
        }

        /// The name of a limit.
        public enum Name: String, Sendable {
            case bytes
            case depth
            case flowDepth = "flow collections within one another"
            case nodes
            case outputBytes = "bytes of output"
            case tagDirectives = "tag directives"
            case tagBytes = "bytes of tags"
        }

        func check(_ name: Name, _ count: Int, maximum: Int) throws(YAMLError) {
            guard count <= maximum else { throw .limit(name, maximum: maximum) }
        }
    }

    /// The share of nodes that may come out of aliases. Source: `decode.go` of goyaml, CVE-2019-11253.
    enum AliasLimits {
        /// Up to so many nodes out of aliases, there is no limit.
        static let freeAliasedNodes = 100
        /// Up to so many nodes in all, there is no limit.
        static let freeNodes = 1_000
        /// Up to so many nodes in all, 99% may come out of aliases.
        static let lowNodes = 400_000
        static let lowRatio = 0.99
        static let ratioDrop = 0.89
        /// From so many nodes on, 10% may come out of aliases; between the two, it goes down evenly.
        static let highNodes = 4_000_000
        static let highRatio = 0.10

        /// Whether a document is beyond the limit.
        static func isExceeded(nodes: Int, aliasedNodes: Int) -> Bool {
            guard aliasedNodes > self.freeAliasedNodes, nodes > self.freeNodes else { return false }
            return Double(aliasedNodes) / Double(nodes) > self.allowedRatio(nodes: nodes)
        }

        static func allowedRatio(nodes: Int) -> Double {
            if nodes <= self.lowNodes {
                return self.lowRatio
            }
            if nodes >= self.highNodes {
                return self.highRatio
            }
            let position = Double(nodes - self.lowNodes) / Double(self.highNodes - self.lowNodes)
            return self.lowRatio - self.ratioDrop * position
        }
    }
}
