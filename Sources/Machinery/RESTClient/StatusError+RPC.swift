// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import GRPCServices
import KubernetesAPI
import ObjectModel
import Protobuf
import RPCInterface
import WellKnownTypes

extension StatusError {
    /// The failure as a call has it: clients read the Status in its details.
    var rpcError: RPCError {
        let code: RPCStatusCode =
            switch self.code {
            case 401: .unauthenticated
            case 403: .permissionDenied
            case 404: .notFound
            case 409: self.reason == .alreadyExists ? .alreadyExists : .aborted
            case 410: .outOfRange
            case 413, 429: .resourceExhausted
            case 503: .unavailable
            case 504: .deadlineExceeded
            case 400..<500: .invalidArgument
            default: .internalError
            }
        let status = GoogleRPC.Status.with {
            $0.code = Int32(code.rawValue)
            $0.message = self.message
            $0.details.append(
                GoogleProtobuf.Any_.with {
                    $0.typeUrl = "type.googleapis.com/\(MetaV1.Status.schema.fullName)"
                    $0.value = Bytes(self.status.serialized())
                }
            )
        }
        return RPCError(code: code, message: self.message, details: status.serialized())
    }
}
