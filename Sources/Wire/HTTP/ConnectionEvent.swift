// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Events that travel through a connection's channel pipeline.
package enum ConnectionEvent: Sendable {
    /// Finish what runs, start nothing new, then close.
    case shutdownGracefully
}
