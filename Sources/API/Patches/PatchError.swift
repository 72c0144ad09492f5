// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
public import ObjectModel
import Protobuf

/// Why a patch is refused.
public enum PatchError: Error, Sendable, Equatable {
    /// The patch is not one, whatever it is applied to.
    case malformed(String)
    /// A JSON patch with too many operations.
    case tooManyOperations(Int, limit: Int)
    /// The copies that a JSON patch makes take too many bytes.
    case copiesTooLarge(limit: Int)
    /// The patch does not fit the object: an operation leads nowhere, or a test fails.
    case inapplicable(String)
    /// A strategic merge patch that says what the server has no words for.
    case unsupported(String)
}

extension PatchError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .malformed(let message), .inapplicable(let message), .unsupported(let message):
            message
        case .tooManyOperations(let count, let limit):
            "The allowed maximum operations in a JSON patch is \(limit), got \(count)"
        case .copiesTooLarge(let limit):
            "Unable to complete the copy, the accumulated size increase of copy is too large, "
                + "exceeding the limit \(limit)"
        }
    }
}

extension PatchError {
    /// What the client is told. A patch that does not fit gets the general words that upstream has
    /// for status 422; the cause says more.
    public var statusError: StatusError {
        switch self {
        case .malformed(let message):
            return .badRequest(message)
        case .tooManyOperations:
            return .tooLarge(self.description)
        case .copiesTooLarge, .inapplicable:
            return StatusError(
                .invalid,
                code: 422,
                "the server rejected our request due to an error in our request",
                details: .init()
            )
        case .unsupported(let message):
            return .internalError(message)
        }
    }
}
