// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Foundation
import JSON
import KubernetesAPI
import Protobuf

/// The objects that are measured.
struct Samples {
    /// The JSON of a Pod as an API server prints it.
    let podJSON: [UInt8]
    let pod: CoreV1.Pod
    let node: CoreV1.Node
    let endpointSlice: DiscoveryV1.EndpointSlice
    let podList: CoreV1.PodList

    static let endpointCount = 100
    static let podCount = 1000

    /// Reads the fixtures in `folder` and makes the rest from them.
    init(folder: String) throws {
        self.podJSON = try Self.read("\(folder)/pod.json")
        self.pod = try CoreV1.Pod(json: self.podJSON)
        self.node = try CoreV1.Node(json: try Self.read("\(folder)/node.json"))
        self.endpointSlice = try Self.makeEndpointSlice()
        self.podList = Self.makeList(of: self.pod)
    }

    /// A file without the line break at its end.
    private static func read(_ path: String) throws -> [UInt8] {
        var content = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        if content.last == UInt8(ascii: "\n") { content.removeLast() }
        return content
    }

    private static func makeEndpointSlice() throws -> DiscoveryV1.EndpointSlice {
        let endpoints = (0..<self.endpointCount).map { index in
            """
            {"addresses":["10.244.\(index).\(index + 7)"],"conditions":{"ready":true,"serving":true,\
            "terminating":false},"targetRef":{"kind":"Pod","namespace":"default",\
            "name":"web-7d4f8c9b6d-\(10_000 + index)",\
            "uid":"3c1f8a52-6f0e-4c52-8a4f-6a2d5a7e\(1000 + index)"},\
            "nodeName":"node-\(index)","zone":"eu-central-1b"}
            """
        }
        let text = """
            {"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"web-abc12",\
            "generateName":"web-","namespace":"default","uid":"b7b0e1c2-11aa-4d8e-9b1a-2f5e6a7b8c9d",\
            "labels":{"endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io",\
            "kubernetes.io/service-name":"web"}},"addressType":"IPv4",\
            "endpoints":[\(endpoints.joined(separator: ","))],\
            "ports":[{"name":"http","port":8080,"protocol":"TCP"}]}
            """
        return try DiscoveryV1.EndpointSlice(json: text)
    }

    private static func makeList(of pod: CoreV1.Pod) -> CoreV1.PodList {
        var list = CoreV1.PodList()
        list.metadata.resourceVersion = "184467"
        for index in 0..<self.podCount {
            var copy = pod
            copy.metadata.name = "web-7d4f8c9b6d-\(10_000 + index)"
            copy.metadata.uid = "3c1f8a52-6f0e-4c52-8a4f-6a2d5a7e\(1000 + index)"
            list.items.append(copy)
        }
        return list
    }
}
