// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import KubernetesAPI
import ObjectModel
import Protobuf
import RPCInterface
import Registry
import Scalars
import Synchronization

/// Measures what nodes and pods use, when somebody asks: the rates are those since the question
/// before, or over one second when that was long ago. Nothing runs while nobody asks.
final class NodeUsage: Sendable {
    /// Rates are not taken over less.
    private static let minimumWindow: Duration = .seconds(1)
    /// Older samples say nothing of the present.
    private static let maximumWindow: Duration = .seconds(60)
    /// Nodes that are asked at once.
    private static let concurrency = 32
    private static let timeout: Duration = .seconds(10)

    private struct Known {
        var sample: UsageSample
        var window: UsageWindow?
    }

    private let nodes: NodeConnections
    private let known = Mutex<[String: Known]>([:])
    private let start = ContinuousClock.now

    init(nodes: NodeConnections) {
        self.nodes = nodes
    }

    /// The use of nodes; those that do not answer are left out.
    func windows(of names: Set<String>) async -> [String: UsageWindow] {
        await withTaskGroup(of: (String, UsageWindow?).self) { group in
            var result: [String: UsageWindow] = [:]
            for (index, name) in names.enumerated() {
                if index >= Self.concurrency, let (name, window) = await group.next() {
                    result[name] = window
                }
                group.addTask { (name, await self.window(of: name)) }
            }
            for await (name, window) in group { result[name] = window }
            return result
        }
    }

    private func window(of name: String) async -> UsageWindow? {
        let now = ContinuousClock.now - self.start
        var before = self.known.withLock { $0[name] }
        if let known = before, let window = known.window,
            now - known.sample.uptime < Self.minimumWindow
        {
            return window
        }
        if before.map({ now - $0.sample.uptime > Self.maximumWindow }) ?? true {
            guard let sample = await self.sample(name) else { return self.forget(name) }
            before = Known(sample: sample)
            self.known.withLock { $0[name] = before }
        }
        guard let before else { return nil }
        let age = ContinuousClock.now - self.start - before.sample.uptime
        if age < Self.minimumWindow { try? await Task.sleep(for: Self.minimumWindow - age) }
        guard let after = await self.sample(name) else { return self.forget(name) }
        let window = UsageWindow(from: before.sample, to: after)
        self.known.withLock { $0[name] = Known(sample: after, window: window) }
        return window
    }

    private func forget(_ name: String) -> UsageWindow? {
        self.known.withLock { $0[name] = nil }
        return nil
    }

    private func sample(_ name: String) async -> UsageSample? {
        guard let client = try? self.nodes.client(node: name) else { return nil }
        let request = ApusNode.StatsRequest.with { $0.onlyCpuAndMemory = true }
        let options = CallOptions(timeout: Self.timeout, maxResponseMessageBytes: 16 << 20)
        guard let answer = try? await client.stats(request, options: options) else { return nil }
        return UsageSample(
            answer.summary ?? ApusNode.Summary(),
            time: .current(),
            uptime: ContinuousClock.now - self.start
        )
    }
}
