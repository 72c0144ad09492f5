// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON

/// What a supervisor writes down about its components, for `apus status` and for the next start.
public struct ClusterState: Sendable, Hashable {
    public struct Entry: Sendable, Hashable {
        public var name: String
        public var state: String
        public var processID: Int32
        /// With the number it names one process for ever.
        public var startTicks: UInt64
        public var restarts: Int
        /// Seconds since 1970.
        public var startedAt: Int64
        public var isReady: Bool
        public var address: String
        /// How the process before this one ended; empty for none.
        public var lastExit: String
    }

    /// The supervisor's own process.
    public var supervisor: Int32
    public var components: [Entry]

    public init(supervisor: Int32, components: [Entry]) {
        self.supervisor = supervisor
        self.components = components
    }

    /// Whether all components work.
    public var isReady: Bool { self.components.allSatisfy(\.isReady) }

    // MARK: - The file

    public init?(json text: [UInt8]) {
        guard let tree = try? DynamicValue(json: text),
            let supervisor = tree["supervisor"]?.integer.flatMap({ Int32(exactly: $0) }),
            let list = tree["components"]
        else { return nil }
        self.supervisor = supervisor
        self.components = []
        for item in list.items {
            guard let entry = Entry(item) else { return nil }
            self.components.append(entry)
        }
    }

    public var json: [UInt8] {
        let tree: DynamicValue = [
            "supervisor": DynamicValue(Int(self.supervisor)),
            "components": DynamicValue(self.components.map(\.tree)),
        ]
        return tree.json()
    }
}

extension ClusterState.Entry {
    fileprivate init?(_ tree: DynamicValue) {
        guard let name = tree["name"]?.string, let state = tree["state"]?.string,
            let processID = tree["pid"]?.integer.flatMap({ Int32(exactly: $0) }),
            let ticks = tree["startTicks"]?.integer, let restarts = tree["restarts"]?.integer,
            let startedAt = tree["startedAt"]?.integer, let isReady = tree["ready"]?.bool
        else { return nil }
        self.name = name
        self.state = state
        self.processID = processID
        self.startTicks = UInt64(clamping: ticks)
        self.restarts = Int(restarts)
        self.startedAt = startedAt
        self.isReady = isReady
        self.address = tree["address"]?.string ?? ""
        self.lastExit = tree["lastExit"]?.string ?? ""
    }

    fileprivate var tree: DynamicValue {
        [
            "name": DynamicValue(self.name),
            "state": DynamicValue(self.state),
            "pid": DynamicValue(Int(self.processID)),
            "startTicks": DynamicValue(Int64(clamping: self.startTicks)),
            "restarts": DynamicValue(self.restarts),
            "startedAt": DynamicValue(self.startedAt),
            "ready": DynamicValue(self.isReady),
            "address": DynamicValue(self.address),
            "lastExit": DynamicValue(self.lastExit),
        ]
    }
}
