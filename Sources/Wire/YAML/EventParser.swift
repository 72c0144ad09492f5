// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

internal import CYAML

/// libyaml's parser over bytes in memory: the one owner of its handle.
///
/// The bytes have to outlive the parser.
@safe struct EventParser: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let event: UnsafeMutablePointer<yaml_event_t>
    private let bytes: UnsafeRawBufferPointer
    private(set) var view = unsafe apus_yaml_event_view()

    init(_ bytes: UnsafeRawBufferPointer) throws(YAMLError) {
        unsafe self.parser = .allocate(capacity: 1)
        unsafe self.event = .allocate(capacity: 1)
        unsafe self.event.initialize(to: yaml_event_t())
        unsafe self.bytes = bytes
        // On failure, libyaml leaves the parser in a state that may be deleted.
        guard unsafe yaml_parser_initialize(self.parser) == 1 else { throw .outOfMemory }
        let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe yaml_parser_set_input_string(self.parser, start, bytes.count)
    }

    deinit {
        unsafe yaml_event_delete(self.event)
        unsafe yaml_parser_delete(self.parser)
        unsafe self.event.deallocate()
        unsafe self.parser.deallocate()
    }

    /// Goes on to the next event, which `view` then describes.
    mutating func next() throws(YAMLError) {
        unsafe yaml_event_delete(self.event)
        guard unsafe apus_yaml_parse(self.parser, self.event, &self.view) == 1 else {
            throw self.error
        }
    }

    /// The error that the parser stopped with.
    ///
    /// goyaml prints the line as the parser has it, from zero, and adds one for errors of the scanner
    /// only; it does not print line zero.
    private var error: YAMLError {
        let problem = unsafe apus_yaml_get_problem(self.parser)
        if unsafe problem.type == Int32(YAML_MEMORY_ERROR.rawValue) {
            return .outOfMemory
        }
        let text = unsafe problem.problem.map { unsafe String(cString: $0) }
        var line = unsafe problem.problem_line
        if line > 0 {
            line += unsafe problem.type == Int32(YAML_SCANNER_ERROR.rawValue) ? 1 : 0
        } else {
            line = unsafe problem.context_line
        }
        let message = text ?? "unknown problem parsing YAML content"
        var position = unsafe (line: problem.problem_line + 1, column: problem.problem_column + 1)
        if unsafe problem.type == Int32(YAML_READER_ERROR.rawValue) {
            position = unsafe self.position(ofByte: problem.problem_offset)
        }
        return .syntax(
            line: position.line,
            column: position.column,
            problem: message,
            description: "yaml: \(line > 0 ? "line \(line): " : "")\(message)"
        )
    }

    /// The line and the byte within it, from one.
    private func position(ofByte offset: Int) -> (line: Int, column: Int) {
        var position = (line: 1, column: 1)
        for index in unsafe self.bytes.indices.prefix(offset) {
            if unsafe self.bytes[index] == UInt8(ascii: "\n") {
                position = (position.line + 1, 1)
            } else {
                position.column += 1
            }
        }
        return position
    }
}
