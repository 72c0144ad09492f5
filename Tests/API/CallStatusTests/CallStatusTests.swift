// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import KubernetesAPI
import ObjectModel
import RPCInterface
import Testing

@testable import CallStatus

@Suite("Status of a call") struct CallStatusTests {
    @Test(
        "a failure has the nearest code and comes back whole",
        arguments: [
            (StatusError.badRequest("no"), RPCStatusCode.invalidArgument),
            (StatusError(.unauthorized, code: 401, "no"), .unauthenticated),
            (StatusError(.forbidden, code: 403, "no"), .permissionDenied),
            (StatusError(.notFound, code: 404, "no"), .notFound),
            (StatusError(.alreadyExists, code: 409, "no"), .alreadyExists),
            (StatusError(.conflict, code: 409, "no"), .aborted),
            (StatusError(.expired, code: 410, "no"), .outOfRange),
            (StatusError(.requestEntityTooLarge, code: 413, "no"), .resourceExhausted),
            (StatusError(.invalid, code: 422, "no"), .invalidArgument),
            (StatusError(.tooManyRequests, code: 429, "no"), .resourceExhausted),
            (StatusError.internalError("no"), .internalError),
            (StatusError.serviceUnavailable("no"), .unavailable),
            (StatusError.timeout("no"), .deadlineExceeded),
        ]
    )
    func codes(error: StatusError, code: RPCStatusCode) throws {
        let call = RPCError(error)
        #expect(call.code == code)
        #expect(call.message == error.message)
        let back = try #require(call.apiStatus)
        #expect(back.status == error.status)
    }

    @Test("a failure without a Status has none")
    func foreign() {
        #expect(RPCError(code: .unavailable, message: "gone").apiStatus == nil)
        #expect(RPCError(code: .unavailable, message: "gone", details: [0xff]).apiStatus == nil)
    }
}
