// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Which of several name servers is asked first: in the order of the host's `resolv.conf`, those that
/// did not answer lately at the end, so that one that is away costs its time once and not every
/// question.
struct ServerOrder {
    /// For how long a server that did not answer comes last.
    static let pauseSeconds: Int64 = 10

    /// By server: until when it comes last; nil when it answers.
    private var silentUntil: [Int64?]

    init(count: Int) { self.silentUntil = Array(repeating: nil, count: count) }

    /// The servers for a question that comes now. When a server's pause is over, one question tries
    /// it; the others wait for what becomes of that.
    mutating func next(now: Int64) -> [Int] {
        var first: [Int] = []
        var last: [Int] = []
        for index in self.silentUntil.indices {
            guard let end = self.silentUntil[index] else {
                first.append(index)
                continue
            }
            if now >= end {
                self.silentUntil[index] = now + Self.pauseSeconds
                first.append(index)
            } else {
                last.append(index)
            }
        }
        return first + last
    }

    mutating func note(_ index: Int, hasAnswered: Bool, now: Int64) {
        self.silentUntil[index] = hasAnswered ? nil : now + Self.pauseSeconds
    }
}
