// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import PodLifecycle
import Protobuf
import Testing

@testable import Kubelet

@Suite("SysctlAllowlist")
struct SysctlAllowlistTests {
    private static func pod(_ name: String, _ change: (inout CoreV1.PodSpec) -> Void) -> CoreV1.Pod
    {
        CoreV1.Pod.with {
            $0.spec.securityContext = CoreV1.PodSecurityContext.with {
                $0.sysctls = [CoreV1.Sysctl.with { $0.name = name }]
            }
            change(&$0.spec)
        }
    }

    @Test(
        "takes what is safe and what was allowed, in either way of writing",
        arguments: [
            ("kernel.shm_rmid_forced", [], true), ("net.ipv4.tcp_rmem", [], true),
            ("net/ipv4/tcp_syncookies", [], true), ("net.core.somaxconn", [], false),
            ("kernel.msgmax", [], false), ("kernel.msgmax", ["kernel.msg*"], true),
            ("net.core.somaxconn", ["net.core.somaxconn"], true),
            ("net.core.somaxconn", ["net.core.*"], true),
            ("net.core.somaxconn", ["net/core/*"], true),
            ("net/core/somaxconn", ["net.core.somaxconn"], true),
            ("net.ipv4.conf.eth0/1.forwarding", ["net.ipv4.conf.*"], true),
            ("net.core.somaxconn", ["net.core.somax"], false), ("kernel.panic", [], false),
            ("", [], false),
        ]
    )
    func names(name: String, unsafe: [String], isTaken: Bool) {
        let refusal = SysctlAllowlist(unsafe: unsafe).refusal(of: Self.pod(name) { _ in })
        #expect((refusal == nil) == isTaken)
        if let refusal {
            #expect(refusal.reason == "SysctlForbidden")
            #expect(refusal.message.hasSuffix("not allowlisted"))
        }
    }

    @Test("does not take what a pod shares with the host")
    func host() {
        let list = SysctlAllowlist(unsafe: ["kernel.sem"])
        let network = Self.pod("net.ipv4.tcp_rmem") { $0.hostNetwork = true }
        #expect(
            list.refusal(of: network)?.message
                == "forbidden sysctl: \"net.ipv4.tcp_rmem\" not allowed with host Net enabled"
        )
        let ipc = Self.pod("kernel.sem") { $0.hostIPC = true }
        #expect(
            list.refusal(of: ipc)?.message
                == "forbidden sysctl: \"kernel.sem\" not allowed with host IPC enabled"
        )
        #expect(list.refusal(of: Self.pod("kernel.sem") { $0.hostNetwork = true }) == nil)
        #expect(list.refusal(of: CoreV1.Pod()) == nil)
    }

    @Test(
        "can only allow what a pod has of its own",
        arguments: [
            ("net.core.somaxconn", nil), ("net.*", nil), ("kernel.msg*", nil), ("kernel.sem", nil),
            ("fs/mqueue/*", nil), ("kernel.panic", "kernel.panic"), ("*", "*"), ("", ""),
            ("net*", "net*"), ("net.*.x*", "net.*.x*"), ("vm.swappiness", "vm.swappiness"),
        ] as [(String, String?)]
    )
    func patterns(pattern: String, problem: String?) {
        #expect(SysctlAllowlist.invalid(among: ["net.ipv4.tcp_rmem", pattern]) == problem)
    }
}
