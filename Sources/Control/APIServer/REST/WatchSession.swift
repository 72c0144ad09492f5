// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import HTTP
import KubernetesAPI
import NIOCore
import ObjectModel
import Protobuf
import WatchCache

/// A watch that is under way: sends events while there are any, and is no task while there are none.
///
/// A cluster has thousands of watches, of which nearly all wait nearly all the time. A task that
/// waits keeps the frames of all functions that it is in, some kilobytes; this object is what has to
/// be known to go on. After an event the watch waits as a task for a while, since others often
/// follow, and it costs less to resume a task than to start one.
///
// SAFETY: `@unchecked Sendable` because the variables belong to whoever runs the session: one task
// at a time, of which the next is started by the one wake-up that the last one has asked for.
final class WatchSession: WatchSleeper, @unchecked Sendable {
    private let watcher: Watcher
    private let output: WatchOutput
    private let frames: WatchFrames
    /// Makes tables of the events' objects; nil when they go out as they are.
    private let tabulator: Tabulator?
    private let shared: StoreCache
    private let deadline: ContinuousClock.Instant
    private let isWatchList: Bool
    private let allowsBookmarks: Bool
    private var nextBookmark: ContinuousClock.Instant
    private var hasColumns = true
    /// Where the watch goes on when it is woken; nil for one that waits as a task.
    var executor: EventLoopTaskExecutor?
    /// Until when the watch waits as a task after an event.
    private var lingersUntil: ContinuousClock.Instant?
    /// Whether there was an event since that was decided.
    private var isBusy = false

    /// How often an idle watch is told how far it is.
    private static let bookmarkInterval: Duration = .seconds(60)
    /// How long before its end a watch is told so once more.
    private static let lastBookmark: Duration = .seconds(2)
    /// How long no event comes before a watch stops to wait as a task.
    private static let lingering: Duration = .seconds(1)

    init(
        _ watcher: Watcher,
        _ output: WatchOutput,
        _ frames: WatchFrames,
        _ tabulator: Tabulator?,
        _ shared: StoreCache,
        deadline: ContinuousClock.Instant,
        isWatchList: Bool,
        allowsBookmarks: Bool
    ) {
        self.watcher = watcher
        self.output = output
        self.frames = frames
        self.tabulator = tabulator
        self.shared = shared
        self.deadline = deadline
        self.isWatchList = isWatchList
        self.allowsBookmarks = allowsBookmarks
        self.nextBookmark = deadline
        self.nextBookmark = self.bookmark(after: .now)
    }

    func wake() {
        Task(executorPreference: self.executor) { await self.run() }
    }

    /// Sends what there is; returns when the watch is over, or sleeps.
    func run() async {
        do {
            while ContinuousClock.now < self.deadline {
                let due = min(self.deadline, self.nextBookmark)
                if self.lingersUntil == nil, self.executor != nil,
                    self.watcher.sleep(until: due, self.shared.timers, self)
                {
                    return
                }
                let step = try await self.watcher.next(
                    until: min(due, self.lingersUntil ?? due),
                    self.shared.timers
                ) { self.shared.applied }
                let frames = try self.take(step)
                if !frames.isEmpty { try await self.output.send(frames) }
                if case .ending = step { break }
            }
            await self.output.finish()
        } catch let failure as Watcher.Failure {
            guard failure == .expired else { return }
            await self.frames.send(
                .expired("The resourceVersion for the provided watch is too old."),
                to: self.output
            )
        } catch let error as StatusError {
            await self.frames.send(error, to: self.output)
        } catch {
            // The client is gone.
        }
    }

    /// Takes note of what a watcher got.
    ///
    /// - Returns: what is to be sent of it.
    private func take(_ step: Watcher.Step) throws -> [ByteBuffer] {
        switch step {
        case .initial(let items):
            return try self.frames(of: items)
        case .events(let items):
            self.isBusy = true
            if self.lingersUntil == nil { self.lingersUntil = .now + Self.lingering }
            return try self.frames(of: items)
        case .initialEnd(let revision):
            guard self.isWatchList else { return [] }
            return [try self.frames.bookmark(revision, endsInitialEvents: true)]
        case .deadline(let revision):
            let now = ContinuousClock.now
            if let end = self.lingersUntil, now >= end {
                self.lingersUntil = self.isBusy ? now + Self.lingering : nil
                self.isBusy = false
            }
            guard now >= min(self.deadline, self.nextBookmark) else { return [] }
            self.nextBookmark = self.bookmark(after: now)
            return try self.bookmarks(revision)
        case .ending(let revision):
            return try self.bookmarks(revision)
        }
    }

    private func frames(of items: [Watcher.Item]) throws -> [ByteBuffer] {
        var frames: [ByteBuffer] = []
        frames.reserveCapacity(items.count)
        for item in items {
            frames.append(try self.frame(item))
            self.hasColumns = false
        }
        return frames
    }

    /// When the next bookmark is due: after a while of silence, and once more just before the end.
    /// Without bookmarks a watch sleeps until its end.
    private func bookmark(after now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        guard self.allowsBookmarks else { return self.deadline }
        let last = self.deadline - Self.lastBookmark
        return now < last ? min(now + Self.bookmarkInterval, last) : self.deadline
    }

    private func bookmarks(_ revision: Int64) throws -> [ByteBuffer] {
        guard self.allowsBookmarks else { return [] }
        return [try self.frames.bookmark(revision, endsInitialEvents: false)]
    }

    /// The bytes of an event; as a table only the first says what its columns are.
    private func frame(_ item: Watcher.Item) throws(StatusError) -> ByteBuffer {
        guard let tabulator = self.tabulator else { return try self.frames.frame(item) }
        let table = try tabulator.table(
            [.cached(item.object)],
            MetaV1.ListMeta.with { $0.resourceVersion = "\(item.object.revision)" },
            hasColumns: self.hasColumns
        )
        return WatchFrames.json(WatchFrames.name(item.kind), table)
    }
}

extension WatchFrames {
    /// Ends a watch by a failure.
    func send(_ error: StatusError, to output: WatchOutput) async {
        guard let frame = try? self.frame("ERROR", APIObject(error.status)) else { return }
        try? await output.send([frame])
        await output.finish()
    }
}
