// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NIOPosix

/// Threads for calls that block: disks, mounts, cgroups.
enum HostThreads {
    /// Runs `body` on such a thread.
    static func run<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { continuation in
            NIOThreadPool.singleton.submit { _ in continuation.resume(returning: body()) }
        }
    }

    /// Runs `body` on such a thread.
    static func run<T: Sendable, E: Error>(
        throwing body: @escaping @Sendable () throws(E) -> T
    ) async throws(E) -> T {
        let result: Result<T, E> = await self.run {
            do throws(E) { return .success(try body()) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
