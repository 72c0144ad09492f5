// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc

/// Turns the signals that ask a process to end into a call.
///
/// The first SIGTERM or SIGINT calls the body, which ends what runs; a second one ends the process
/// at once, as upstream's components do.
enum Termination {
    /// The end of a pipe that the handler writes to: that is all a handler may do.
    private static let pipe: (read: Int32, write: Int32) = {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { return (-1, -1) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }()

    /// Waits for signals on a thread of its own.
    static func onSignal(_ body: @escaping @Sendable () -> Void) {
        // Made here, so that the handler finds it.
        guard Self.pipe.read >= 0 else { return }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(Context(body)).toOpaque()
        let code = pthread_create(&thread, nil, { Termination.wait($0) }, context)
        guard code == 0 else { return }
        pthread_detach(thread)
        for number in [SIGTERM, SIGINT] {
            signal(number) { _ in
                let saved = errno
                var byte: UInt8 = 0
                write(Termination.pipe.write, &byte, 1)
                errno = saved
            }
        }
    }

    private final class Context {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    private static func wait(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let context else { return nil }
        let body = Unmanaged<Context>.fromOpaque(context).takeRetainedValue().body
        var count = 0
        var byte: UInt8 = 0
        while true {
            let result = read(Self.pipe.read, &byte, 1)
            if result < 0, errno == EINTR { continue }
            guard result == 1 else { return nil }
            count += 1
            if count > 1 { _exit(1) }
            body()
        }
    }
}
