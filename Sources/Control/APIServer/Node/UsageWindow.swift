// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import KubernetesAPI
import Protobuf
import Scalars

/// What a node said of its use at one time.
struct UsageSample: Sendable {
    /// Counters of a node or of a container.
    struct Use: Sendable, Equatable {
        /// Since when the container runs, in seconds since 1970.
        var start: Int64
        var cpuNanoseconds: UInt64
        var memoryBytes: UInt64
    }

    /// A container of a pod.
    struct Container: Hashable, Sendable {
        var pod: String
        var name: String
    }

    var time: Timestamp
    /// On a clock that never runs back.
    var uptime: Duration
    var node: Use?
    var containers: [Container: Use] = [:]

    init(time: Timestamp, uptime: Duration) {
        self.time = time
        self.uptime = uptime
    }

    init(_ summary: ApusNode.Summary, time: Timestamp, uptime: Duration) {
        self.init(time: time, uptime: uptime)
        self.node = Self.use(summary.node.startTime, summary.node.cpu, summary.node.memory)
        for pod in summary.pods {
            let key = "\(pod.podRef.namespace)/\(pod.podRef.name)"
            for container in pod.containers {
                self.containers[Container(pod: key, name: container.name)] = Self.use(
                    container.startTime,
                    container.cpu,
                    container.memory
                )
            }
        }
    }

    private static func use(
        _ start: MetaV1.Time,
        _ cpu: ApusNode.CPUStats?,
        _ memory: ApusNode.MemoryStats?
    ) -> Use? {
        guard let nanoseconds = cpu?.usageCoreNanoSeconds, let bytes = memory?.workingSetBytes
        else { return nil }
        return Use(
            start: start.timestamp?.seconds ?? 0,
            cpuNanoseconds: nanoseconds,
            memoryBytes: bytes
        )
    }
}

/// Use of a node and its containers between two samples: processors on average, memory at the end.
struct UsageWindow: Sendable {
    struct Rate: Sendable, Equatable {
        var nanocores: Int64
        var memoryBytes: Int64
    }

    let end: Timestamp
    let length: Duration
    let node: Rate?
    /// By pod, `namespace/name`, and container.
    let pods: [String: [String: Rate]]

    /// What lies between `before` and `after`. Containers that began anew in between are left out: there
    /// is nothing to compare with.
    init(from before: UsageSample, to after: UsageSample) {
        let length = after.uptime - before.uptime
        self.end = after.time
        self.length = length
        self.node = Self.rate(before.node, after.node, length)
        var pods: [String: [String: Rate]] = [:]
        for (key, use) in after.containers {
            pods[key.pod, default: [:]][key.name] = Self.rate(
                before.containers[key],
                use,
                length
            )
        }
        // A pod is told of as a whole or not at all.
        for key in after.containers.keys where pods[key.pod]?[key.name] == nil {
            pods[key.pod] = nil
        }
        self.pods = pods
    }

    private static func rate(
        _ before: UsageSample.Use?,
        _ after: UsageSample.Use?,
        _ length: Duration
    ) -> Rate? {
        guard let before, let after, before.start == after.start, length > .zero,
            after.cpuNanoseconds >= before.cpuNanoseconds
        else { return nil }
        let used = Double(after.cpuNanoseconds - before.cpuNanoseconds)
        return Rate(
            nanocores: Int64(used / (length / .seconds(1))),
            memoryBytes: Int64(clamping: after.memoryBytes)
        )
    }
}
