// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Access
import JSON
import KubernetesAPI
import ObjectModel
import Registry
import ResourceTable
import Scalars
import Synchronization

/// Admission for one write: plugins see the object in the version of the request.
final class AdmissionHooks: WriteHooks {
    private let chain: AdmissionChain
    private let call: ResourceCall
    private let operation: AdmissionAttributes.Operation
    private let options: AdmissionAttributes.Options
    private let isDryRun: Bool
    private let now: Timestamp
    /// Notes who has changed what; nil for server-side apply, which has done so.
    private let owners: FieldOwners?
    private let found = Mutex<[String]>([])

    init(
        _ chain: AdmissionChain,
        _ call: ResourceCall,
        _ operation: AdmissionAttributes.Operation,
        _ options: AdmissionAttributes.Options,
        isDryRun: Bool,
        now: Timestamp,
        owners: FieldOwners?
    ) {
        self.owners = owners
        self.chain = chain
        self.call = call
        self.operation = operation
        self.options = options
        self.isDryRun = isDryRun
        self.now = now
    }

    /// What plugins want the client to know.
    var warnings: [String] { self.found.withLock { $0 } }

    func mutate(_ object: inout APIObject, old: APIObject?) async throws(StatusError) {
        if old == nil,
            self.call.resource.groupResource.description
                == "certificatesigningrequests.certificates.k8s.io"
        {
            CertificateRequester.note(self.call.user, in: &object)
        }
        try await self.admit(&object, old: old)
        guard let owners = self.owners else { return }
        let version = self.call.entry.version
        if version.isHub { return owners.track(&object, old: old) }
        var served = version.fromHub(object)
        owners.track(&served, old: old.map(version.fromHub))
        object.metadata.managedFields = served.metadata.managedFields
    }

    private func admit(_ object: inout APIObject, old: APIObject?) async throws(StatusError) {
        guard !self.chain.plugins.isEmpty else { return }
        var attributes = self.attributes(object, old: old)
        try await self.chain.admit(&attributes)
        self.note(attributes)
        if let changed = attributes.object { object = self.call.entry.version.toHub(changed) }
    }

    func validate(_ object: APIObject?, old: APIObject?) async throws(StatusError) {
        guard !self.chain.plugins.isEmpty else { return }
        var attributes = self.attributes(object, old: old)
        if object == nil {
            // A deletion has one phase for the registry, and two for plugins.
            try await self.chain.admit(&attributes)
        }
        try await self.chain.validate(&attributes)
        self.note(attributes)
    }

    private func attributes(_ object: APIObject?, old: APIObject?) -> AdmissionAttributes {
        let resource = self.call.resource
        let version = self.call.entry.version
        let creates = self.operation == .update && old == nil
        let name = self.call.name.isEmpty ? (object ?? old)?.metadata.name ?? "" : self.call.name
        return AdmissionAttributes(
            creates ? .create : self.operation,
            resource.groupResource,
            subresource: self.call.subresource,
            kind: GroupVersionKind(
                group: resource.group,
                version: resource.version,
                kind: self.call.entry.typeMeta.kind
            ),
            namespace: self.namespace(object ?? old),
            name: name,
            object: object.map(version.fromHub),
            oldObject: old.map(version.fromHub),
            options: self.options,
            user: self.call.user,
            isDryRun: self.isDryRun,
            now: self.now
        )
    }

    /// The namespace of the object; a Namespace is in itself.
    private func namespace(_ object: APIObject?) -> String {
        if self.call.resource.isNamespaced {
            return self.call.namespace.isEmpty
                ? object?.metadata.namespace ?? "" : self.call.namespace
        }
        guard self.call.resource.groupResource.description == "namespaces" else { return "" }
        return self.call.name.isEmpty ? object?.metadata.name ?? "" : self.call.name
    }

    private func note(_ attributes: AdmissionAttributes) {
        guard !attributes.warnings.isEmpty else { return }
        self.found.withLock { found in
            for warning in attributes.warnings where !found.contains(warning) {
                found.append(warning)
            }
        }
    }
}
