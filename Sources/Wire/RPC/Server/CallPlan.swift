// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import HTTP
import RPCInterface

/// What a server read from a request's header block. Connections that repeat the block share it.
final class CallPlan: Sendable {
    let head: HTTPRequestHead
    let method: RPCServerMethod
    let requestEncoding: RPCCompression
    let acceptedEncodings: CompressionNegotiation.Accepted
    /// The `grpc-timeout` in nanoseconds.
    let timeoutNanoseconds: Int64?

    private init(
        head: HTTPRequestHead,
        method: RPCServerMethod,
        requestEncoding: RPCCompression,
        acceptedEncodings: CompressionNegotiation.Accepted,
        timeoutNanoseconds: Int64?
    ) {
        self.head = head
        self.method = method
        self.requestEncoding = requestEncoding
        self.acceptedEncodings = acceptedEncodings
        self.timeoutNanoseconds = timeoutNanoseconds
    }

    /// Whether another request's header block says the same.
    ///
    /// The connection hands the same block out again when HPACK shows that it is the same; clients
    /// that do not index the path send blocks that differ in identity only.
    func fits(_ head: HTTPRequestHead) -> Bool {
        if self.head.isIdentical(to: head) { return true }
        guard let mine = self.head.storage, let other = head.storage, mine.count == other.count,
            mine.byteCount == other.byteCount, mine.pseudoCount == other.pseudoCount
        else { return false }
        for index in 0..<mine.count {
            guard Self.areEqual(mine.valueBytes(at: index), other.valueBytes(at: index)),
                Self.areEqual(mine.nameBytes(at: index), other.nameBytes(at: index))
            else { return false }
        }
        return true
    }

    private static func areEqual(
        _ left: UnsafeRawBufferPointer,
        _ right: UnsafeRawBufferPointer
    ) -> Bool {
        guard left.count == right.count else { return false }
        guard let first = left.baseAddress, let second = right.baseAddress else { return true }
        return first == second || memcmp(first, second, left.count) == 0
    }

    /// Reads the head of a request whose `content-type` is gRPC's.
    ///
    /// - Throws: the status to answer with.
    static func parse(
        _ head: HTTPRequestHead,
        in table: RPCServiceTable,
        maxTimeout: Duration
    ) throws(RPCError) -> CallPlan {
        guard head.methodIs("POST") else {
            throw RPCError(code: .internalError, message: "the request method is not POST")
        }
        let method = try table.method(at: head.path)
        let encoding = try CompressionNegotiation.encoding(of: head.fields)
        var timeout: Int64?
        if head.fields.contains(.grpcTimeout) {
            let parsed = head.fields.withFirstValue(of: .grpcTimeout) { GRPCTimeout.parse($0) }
            guard let nanoseconds = parsed.flatMap({ $0 }) else {
                throw RPCError(code: .internalError, message: "malformed grpc-timeout")
            }
            timeout = min(nanoseconds, maxTimeout.wholeNanoseconds)
        }
        return CallPlan(
            head: head,
            method: method,
            requestEncoding: encoding,
            acceptedEncodings: CompressionNegotiation.accepted(by: head.fields),
            timeoutNanoseconds: timeout
        )
    }
}

extension Duration {
    /// Nanoseconds, rounded down, within the range of 64 bits.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? Int64.min : Int64.max }
        let (sum, overflows) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflows ? Int64.max : sum
    }
}
