// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import DNSMessages

/// Answers messages: from the cluster's zone, or by asking on.
struct DNSResolver: Sendable {
    let zone: ClusterZone
    let forwarder: Forwarder
    /// Another number after every change of the cluster.
    let generation: @Sendable () -> UInt64

    /// What becomes of a message.
    enum Step: Sendable {
        /// The type is that of the question; nil when it could not be read.
        case answer([UInt8], DNSType?)
        case forward(DNSQuery)
        /// Nobody can be answered.
        case silence
    }

    /// The answer, as far as it needs no other server.
    func step(_ message: some Collection<UInt8>, limit: (DNSQuery) -> Int) -> Step {
        let query: DNSQuery
        do throws(DNSQuery.Failure) {
            query = try DNSQuery(parsing: message)
        } catch {
            switch error {
            case .silent: return .silence
            case .malformed(let id): return .answer(DNSAnswer.failure(.formatError, id: id), nil)
            case .notImplemented(let id):
                return .answer(DNSAnswer.failure(.notImplemented, id: id), nil)
            }
        }
        if let extensions = query.extensions, extensions.version > 0 {
            return .answer(
                DNSAnswer(.badVersion).message(to: query, limit: limit(query)),
                query.type
            )
        }
        guard query.recordClass == DNSQuery.internet else {
            return .answer(
                DNSAnswer(.refused).message(to: query, limit: limit(query)),
                query.type
            )
        }
        if let answer = self.zone.answer(query) {
            return .answer(answer.message(to: query, limit: limit(query)), query.type)
        }
        return .forward(query)
    }

    /// Gives the answer of another server, or SERVFAIL, to `send` when it has come.
    func forward(
        _ message: [UInt8],
        _ query: DNSQuery,
        overTCP: Bool,
        limit: Int,
        send: @escaping @Sendable ([UInt8]) -> Void
    ) {
        // Bounded by the forwarder's limit and time-outs.
        Task {
            send(await self.forwarded(message, query, overTCP: overTCP, limit: limit))
        }
    }

    private func forwarded(
        _ message: [UInt8],
        _ query: DNSQuery,
        overTCP: Bool,
        limit: Int
    ) async -> [UInt8] {
        if let answer = await self.forwarder.answer(message, query, overTCP: overTCP) {
            if answer.count <= limit { return answer }
            // The asker comes again over TCP.
            var answer = Array(answer.prefix(12)) + query.question
            answer[2] |= 0x02
            for index in 6..<12 { answer[index] = 0 }
            return answer
        }
        var failure = DNSAnswer(.serverFailure)
        failure.isAuthoritative = false
        return failure.message(to: query, limit: limit)
    }
}
