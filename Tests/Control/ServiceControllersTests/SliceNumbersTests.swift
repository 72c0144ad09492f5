// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import Protobuf
import ServiceControllers
import Testing

@Suite("SliceNumbers")
struct SliceNumbersTests {
    private static func slice(
        _ name: String,
        _ addresses: [String],
        ready: Bool = true,
        port: Int32 = 80
    ) -> DiscoveryV1.EndpointSlice {
        DiscoveryV1.EndpointSlice.with {
            $0.metadata.name = name
            $0.metadata.uid = name
            $0.addressType = "IPv4"
            $0.ports = [DiscoveryV1.EndpointPort.with { $0.port = port }]
            $0.endpoints = RepeatedField(
                addresses.map { address in
                    DiscoveryV1.Endpoint.with {
                        $0.addresses = [address]
                        $0.conditions.ready = ready
                    }
                }
            )
        }
    }

    @Test("endpoints that come, go and change, and the slices they would fill")
    func counts() {
        let known = [
            Self.slice("a", ["10.0.0.1", "10.0.0.2"]), Self.slice("b", ["10.0.0.3"]),
            Self.slice("c", ["10.0.0.4"]), Self.slice("kept", ["10.0.0.9"], port: 81),
        ]
        let numbers = SliceNumbers(
            known,
            creations: [Self.slice("", ["10.0.0.5", "10.0.0.6"])],
            updates: [
                // One goes, the other moves here from a slice that is deleted.
                Self.slice("a", ["10.0.0.2", "10.0.0.4"]),
                Self.slice("b", ["10.0.0.3"], ready: false),
            ],
            deletions: [known[2]],
            maximum: 2
        )
        #expect(numbers.slices == 4)
        #expect(numbers.endpoints == 6)
        // Five of port 80 by two, one of port 81.
        #expect(numbers.desiredSlices == 4)
        #expect(numbers.added == 2)
        #expect(numbers.removed == 1)
        #expect(numbers.updated == 1)
        #expect(numbers.changedSlices == 4)
    }

    @Test("the slice that says that there is nothing is one that is wanted")
    func empty() {
        let numbers = SliceNumbers(
            [Self.slice("a", [])],
            creations: [],
            updates: [],
            deletions: [],
            maximum: 100
        )
        #expect(numbers.slices == 1)
        #expect(numbers.desiredSlices == 1)
        #expect(numbers.changedSlices == 0)
    }
}
