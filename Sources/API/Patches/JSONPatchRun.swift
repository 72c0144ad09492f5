// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import JSON

/// A document while the operations of a patch change it.
struct JSONPatchRun {
    private(set) var document: DynamicValue
    private let copyLimit: Int
    private var copiedBytes = 0

    init(document: DynamicValue, copyLimit: Int) {
        self.document = document
        self.copyLimit = copyLimit
    }

    mutating func perform(_ operation: JSONPatch.Operation) throws(PatchError) {
        switch operation {
        case .add(let path, let value):
            try self.add(value, at: path, "add")
        case .remove(let path):
            try self.remove(at: path, "remove")
        case .replace(let path, let value):
            if path.isRoot {
                try self.setRoot(value, "replace")
            } else {
                try self.replace(at: path, with: value)
            }
        case .move(let from, let to):
            let value = try self.value(at: from, "move", "from path")
            try self.remove(at: from, "move")
            try self.add(value, at: to, "move")
        case .copy(let from, let to):
            let value = try self.value(at: from, "copy", "from path")
            self.copiedBytes += value.json().count
            if self.copyLimit > 0 && self.copiedBytes > self.copyLimit {
                throw .copiesTooLarge(limit: self.copyLimit)
            }
            try self.add(value, at: to, "copy")
        case .test(let path, let expected):
            try self.test(path, expected)
        case .unknown(let word):
            throw .inapplicable("Unexpected kind: \(word)")
        }
    }

    private mutating func setRoot(_ value: DynamicValue, _ word: String) throws(PatchError) {
        guard value.kind == .object || value.kind == .list else {
            throw .inapplicable("\(word) operation value must be object or array")
        }
        self.document = value
    }

    private func missing(_ word: String, _ what: String, _ path: JSONPointer) -> PatchError {
        .inapplicable("\(word) operation does not apply: doc is missing \(what): \(path.text)")
    }

    // MARK: - Reading

    private func value(
        at path: JSONPointer,
        _ word: String,
        _ what: String
    ) throws(PatchError) -> DynamicValue {
        guard path.isValid, !path.isRoot, let value = self.lookUp(path.parts[...]) else {
            throw self.missing(word, what, path)
        }
        return value
    }

    private func lookUp(_ parts: ArraySlice<String>) -> DynamicValue? {
        var value = self.document
        for part in parts {
            switch value.kind {
            case .object:
                guard let next = value[part] else { return nil }
                value = next
            case .list:
                guard let index = Self.index(part, count: value.count) else { return nil }
                value = value[index]
            case .null, .bool, .integer, .double, .string:
                return nil
            }
        }
        return value
    }

    private func test(_ path: JSONPointer, _ expected: DynamicValue) throws(PatchError) {
        let isEqual: Bool
        if path.isRoot {
            isEqual = Self.areEqual(self.document, expected)
        } else {
            let parent = path.isValid ? self.lookUp(path.parts.dropLast()) : nil
            guard let parent, parent.kind == .object || parent.kind == .list else {
                throw self.missing("test", "path", path)
            }
            let found = self.lookUp(path.parts[...])
            isEqual = found.map { Self.areEqual($0, expected) } ?? expected.isNull
        }
        if !isEqual { throw .inapplicable("testing value \(path.text) failed") }
    }

    /// Whether two values are equal as JSON: 1 and 1.0 are.
    private static func areEqual(_ left: DynamicValue, _ right: DynamicValue) -> Bool {
        switch (left.kind, right.kind) {
        case (.integer, .double), (.double, .integer): return left.double == right.double
        case (.list, .list):
            return left.count == right.count
                && zip(left.items, right.items).allSatisfy { self.areEqual($0, $1) }
        case (.object, .object):
            return left.count == right.count
                && zip(left.entries, right.entries).allSatisfy {
                    $0.key == $1.key && self.areEqual($0.value, $1.value)
                }
        default: return left == right
        }
    }

    /// The item that a part of a path names; nil when it is no number or out of range.
    private static func index(_ part: String, count: Int) -> Int? {
        guard let number = Int(part) else { return nil }
        let index = number < 0 ? number + count : number
        return (0..<count).contains(index) ? index : nil
    }

    // MARK: - Writing

    private mutating func add(
        _ value: DynamicValue,
        at path: JSONPointer,
        _ word: String
    ) throws(PatchError) {
        if path.isRoot { return try self.setRoot(value, word) }
        guard path.isValid, let last = path.parts.last else {
            throw self.missing(word, "path", path)
        }
        let missing = self.missing(word, "path", path)
        try Self.change(&self.document, path.parts.dropLast()) { parent throws(PatchError) in
            switch parent.kind {
            case .object:
                parent[last] = value
            case .list:
                if last == "-" {
                    parent.append(value)
                    return
                }
                guard let index = Self.index(last, count: parent.count + 1) else {
                    throw .inapplicable("Unable to access invalid index: \(last)")
                }
                parent.insert(value, at: index)
            case .null, .bool, .integer, .double, .string:
                throw missing
            }
        } orThrow: {
            missing
        }
    }

    private mutating func remove(at path: JSONPointer, _ word: String) throws(PatchError) {
        guard path.isValid, let last = path.parts.last else {
            throw self.missing(word, "path", path)
        }
        let missing = self.missing(word, "path", path)
        try Self.change(&self.document, path.parts.dropLast()) { parent throws(PatchError) in
            switch parent.kind {
            case .object:
                guard parent.removeValue(forKey: last) else {
                    throw .inapplicable("Unable to remove nonexistent key: \(last)")
                }
            case .list:
                guard let index = Self.index(last, count: parent.count) else {
                    throw .inapplicable("Unable to access invalid index: \(last)")
                }
                parent.remove(at: index)
            case .null, .bool, .integer, .double, .string:
                throw missing
            }
        } orThrow: {
            missing
        }
    }

    private mutating func replace(
        at path: JSONPointer,
        with value: DynamicValue
    ) throws(PatchError) {
        guard path.isValid, let last = path.parts.last else {
            throw self.missing("replace", "path", path)
        }
        let noPath = self.missing("replace", "path", path)
        let noKey = self.missing("replace", "key", path)
        try Self.change(&self.document, path.parts.dropLast()) { parent throws(PatchError) in
            switch parent.kind {
            case .object:
                guard parent[last] != nil else { throw noKey }
                parent[last] = value
            case .list:
                guard let index = Self.index(last, count: parent.count) else { throw noKey }
                parent[index] = value
            case .null, .bool, .integer, .double, .string:
                throw noPath
            }
        } orThrow: {
            noPath
        }
    }

    /// Changes the value at the end of a path in place.
    private static func change(
        _ value: inout DynamicValue,
        _ parts: ArraySlice<String>,
        _ body: (inout DynamicValue) throws(PatchError) -> Void,
        orThrow missing: () -> PatchError
    ) throws(PatchError) {
        guard let part = parts.first else { return try body(&value) }
        switch value.kind {
        case .object:
            try self.change(member: &value[part], parts.dropFirst(), body, orThrow: missing)
        case .list:
            guard let index = self.index(part, count: value.count) else { throw missing() }
            try self.change(&value[index], parts.dropFirst(), body, orThrow: missing)
        case .null, .bool, .integer, .double, .string:
            throw missing()
        }
    }

    private static func change(
        member: inout DynamicValue?,
        _ parts: ArraySlice<String>,
        _ body: (inout DynamicValue) throws(PatchError) -> Void,
        orThrow missing: () -> PatchError
    ) throws(PatchError) {
        // Taken out for the time of the change, so that its memory is referenced once. A throw
        // leaves the member out, and the document unused.
        guard var value = member.take() else { throw missing() }
        try self.change(&value, parts, body, orThrow: missing)
        member = value
    }
}
