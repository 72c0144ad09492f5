// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import KeyValueStore

/// Reads a watch stream for a test: never for longer than a test may take.
public struct WatchReader: Sendable {
    /// How long to wait for a response that has to come.
    public static let patience: Duration = .seconds(30)

    public let stream: any WatchStream

    public init(_ stream: any WatchStream) {
        self.stream = stream
    }

    /// The next response.
    public func next(
        file: String = #fileID,
        line: Int = #line
    ) async throws -> WatchResponse {
        let stream = self.stream
        return try await withThrowingTaskGroup(of: WatchResponse?.self) { group in
            group.addTask { try await stream.next() }
            group.addTask {
                try await Task.sleep(for: Self.patience)
                return nil
            }
            let first = try await group.next() ?? nil
            group.cancelAll()
            guard let first else {
                throw BehaviorFailure(message: "no response came", file: file, line: line)
            }
            return first
        }
    }

    /// Starts a watcher; answers its number and the revision it was created at.
    @discardableResult
    public func create(
        _ request: WatchCreateRequest,
        file: String = #fileID,
        line: Int = #line
    ) async throws -> WatchResponse {
        try await self.stream.create(request)
        while true {
            let response = try await self.next(file: file, line: line)
            if response.created { return response }
        }
    }

    /// The next `count` events, of any watcher of the stream.
    public func events(
        _ count: Int,
        file: String = #fileID,
        line: Int = #line
    ) async throws -> [Event] {
        var events: [Event] = []
        while events.count < count {
            let response = try await self.next(file: file, line: line)
            try expect(
                !response.canceled,
                "canceled: \(response.cancelReason)",
                file: file,
                line: line
            )
            events.append(contentsOf: response.events)
        }
        return events
    }
}
