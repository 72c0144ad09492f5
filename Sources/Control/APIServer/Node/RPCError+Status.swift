// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import GRPCServices
import KubernetesAPI
import Protobuf
import RPCInterface
import WellKnownTypes

extension RPCError {
    /// The Status of the API in a failure's details; nil without one.
    func status(in details: [UInt8]) -> MetaV1.Status? {
        guard !details.isEmpty, let status = try? GoogleRPC.Status(serialized: details) else {
            return nil
        }
        for detail in status.details
        where detail.typeUrl.hasSuffix("/" + MetaV1.Status.schema.fullName) {
            return try? MetaV1.Status(serialized: detail.value)
        }
        return nil
    }
}
