// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import Kubelet

@Suite("KubeletSettings+Configuration")
struct ConfigurationTests {
    private static let head = """
        apiVersion: kubelet.config.k8s.io/v1beta1
        kind: KubeletConfiguration

        """

    private func settings(_ text: String) throws -> (KubeletSettings, [String]) {
        var settings = KubeletSettings(nodeName: "n")
        let ignored = try settings.read(configuration: Array((Self.head + text).utf8))
        return (settings, ignored)
    }

    @Test("takes what a file of kubeadm says")
    func takes() throws {
        let (settings, ignored) = try self.settings(
            """
            authentication:
              anonymous: {enabled: false}
              webhook: {cacheTTL: 0s, enabled: true}
              x509: {clientCAFile: /etc/kubernetes/pki/ca.crt}
            authorization:
              mode: Webhook
              webhook: {cacheAuthorizedTTL: 0s, cacheUnauthorizedTTL: 0s}
            cgroupDriver: cgroupfs
            clusterDNS: [10.96.0.10]
            clusterDomain: cluster.local
            containerRuntimeEndpoint: unix:///run/c.sock
            cpuManagerReconcilePeriod: 0s
            evictionPressureTransitionPeriod: 0s
            imageMinimumGCAge: 3m
            maxPods: 50
            nodeStatusReportFrequency: 1m30s
            registerWithTaints: [{key: k, value: v, effect: NoSchedule}]
            rotateCertificates: true
            serverTLSBootstrap: true
            staticPodPath: /etc/kubernetes/manifests
            systemReserved: {cpu: 200m, memory: 500Mi}
            """
        )
        #expect(settings.clientCAFile == "/etc/kubernetes/pki/ca.crt")
        #expect(settings.clusterDNS == ["10.96.0.10"])
        #expect(settings.runtimeEndpoint == "/run/c.sock")
        #expect(settings.evictionPressureTransition == .seconds(300))
        #expect(settings.imageMinimumAge == .seconds(180))
        #expect(settings.maximumPods == 50)
        #expect(settings.nodeStatusReportFrequency == .seconds(90))
        #expect(settings.nodeTaints == ["k=v:NoSchedule"])
        #expect(settings.staticPodPath == "/etc/kubernetes/manifests")
        #expect(settings.systemReserved == ["cpu": "200m", "memory": "500Mi"])
        #expect(settings.rotatesCertificates && settings.requestsServingCertificate)
        #expect(ignored == ["cpuManagerReconcilePeriod"])
    }

    @Test(
        "what is shown of it reads as the same",
        arguments: [
            "maxPods: 7", "port: 7\nhealthzPort: 0", "clusterDNS: [10.0.0.1]\nclusterDomain: x.y",
            "evictionSoft: {memory.available: 1Gi}\n"
                + "evictionSoftGracePeriod: {memory.available: 1m30s}",
            "registerWithTaints: [{key: k, value: v, effect: NoSchedule}]",
            "serializeImagePulls: false\nmaxParallelImagePulls: 3",
            "containerLogMaxSize: '12345'\ncontainerLogMaxFiles: 9",
            "authorization: {mode: AlwaysAllow}\nrotateCertificates: true",
            "systemReserved: {cpu: 200m}\nproviderID: a://b\nstaticPodPath: /m",
        ]
    )
    func document(_ text: String) throws {
        let (settings, _) = try self.settings(text)
        let shown = settings.document
        var read = KubeletSettings(nodeName: "n")
        #expect(try read.take(shown).isEmpty)
        #expect(read.document == shown)
        #expect(KubeletSettings(nodeName: "n").document != shown)
    }

    @Test("replaces all thresholds, or merges them when it is told to")
    func thresholds() throws {
        let (replaced, _) = try self.settings("evictionHard: {memory.available: 1Gi}")
        #expect(replaced.evictionHard == ["memory.available": "1Gi"])
        let (merged, _) = try self.settings(
            "evictionHard: {memory.available: 1Gi}\nmergeDefaultEvictionSettings: true"
        )
        #expect(merged.evictionHard.count == 5)
        #expect(merged.evictionHard["memory.available"] == "1Gi")
    }

    @Test(
        "refuses what it does not know or cannot use",
        arguments: [
            "nothing: 1",
            "authentication: {x509: {caFile: /x}}",
            "maxPods: many",
            "maxPods: -1",
            "port: 70000",
            "clusterDNS: 10.0.0.1",
            "clusterDNS: [1]",
            "syncFrequency: soon",
            "cgroupDriver: systemd",
            "readOnlyPort: 10255",
            "authorization: {mode: Sometimes}",
            "evictionHard: {memory.free: 1Gi}",
            "evictionSoft: {memory.available: 1Gi}",
            "systemReserved: {gpu: 1}",
            "imageGCHighThresholdPercent: 50\nimageGCLowThresholdPercent: 60",
            "maxParallelImagePulls: 4",
            "containerLogMaxFiles: 1",
            "containerLogMaxSize: big",
            "containerRuntimeEndpoint: tcp://x",
            "maxPods: 1\nmaxPods: 2",
            "registerWithTaints: [{name: k}]",
            "registerWithTaints: {key: k}",
        ]
    )
    func refuses(_ text: String) {
        #expect(throws: ConfigurationError.self) { try self.settings(text) }
    }

    @Test("refuses other kinds", arguments: ["", "kind: Pod", "[]", "- 1", "a: b: c"])
    func kinds(_ text: String) {
        var settings = KubeletSettings(nodeName: "n")
        #expect(throws: ConfigurationError.self) {
            try settings.read(configuration: Array(text.utf8))
        }
    }
}
