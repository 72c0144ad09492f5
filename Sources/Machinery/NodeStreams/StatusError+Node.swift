// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CallStatus
package import ObjectModel
package import RPCInterface

extension StatusError {
    /// What a kubelet's failure is for the client: the Status that it sent, or its nearest.
    package init(node error: RPCError) {
        if let status = error.apiStatus {
            self = status
            return
        }
        switch error.code {
        case .notFound:
            self = StatusError(.notFound, code: 404, error.message)
        case .invalidArgument, .failedPrecondition:
            self = .badRequest(error.message)
        case .unimplemented, .unavailable:
            self = .serviceUnavailable("error from the node: \(error.message)")
        case .deadlineExceeded:
            self = .timeout(error.message)
        default:
            self = .internalError("error from the node: \(error.message)")
        }
    }
}
