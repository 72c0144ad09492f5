// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import KubernetesAPI
import Protobuf
import Scheduler

/// How many pods a second the scheduler's core decides about, on one thread: from the pod as it
/// comes from the API server to the decision, and the same pod seen again with its node.
struct CoreRun {
    let workload: Workload

    init(_ workload: Workload) {
        self.workload = workload
    }

    func run() {
        let core = SchedulerCore(seed: 1)
        for number in 0..<self.workload.nodes {
            core.setNode(self.workload.node(number), now: .zero)
        }
        for node in 0..<self.workload.nodes {
            for number in 0..<self.workload.running {
                core.setPod(self.workload.old(node, number), now: .zero)
            }
        }
        var confirmed: [CoreV1.Pod] = []
        confirmed.reserveCapacity(self.workload.pods)
        let pods = (0..<self.workload.pods).map(self.workload.pod)
        var bound = 0
        var nominated = 0
        let start = Self.processorSeconds()
        for pod in pods { core.setPod(pod, now: .zero) }
        while let decision = core.decide(now: .zero) {
            switch decision {
            case .bind(let info, let node, _):
                bound += 1
                var pod = info.pod
                pod.spec.nodeName = node
                confirmed.append(pod)
            case .unschedulable(let refused):
                nominated += refused.victims.isEmpty ? 0 : 1
            }
        }
        for pod in confirmed { core.setPod(pod, now: .zero) }
        let time = Self.processorSeconds() - start
        let count = self.workload.pods
        print(
            "\(self.workload.name), \(self.workload.nodes) nodes, \(count) pods: "
                + "\(Int(Double(count) / time)) pods/s, \(Int(time * 1e6 / Double(count))) µs each; "
                + "\(bound) bound, \(nominated) with victims"
        )
    }

    /// The processor time of this process.
    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
