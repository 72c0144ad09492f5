// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import JSON
import Processes

/// What `apus status` shows: the state that the supervisor wrote, held against the processes there
/// are.
public struct ClusterStatus: Sendable {
    public struct Row: Sendable, Hashable {
        public var name: String
        public var state: String
        public var processID: Int32
        public var residentBytes: Int
        public var processorTime: Duration
        public var uptimeSeconds: Int64
        public var restarts: Int
        public var address: String
        public var lastExit: String
    }

    /// Whether the supervisor runs.
    public let isSupervised: Bool
    public let rows: [Row]

    /// Whether the cluster is up and everything in it works.
    public var isHealthy: Bool {
        self.isSupervised && !self.rows.isEmpty && self.rows.allSatisfy { $0.state == "ready" }
    }

    /// - Parameter now: seconds since 1970.
    public init(_ state: ClusterState?, now: Int64) {
        guard let state else {
            self.isSupervised = false
            self.rows = []
            return
        }
        self.isSupervised = kill(state.supervisor, 0) == 0 || errno == EPERM
        self.rows = state.components.map { entry in
            let found = ProcessStatistics(processID: entry.processID)
            // Another process may have got the number since.
            let process =
                found?.startTicks == entry.startTicks && found?.isZombie == false ? found : nil
            let state =
                switch (process, entry.state) {
                case (nil, "running"): "gone"
                case (_, "running"): entry.isReady ? "ready" : "starting"
                case (_, let word): word
                }
            return Row(
                name: entry.name,
                state: state,
                processID: process == nil ? 0 : entry.processID,
                residentBytes: process?.residentBytes ?? 0,
                processorTime: process?.processorTime ?? .zero,
                uptimeSeconds: process == nil ? 0 : max(now - entry.startedAt, 0),
                restarts: entry.restarts,
                address: entry.address,
                lastExit: entry.lastExit
            )
        }
    }

    /// Reads the state of the cluster in a data directory.
    public static func read(_ layout: ClusterLayout) throws(FileError) -> ClusterStatus {
        let state = try ClusterFile.read(layout.state).flatMap(ClusterState.init(json:))
        return ClusterStatus(state, now: Int64(time(nil)))
    }
}

// MARK: - For people and programs

extension ClusterStatus {
    /// A table, a line a component.
    public var table: String {
        var cells = [
            ["COMPONENT", "STATE", "PID", "MEMORY", "CPU", "UPTIME", "RESTARTS", "ADDRESS"]
        ]
        for row in self.rows {
            let runs = row.processID != 0
            cells.append([
                row.name, row.state, runs ? "\(row.processID)" : "-",
                runs ? "\(row.residentBytes >> 20)Mi" : "-",
                runs ? Self.seconds(row.processorTime) : "-",
                runs ? Self.age(row.uptimeSeconds) : "-",
                row.restarts == 0 ? "0" : "\(row.restarts) (\(row.lastExit))",
                row.address,
            ])
        }
        let widths = (0..<8).map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.map { line in
            let padded = zip(line, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
            }
            var text = padded.joined(separator: "   ")
            while text.last == " " { text.removeLast() }
            return text + "\n"
        }.joined()
    }

    /// The same as JSON.
    public var json: [UInt8] {
        let rows = self.rows.map { row -> DynamicValue in
            [
                "name": DynamicValue(row.name),
                "state": DynamicValue(row.state),
                "pid": DynamicValue(Int(row.processID)),
                "memoryBytes": DynamicValue(row.residentBytes),
                "cpuMilliseconds": DynamicValue(Self.milliseconds(row.processorTime)),
                "uptimeSeconds": DynamicValue(row.uptimeSeconds),
                "restarts": DynamicValue(row.restarts),
                "lastExit": DynamicValue(row.lastExit),
                "address": DynamicValue(row.address),
            ]
        }
        let tree: DynamicValue = [
            "supervised": DynamicValue(self.isSupervised),
            "healthy": DynamicValue(self.isHealthy),
            "components": DynamicValue(rows),
        ]
        return tree.json()
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }

    /// `12.3s`
    private static func seconds(_ duration: Duration) -> String {
        let tenths = self.milliseconds(duration) / 100
        return "\(tenths / 10).\(tenths % 10)s"
    }

    /// `45s`, `12m`, `3h`, `2d`
    static func age(_ seconds: Int64) -> String {
        switch seconds {
        case ..<120: "\(seconds)s"
        case ..<7200: "\(seconds / 60)m"
        case ..<172_800: "\(seconds / 3600)h"
        default: "\(seconds / 86_400)d"
        }
    }
}
