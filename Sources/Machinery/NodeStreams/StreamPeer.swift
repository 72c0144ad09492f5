// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ApusAPI
import Bytes
import KubernetesAPI

/// What carries a command's streams to a client.
protocol StreamPeer: Sendable {
    /// What the client sends next; nil when it is gone.
    func receive() async throws -> ApusNode.StreamInput?
    func send(stdout bytes: Bytes) async throws
    func send(stderr bytes: Bytes) async throws
    /// How the command ended.
    func send(status: MetaV1.Status) async throws
    func close() async
}
