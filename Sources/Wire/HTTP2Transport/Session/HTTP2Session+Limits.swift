// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CNghttp2
import HTTP

// MARK: - Rates

extension HTTP2Session {
    /// Counts the cheap frames of the last read against their limits.
    func checkCounters() {
        guard self.wantsInput else { return }
        let counters = self.recorder.pointee.counters
        self.recorder.pointee.counters = FrameRecorder.Counters()
        let cheapFrames = self.scanner.cheapFrames
        self.scanner.cheapFrames = 0
        var buckets = self.buckets ?? Buckets(self.limits, now: self.now)
        defer { self.buckets = buckets }
        let free = self.bytesSent / max(self.limits.windowUpdateFreeBytes, 1)
        self.bytesSent = counters.windowUpdates > 0 ? 0 : self.bytesSent
        let updates = max(counters.windowUpdates - free, 0)
        let provoked = max(counters.sentResets - self.ownResets, 0)
        self.ownResets = max(self.ownResets - counters.sentResets, 0)
        let now = self.now
        let checks: [(Int, WritableKeyPath<Buckets, TokenBucket>, HTTPLimit)] = [
            (counters.peerResets, \.peerResets, .streamResets),
            (provoked, \.provokedResets, .locallyResetStreams),
            (counters.settings, \.settings, .settings),
            (counters.pings, \.pings, .pings),
            (cheapFrames, \.priorities, .priorities),
            (counters.emptyData, \.emptyFrames, .emptyFrames),
            (updates, \.windowUpdates, .windowUpdates),
        ]
        for (count, path, limit) in checks where count > 0 {
            if !buckets[keyPath: path].take(count, now: now) {
                self.terminate(.enhanceYourCalm, .limitExceeded(limit))
                return
            }
        }
    }

    /// Ends the connection when control frames pile up for a peer that does not read.
    public func checkOutboundQueue() {
        guard self.wantsInput else { return }
        let queued = nghttp2_session_get_outbound_queue_size(self.native)
        if queued > self.limits.outboundControlFrames + 4 * self.streamCount {
            self.close(.limitExceeded(.outboundQueue))
        }
    }
}
