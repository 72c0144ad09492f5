// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

// Fuzzes what reads names, selectors, addresses and schedules.
//
// Strategy: the input, made UTF-8, is read as a label selector, as a field selector, by every
// format and as an address, a prefix and a schedule.
//
// Invariants:
// - a selector that is read is written as a text that reads as an equal selector;
// - a label selector answers the same for labels in a dictionary and as bytes;
// - what a selector requires of a label is what it matches;
// - predicates agree with messages;
// - an address that is read is written as a text that reads as the same address.
// Nothing traps.

import NameRules
import Selectors

/// Checks one input; libFuzzer calls it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSelectors(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    let text = String(decoding: bytes, as: UTF8.self)
    checkLabels(text)
    checkFields(text)
    checkFormats(text)
    checkAddresses(text)
    _ = try? CronSchedule(parsing: text) { $0.count % 2 == 0 }
    return 0
}

private struct OneLabel: LabelSource {
    let key: String
    let value: String

    func withLabelValue<R>(_ key: String, _ body: (UnsafeRawBufferPointer?) -> R) -> R {
        guard key == self.key else { return body(nil) }
        return Array(self.value.utf8).withUnsafeBytes { body($0) }
    }
}

private func checkLabels(_ text: String) {
    guard let selector = try? LabelSelector(parsing: text) else { return }
    let written = selector.description
    precondition(
        (try? LabelSelector(parsing: written)) == selector,
        "a label selector reads differently"
    )
    for requirement in selector.requirements {
        let value = requirement.values.last ?? "1"
        let one = OneLabel(key: requirement.key, value: value)
        let matches = selector.matches([one.key: one.value])
        precondition(selector.matches(one) == matches, "bytes and strings match differently")
        if let required = selector.requiredValue(of: requirement.key), required != value {
            precondition(!matches, "matches without the required value")
        }
    }
}

private func checkFields(_ text: String) {
    guard let selector = try? FieldSelector(parsing: text) else { return }
    guard let again = try? FieldSelector(parsing: selector.description) else {
        preconditionFailure("a written field selector does not read")
    }
    // Terms are sorted by their texts, which writing may change.
    precondition(Set(again.terms) == Set(selector.terms), "a field selector reads differently")
}

private func checkFormats(_ text: String) {
    precondition(Formats.isLabelKey(text) == Formats.labelKey(text).isEmpty)
    precondition(Formats.isLabelValue(text) == Formats.labelValue(text).isEmpty)
    precondition(Formats.isDNS1123Label(text) == Formats.dns1123Label(text).isEmpty)
    precondition(Formats.isDNS1123Subdomain(text) == Formats.dns1123Subdomain(text).isEmpty)
    precondition(Formats.isDNS1035Label(text) == Formats.dns1035Label(text).isEmpty)
    precondition(Formats.isPathSegmentName(text) == Formats.pathSegmentName(text).isEmpty)
    let more: [[String]] = [
        Formats.wildcardDNS1123Subdomain(text), Formats.dns1123SubdomainCaseless(text),
        Formats.dns1123SubdomainWithUnderscore(text), Formats.annotationKey(text),
        Formats.cIdentifier(text), Formats.envVarName(text), Formats.strictEnvVarName(text),
        Formats.configMapKey(text), Formats.httpHeaderName(text), Formats.conditionReason(text),
        Formats.uuid(text), Formats.portName(text), Formats.percent(text),
        Formats.decimalInteger(text),
        Formats.domainPrefixedPath("f", text).map(\.description),
        Formats.domainPrefixedKey("f", text).map(\.description),
        Formats.fullyQualifiedDomainName("f", text).map(\.description),
        Formats.fullyQualifiedName("f", text).map(\.description),
        Formats.extendedResourceName("f", text).map(\.description),
    ]
    for message in more.joined() { precondition(!message.isEmpty, "a fault without a message") }
    for rule in [NameRule.storageVersion, .clusterTrustBundle, .cronJob, .ipAddress] {
        _ = rule.messages(for: text)
        _ = rule.messages(for: text, isPrefix: true)
    }
    var errors = FieldErrors()
    errors.validateFieldManager(text)
    _ = errors.message(kind: text, group: text, name: text)
}

private func checkAddresses(_ text: String) {
    if let address = IPAddress(parsing: text) {
        precondition(IPAddress(parsing: text, .sloppy) == address, "sloppy reads less than strict")
        let again = IPAddress(parsing: address.description)
        precondition(
            address.isIPv4MappedIPv6 || again == address,
            "an address reads differently"
        )
    }
    _ = Formats.ip("f", text)
    _ = Formats.ipWarnings("f", text)
    _ = Formats.interfaceAddress("f", text)
    _ = Formats.cidrWarnings("f", text)
    if Formats.cidr("f", text).isEmpty {
        precondition(IPPrefix(parsing: text)?.description == text, "a canonical prefix is not")
    }
}
