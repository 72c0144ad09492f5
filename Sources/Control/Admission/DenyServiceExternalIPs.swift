// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
public import ObjectModel
import Protobuf
public import ResourceTable

/// Refuses Services that take addresses for their own which nobody has given them (CVE-2020-8554).
/// Those that have some keep them.
///
/// Source: kubernetes `plugin/pkg/admission/network/denyserviceexternalips/admission.go`.
public struct DenyServiceExternalIPs: AdmissionPlugin {
    public let name = "DenyServiceExternalIPs"

    public init() {}

    public func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool {
        (operation == .create || operation == .update) && subresource.isEmpty
            && resource == GroupResource(group: "", resource: "services")
    }

    public func validate(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        let new = Self.addresses(attributes.object)
        guard !new.isSubset(of: Self.addresses(attributes.oldObject)) else { return }
        throw attributes.forbidden("Use of external IPs is denied by admission control.")
    }

    private static func addresses(_ object: APIObject?) -> Set<String> {
        Set(object?.message(as: CoreV1.Service.self)?.spec.externalIPs.map { $0 } ?? [])
    }
}
