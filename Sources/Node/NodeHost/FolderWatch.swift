// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import NIOCore
import NIOPosix

/// Tells when something in a folder has changed.
///
/// Where the kernel cannot watch, nothing is told; whoever uses it also looks in long intervals.
package final class FolderWatch: Sendable {
    private let channel: any Channel

    /// Watches a folder until it is closed.
    ///
    /// - Parameter writes: whether to tell of every write to a file, not of its end alone.
    package static func start(
        _ folder: String,
        writes: Bool = false,
        onChange: @escaping @Sendable () -> Void
    ) async -> FolderWatch? {
        let descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard descriptor >= 0 else { return nil }
        var mask = UInt32(IN_CREATE | IN_DELETE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO)
        if writes { mask |= UInt32(IN_MODIFY) }
        guard inotify_add_watch(descriptor, folder, mask) >= 0 else {
            close(descriptor)
            return nil
        }
        guard
            let channel = try? await NIOPipeBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelInitializer({ channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Listener(onChange))
                    }
                })
                .takingOwnershipOfDescriptor(input: descriptor).get()
        else { return nil }
        return FolderWatch(channel)
    }

    private init(_ channel: any Channel) {
        self.channel = channel
    }

    package func stop() {
        self.channel.close(promise: nil)
    }

    private final class Listener: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let onChange: @Sendable () -> Void

        init(_ onChange: @escaping @Sendable () -> Void) {
            self.onChange = onChange
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.onChange()
        }
    }
}
