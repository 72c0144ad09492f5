// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Synchronization
import Tasks
import Testing

@Suite("Tasks for a sequence") struct SequenceTasksTests {
    private struct Odd: Error, Equatable {
        var number: Int
    }

    /// What was begun, and how much of it was under way at once.
    private final class Record: Sendable {
        private let state = Mutex((begun: [Int](), running: 0, most: 0))

        func run(_ number: Int) async throws(Odd) {
            self.state.withLock { state in
                state.begun.append(number)
                state.running += 1
                state.most = Swift.max(state.most, state.running)
            }
            await Task.yield()
            self.state.withLock { $0.running -= 1 }
            if number % 2 == 1 { throw Odd(number: number) }
        }

        var begun: [Int] { self.state.withLock { $0.begun.sorted() } }
        var most: Int { self.state.withLock { $0.most } }
    }

    @Test("everything is done, whatever fails, and every failure is told")
    func everything() async {
        let record = Record()
        let failures = await (0..<10).failuresOfEach { number throws(Odd) in
            try await record.run(number)
        }
        #expect(record.begun == Array(0..<10))
        #expect(failures.map(\.number).sorted() == [1, 3, 5, 7, 9])
    }

    @Test("no more are under way than may be", arguments: [1, 2, 3])
    func limit(_ limit: Int) async {
        let record = Record()
        let failures = await (0..<50).failuresOfEach(atOnce: limit) { number throws(Odd) in
            try await record.run(number * 2)
        }
        #expect(failures.isEmpty)
        #expect(record.begun.count == 50)
        #expect(record.most <= limit)
    }

    @Test("nothing is begun after a failure when it is to end there")
    func ending() async {
        let record = Record()
        let failures = await (0..<50).failuresOfEach(atOnce: 1, endsAtFailure: true) {
            number throws(Odd) in
            try await record.run(number)
        }
        #expect(failures == [Odd(number: 1)])
        #expect(record.begun == [0, 1])
    }

    @Test("nothing is done for nothing")
    func nothing() async {
        let failures = await [Int]().failuresOfEach { number throws(Odd) in
            throw Odd(number: number)
        }
        #expect(failures.isEmpty)
    }
}
