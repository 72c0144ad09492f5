// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import KubernetesAPI
import Protobuf
import Scalars

/// Values of a pod's own fields, for variables and files.
///
/// Source: upstream `pkg/fieldpath`, `pkg/api/v1/resource`.
package enum FieldReferences {
    /// A field that is none.
    package struct UnknownField: Error, Sendable, Equatable {
        package let path: String
    }

    /// What the node knows of a pod beside its object.
    package struct Context: Sendable {
        package var nodeName: String
        package var hostAddresses: [String]
        package var podAddresses: [String]
        /// Of the node, for limits that are not set.
        package var allocatableMilliCPU: Int64
        package var allocatableMemory: Int64
        package var allocatableStorage: Int64

        package init(
            nodeName: String = "",
            hostAddresses: [String] = [],
            podAddresses: [String] = [],
            allocatableMilliCPU: Int64 = 0,
            allocatableMemory: Int64 = 0,
            allocatableStorage: Int64 = 0
        ) {
            self.nodeName = nodeName
            self.hostAddresses = hostAddresses
            self.podAddresses = podAddresses
            self.allocatableMilliCPU = allocatableMilliCPU
            self.allocatableMemory = allocatableMemory
            self.allocatableStorage = allocatableStorage
        }
    }

    /// The value of a field of `pod`.
    package static func value(
        of path: String,
        in pod: CoreV1.Pod,
        context: Context
    ) throws(UnknownField) -> String {
        switch path {
        case "metadata.name": return pod.metadata.name
        case "metadata.namespace": return pod.metadata.namespace
        case "metadata.uid": return pod.metadata.uid
        case "metadata.labels": return Self.lines(pod.metadata.labels)
        case "metadata.annotations": return Self.lines(pod.metadata.annotations)
        case "spec.nodeName": return pod.spec.nodeName
        case "spec.serviceAccountName": return pod.spec.serviceAccountName
        case "status.hostIP": return context.hostAddresses.first ?? ""
        case "status.hostIPs": return context.hostAddresses.joined(separator: ",")
        case "status.podIP": return context.podAddresses.first ?? ""
        case "status.podIPs": return context.podAddresses.joined(separator: ",")
        default: break
        }
        if let key = Self.key(path, of: "metadata.labels") {
            return pod.metadata.labels[key] ?? ""
        }
        if let key = Self.key(path, of: "metadata.annotations") {
            return pod.metadata.annotations[key] ?? ""
        }
        throw UnknownField(path: path)
    }

    /// The value of a container's resource, such as `limits.cpu`, in units of the divisor.
    package static func value(
        of reference: CoreV1.ResourceFieldSelector,
        in pod: CoreV1.Pod,
        container name: String,
        context: Context
    ) throws(UnknownField) -> String {
        let wanted = reference.containerName.isEmpty ? name : reference.containerName
        guard let container = pod.containerSpec(named: wanted)?.container else {
            throw UnknownField(path: reference.resource)
        }
        let parts = reference.resource.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw UnknownField(path: reference.resource) }
        let list =
            switch parts[0] {
            case "limits": container.resources.limits
            case "requests": container.resources.requests
            default: throw UnknownField(path: reference.resource)
            }
        let isMilli = parts[1] == "cpu"
        let amount = (try? list[parts[1]]?.parsed()) ?? nil
        var value = amount.map { isMilli ? $0.milliValue : $0.value } ?? 0
        if value == 0, parts[0] == "limits" {
            switch parts[1] {
            case "cpu": value = context.allocatableMilliCPU
            case "memory": value = context.allocatableMemory
            case "ephemeral-storage": value = context.allocatableStorage
            default: break
            }
        }
        var divisor = (try? reference.divisor.parsed()) ?? .zero
        if divisor.isZero { divisor = Scalars.Quantity(1) }
        let unit = max(isMilli ? divisor.milliValue : divisor.value, 1)
        return "\((value + unit - 1) / unit)"
    }

    private static func key(_ path: String, of prefix: String) -> String? {
        guard path.hasPrefix(prefix + "['"), path.hasSuffix("']") else { return nil }
        return String(path.dropFirst(prefix.count + 2).dropLast(2))
    }

    /// `key="value"` lines by key.
    private static func lines(_ map: MapField<String, String>) -> String {
        map.map { "\($0.key)=\(Self.quoted($0.value))" }.sorted().joined(separator: "\n")
    }

    /// As Go's `%q` writes a string.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{7}": result += "\\a"
            case "\u{8}": result += "\\b"
            case "\u{c}": result += "\\f"
            case "\u{b}": result += "\\v"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7f {
                    let hex = String(scalar.value, radix: 16)
                    result += "\\x" + (hex.count == 1 ? "0" : "") + hex
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}
