// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Flags
public import Logging

/// The flags of logging that every component has, and the loggers they make.
///
/// Source: upstream `component-base/logs/api/v1/options.go`.
public enum LogFlags {
    /// `-v`: 0 to 3 log what an operator needs, 4 and 5 what explains it, more log everything.
    public static let verbosity = Flag(
        "v",
        shorthand: "v",
        default: 0,
        help: "number for the log `Level` verbosity"
    )
    /// `--logging-format`.
    public static let format = Flag(
        "logging-format",
        default: LogFormat.text,
        help: "sets the log format. Permitted formats: \"json\", \"text\"."
    )
    /// `--log-flush-frequency`, which has nothing to do here: every line is written at once.
    public static let flushFrequency = Flag(
        "log-flush-frequency",
        default: Duration.seconds(5),
        help: "accepted for compatibility; lines are not held back"
    )

    /// All of them.
    public static let all: [any AnyFlag] = [
        LogFlags.verbosity, LogFlags.format, LogFlags.flushFrequency,
    ]

    /// A logger as the command line wants it.
    public static func logger(_ label: String, _ flags: ParsedFlags) -> Logger {
        Logger(label: label, verbosity: flags[self.verbosity], format: flags[self.format])
    }
}

extension LogFormat: FlagValue {
    public static var flagTypeName: String { "string" }

    public init?(flag text: String) {
        self.init(rawValue: text)
    }

    public var flagDescription: String? { "\"\(self.rawValue)\"" }
}

extension Logger {
    /// A logger that writes lines to standard error.
    public init(label: String, verbosity: Int, format: LogFormat = .text) {
        let level = Logger.Level(verbosity: verbosity)
        self.init(label: label) { label in
            LineLogHandler(label: label, format: format, level: level)
        }
    }
}

extension Logger.Level {
    /// The least level that klog's verbosity lets through.
    public init(verbosity: Int) {
        self =
            switch verbosity {
            case ...3: .info
            case 4...5: .debug
            default: .trace
            }
    }
}
