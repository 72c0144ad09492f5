// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ControllerManager
import Testing

@Suite("ControllerSelection")
struct ControllerSelectionTests {
    @Test(
        "which controllers --controllers runs",
        arguments: [
            (["*"], "job-controller", true), (["*"], "token-cleaner-controller", false),
            (["*"], "bootstrap-signer-controller", false),
            (["*", "token-cleaner-controller"], "token-cleaner-controller", true),
            (["*", "tokencleaner"], "token-cleaner-controller", true),
            (["*", "bootstrapsigner"], "bootstrap-signer-controller", true),
            (["*", "-job-controller"], "job-controller", false),
            (["*", "-job"], "job-controller", false),
            (["-job", "*"], "job-controller", false), (["job"], "job-controller", true),
            (["job"], "cronjob-controller", false), (["-job"], "cronjob-controller", false),
            (["job", "-job"], "job-controller", true), ([], "job-controller", false),
            (["*", "-ttl"], "ttl-controller", false),
            (["*", "-ttl"], "ttl-after-finished-controller", true),
            (["*", "-endpointslicemirroring"], "endpointslice-mirroring-controller", false),
            (["*", "-endpointslice"], "endpointslice-mirroring-controller", true),
            (["*", "-nodeipam"], "node-ipam-controller", false),
            (["*", "-garbagecollector"], "garbage-collector-controller", false),
        ]
    )
    func selects(_ entries: [String], _ name: String, _ isIncluded: Bool) {
        #expect(ControllerSelection(entries).includes(name) == isIncluded)
    }

    @Test(
        "a name that nobody knows is refused",
        arguments: [
            (["*"], nil), (["*", "-job", "-horizontal-pod-autoscaler-controller"], nil),
            (["attachdetach", "-service"], nil), ([], nil), (["*", "-jobs"], "jobs"),
            (["Deployment"], "Deployment"), (["-*"], "*"), ([""], ""),
        ] as [([String], String?)]
    )
    func unknown(_ entries: [String], _ name: String?) {
        #expect(
            ControllerSelection(entries).problem
                == name.map { "\"\($0)\" is not in the list of known controllers" }
        )
    }
}
