// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// Times the parts of attempts for those who measure. The core reads no clock: it asks this.
///
/// Whole extension points are timed in every attempt; single plugins, which cost a look at the clock
/// each, in one of ten, as upstream does.
package final class CycleWatch {
    /// A part of an attempt, by upstream's names.
    package enum Point: String, Sendable {
        case preFilter = "PreFilter"
        case filter = "Filter"
        case postFilter = "PostFilter"
        case score = "Score"
    }

    /// What was timed.
    package struct Part {
        package let point: Point
        /// Nil for the whole point.
        package let plugin: PluginName?
        package let length: Duration
        package let isSuccess: Bool
    }

    /// Plugins are timed in one of so many attempts; upstream's `pluginMetricsSamplePercent` is 10.
    package static let sampling = 10

    private let now: () -> Duration
    private var attempts = 0
    private var parts: [Part] = []

    package init(now: @escaping () -> Duration) {
        self.now = now
    }

    /// Begins an attempt.
    func begin() { self.attempts += 1 }

    private var timesPlugins: Bool { self.attempts % Self.sampling == 1 }

    /// Hands over what was timed since.
    package func drain() -> [Part] {
        defer { self.parts.removeAll(keepingCapacity: true) }
        return self.parts
    }

    /// Times a whole point.
    func time<R>(_ point: Point, _ body: () -> R, isSuccess: (R) -> Bool) -> R {
        let start = self.now()
        let result = body()
        self.parts.append(
            Part(
                point: point,
                plugin: nil,
                length: self.now() - start,
                isSuccess: isSuccess(result)
            )
        )
        return result
    }

    /// Times a plugin, if this attempt is one of those.
    func time<R>(_ plugin: PluginName, _ point: Point, _ body: () -> R) -> R {
        guard self.timesPlugins else { return body() }
        let start = self.now()
        let result = body()
        let length = self.now() - start
        self.parts.append(Part(point: point, plugin: plugin, length: length, isSuccess: true))
        return result
    }
}
