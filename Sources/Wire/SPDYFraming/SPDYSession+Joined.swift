// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

extension SPDYSession.Event {
    /// The same events with data that follow one another on a stream as one.
    ///
    /// Peers cut what they write into small frames; whoever passes it on needs no such cuts.
    package static func joined(_ events: [Self]) -> [Self] {
        guard events.count > 1 else { return events }
        var result: [Self] = []
        var rest = events[...]
        while let first = rest.first {
            guard case .data(let stream, _, _) = first else {
                result.append(first)
                rest.removeFirst()
                continue
            }
            var parts: [ArraySlice<UInt8>] = []
            var isOver = false
            while !isOver, case .data(stream, let bytes, let isEnd)? = rest.first {
                parts.append(bytes)
                isOver = isEnd
                rest.removeFirst()
            }
            result.append(.data(stream: stream, self.whole(parts), isEnd: isOver))
        }
        return result
    }

    private static func whole(_ parts: [ArraySlice<UInt8>]) -> ArraySlice<UInt8> {
        if parts.count == 1, let only = parts.first { return only }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(parts.reduce(0) { $0 + $1.count })
        for part in parts { bytes += part }
        return bytes[...]
    }
}
