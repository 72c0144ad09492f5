// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// Fuzzes YAML in both directions.
//
// Strategy: each input is read as YAML (libyaml, or the short way when it is JSON), as a stream of
// documents in pieces, and as JSON to print. Limits are small, so that both sides of them are met.
// The corpus is the fixtures of the YAML tests.
//
// Invariants:
// - what is read as YAML is JSON: it prints as YAML, and that reads as the same JSON again (but for the
//   keys `<<`, which goyaml prints without quotes);
// - what is printed reads as YAML, and what that gives survives the same round trip;
// - looking for duplicate keys changes nothing about the JSON, and finds none without telling;
// - a stream has the same documents in whatever pieces it arrives;
// - output is within its limit.
// An input that is neither gives an error, with a line and a column from one. Nothing traps.

import YAML

/// Checks one input; libFuzzer calls it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzYAML(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = UnsafeRawBufferPointer(start: start, count: count)
    checkReading(text)
    checkPrinting(text)
    checkSplitting(Array(text))
    return 0
}

private let limits: YAML.Limits = {
    var limits = YAML.Limits()
    limits.bytes = 1 << 16
    limits.depth = 60
    limits.flowDepth = 40
    limits.nodes = 5_000
    limits.outputBytes = 1 << 18
    limits.tagDirectives = 4
    limits.tagBytes = 1 << 12
    return limits
}()

/// The same with room for what conversions add.
private let wideLimits: YAML.Limits = {
    var limits = YAML.Limits()
    limits.bytes = 1 << 24
    limits.outputBytes = 1 << 26
    limits.flowDepth = 1_000
    return limits
}()

private func checkReading(_ text: UnsafeRawBufferPointer) {
    let conversion: YAML.Conversion
    do {
        conversion = try YAML.convert(text, limits: limits)
    } catch {
        if case .syntax(let line, let column, _, _) = error {
            precondition(line >= 1 && column >= 1, "no position: \(error)")
        }
        precondition(!error.description.isEmpty, "no description")
        precondition(!((try? YAML.json(from: text, limits: limits)) != nil), "read after all")
        return
    }
    precondition(conversion.json.count <= limits.outputBytes, "more than allowed")
    let lenient = try? YAML.json(from: text, limits: limits)
    precondition(lenient == conversion.json, "other JSON")
    let strict = try? YAML.json(from: text, duplicateKeys: .refused, limits: limits)
    precondition((strict == nil) == !conversion.duplicateKeys.isEmpty, "duplicates untold")
    checkRoundTrip(conversion.json)
}

private func checkPrinting(_ text: UnsafeRawBufferPointer) {
    guard let printed = try? YAML.text(fromJSON: text, limits: limits) else { return }
    precondition(printed.last == UInt8(ascii: "\n"), "no line feed at the end")
    guard !hasMergeKey(printed) else { return }
    guard let json = try? YAML.json(from: printed, limits: wideLimits) else {
        fatalError("printed, but not read")
    }
    // Numbers are in their normal form now: 1e7 has become 10000000.
    checkRoundTrip(json)
}

private func checkRoundTrip(_ json: [UInt8]) {
    guard let printed = try? YAML.text(fromJSON: json, limits: wideLimits) else {
        fatalError("not printed")
    }
    guard !hasMergeKey(printed) else { return }
    guard let back = try? YAML.json(from: printed, limits: wideLimits) else {
        fatalError("not read back")
    }
    // A number that is minus zero is printed as the integer 0. Bytes that are not UTF-8 become an escaped
    // U+FFFD, which then is a character like any other.
    precondition(
        back == json || contains(json, "-0") || contains(json, "\\ufffd"),
        "read back as something else"
    )
    let again = try? YAML.text(fromJSON: back, limits: wideLimits)
    precondition(again == printed, "printed in another way")
}

/// Whether the text may have a key `<<`.
private func hasMergeKey(_ text: [UInt8]) -> Bool {
    contains(text, "<<")
}

private func contains(_ text: [UInt8], _ part: StaticString) -> Bool {
    let count = part.utf8CodeUnitCount
    return text.indices.dropLast(count - 1).contains { index in
        (0..<count).allSatisfy { text[index + $0] == part.utf8Start[$0] }
    }
}

private func checkSplitting(_ bytes: [UInt8]) {
    func documents(pieces size: Int) -> ([[UInt8]], YAMLError?) {
        var splitter = YAML.DocumentSplitter(maximumDocumentBytes: 1 << 12)
        var documents: [[UInt8]] = []
        var rest = bytes[...]
        do throws(YAMLError) {
            while !rest.isEmpty {
                splitter.append(rest.prefix(size))
                rest = rest.dropFirst(size)
                while let document = try splitter.next() {
                    documents.append(document)
                }
            }
            splitter.finish()
            while let document = try splitter.next() {
                documents.append(document)
            }
            return (documents, nil)
        } catch {
            return (documents, error)
        }
    }
    let (whole, error) = documents(pieces: max(1, bytes.count))
    let (pieces, otherError) = documents(pieces: 7)
    precondition(whole == pieces && error == otherError, "other documents in pieces")
    _ = try? YAML.documents(bytes, limits: limits)
}
