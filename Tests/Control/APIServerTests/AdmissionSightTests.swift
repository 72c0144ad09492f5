// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import ApusAPI
import KubernetesAPI
import ObjectModel
import Protobuf
import ResourceTable
import Synchronization
import Testing

@testable import APIServer

/// Notes what validating admission is shown.
private final class Witness: AdmissionPlugin {
    let name = "Witness"
    private let seen = Mutex<(new: APIObject?, old: APIObject?)>((nil, nil))

    func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool { true }

    func validate(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        let shown = (attributes.object, attributes.oldObject)
        self.seen.withLock { $0 = shown }
    }

    var last: (new: APIObject?, old: APIObject?) { self.seen.withLock { $0 } }
}

@Suite("What admission is shown")
struct AdmissionSightTests {
    /// An object without what the store adds.
    private static func stored<M: Message>(_ message: M) -> APIObject {
        var object = APIObject(message)
        object.metadata.resourceVersion = ""
        return object
    }

    private static func shown(_ object: APIObject?) -> APIObject? {
        guard var object else { return nil }
        object.metadata.resourceVersion = ""
        return object
    }

    @Test("CVE-2021-25735: what it sees is what is stored, and the old object is what was")
    func cve2021_25735_admissionSeesWhatIsStored() async throws {
        let witness = Witness()
        var configuration = APIServer.Configuration()
        configuration.access = { _ in
            var parts = AccessParts.open
            parts.admission = AdmissionChain([witness])
            return parts
        }
        try await withServer(configuration) { client in
            var generator = SystemRandomNumberGenerator()
            var before = try await client.create(CoreV1.Node.with { $0.metadata.name = "n" })
            #expect(Self.shown(witness.last.new) == Self.stored(before))
            #expect(witness.last.old == nil)
            for round in 0..<60 {
                var node = before
                let value = "v\(Int.random(in: 0..<4, using: &generator))"
                let isStatus = Bool.random(using: &generator)
                node.metadata.labels["l"] = value
                node.metadata.annotations["a\(round % 3)"] = value
                node.metadata.finalizers = round % 5 == 0 ? ["example.com/\(value)"] : []
                node.spec.unschedulable = Bool.random(using: &generator)
                node.spec.taints = [
                    CoreV1.Taint.with {
                        $0.key = "t"
                        $0.value = value
                        $0.effect = "NoSchedule"
                    }
                ]
                node.status.nodeInfo.machineID = value
                let after: CoreV1.Node
                switch round % 3 {
                case 0:
                    after = try await client.patch(
                        CoreV1.Node.self,
                        "n",
                        .merge,
                        #"{"metadata":{"labels":{"l":"\#(value)"}},"spec":{"podCIDR":null}}"#
                    )
                default:
                    after = try await client.update(
                        node,
                        "n",
                        subresource: isStatus ? "status" : ""
                    )
                }
                let stored = try await client.get(CoreV1.Node.self, "n")
                #expect(after == stored)
                #expect(Self.shown(witness.last.new) == Self.stored(stored), "round \(round)")
                #expect(Self.shown(witness.last.old) == Self.stored(before), "round \(round)")
                before = stored
            }
        }
    }
}
