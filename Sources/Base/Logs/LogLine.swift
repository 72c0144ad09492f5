// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import Logging

/// What a line of a log says, and how it is written.
///
/// Sources: klog `internal/serialize/keyvalues.go`, upstream `component-base/logs/json`.
struct LogLine {
    var time: LogTime
    var process: Int32
    var level: Logger.Level
    /// The part of the program that says it.
    var label: String
    var message: String
    var file: String
    var line: UInt
    var metadata: Logger.Metadata
    var error: (any Error)?

    /// The line, with its end.
    func text(_ format: LogFormat) -> String {
        switch format {
        case .text: self.klog
        case .json: self.json
        }
    }

    /// The file without its module.
    private var fileName: Substring {
        self.file.split(separator: "/").last ?? "???"
    }

    /// What is said beside the message, in the order it is written.
    private var pairs: [(String, Logger.MetadataValue)] {
        var pairs: [(String, Logger.MetadataValue)] = []
        if let error = self.error { pairs.append(("err", .string("\(error)"))) }
        if !self.label.isEmpty { pairs.append(("logger", .string(self.label))) }
        return pairs + self.metadata.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

// MARK: - klog

extension LogLine {
    private var klog: String {
        let letter =
            switch self.level {
            case .trace, .debug, .info, .notice: "I"
            case .warning: "W"
            case .error, .critical: "E"
            }
        let time = self.time
        let date = Self.padded(time.month, 2) + Self.padded(time.day, 2)
        let clock = [time.hour, time.minute, time.second].map { Self.padded($0, 2) }
        let micros = Self.padded(Int(time.nanoseconds / 1_000), 6)
        let process = Self.padded(Int(self.process), 7, with: " ")
        var text = "\(letter)\(date) \(clock.joined(separator: ":")).\(micros) \(process) "
        text += "\(self.fileName):\(self.line)] "
        text += Self.quoted(self.message)
        for (key, value) in self.pairs { text += " \(key)=\(Self.klogValue(value))" }
        return text + "\n"
    }

    private static func klogValue(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): Self.quoted(text)
        case .stringConvertible(let number as any BinaryInteger): "\(number)"
        case .stringConvertible(let number as any BinaryFloatingPoint): "\(number)"
        case .stringConvertible(let flag as Bool): "\(flag)"
        case .stringConvertible(let other): Self.quoted("\(other)")
        case .array, .dictionary: Self.jsonValue(value)
        }
    }

    private static func padded(_ number: Int, _ width: Int, with pad: Character = "0") -> String {
        let digits = String(number)
        return String(repeating: pad, count: max(0, width - digits.count)) + digits
    }
}

// MARK: - JSON

extension LogLine {
    private var json: String {
        let micros = self.time.nanoseconds / 1_000
        let millis = self.time.seconds * 1_000 + micros / 1_000
        var text = "{\"ts\":\(millis).\(Self.padded(Int(micros % 1_000), 3))"
        text += ",\"caller\":\(Self.quoted("\(self.fileName):\(self.line)"))"
        text += ",\"msg\":\(Self.quoted(self.message))"
        switch self.level {
        case .trace: text += ",\"v\":6"
        case .debug: text += ",\"v\":4"
        case .info, .notice: text += ",\"v\":0"
        case .warning: text += ",\"v\":0,\"level\":\"warning\""
        case .error, .critical: break
        }
        for (key, value) in self.pairs {
            text += ",\(Self.quoted(key)):\(Self.jsonValue(value))"
        }
        return text + "}\n"
    }

    private static func jsonValue(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): Self.quoted(text)
        case .stringConvertible(let number as any BinaryInteger): "\(number)"
        case .stringConvertible(let flag as Bool): "\(flag)"
        case .stringConvertible(let number as Double) where number.isFinite: "\(number)"
        case .stringConvertible(let other): Self.quoted("\(other)")
        case .array(let values):
            "[" + values.map { Self.jsonValue($0) }.joined(separator: ",") + "]"
        case .dictionary(let values):
            "{"
                + values.sorted { $0.key < $1.key }
                .map { "\(Self.quoted($0.key)):\(Self.jsonValue($0.value))" }
                .joined(separator: ",") + "}"
        }
    }

    /// A JSON string, which is also how a line of text quotes: a line stays one line whatever is
    /// in it.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
