// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

public import Access
import KubernetesAPI
import NameRules
public import ObjectModel
import Protobuf
import Quotas
public import ResourceTable
import Scalars

/// Gives containers the default resources of their namespace, and holds pods, containers and claims
/// to its limits.
///
/// Source: kubernetes `plugin/pkg/admission/limitranger/admission.go`.
public struct LimitRanger: AdmissionPlugin {
    public let name = "LimitRanger"
    private let lookup: NamespaceLookup

    private static let annotation = "kubernetes.io/limit-ranger"

    public init(_ objects: any ObjectReader) {
        self.lookup = NamespaceLookup(objects)
    }

    public func handles(
        _ operation: AdmissionAttributes.Operation,
        _ resource: GroupResource,
        subresource: String
    ) -> Bool {
        switch (resource, operation, subresource) {
        case (.pods, .create, ""), (.pods, .update, "resize"): true
        case (.persistentVolumeClaims, .create, ""), (.persistentVolumeClaims, .update, ""): true
        default: false
        }
    }

    /// What the limit ranges say that concern a request.
    private func items(
        _ attributes: AdmissionAttributes
    ) async throws(StatusError) -> [[CoreV1.LimitRangeItem]] {
        let found = try await self.lookup.list(
            .limitRanges,
            namespace: attributes.namespace,
            now: attributes.now
        )
        return found.compactMap { object in
            object.message(as: CoreV1.LimitRange.self).map { Array($0.spec.limits) }
        }
    }

    // MARK: - Defaults

    public func admit(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        guard attributes.resource == .pods, attributes.operation == .create else { return }
        for items in try await self.items(attributes) {
            var limits: [String: Resource.Quantity] = [:]
            var requests: [String: Resource.Quantity] = [:]
            for item in items where item.type == "Container" {
                for (name, amount) in item.default { limits[name] = amount }
                for (name, amount) in item.defaultRequest { requests[name] = amount }
            }
            if limits.isEmpty, requests.isEmpty { continue }
            attributes.object?.change(CoreV1.Pod.self) { pod in
                Self.setDefaults(&pod, limits, requests)
            }
        }
    }

    private static func setDefaults(
        _ pod: inout CoreV1.Pod,
        _ limits: [String: Resource.Quantity],
        _ requests: [String: Resource.Quantity]
    ) {
        var notes: [String] = []
        func fill(_ containers: inout RepeatedField<CoreV1.Container>, _ kind: String) {
            for index in containers.indices {
                var resources = containers[index].resources
                var set: (requests: [String], limits: [String]) = ([], [])
                for (name, amount) in requests where resources.requests[name] == nil {
                    resources.requests[name] = amount
                    set.requests.append(name)
                }
                for (name, amount) in limits where resources.limits[name] == nil {
                    resources.limits[name] = amount
                    set.limits.append(name)
                }
                containers[index].resources = resources
                let name = containers[index].name
                for (names, part) in [(set.requests, "request"), (set.limits, "limit")]
                where !names.isEmpty {
                    notes.append(
                        "\(names.sorted().joined(separator: ", ")) \(part) for \(kind) \(name)"
                    )
                }
            }
        }
        fill(&pod.spec.containers, "container")
        fill(&pod.spec.initContainers, "init container")
        if !notes.isEmpty {
            pod.metadata.annotations[Self.annotation] =
                "LimitRanger plugin set: " + notes.joined(separator: "; ")
        }
    }

    // MARK: - Limits

    public func validate(_ attributes: inout AdmissionAttributes) async throws(StatusError) {
        for items in try await self.items(attributes) {
            var errors: [String] = []
            if let pod: CoreV1.Pod = attributes.object?.message() {
                for item in items { errors += Self.errors(of: pod, item) }
            } else if let claim: CoreV1.PersistentVolumeClaim = attributes.object?.message() {
                for item in items where item.type == "PersistentVolumeClaim" {
                    errors += Self.errors(of: claim, item)
                }
            }
            if !errors.isEmpty { throw attributes.forbidden(aggregateText(errors)) }
        }
    }

    private static func errors(
        of pod: CoreV1.Pod,
        _ item: CoreV1.LimitRangeItem
    ) -> [String] {
        switch item.type {
        case "Container":
            return [pod.spec.containers, pod.spec.initContainers].flatMap { containers in
                containers.flatMap { container in
                    LimitCheck(
                        kind: "Container",
                        requests: PodResources.amounts(container.resources.requests),
                        limits: PodResources.amounts(container.resources.limits)
                    ).errors(of: item)
                }
            }
        case "Pod":
            return LimitCheck(
                kind: "Pod",
                requests: PodResources.requests(of: pod.spec),
                limits: PodResources.limits(of: pod.spec)
            ).errors(of: item)
        default: return []
        }
    }

    private static func errors(
        of claim: CoreV1.PersistentVolumeClaim,
        _ item: CoreV1.LimitRangeItem
    ) -> [String] {
        let check = LimitCheck(
            kind: "PersistentVolumeClaim",
            requests: PodResources.amounts(claim.spec.resources.requests),
            limits: [:]
        )
        return check.minimumErrors(item)
            + LimitCheck.sorted(item.max).compactMap { check.maximumRequestError($0, $1) }
    }
}

/// Compares what something asks for with an item of a limit range.
struct LimitCheck {
    var kind: String
    var requests: ResourceAmounts
    var limits: ResourceAmounts

    static func sorted(
        _ map: MapField<String, Resource.Quantity>
    ) -> [(name: String, amount: Quantity)] {
        map.compactMap { name, quantity in (try? quantity.parsed()).map { (name, $0) } }
    }

    func errors(of item: CoreV1.LimitRangeItem) -> [String] {
        self.minimumErrors(item)
            + Self.sorted(item.max).compactMap { self.maximumError($0, $1) }
            + Self.sorted(item.maxLimitRequestRatio).compactMap { self.ratioError($0, $1) }
    }

    func minimumErrors(_ item: CoreV1.LimitRangeItem) -> [String] {
        Self.sorted(item.min).compactMap { name, minimum in
            let rule = "minimum \(name) usage per \(self.kind) is \(minimum)"
            guard let request = self.requests[name] else {
                return "\(rule).  No request is specified"
            }
            if request < minimum { return "\(rule), but request is \(request)" }
            if let limit = self.limits[name], limit < minimum {
                return "\(rule), but limit is \(limit)"
            }
            return nil
        }
    }

    private func maximumError(_ name: String, _ maximum: Quantity) -> String? {
        let rule = "maximum \(name) usage per \(self.kind) is \(maximum)"
        guard let limit = self.limits[name] else { return "\(rule).  No limit is specified" }
        if maximum < limit { return "\(rule), but limit is \(limit)" }
        if let request = self.requests[name], maximum < request {
            return "\(rule), but request is \(request)"
        }
        return nil
    }

    func maximumRequestError(_ name: String, _ maximum: Quantity) -> String? {
        let rule = "maximum \(name) usage per \(self.kind) is \(maximum)"
        guard let request = self.requests[name] else { return "\(rule).  No request is specified" }
        return maximum < request ? "\(rule), but request is \(request)" : nil
    }

    private func ratioError(_ name: String, _ maximum: Quantity) -> String? {
        let rule = "\(name) max limit to request ratio per \(self.kind) is \(maximum)"
        guard let request = self.requests[name], !request.isZero else {
            return "\(rule), but no request is specified or request is 0"
        }
        guard let limit = self.limits[name], !limit.isZero else {
            return "\(rule), but no limit is specified or limit is 0"
        }
        let ratio = limit.approximateDouble / request.approximateDouble
        guard ratio > maximum.approximateDouble else { return nil }
        return "\(rule), but provided ratio is \(Self.fixed(ratio))"
    }

    /// A number with six digits behind the point, as Go's `%f`.
    private static func fixed(_ number: Double) -> String {
        let scaled = (number * 1_000_000).rounded()
        guard scaled.isFinite, abs(scaled) < 9e15 else { return "\(number)" }
        let whole = Int64(scaled)
        let digits = String(whole % 1_000_000)
        return "\(whole / 1_000_000)." + String(repeating: "0", count: 6 - digits.count) + digits
    }
}
