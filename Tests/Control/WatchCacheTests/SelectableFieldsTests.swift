// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import Testing

@testable import WatchCache

@Suite("SelectableFields")
struct SelectableFieldsTests {
    private static let fields = SelectableFields(
        CoreV1.Pod.schema,
        ["spec.nodeName", "spec.hostNetwork", "status.phase", "ip", "first", "none"],
        places: [
            "ip": ["status.podIPs.ip"], "first": ["status.reason", "status.phase"], "none": [],
        ],
        aliases: ["spec.host": "spec.nodeName"],
        trigger: "spec.nodeName"
    )

    private static func values(_ pod: CoreV1.Pod) -> [String] {
        self.values(pod.serialized())
    }

    private static func values(_ bytes: [UInt8]) -> [String] {
        bytes.withUnsafeBytes { bytes in
            self.fields.names.indices.map { self.fields.value($0, in: bytes) }
        }
    }

    private static let pod = CoreV1.Pod.with { pod in
        pod.metadata.name = "a"
        pod.spec.nodeName = "node-1.example.com"
        pod.spec.hostNetwork = true
        pod.spec.containers.append(CoreV1.Container.with { $0.name = "c" })
        pod.status.phase = "Running"
        for ip in ["10.0.0.1", "fd00::1"] {
            pod.status.podIPs.append(CoreV1.PodIP.with { $0.ip = ip })
        }
    }

    @Test("are read from the bytes of an object")
    func bytes() {
        #expect(
            Self.values(Self.pod) == [
                "node-1.example.com", "true", "Running", "10.0.0.1", "Running", "",
            ]
        )
        #expect(Self.values(CoreV1.Pod()) == ["", "false", "", "", "", ""])
    }

    @Test("are none in bytes that are no object, wherever they end")
    func truncated() {
        let bytes = Self.pod.serialized()
        for count in 0..<bytes.count {
            let values = Self.values(Array(bytes[..<count]))
            #expect(values[0] == "" || values[0] == "node-1.example.com")
            #expect(values[3] == "" || values[3] == "10.0.0.1")
        }
    }

    @Test("are found by their names, and by others for them")
    func names() {
        #expect(Self.fields.index(of: "spec.host") == 0)
        #expect(Self.fields.index(of: "ip") == 3)
        #expect(Self.fields.index(of: "spec.image") == nil)
        #expect(Self.fields.trigger == 0)
    }
}
