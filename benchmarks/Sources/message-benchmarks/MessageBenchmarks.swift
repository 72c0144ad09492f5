// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Foundation
import JSON
import KubernetesAPI
import Protobuf
import SwiftProtobuf
import SwiftProtobufMessages

/// The measurements of messages: binary against swift-protobuf, JSON against Foundation and CPython.
struct MessageBenchmarks {
    let samples: Samples
    let measurement: Measurement

    /// What the project promises.
    enum Goal {
        static let binaryRatio = 3.0
        static let allocationRatio = 3.0
        static let jsonNanoseconds = 8000.0
        static let jsonRatio = 8.0
        static let treeRatio = 1.5
    }

    // MARK: - Binary

    func runBinary() throws {
        Report.heading(
            "Binary form, against swift-protobuf 1.39.0",
            columns: [
                "message", "bytes", "operation", "ours", "peer", "ratio", "allocations", "peer's",
                "ratio", "goal",
            ]
        )
        try self.compare("Pod", self.samples.pod, CoreV1Pod.self)
        try self.compare("Node", self.samples.node, CoreV1Node.self)
        try self.compare(
            "EndpointSlice, \(Samples.endpointCount) endpoints",
            self.samples.endpointSlice,
            DiscoveryV1EndpointSlice.self
        )
        try self.compare(
            "PodList, \(Samples.podCount) Pods",
            self.samples.podList,
            CoreV1PodList.self
        )
    }

    private func compare<Ours: Protobuf.Message, Peer: SwiftProtobuf.Message>(
        _ name: String,
        _ message: Ours,
        _ peerType: Peer.Type
    ) throws {
        let bytes = message.serialized()
        let data = Data(bytes)
        let peer = try Peer(serializedBytes: data)
        // Both must say the same, or the comparison says nothing.
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        let back = try Ours(serialized: try peer.serializedBytes(options: options) as [UInt8])
        precondition(back == message, "\(name): the peer's message differs")

        let decoding = try self.measurement.compare([
            { try Ours(serialized: bytes).storage.weight },
            { try Peer(serializedBytes: data).isInitialized ? 1 : 0 },
        ])
        self.report(name, bytes.count, "decode", decoding)
        let encoding = try self.measurement.compare([
            { message.serialized().count },
            { (try peer.serializedBytes() as [UInt8]).count },
        ])
        self.report(name, bytes.count, "encode", encoding)
    }

    private func report(_ name: String, _ byteCount: Int, _ operation: String, _ costs: [Cost]) {
        let ratio = costs[1].nanoseconds / costs[0].nanoseconds
        let ours = costs[0].allocations ?? 0
        let peers = costs[1].allocations ?? 0
        let isMet = ratio >= Goal.binaryRatio && ours * Goal.allocationRatio <= peers
        Report.row([
            name, "\(byteCount)", operation,
            Report.time(costs[0].nanoseconds), Report.time(costs[1].nanoseconds),
            Report.ratio(ratio),
            Report.count(ours), Report.count(peers), Report.ratio(peers / Swift.max(ours, 1)),
            Report.verdict(isMet),
        ])
    }

    // MARK: - JSON

    func runJSON(fixture: String) throws {
        Report.heading(
            "JSON of the Pod, \(self.samples.podJSON.count) bytes",
            columns: ["codec", "decode", "encode", "allocations", "ours is faster by"]
        )
        let text = self.samples.podJSON
        let data = Data(text)
        let pod = self.samples.pod
        let tree = try DynamicValue(json: text)
        let decoder = JSONDecoder()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        let codable = try decoder.decode(CodablePod.self, from: data)

        let decoding = try self.measurement.compare([
            { try CoreV1.Pod(json: text).storage.weight },
            { try DynamicValue(json: text).count },
            { try decoder.decode(CodablePod.self, from: data).spec.containers.count },
        ])
        let encoding = try self.measurement.compare([
            { try pod.json().count },
            { tree.json().count },
            { try encoder.encode(codable).count },
        ])
        let names = ["ours, typed", "ours, tree", "Foundation"]
        for (index, name) in names.enumerated() {
            self.report(name, decoding[index], encoding[index], than: decoding[0], encoding[0])
        }
        let python = try PythonJSON(fixture: fixture, rounds: self.measurement.rounds)
        if let python {
            self.report(
                "CPython \(python.version)",
                Cost(nanoseconds: python.decoding, allocations: nil),
                Cost(nanoseconds: python.encoding, allocations: nil),
                than: decoding[0],
                encoding[0]
            )
        }

        Report.heading("JSON goals", columns: ["goal", "decode", "encode"])
        func goal(_ name: String, _ isMet: ([Cost], Double?) -> Bool) {
            Report.row([
                name,
                Report.verdict(isMet(decoding, python?.decoding)),
                Report.verdict(isMet(encoding, python?.encoding)),
            ])
        }
        goal("at most 8 µs") { costs, _ in costs[0].nanoseconds <= Goal.jsonNanoseconds }
        goal("8 times faster than Foundation") { costs, _ in
            costs[2].nanoseconds >= costs[0].nanoseconds * Goal.jsonRatio
        }
        goal("faster than CPython") { costs, python in
            python.map { $0 > costs[0].nanoseconds } ?? false
        }
        goal("tree at most 1.5 times typed") { costs, _ in
            costs[1].nanoseconds <= costs[0].nanoseconds * Goal.treeRatio
        }
    }

    private func report(
        _ name: String,
        _ decoding: Cost,
        _ encoding: Cost,
        than ourDecoding: Cost,
        _ ourEncoding: Cost
    ) {
        let allocations =
            "\(Report.count(decoding.allocations)), \(Report.count(encoding.allocations))"
        let decodingRatio = Report.ratio(decoding.nanoseconds / ourDecoding.nanoseconds)
        let encodingRatio = Report.ratio(encoding.nanoseconds / ourEncoding.nanoseconds)
        Report.row([
            name, Report.time(decoding.nanoseconds), Report.time(encoding.nanoseconds),
            allocations, "\(decodingRatio), \(encodingRatio)",
        ])
    }

    // MARK: - Trees and changes

    func runTrees() throws {
        Report.heading("Values", columns: ["operation on the Pod", "time", "allocations"])
        let pod = self.samples.pod
        let tree = try DynamicValue(json: self.samples.podJSON)
        let operations: [(String, Operation)] = [
            ("binary encode into a reused buffer", { pod.withSerializedBytes { $0.count } }),
            ("tree from message", { try DynamicValue(pod).count }),
            ("message from tree", { try tree.message(as: CoreV1.Pod.self).storage.weight }),
            (
                "copy a message and change one field",
                {
                    var copy = pod
                    copy.spec.nodeName = "node-18"
                    return copy.storage.weight
                }
            ),
            (
                "copy a tree and change one field",
                {
                    var copy = tree
                    copy["spec"]?["nodeName"] = "node-18"
                    return copy.count
                }
            ),
        ]
        let costs = try self.measurement.compare(operations.map(\.1))
        for (operation, cost) in zip(operations, costs) {
            Report.row([
                operation.0, Report.time(cost.nanoseconds), Report.count(cost.allocations),
            ])
        }
    }

    // MARK: - Profiling

    /// Runs one operation for five seconds; false when there is none of that name.
    func loop(_ name: String) throws -> Bool {
        let pod = self.samples.pod
        let text = self.samples.podJSON
        let bytes = pod.serialized()
        let tree = try DynamicValue(json: text)
        let operations: [String: Operation] = [
            "binary-decode": { try CoreV1.Pod(serialized: bytes).storage.weight },
            "binary-encode": { pod.serialized().count },
            "json-decode": { try CoreV1.Pod(json: text).storage.weight },
            "json-encode": { try pod.json().count },
            "tree-decode": { try DynamicValue(json: text).count },
            "tree-encode": { tree.json().count },
        ]
        guard let operation = operations[name] else { return false }
        let end = Date().addingTimeInterval(5)
        while Date() < end {
            for _ in 0..<1000 { Measurement.sink &+= try operation() }
        }
        return true
    }
}

extension MessageStorage {
    /// A number that is known only when the message has been made.
    fileprivate var weight: Int { 1 }
}
