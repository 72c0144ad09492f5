// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension Sequence where Element: Sendable {
    /// Does something with each element, each in a task of its own, and waits for all of them.
    ///
    /// - Parameters:
    ///   - limit: how many may be under way at once.
    ///   - endsAtFailure: whether nothing new is begun after a failure; what is under way goes on.
    ///   - body: what is done.
    /// - Returns: the failures, in the order in which they came.
    package func failuresOfEach<Failure>(
        atOnce limit: Int = .max,
        endsAtFailure: Bool = false,
        _ body: @escaping @Sendable (Element) async throws(Failure) -> Void
    ) async -> [Failure] {
        await withTaskGroup(of: Failure?.self) { group in
            var failures: [Failure] = []
            var running = 0
            for element in self {
                if running == limit, let result = await group.next() {
                    running -= 1
                    if let failure = result { failures.append(failure) }
                }
                if endsAtFailure, !failures.isEmpty { break }
                running += 1
                group.addTask {
                    do throws(Failure) {
                        try await body(element)
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            for await case let failure? in group { failures.append(failure) }
            return failures
        }
    }
}
