// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import ObjectModel
import Protobuf
import Registry
import ResourceTable
import Scalars

extension Bootstrap {
    /// Makes an APIService for every group and version that is served here.
    ///
    /// Source: upstream `pkg/controlplane/apiserver/aggregator.go`.
    func ensureAPIServices() async throws(StatusError) {
        var versions: [(group: APIGroup, version: APIGroup.Version)] = []
        for group in self.registry.table.groups {
            for version in group.versions {
                let apiVersion = APIGroup.apiVersion(group.name, version.name)
                guard !self.registry.table.resources(apiVersion: apiVersion).isEmpty else {
                    continue
                }
                versions.append((group, version))
            }
        }
        try await Self.forEach(versions) { (served) throws(StatusError) in
            try await self.ensureAPIService(served.group, served.version)
        }
    }

    private func ensureAPIService(
        _ group: APIGroup,
        _ version: APIGroup.Version
    ) async throws(StatusError) {
        // The group of APIServices themselves has none.
        guard let groupPriority = version.groupPriority, let priority = version.priority else {
            return
        }
        let service = ApiregistrationV1.APIService.with {
            $0.metadata.name = "\(version.name).\(group.name)"
            $0.metadata.labels = ["kube-aggregator.kubernetes.io/automanaged": "onstart"]
            $0.spec.group = group.name
            $0.spec.version = version.name
            $0.spec.groupPriorityMinimum = Int32(groupPriority)
            $0.spec.versionPriority = Int32(priority)
        }
        try await self.ensure(APIObject(service))
        guard
            let store = self.registry.store(
                GroupResource(group: "apiregistration.k8s.io", resource: "apiservices")
            )
        else { return }
        _ = try await store.update("", service.metadata.name, scope: .status, WriteContext()) {
            (old) throws(StatusError) -> APIObject in
            guard var object = old?.message(as: ApiregistrationV1.APIService.self) else {
                throw .internalError("the APIService is gone")
            }
            if object.status.conditions.isEmpty {
                object.status.conditions.append(
                    ApiregistrationV1.APIServiceCondition.with {
                        $0.type = "Available"
                        $0.status = "True"
                        $0.lastTransitionTime = MetaV1.Time(.current())
                        $0.reason = "Local"
                        $0.message = "Local APIServices are always available"
                    }
                )
            }
            return APIObject(object)
        }
    }
}
