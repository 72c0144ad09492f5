// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI

/// What a pod on a node needs of the API server.
///
/// A kubelet without an API server runs static pods only; then there is none of it.
package protocol ClusterAccess: Sendable {
    func configMap(_ namespace: String, _ name: String) async throws -> CoreV1.ConfigMap
    func secret(_ namespace: String, _ name: String) async throws -> CoreV1.Secret
    /// A token of a service account, bound to a pod.
    func token(
        _ namespace: String,
        serviceAccount: String,
        _ request: AuthenticationV1.TokenRequest
    ) async throws -> AuthenticationV1.TokenRequest
    /// The Services of all namespaces as they are known now.
    func services() -> [CoreV1.Service]
    func persistentVolumeClaim(
        _ namespace: String,
        _ name: String
    ) async throws -> CoreV1.PersistentVolumeClaim
    func persistentVolume(_ name: String) async throws -> CoreV1.PersistentVolume
    func runtimeClassHandler(_ name: String) async throws -> String
    /// The bundles of a signer, or the one of a name.
    func clusterTrustBundles(
        name: String?,
        signer: String?,
        selector: MetaV1.LabelSelector?
    ) async throws -> [String]
}

/// Something that was asked of the API server is not there.
package struct NotInCluster: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(kind: String, name: String) {
        self.description = "\(kind) \"\(name)\" not found"
    }

    package init(_ description: String) {
        self.description = description
    }
}
