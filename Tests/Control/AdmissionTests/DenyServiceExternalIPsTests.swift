// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import AccessSupport
import Admission
import KubernetesAPI
import ObjectModel
import Protobuf
import Testing

@Suite("DenyServiceExternalIPs")
struct DenyServiceExternalIPsTests {
    private func service(_ addresses: [String]) -> CoreV1.Service {
        CoreV1.Service.with {
            $0.metadata.name = "s"
            $0.metadata.namespace = "a"
            for address in addresses { $0.spec.externalIPs.append(address) }
        }
    }

    @Test(
        "lets nobody take an address, and whoever has one keep it",
        arguments: [
            ([], nil, true), (["192.0.2.1"], nil, false), ([], ["192.0.2.1"], true),
            (["192.0.2.1"], ["192.0.2.1"], true),
            (["192.0.2.1", "192.0.2.2"], ["192.0.2.1"], false),
            (["192.0.2.2"], ["192.0.2.1", "192.0.2.2"], true),
        ] as [([String], [String]?, Bool)]
    )
    func addresses(new: [String], old: [String]?, isAllowed: Bool) async {
        let (_, refusal) = await AdmissionCase.run(
            AdmissionCase.attributes(
                old == nil ? .create : .update,
                "services",
                self.service(new),
                old: old.map(self.service)
            ),
            DenyServiceExternalIPs()
        )
        #expect(
            refusal?.message
                == (isAllowed
                    ? nil
                    : "services \"s\" is forbidden: Use of external IPs is denied by admission "
                        + "control.")
        )
    }

    @Test("the names that flags know are those of the plugins")
    func names() {
        let plugins = AdmissionChain.plugins(MemoryObjects(), authorizer: Everybody())
        #expect(plugins.map(\.name) == AdmissionChain.standardNames)
    }
}

private struct Everybody: Authorizer {
    func authorize(_ attributes: AuthorizationAttributes) async -> AuthorizationDecision {
        .allow(reason: "")
    }
}
