// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Glibc
public import Logging

/// Writes what is logged as lines of text or JSON.
///
/// A line is one `write`, so lines of several threads and processes do not mix.
public struct LineLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    public var logLevel: Logger.Level

    private let label: String
    private let format: LogFormat
    private let write: @Sendable (String) -> Void

    /// A handler.
    ///
    /// - Parameters:
    ///   - label: The part of the program that logs.
    ///   - level: The least that is written.
    ///   - write: Takes a line with its end; standard error when left out.
    public init(
        label: String,
        format: LogFormat = .text,
        level: Logger.Level = .info,
        write: @escaping @Sendable (String) -> Void = Self.writeToStandardError
    ) {
        self.label = label
        self.format = format
        self.logLevel = level
        self.write = write
    }

    public subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var metadata = self.metadata
        if let provided = self.metadataProvider?.get() {
            metadata.merge(provided) { $1 }
        }
        if let own = event.metadata {
            metadata.merge(own) { $1 }
        }
        let line = LogLine(
            time: .now(),
            process: getpid(),
            level: event.level,
            label: self.label,
            message: "\(event.message)",
            file: event.file,
            line: event.line,
            metadata: metadata,
            error: event.error
        )
        self.write(line.text(self.format))
    }

    /// Writes to standard error. What a closed or full one does not take is lost, as there is
    /// nowhere left to say so.
    public static func writeToStandardError(_ line: String) {
        var rest = Array(line.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
