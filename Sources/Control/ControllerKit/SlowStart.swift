// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import ObjectModel
import Tasks

/// Does the same thing many times: once, then twice as many at a time while all goes well, so that
/// what cannot work is not tried a thousand times.
///
/// Source: upstream `pkg/controller/replicaset/replica_set.go`, slowStartBatch.
package enum SlowStart {
    /// - Returns: how many succeeded, and the first failure.
    package static func run(
        _ count: Int,
        _ body: @escaping @Sendable (Int) async throws(StatusError) -> Void
    ) async -> (succeeded: Int, failure: StatusError?) {
        var done = 0
        var size = 1
        while done < count {
            let batch = min(size, count - done)
            let start = done
            let failures = await (start..<start + batch).failuresOfEach(body)
            done += batch - failures.count
            if let first = failures.first { return (done, first) }
            size *= 2
        }
        return (done, nil)
    }
}
