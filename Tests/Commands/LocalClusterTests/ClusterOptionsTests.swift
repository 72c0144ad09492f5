// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import LocalCluster
import Processes
import Testing

@Suite("ClusterOptions")
struct ClusterOptionsTests {
    @Test(
        "reads IPv4 ranges",
        arguments: [
            ("10.96.0.0/12", "10.96.0.10"), ("10.244.0.0/16", "10.244.0.10"),
            ("0.0.0.0/0", "0.0.0.10"), ("192.168.1.0/24", "192.168.1.10"),
        ]
    )
    func range(text: String, tenth: String) throws {
        let range = try #require(IPv4Range(text))
        #expect(range.description == text)
        #expect(range.address(10) == tenth)
    }

    @Test(
        "refuses what is no range",
        arguments: ["", "10.0.0.0", "10.0.0.0/33", "10.0.0.1/8", "10.0.0/8", "010.0.0.0/8", "a/8"]
    )
    func invalidRange(text: String) {
        #expect(IPv4Range(text) == nil)
    }

    private func options(_ change: (inout ClusterOptions) -> Void) -> ClusterOptions {
        var options = ClusterOptions(
            layout: ClusterLayout(dataDirectory: "/data", portOffset: 1000),
            nodeName: "a",
            nodeAddress: "192.0.2.1"
        )
        change(&options)
        return options
    }

    private func names(_ options: ClusterOptions) -> [String] {
        ComponentPlan(options, executable: "/apus").components.map(\.name)
    }

    @Test("plans every component, and only those that were asked for")
    func plan() {
        #expect(
            self.names(self.options { _ in }) == [
                "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler",
                "cloud-controller-manager", "containerd", "kubelet", "kube-proxy", "cluster-dns",
            ]
        )
        let small = self.options {
            $0.controlPlaneOnly = true
            $0.etcdServers = ["https://10.0.0.1:2379"]
            $0.disabled = ["cloud-controller-manager"]
        }
        #expect(
            self.names(small) == ["kube-apiserver", "kube-controller-manager", "kube-scheduler"]
        )
        let server = ComponentPlan(small, executable: "/apus").components[0]
        #expect(server.after.isEmpty)
        #expect(server.command.arguments.contains("--etcd-servers=https://10.0.0.1:2379"))
    }

    @Test("shifts every port, and puts further arguments last")
    func arguments() throws {
        let options = self.options {
            $0.extraArguments = ["etcd": ["--quota-backend-bytes=1"]]
            $0.verbosity = 4
        }
        let etcd = try #require(ComponentPlan(options, executable: "/apus").components.first)
        #expect(etcd.command.executable == "/apus")
        #expect(etcd.command.arguments.first == "etcd")
        #expect(etcd.command.arguments.last == "--quota-backend-bytes=1")
        #expect(etcd.command.arguments.contains("--v=4"))
        #expect(etcd.readiness == .http(port: 3381, path: "/health"))
    }

    @Test("a component's state survives its file")
    func state() throws {
        let state = ClusterState(supervisor: 7, components: [])
        #expect(ClusterState(json: state.json) == state)
        #expect(ClusterState(json: Array("{}".utf8)) == nil)
        #expect(ClusterState(json: Array("[".utf8)) == nil)
    }
}
