// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

// Measures scheduling; see benchmarks/scheduler, which builds and runs it.
//
//     scheduler-benchmark [WORKLOAD [NODES]]
//     scheduler-benchmark --cluster KUBECONFIG create|wait|delete WORKLOAD NODES PODS

let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.first == "--cluster" {
    guard arguments.count == 6, let nodes = Int(arguments[4]), let pods = Int(arguments[5]),
        let workload = Workload.named(arguments[3], nodes: nodes, pods: pods)
    else {
        print("usage: --cluster KUBECONFIG create|wait|delete WORKLOAD NODES PODS")
        exit(2)
    }
    try await ClusterRun(kubeconfig: arguments[1], workload).run(arguments[2])
} else {
    for workload in Workload.all
    where arguments.isEmpty || workload.name == arguments[0] {
        if arguments.count > 1, Int(arguments[1]) != workload.nodes { continue }
        CoreRun(workload).run()
    }
}
