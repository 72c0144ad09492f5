// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import ClusterControllers
import Scalars
import Testing

@Suite("QuotaLedger") struct QuotaLedgerTests {
    private static func used(_ round: QuotaLedger.Round, known: Int64?, counted: Int64) -> Int64 {
        round.used("pods", known: known.map { Quantity($0) }, counted: Quantity(counted)).value
    }

    @Test(
        "a number goes up to what is there, and down by what has gone",
        arguments: [
            // stands there, is there, has gone; stands there then
            (nil, 2, 0, 2), (0, 0, 0, 0), (1, 2, 0, 2),
            // One is under way: it must not be taken back.
            (2, 1, 0, 2), (3, 1, 1, 2), (3, 3, 1, 3), (1, 0, 1, 0), (0, 0, 1, 0),
        ] as [(Int64?, Int64, Int64, Int64)]
    )
    func used(_ known: Int64?, _ counted: Int64, _ gone: Int64, _ expected: Int64) {
        var ledger = QuotaLedger()
        if gone > 0 { ledger.release(["pods": Quantity(gone)]) }
        let round = ledger.begin(at: .seconds(1))
        #expect(Self.used(round, known: known, counted: counted) == expected)
        // What has been taken is not taken twice.
        #expect(ledger.begin(at: .seconds(1)).released.isEmpty)
    }

    @Test("what has gone is kept when it could not be written")
    func giveBack() {
        var ledger = QuotaLedger()
        ledger.release(["pods": Quantity(1)])
        let round = ledger.begin(at: .zero)
        ledger.release(["pods": Quantity(2), "services": Quantity(1)])
        ledger.giveBack(round, at: .zero)
        #expect(ledger.begin(at: .zero).released == ["pods": Quantity(3), "services": Quantity(1)])
    }

    @Test("numbers are what is there when nothing can be under way")
    func recount() {
        var ledger = QuotaLedger()
        ledger.recount(at: .seconds(100))
        ledger.recount(at: .seconds(200))
        #expect(!ledger.begin(at: .seconds(99)).isRecount)
        let round = ledger.begin(at: .seconds(100))
        #expect(round.isRecount)
        #expect(Self.used(round, known: 4, counted: 2) == 2)
        #expect(!ledger.begin(at: .seconds(200)).isRecount)
        // Not written: it is still to be done.
        ledger.giveBack(round, at: .seconds(200))
        #expect(ledger.begin(at: .seconds(200)).isRecount)
    }

    @Test("a recount waits until the last admission is long ago")
    func settling() {
        var ledger = QuotaLedger()
        ledger.charge(at: .zero, recountAfter: .seconds(300))
        ledger.charge(at: .seconds(290), recountAfter: .seconds(300))
        let early = ledger.begin(at: .seconds(300))
        #expect(!early.isRecount)
        #expect(early.lookAgain == .seconds(290) + QuotaLedger.settling)
        #expect(ledger.begin(at: .seconds(290) + QuotaLedger.settling).isRecount)
    }
}
