// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Testing

@testable import ClusterDNS

@Suite("The order of name servers")
struct ServerOrderTests {
    @Test("is that of the file while all answer")
    func file() {
        var order = ServerOrder(count: 3)
        for index in 0..<3 { order.note(index, hasAnswered: true, now: 5) }
        let all = order.next(now: 5)
        #expect(all == [0, 1, 2])
        var none = ServerOrder(count: 0)
        let empty = none.next(now: 0)
        #expect(empty.isEmpty)
    }

    @Test("puts one that did not answer last, until one question finds that it does")
    func silent() {
        var order = ServerOrder(count: 3)
        order.note(0, hasAnswered: false, now: 100)
        // At 110 its pause is over, and one question is enough to find out.
        for (now, wanted) in [
            (100, [1, 2, 0]), (109, [1, 2, 0]), (110, [0, 1, 2]), (110, [1, 2, 0]),
        ] as [(Int64, [Int])] {
            let found = order.next(now: now)
            #expect(found == wanted, "at \(now)")
        }
        order.note(0, hasAnswered: true, now: 112)
        let after = order.next(now: 112)
        #expect(after == [0, 1, 2])
    }

    @Test("has every server still when none answers")
    func all() {
        var order = ServerOrder(count: 2)
        for index in 0..<2 { order.note(index, hasAnswered: false, now: 0) }
        let found = order.next(now: 1)
        #expect(found == [0, 1])
    }
}
