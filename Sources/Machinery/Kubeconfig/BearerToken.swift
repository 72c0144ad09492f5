// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import Glibc
import Synchronization

/// The user's bearer token, from a file as it is now; keeps the files of its certificates alive.
package final class BearerToken: Sendable {
    private struct Cached {
        var token: String?
        var readAtSeconds: Int
    }

    /// How long a token from a file is used before it is read again; upstream's choice.
    private static let cacheSeconds = 60

    private let token: String?
    private let path: String?
    private let files: [MemoryFile]
    private let cached = Mutex<Cached?>(nil)

    init(token: String?, path: String?, files: [MemoryFile]) {
        self.token = token
        self.path = path
        self.files = files
    }

    /// The token now; nil for none.
    package func current() -> String? {
        guard let path = self.path else { return self.token }
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let now = time.tv_sec
        return self.cached.withLock { cached in
            if let cached, now - cached.readAtSeconds < Self.cacheSeconds { return cached.token }
            // A file that cannot be read leaves the token that was; the server judges it.
            let text = (try? ConfigFile.read(path)).map { String(decoding: $0, as: UTF8.self) }
            let token = text.map { String($0.trimmingWhiteSpace()) } ?? cached?.token ?? self.token
            cached = Cached(token: token, readAtSeconds: now)
            return token
        }
    }
}

extension String {
    /// Without blanks and line ends at both ends.
    fileprivate func trimmingWhiteSpace() -> Substring {
        var text = self[...]
        while let last = text.last, last.isWhitespace { text.removeLast() }
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        return text
    }
}
