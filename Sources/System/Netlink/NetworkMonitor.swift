// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// Hears from the kernel when links, addresses or routes of this machine change: a link that goes
/// down takes the routes through it along without a word about them.
public enum NetworkMonitor {
    /// Groups of rtnetlink(7): links, addresses and routes of both families.
    private static let groups: UInt32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400

    /// Calls `changed` from a thread of its own after each change, until `end` of what it returns is
    /// called.
    public static func start(
        _ changed: @escaping @Sendable () -> Void
    ) throws(NetlinkError) -> Subscription {
        let socket = try NetlinkSocket(.route, groups: self.groups)
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw NetlinkError(operation: "make a pipe", errno: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let work = Work(socket: socket, end: ends[0], changed: changed)
        var thread = pthread_t()
        let code = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            },
            Unmanaged.passRetained(work).toOpaque()
        )
        guard code == 0 else {
            Unmanaged.passUnretained(work).release()
            close(ends[0])
            close(ends[1])
            throw NetlinkError(operation: "start a thread", errno: code)
        }
        pthread_detach(thread)
        return Subscription(descriptor: ends[1])
    }

    /// Ends the calls.
    public struct Subscription: Sendable {
        let descriptor: Int32

        /// Once.
        public func end() { close(self.descriptor) }
    }

    /// What the thread has.
    private final class Work {
        private let socket: NetlinkSocket
        private let end: Int32
        private let changed: @Sendable () -> Void

        init(socket: NetlinkSocket, end: Int32, changed: @escaping @Sendable () -> Void) {
            self.socket = socket
            self.end = end
            self.changed = changed
        }

        func run() {
            defer { close(self.end) }
            var waits = [
                pollfd(fd: self.socket.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: self.end, events: 0, revents: 0),
            ]
            while true {
                let count = poll(&waits, nfds_t(waits.count), -1)
                if count < 0, errno == EINTR { continue }
                // The other end of the pipe is closed.
                if count < 0 || waits[1].revents != 0 { return }
                // Messages that did not fit are an error as well, and a change.
                _ = try? self.socket.receive("hear of changes")
                self.changed()
            }
        }
    }
}
