// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Bytes
import GRPCServices
import KubernetesAPI
package import ObjectModel
import Protobuf
package import RPCInterface
import WellKnownTypes

extension RPCError {
    /// A failure of the API as a call has it: the nearest code, and the Status as a detail of its
    /// `google.rpc.Status`, so that a client of our own loses nothing and any other reads the code.
    package init(_ error: StatusError) {
        let code = RPCStatusCode(error)
        let details = GoogleRPC.Status.with {
            $0.code = Int32(code.rawValue)
            $0.message = error.message
            $0.details.append(
                GoogleProtobuf.Any_.with {
                    $0.typeUrl = "type.googleapis.com/\(MetaV1.Status.schema.fullName)"
                    $0.value = error.status.withSerializedBytes { Bytes(copying: $0) }
                }
            )
        }
        self.init(code: code, message: error.message, details: details.serialized())
    }

    /// The failure of the API in a call's details; nil without one, as from a server of another make.
    package var apiStatus: StatusError? {
        guard !self.details.isEmpty, let status = try? GoogleRPC.Status(serialized: self.details)
        else { return nil }
        for detail in status.details
        where detail.typeUrl.hasSuffix("/\(MetaV1.Status.schema.fullName)") {
            return (try? MetaV1.Status(serialized: detail.value)).map { StatusError($0) }
        }
        return nil
    }
}

extension RPCStatusCode {
    /// The code nearest to an answer over HTTP.
    fileprivate init(_ error: StatusError) {
        self =
            switch error.code {
            case 401: .unauthenticated
            case 403: .permissionDenied
            case 404: .notFound
            case 409: error.reason == .alreadyExists ? .alreadyExists : .aborted
            case 410: .outOfRange
            case 413, 429: .resourceExhausted
            case 503: .unavailable
            case 504: .deadlineExceeded
            case 400..<500: .invalidArgument
            default: .internalError
            }
    }
}
