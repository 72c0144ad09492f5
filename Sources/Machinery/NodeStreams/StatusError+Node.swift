// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import GRPCServices
package import KubernetesAPI
package import ObjectModel
import Protobuf
package import RPCInterface
import WellKnownTypes

extension RPCError {
    /// The Status of the API in a failure's details; nil without one.
    package var apiStatus: MetaV1.Status? {
        guard !self.details.isEmpty, let status = try? GoogleRPC.Status(serialized: self.details)
        else { return nil }
        for detail in status.details
        where detail.typeUrl.hasSuffix("/" + MetaV1.Status.schema.fullName) {
            return try? MetaV1.Status(serialized: detail.value)
        }
        return nil
    }
}

extension StatusError {
    /// What a kubelet's failure is for the client: the Status that it sent, or its nearest.
    package init(node error: RPCError) {
        if let status = error.apiStatus {
            self.init(status)
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
