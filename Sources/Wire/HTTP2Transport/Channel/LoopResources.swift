// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import NIOCore
import NIOPosix

/// What the connections of one event loop share. Used on that loop only.
final class LoopResources {
    let writeBuffers = BufferPool()
    let readBuffers = ReadBufferPool()

    // SAFETY: each thread sees its own value, which is all that the variable is for.
    private nonisolated(unsafe) static let current = ThreadSpecificVariable<LoopResources>()

    /// The resources of the loop whose thread this is.
    static func ofCurrentThread() -> LoopResources {
        if let resources = self.current.currentValue { return resources }
        let resources = LoopResources()
        self.current.currentValue = resources
        return resources
    }
}
