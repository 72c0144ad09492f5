// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Scheduler

// How many pods a second the scheduler's core decides about, on one thread, from the pod as it comes
// from the API server to the decision. Run it built for release, with the name of a workload to run
// only that one.

let clock = ContinuousClock()
let wanted = CommandLine.arguments.dropFirst().joined(separator: " ")

for workload in Workload.all where wanted.isEmpty || workload.name == wanted {
    let core = SchedulerCore(seed: 1)
    for number in 0..<workload.nodes { core.setNode(workload.node(number), now: .zero) }
    for node in 0..<workload.nodes {
        for number in 0..<workload.running { core.setPod(workload.old(node, number), now: .zero) }
    }
    let pods = (0..<workload.pods).map(workload.pod)
    var bound = 0
    var nominated = 0
    let elapsed = clock.measure {
        for pod in pods { core.setPod(pod, now: .zero) }
        while let decision = core.decide(now: .zero) {
            switch decision {
            case .bind: bound += 1
            case .unschedulable(let refused): nominated += refused.victims.isEmpty ? 0 : 1
            }
        }
    }
    let (seconds, attoseconds) = elapsed.components
    let time = Double(seconds) + Double(attoseconds) / 1e18
    let rate = Int(Double(workload.pods) / time)
    let each = Int(time * 1e6 / Double(workload.pods))
    print(
        "\(workload.name), \(workload.nodes) nodes, \(workload.pods) pods: \(rate) pods/s, "
            + "\(each) µs each; \(bound) bound, \(nominated) with victims"
    )
}
