// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

/// A place in a schema file, counted from zero.
///
/// Columns count bytes, and a tab leads to the next multiple of eight, so that positions equal those
/// that other compilers put into `SourceCodeInfo`.
public struct SourcePosition: Hashable, Sendable {
    /// Line, from zero.
    public var line: Int32
    /// Column, from zero.
    public var column: Int32

    /// Makes a position.
    public init(line: Int32, column: Int32) {
        self.line = line
        self.column = column
    }

    static let start = SourcePosition(line: 0, column: 0)
}

/// One finding of the compiler.
public struct Diagnostic: Hashable, Sendable {
    /// How bad it is.
    public enum Severity: String, Hashable, Sendable {
        /// Nothing can be generated.
        case error
        /// Worth a look; output is still made.
        case warning
    }

    public var severity: Severity
    /// Name of the file as imports spell it.
    public var file: String
    /// The place; nil when the finding is about the file as a whole.
    public var position: SourcePosition?
    /// What is wrong and what was expected instead.
    public var message: String

    /// Makes a finding.
    public init(
        severity: Severity,
        file: String,
        position: SourcePosition?,
        message: String,
    ) {
        self.severity = severity
        self.file = file
        self.position = position
        self.message = message
    }
}

extension Diagnostic: CustomStringConvertible {
    /// `file:line:column: severity: message` with line and column from one, as editors read it.
    public var description: String {
        guard let position = self.position else {
            return "\(self.file): \(self.severity.rawValue): \(self.message)"
        }
        let place = "\(self.file):\(position.line + 1):\(position.column + 1)"
        return "\(place): \(self.severity.rawValue): \(self.message)"
    }
}

/// Gathers findings up to `SchemaLimits.errorCount` errors.
final class DiagnosticCollector {
    private(set) var diagnostics: [Diagnostic] = []
    private(set) var errorCount = 0
    private var seen: Set<Diagnostic> = []

    /// Whether the limit is reached and looking for more makes no sense.
    var isFull: Bool { self.errorCount >= SchemaLimits.errorCount }

    func error(_ file: String, _ position: SourcePosition?, _ message: String) {
        guard !self.isFull, self.add(.error, file, position, message) else { return }
        self.errorCount += 1
        if self.isFull { _ = self.add(.error, file, nil, "too many errors, giving up") }
    }

    func warning(_ file: String, _ position: SourcePosition?, _ message: String) {
        guard self.diagnostics.count < 2 * SchemaLimits.errorCount else { return }
        _ = self.add(.warning, file, position, message)
    }

    /// Adds a finding unless it is there already.
    private func add(
        _ severity: Diagnostic.Severity,
        _ file: String,
        _ position: SourcePosition?,
        _ message: String,
    ) -> Bool {
        let finding = Diagnostic(
            severity: severity,
            file: file,
            position: position,
            message: message,
        )
        guard self.seen.insert(finding).inserted else { return false }
        self.diagnostics.append(finding)
        return true
    }
}
