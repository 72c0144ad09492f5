// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import Logging
import NodeHost
import PodLifecycle
import RPCInterface

/// Keeps the logs of running containers short: a log that has grown too large is put aside and the
/// runtime begins a new one.
///
/// Logs are looked at in intervals, sooner when one grows so fast that it would be too large by then.
///
/// Source: upstream `pkg/kubelet/logs/container_log_manager.go`.
struct LogRotator: Sendable {
    /// How a log has grown.
    struct Growth: Sendable {
        private var size: Int64
        private var time: ContinuousClock.Instant

        init(size: Int64, time: ContinuousClock.Instant) {
            self.size = size
            self.time = time
        }

        /// Until the log reaches `limit` if it goes on growing so; nil when it does not grow.
        mutating func next(
            size: Int64,
            limit: Int64,
            now: ContinuousClock.Instant
        ) -> Duration? {
            defer { self = Growth(size: size, time: now) }
            let elapsed = now - self.time
            guard size > self.size, elapsed > .zero else { return nil }
            let share = Double(limit - size) / Double(size - self.size)
            return elapsed * min(max(0, share), 1000)
        }
    }

    /// Between looks at logs that grow fast.
    static let minimumPause: Duration = .seconds(1)

    let client: RuntimeClient
    let observer: RuntimeObserver
    let settings: KubeletSettings
    let logger: Logger

    /// Rotates until the task is cancelled.
    func run() async {
        guard self.settings.logMaximumBytes > 0 else { return }
        var growths: [String: Growth] = [:]
        while !Task.isCancelled {
            let pause = await self.pass(&growths)
            try? await Task.sleep(for: pause)
        }
    }

    /// Looks at every log once.
    ///
    /// - Returns: when to look again.
    private func pass(_ growths: inout [String: Growth]) async -> Duration {
        var pause = self.settings.logMonitorInterval
        var seen: [String: Growth] = [:]
        for runtime in self.observer.pods.values {
            for record in runtime.running where !record.logPath.isEmpty {
                let path = record.logPath
                let size = await HostThreads.run {
                    HostFiles.status(path).map { Int64($0.st_size) }
                }
                guard let size else {
                    // Put aside by a run of ours that was ended before the runtime heard of it.
                    await self.reopen(record)
                    continue
                }
                let limit = self.settings.logMaximumBytes
                if size >= limit {
                    await self.rotate(record)
                    pause = min(pause, Self.minimumPause)
                    continue
                }
                let now = ContinuousClock.now
                var growth = growths[record.id] ?? Growth(size: size, time: now)
                if let left = growth.next(size: size, limit: limit, now: now) {
                    pause = min(pause, max(left, Self.minimumPause))
                }
                seen[record.id] = growth
            }
        }
        growths = seen
        return pause
    }

    private func reopen(_ record: ContainerRecord) async {
        do throws(RPCError) {
            try await self.client.reopenLog(record.id)
        } catch {
            guard !error.isNotFound else { return }
            self.failed(record, "\(error)")
        }
    }

    private func rotate(_ record: ContainerRecord) async {
        let path = record.logPath
        let maximum = self.settings.logMaximumFiles
        let now = WallClock.now / 1_000_000_000
        do throws(HostError) {
            let aside = try await HostThreads.run { () throws(HostError) -> String? in
                try Self.prepare(path, maximum: maximum, now: now)
            }
            guard let aside else { return }
            do throws(RPCError) {
                try await self.client.reopenLog(record.id)
            } catch {
                // The runtime goes on writing to the old file, which must have its name back.
                await HostThreads.run { _ = Glibc.rename(aside, path) }
                self.failed(record, "\(error)")
            }
        } catch {
            self.failed(record, "\(error)")
        }
    }

    private func failed(_ record: ContainerRecord, _ problem: String) {
        self.logger.error(
            "a log cannot be rotated",
            metadata: ["path": "\(record.logPath)", "error": "\(problem)"]
        )
    }

    /// Makes room and puts the log aside. Blocks.
    ///
    /// - Returns: where the log is now; nil when one was put aside in the same second.
    static func prepare(_ path: String, maximum: Int, now: Int64) throws(HostError) -> String? {
        guard let slash = path.lastIndex(of: "/") else { return nil }
        let folder = String(path[..<slash])
        let name = String(path[path.index(after: slash)...])
        let aside = "\(folder)/\(RotatedLogs.name(of: name, at: now))"
        guard !HostFiles.exists(aside), !HostFiles.exists(aside + GzipFile.suffix) else {
            return nil
        }
        let logs = RotatedLogs(of: name, among: HostFiles.list(folder), maximum: maximum)
        for old in logs.removals { HostFiles.remove("\(folder)/\(old)") }
        for old in logs.compressions { try GzipFile.compress("\(folder)/\(old)") }
        guard Glibc.rename(path, aside) == 0 else { throw HostError("rename", path) }
        return aside
    }
}
