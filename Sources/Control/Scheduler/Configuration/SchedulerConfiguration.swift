// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

package import JSON

/// The scheduler's configuration file: `KubeSchedulerConfiguration` of
/// `kubescheduler.config.k8s.io/v1`.
package struct SchedulerConfiguration: Sendable {
    /// How replicas agree which of them works.
    package struct LeaderElection: Sendable, Hashable {
        package var leaderElect = true
        package var leaseDuration: Duration = .seconds(15)
        package var renewDeadline: Duration = .seconds(10)
        package var retryPeriod: Duration = .seconds(2)
        package var resourceName = "kube-scheduler"
        package var resourceNamespace = "kube-system"

        package init() {}
    }

    package static let apiVersion = "kubescheduler.config.k8s.io/v1"

    package var leaderElection = LeaderElection()
    /// Path of the kubeconfig; empty when flags say it.
    package var kubeconfig = ""
    package var enableProfiling = true
    package var percentageOfNodesToScore: Int64 = 0
    package var podInitialBackoffSeconds: Int64 = 1
    package var podMaxBackoffSeconds: Int64 = 10
    package var profiles: [Profile] = [.standard]

    package init() {}

    /// Reads a configuration that was YAML or JSON. Unknown fields are errors.
    package init(_ document: DynamicValue) throws(ConfigurationError) {
        var reader = try StrictReader(document, path: "")
        let apiVersion = try reader.string("apiVersion") ?? ""
        let kind = try reader.string("kind") ?? ""
        guard apiVersion == Self.apiVersion, kind == "KubeSchedulerConfiguration" else {
            throw .wrongKind(apiVersion: apiVersion, kind: kind)
        }
        try self.readGeneral(&reader)
        let profiles = try reader.objects("profiles") { item throws(ConfigurationError) in
            try ProfileConfiguration(&item)
        }
        reader.finish()
        guard reader.problems.isEmpty else { throw .unknownFields(reader.problems) }
        try self.validate()
        if let profiles { self.profiles = try Self.build(profiles) }
        for index in self.profiles.indices
        where self.profiles[index].percentageOfNodesToScore == 0 {
            self.profiles[index].percentageOfNodesToScore = self.percentageOfNodesToScore
        }
    }

    private mutating func readGeneral(_ reader: inout StrictReader) throws(ConfigurationError) {
        // How many nodes upstream looks at in parallel; one thread is enough here.
        if let parallelism = try reader.integer("parallelism"), parallelism <= 0 {
            throw .invalid(
                path: "parallelism",
                "\(parallelism): should be an integer value greater than zero"
            )
        }
        if let election = try reader.object(
            "leaderElection",
            { item throws(ConfigurationError) in try Self.election(&item) }
        ) {
            self.leaderElection = election
        }
        if let path = try reader.object(
            "clientConnection",
            { item throws(ConfigurationError) in try Self.connection(&item) }
        ) {
            self.kubeconfig = path
        }
        self.enableProfiling = try reader.bool("enableProfiling") ?? self.enableProfiling
        _ = try reader.bool("enableContentionProfiling")
        _ = try reader.bool("delayCacheUntilActive")
        self.percentageOfNodesToScore = try reader.integer("percentageOfNodesToScore") ?? 0
        self.podInitialBackoffSeconds =
            try reader.integer("podInitialBackoffSeconds") ?? self.podInitialBackoffSeconds
        self.podMaxBackoffSeconds =
            try reader.integer("podMaxBackoffSeconds") ?? self.podMaxBackoffSeconds
        if let extenders = try reader.items("extenders"), !extenders.isEmpty {
            throw .invalid(path: "extenders", "extenders are not supported")
        }
    }

    private static func election(
        _ reader: inout StrictReader
    ) throws(ConfigurationError) -> LeaderElection {
        var election = LeaderElection()
        election.leaderElect = try reader.bool("leaderElect") ?? election.leaderElect
        election.leaseDuration = try reader.duration("leaseDuration") ?? election.leaseDuration
        election.renewDeadline = try reader.duration("renewDeadline") ?? election.renewDeadline
        election.retryPeriod = try reader.duration("retryPeriod") ?? election.retryPeriod
        let lock = try reader.string("resourceLock") ?? "leases"
        guard lock == "leases" else {
            throw .invalid(path: "leaderElection.resourceLock", "\"\(lock)\": must be leases")
        }
        election.resourceName = try reader.string("resourceName") ?? election.resourceName
        election.resourceNamespace =
            try reader.string("resourceNamespace") ?? election.resourceNamespace
        return election
    }

    private static func connection(
        _ reader: inout StrictReader
    ) throws(ConfigurationError) -> String {
        let path = try reader.string("kubeconfig") ?? ""
        _ = try reader.string("acceptContentTypes")
        _ = try reader.string("contentType")
        _ = try reader.number("qps")
        _ = try reader.integer("burst")
        return path
    }

    private func validate() throws(ConfigurationError) {
        guard (0...100).contains(self.percentageOfNodesToScore) else {
            throw .invalid(
                path: "percentageOfNodesToScore",
                "\(self.percentageOfNodesToScore): not in valid range [0-100]"
            )
        }
        guard self.podInitialBackoffSeconds > 0 else {
            throw .invalid(
                path: "podInitialBackoffSeconds",
                "\(self.podInitialBackoffSeconds): must be greater than 0"
            )
        }
        guard self.podMaxBackoffSeconds >= self.podInitialBackoffSeconds else {
            throw .invalid(
                path: "podMaxBackoffSeconds",
                "\(self.podMaxBackoffSeconds): must be greater than or equal to "
                    + "PodInitialBackoffSeconds"
            )
        }
    }

    private static func build(
        _ profiles: [ProfileConfiguration]
    ) throws(ConfigurationError) -> [Profile] {
        guard !profiles.isEmpty else { throw .invalid(path: "profiles", "required value") }
        var result: [Profile] = []
        for (index, configuration) in profiles.enumerated() {
            let profile = try configuration.build(path: "profiles[\(index)]")
            if result.contains(where: { $0.name == profile.name }) {
                throw .invalid(
                    path: "profiles[\(index)].schedulerName",
                    "Duplicate value: \"\(profile.name)\""
                )
            }
            result.append(profile)
        }
        return result
    }
}
